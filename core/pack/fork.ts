/**
 * Where two packs of one ledger tell different histories: the most records that are the same in both, and the fewest at
 * which they differ, as far as both packs hold something to compare. Format: docs/spec/pack.md, "Older packs".
 * Compared are the roots that each pack proves of earlier sizes, and the records that both hold. Memory: a record of each.
 */
import { equalBytes, fromBase64, fromUtf8 } from '../proof/bytes.ts';
import { type Checkpoint, parseCheckpoint } from '../proof/checkpoint.ts';
import type { Sha256 } from '../proof/hash.ts';
import type { JsonObject } from '../proof/jcs.ts';
import { parseNote } from '../proof/note.ts';
import { earlierRoot, isFull, verifyConsistency } from '../proof/tree.ts';
import { Findings } from './findings.ts';
import { RecordSource, TreeCheck } from './merge.ts';
import type { PackReader } from './older.ts';
import { type ShownRecord, shownOf } from './places.ts';
import type { ReadRecord } from './records.ts';

export type Fork = {
  /** The first so many records are the same in both. */
  same: number;
  /** The first so many are not. */
  differs: number;
  /** The first record that both packs hold and that differs. */
  older?: ShownRecord;
  newer?: ShownRecord;
};

/** Proofs of a pack that are compared. */
const MOST_PROOFS = 400;

export type Side = { readonly checkpoint: Checkpoint; readonly reader: PackReader };

/** `differs` is at first what made the two part: a size at which their roots are known to differ. */
export async function forkOf(sha256: Sha256, older: Side, newer: Side, differs: number): Promise<Fork> {
  const fork: Fork = { same: 0, differs };
  const [a, b] = [await provedRoots(sha256, older), await provedRoots(sha256, newer)];
  const note = (size: number, equal: boolean): void => {
    if (equal && size < fork.differs) fork.same = Math.max(fork.same, size);
    else if (!equal) fork.differs = Math.min(fork.differs, size);
  };
  for (const [one, other, of] of [[a, b, newer] as const, [b, a, older] as const]) {
    for (const [size, { root }] of one) {
      const known = other.get(size);
      if (root === undefined || known === undefined) continue;
      if (known.root !== undefined) note(size, equalBytes(root, known.root));
      else note(size, verifyConsistency(sha256, claimOf(size, root, of.checkpoint), known.proof));
    }
  }
  await compareRecords(sha256, older, newer, fork);
  fork.same = Math.min(fork.same, fork.differs - 1);
  return fork;
}

const claimOf = (first: number, root1: Uint8Array, { size, root }: Checkpoint) => ({
  first,
  second: size,
  root1,
  root2: root,
});

/** What a pack proves of sizes up to its own. A proof from a full subtree says its root only to who knows it. */
async function provedRoots(
  sha256: Sha256,
  { checkpoint, reader }: Side,
): Promise<Map<number, { root: Uint8Array | undefined; proof: Uint8Array[] }>> {
  const roots = new Map<number, { root: Uint8Array | undefined; proof: Uint8Array[] }>([
    [checkpoint.size, { root: checkpoint.root, proof: [] }],
  ]);
  let read = 0;
  for (const path of reader.paths) {
    const [, first] = new RegExp(`^consistency/([0-9]{1,16})-${checkpoint.size}$`).exec(path) ?? [];
    const size = Number(first);
    if (first === undefined || size < 1 || size >= checkpoint.size || read++ >= MOST_PROOFS) continue;
    try {
      const proof = fromUtf8((await reader.read(path)) ?? new Uint8Array(0))
        .split('\n')
        .slice(0, -1)
        .map(fromBase64);
      const root = earlierRoot(
        sha256,
        { first: size, second: checkpoint.size, root2: checkpoint.root },
        proof,
      );
      if (root !== undefined) roots.set(size, { root, proof });
      else if (isFull(size))
        roots.set(size, { root: await anchored(sha256, reader, checkpoint, size, proof), proof });
    } catch {
      // A proof that cannot be read proves nothing.
    }
  }
  return roots;
}

async function anchored(
  sha256: Sha256,
  reader: PackReader,
  checkpoint: Checkpoint,
  size: number,
  proof: Uint8Array[],
): Promise<Uint8Array | undefined> {
  const note = await reader.read(`anchors/${size}.note`);
  if (note === undefined) return undefined;
  const { root } = parseCheckpoint(parseNote(note).text);
  return verifyConsistency(sha256, claimOf(size, root, checkpoint), proof) ? root : undefined;
}

/** The records of a pack by rising seq. */
async function* recordsOf(reader: PackReader): AsyncGenerator<ReadRecord, void> {
  const nobody = new Findings();
  const sources = (['events', 'extras', 'heads'] as const).map(
    file => new RecordSource(file, reader.stream(`${file}.jsonl`), nobody),
  );
  for (const source of sources) await source.advance();
  for (;;) {
    let next: RecordSource | undefined;
    for (const source of sources) {
      if (source.record === undefined) continue;
      if (next?.record === undefined || source.record.head.seq < next.record.head.seq) next = source;
    }
    if (next?.record === undefined) return;
    yield next.record;
    if (!next.advanceNow()) await next.advance();
  }
}

/** Records of the older pack count only where they give the root of its checkpoint; those of this one were judged already. */
async function compareRecords(sha256: Sha256, older: Side, newer: Side, fork: Fork): Promise<void> {
  const nobody = new Findings();
  const tree = new TreeCheck(sha256, older.reader, older.checkpoint.size, nobody);
  await tree.start();
  const others = recordsOf(newer.reader);
  let other = await others.next();
  let same = 0;
  let parts: { older: ReadRecord; newer: ReadRecord } | undefined;
  for await (const record of recordsOf(older.reader)) {
    await tree.leaf(record);
    if (parts !== undefined) continue;
    while (other.done !== true && other.value.head.seq < record.head.seq) other = await others.next();
    if (other.done === true || other.value.head.seq !== record.head.seq) continue;
    if (other.value.seal.hash_self === record.seal.hash_self) same = record.head.seq + 1;
    else parts = { older: record, newer: other.value };
  }
  const root = await tree.root();
  if (root === undefined || !equalBytes(root, older.checkpoint.root)) return;
  if (parts !== undefined && parts.older.head.seq < fork.differs) {
    fork.differs = parts.older.head.seq + 1;
    fork.older = shownRecord(parts.older);
    fork.newer = shownRecord(parts.newer);
  }
  // Each record names the hash of the one before it: those before an equal one are equal.
  if (same < fork.differs) fork.same = Math.max(fork.same, same);
}

const shownRecord = ({ where, value }: ReadRecord): ShownRecord => shownOf(where, value as JsonObject, true);
