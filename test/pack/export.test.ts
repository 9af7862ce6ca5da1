import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { openEvidence } from '../../collector/evidence/desk.ts';
import { exportPack } from '../../collector/evidence/export.ts';
import { trustFiles } from '../../collector/evidence/trust.ts';
import { verifyLedger } from '../../collector/evidence/verify-ledger.ts';
import type { ExportRequest } from '../../collector/http/services.ts';
import { parseTrust } from '../../core/pack/trust.ts';
import type { Trust } from '../../core/pack/verify.ts';
import { utf8 } from '../../core/proof/bytes.ts';
import { append, event, ids, openTest, temporaryFolder } from '../ledger/ledger.fixture.ts';
import { memoryVault } from '../ledger/vault.fixture.ts';
import { sha256 } from './memory-ledger.ts';
import { check, codesOf, linesOf, partsOf, testSigner } from './packs.ts';

// A pack is some seconds of work, and many more where others work too.
vi.setConfig({ testTimeout: 300_000 });

const vault = { ...memoryVault(), packSigner: async () => testSigner() };
const request: ExportRequest = {
  app_id: 'support-bot',
  time_from: '2026-01-01T00:00:00Z',
  time_to: '2030-01-01T00:00:00Z',
};

async function opened() {
  const { ledger, clock } = await openTest({ vault });
  return {
    ledger,
    clock,
    parts: { ledger, vault, clock, version: '0.0.0-test' },
    out: join(temporaryFolder(), 'pack.zip'),
  };
}

async function trust(ledger: Parameters<typeof trustFiles>[1]): Promise<Trust> {
  const files = await trustFiles(vault, ledger);
  return { vkeys: parseTrust(sha256, utf8(files['trust.json']!)).vkeys, certificates: files['org.pem']! };
}

test('a real ledger is exported whole, and the pack verifies', async () => {
  const { ledger, parts, out } = await opened();
  await append(ledger, [event({ input: { text: 'hällo' }, evals: [{ name: 'x', score: 1 }] }), event()]);
  await append(ledger, [event({ app_id: 'other' })]);
  await append(
    ledger,
    Array.from({ length: 1200 }, (_, i) => event({ name: `step ${i}`, stream: { id: 'st', n: i + 1 } })),
  );
  await append(ledger, [event({ output: { text: 'x'.repeat(100_000) } })]);
  const steps: string[] = [];
  const pack = await exportPack(parts, {
    request,
    out,
    by: 'test',
    onProgress: ({ step }) => void steps.push(step),
  });
  const bytes = await readFile(out);
  expect(pack).toMatchObject({ bytes: bytes.length, events: 1203 });
  expect(createHash('sha256').update(bytes).digest('hex')).toBe(pack.sha256);
  expect(steps.at(-1)).toBe('finish');
  const report = await check(bytes, await trust(ledger));
  expect(report.verdicts.integrity).toEqual({ result: 'pass', findings: [] });
  expect(codesOf(report)).toEqual(['certificate_self_made', 'stream_open', 'time_not_shown']);
  expect(report.origin).toMatchObject({ pack_id: pack.pack_id, app_id: 'support-bot', trusted: true });
  expect(report.counts).toMatchObject({ events: 1203, sessions: 1, evals: 1, blobs: 1 });
  expect(linesOf(await partsOf(bytes), 'events.jsonl')).toHaveLength(1203);
  expect(await readdir(join(out, '..'))).toEqual(['pack.zip']);
});

test('a later pack continues the earlier one', async () => {
  const { ledger, parts, out } = await opened();
  await append(ledger, [event(), event()]);
  const old = await exportPack(parts, { request, out, by: 'test' });
  await append(ledger, [event(), event(), event()]);
  const again = `${out}.2`;
  const pack = await exportPack(parts, { request, out: again, by: 'test' });
  expect(Object.keys(Object.fromEntries(await partsOf(await readFile(again))))).toContain(
    `consistency/${old.checkpoint.size}-${pack.checkpoint.size}`,
  );
  expect(pack.events).toBe(6);
});

