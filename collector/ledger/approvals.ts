/** What the reader thread answers about approvals: the modules of collector/approvals on its own connection. */
import type { ApprovalView } from '../../core/api/views.ts';
import { approvalDetail } from '../approvals/detail.ts';
import { listApprovals } from '../approvals/queue.ts';
import { reviewReport } from '../approvals/report.ts';
import { reviewSettings } from '../approvals/settings.ts';
import { type ApprovalRow, approvalView, SELECT_APPROVAL } from '../approvals/view.ts';
import type { ApprovalQuery } from '../ports.ts';
import type { Connection } from './database.ts';
import { statement } from './statements.ts';

export function approvalReader(db: Connection, tenant: string) {
  return {
    approval(id: string): ApprovalView | undefined {
      const row = statement(db, SELECT_APPROVAL).get({ tenant, id }) as ApprovalRow | undefined;
      return row === undefined ? undefined : approvalView(db, row);
    },
    approvals: (query: ApprovalQuery) => listApprovals(db, tenant, query),
    approvalDetail: (id: string, now: string, who?: string) => approvalDetail(db, tenant, id, now, who),
    reviewReport: (from: string, to: string) => reviewReport(db, tenant, from, to),
    reviewSettings: () => reviewSettings(db),
  };
}
