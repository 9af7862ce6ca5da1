/**
 * One proof for many leaves: the least set of subtree hashes that, with the leaves themselves, gives the root.
 * Nodes come by first leaf; merged with the leaves left to right they need a stack of log n, so neither side holds
 * the tree. A node whose right half is empty is only ever named as its left child. Format: docs/spec/tree.md.
 * Rules: there is exactly one valid proof for a set of leaves; anything else throws `MultiproofError`.
 */
import { base64, fromBase64 } from './bytes.ts';
import type { Sha256 } from './hash.ts';
import { emptyRoot, fullNodes, type Hash, type NodeId, nodeHash, type ProofPlan } from './tree.ts';

/**
 * form: not a proof line; range: node outside the tree, or named as its parent; order: before an earlier line;
 * duplicate: the line before again; extra: covers leaves that are there already; missing: leaves covered by nothing;
 * not_least: two lines where their parent would do; leaf: leaves out of order or outside the tree.
 */
export type MultiproofFault =
  | 'form'
  | 'range'
  | 'order'
  | 'duplicate'
  | 'extra'
  | 'missing'
  | 'not_least'
  | 'leaf';

export class MultiproofError extends Error {
  override name = 'MultiproofError';
  readonly fault: MultiproofFault;
  /** First leaf of the place where it went wrong. */
  readonly at: number;
  constructor(fault: MultiproofFault, at: number, message: string) {
    super(message);
    this.fault = fault;
    this.at = at;
  }
}

/** Leaves [from, to). */
export type LeafRange = readonly [from: number, to: number];

/** Nodes of the proof, by first leaf, for leaves given as rising, non-overlapping ranges. Lazy: a node at a time. */
export function* multiproofNodes(ranges: Iterable<LeafRange>, size: number): Generator<NodeId> {
  if (!Number.isSafeInteger(size) || size < 0) throw new RangeError('size must be an integer from 0');
  let position = 0;
  for (const [from, to] of ranges) {
    if (!(from >= position && to > from && to <= size)) {
      throw new RangeError(`leaves ${from} to ${to} do not rise within a tree of ${size}`);
    }
    yield* gapNodes(position, from, size);
    position = to;
  }
  yield* gapNodes(position, size, size);
}

/** The largest nodes within [from, to), where `from` starts the tree or follows a leaf, and so does `to`. */
function* gapNodes(from: number, to: number, size: number): Generator<NodeId> {
  let start = from;
  while (start < to) {
    let level = 0;
    let width = 1;
    // At the tree's end a node may reach beyond it, as long as its right half holds a leaf.
    while (start % (width * 2) === 0 && (start + width * 2 <= to || (to === size && start + width < to))) {
      width *= 2;
      level++;
    }
    yield { level, index: start / width };
    start += width;
  }
}

/** The full nodes whose fold is the node's hash in the tree of `size`: itself, unless the tree ends within it. */
export function nodePlan(node: NodeId, size: number): ProofPlan {
  const width = 2 ** node.level;
  const from = node.index * width;
  const nodes = fullNodes(from, Math.min(from + width, size));
  return { nodes, parts: [nodes.length] };
}

/** First line of multiproof.jsonl, newline included. */
export function multiproofHeader(size: number): string {
  return `{"size":${size}}\n`;
}

/** A further line, newline included. */
export function multiproofLine(node: NodeId, hash: Hash): string {
  return `[${node.level},${node.index},"${base64(hash)}"]\n`;
}

const HEADER = /^\{"size":(0|[1-9][0-9]{0,15})\}$/;
const LINE = /^\[(0|[1-9][0-9]?),(0|[1-9][0-9]{0,15}),"([A-Za-z0-9+/]{43}=)"\]$/;

/** Size of the first line (without its newline). */
export function parseMultiproofHeader(line: string): number {
  const size = Number(HEADER.exec(line)?.[1] ?? Number.NaN);
  if (!Number.isSafeInteger(size)) throw new MultiproofError('form', 0, 'the first line must be {"size":n}');
  return size;
}

/** Node and hash of a further line (without its newline). */
export function parseMultiproofLine(line: string): { node: NodeId; hash: Hash } {
  const [, level, index, text] = LINE.exec(line) ?? [];
  if (level === undefined || index === undefined || text === undefined) {
    throw new MultiproofError('form', 0, 'a line must be [level,index,"base64 of 32 bytes"]');
  }
  const node = { level: Number(level), index: Number(index) };
  const first = node.index * 2 ** node.level;
  if (!Number.isSafeInteger(first)) throw new MultiproofError('range', 0, `no node (${level}, ${index})`);
  try {
    return { node, hash: fromBase64(text) };
  } catch {
    throw new MultiproofError('form', first, 'the hash is not canonical base64');
  }
}

interface Entry {
  readonly level: number;
  readonly hash: Hash;
  /** Made of proof lines alone. */
  readonly proof: boolean;
}

