/** `trailmix policy list|diff|activate|impact` and `keys create --env`, against a running collector. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { OutputOf } from '../../core/api/operations.ts';
import { startTestCollector, type TestCollector } from '../http/collector.ts';
import { decide, refundSet } from '../policy/authored.ts';
import { trailmix } from './trailmix.ts';

let tm: TestCollector;
let place: string;
const run = (...words: string[]) => trailmix([...words, '--data', tm.folder, '--json']);

async function folder(name: string, limit: number): Promise<string> {
  const path = join(place, name);
  await mkdir(path);
  for (const file of refundSet(limit)) await writeFile(join(path, file.path), file.text);
  return path;
}

beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), 'tm-sets-'));
  tm = await startTestCollector();
});
afterAll(async () => {
  await tm.stop();
  await rm(place, { recursive: true, force: true });
});

test('a folder is activated in an environment, compared, tried on decisions and saved as an event', {
  timeout: 60_000,
}, async () => {
  const lax = await folder('lax', 1000);
  const strict = await folder('strict', 100);
  const done = await run('policy', 'activate', lax, '--env', 'dev', '--message', 'first limits');
  expect(done.code, done.err).toBe(0);
  const state = done.json as OutputOf<'activatePolicySet'>;
  expect(state).toMatchObject({ state: 'active', environment: { active: { message: 'first limits' } } });
  const { hash } = state.environment.active!;

  const key = await run('keys', 'create', '--app', 'shop', '--scopes', 'decide', '--env', 'dev');
  const { api_key } = key.json as { api_key: string };
  for (const amount of [50, 500, 5000]) {
    expect((await decide(tm, api_key, amount)).policy.hash).toBe(hash);
  }

  const same = await run('policy', 'diff', 'dev', lax);
  expect([same.code, same.json]).toEqual([0, { same: true, files: [] }]);
  const differs = await run('policy', 'diff', hash.slice(0, 12), strict);
  expect(differs.code).toBe(1);
  const [file] = (differs.json as { files: { path: string; lines: string[] }[] }).files;
  expect(file).toMatchObject({ path: 'refunds.rego' });
  expect(file!.lines).toContain('-6 \tinput.payload.amount > 1000');
  expect(file!.lines).toContain('+6 \tinput.payload.amount > 100');

  const tried = await run('policy', 'impact', strict, '--app', 'shop', '--save');
  expect(tried.code, tried.err).toBe(0);
  expect(tried.json).toMatchObject({ state: 'done', decided: 3, flipped: 1, saved_seq: expect.any(Number) });

  const listed = (await run('policy', 'list')).json as { sets: { hash: string; active: string[] }[] };
  expect(listed.sets.find(set => set.hash === hash)?.active).toEqual(['dev']);
  const unknown = await run('policy', 'activate', 'abcdef123456');
  expect([unknown.code, unknown.err]).toEqual([1, expect.stringContaining('No set begins with')]);
});
