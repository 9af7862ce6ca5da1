/** `trailmix policy import` of bundles that the real `opa` built and signed: in force, refused, and what they are given. */
import { generateKeyPairSync } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { OutputOf } from '../../core/api/operations.ts';
import { trailmix } from '../cli/trailmix.ts';
import { startTestCollector, type TestCollector } from '../http/collector.ts';
import { expectJson } from '../people/person.ts';
import { activateSet, decide, refundSet } from '../policy/authored.ts';
import { type Opa, realOpa } from './opa.ts';

let opa: Opa;
let tm: TestCollector;
let dir: string;
let keys: { secret: string; open: string; other: string };
type Imported = OutputOf<'importPolicyBundle'>;

const run = (...words: string[]) => trailmix(['policy', 'import', ...words, '--data', tm.folder, '--json']);

beforeAll(async () => {
  const built = await realOpa();
  if (built === null) throw new Error('the real opa could not be built: see "NOT COMPARED" above');
  opa = built;
  dir = await mkdtemp(join(tmpdir(), 'trailmix-bundles-'));
  tm = await startTestCollector();
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  keys = { secret: join(dir, 'signing.pem'), open: join(dir, 'public.pem'), other: join(dir, 'other.pem') };
  await writeFile(keys.secret, pair.privateKey.export({ format: 'pem', type: 'sec1' }));
  await writeFile(keys.open, pair.publicKey.export({ format: 'pem', type: 'spki' }));
  await writeFile(keys.other, other.publicKey.export({ format: 'pem', type: 'spki' }));
}, 600_000);
afterAll(async () => {
  await tm.stop();
  await rm(dir, { recursive: true });
});

async function built(
  name: string,
  files: { path: string; text: string }[],
  flags: string[] = [],
): Promise<string> {
  const folder = join(dir, name);
  await mkdir(folder);
  for (const { path, text } of files) await writeFile(join(folder, path), text);
  const out = join(dir, `${name}.tar.gz`);
  const answer = await opa(
    ['build', '-t', 'wasm', '-e', 'trailmix/decision', '-o', out, ...flags, '-b', '.'],
    folder,
  );
  expect(answer).toMatchObject({ code: 0 });
  return out;
}
const signing = (): string[] => ['--signing-alg', 'ES256', '--signing-key', keys.secret];

test('a signed one is saved with its tests run by its own module, comes into force, and decides', {
  timeout: 120_000,
}, async () => {
  const file = await built('signed', refundSet(60), signing());
  const done = await run(file, '--key', keys.open, '--message', 'release 7');
  expect(done.code, done.err).toBe(0);
  const { set, bundle } = done.json as Imported;
  expect(set).toMatchObject({ message: 'release 7', tests: { passed: 2, failed: 0 }, signed_in: 'none' });
  expect(bundle.signature).toMatchObject({
    alg: 'ES256',
    key_id: 'default',
    key_sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
  const event = expectJson<OutputOf<'event'>>(
    await tm.ask(`/api/events/${set.seq}`, { socket: tm.collector.socket }),
    200,
  );
  expect(event).toMatchObject({ event_type: 'policy.saved', bundle });

  expect((await activateSet(tm, set.hash)).state).toBe('active');
  const { apiKey } = await tm.key('shop', ['decide']);
  const asked = await decide(tm, apiKey, 61);
  expect(asked).toMatchObject({ decision: 'approve', reasons: ['refund > 60'], policy: { hash: set.hash } });
  expect((await decide(tm, apiKey, 60)).decision).toBe('allow');
  // Imported again it is the set that is there.
  const again = await run(file, '--key', keys.open, '--message', 'again');
  expect((again.json as Imported).set).toMatchObject({ hash: set.hash, message: 'release 7' });
});

test('a wrong key, none, a changed file and a wrong scope are refused before anything is asked of the collector', {
  timeout: 120_000,
}, async () => {
  const claims = join(dir, 'claims.json');
  await writeFile(claims, '{"scope": "write"}');
  const file = await built('strict', refundSet(61), [...signing(), '--claims-file', claims]);
  const size = await tm.size();
  const changed = join(dir, 'changed.tar.gz');
  const tar = gunzipSync(await readFile(file));
  tar.write('X', tar.indexOf('refund > 61'));
  await writeFile(changed, gzipSync(tar));
  for (const [words, reason] of [
    [[file], /no key was given/],
    [[file, '--key', keys.other], /does not hold/],
    [[file, '--key', keys.open, '--scope', 'read'], /scope/],
    [[changed, '--key', keys.open], /is not the one that was signed/],
    [[join(dir, 'nothing.tar.gz')], /is not there/],
  ] as const) {
    const refused = await run(...words);
    expect([1, 2], refused.err).toContain(refused.code);
    expect(refused.out + refused.err).toMatch(reason);
  }
  expect(await tm.size()).toBe(size);
  expect((await run(file, '--key', keys.open, '--scope', 'write')).code).toBe(0);
});

test('one whose own tests fail is saved and says so, and cannot come into force', {
  timeout: 120_000,
}, async () => {
  const [rule, tests] = refundSet(62);
  const failing = { ...tests!, text: tests!.text.replace('refund(63)', 'refund(1)') };
  const done = await run(await built('failing', [rule!, failing]));
  expect(done.code).toBe(1);
  const { set } = done.json as Imported;
  expect(set.tests).toMatchObject({ passed: 1, failed: 1 });
  const refused = await tm.ask('/api/policies/environments/prod/activate', {
    body: { hash: set.hash },
    socket: tm.collector.socket,
  });
  expect([refused.status, (refused.json as { code: string }).code]).toEqual([409, 'policy_untested']);
});

test('one that wants a function of its host is refused by its name', {
  timeout: 240_000,
}, async () => {
  const foreign = await built('foreign', [
    {
      path: 'p.rego',
      text: 'package trailmix\n\ndecision := {"result": "allow", "reasons": [sprintf("%d", [time.now_ns()])]}\n',
    },
  ]);
  const refused = await run(foreign);
  expect(refused.code).not.toBe(0);
  expect(refused.out + refused.err).toMatch(/not allowed: .*(sprintf|time\.now_ns)/);
});

test('a rule that OPA compiled away is given the session that it reads', { timeout: 120_000 }, async () => {
  const done = await run(
    await built('reads', [
      {
        path: 'p.rego',
        text: 'package trailmix\n\ndecision := {"result": "allow", "reasons": [$"asked {input.session.counts.asked}"]}\n',
      },
      {
        path: 'p_test.rego',
        text: 'package trailmix_test\n\nimport data.trailmix\n\ntest_it if trailmix.decision.reasons == ["asked 3"] with input as {"session": {"counts": {"asked": 3}}}\n',
      },
    ]),
  );
  expect(done.code, done.err).toBe(0);
  await activateSet(tm, (done.json as Imported).set.hash);
  const { apiKey } = await tm.key('shop', ['decide']);
  const reasons: string[] = [];
  for (let n = 0; n < 2; n++) reasons.push(...(await decide(tm, apiKey, 1, 'reading')).reasons);
  expect(reasons).toEqual(['asked 0', 'asked 1']);
});