/** Merges leaves and proof lines, given in order of first leaf, into the root. Push everything, then ask `root`. */
export class MultiproofMerge {
  readonly #sha256: Sha256;
  readonly #size: number;
  readonly #stack: Entry[] = [];
  #position = 0;
  #last: NodeId | undefined;

  constructor(sha256: Sha256, size: number) {
    if (!Number.isSafeInteger(size) || size < 0) throw new RangeError('size must be an integer from 0');
    this.#sha256 = sha256;
    this.#size = size;
  }

  /** The next leaf that nothing has covered yet. */
  get position(): number {
    return this.#position;
  }

  /** A leaf of the set, by its leaf hash. */
  leaf(index: number, hash: Hash): void {
    if (!Number.isSafeInteger(index) || index < 0 || index >= this.#size) {
      throw new MultiproofError('leaf', index, `no leaf ${index} in a tree of ${this.#size}`);
    }
    if (index < this.#position) throw this.#covered(index);
    this.#meet(index);
    this.#push({ level: 0, hash, proof: false }, 1);
  }

  /** A line of the proof. */
  node(node: NodeId, hash: Hash): void {
    const width = 2 ** node.level;
    const first = node.index * width;
    const named = `node (${node.level}, ${node.index})`;
    if (first >= this.#size || (node.level > 0 && first + width / 2 >= this.#size)) {
      throw new MultiproofError('range', first, `${named} is not a node of a tree of ${this.#size}`);
    }
    if (first < this.#position) {
      const last = this.#last;
      const lastFirst = last === undefined ? -1 : last.index * 2 ** last.level;
      if (last?.level === node.level && last.index === node.index) {
        throw new MultiproofError('duplicate', first, `${named} stands twice`);
      }
      if (first < lastFirst) throw new MultiproofError('order', first, `${named} comes too late`);
      throw new MultiproofError('extra', first, `${named} covers leaves that are there already`);
    }
    this.#meet(first);
    this.#last = node;
    this.#push({ level: node.level, hash, proof: true }, width);
  }

  /** The root, once everything is covered. */
  root(): Hash {
    if (this.#size === 0) return emptyRoot(this.#sha256);
    this.#meet(this.#size);
    let right = this.#stack.pop()!;
    for (let left = this.#stack.pop(); left !== undefined; left = this.#stack.pop())
      right = this.#join(left, right);
    return right.hash;
  }

  #covered(index: number): MultiproofError {
    const first = this.#last === undefined ? -1 : this.#last.index * 2 ** this.#last.level;
    return this.#last !== undefined && first <= index && index < first + 2 ** this.#last.level
      ? new MultiproofError('extra', index, `a proof line covers leaf ${index}, which is given`)
      : new MultiproofError('leaf', index, `leaf ${index} stands twice or too late`);
  }

  #meet(first: number): void {
    if (first > this.#position) {
      throw new MultiproofError(
        'missing',
        this.#position,
        `nothing covers leaves ${this.#position} to ${first - 1}`,
      );
    }
  }

  #push(entry: Entry, width: number): void {
    if (entry.hash.length !== 32) throw new MultiproofError('form', this.#position, 'a hash has 32 bytes');
    this.#position = Math.min(this.#position + width, this.#size);
    let top = entry;
    for (let left = this.#stack.at(-1); left?.level === top.level; left = this.#stack.at(-1)) {
      this.#stack.pop();
      top = this.#join(left, top);
    }
    this.#stack.push(top);
  }

  #join(left: Entry, right: Entry): Entry {
    if (left.proof && right.proof) {
      throw new MultiproofError('not_least', this.#position, 'two lines stand where their parent would do');
    }
    return { level: left.level + 1, hash: nodeHash(this.#sha256, left.hash, right.hash), proof: false };
  }
}

/**
 * Root of `leaves` (rising; `hash` is a leaf hash) and the proof's nodes, both streamed. The caller compares it with
 * the checkpoint's. Rejects with MultiproofError.
 */
export async function multiproofRoot(
  sha256: Sha256,
  size: number,
  leaves: AsyncIterable<{ index: number; hash: Hash }> | Iterable<{ index: number; hash: Hash }>,
  nodes: AsyncIterable<{ node: NodeId; hash: Hash }> | Iterable<{ node: NodeId; hash: Hash }>,
): Promise<Hash> {
  const merge = new MultiproofMerge(sha256, size);
  const rest = asyncIterator(nodes);
  let next = await rest.next();
  for await (const { index, hash } of leaves) {
    while (!next.done && next.value.node.index * 2 ** next.value.node.level < index) {
      merge.node(next.value.node, next.value.hash);
      next = await rest.next();
    }
    merge.leaf(index, hash);
  }
  for (; !next.done; next = await rest.next()) merge.node(next.value.node, next.value.hash);
  return merge.root();
}

async function* asyncIterator<T>(items: AsyncIterable<T> | Iterable<T>): AsyncGenerator<T, undefined> {
  yield* items;
  return undefined;
}
