/** `trailmix erase --as`: signed by an admin, and what a pack then shows of it offline. */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { VERDICTS } from '../../core/pack/findings.ts';
import type { PackReport } from '../../core/pack/verify.ts';
import { type Place, type Started, startApp, temporaryPlace, trailmix } from './trailmix.ts';

const LONG = 240_000;
const ADA = { TRAILMIX_SIGN_IN: 'ada has a long passphrase' };
const CLEO = { TRAILMIX_SIGN_IN: 'cleo has a third passphrase' };

let place: Place;
let app: Started;
const run = (words: string[], env: Record<string, string> = {}) =>
  trailmix([...words, '--data', place.data, '--json'], env);
const codeOf = (ran: { json: unknown }) => (ran.json as { error: { code: string } }).error.code;

async function ingest(apiKey: string): Promise<void> {
  const events = Array.from({ length: 5 }, (_, n) => ({
    event_id: `e${n}`,
    app_id: 'shop',
    session_id: 's1',
    event_type: 'span',
    ts: '2026-11-22T12:00:00Z',
    name: `step ${n}`,
    actor_type: 'agent',
    actor_id: 'bot',
  }));
  const answer = await fetch(`${app.ready.url}/api/events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ events }),
  });
  expect(answer.status, await answer.text()).toBe(201);
}

beforeAll(async () => {
  place = await temporaryPlace();
  app = await startApp(['--data', place.data, '--key-file', place.keyFile]);
  const key = await run(['keys', 'create', '--app', 'shop', '--scopes', 'ingest']);
  await ingest((key.json as { api_key: string }).api_key);
  const first = await run(['people', 'add', 'ada', '--name', 'Ada'], {
    TRAILMIX_NEW_SIGN_IN: ADA.TRAILMIX_SIGN_IN,
  });
  expect(first.code, first.err).toBe(0);
  const words = ['people', 'add', 'cleo', '--name', 'Cleo', '--roles', 'approver', '--as', 'ada', '--here'];
  const second = await run(words, { ...ADA, TRAILMIX_NEW_SIGN_IN: CLEO.TRAILMIX_SIGN_IN });
  expect(second.code, second.err).toBe(0);
}, LONG);
afterAll(async () => {
  await app?.stop();
  await place?.remove();
}, LONG);

test('an admin signs an erasure and a rule, and the pack shows it', { timeout: LONG }, async () => {
  const erase = ['erase', '--app', 'shop', '--before', '2099-01-01', '--reason', 'End of contract'];
  expect(codeOf(await run(erase))).toBe('sign_in_needed');
  expect(codeOf(await run([...erase, '--as', 'cleo'], CLEO))).toBe('role_missing');
  const rule = ['erase', '--app', 'shop', '--keep-days', '180'];
  expect(codeOf(await run(rule))).toBe('sign_in_needed');

  const set = await run([...rule, '--as', 'ada'], ADA);
  expect(set.json, set.err).toEqual({ days: { shop: 180 } });
  const done = await run([...erase, '--as', 'ada'], ADA);
  expect(done.json, done.err).toMatchObject({ erased: 5, records: [expect.any(Number)] });

  const [pack, trust] = [join(place.folder, 'shop.zip'), join(place.folder, 'trust')];
  const window = ['--from', '2026-01-01T00:00:00Z', '--to', '2099-01-01T00:00:00Z'];
  const made = await run(['export', '--app', 'shop', ...window, '--out', pack]);
  expect(made.code, made.err).toBe(0);
  expect((await run(['keys', 'trust', '--out', trust])).code).toBe(0);
  const report = (await trailmix(['verify', pack, '--trust', trust, '--json'])).json as PackReport;
  const codes = VERDICTS.flatMap(name => report.verdicts[name].findings.map(({ code }) => code));
  expect(codes.filter(code => /^erasure|^people/.test(code))).toEqual([]);
  expect(codes.filter(code => code === 'body_erased')).toHaveLength(5);
  expect(report.verdicts).toMatchObject({ integrity: { result: 'pass' }, identity: { result: 'pass' } });
});
