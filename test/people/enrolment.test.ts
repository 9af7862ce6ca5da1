/** Enrolment over HTTP, with real keys: who may sign what, what is refused, and that the ledger verifies after. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OutputOf } from '../../core/api/operations.ts';
import type { PersonView } from '../../core/api/views.ts';
import { startTestCollector, type TestCollector } from '../http/collector.ts';
import { accept, addPerson, enrolFirstAdmin, expectJson, makeSigningKey, Person } from './person.ts';

const codeOf = (answer: { json: unknown }): string | undefined =>
  (answer.json as { code?: string } | undefined)?.code;

describe('enrolment', () => {
  let http: TestCollector;
  let ada: Person;
  let bob: Person;
  let page: Record<string, string>;

  const view = async (id: string): Promise<PersonView> => {
    const list = expectJson<OutputOf<'people'>>(await ada.call('/api/people'), 200);
    return list.items.find(person => person.id === id)!;
  };
  const invite = async (body: Record<string, unknown>): Promise<OutputOf<'invitePerson'>> =>
    expectJson(await ada.call('/api/people/invitations', { body }), 201);

  beforeAll(async () => {
    http = await startTestCollector();
    page = await http.signIn();
  });
  afterAll(() => http.stop());

  it('lets the opener of the page do everything while nobody is enrolled', async () => {
    const who = expectJson<OutputOf<'whoAmI'>>(await http.ask('/api/session', { headers: page }), 200);
    expect(who).toMatchObject({ alone: true, four_eyes: false, tenants: ['default'] });
    expect(who.roles).toEqual(['admin', 'policy_author', 'approver', 'analyst', 'auditor']);
    expect(expectJson<OutputOf<'signInState'>>(await http.ask('/api/sign-in'), 200).enrolled).toBe(false);
    expect(
      codeOf(
        await http.ask('/api/session/key', {
          headers: page,
          body: { auth: Buffer.alloc(32).toString('base64') },
        }),
      ),
    ).toBe('sign_in_needed');
  });

  it('refuses a first person who is no admin, signs with another key, or does not hold the key', async () => {
    const state = expectJson<OutputOf<'signInState'>>(await http.ask('/api/sign-in'), 200);
    const eve = new Person(http, { ledger_id: state.ledger_id!, tenant_id: 'default' }, 'eve');
    const about = {
      id: 'eve',
      name: 'Eve',
      roles: ['admin'],
      aliases: [],
      key_id: eve.key.keyId,
      public_key: eve.key.publicKey,
    };
    const enrol = (changes: Record<string, unknown>, signed = about) =>
      http.ask('/api/people/first', {
        body: {
          ...eve.statement('enrol', signed),
          possession: eve.possession(),
          sign_in: eve.signInSecret(),
          ...changes,
        },
        headers: page,
      });
    expect(codeOf(await enrol({}, { ...about, roles: ['approver'] }))).toBe('statement_invalid');
    expect(codeOf(await enrol({ possession: eve.possession(makeSigningKey()) }))).toBe('signature_invalid');
    const other = new Person(http, eve.place, 'eve');
    const { statement } = eve.statement('enrol', about);
    const { signature } = other.statement('enrol', about, { by_key_id: eve.key.keyId });
    expect(codeOf(await enrol({ statement, signature }))).toBe('signature_invalid');
    expect(codeOf(await enrol({}, { ...about, id: 'recovery' }))).toBe('statement_invalid');
    expect(codeOf(await enrol({}, { ...about, roles: ['approver', 'admin'] }))).toBe('statement_invalid');
    const far = eve.statement('enrol', about, { at: '2020-01-01T00:00:00.000000Z' });
    expect(codeOf(await enrol(far))).toBe('statement_invalid');
    expect(expectJson<OutputOf<'signInState'>>(await http.ask('/api/sign-in'), 200).enrolled).toBe(false);
  });

  it('enrols the first admin, and the opened page becomes a visitor', async () => {
    ada = await enrolFirstAdmin(http, { aliases: ['ada@example.org'] });
    expect(codeOf(await http.ask('/api/status', { headers: page }))).toBe('sign_in_needed');
    const who = expectJson<OutputOf<'whoAmI'>>(await ada.call('/api/session'), 200);
    expect(who).toMatchObject({ alone: false, four_eyes: false, roles: ['admin', 'approver'] });
    expect(who.person).toMatchObject({
      id: 'ada',
      state: 'active',
      key_id: ada.key.keyId,
      enrolled_by: 'ada',
      aliases: ['ada@example.org'],
    });
    const again = await http.ask('/api/people/first', {
      body: {
        ...ada.statement('enrol', who.person!),
        possession: ada.possession(),
        sign_in: ada.signInSecret(),
      },
      socket: http.collector.socket,
    });
    expect(codeOf(again)).toBe('people_enrolled');
  });

  it('invites, accepts, signs: the second person may answer and four-eyes is in force', async () => {
    const invited = await invite({
      person_id: 'bob',
      name: 'Bob',
      roles: ['approver', 'analyst', 'approver'],
    });
    expect(invited.invite_url).toContain(`/#invite=${invited.token}`);
    const looked = await http.ask('/api/invitations/look', { body: { token: invited.token } });
    expect(expectJson<OutputOf<'lookAtInvite'>>(looked, 200)).toMatchObject({
      person_id: 'bob',
      roles: ['analyst', 'approver'],
      invited_by: 'ada',
      invited_by_name: 'Ada',
      reset: false,
    });
    bob = new Person(http, ada.place, 'bob', 'Bob');
    const accepted = expectJson<OutputOf<'acceptInvite'>>(await accept(bob, invited.token), 200);
    expect(accepted).toMatchObject({ enrolled: false, person: { state: 'pending', key_id: bob.key.keyId } });
    expect(codeOf(await accept(bob, invited.token))).toBe('invite_invalid');
    expect(codeOf(await bob.trySignIn())).toBe('sign_in_failed');
    const became = (more: object = {}) => {
      const body = { person_id: 'bob', key_id: bob.key.keyId, watch: accepted.watch, ...more };
      return http.ask('/api/invitations/accepted', { body });
    };
    expect((await became()).json).toEqual({ state: 'waiting' });
    // Only who made the key is told, and of that key alone.
    expect(codeOf(await became({ watch: 'A'.repeat(43) }))).toBe('invite_invalid');
    expect(codeOf(await became({ person_id: 'ada' }))).toBe('invite_invalid');
    expect(codeOf(await became({ key_id: ada.key.keyId }))).toBe('invite_invalid');
    expectJson(await ada.sign('enrol', accepted.person), 200);
    expect((await became()).json).toEqual({ state: 'signed' });
    await bob.signIn();
    const who = expectJson<OutputOf<'whoAmI'>>(await bob.call('/api/session'), 200);
    expect(who).toMatchObject({ four_eyes: true, roles: ['analyst', 'approver'] });
  });

  it('takes a new invitation in place of a lost one, and frees a withdrawn name', async () => {
    const first = await invite({ person_id: 'carl', name: 'Carl', roles: ['auditor'] });
    const second = await invite({ person_id: 'carl', name: 'Carl', roles: ['analyst'] });
    const look = (token: string) => http.ask('/api/invitations/look', { body: { token } });
    expect(codeOf(await look(first.token))).toBe('invite_invalid');
    expect(expectJson<OutputOf<'lookAtInvite'>>(await look(second.token), 200).roles).toEqual(['analyst']);
    expectJson(await ada.call('/api/people/carl/invitation', { method: 'DELETE' }), 200);
    expect(codeOf(await look(second.token))).toBe('invite_invalid');
    expect(await view('carl')).toBeUndefined();
    expect(codeOf(await ada.call('/api/people/carl/invitation', { method: 'DELETE' }))).toBe(
      'person_unknown',
    );
    const wrong = { person_id: 'Carl!', name: 'Carl', roles: ['auditor'] };
    expect(codeOf(await ada.call('/api/people/invitations', { body: wrong }))).toBe('input_invalid');
    const exists = { person_id: 'bob', name: 'Bob', roles: ['auditor'] };
    expect(codeOf(await ada.call('/api/people/invitations', { body: exists }))).toBe('person_exists');
  });

  it('refuses statements that are replaced, replayed, or signed by who may not', async () => {
    const about = await view('bob');
    const path = '/api/people/bob/statements';
    const post = async (body: unknown, by = ada) => codeOf(await by.call(path, { body }));
    const good = ada.statement('change', about, { roles: ['approver'] });
    expect(await post({ ...good, statement: { ...good.statement, roles: ['admin'] } })).toBe(
      'signature_invalid',
    );
    expect(await post(ada.statement('change', about, { ledger_id: '0'.repeat(32) }))).toBe(
      'statement_invalid',
    );
    expect(await post(ada.statement('change', about, { person_id: 'ada' }))).toBe('statement_invalid');
    expect(await post(ada.statement('change', about, { by: 'bob', by_key_id: bob.key.keyId }))).toBe(
      'statement_invalid',
    );
    expect(await post(ada.statement('change', about, { by_key_id: bob.key.keyId }))).toBe(
      'person_key_unknown',
    );
    expect(await post(ada.statement('change', about, { name: '' }))).toBe('input_invalid');
    expect(await post(ada.statement('reset', about))).toBe('person_key_unknown');
    expect(await post(bob.statement('change', about, { roles: ['admin'] }), bob)).toBe('role_missing');
    expectJson(await ada.call(path, { body: good }), 200);
    expect(await post(good)).toBe('statement_invalid');
    await bob.signIn();
    expectJson(await ada.sign('change', await view('bob'), { roles: ['analyst', 'approver'] }), 200);
  });

  it('ends the sessions of a person whose roles change, and not those of one who is renamed', async () => {
    await bob.signIn();
    expectJson(await ada.sign('change', await view('bob'), { name: 'Robert' }), 200);
    expectJson(await bob.call('/api/session'), 200);
    expectJson(await ada.sign('change', await view('bob'), { roles: ['approver'] }), 200);
    expect(codeOf(await bob.call('/api/session'))).toBe('session_invalid');
    await bob.signIn();
    expect(codeOf(await bob.call('/api/keys'))).toBe('role_missing');
  });

  it('keeps the last admin', async () => {
    const me = await view('ada');
    expect(codeOf(await ada.sign('leave', me))).toBe('last_admin');
    expect(codeOf(await ada.sign('change', me, { roles: ['approver'] }))).toBe('last_admin');
  });

  it('resets a sign-in by a new key that the admin signs; the old key stays until then', async () => {
    await bob.signIn();
    const { token } = await invite({ person_id: 'bob', reset: true });
    const old = bob.key;
    bob.key = makeSigningKey();
    bob.passphrase = 'another passphrase';
    const accepted = expectJson<OutputOf<'acceptInvite'>>(await accept(bob, token), 200);
    expect(accepted.person).toMatchObject({ state: 'active', resetting: true, key_id: bob.key.keyId });
    expectJson(await bob.call('/api/session'), 200);
    expect(codeOf(await ada.sign('reset', accepted.person, { roles: ['admin'] }))).toBe('statement_invalid');
    const reset = expectJson<PersonView>(await ada.sign('reset', accepted.person), 200);
    expect(reset).toMatchObject({ key_id: bob.key.keyId, roles: ['approver'] });
    expect(codeOf(await bob.call('/api/session'))).toBe('session_invalid');
    expect(codeOf(await bob.trySignIn('passphrase of bob'))).toBe('sign_in_failed');
    await bob.signIn();
    // A key that was ever in force is enrolled for nobody again.
    const again = await invite({ person_id: 'dora', name: 'Dora', roles: ['approver'] });
    const dora = new Person(http, ada.place, 'dora');
    dora.key = old;
    expect(codeOf(await accept(dora, again.token))).toBe('input_invalid');
  });

  it('names the person in what they have the collector do', async () => {
    const made = await ada.call('/api/keys', { body: { app_id: 'shop' } });
    expectJson(made, 201);
    expectJson(await ada.call('/api/settings', { body: { otlp_unkeyed: false } }), 200);
    const found = expectJson<OutputOf<'events'>>(await ada.call('/api/events?app=_ledger&limit=1000'), 200);
    const by = (type: string) => found.items.find(record => record.event_type === type)?.by;
    expect(by('key.created')).toBe('ada');
    expect(by('ledger.settings')).toBe('ada');
  });

  it('lets somebody leave for good', async () => {
    const emil = await addPerson(http, ada, { id: 'emil', roles: ['admin'] });
    expectJson(await emil.sign('leave', await view('emil')), 200);
    expect(codeOf(await emil.call('/api/session'))).toBe('session_invalid');
    expect(codeOf(await emil.trySignIn())).toBe('sign_in_failed');
    expect(await view('emil')).toMatchObject({ state: 'left' });
    const body = { person_id: 'emil', name: 'Emil', roles: ['approver'] };
    expect(codeOf(await ada.call('/api/people/invitations', { body }))).toBe('person_left');
    expect(codeOf(await ada.sign('change', await view('emil')))).toBe('person_left');
  });
});

it('enrols one first person when two try at the same moment', async () => {
  const http = await startTestCollector();
  try {
    const tries = await Promise.allSettled([
      enrolFirstAdmin(http, { id: 'ada' }),
      enrolFirstAdmin(http, { id: 'bob', name: 'Bob' }),
    ]);
    expect(tries.map(one => one.status).sort()).toEqual(['fulfilled', 'rejected']);
    const [first] = tries.flatMap(one => (one.status === 'fulfilled' ? [one.value] : []));
    const people = expectJson<OutputOf<'people'>>(await first!.call('/api/people'), 200);
    expect(people.items.map(person => person.id)).toEqual([first!.id]);
  } finally {
    await http.stop();
  }
});
