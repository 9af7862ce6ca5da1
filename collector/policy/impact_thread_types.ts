/** What crosses between an impact job and its threads (impact_job.ts, impact_thread.ts). */
import type { PolicyWord, UnfaithfulReason } from '../../core/api/policy_views.ts';
import type { JsonObject } from '../../core/proof/jcs.ts';
import type { OpaParts } from './opa_instance.ts';
import type { Reads } from './session_state.ts';

/** Words by their place in a chunk's `from` and `to`. */
export const WORDS: readonly PolicyWord[] = ['allow', 'approve', 'deny', 'failed'];

export type ImpactPlan = {
  app: string | null;
  /** Microseconds since 1970, both included. */
  fromUs: number | null;
  toUs: number | null;
  last: number;
};
export type ImpactThreadData = OpaParts & {
  reads: Reads;
  /** [0]: which evaluation of the chunk runs, from 1 on; 0: none. */
  shared: SharedArrayBuffer;
};
export type GivenInput = { seq: number; run: number; from: PolicyWord; input: JsonObject };
export type ImpactRequest =
  | { plan: ImpactPlan }
  | { chunk: Float64Array }
  /** Rebuilt elsewhere: with blobs. */
  | { given: GivenInput[] };
/** One decision: seq, run, and both words by their place in WORDS. */
export type ImpactChunk = {
  seq: Float64Array;
  run: Float64Array;
  from: Uint8Array;
  to: Uint8Array;
  skipped: Partial<Record<UnfaithfulReason, number>>;
  /** Their value lies in blobs: for the job to rebuild. */
  blobs: { seq: number; run: number; from: PolicyWord }[];
};
export type ImpactMessage =
  | { ready: true }
  | { refused: string }
  /** Newest first; the next part is older, unless it is the last. */
  | { seqs: Float64Array; last: boolean }
  | { done: ImpactChunk };
