/** Erasure beside others: values that are recorded again at that moment, and approvals that are closed later. */
import { afterEach, expect, test } from 'vitest';
import { openErasure } from '../../collector/ledger/erasing.ts';
import type { Ledger } from '../../collector/ports.ts';
import { type RealLedger, realLedger } from '../keys/real_ledger.ts';
import { append, event, prepared } from './ledger.fixture.ts';

let real: RealLedger | undefined;
afterEach(async () => {
  await real?.close();
  real = undefined;
});

const large = { text: 'kingfisher '.repeat(9000) };
const digestOf = async (ledger: Ledger, seq: number): Promise<string> =>
  ((await ledger.read.record(seq))!.input as { $blob: { sha256: string } }).$blob.sha256;

async function bytesOf(ledger: Ledger, sha256: string): Promise<number> {
  let bytes = 0;
  for await (const part of ledger.blobs.get('default', sha256)) bytes += part.length;
  return bytes;
}

test('a value that is recorded while an equal one is erased keeps its blob', async () => {
  real = await realLedger();
  const { ledger, clock } = real;
  const erasure = openErasure({ ledger, clock });
  let [last] = await append(ledger, [event({ input: large })]);
  const sha256 = await digestOf(ledger, last!.seq);
  const bytes = await bytesOf(ledger, sha256);
  let unlinked = 0;
  for (let i = 0; i < 20; i++) {
    const [done, [next]] = await Promise.all([
      erasure.erase({ seqs: [last!.seq], reason: 'again', by: 'test', signedIn: 'page' }),
      append(ledger, [event({ input: large })]),
    ]);
    unlinked += done.blobs;
    expect(await bytesOf(ledger, sha256)).toBe(bytes);
    last = next;
  }
  expect(unlinked).toBeLessThanOrEqual(20);
  expect(
    await erasure.erase({ seqs: [last!.seq], reason: 'at last', by: 'test', signedIn: 'page' }),
  ).toMatchObject({
    blobs: 1,
  });
  expect(await ledger.blobs.has('default', sha256)).toBe(false);
  expect(ledger.stats().blobBytes).toBe(0);
  erasure.close();
}, 120_000);

test('who records a blob that is being unlinked waits, and stores it anew; who named an upload hears that it is gone', async () => {
  real = await realLedger();
  const { ledger } = real;
  const [one] = await append(ledger, [event({ input: large })]);
  const sha256 = await digestOf(ledger, one!.seq);
  const order: string[] = [];
  let again: Promise<unknown> | undefined;
  const done = await ledger.blobs.apart([sha256], async () => {
    again = append(ledger, [event({ input: large })]).then(() => order.push('recorded'));
    // Others are served meanwhile, and commits are made.
    await append(ledger, [event({ input: 'plain' })]);
    const { size } = await ledger.read.head();
    const settled = await ledger.write.run('erasedBlobs', { gone: [sha256], kept: [], size });
    order.push('unlinked');
    return settled;
  });
  expect(done).toMatchObject({ again: false, freed: expect.any(Number) });
  await again;
  expect(order).toEqual(['unlinked', 'recorded']);
  expect(await bytesOf(ledger, sha256)).toBeGreaterThan(90_000);

  // A record that may name blobs, since the look: nothing is unlinked.
  const asked = { gone: [sha256], kept: [], size: one!.seq };
  expect(await ledger.write.run('erasedBlobs', asked)).toEqual({ again: true, freed: 0 });
  expect(await ledger.blobs.has('default', sha256)).toBe(true);
  const named = prepared(ledger, [event({ input: 'names it' })]);
  await expect(ledger.write.append(named, ['0'.repeat(64)])).rejects.toMatchObject({ code: 'blob_unknown' });
});

test('a retention rule erases what stood on an open approval once that is over', async () => {
  real = await realLedger();
  const { ledger, clock, skew } = real;
  const erasure = openErasure({ ledger, clock });
  const { approval, seq } = await ledger.write.run('decide', {
    keyId: 'k1',
    appId: 'support-bot',
    sessionId: 's-1',
    actor: { type: 'agent', id: 'a1' },
    action: 'send_wire',
    risk: 'high',
    payload: { amount: 12_000 },
    outcome: {
      result: 'approve',
      reasons: ['over the limit'],
      required: { k: 1, roles: ['cfo'] },
      policy: { version: 1, hash: 'a'.repeat(64) },
      evalUs: 5,
    },
  });
  await append(ledger, [event({ input: 'old' })]);
  skew.ms += 40 * 86_400_000;
  await erasure.changeRetention({ 'support-bot': 30 }, { by: 't', signedIn: 'page' });
  expect(await erasure.tick()).toBe(1);
  expect(await erasure.tick()).toBe(0);
  expect((await ledger.read.record(seq))!.source).toBeDefined();
  expect(await ledger.write.run('expireApprovals', {})).toEqual({ expired: [approval!.id] });
  expect(await erasure.tick()).toBe(2);
  expect((await ledger.read.record(seq))!.source).toBeUndefined();
  erasure.close();
});

test('records of many kinds are named in as many erasures as it takes, each whole in itself', async () => {
  real = await realLedger();
  const { ledger, clock } = real;
  const erasure = openErasure({ ledger, clock });
  const kindOf = (n: number): string => `kind-${n}-`.padEnd(64, 'x');
  const seqs = (
    await append(
      ledger,
      Array.from({ length: 400 }, (_, n) => event({ event_type: kindOf(n), input: n })),
    )
  ).map(({ seq }) => seq);
  const asked = { reason: 'all of it', by: 't', signedIn: 'page' } as const;
  await expect(erasure.erase({ ...asked, seqs })).rejects.toMatchObject({ code: 'erase_refused' });
  const app = { appId: 'support-bot', beforeUs: (clock.now() + 60_000) * 1000 };
  const { parts, more } = await erasure.prepare({ app });
  expect(more).toBe(false);
  expect(parts.flatMap(part => part.seqs)).toEqual(seqs);
  expect(parts.length).toBeGreaterThan(1);
  const { erased, records } = await erasure.erase({ ...asked, app });
  expect(erased).toBe(400);
  const named: number[] = [];
  for (const seq of records) {
    const record = (await ledger.read.record(seq))! as { erasure?: { seqs?: number[] } };
    named.push(...(record.erasure?.seqs ?? []));
  }
  expect(named).toEqual(seqs);
  expect((await erasure.prepare({ app })).parts).toEqual([]);
  erasure.close();
});
