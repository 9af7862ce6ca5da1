/** Where a pack's content comes from: a read connection to the ledger, or (in tests) records in memory. Everything is read-only. */
import type { CheckpointView, RecordView } from '../../core/api/views.ts';
import type { PackLine } from '../ledger/pack-lines.ts';
import type { packReadings } from '../ledger/pack-readings.ts';
import type { ScopeRange } from '../ports.ts';
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

export type PolicyRecord = {
  readonly seq: number;
  readonly event_type: string;
  readonly hash: string | null;
};

export interface PackSource {
  readonly ledgerId: string;
  readonly tenantId: string;
  /** Undefined where the app is unknown below `size`. */
  scope(appId: string, from: string, to: string, size: number): Promise<ScopeRange | undefined>;
  /** Whole records of an inclusive range of seqs, in order, at most 500. */
  records(from: number, to: number): Promise<readonly RecordView[]>;
  /** The app's records of an inclusive range of its own numbers, in order. */
  lines(appId: string, from: number, to: number): Promise<readonly PackLine[]>;
  /** Lines of evals.jsonl of all the app's records of such a range. */
  evals(appId: string, from: number, to: number): Promise<string>;
  /** Records of the ledger itself that every pack carries, by seq. */
  ledgerRecords(size: number): Promise<readonly { seq: number; event_type: string }[]>;
  /** Records on policies but activations, by seq; `hash`: the set that each is about. */
  policyRecords(size: number): Promise<readonly PolicyRecord[]>;
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

/** What is read of a ledger on the thread's own connection. */
export type LedgerReads = ReturnType<typeof packReadings> & {
  query<T>(name: string, parameters: Record<string, unknown>): T[];
  blob(sha256: string): AsyncIterable<Uint8Array>;
};

export function ledgerSource(ids: { ledgerId: string; tenantId: string }, read: LedgerReads): PackSource {
  const { ledgerId, tenantId } = ids;
  const tenant = tenantId;
  const cosigned = (size: number): { told: CosignedRecord }[] => {
    const rows = read.query<{ seq: number }>('evidence.cosigned', { tenant, size });
    const found: { told: CosignedRecord }[] = [];
    for (const { seq } of rows) {
      const [record] = read.records(seq, seq, 1);
      const told = record && cosignedOf(record);
      if (told !== undefined) found.push({ told });
    }
    return found;
  };
  return {
    ledgerId,
    tenantId,
    scope: async (appId, from, to, size) => read.scope(appId, from, to, size),
    records: async (from, to) => read.records(from, to, 500),
    lines: async (appId, from, to) => read.packLines(appId, from, to),
    evals: async (appId, from, to) => read.packEvals(appId, from, to),
    ledgerRecords: async size => read.query('evidence.ledger', { tenant, size }),
    policyRecords: async size => read.query('evidence.policyRecords', { tenant, size }),
    async decisionRecords(decision, size) {
      const rows = read.query<{ seq: number }>('evidence.decision', { decision, size });
      return rows.map(({ seq }) => seq);
    },
    async policies(size) {
      const rows = read.query<Omit<PolicyVersion, 'files'> & { files: string }>('evidence.policies', {
        size,
      });
      return rows.map(row => ({ ...row, files: JSON.parse(row.files) as PolicyVersion['files'] }));
    },
    nodes: async coordinates => read.nodes(coordinates),
    checkpoint: async size => read.checkpointAt(size),
    async earlierSizes(app, size) {
      const rows = read.query<{ size: number | null }>('evidence.exports', { tenant, app });
      const sizes = rows.flatMap(row => (row.size !== null && row.size < size ? [row.size] : []));
      return [...new Set(sizes)].sort((a, b) => a - b);
    },
    async anchors(size) {
      const rows = read.query<{ seq: number }>('evidence.anchors', { tenant, size });
      const found = new Map<number, Anchor>();
      // Newest first: of two stamps of one checkpoint the earlier stays.
      for (const { seq } of rows) {
        const [record] = read.records(seq, seq, 1);
        const stamp = record && anchorOf(record);
        const checkpoint = stamp && read.checkpointAt(stamp.told.size);
        if (stamp === undefined || checkpoint === undefined || checkpoint.size !== stamp.told.size) continue;
        if (checkpoint.size <= size) found.set(checkpoint.size, { checkpoint, tsr: stamp.tsr });
      }
      for (const { told } of cosigned(size)) {
        const had = found.get(told.size);
        const checkpoint = had?.checkpoint ?? read.checkpointAt(told.size);
        if (checkpoint === undefined || checkpoint.size !== told.size || checkpoint.size > size) continue;
        const lines = [...new Set([...(had?.lines ?? []), told.line])].sort().slice(0, MOST_LINES);
        found.set(told.size, { ...had, checkpoint, lines });
      }
      return [...found.values()].sort((a, b) => a.checkpoint.size - b.checkpoint.size);
    },
    async cosignatures(size) {
      const all = cosigned(Number.MAX_SAFE_INTEGER);
      const lines = all.filter(({ told }) => told.size === size).map(({ told }) => told.line);
      return [...new Set(lines)].sort().slice(0, MOST_LINES);
    },
    blob: read.blob,
  };
}
