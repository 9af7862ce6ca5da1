/** What a scope holds, counted from its records before anything is exported or recorded. */
import type { PackCounts } from '../../core/api/views.ts';
import { Approvals } from '../../core/pack/approvals.ts';
import { blobRefs } from '../../core/pack/blobs.ts';
import { hmacOf } from '../../core/pack/hmac.ts';
import { ReportFigures } from '../../core/pack/report_figures.ts';
import { Sessions } from '../../core/pack/sessions.ts';
import type { PackLine } from '../ledger/pack-lines.ts';
import type { ScopeRange } from '../ports.ts';
import { sha256 } from '../sha256.ts';

const PAGE = 500;

/** What is read; `scope`: as the ledger has it. */
export type Counted = {
  readonly ledgerId: string;
  readonly tenantId: string;
  readonly scope: Pick<ScopeRange, 'firstAppSeq' | 'lastAppSeq' | 'count'>;
  lines(appId: string, from: number, to: number): Promise<readonly PackLine[]>;
};

/** Reads every record of the scope. */
export async function countScope(appId: string, { scope, ...source }: Counted): Promise<PackCounts> {
  const approvals = new Approvals(sha256, hmacOf(sha256), source);
  const figures = new ReportFigures(new Sessions(sha256));
  const named = new Set<string>();
  for (let from = scope.firstAppSeq; scope.count > 0 && from <= scope.lastAppSeq; from += PAGE) {
    const to = Math.min(from + PAGE - 1, scope.lastAppSeq);
    for (const { line, value, blobs } of await source.lines(appId, from, to)) {
      if (line === undefined) continue;
      approvals.take(value, true, '');
      figures.take(value);
      if (blobs) for (const { sha256: digest } of blobRefs(value)) named.add(digest);
    }
  }
  const { runs: sessions, evals, unverified } = figures.figures([]);
  return {
    events: scope.count,
    sessions,
    decisions: { ...approvals.decisions },
    approvals: approvals.counts(),
    evals,
    blobs: named.size,
    unverified,
  };
}
