/** What leaves with the people: the root in trust.json, delegations, and a ledger that verifies on its own. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OutputOf } from '../../core/api/operations.ts';
import type { DelegationView } from '../../core/api/views.ts';
import { trailmix } from '../cli/trailmix.ts';
import { startTestCollector, type TestCollector } from '../http/collector.ts';
import { addPerson, enrolFirstAdmin, expectJson, type Person } from './person.ts';

const codeOf = (answer: { json: unknown }): string | undefined =>
  (answer.json as { code?: string } | undefined)?.code;
const time = (ms: number): string => new Date(Date.now() + ms).toISOString().replace('Z', '000Z');
const DAY = 86_400_000;

describe('delegation', () => {
  let http: TestCollector;
  let ada: Person;
  let bob: Person;
  let cleo: Person;

  beforeAll(async () => {
    http = await startTestCollector();
    ada = await enrolFirstAdmin(http, { roles: ['admin'] });
    bob = await addPerson(http, ada, { id: 'bob', roles: ['approver', 'treasurer'] });
    cleo = await addPerson(http, ada, { id: 'cleo', roles: ['approver'] });
  }, 60_000);
  afterAll(() => http.stop());

  const delegate = (by: Person, ...given: Parameters<Person['delegation']>) =>
    by.call('/api/delegations', { body: by.delegation(...given) });
  const list = async (query = ''): Promise<DelegationView[]> =>
    expectJson<OutputOf<'delegations'>>(await ada.call(`/api/delegations${query}`), 200).items;

  it('hands roles to another approver, planned and active, and ends', async () => {
    const now = expectJson<DelegationView>(await delegate(bob, 'cleo', { roles: ['treasurer'] }), 201);
    expect(now).toMatchObject({ from: 'bob', to: 'cleo', roles: ['treasurer'], state: 'active' });
    const later = { starts_at: time(DAY), ends_at: time(2 * DAY) };
    const planned = expectJson<DelegationView>(await delegate(bob, 'cleo', later), 201);
    expect(planned.state).toBe('planned');
    expect((await list('?limit=1')).map(item => item.id)).toEqual([planned.id]);
    expect(await list('?person=cleo')).toHaveLength(2);
    expect(await list('?person=ada')).toHaveLength(0);
    const end = (by: Person) => by.call(`/api/delegations/${planned.id}`, { method: 'DELETE' });
    expect(expectJson<DelegationView>(await end(cleo), 200).state).toBe('ended');
    expect(expectJson<DelegationView>(await end(bob), 200).state).toBe('ended');
    expect(codeOf(await ada.call('/api/delegations/none', { method: 'DELETE' }))).toBe('not_found');
    const dora = await addPerson(http, ada, { id: 'dora', roles: ['approver'] });
    expect(codeOf(await dora.call(`/api/delegations/${now.id}`, { method: 'DELETE' }))).toBe('role_missing');
  });

  it('refuses what the rules refuse', async () => {
    const code = async (...given: Parameters<typeof delegate>) => codeOf(await delegate(...given));
    expect(await code(bob, 'cleo', { roles: ['admin'] })).toBe('delegation_invalid');
    expect(await code(bob, 'bob')).toBe('delegation_invalid');
    expect(await code(bob, 'ada')).toBe('delegation_invalid');
    expect(await code(bob, 'nobody')).toBe('person_unknown');
    expect(await code(bob, 'cleo', { ends_at: time(91 * DAY) })).toBe('delegation_invalid');
    expect(await code(bob, 'cleo', { starts_at: time(-2000), ends_at: time(-1000) })).toBe(
      'delegation_invalid',
    );
    expect(await code(bob, 'cleo', { ends_at: 'tomorrow' })).toBe('statement_invalid');
    expect(await code(bob, 'cleo', { from: 'cleo' })).toBe('statement_invalid');
    expect(await code(bob, 'cleo', { by_key_id: cleo.key.keyId })).toBe('person_key_unknown');
    const good = bob.delegation('cleo');
    const replaced = { ...good, statement: { ...good.statement, roles: ['treasurer'] } };
    expect(codeOf(await bob.call('/api/delegations', { body: replaced }))).toBe('signature_invalid');
    expectJson(await bob.call('/api/delegations', { body: good }), 201);
    expect(codeOf(await bob.call('/api/delegations', { body: good }))).toBe('delegation_invalid');
  });

  it('ends with the one who leaves', async () => {
    const people = expectJson<OutputOf<'people'>>(await ada.call('/api/people'), 200).items;
    expectJson(await ada.sign('leave', people.find(person => person.id === 'bob')!), 200);
    expect(new Set((await list('?person=bob')).map(item => item.state))).toEqual(new Set(['ended']));
  });

  it('names the first key in trust.json, and the ledger verifies', async () => {
    const files = expectJson<OutputOf<'trust'>>(await ada.call('/api/trust'), 200).files;
    expect(JSON.parse(files['trust.json']!)).toMatchObject({
      people_root: { key_id: ada.key.keyId, public_key: ada.key.publicKey },
    });
    const ran = await trailmix(['verify', '--ledger', '--data', http.folder, '--json']);
    expect(ran.err).toBe('');
    expect(ran.json).toMatchObject({ verdicts: { integrity: { result: 'pass' } } });
  });
});

it('has no root of people while nobody is enrolled', async () => {
  const http = await startTestCollector();
  try {
    const answer = await http.ask('/api/trust', { headers: await http.signIn() });
    expect(expectJson<OutputOf<'trust'>>(answer, 200).files['trust.json']).not.toContain('people_root');
  } finally {
    await http.stop();
  }
});
