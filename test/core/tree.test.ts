import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fromBase64, hex, utf8 } from '../../core/proof/bytes.ts';
import {
  consistencyPlan,
  consistencyProof,
  emptyRoot,
  Frontier,
  type Hash,
  inclusionPlan,
  inclusionProof,
  leafHash,
  type NodeId,
  nodeHash,
  proofOfPlan,
  recordLeaf,
  rootOf,
  verifyConsistency,
  verifyInclusion,
} from '../../core/proof/tree.ts';
import { sha256, vectors } from './host.ts';

type Case = { case: string; wantErr: boolean; proof: string[] | null } & (
  | { kind: 'inclusion'; leafIdx: number; treeSize: number; root: string; leafHash: string }
  | { kind: 'consistency'; size1: number; size2: number; root1: string; root2: string }
);
const { cases } = vectors<{ cases: Case[] }>('rfc9162-proofs');

const leafOf = (i: number) => leafHash(sha256, utf8(`leaf ${i}`));

/** The definition of RFC 9162, 2.1.1, as it is written: what everything else is held to. */
function mth(leaves: Hash[]): Hash {
  if (leaves.length === 0) return sha256(new Uint8Array());
  if (leaves.length === 1) return leaves[0]!;
  let k = 1;
  while (k * 2 < leaves.length) k *= 2;
  return nodeHash(sha256, mth(leaves.slice(0, k)), mth(leaves.slice(k)));
}

/** A tree as the ledger keeps it: the full nodes that appending told of, by level and index. */
function store(size: number) {
  const nodes = new Map<string, Hash>();
  const frontier = new Frontier(sha256);
  for (let i = 0; i < size; i++) {
    frontier.append(leafOf(i), (node, hash) => nodes.set(`${node.level},${node.index}`, hash));
  }
  const get = ({ level, index }: NodeId) => {
    const hash = nodes.get(`${level},${index}`);
    if (hash === undefined) throw new Error(`node (${level}, ${index}) was never full`);
    return hash;
  };
  return { frontier, nodes, get };
}

const LARGEST = 70;
const { get } = store(LARGEST);
const roots = Array.from({ length: LARGEST + 1 }, (_, size) =>
  mth(Array.from({ length: size }, (_, i) => leafOf(i))),
);

describe('RFC 9162 vectors', () => {
  test.each(cases)('$case', one => {
    const proof = (one.proof ?? []).map(text => fromBase64(text));
    const verdict =
      one.kind === 'inclusion'
        ? verifyInclusion(
            sha256,
            {
              leaf: fromBase64(one.leafHash),
              index: one.leafIdx,
              size: one.treeSize,
              root: fromBase64(one.root),
            },
            proof,
          )
        : verifyConsistency(
            sha256,
            {
              first: one.size1,
              second: one.size2,
              root1: fromBase64(one.root1),
              root2: fromBase64(one.root2),
            },
            proof,
          );
    expect(verdict).toBe(!one.wantErr);
  });
});

