/**
 * What summary.pdf tells: plain data, gathered when the records of the pack have passed. Times are as recorded, UTC.
 * Everything that is counted from records is in `figures`, which the document carries and the verifier makes again.
 */
import type { Figures } from '../../../core/pack/report_figures.ts';
import type { FileDiff } from './diff.ts';

export type ReportPolicy = {
  readonly version: number;
  readonly hash: string;
  /** Of its activation. */
  readonly seq: number;
  readonly at: string;
  readonly files: number;
  /** Who saved and activated it, and whether two were asked for; empty where the records do not say. */
  readonly words: string;
  /** Against the version before it in the pack; absent for the first, and where sources are not in the pack. */
  readonly diff?: readonly FileDiff[];
};

export type ReportFacts = {
  readonly ledgerId: string;
  /** Where the ledger continues from a backup: which ledger it was, and what may be lost. */
  readonly restored?: string;
  readonly tenantId: string;
  readonly appId: string;
  readonly requested: { readonly from: string; readonly to: string };
  readonly from: string;
  readonly to: string;
  readonly firstAppSeq: number;
  readonly lastAppSeq: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly hasBefore: boolean;
  readonly hasAfter: boolean;
  /** `root` is hex; `at` dates the summary. */
  readonly checkpoint: { readonly size: number; readonly root: string; readonly at: string };
  readonly chainHead: { readonly seq: number; readonly hash: string };
  readonly custody: string;
  /** `sha256` hex, of the signing certificate; `issuer` is absent where it is self-made. */
  readonly certificate: { readonly sha256: string; readonly issuer?: string };
  /** By version. */
  readonly policies: readonly ReportPolicy[];
  /** Whether the pack holds the sources of its policies. */
  readonly hasSources: boolean;
  readonly blobs: number;
  readonly erased: number;
  /** Checkpoints of earlier packs that this one is proved to continue. */
  readonly continues: readonly number[];
  /** Checkpoints with a stamp of an outside party. */
  readonly anchors: number;
  /** Where a reader finds the approvals: approvals.jsonl is empty when they were left out of the pack. */
  readonly approvalsIn: 'approvals.jsonl' | 'events.jsonl';
  /** The steps of README-VERIFY.txt with their commands. */
  readonly steps: readonly { readonly title: string; readonly commands: readonly string[] }[];
  /** How whole the records are, in sentences. */
  readonly wholeness: readonly string[];
  readonly figures: Figures;
  readonly version: string;
};
