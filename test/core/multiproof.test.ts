import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fromBase64, hex, utf8 } from '../../core/proof/bytes.ts';
import {
  type LeafRange,
  MultiproofError,
  MultiproofMerge,
  multiproofHeader,
  multiproofLine,
  multiproofNodes,
  multiproofRoot,
  nodePlan,
  parseMultiproofHeader,
  parseMultiproofLine,
} from '../../core/proof/multiproof.ts';
import { type Hash, leafHash, type NodeId, nodeHash, proofOfPlan, rootOf } from '../../core/proof/tree.ts';
import { sha256, vectors } from './host.ts';

const leafOf = (i: number) => leafHash(sha256, utf8(`leaf ${i}`));

/** Hash of any node of a tree of `size`, from the leaves, by the definition. */
function hashOf(node: NodeId, size: number): Hash {
  const from = node.index * 2 ** node.level;
  const to = Math.min(from + 2 ** node.level, size);
  return rootOf(
    sha256,
    Array.from({ length: to - from }, (_, i) => leafOf(from + i)),
  );
}

/** The least set, by the definition: from the root down, stop where no leaf of the set lies beneath. */
function leastNodes(set: ReadonlySet<number>, size: number): NodeId[] {
  const found: NodeId[] = [];
  const walk = (level: number, index: number) => {
    const from = index * 2 ** level;
    const to = Math.min(from + 2 ** level, size);
    if (from >= size) return;
    if (level > 0 && from + 2 ** (level - 1) >= size) return walk(level - 1, index * 2);
    let meets = false;
    for (let i = from; i < to; i++) meets ||= set.has(i);
    if (!meets) found.push({ level, index });
    else if (level > 0) {
      walk(level - 1, index * 2);
      walk(level - 1, index * 2 + 1);
    }
  };
  walk(10, 0);
  return found;
}

function rangesOf(set: readonly number[]): LeafRange[] {
  const ranges: [number, number][] = [];
  for (const leaf of set) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === leaf) last[1]++;
    else ranges.push([leaf, leaf + 1]);
  }
  return ranges;
}

const trees = fc
  .integer({ min: 1, max: 100 })
  .chain(size => fc.tuple(fc.constant(size), fc.uniqueArray(fc.nat({ max: size - 1 }), { maxLength: size })))
  .map(([size, leaves]) => ({ size, set: leaves.sort((a, b) => a - b) }));

const proofOf = (set: readonly number[], size: number) =>
  [...multiproofNodes(rangesOf(set), size)].map(node => ({ node, hash: hashOf(node, size) }));
const leavesOf = (set: readonly number[]) => set.map(index => ({ index, hash: leafOf(index) }));

async function fault(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof MultiproofError) return error.fault;
    throw error;
  }
  return 'none';
}

