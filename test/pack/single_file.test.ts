/** trailmix-verify.mjs: the verifier as one file, run by plain Node in an empty folder, as someone who was handed it would. */
import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { trustText } from '../../core/pack/trust.ts';
import type { PackReport } from '../../core/pack/verify.ts';
import { builtVerifier } from '../../resources/build/verifier.ts';
import { MemoryLedger } from './memory-ledger.ts';
import { busyLedger, makePack, testSigner, trustOf } from './packs.ts';

const run = promisify(execFile);
let folder: string;
let file: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'single-'));
  file = join(folder, 'trailmix-verify.mjs');
  await copyFile((await builtVerifier()).node, file);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

type Ended = { code: number; stdout: string; stderr: string };

async function verify(words: string[], node: string[] = []): Promise<Ended> {
  try {
    const { stdout, stderr } = await run(process.execPath, [...node, file, ...words], { cwd: folder });
    return { code: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as Ended;
    return { code, stdout, stderr };
  }
}

/** A folder as `trailmix keys trust` writes it. */
async function trustFolder(ledger: MemoryLedger): Promise<string> {
  const path = await mkdtemp(join(folder, 'trust-'));
  const { vkeys } = trustOf(ledger);
  const trust = { v: 1 as const, ledger_id: ledger.ledgerId, tenant_id: ledger.tenantId, vkeys };
  await writeFile(join(path, 'trust.json'), trustText(trust));
  await writeFile(join(path, 'org.pem'), testSigner().rootsPem);
  return path;
}

test('a pack against the trust folder: words, one JSON document, exit codes', async () => {
  const ledger = busyLedger();
  await writeFile(join(folder, 'good.zip'), await makePack(ledger));
  const trust = await trustFolder(ledger);
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
  const wrong = await verify(['good.zip', '--trust', await trustFolder(new MemoryLedger())]);
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
  const trust = await trustFolder(ledger);
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
