/** trailmix-verify.mjs: the verifier as one file, run by plain Node in an empty folder, as someone who was handed it would. */
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { PackReport } from '../../core/pack/verify.ts';
import { builtVerifier } from '../../resources/build/verifier.ts';
import { runFile, trustFolder } from './harness_verifiers.ts';
import { MemoryLedger } from './memory-ledger.ts';
import { busyLedger, makePack, trustOf } from './packs.ts';

let folder: string;
let file: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'single-'));
  file = join(folder, 'trailmix-verify.mjs');
  await copyFile((await builtVerifier()).node, file);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const verify = (words: string[], node: string[] = []) =>
  runFile(process.execPath, [...node, file, ...words], folder);

test('a pack against the trust folder: words, one JSON document, exit codes', async () => {
  const ledger = busyLedger();
  await writeFile(join(folder, 'good.zip'), await makePack(ledger));
  const trust = await trustFolder(folder, trustOf(ledger));
  const said = await verify(['good.zip', '--trust', trust]);
  expect(said).toMatchObject({ code: 3, stderr: '' });
  expect(said.stdout).toMatch(/^integrity {5}PASS$/m);
  const told = await verify(['good.zip', '--trust', trust, '--json']);
  const report = JSON.parse(told.stdout) as PackReport;
  expect(report.verdicts.integrity).toEqual({ result: 'pass', findings: [] });
  expect(report.counts.events).toBe(15);
  expect(report.origin?.signed_by?.subject).toBe('CN=Audit TrailMix test');

  await writeFile(join(folder, 'none.zip'), 'not a zip, but some text that is long enough to be looked at');
  expect((await verify(['none.zip'])).code).toBe(2);
  expect((await verify(['absent.zip'])).code).toBe(2);
  expect((await verify(['--nothing'])).code).toBe(2);
  expect((await verify([])).code).toBe(2);
  expect((await verify(['--help'])).stdout).toMatch(/node trailmix-verify\.mjs PACK/);
  const wrong = await verify(['good.zip', '--trust', await trustFolder(folder, trustOf(new MemoryLedger()))]);
  expect(wrong.code).toBe(1);
  expect(wrong.stdout).toContain('checkpoint_key_wrong');
});

test('memory does not grow with the pack: 50,000 events in a heap that cannot hold them', async () => {
  const ledger = new MemoryLedger();
  for (let n = 0; n < 50_000; n++)
    ledger.append({
      body: { name: `step ${n}`, session_id: `s${n % 100}`, input: { text: 'x'.repeat(400) } },
    });
  const pack = await makePack(ledger);
  await writeFile(join(folder, 'large.zip'), pack);
  const trust = await trustFolder(folder, trustOf(ledger));
  // The records alone are some 60 MB of text, twice that as strings.
  const { code, stdout } = await verify(
    ['large.zip', '--trust', trust, '--json'],
    ['--max-old-space-size=32'],
  );
  expect(code).toBe(3);
  const { verdicts, counts } = JSON.parse(stdout) as PackReport;
  expect(counts.events).toBe(50_000);
  expect(verdicts.integrity.result).toBe('pass');
}, 180_000);
