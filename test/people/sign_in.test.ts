/** Sign-in over HTTP: what is alike for names that nobody has, lockout, sessions that end, recovery, restart, and the records. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startCollector } from '../../collector/compose.ts';
import type { OutputOf } from '../../core/api/operations.ts';
import type { RecordView } from '../../core/api/views.ts';
import { startTestCollector, type TestCollector } from '../http/collector.ts';
import {
  accept,
  addPerson,
  deriveSignIn,
  enrolFirstAdmin,
  expectJson,
  makeSigningKey,
  Person,
  unwrapKey,
} from './person.ts';

const codeOf = (answer: { json: unknown }): string | undefined =>
  (answer.json as { code?: string } | undefined)?.code;

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

describe('sign-in', () => {
  let http: TestCollector;
  let ada: Person;
  let bob: Person;
  let skew = 0;
  const clock = { now: () => Date.now() + skew };

  beforeEach(async () => {
    skew = 0;
    http = await startTestCollector({ clock });
    ada = await enrolFirstAdmin(http);
    bob = await addPerson(http, ada, { id: 'bob', roles: ['approver'] });
  });
  afterEach(() => http.stop());

  /** Bodies of the records about people, oldest first. */
  const records = async (type: string): Promise<RecordView[]> => {
    const admin = new Person(http, ada.place, 'ada');
    admin.headers = ada.headers;
    const found = expectJson<OutputOf<'events'>>(await admin.call('/api/events?app=_ledger&limit=1000'), 200);
    return found.items.filter(record => record.event_type === type).reverse();
  };
  const what = async (id: string): Promise<string[]> => {
    const list = expectJson<OutputOf<'signIns'>>(await ada.call(`/api/people/${id}/sign-ins`), 200);
    return list.items.map(item => item.what);
  };
  const start = (id: string) => http.ask('/api/sign-in/start', { body: { person_id: id } });

  it('answers names that nobody has like any other, and always alike', async () => {
    const [one, again, known] = await Promise.all([start('unheard-of'), start('unheard-of'), start('bob')]);
    const kdf = (answer: typeof one) => expectJson<OutputOf<'startSignIn'>>(answer, 200).kdf;
    expect(kdf(one)).toEqual(kdf(again));
    expect(Object.keys(kdf(one))).toEqual(Object.keys(kdf(known)));
    expect(Buffer.from(kdf(one).salt, 'base64')).toHaveLength(16);
    const nobody = new Person(http, ada.place, 'unheard-of');
    const [wrong, unknown] = [await bob.trySignIn('wrong'), await nobody.trySignIn('wrong')];
    expect(unknown.status).toBe(wrong.status);
    expect(unknown.text).toBe(wrong.text);
    // What was typed as a name may be a passphrase: it is not recorded.
    const admin = await ada.call('/api/events?app=_ledger&limit=1000');
    expect(admin.text).not.toContain('unheard-of');
    expect(admin.text).toContain('"person_id":"-"');
  });

  it('gives back the key under the passphrase alone', async () => {
    const signedIn = await bob.signIn();
    const { kdf } = expectJson<OutputOf<'startSignIn'>>(await start('bob'), 200);
    const { wrap } = deriveSignIn(bob.passphrase, kdf);
    const key = unwrapKey(wrap, signedIn.wrapped_key, 'bob');
    expect(key.export({ format: 'jwk' })).toEqual(bob.key.privateKey.export({ format: 'jwk' }));
    expect(() => unwrapKey(deriveSignIn('x', kdf).wrap, signedIn.wrapped_key, 'bob')).toThrow();
    const auth = deriveSignIn(bob.passphrase, kdf).auth.toString('base64');
    const mine = await bob.call('/api/session/key', { body: { auth } });
    expect(mine.json).toEqual({ wrapped_key: signedIn.wrapped_key, key_id: bob.key.keyId });
  });

  it('counts guesses at the passphrase in an open session as wrong sign-ins', async () => {
    await bob.signIn();
    const { kdf } = expectJson<OutputOf<'startSignIn'>>(await start('bob'), 200);
    const unlock = (passphrase: string) =>
      bob.call('/api/session/key', {
        body: { auth: deriveSignIn(passphrase, kdf).auth.toString('base64') },
      });
    for (let i = 0; i < 5; i++) expect(codeOf(await unlock(`guess ${i}`))).toBe('sign_in_failed');
    expect(codeOf(await unlock(bob.passphrase))).toBe('sign_in_locked');
    expect(codeOf(await bob.trySignIn())).toBe('sign_in_locked');
    // The session itself goes on.
    expect((await bob.call('/api/session')).status).toBe(200);
    skew += 31_000;
    expect((await unlock(bob.passphrase)).status).toBe(200);
    expect(await records('person.locked')).toHaveLength(1);
  });

  it('locks a name after five wrong attempts, for twice as long each time, whether somebody has it or not', async () => {
    const nobody = new Person(http, ada.place, 'unheard-of');
    for (const person of [bob, nobody]) {
      const right = person.passphrase;
      let wait = 30;
      for (let round = 0; round < 3; round++) {
        for (let i = 0; i < 5; i++) expect(codeOf(await person.trySignIn('wrong'))).toBe('sign_in_failed');
        const locked = await person.trySignIn(right);
        expect(codeOf(locked)).toBe('sign_in_locked');
        expect(Number(locked.headers['retry-after'])).toBeGreaterThan(wait * 0.6);
        expect(Number(locked.headers['retry-after'])).toBeLessThanOrEqual(wait);
        skew += wait * 1000;
        wait *= 2;
      }
    }
    expect((await bob.trySignIn()).status).toBe(200);
    await ada.signIn();
    const seen = await what('bob');
    expect(seen[0]).toBe('signed_in');
    expect(seen.filter(item => item === 'locked')).toHaveLength(3);
  });

  it('lets no more than five through at the same moment', async () => {
    const answers = await Promise.all(Array.from({ length: 12 }, () => bob.trySignIn('wrong')));
    const codes = answers.map(codeOf);
    expect(codes.filter(code => code === 'sign_in_failed')).toHaveLength(5);
    expect(codes.filter(code => code === 'sign_in_locked')).toHaveLength(7);
  });

  it('keeps a lock over a restart, and people, keys and roles too', async () => {
    for (let i = 0; i < 5; i++) await bob.trySignIn('wrong');
    const { folder } = http;
    await http.collector.close();
    const collector = await startCollector({ port: 0, folder, clock });
    try {
      const { url } = collector;
      const { ask } = await import('../http/collector.ts');
      const again = {
        url,
        ask: (path: string, options = {}) => ask(url + path, options),
        signIn: http.signIn,
      };
      const [adaAgain, bobAgain] = [new Person(again, ada.place, 'ada'), new Person(again, ada.place, 'bob')];
      adaAgain.key = ada.key;
      expect(codeOf(await bobAgain.trySignIn())).toBe('sign_in_locked');
      adaAgain.headers = { ...ada.headers, origin: url };
      expect(codeOf(await adaAgain.call('/api/session'))).toBe('session_invalid');
      await adaAgain.signIn();
      const list = expectJson<OutputOf<'people'>>(await adaAgain.call('/api/people'), 200);
      expect(list.items.map(person => [person.id, person.state, person.key_id])).toEqual([
        ['ada', 'active', ada.key.keyId],
        ['bob', 'active', bob.key.keyId],
      ]);
      const signIns = await adaAgain.call('/api/people/ada/sign-ins');
      expect(expectJson<OutputOf<'signIns'>>(signIns, 200).items.map(item => item.what)).toContain(
        'session_ended restart',
      );
    } finally {
      await collector.close();
    }
  });

  it('writes at most ten records of wrong attempts a minute, and says how many each stands for', async () => {
    const names = Array.from({ length: 30 }, (_, i) => new Person(http, ada.place, `ghost-${i}`));
    for (const person of names) expect(codeOf(await person.trySignIn('wrong'))).toBe('sign_in_failed');
    const first = await records('person.sign_in_failed');
    expect(first.length).toBeLessThanOrEqual(10);
    skew += 61_000;
    await names[0]!.trySignIn('wrong');
    const all = await records('person.sign_in_failed');
    const told = all.map(record => (record.person as { attempts: number }).attempts);
    expect(told.reduce((a, b) => a + b)).toBe(31);
  });

  it('ends a session an hour after a person did something, not after the page asked by itself', async () => {
    await bob.signIn();
    skew += 40 * MINUTE;
    expectJson(await bob.call('/api/session', { headers: { 'x-trailmix-active': '1' } }), 200);
    skew += 40 * MINUTE;
    expectJson(await bob.call('/api/session'), 200);
    skew += 21 * MINUTE;
    expect(codeOf(await bob.call('/api/session'))).toBe('session_invalid');
    await ada.signIn();
    expect((await what('bob'))[0]).toBe('session_ended idle');
  });

  it('ends a session twelve hours after sign-in in any case', async () => {
    await bob.signIn();
    for (let hours = 0; hours < 11; hours++) {
      skew += 59 * MINUTE;
      expectJson(await bob.call('/api/session', { headers: { 'x-trailmix-active': '1' } }), 200);
    }
    skew += 2 * HOUR;
    expect(codeOf(await bob.call('/api/session'))).toBe('session_invalid');
  });

  it('ends a session on sign-out, and the oldest when one person opens many', async () => {
    await bob.signIn();
    expectJson(await bob.call('/api/sign-out', { method: 'POST' }), 200);
    expect(codeOf(await bob.call('/api/session'))).toBe('session_invalid');
    await bob.signIn();
    const oldest = bob.headers;
    for (let i = 0; i < 10; i++) await bob.signIn();
    expect(codeOf(await http.ask('/api/session', { headers: oldest }))).toBe('session_invalid');
    expectJson(await bob.call('/api/session'), 200);
    expect((await what('bob')).slice(0, 3)).toContain('session_ended replaced');
  });

  it('takes a new passphrase for the same key, against the old one', async () => {
    const change = (current: string, passphrase: string) =>
      start('bob').then(answer => {
        const { kdf } = expectJson<OutputOf<'startSignIn'>>(answer, 200);
        const current_auth = deriveSignIn(current, kdf).auth.toString('base64');
        return bob.call('/api/session/secret', {
          body: { current_auth, sign_in: bob.signInSecret(passphrase) },
        });
      });
    expect(codeOf(await change('wrong', 'new'))).toBe('sign_in_failed');
    expectJson(await change(bob.passphrase, 'new passphrase'), 200);
    expectJson(await bob.call('/api/session'), 200);
    expect(codeOf(await bob.trySignIn())).toBe('sign_in_failed');
    await bob.signIn('new passphrase');
  });

  it('ends an invitation after 72 hours', async () => {
    const body = { person_id: 'cleo', name: 'Cleo', roles: ['auditor'] };
    const answer = await ada.call('/api/people/invitations', { body });
    const { token } = expectJson<OutputOf<'invitePerson'>>(answer, 201);
    skew += 72 * HOUR + MINUTE;
    expect(codeOf(await accept(new Person(http, ada.place, 'cleo'), token))).toBe('invite_invalid');
    expect(codeOf(await http.ask('/api/invitations/look', { body: { token } }))).toBe('invite_invalid');
  });
});