describe('tree', () => {
  test('known hashes', () => {
    expect(hex(emptyRoot(sha256))).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    expect(hex(leafHash(sha256, new Uint8Array()))).toBe(
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
    );
    expect(recordLeaf(sha256, 'ab'.repeat(32))).toEqual(leafHash(sha256, new Uint8Array(32).fill(0xab)));
    expect(() => recordLeaf(sha256, 'ab')).toThrow(RangeError);
  });

  test('the frontier has the root of the definition at every size, and survives being stored', () => {
    let frontier = new Frontier(sha256);
    for (let size = 0; size <= LARGEST; size++) {
      expect(frontier.root()).toEqual(roots[size]);
      frontier = Frontier.parse(sha256, frontier.size, frontier.serialise());
      frontier.append(leafOf(size));
    }
    expect(rootOf(sha256, [leafOf(0), leafOf(1), leafOf(2)])).toEqual(roots[3]);
    expect(() => new Frontier(sha256, 3, [leafOf(0)])).toThrow(RangeError);
    expect(() => new Frontier(sha256).append(new Uint8Array(31))).toThrow(RangeError);
  });

  test('every leaf of every size has an inclusion proof from full nodes alone', () => {
    for (let size = 1; size <= LARGEST; size++) {
      for (let index = 0; index < size; index++) {
        const claim = { leaf: leafOf(index), index, size, root: roots[size]! };
        const proof = inclusionProof(sha256, index, size, get);
        expect(verifyInclusion(sha256, claim, proof)).toBe(true);
        if (index > 0) expect(verifyInclusion(sha256, { ...claim, index: index - 1 }, proof)).toBe(false);
        expect(verifyInclusion(sha256, claim, [...proof, leafOf(0)])).toBe(false);
        if (proof.length > 0) expect(verifyInclusion(sha256, claim, proof.slice(1))).toBe(false);
      }
    }
  });

  test('every pair of sizes has a consistency proof from full nodes alone', () => {
    for (let second = 0; second <= LARGEST; second++) {
      for (let first = 0; first <= second; first++) {
        const claim = { first, second, root1: roots[first]!, root2: roots[second]! };
        const proof = consistencyProof(sha256, first, second, get);
        expect(verifyConsistency(sha256, claim, proof)).toBe(true);
        expect(verifyConsistency(sha256, claim, [...proof, leafOf(0)])).toBe(false);
        if (first < second && first > 0) {
          expect(verifyConsistency(sha256, { ...claim, root1: roots[first - 1]! }, proof)).toBe(false);
          expect(verifyConsistency(sha256, claim, proof.slice(1))).toBe(false);
        }
      }
    }
  });

  test('any flipped bit of a proof, leaf or root is seen', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: LARGEST }),
        fc.nat(),
        fc.nat(),
        fc.nat({ max: 255 }),
        (size, at, which, bit) => {
          const index = at % size;
          const proof = inclusionProof(sha256, index, size, get).map(hash => hash.slice());
          const leaf = leafOf(index);
          const root = roots[size]!.slice();
          const all = [leaf, root, ...proof];
          all[which % all.length]![bit >> 3]! ^= 1 << (bit & 7);
          expect(verifyInclusion(sha256, { leaf, index, size, root }, proof)).toBe(false);

          const old = consistencyProof(sha256, index + 1, size, get).map(hash => hash.slice());
          const root1 = roots[index + 1]!.slice();
          const root2 = roots[size]!.slice();
          const both = [root1, root2, ...old];
          both[which % both.length]![bit >> 3]! ^= 1 << (bit & 7);
          expect(verifyConsistency(sha256, { first: index + 1, second: size, root1, root2 }, old)).toBe(
            false,
          );
        },
      ),
    );
  });

  test('hashes may be fetched asynchronously: a plan first, then its fold', async () => {
    const plan = inclusionPlan(40, 67);
    const hashes = await Promise.all(plan.nodes.map(async node => get(node)));
    const claim = { leaf: leafOf(40), index: 40, size: 67, root: roots[67]! };
    expect(verifyInclusion(sha256, claim, proofOfPlan(sha256, plan, hashes))).toBe(true);
    expect(() => proofOfPlan(sha256, plan, hashes.slice(1))).toThrow(RangeError);
  });

  test('plans beyond 2^32 leaves do not wrap', () => {
    const size = 2 ** 40 + 5;
    const plan = inclusionPlan(2 ** 40 + 1, size);
    expect(plan.nodes).toContainEqual({ level: 40, index: 0 });
    expect(plan.parts).toHaveLength(4);
    expect(consistencyPlan(2 ** 40, size).nodes.every(node => Number.isSafeInteger(node.index))).toBe(true);
  });

  test('what is no leaf or no pair of sizes is refused', () => {
    for (const [index, size] of [
      [0, 0],
      [5, 5],
      [-1, 5],
      [0.5, 5],
    ] as const) {
      expect(() => inclusionPlan(index, size)).toThrow(RangeError);
      expect(verifyInclusion(sha256, { leaf: leafOf(0), index, size, root: roots[5]! }, [])).toBe(false);
    }
    expect(() => consistencyPlan(6, 5)).toThrow(RangeError);
    expect(verifyConsistency(sha256, { first: 6, second: 5, root1: roots[6]!, root2: roots[5]! }, [])).toBe(
      false,
    );
    expect(verifyConsistency(sha256, { first: 0, second: 5, root1: roots[1]!, root2: roots[5]! }, [])).toBe(
      false,
    );
  });
});
