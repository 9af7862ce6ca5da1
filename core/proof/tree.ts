/**
 * The Merkle tree of RFC 9162 (section 2.1) over hash_self values: hashes, roots, inclusion and consistency proofs.
 * Node (level, index) covers the leaves from index * 2^level up to (index + 1) * 2^level, cut at the tree's size.
 * Only full nodes are stored: their hashes never change. A proof is made in two steps, so that the hashes may
 * come from anywhere, sync or async: a plan names the full nodes, `proofOfPlan` folds them into proof entries.
 * Rules: sizes and indices are integers below 2^53; no bit operators, which would wrap at 2^32.
 * Format: docs/spec/tree.md.
 */
import { concat, equalBytes, fromHex } from './bytes.ts';
import type { Sha256 } from './hash.ts';

/** 32 bytes. */
export type Hash = Uint8Array;

export interface NodeId {
  readonly level: number;
  readonly index: number;
}

const LEAF = Uint8Array.of(0);

/** SHA-256(0x00 || input). */
export function leafHash(sha256: Sha256, input: Uint8Array): Hash {
  return sha256(concat(LEAF, input));
}

/** Leaf of a record: SHA-256(0x00 || the 32 raw bytes of hash_self). */
export function recordLeaf(sha256: Sha256, hashSelfHex: string): Hash {
  const input = fromHex(hashSelfHex);
  if (input.length !== 32) throw new RangeError('hash_self must have 64 hex characters');
  return leafHash(sha256, input);
}

/** SHA-256(0x01 || left || right). */
export function nodeHash(sha256: Sha256, left: Hash, right: Hash): Hash {
  const input = new Uint8Array(65);
  input[0] = 1;
  input.set(left, 1);
  input.set(right, 33);
  return sha256(input);
}

/** Root of the empty tree: SHA-256 of nothing. */
export function emptyRoot(sha256: Sha256): Hash {
  return sha256(new Uint8Array(0));
}

/** Root over leaf hashes, in one pass and a stack of log n. */
export function rootOf(sha256: Sha256, leaves: Iterable<Hash>): Hash {
  const frontier = new Frontier(sha256);
  for (const leaf of leaves) frontier.append(leaf);
  return frontier.root();
}

/** Called with each full node as it comes to be, its own leaf first, then upwards. */
export type OnNode = (node: NodeId, hash: Hash) => void;

/**
 * The growing right edge of a tree: what appending and the root need, nothing more. Its state is `size` and
 * `hashes` (one for each set bit of size, largest subtree first) and can be stored and given back.
 */
export class Frontier {
  #size: number;
  readonly #hashes: Hash[];
  readonly #sha256: Sha256;

  constructor(sha256: Sha256, size = 0, hashes: readonly Hash[] = []) {
    if (!Number.isSafeInteger(size) || size < 0) throw new RangeError('size must be an integer from 0');
    if (hashes.length !== fullNodes(0, size).length) {
      throw new RangeError(`a frontier of size ${size} does not have ${hashes.length} hashes`);
    }
    for (const hash of hashes) checkHash(hash);
    this.#sha256 = sha256;
    this.#size = size;
    this.#hashes = [...hashes];
  }

  get size(): number {
    return this.#size;
  }

  /** Hashes of the full subtrees, left to right. */
  get hashes(): readonly Hash[] {
    return this.#hashes;
  }