describe('multiproof', () => {
  test('is the least set of the definition and gives the root, for any set of leaves', async () => {
    await fc.assert(
      fc.asyncProperty(trees, async ({ size, set }) => {
        const nodes = [...multiproofNodes(rangesOf(set), size)];
        expect(nodes).toEqual(leastNodes(new Set(set), size));
        const root = hashOf({ level: 7, index: 0 }, size);
        expect(await multiproofRoot(sha256, size, leavesOf(set), proofOf(set, size))).toEqual(root);
      }),
      { numRuns: 300 },
    );
  });

  test('a node that the tree ends within is made of its full nodes', () => {
    for (let size = 1; size < 40; size++) {
      for (const node of multiproofNodes([[0, 1]], size)) {
        const plan = nodePlan(node, size);
        const [hash] = proofOfPlan(
          sha256,
          plan,
          plan.nodes.map(full => hashOf(full, size)),
        );
        expect(hash).toEqual(hashOf(node, size));
      }
    }
  });

  test('a missing, doubled, swapped or added line is refused by name; a changed hash changes the root', async () => {
    await fc.assert(
      fc.asyncProperty(trees, fc.nat(), async ({ size, set }, pick) => {
        const proof = proofOf(set, size);
        fc.pre(proof.length > 0);
        const at = pick % proof.length;
        const run = (lines: typeof proof) => multiproofRoot(sha256, size, leavesOf(set), lines);

        expect(await fault(run(proof.toSpliced(at, 1)))).toBe('missing');
        expect(await fault(run(proof.toSpliced(at, 0, proof[at]!)))).toBe('duplicate');
        if (at > 0) {
          const swapped = proof.with(at, proof[at - 1]!).with(at - 1, proof[at]!);
          expect(['order', 'missing', 'extra']).toContain(await fault(run(swapped)));
        }
        if (set.length > 0) {
          const leaf = set[pick % set.length]!;
          const added = { node: { level: 0, index: leaf }, hash: leafOf(leaf) };
          const place = proof.findIndex(line => line.node.index * 2 ** line.node.level > leaf);
          expect(await fault(run(proof.toSpliced(place < 0 ? proof.length : place, 0, added)))).toBe('extra');
        }
        const { node, hash } = proof[at]!;
        if (node.level > 0) {
          const half = [node.index * 2, node.index * 2 + 1].map(index => {
            const child = { level: node.level - 1, index };
            return { node: child, hash: hashOf(child, size) };
          });
          // The right half may itself be named as its left child: then it is out of range under this name.
          expect(['not_least', 'range']).toContain(await fault(run(proof.toSpliced(at, 1, ...half))));
        }
        const changed = hash.slice();
        changed[pick % 32]! ^= 1;
        const root = await run(proof.with(at, { node, hash: changed }));
        expect(root).not.toEqual(hashOf({ level: 7, index: 0 }, size));
      }),
      { numRuns: 200 },
    );
  });

  test('leaves: missing, doubled, swapped, beyond the tree', async () => {
    const run = (set: number[], lines = proofOf([2, 5], 9)) =>
      multiproofRoot(sha256, 9, leavesOf(set), lines);
    expect(await fault(run([2, 5]))).toBe('none');
    expect(await fault(run([2]))).toBe('missing');
    expect(await fault(run([2, 2, 5]))).toBe('leaf');
    expect(await fault(run([2, 4, 5]))).toBe('extra');
    expect(await fault(run([2, 5, 9]))).toBe('leaf');
    expect(await fault(run([5, 2]))).not.toBe('none');
  });

  test('lines are read back exactly, and only in the one form', () => {
    const hash = leafOf(1);
    const line = multiproofLine({ level: 3, index: 7 }, hash);
    expect(parseMultiproofLine(line.slice(0, -1))).toEqual({ node: { level: 3, index: 7 }, hash });
    expect(parseMultiproofHeader(multiproofHeader(12).slice(0, -1))).toBe(12);
    const text = line.slice(line.indexOf('"'), -2);
    for (const bad of [
      '',
      '[]',
      `[3, 7,${text}]`,
      `[03,7,${text}]`,
      `[3,7.0,${text}]`,
      `[-3,7,${text}]`,
      `[3,7,${text},1]`,
      `[99,9007199254740991,${text}]`,
      '[3,7,"AAAA"]',
      `[3,7,"${'A'.repeat(42)}B="]`,
    ]) {
      expect(() => parseMultiproofLine(bad)).toThrow(MultiproofError);
    }
    for (const bad of ['{"size":-1}', '{"size": 1}', '{"size":01}', '{"size":99999999999999999}', '{}']) {
      expect(() => parseMultiproofHeader(bad)).toThrow(MultiproofError);
    }
  });

  test('works on huge trees lazily: a million-leaf window in a trillion', () => {
    const size = 10 ** 12 + 7;
    const nodes = [...multiproofNodes([[10 ** 11, 10 ** 11 + 10 ** 6]], size)];
    expect(nodes.length).toBeLessThan(80);
    const covered = nodes.reduce(
      (sum, node) => sum + Math.min((node.index + 1) * 2 ** node.level, size) - node.index * 2 ** node.level,
      0,
    );
    expect(covered).toBe(size - 10 ** 6);
  });

  test('ranges that do not rise, or leave the tree, are refused', () => {
    for (const ranges of [
      [[3, 3]],
      [[3, 2]],
      [[0, 6]],
      [
        [2, 4],
        [3, 5],
      ],
      [[-1, 2]],
    ] as LeafRange[][]) {
      expect(() => [...multiproofNodes(ranges, 5)]).toThrow(RangeError);
    }
  });

  test('the empty tree and the whole tree', () => {
    expect([...multiproofNodes([], 0)]).toEqual([]);
    expect(new MultiproofMerge(sha256, 0).root()).toEqual(sha256(new Uint8Array()));
    expect([...multiproofNodes([[0, 9]], 9)]).toEqual([]);
    expect([...multiproofNodes([], 5)]).toEqual([{ level: 3, index: 0 }]);
  });
});

type MultiproofVectors = {
  accept: {
    case: string;
    size: number;
    leaves: { index: number; hash_self: string }[];
    lines: string;
    root: string;
  }[];
  refuse: {
    case: string;
    bug: string;
    expect: string;
    leaves: { index: number; hash_self: string }[];
    lines: string;
    root: string;
  }[];
};
const vector = vectors<MultiproofVectors>('multiproof');

async function rootOfText(lines: string, leaves: { index: number; hash_self: string }[]): Promise<Hash> {
  const [header, ...rest] = lines.split('\n').slice(0, -1);
  const size = parseMultiproofHeader(header!);
  return multiproofRoot(
    sha256,
    size,
    leaves.map(({ index, hash_self }) => ({ index, hash: leafHash(sha256, Buffer.from(hash_self, 'hex')) })),
    rest.map(parseMultiproofLine),
  );
}

describe('multiproof vectors', () => {
  test.each(vector.accept)('$case', async ({ lines, leaves, root, size }) => {
    expect(await rootOfText(lines, leaves)).toEqual(fromBase64(root));
    const nodes = [...multiproofNodes(rangesOf(leaves.map(leaf => leaf.index)), size)];
    const rest = lines.split('\n').slice(1, -1);
    expect(nodes).toEqual(rest.map(line => parseMultiproofLine(line).node));
  });

  test.each(vector.refuse)('refuses $case', async ({ lines, leaves, root, expect: wanted }) => {
    let found: string;
    try {
      found = hex(await rootOfText(lines, leaves)) === hex(fromBase64(root)) ? 'none' : 'root';
    } catch (error) {
      if (!(error instanceof MultiproofError)) throw error;
      found = error.fault;
    }
    expect(found).toBe(wanted);
  });
});

test('nodeHash is what joins: a sanity check of the definition used here', () => {
  expect(hashOf({ level: 1, index: 0 }, 2)).toEqual(nodeHash(sha256, leafOf(0), leafOf(1)));
});
