/** Saving, activating and trying policies as people who sign (`--as`), and what a pack then shows of it offline. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { withCollector } from '../../cli/collector_for.ts';
import type { OutputOf } from '../../core/api/operations.ts';
import { VERDICTS } from '../../core/pack/findings.ts';
import type { PackReport } from '../../core/pack/verify.ts';
import { refundSet } from '../policy/authored.ts';
import { type Place, type Started, startApp, temporaryPlace, trailmix } from './trailmix.ts';

const LONG = 240_000;
const ADA = { TRAILMIX_SIGN_IN: 'ada has a long passphrase' };
const BEN = { TRAILMIX_SIGN_IN: 'ben has another passphrase' };
const CLEO = { TRAILMIX_SIGN_IN: 'cleo has a third passphrase' };
const newFor = ({ TRAILMIX_SIGN_IN: secret }: typeof ADA) => ({ TRAILMIX_NEW_SIGN_IN: secret });

let place: Place;
let app: Started;
let apiKey: string;
const run = (words: string[], env: Record<string, string> = {}) =>
  trailmix([...words, '--data', place.data, '--json'], env);
const codeOf = (ran: { json: unknown }) => (ran.json as { error: { code: string } }).error.code;

async function folder(name: string, limit: number): Promise<string> {
  const path = join(place.folder, name);
  await mkdir(path);
  for (const file of refundSet(limit)) await writeFile(join(path, file.path), file.text);
  return path;
}

async function decide(amount: number): Promise<OutputOf<'decide'>> {
  const body = {
    action: 'issue_refund',
    risk: 'low',
    actor: { type: 'agent', id: 'bot' },
    payload: { amount },
    session_id: 'run-1',
    app_id: 'shop',
  };
  const answer = await fetch(`${app.ready.url}/api/decisions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  expect(answer.status).toBe(200);
  return (await answer.json()) as OutputOf<'decide'>;
}

beforeAll(async () => {
  place = await temporaryPlace();
  app = await startApp(['--data', place.data, '--key-file', place.keyFile]);
  apiKey = (
    (await run(['keys', 'create', '--app', 'shop', '--scopes', 'decide'])).json as { api_key: string }
  ).api_key;
  const input = { four_eyes: ['prod' as const] };
  await withCollector(place.data, {}, ({ call }) => call('changePolicySettings', { input } as never));
  const first = await run(['people', 'add', 'ada', '--name', 'Ada'], newFor(ADA));
  expect(first.code, first.err).toBe(0);
  const others = [
    ['ben', 'policy_author', BEN],
    ['cleo', 'approver', CLEO],
  ] as const;
  for (const [id, roles, secret] of others) {
    const words = ['people', 'add', id, '--name', id, '--roles', roles, '--as', 'ada', '--here'];
    const added = await run(words, { ...ADA, ...newFor(secret) });
    expect(added.code, added.err).toBe(0);
  }
}, LONG);
afterAll(async () => {
  await app?.stop();
  await place?.remove();
}, LONG);

test('two people put a set in force, one tries it, and the pack shows both of them', {
  timeout: LONG,
}, async () => {
  const lax = await folder('lax', 1000);
  const activate = ['policy', 'activate', lax, '--message', 'from the handbook'];
  expect(codeOf(await run(activate))).toBe('sign_in_needed');
  expect(codeOf(await run([...activate, '--as', 'ada'], BEN))).toBe('sign_in_failed');
  expect(codeOf(await run([...activate, '--as', 'cleo'], CLEO))).toBe('role_missing');

  const proposed = await run([...activate, '--as', 'ada'], ADA);
  expect(proposed.json, proposed.err).toMatchObject({
    state: 'pending',
    environment: { four_eyes: true, pending: { by: 'ada', message: 'from the handbook' } },
  });
  expect(codeOf(await run([...activate, '--as', 'ada'], ADA))).toBe('policy_own_request');
  const done = await run([...activate, '--as', 'ben'], BEN);
  expect(done.json, done.err).toMatchObject({
    state: 'active',
    environment: { active: { by: 'ben', signed_in: 'collector' } },
  });
  const { hash } = (done.json as OutputOf<'activatePolicySet'>).environment.active!;
  expect((await decide(500)).policy.hash).toBe(hash);
  expect((await decide(5000)).decision).toBe('approve');

  const impact = [
    'policy',
    'impact',
    hash.slice(0, 12),
    '--app',
    'shop',
    '--save',
    '--message',
    'as expected',
  ];
  expect(codeOf(await run([...impact, '--as', 'cleo'], CLEO))).toBe('role_missing');
  const tried = await run([...impact, '--as', 'ben'], BEN);
  expect(tried.json, tried.err).toMatchObject({ decided: 2, flipped: 0, saved_seq: expect.any(Number) });

  const [pack, trust] = [join(place.folder, 'shop.zip'), join(place.folder, 'trust')];
  const window = ['--from', '2026-01-01T00:00:00Z', '--to', '2099-01-01T00:00:00Z'];
  const made = await run(['export', '--app', 'shop', ...window, '--out', pack]);
  expect(made.code, made.err).toBe(0);
  expect((await run(['keys', 'trust', '--out', trust])).code).toBe(0);
  const report = (await trailmix(['verify', pack, '--trust', trust, '--json'])).json as PackReport;
  const codes = VERDICTS.flatMap(name => report.verdicts[name].findings.map(({ code }) => code));
  expect(codes.filter(code => /^policy|people/.test(code))).toEqual([]);
  expect(report.verdicts).toMatchObject({ integrity: { result: 'pass' }, identity: { result: 'pass' } });
  expect(report.policies.at(-1)).toMatchObject({
    hash,
    by: 'ben',
    author: 'ada',
    proposed_by: 'ada',
    four_eyes: true,
    stands: 'signed',
    impacts: 1,
  });
  const said = await trailmix(['verify', pack, '--trust', trust]);
  expect(said.out).toContain(
    `in prod (${hash.slice(0, 12)}): saved by ada, proposed by ada, put in force by ben; two people were asked for; 1 impact report.`,
  );
});

test('who wrote a set is no second pair of eyes for it', { timeout: LONG }, async () => {
  const strict = await folder('strict', 100);
  const saved = await run(['policy', 'activate', strict, '--env', 'dev', '--as', 'ada'], ADA);
  expect(saved.code, saved.err).toBe(0);
  const refused = await run(['policy', 'activate', strict, '--as', 'ben'], BEN);
  expect([codeOf(refused), refused.code]).toEqual(['policy_no_second', 1]);

  const { verdicts } = (await run(['verify', '--ledger'])).json as Pick<PackReport, 'verdicts'>;
  const codes = VERDICTS.flatMap(name => verdicts[name].findings.map(({ code }) => code));
  expect(codes).toEqual(['time_not_shown']);
});
