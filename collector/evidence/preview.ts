/** What a scope holds, counted from its records before anything is exported or recorded. */
import { TrailmixError } from '../../core/api/errors.ts';
import type { PackCounts } from '../../core/api/views.ts';
import { Approvals } from '../../core/pack/approvals.ts';
import { blobRefs } from '../../core/pack/blobs.ts';
import { hmacOf } from '../../core/pack/hmac.ts';
import { ReportFigures } from '../../core/pack/report_figures.ts';
import type { JsonObject } from '../../core/proof/jcs.ts';
import type { ExportRequest } from '../http/services.ts';
import { sha256 } from '../sha256.ts';
import type { PackSource } from './source.ts';
import { windowOf } from './window.ts';

const PAGE = 500;

/** Throws ts_invalid, scope_empty, app_unknown. Reads every record of the scope. */
export async function previewScope(source: PackSource, request: ExportRequest): Promise<PackCounts> {
  const window = windowOf(request);
  const scope = await source.scope(
    window.appId,
    window.from,
    window.to,
    request.at ?? Number.MAX_SAFE_INTEGER,
  );
  if (scope === undefined) throw new TrailmixError('app_unknown', { where: '/app_id' });
  const approvals = new Approvals(sha256, hmacOf(sha256), source);
  const figures = new ReportFigures();
  const blobs = new Set<string>();
  for (let from = scope.firstSeq; scope.count > 0 && from <= scope.lastSeq; from += PAGE) {
    const records = await source.records(from, Math.min(from + PAGE - 1, scope.lastSeq));
    for (const record of records) {
      if (record.app_id !== window.appId || record.source === undefined) continue;
      const value = record as JsonObject;
      approvals.take(value, true, '');
      figures.take(value);
      for (const { sha256: digest } of blobRefs(value)) blobs.add(digest);
    }
  }
  const { runs: sessions, evals, unverified } = figures.figures([]);
  return {
    events: scope.count,
    sessions,
    decisions: { ...approvals.decisions },
    approvals: approvals.counts(),
    evals,
    blobs: blobs.size,
    unverified,
  };
}