  /** Appends one leaf hash; tells `onNode` every node that becomes full (level 0 included). */
  append(leaf: Hash, onNode?: OnNode): void {
    checkHash(leaf);
    let index = this.#size;
    let level = 0;
    let hash = leaf;
    onNode?.({ level, index }, hash);
    while (index % 2 === 1) {
      hash = nodeHash(this.#sha256, this.#hashes.pop()!, hash);
      index = (index - 1) / 2;
      level++;
      onNode?.({ level, index }, hash);
    }
    this.#hashes.push(hash);
    this.#size++;
  }

  /** Root at the present size. */
  root(): Hash {
    if (this.#size === 0) return emptyRoot(this.#sha256);
    return foldRight(this.#sha256, this.#hashes);
  }

  /** The hashes end to end, left to right: 32 bytes each. `size` is kept beside them. */
  serialise(): Uint8Array {
    return concat(...this.#hashes);
  }

  static parse(sha256: Sha256, size: number, bytes: Uint8Array): Frontier {
    if (bytes.length % 32 !== 0) throw new RangeError('a frontier is a multiple of 32 bytes');
    const hashes: Hash[] = [];
    for (let at = 0; at < bytes.length; at += 32) hashes.push(bytes.slice(at, at + 32));
    return new Frontier(sha256, size, hashes);
  }
}

/** Hash of adjoining full subtrees of falling level, as RFC 9162 joins them: from the right. */
function foldRight(sha256: Sha256, hashes: readonly Hash[]): Hash {
  let hash = hashes[hashes.length - 1]!;
  for (let i = hashes.length - 2; i >= 0; i--) hash = nodeHash(sha256, hashes[i]!, hash);
  return hash;
}

/** The full nodes that cover the leaves [from, to), left to right. `from` must start a subtree that holds them. */
export function fullNodes(from: number, to: number): NodeId[] {
  const nodes: NodeId[] = [];
  let start = from;
  while (start < to) {
    let level = 0;
    let width = 1;
    while (start % (width * 2) === 0 && start + width * 2 <= to) {
      width *= 2;
      level++;
    }
    nodes.push({ level, index: start / width });
    start += width;
  }
  return nodes;
}

/** Which full nodes a proof needs. Entry i of the proof is the fold of the next `parts[i]` of `nodes`. */
export interface ProofPlan {
  readonly nodes: readonly NodeId[];
  readonly parts: readonly number[];
}

function planOf(ranges: readonly (readonly [from: number, to: number])[]): ProofPlan {
  const groups = ranges.map(([from, to]) => fullNodes(from, to));
  return { nodes: groups.flat(), parts: groups.map(group => group.length) };
}

/** The proof of a plan from the hashes of `plan.nodes`, in that order. */
export function proofOfPlan(sha256: Sha256, plan: ProofPlan, hashes: readonly Hash[]): Hash[] {
  if (hashes.length !== plan.nodes.length) throw new RangeError('one hash for each node of the plan');
  let at = 0;
  return plan.parts.map(count => {
    const part = hashes.slice(at, at + count);
    at += count;
    return foldRight(sha256, part);
  });
}

/** Largest power of two below n (n >= 2). */
function split(n: number): number {
  let power = 1;
  while (power * 2 < n) power *= 2;
  return power;
}

/** Plan of the audit path of leaf `index` in the tree of `size`. RFC 9162, 2.1.3.1. */
export function inclusionPlan(index: number, size: number): ProofPlan {
  if (!Number.isSafeInteger(size) || !Number.isSafeInteger(index) || index < 0 || index >= size) {
    throw new RangeError(`no leaf ${index} in a tree of ${size}`);
  }
  const ranges: [number, number][] = [];
  let from = 0;
  let to = size;
  while (to - from > 1) {
    const middle = from + split(to - from);
    if (index < middle) {
      ranges.push([middle, to]);
      to = middle;
    } else {
      ranges.push([from, middle]);
      from = middle;
    }
  }
  return planOf(ranges.reverse());
}

/** Plan of the consistency proof from the tree of `first` to the tree of `second`. RFC 9162, 2.1.4.1. */
export function consistencyPlan(first: number, second: number): ProofPlan {
  if (!Number.isSafeInteger(first) || !Number.isSafeInteger(second) || first < 0 || first > second) {
    throw new RangeError(`no consistency proof from ${first} to ${second}`);
  }
  if (first === 0 || first === second) return planOf([]);
  const ranges: [number, number][] = [];
  let from = 0;
  let to = second;
  let known = true;
  while (first !== to) {
    const middle = from + split(to - from);
    if (first <= middle) {
      ranges.push([middle, to]);
      to = middle;
    } else {
      ranges.push([from, middle]);
      from = middle;
      known = false;
    }
  }
  if (!known) ranges.push([from, to]);
  return planOf(ranges.reverse());
}

/** Inclusion proof where full nodes are at hand. */
export function inclusionProof(
  sha256: Sha256,
  index: number,
  size: number,
  getNode: (node: NodeId) => Hash,
): Hash[] {
  const plan = inclusionPlan(index, size);
  return proofOfPlan(sha256, plan, plan.nodes.map(getNode));
}

/** Consistency proof where full nodes are at hand. */
export function consistencyProof(
  sha256: Sha256,
  first: number,
  second: number,
  getNode: (node: NodeId) => Hash,
): Hash[] {
  const plan = consistencyPlan(first, second);
  return proofOfPlan(sha256, plan, plan.nodes.map(getNode));
}

/** Whether `leaf` (a leaf hash) is leaf `index` of the tree with this size and root. RFC 9162, 2.1.3.2. */
export function verifyInclusion(
  sha256: Sha256,
  claim: { readonly leaf: Hash; readonly index: number; readonly size: number; readonly root: Hash },
  proof: readonly Hash[],
): boolean {
  const { leaf, index, size, root } = claim;
  if (!Number.isSafeInteger(size) || !Number.isSafeInteger(index) || index < 0 || index >= size) return false;
  if (![leaf, root, ...proof].every(isHash)) return false;
  let fn = index;
  let sn = size - 1;
  let hash = leaf;
  for (const sibling of proof) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      hash = nodeHash(sha256, sibling, hash);
      while (fn % 2 === 0 && fn !== 0) {
        fn /= 2;
        sn = Math.floor(sn / 2);
      }
    } else {
      hash = nodeHash(sha256, hash, sibling);
    }
    fn = Math.floor(fn / 2);
    sn = Math.floor(sn / 2);
  }
  return sn === 0 && equalBytes(hash, root);
}

/**
 * Whether the tree of `second` begins with the tree of `first`. RFC 9162, 2.1.4.2. From size 0 (whose root must be
 * the empty one) and between equal sizes (equal roots) the proof is empty.
 */
export function verifyConsistency(
  sha256: Sha256,
  claim: { readonly first: number; readonly second: number; readonly root1: Hash; readonly root2: Hash },
  proof: readonly Hash[],
): boolean {
  const { first, second, root1, root2 } = claim;
  if (!Number.isSafeInteger(first) || !Number.isSafeInteger(second) || first < 0 || first > second)
    return false;
  if (first === second) return proof.length === 0 && equalBytes(root1, root2);
  if (![root1, root2, ...proof].every(isHash)) return false;
  if (first === 0) return proof.length === 0 && equalBytes(root1, emptyRoot(sha256));
  if (proof.length === 0) return false;

  // Where the old tree is one full subtree its root starts the path; the proof leaves it out.
  const both = foldConsistency(sha256, first, second, isFull(first) ? [root1, ...proof] : proof);
  return both !== undefined && equalBytes(both[0], root1) && equalBytes(both[1], root2);
}

/**
 * The root of the first `first` leaves, as the proof shows it to who knows the root of the first `second`. Undefined where the
 * proof is wrong, and where `first` is a power of two: such a proof leaves that root out.
 */
export function earlierRoot(
  sha256: Sha256,
  { first, second, root2 }: { readonly first: number; readonly second: number; readonly root2: Hash },
  proof: readonly Hash[],
): Hash | undefined {
  if (!Number.isSafeInteger(second) || first < 1 || first >= second || isFull(first)) return undefined;
  if (proof.length === 0 || !proof.every(isHash)) return undefined;
  const both = foldConsistency(sha256, first, second, proof);
  return both !== undefined && equalBytes(both[1], root2) ? both[0] : undefined;
}

/** Whether so many leaves, at least one, are one full subtree: a power of two. */
export function isFull(size: number): boolean {
  let odd = size;
  while (odd > 1 && odd % 2 === 0) odd /= 2;
  return odd === 1;
}

/** The two roots that a path of hashes gives, or undefined where it is longer or shorter than it must be. */
function foldConsistency(
  sha256: Sha256,
  first: number,
  second: number,
  path: readonly Hash[],
): readonly [Hash, Hash] | undefined {
  let fn = first - 1;
  let sn = second - 1;
  while (fn % 2 === 1) {
    fn = (fn - 1) / 2;
    sn = Math.floor(sn / 2);
  }
  let hash1 = path[0]!;
  let hash2 = hash1;
  for (const sibling of path.slice(1)) {
    if (sn === 0) return undefined;
    if (fn % 2 === 1 || fn === sn) {
      hash1 = nodeHash(sha256, sibling, hash1);
      hash2 = nodeHash(sha256, sibling, hash2);
      while (fn % 2 === 0 && fn !== 0) {
        fn /= 2;
        sn = Math.floor(sn / 2);
      }
    } else {
      hash2 = nodeHash(sha256, hash2, sibling);
    }
    fn = Math.floor(fn / 2);
    sn = Math.floor(sn / 2);
  }
  return sn === 0 ? [hash1, hash2] : undefined;
}

function isHash(hash: Uint8Array): boolean {
  return hash.length === 32;
}

function checkHash(hash: Uint8Array): void {
  if (!isHash(hash)) throw new RangeError('a hash has 32 bytes');
}
