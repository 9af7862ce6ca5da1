import { verify } from 'node:crypto';
import { expect, test } from 'vitest';
import { ed25519PublicKey } from '../../collector/ledger/headfile.ts';
import type { Ledger } from '../../collector/ports.ts';
import { fromHex, hex } from '../../core/proof/bytes.ts';
import { originOf, parseCheckpoint } from '../../core/proof/checkpoint.ts';
import { noteKey, openNote } from '../../core/proof/note.ts';
import {
  consistencyPlan,
  inclusionPlan,
  proofOfPlan,
  recordLeaf,
  rootOf,
  verifyConsistency,
  verifyInclusion,
} from '../../core/proof/tree.ts';
import { append, event, openTest, sha256, until } from './ledger.fixture.ts';
import { memoryVault } from './vault.fixture.ts';

async function leaves(ledger: Ledger): Promise<Uint8Array[]> {
  const { size } = await ledger.read.head();
  const all: Uint8Array[] = [];
  while (all.length < size) {
    for (const record of await ledger.read.records(all.length, size))
      all.push(recordLeaf(sha256, record.hash_self));
  }
  return all;
}

test('checkpoints and proofs of many sizes hold by core, before and after reopening', async () => {
  const { ledger: first, folder } = await openTest();
  let ledger = first;
  const sizes: number[] = [];
  for (const step of [1, 1, 5, 120, 127, 1, 1, 254, 3, 300, 700, 90]) {
    await append(
      ledger,
      Array.from({ length: step }, () => event()),
    );
    sizes.push((await ledger.write.run('checkpoint', {})).size);
  }
  await ledger.close();
  ledger = (await openTest({ folder })).ledger;
  const all = await leaves(ledger);
  const roots = sizes.map(size => rootOf(sha256, all.slice(0, size)));
  const origin = originOf(ledger.ledgerId, ledger.tenantId);
  const { publicKey } = memoryVault().checkpointKey;
  const key = noteKey(sha256, origin, publicKey);

  for (const [i, size] of sizes.entries()) {
    const checkpoint = (await ledger.read.checkpointAt(size))!;
    expect(checkpoint.root).toBe(hex(roots[i]!));
    const note = await openNote(Buffer.from(checkpoint.note), [key], (raw, message, signature) =>
      verify(null, message, ed25519PublicKey(raw), signature),
    );
    expect(note.signers).toHaveLength(1);
    expect(parseCheckpoint(note.text)).toMatchObject({ origin, size });
    for (const index of new Set([0, 1, Math.floor(size / 2), 255, 256, size - 2, size - 1])) {
      if (index < 0 || index >= size) continue;
      const plan = inclusionPlan(index, size);
      const hashes = await ledger.read.nodes(plan.nodes.map(node => [node.level, node.index]));
      const proof = proofOfPlan(sha256, plan, hashes);
      const claim = { leaf: all[index]!, index, size, root: fromHex(checkpoint.root) };
      expect(verifyInclusion(sha256, claim, proof), `${index} in ${size}`).toBe(true);
    }
    if (i === 0) continue;
    const before = sizes[i - 1]!;
    const plan = consistencyPlan(before, size);
    const proof = proofOfPlan(
      sha256,
      plan,
      await ledger.read.nodes(plan.nodes.map(node => [node.level, node.index])),
    );
    const claim = { first: before, second: size, root1: roots[i - 1]!, root2: roots[i]! };
    expect(verifyConsistency(sha256, claim, proof)).toBe(true);
  }
  await expect(ledger.read.nodes([[0, all.length]])).rejects.toMatchObject({ code: 'not_found' });
});

test('a checkpoint over nothing new is the last one; one comes by itself, at a session end soon', async () => {
  const { ledger } = await openTest({ checkpointMs: 100 });
  await append(ledger, [event()]);
  const made = await ledger.write.run('checkpoint', {});
  expect(await ledger.write.run('checkpoint', {})).toEqual(made);
  await append(ledger, [event()]);
  await until(async () => (await ledger.read.checkpointAt())?.size === 3);
  expect(await ledger.read.checkpointAt(2)).toEqual(made);
});

test('a ledger closes with a checkpoint over everything', async () => {
  const { ledger, folder } = await openTest();
  await append(ledger, [event(), event()]);
  await ledger.close();
  const { ledger: again } = await openTest({ folder });
  expect((await again.read.checkpointAt())?.size).toBe(3);
});

test("a scope is an app's records by received_at, with its neighbours", async () => {
  const { ledger, clock } = await openTest();
  let now = Date.parse('2027-01-01T00:00:00Z');
  clock.now = () => now;
  for (const [app_id, second] of [
    ['a', 1],
    ['b', 2],
    ['a', 3],
    ['a', 5],
    ['b', 6],
    ['a', 7],
  ] as const) {
    now = Date.parse(`2027-01-01T00:00:0${second}Z`);
    await append(ledger, [event({ app_id })]);
  }
  const at = (second: number, micros = '000000') => `2027-01-01T00:00:0${second}.${micros}Z`;
  expect(await ledger.read.scope('a', at(3), at(5))).toEqual({
    firstAppSeq: 2,
    lastAppSeq: 3,
    count: 2,
    firstSeq: 3,
    lastSeq: 4,
    before: 1,
    after: 6,
  });
  expect(await ledger.read.scope('a', at(0), at(9))).toMatchObject({
    firstAppSeq: 1,
    lastAppSeq: 4,
    count: 4,
  });
  expect(await ledger.read.scope('a', at(3, '000001'), at(4))).toEqual({
    firstAppSeq: 3,
    lastAppSeq: 2,
    count: 0,
    firstSeq: -1,
    lastSeq: -1,
    before: 3,
    after: 4,
  });
  expect(await ledger.read.scope('a', at(3), at(9), 5)).toMatchObject({ lastAppSeq: 3, count: 2 });
  expect(await ledger.read.scope('c', at(0), at(9))).toBeUndefined();
});
