/** What summary.pdf tells: plain data, gathered while the pack is written. Times are as recorded, UTC. */

/** A thing that a reader must see first: a denied or failed call, a refused or expired approval, an error. */
export type ReportException = {
  readonly seq: number;
  readonly at: string;
  readonly kind: 'denied' | 'failed' | 'refused' | 'expired' | 'error';
  readonly name: string;
  readonly detail: string;
};

/** One approval, as the summary's table tells it. */
export type ReportApproval = {
  readonly action: string;
  /** Empty where the question is not in the pack. */
  readonly askedAt: string;
  readonly status: 'approved' | 'denied' | 'expired' | 'waiting' | 'consumed';
  /** Who answered, each once. */
  readonly by: string;
  /** Of the last answer; empty where there was none. */
  readonly answeredAt: string;
  /** What the program reported of the call; empty where it reported nothing. */
  readonly outcome: string;
};

/** Decisions by what they came to. */
export type DecisionCounts = {
  readonly allow: number;
  readonly deny: number;
  readonly approve: number;
  readonly failed: number;
};

export type ReportRisk = 'low' | 'medium' | 'high' | 'critical' | 'unstated';

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
  /** Hex SHA-256 of the signing certificate. */
  readonly certificate: string;
  readonly policies: readonly { readonly version: number; readonly hash: string }[];
  readonly blobs: number;
  readonly erased: number;
  readonly approvals: {
    readonly approved: number;
    readonly denied: number;
    readonly expired: number;
    readonly waiting: number;
    readonly consumed: number;
    readonly cancelled: number;
  };
  /** Those to be listed: what went wrong or is open first, then the others, the newest first in each. */
  readonly approvalRows: readonly ReportApproval[];
  /** Where a reader finds the others: approvals.jsonl is empty when approvals were left out of the pack. */
  readonly approvalsIn: 'approvals.jsonl' | 'events.jsonl';
  readonly decisions: DecisionCounts;
  readonly risks: { readonly [K in ReportRisk]: DecisionCounts };
  readonly events: number;
  readonly sessions: number;
  readonly evals: number;
  readonly unverified: number;
  readonly samples: number;
  readonly errors: number;
  /** Names with their counts, most frequent first. */
  readonly actions: readonly { readonly name: string; readonly count: number }[];
  readonly exceptions: readonly ReportException[];
  /** All exceptions, listed or not. */
  readonly exceptionCount: number;
  readonly version: string;
};
