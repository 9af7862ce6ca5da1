/**
 * The tree's stored part: full subtrees from level 8 up (a row per 256 leaves), everything below recomputed from
 * hash_self. The writer keeps the last, unfinished block in memory. Format: docs/spec/tree.md.
 */

import { hash } from 'node:crypto';
import { Frontier, fullNodes, type Hash } from '../../core/proof/tree.ts';
import { sha256 } from '../sha256.ts';
import type { Connection } from './database.ts';

/** Lowest level that has rows. */
export const STORED_LEVEL = 8;
export const BLOCK = 2 ** STORED_LEVEL;

const leafInput = Buffer.alloc(33);
const nodeInput = Buffer.alloc(65, 1);

function leafOf(hashSelf: Uint8Array): Buffer {
  leafInput.set(hashSelf, 1);
  return hash('sha256', leafInput, 'buffer');
}

function join(left: Uint8Array, right: Uint8Array): Buffer {
  nodeInput.set(left, 1);
  nodeInput.set(right, 33);
  return hash('sha256', nodeInput, 'buffer');
}

/** Hash of the full subtree over 2^n values of hash_self. */
export function subtree(hashSelfs: readonly Uint8Array[]): Buffer {
  let row = hashSelfs.map(leafOf);
  while (row.length > 1) {
    const next: Buffer[] = [];
    for (let i = 0; i < row.length; i += 2) next.push(join(row[i]!, row[i + 1]!));
    row = next;
  }
  return row[0]!;
}

type NodeSql = { treeNode: string; hashesFrom: string };

/** Reads the hash of any full node from rows and records. Undefined where the ledger does not reach. */
export function nodeReader(
  db: Connection,
  sql: NodeSql,
): (level: number, index: number) => Buffer | undefined {
  const stored = db.prepare<[number, number], { hash: Buffer }>(sql.treeNode);
  const hashes = db.prepare<[number, number], { hash_self: Buffer }>(sql.hashesFrom);
  return (level, index) => {
    if (level >= STORED_LEVEL) return stored.get(level, index)?.hash;
    const width = 2 ** level;
    const rows = hashes.all(index * width, (index + 1) * width);
    return rows.length === width ? subtree(rows.map(row => row.hash_self)) : undefined;
  };
}

/** Root of the first `size` leaves, from stored nodes. Undefined where rows are missing. */
export function rootAt(
  read: (level: number, index: number) => Buffer | undefined,
  size: number,
): Hash | undefined {
  const hashes: Buffer[] = [];
  for (const { level, index } of fullNodes(0, size)) {
    const node = read(level, index);
    if (node === undefined) return undefined;
    hashes.push(node);
  }
  return new Frontier(sha256, size, hashes).root();
}

/** The growing edge: rows are made as blocks fill; the root is made when a checkpoint wants it. */
export class Merkle {
  readonly #db: Connection;
  readonly #sql: NodeSql & { insertTree: string };
  #size = 0;
  /** hash_self of the last, unfinished block. */
  #open: Uint8Array[] = [];
  /** Full subtrees of level 8 and up that cover the finished blocks, largest first. */
  #full: { level: number; hash: Buffer }[] = [];

  constructor(db: Connection, sql: NodeSql & { insertTree: string }, size: number) {
    this.#db = db;
    this.#sql = sql;
    this.load(size);
  }

  /** Takes the edge at `size` from the database. Throws where rows are missing. */
  load(size: number): void {
    const blocks = Math.floor(size / BLOCK);
    const stored = this.#db.prepare<[number, number], { hash: Buffer }>(this.#sql.treeNode);
    this.#full = fullNodes(0, blocks).map(({ level, index }) => {
      const row = stored.get(level + STORED_LEVEL, index);
      if (row === undefined) throw new Error(`the tree lacks node (${level + STORED_LEVEL}, ${index})`);
      return { level: level + STORED_LEVEL, hash: row.hash };
    });
    const rows = this.#db
      .prepare<[number, number], { hash_self: Buffer }>(this.#sql.hashesFrom)
      .all(blocks * BLOCK, size);
    if (rows.length !== size - blocks * BLOCK)
      throw new Error('records are missing at the end of the ledger');
    this.#open = rows.map(row => row.hash_self);
    this.#size = size;
  }

  get size(): number {
    return this.#size;
  }

  append(hashSelf: Uint8Array): void {
    this.#open.push(hashSelf);
    this.#size++;
    if (this.#open.length < BLOCK) return;
    const insert = this.#db.prepare(this.#sql.insertTree);
    let level = STORED_LEVEL;
    let position = this.#size / BLOCK - 1;
    let node = subtree(this.#open);
    insert.run(level, position, node);
    while (position % 2 === 1) {
      node = join(this.#full.pop()!.hash, node);
      level++;
      position = (position - 1) / 2;
      insert.run(level, position, node);
    }
    this.#full.push({ level, hash: node });
    this.#open = [];
  }

  /** Root over everything appended so far. */
  root(): Hash {
    const frontier = new Frontier(
      sha256,
      this.#size - this.#open.length,
      this.#full.map(node => node.hash),
    );
    for (const hashSelf of this.#open) frontier.append(leafOf(hashSelf));
    return frontier.root();
  }
}
