/** Where a pack's content comes from: the live ledger, or (in tests) records in memory. Everything is read-only. */
import type { CheckpointView, RecordView } from '../../core/api/views.ts';
import type { Ledger, ScopeRange } from '../ports.ts';
import { anchorOf } from './anchors.ts';
import { type CosignedRecord, cosignedOf } from './witnesses.ts';

export type PolicyVersion = {
  readonly version: number;
  /** dev, staging or prod; absent: prod. */
  readonly environment?: string;
  readonly hash: string;
  readonly entrypoint: string;
  readonly capabilities_sha256: string;
  readonly wasm_sha256: string;
  readonly files: readonly { readonly path: string; readonly sha256: string; readonly text: string }[];
  /** Of its policy.activated record. */
  readonly seq: number;
};

/** An earlier checkpoint with a stamp, or with lines of witnesses for its note, or both. */
export type Anchor = {
  readonly checkpoint: CheckpointView;
  readonly tsr?: Uint8Array;
  readonly lines?: readonly string[];
};

/** Lines of witnesses beside a log's own in a note. */
const MOST_LINES = 15;

export interface PackSource {
  readonly ledgerId: string;
  readonly tenantId: string;
  /** Undefined where the app is unknown below `size`. */
  scope(appId: string, from: string, to: string, size: number): Promise<ScopeRange | undefined>;
  /** Whole records of an inclusive range of seqs, in order, at most 500. */
  records(from: number, to: number): Promise<readonly RecordView[]>;
  /** JCS of the app's records of an inclusive range of seqs, each with its newline, in order. */
  lines(from: number, to: number, appId: string): Promise<string>;
  /** Lines of evals.jsonl of the records with these rising seqs. */
  evals(seqs: readonly number[]): Promise<string>;
  /** Records of the ledger itself that every pack carries, by seq. */
  ledgerRecords(size: number): Promise<readonly { seq: number; event_type: string }[]>;
  /** Seqs of a decision and all that belongs to it. */
  decisionRecords(decisionId: string, size: number): Promise<readonly number[]>;
  /** Policy versions activated below `size`, by version. */
  policies(size: number): Promise<readonly PolicyVersion[]>;
  /** Subtree hashes, in order. */
  nodes(coordinates: readonly (readonly [level: number, index: number])[]): Promise<readonly Uint8Array[]>;
  /** The checkpoint of exactly this size. */
  checkpoint(size: number): Promise<CheckpointView | undefined>;
  /** Sizes of the checkpoints of this app's earlier exports, below `size`. */
  earlierSizes(appId: string, size: number): Promise<readonly number[]>;
  /** Checkpoints that were stamped, and the stamp recorded, below `size`: the earliest stamp of each, by size. */
  anchors(size: number): Promise<readonly Anchor[]>;
  /** Lines of witnesses of the checkpoint of this size, whenever they came. */
  cosignatures?(size: number): Promise<readonly string[]>;
  blob(sha256: string): AsyncIterable<Uint8Array>;
}

export function ledgerSource(ledger: Ledger): PackSource {
  const { read, blobs, ledgerId, tenantId } = ledger;
  const tenant = tenantId;
  const cosigned = async (size: number): Promise<{ told: CosignedRecord }[]> => {
    const rows = await read.query<{ seq: number }>('evidence.cosigned', { tenant, size });
    const found: { told: CosignedRecord }[] = [];
    for (const { seq } of rows) {
      const [record] = await read.records(seq, seq, 1);
      const told = record && cosignedOf(record);
      if (told !== undefined) found.push({ told });
    }
    return found;
  };
  return {
    ledgerId,
    tenantId,
    scope: (appId, from, to, size) => read.scope(appId, from, to, size),
    records: (from, to) => read.records(from, to, 500),
    lines: (from, to, appId) => read.packLines(from, to, appId),
    evals: seqs => read.packEvals(seqs),
    ledgerRecords: size => read.query('evidence.ledger', { tenant, size }),
    async decisionRecords(decision, size) {
      const rows = await read.query<{ seq: number }>('evidence.decision', { decision, size });
      return rows.map(({ seq }) => seq);
    },
    async policies(size) {
      const rows = await read.query<Omit<PolicyVersion, 'files'> & { files: string }>('evidence.policies', {
        size,
      });
      return rows.map(row => ({ ...row, files: JSON.parse(row.files) as PolicyVersion['files'] }));
    },
    nodes: coordinates => read.nodes(coordinates.map(([level, index]) => [level, index])),
    checkpoint: size => read.checkpointAt(size),
    async earlierSizes(app, size) {
      const rows = await read.query<{ size: number | null }>('evidence.exports', { tenant, app });
      const sizes = rows.flatMap(row => (row.size !== null && row.size < size ? [row.size] : []));
      return [...new Set(sizes)].sort((a, b) => a - b);
    },
    async anchors(size) {
      const rows = await read.query<{ seq: number }>('evidence.anchors', { tenant, size });
      const found = new Map<number, Anchor>();
      // Newest first: of two stamps of one checkpoint the earlier stays.
      for (const { seq } of rows) {
        const [record] = await read.records(seq, seq, 1);
        const stamp = record && anchorOf(record);
        const checkpoint = stamp && (await read.checkpointAt(stamp.told.size));
        if (stamp === undefined || checkpoint === undefined || checkpoint.size !== stamp.told.size) continue;
        if (checkpoint.size <= size) found.set(checkpoint.size, { checkpoint, tsr: stamp.tsr });
      }
      for (const { told } of await cosigned(size)) {
        const had = found.get(told.size);
        const checkpoint = had?.checkpoint ?? (await read.checkpointAt(told.size));
        if (checkpoint === undefined || checkpoint.size !== told.size || checkpoint.size > size) continue;
        const lines = [...new Set([...(had?.lines ?? []), told.line])].sort().slice(0, MOST_LINES);
        found.set(told.size, { ...had, checkpoint, lines });
      }
      return [...found.values()].sort((a, b) => a.checkpoint.size - b.checkpoint.size);
    },
    async cosignatures(size) {
      const all = await cosigned(Number.MAX_SAFE_INTEGER);
      const lines = all.filter(({ told }) => told.size === size).map(({ told }) => told.line);
      return [...new Set(lines)].sort().slice(0, MOST_LINES);
    },
    blob: sha256 => blobs.get(tenantId, sha256),
  };
}
