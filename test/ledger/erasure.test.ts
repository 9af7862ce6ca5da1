/** Bodies that are withheld from a pack or erased from the ledger: what goes, what stays proved, and what a crash leaves. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { openEvidence } from '../../collector/evidence/desk.ts';
import type { ExportRequest } from '../../collector/http/services.ts';
import { openErasure } from '../../collector/ledger/erasing.ts';
import { openLedger } from '../../collector/ledger/open.ts';
import type { Ledger } from '../../collector/ports.ts';
import { parseTrust } from '../../core/pack/trust.ts';
import { utf8 } from '../../core/proof/bytes.ts';
import { type RealLedger, realLedger } from '../keys/real_ledger.ts';
import { sha256 } from '../pack/memory-ledger.ts';
import { check, codesOf, partsOf } from '../pack/packs.ts';
import { append, event, ids } from './ledger.fixture.ts';
import { memoryVault } from './vault.fixture.ts';

let real: RealLedger | undefined;
const folders: string[] = [];
afterEach(async () => {
  await real?.close();
  real = undefined;
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

const request: ExportRequest = {
  app_id: 'support-bot',
  time_from: '2026-01-01T00:00:00Z',
  time_to: '2099-01-01T00:00:00Z',
};

async function packOf({ ledger, vault, clock, root }: RealLedger, more: Partial<ExportRequest> = {}) {
  const desk = openEvidence({ ledger, vault, clock });
  const out = join(root, `pack-${Math.random()}.zip`);
  try {
    await desk.run({ ...request, ...more }, out, 'test', new AbortController().signal, () => {});
    const files = await desk.trust();
    const trust = {
      vkeys: parseTrust(sha256, utf8(files['trust.json']!)).vkeys,
      certificates: files['org.pem']!,
    };
    const bytes = await readFile(out);
    return { report: await check(bytes, trust, {}, clock.now()), parts: await partsOf(bytes) };
  } finally {
    desk.anchors.close();
    desk.erasure.close();
  }
}

const verified = async (ledger: Ledger, to: number): Promise<void> => {
  await expect.poll(() => ledger.verifier(), { timeout: 20_000 }).toMatchObject({ verifiedTo: to });
  expect(ledger.verifier().fault).toBeUndefined();
};

test('a withheld body leaves its head, its reason and its proof', async () => {
  real = await realLedger();
  const { ledger } = real;
  const [one, two] = await append(ledger, [
    event({ input: { secret: 'kingfisher' } }),
    event({ input: { text: 'plain' } }),
  ]);
  const withhold = { seqs: [one!.seq], reason: 'Privileged: counsel' };
  const { report, parts } = await packOf(real, { withhold });
  expect(report.verdicts.integrity).toEqual({ result: 'pass', findings: [] });
  expect(codesOf(report)).toContain('body_withheld');
  expect(report.verdicts.completeness.result).toBe('pass');
  const manifest = JSON.parse(Buffer.from(parts.get('manifest.json')!).toString());
  expect(manifest.withheld).toEqual([
    { seq: one!.seq, hash_self: one!.hash_self, reason: 'Privileged: counsel' },
  ]);
  for (const [path, content] of parts) expect(Buffer.from(content).includes('kingfisher'), path).toBe(false);
  expect(Buffer.from(parts.get('events.jsonl')!).includes('plain')).toBe(true);
  const { items } = await ledger.read.search({ q: 'type:export.withheld' });
  expect(items[0]).toMatchObject({
    app_id: '_ledger',
    withheld: { seqs: [one!.seq], reason: 'Privileged: counsel' },
  });
  await expect(packOf(real, { withhold: { seqs: [0], reason: 'x' } })).rejects.toMatchObject({
    code: 'input_invalid',
  });
  expect(two!.seq).toBe(one!.seq + 1);
});

test('an erased body is gone from rows, search and blobs; chain, idempotence and packs hold', async () => {
  real = await realLedger();
  const { ledger, clock, root } = real;
  const erasure = openErasure({ ledger, clock });
  const large = { text: 'kingfisher '.repeat(9000) };
  const shared = { text: 'heron '.repeat(15_000) };
  const first = event({ event_id: 'once', name: 'kingfisher', input: large, output: shared });
  const [one, two] = await append(ledger, [first, event({ input: { note: 'kept' }, output: shared })]);
  expect((await ledger.read.search({ q: 'kingfisher' })).total).toBe(1);
  const before = await ledger.read.record(one!.seq);
  const refs = [before!.input, before!.output].map(
    value => (value as { $blob: { sha256: string } }).$blob.sha256,
  );
  expect(await Promise.all(refs.map(ref => ledger.blobs.has('default', ref)))).toEqual([true, true]);

  const done = await erasure.erase({ seqs: [one!.seq], reason: 'Case 17', by: 'test', signedIn: 'page' });
  expect(done).toMatchObject({ erased: 1, blobs: 1 });
  const after = await ledger.read.record(one!.seq);
  expect(after!.source).toBeUndefined();
  expect(after!.hash_self).toBe(before!.hash_self);
  expect(await Promise.all(refs.map(ref => ledger.blobs.has('default', ref)))).toEqual([false, true]);
  expect((await ledger.read.search({ q: 'kingfisher' })).total).toBe(0);
  expect((await ledger.read.search({ q: 'kept' })).total).toBe(1);
  const [record] = await ledger.read.records(done.records[0]!, done.records[0]!, 1);
  expect(record).toMatchObject({
    event_type: 'erasure.recorded',
    by: 'test',
    erasure: { seqs: [one!.seq], types: [before!.event_type], apps: ['support-bot'], reason: 'Case 17' },
  });
  // The same event again is the same event; another of its id is not.
  expect(await append(ledger, [first])).toMatchObject([{ seq: one!.seq, duplicate: true }]);
  await expect(append(ledger, [event({ event_id: 'once', input: 'other' })])).rejects.toMatchObject({
    code: 'event_conflict',
  });
  // Again: nothing is left to do. Never: the ledger's own records.
  expect(await erasure.erase({ seqs: [one!.seq], reason: 'again', by: 't', signedIn: 'page' })).toMatchObject(
    {
      erased: 0,
      records: [],
    },
  );
  for (const seq of [0, done.records[0]!, 9999])
    await expect(
      erasure.erase({ seqs: [seq], reason: 'x', by: 't', signedIn: 'page' }),
    ).rejects.toMatchObject({
      code: 'erase_refused',
    });

  const { report, parts } = await packOf(real);
  expect(report.verdicts.integrity).toEqual({ result: 'pass', findings: [] });
  expect(codesOf(report)).toContain('body_erased');
  expect(report.verdicts.completeness.result).toBe('pass');
  for (const content of parts.values()) expect(Buffer.from(content).includes('kingfisher')).toBe(false);
  const head = await ledger.read.head();
  await verified(ledger, head.size - 1);
  const whole = await (await import('../../collector/evidence/verify-ledger.ts')).verifyLedger(
    ledger,
    real.vault,
  );
  expect(whole.verdicts.integrity).toEqual({ result: 'pass', findings: [] });
  expect(whole.counts.erased).toBe(1);
  expect(two!.seq).toBeGreaterThan(one!.seq);
  expect(root).not.toBe('');
  erasure.close();
}, 60_000);

test('by app and time, and by a retention rule: what is old goes in batches, the rest stays', async () => {
  real = await realLedger();
  const { ledger, clock, skew } = real;
  const erasure = openErasure({ ledger, clock });
  for (let i = 0; i < 3; i++)
    await append(
      ledger,
      Array.from({ length: 400 }, () => event({ input: `old ${i}` })),
    );
  skew.ms += 40 * 86_400_000;
  const [young] = await append(ledger, [event({ input: 'young' })]);
  await expect(erasure.changeRetention({ _ledger: 3 }, { by: 't', signedIn: 'page' })).rejects.toMatchObject({
    code: 'input_invalid',
  });
  expect(await erasure.tick()).toBe(0);
  expect(await erasure.changeRetention({ 'support-bot': 30 }, { by: 't', signedIn: 'page' })).toEqual({
    'support-bot': 30,
  });
  expect(await erasure.tick()).toBe(1200);
  expect(await erasure.tick()).toBe(0);
  expect((await ledger.read.record(young!.seq))!.source).toBeDefined();
  const { items, total } = await ledger.read.search({ q: 'type:erasure.recorded' });
  expect(total).toBe(3);
  expect(items[0]).toMatchObject({ by: 'retention', erasure: { days: 30, reason: 'Retention: 30 days' } });
  const done = await erasure.erase({
    app: { appId: 'support-bot', beforeUs: (clock.now() + 60_000) * 1000 },
    reason: 'All of it',
    by: 't',
    signedIn: 'page',
  });
  expect(done.erased).toBe(1);
  await expect(
    erasure.erase({ app: { appId: 'nobody', beforeUs: 1 }, reason: 'x', by: 't', signedIn: 'page' }),
  ).rejects.toMatchObject({ code: 'app_unknown' });
  const { report } = await packOf(real);
  expect(report.verdicts.integrity).toEqual({ result: 'pass', findings: [] });
  erasure.close();
}, 60_000);

const SCRIPT = join(import.meta.dirname, '..', 'fault', 'erasing.ts');

/** Records, then erases until it is killed at the nth commit (or another step) after that. Answers what it printed. */
const killed = (folder: string, at: string, nth: number): Promise<string> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [SCRIPT, JSON.stringify({ folder, at, nth })], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let out = '';
    child.stdout.on('data', part => {
      out += part;
    });
    child.on('error', reject);
    child.on('close', () => resolve(out.trim()));
  });

