/** A pack of some megabytes is verified in a thread of its own: what is said of it is what a small one is told. */
import { randomBytes } from 'node:crypto';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { PackReport } from '../../core/pack/verify.ts';
import { builtVerifier } from '../../resources/build/verifier.ts';
import { runFile, trustFolder } from '../pack/harness_verifiers.ts';
import { MemoryLedger } from '../pack/memory-ledger.ts';
import { linesOf, makePack, partsOf, setLines, trustOf, zipOf } from '../pack/packs.ts';
import { trailmix } from './trailmix.ts';

let folder: string;
let trust: string;
const EVENTS = 180;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'large-'));
  const ledger = new MemoryLedger();
  for (let n = 0; n < EVENTS; n++)
    ledger.append({ body: { session_id: 's', input: { text: randomBytes(30_000).toString('base64') } } });
  const pack = await makePack(ledger);
  expect(pack.length).toBeGreaterThan(4 * 2 ** 20);
  trust = await trustFolder(folder, trustOf(ledger));
  await writeFile(join(folder, 'good.zip'), pack);
  const parts = await partsOf(pack);
  const lines = linesOf(parts, 'events.jsonl');
  lines[60] = lines[60]!.replace('"session_id":"s"', '"session_id":"t"');
  setLines(parts, 'events.jsonl', lines);
  await writeFile(join(folder, 'changed.zip'), await zipOf(parts));
  await writeFile(join(folder, 'none.zip'), Buffer.alloc(5 * 2 ** 20, 'x'));
  await copyFile((await builtVerifier()).node, join(folder, 'trailmix-verify.mjs'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

type Said = { code: number | null; stdout: string; stderr: string };
const file = (name: string): string => join(folder, name);
const command = async (words: string[]): Promise<Said> => {
  const { code, out, err } = await trailmix(['verify', ...words]);
  return { code, stdout: out, stderr: err };
};
const single = (words: string[]): Promise<Said> =>
  runFile(process.execPath, [file('trailmix-verify.mjs'), ...words], folder);

test.each([
  ['trailmix verify', command],
  ['trailmix-verify.mjs', single],
])('%s', async (_name, verify) => {
  const good = await verify([file('good.zip'), '--trust', trust, '--json']);
  expect(good).toMatchObject({ code: 3, stderr: '' });
  const report = JSON.parse(good.stdout) as PackReport;
  expect(report.verdicts.integrity).toEqual({ result: 'pass', findings: [] });
  expect(report.counts.events).toBe(EVENTS);

  const changed = await verify([file('changed.zip'), '--trust', trust]);
  expect(changed.code).toBe(1);
  expect(changed.stdout).toContain('[body_hash_wrong events.jsonl:61]');
  expect(changed.stdout).toContain('> #61');

  const none = await verify([file('none.zip'), '--json']);
  expect(none.code).toBe(2);
  expect(JSON.parse(none.stdout)).toMatchObject({ error: { code: 'pack_unreadable', where: 'zip:end' } });
  const wrong = await verify([file('good.zip'), '--trust', folder]);
  expect(wrong.code).toBe(2);
  expect(wrong.stderr).toContain('trust.json');
});