describe('recovery', () => {
  let place: string;
  let http: TestCollector;
  afterAll(async () => {
    await http?.stop();
    await rm(place, { recursive: true, force: true });
  });

  it('gives a new key to somebody by the recovery phrase of the vault, and the record says so', async () => {
    place = await mkdtemp(join(tmpdir(), 'tm-'));
    const folder = join(place, 'data');
    const first = await startCollector({ port: 0, folder });
    const file = join(place, 'keys', 'test.key');
    const { recoveryPhrase } = await first.initialise({ kind: 'key_file', file }, 'Ada');
    await first.close();
    let skew = 0;
    http = await startTestCollector({ folder, keyFile: file, clock: { now: () => Date.now() + skew } });
    const ada = await enrolFirstAdmin(http);
    const { socket } = http.collector;
    const recover = (phrase: string, id = 'ada') =>
      http.ask(`/api/people/${id}/recovery`, { body: { recovery_phrase: phrase }, socket });
    for (let i = 0; i < 5; i++)
      expect(codeOf(await recover('abandon '.repeat(24).trim()))).toBe('vault_secret_wrong');
    expect(codeOf(await recover(recoveryPhrase))).toBe('busy');
    skew += 31_000;
    expect(codeOf(await recover(recoveryPhrase, 'bob'))).toBe('person_unknown');
    const { token } = expectJson<OutputOf<'recoverPerson'>>(await recover(recoveryPhrase), 200);
    const lost = ada.key;
    ada.key = makeSigningKey();
    ada.passphrase = 'found again';
    const answer = expectJson<OutputOf<'acceptInvite'>>(await accept(ada, token), 200);
    expect(answer).toMatchObject({
      enrolled: true,
      person: { state: 'active', roles: ['admin', 'approver'] },
    });
    expect(codeOf(await ada.call('/api/session'))).toBe('session_invalid');
    await ada.signIn();
    const events = await ada.call('/api/events?app=_ledger&limit=100');
    expect(events.text).toContain('"by":"recovery"');
    expect(answer.person.key_id).not.toBe(lost.keyId);
  });
});