test('after kill -9 in the middle the ledger is whole, and what was recorded as erased is gone', async () => {
  const seen = new Set<string>();
  for (const at of ['commit', 'committed'])
    for (const nth of [5, 6, 7]) {
      const folder = mkdtempSync(join(tmpdir(), 'erase-kill-'));
      folders.push(folder);
      const said = await killed(folder, at, nth);
      const ledger = await openLedger({
        folder,
        vault: memoryVault('erase'),
        clock: { now: Date.now },
        ids,
        log: { info: () => {}, warn: () => {} },
        verifierRestMs: 200,
      });
      try {
        const erasure = openErasure({ ledger, clock: { now: Date.now } });
        await erasure.finish();
        const { size } = await ledger.read.head();
        const all = await ledger.read.records(0, size - 1);
        const named = new Set(
          all.flatMap(record => (record.erasure as { seqs: number[] } | undefined)?.seqs ?? []),
        );
        for (const record of all) expect(record.source === undefined).toBe(named.has(record.seq));
        expect((await ledger.read.search({ q: 'kingfisher' })).total).toBe(
          all.filter(record => record.app_id === 'bot' && record.source !== undefined).length,
        );
        await verified(ledger, size - 1);
        seen.add(`${said} ${named.size}`);
        expect(await erasure.finish()).toBe(0);
        erasure.close();
      } finally {
        await ledger.close();
      }
    }
  // Some kills came before the record of the erasure, some after it.
  expect([...seen].some(one => one.endsWith(' 0'))).toBe(true);
  expect([...seen].some(one => one.endsWith(' 5'))).toBe(true);
}, 240_000);
