/** People and the queue from a terminal: each in their own process, with their own passphrase, signed in that process. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { deriveForTerminal } from '../../cli/person_sign_in.ts';
import type { ApprovalView, PersonView } from '../../core/api/views.ts';
import { policyCheck, tr } from '../../sdk/typescript/src/index.ts';
import { type Place, type Started, startApp, temporaryPlace, trailmix } from './trailmix.ts';

const LONG = 120_000;
let place: Place;
let app: Started;
let phrase: string;

beforeAll(async () => {
  place = await temporaryPlace();
  app = await startApp(['--data', place.data, '--key-file', place.keyFile]);
  phrase = app
    .err()
    .split('\n')
    .filter(line => /^ {2}[a-z]+( [a-z]+){5}$/.test(line))
    .join(' ')
    .trim()
    .replaceAll(/\s+/g, ' ');
  const key = await trailmix(['keys', 'create', '--app', 'finance-bot', ...where()]);
  tr.init({
    apiKey: (key.json as { api_key: string }).api_key,
    appId: 'finance-bot',
    endpoint: app.ready.url,
    onError: () => undefined,
  });
}, LONG);
afterEach(() => tr.flush());
afterAll(async () => {
  await tr.shutdown();
  await app?.stop();
  await place?.remove();
}, LONG);

const where = (): string[] => ['--data', place.data, '--json'];
const ANNA = { TRAILMIX_SIGN_IN: 'anna has a long passphrase' };
const BEN = { TRAILMIX_SIGN_IN: 'ben has another passphrase' };
const newFor = ({ TRAILMIX_SIGN_IN: secret }: { TRAILMIX_SIGN_IN: string }) => ({
  TRAILMIX_NEW_SIGN_IN: secret,
});

const sendWire = policyCheck(async (wire: { amount: number; iban: string }) => wire.amount, {
  action: 'send_wire',
  risk: 'medium',
});
const wire = { amount: 12_000, iban: 'DE00' };

async function waiting(): Promise<string> {
  for (;;) {
    const listed = await trailmix(['approvals', 'list', ...where()]);
    const [first] = (listed.json as { approvals: ApprovalView[] }).approvals;
    if (first !== undefined) return first.id;
  }
}

test('the first admin enrols alone, invites another here and signs; answers are theirs', {
  timeout: LONG,
}, async () => {
  expect((await trailmix(['people', 'list', ...where()])).json).toEqual({ people: [] });
  const first = await trailmix(['people', 'add', 'anna', '--name', 'Anna Berg', ...where()], newFor(ANNA));
  expect(first.err).toBe('');
  expect(first.json).toMatchObject({
    person: { id: 'anna', state: 'active', roles: ['admin', 'analyst', 'approver', 'policy_author'] },
  });
  const second = await trailmix(
    [
      'people',
      'add',
      'ben',
      '--name',
      'Ben Ode',
      '--roles',
      'approver',
      '--as',
      'anna',
      '--here',
      ...where(),
    ],
    { ...ANNA, ...newFor(BEN) },
  );
  expect(second.json).toMatchObject({ person: { id: 'ben', state: 'active', enrolled_by: 'anna' } });

  const going = sendWire(wire);
  const id = await waiting();
  const unsigned = await trailmix(['approvals', 'approve', id, ...where()]);
  expect(unsigned).toMatchObject({ code: 2, json: { error: { code: 'usage', where: '--as' } } });
  const stranger = await trailmix(['approvals', 'approve', id, '--as', 'ben', '--yes', ...where()], ANNA);
  expect(stranger).toMatchObject({ code: 1, json: { error: { code: 'sign_in_failed' } } });

  const shown = await trailmix(['approvals', 'show', id, '--data', place.data]);
  expect(shown.out).toContain('"amount": 12000');
  const approved = await trailmix(
    ['approvals', 'approve', id, '--as', 'ben', '--yes', '--comment', 'checked with the bank', ...where()],
    BEN,
  );
  expect(approved.json).toMatchObject({
    status: 'approved',
    answers: [{ by: 'ben', verdict: 'approve', signed_in: 'collector', comment: 'checked with the bank' }],
  });
  expect(await going).toBe(12_000);
});

test('a refusal, and the report of both', { timeout: LONG }, async () => {
  const going = sendWire(wire).catch((error: Error) => error.name);
  const id = await waiting();
  const denied = await trailmix(['approvals', 'deny', id, '--as', 'anna', '--yes', ...where()], ANNA);
  expect(denied.json).toMatchObject({ status: 'denied' });
  expect(await going).toBe('ApprovalDenied');
  const report = await trailmix(['approvals', 'report', '--data', place.data]);
  expect(report.out.split('\r\n')[0]).toBe(
    'by,key,label,answers,approved,denied,median_seconds,too_fast,in_bursts,never_denied,flags',
  );
  expect(report.out).toContain('person,ben,');
  expect(report.out).toContain('app,finance-bot,');
});

test('roles, a reset, the recovery phrase, leaving', { timeout: LONG }, async () => {
  const roles = ['people', 'roles', 'ben', '--roles', 'approver,treasurer', '--as', 'anna', ...where()];
  expect((await trailmix(roles, BEN)).json).toMatchObject({ error: { code: 'sign_in_failed' } });
  expect((await trailmix(roles, ANNA)).json).toMatchObject({
    person: { roles: ['approver', 'treasurer'] },
  });
  const link = await trailmix(['people', 'reset', 'ben', '--as', 'anna', ...where()], ANNA);
  expect(link.json).toMatchObject({ person_id: 'ben', invite_url: expect.stringContaining('#invite=') });

  const before = await person('anna');
  const renewed = { TRAILMIX_SIGN_IN: 'anna has a new passphrase' };
  const recovered = await trailmix(['people', 'reset', 'anna', '--recovery', '--here', ...where()], {
    TRAILMIX_RECOVERY_PHRASE: phrase,
    ...newFor(renewed),
  });
  expect(recovered.err).toBe('');
  expect((await person('anna')).key_id).not.toBe(before.key_id);
  const left = await trailmix(['people', 'leave', 'ben', '--as', 'anna', ...where()], renewed);
  expect(left.json).toMatchObject({ person: { id: 'ben', state: 'left' } });
  const last = await trailmix(['people', 'leave', 'anna', '--as', 'anna', ...where()], renewed);
  expect(last.json).toMatchObject({ error: { code: 'last_admin' } });
  const whole = await trailmix(['verify', '--ledger', ...where()]);
  expect((whole.json as { verdicts: { integrity: object } }).verdicts.integrity).toMatchObject({
    result: 'pass',
  });
});

async function person(id: string): Promise<PersonView> {
  const { json } = await trailmix(['people', 'list', ...where()]);
  return (json as { people: PersonView[] }).people.find(one => one.id === id)!;
}

test('the sign-in is derived as the vectors say', async () => {
  const { unwraps } = JSON.parse(
    readFileSync(join(import.meta.dirname, '..', 'vectors', 'sign_in.json'), 'utf8'),
  ) as {
    unwraps: {
      passphrase: string;
      person_id: string;
      kdf: Parameters<typeof deriveForTerminal>[1];
      auth: string;
      wrapped_key: string;
      key_id: string;
    }[];
  };
  for (const { passphrase, person_id, kdf, auth, wrapped_key, key_id } of unwraps) {
    const derived = await deriveForTerminal(passphrase, kdf);
    expect(derived.auth).toBe(auth);
    expect(derived.unwrap(wrapped_key, person_id)).toBe(key_id);
  }
});