test('equal scope and pinned size give equal checksums', async () => {
  const { ledger, parts, out } = await opened();
  await append(ledger, [event(), event()]);
  const first = await exportPack(parts, { request, out, by: 'test' });
  const window = { ...request, time_to: new Date().toISOString(), at: first.checkpoint.size };
  await new Promise(resolve => setTimeout(resolve, 5)); // Else the window would be cut before the new export's record.
  const a = await exportPack(parts, { request: window, out: `${out}.a`, by: 'test' });
  const b = await exportPack(parts, { request: window, out: `${out}.b`, by: 'test' });
  expect(a.pack_id).toBe(b.pack_id);
  expect(a.checkpoint).toEqual(first.checkpoint);
  const report = await check(await readFile(`${out}.b`), await trust(ledger));
  expect(report.verdicts.integrity.result).toBe('pass');
});

test('what cannot be exported is refused and leaves nothing', async () => {
  const { ledger, parts, out } = await opened();
  await append(ledger, [event()]);
  const before = (await ledger.read.head()).size;
  const refused = async (change: Partial<ExportRequest>) =>
    exportPack(parts, { request: { ...request, ...change }, out, by: 'test' }).then(
      () => 'done',
      (error: { code?: string }) => error.code,
    );
  expect(await refused({ app_id: 'nobody' })).toBe('app_unknown');
  expect(await refused({ time_from: 'yesterday' })).toBe('ts_invalid');
  expect(await refused({ time_to: '2025-01-01T00:00:00Z' })).toBe('scope_empty');
  expect(await refused({ at: 10_000 })).toBe('at_beyond');
  expect((await ledger.read.head()).size).toBe(before);
  const abort = new AbortController();
  const cancelled = exportPack(parts, {
    request,
    out,
    by: 'test',
    signal: abort.signal,
    onProgress: () => abort.abort(),
  });
  await expect(cancelled).rejects.toMatchObject({ code: 'export_cancelled' });
  expect(await readdir(join(out, '..'))).toEqual([]);
});

test('the desk previews, verifies the live ledger and knows what was exported', async () => {
  const { ledger, clock, out } = await opened();
  await append(ledger, [event({ evals: [{ name: 'x', score: 1 }] }), event({ session_id: 's-2' })]);
  const desk = openEvidence({ ledger, vault, clock, ids });
  expect(await desk.exported()).toBeUndefined();
  expect(await desk.preview(request)).toMatchObject({ events: 2, sessions: 2, evals: 1 });
  // A cancelled one is no pack.
  await expect(desk.run(request, out, 'test', AbortSignal.abort(), () => {})).rejects.toThrow();
  expect(await desk.exported()).toBeUndefined();
  const pack = await desk.run(request, out, 'test', new AbortController().signal, () => {});
  expect(await desk.exported()).toMatchObject({ size: pack.checkpoint.size });
  // The ledger knows it too: which pack it was, and that only this one came to its end.
  const again = await openEvidence({ ledger, vault, clock, ids }).exported();
  expect(again).toMatchObject({ size: pack.checkpoint.size });
  const { size } = await ledger.read.head();
  const records = (await ledger.read.records(0, size - 1, size)) as unknown as Record<string, unknown>[];
  expect(records.filter(one => one.event_type === 'export.recorded')).toHaveLength(2);
  const ended = records.filter(one => one.event_type === 'export.completed');
  expect(ended).toHaveLength(1);
  const { pack_id, sha256, bytes, events, checkpoint } = pack;
  expect(ended[0]).toMatchObject({
    app_id: '_ledger',
    export: { app_id: request.app_id, by: 'test', pack_id, sha256, bytes, events, checkpoint },
  });
  const report = await verifyLedger(ledger, vault);
  expect(report.verdicts.integrity).toEqual({ result: 'pass', findings: [] });
  expect(report.verdicts.completeness).toEqual({ result: 'pass', findings: [] });
  expect(report.counts).toMatchObject({ records: size, apps: 1 });
});
