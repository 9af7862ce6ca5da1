/** What summary.pdf tells: plain data, gathered while the pack is written. Times are as recorded, UTC. */

/** A thing that a reader must see first: a denied or failed call, a refused or expired approval, an error. */
export type ReportException = {
  readonly seq: number;
  readonly at: string;
  readonly kind: 'denied' | 'failed' | 'refused' | 'expired' | 'error';
  readonly name: string;
  readonly detail: string;
};

export type ReportFacts = {
  readonly ledgerId: string;
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
  };
  readonly decisions: {
    readonly allow: number;
    readonly deny: number;
    readonly approve: number;
    readonly failed: number;
  };
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
