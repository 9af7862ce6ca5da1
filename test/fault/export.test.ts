/** An export that fails at any step: no file that looks finished, the ledger whole, and the next one works. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { exportPack } from '../../collector/evidence/export.ts';
import { trustFiles } from '../../collector/evidence/trust.ts';
import { verifyLedger } from '../../collector/evidence/verify-ledger.ts';
import type { FaultPlan } from '../../collector/ledger/faults.ts';
import type { Ledger } from '../../collector/ports.ts';
import { parseTrust } from '../../core/pack/trust.ts';
import { utf8 } from '../../core/proof/bytes.ts';
import { append, event, openTest, temporaryFolder } from '../ledger/ledger.fixture.ts';
import { memoryVault } from '../ledger/vault.fixture.ts';
import { sha256 } from '../pack/memory-ledger.ts';
import { check, testSigner } from '../pack/packs.ts';

const vault = { ...memoryVault(), packSigner: async () => testSigner() };
const request = { app_id: 'support-bot', time_from: '2026-01-01T00:00:00Z', time_to: '2030-01-01T00:00:00Z' };

async function filled(folder?: string) {
  const { ledger, clock } = await openTest({ vault, ...(folder === undefined ? {} : { folder }) });
  // Random text does not deflate: the file is written in many pieces.
  const text = () => randomBytes(1500).toString('base64');
  await append(
    ledger,
    Array.from({ length: 600 }, () => event({ input: { text: text() } })),
  );
  return { ledger, parts: { ledger, vault, clock, version: '0.0.0-test' } };
}

async function worksAgain(ledger: Ledger, parts: Parameters<typeof exportPack>[0], out: string) {
  const whole = await verifyLedger(ledger, vault);
  expect(whole.verdicts.integrity.result).toBe('pass');
  await exportPack(parts, { request, out, by: 'test' });
  const files = await trustFiles(vault, ledger);
  const trust = {
    vkeys: parseTrust(sha256, utf8(files['trust.json']!)).vkeys,
    certificates: files['org.pem']!,
  };
  const report = await check(await readFile(out), trust);
  expect(report.verdicts.integrity).toEqual({ result: 'pass', findings: [] });
  expect(report.counts.events).toBeGreaterThanOrEqual(600);
}

test('a full disk at any step leaves no file; cancelled at any step, neither; others are served meanwhile', async () => {
  const { ledger, parts } = await filled();
  const out = join(temporaryFolder(), 'pack.zip');
  const plans: FaultPlan[] = [
    { at: 'pack_write', mode: 'full', nth: 1 },
    { at: 'pack_write', mode: 'full', nth: 4 },
    { at: 'pack_sync', mode: 'full', nth: 1 },
    { at: 'pack_rename', mode: 'full', nth: 1 },
  ];
  for (const testFaults of plans) {
    await expect(exportPack({ ...parts, testFaults }, { request, out, by: 'test' })).rejects.toMatchObject({
      code: 'disk_full',
    });
    expect(await readdir(dirname(out))).toEqual([]);
  }
  for (const step of ['events', 'proof', 'summary', 'finish']) {
    const abort = new AbortController();
    let meanwhile: Promise<unknown> | undefined;
    const cancelled = exportPack(parts, {
      request,
      out,
      by: 'test',
      signal: abort.signal,
      onProgress(at) {
        if (at.step !== step || meanwhile !== undefined) return;
        meanwhile = Promise.all([append(ledger, [event()]), ledger.read.head()]);
        abort.abort();
      },
    });
    await expect(cancelled).rejects.toMatchObject({ code: 'export_cancelled' });
    await meanwhile;
    expect(await readdir(dirname(out))).toEqual([]);
  }
  await worksAgain(ledger, parts, out);
}, 300_000);

test('kill -9 at any step leaves no pack by its name, and the ledger as it was', async () => {
  const folder = temporaryFolder();
  const first = await filled(folder);
  await first.ledger.close();
  const out = join(temporaryFolder(), 'pack.zip');
  const script = fileURLToPath(new URL('./exporter.ts', import.meta.url));
  const steps = [
    ['pack_write', 1],
    ['pack_write', 4],
    ['pack_sync', 1],
    ['pack_rename', 1],
  ] as const;
  for (const [at, nth] of steps) {
    const argument = JSON.stringify({ folder, out, faults: { at, mode: 'kill', nth } });
    const child = spawn(process.execPath, [script, argument], { stdio: 'inherit' });
    expect(await once(child, 'exit')).toEqual([null, 'SIGKILL']);
    const left = await readdir(dirname(out));
    expect(left.length).toBeGreaterThan(0);
    for (const name of left) expect(name).toMatch(/^pack\.zip\.partial-\d+-\d+$/);
  }
  const { ledger, clock } = await openTest({ vault, folder });
  await worksAgain(ledger, { ledger, vault, clock, version: '0.0.0-test' }, out);
}, 300_000);
