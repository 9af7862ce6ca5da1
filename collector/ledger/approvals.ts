/** The approvals' queue as the reader answers it, by the statements of collector/approvals/view.ts. */
import { TrailmixError } from '../../core/api/errors.ts';
import type { ApprovalView } from '../../core/api/views.ts';
import {
  type ApprovalList,
  type ApprovalRow,
  approvalView,
  countApprovals,
  listApprovals,
  SELECT_APPROVAL,
} from '../approvals/view.ts';
import type { ReadLedger } from '../ports.ts';
import type { Connection } from './database.ts';
import { MOST_ITEMS } from './search.ts';

const DEFAULT_LIMIT = 100;

export function approvalReader(db: Connection, tenant: string) {
  return {
    approval(id: string): ApprovalView | undefined {
      const row = db.prepare<[Record<string, unknown>], ApprovalRow>(SELECT_APPROVAL).get({ tenant, id });
      return row === undefined ? undefined : approvalView(row);
    },
    approvals(query: {
      status?: ApprovalList;
      cursor?: string;
      limit?: number;
    }): Awaited<ReturnType<ReadLedger['approvals']>> {
      const list = query.status ?? 'all';
      const limit = Math.min(query.limit ?? DEFAULT_LIMIT, MOST_ITEMS);
      if (query.cursor !== undefined && !/^\d{1,15}$/.test(query.cursor)) {
        throw new TrailmixError('input_invalid', {
          where: 'cursor',
          message: 'cursor must be the `next` of an answer',
        });
      }
      const seq = query.cursor === undefined ? null : Number(query.cursor);
      return db.transaction(() => {
        const rows = db
          .prepare<[Record<string, unknown>], ApprovalRow>(listApprovals(list))
          .all({ tenant, seq, limit: limit + 1 });
        const items = rows.slice(0, limit);
        const last = rows.length > limit ? items.at(-1) : undefined;
        const { total } = db
          .prepare<[Record<string, unknown>], { total: number }>(countApprovals(list))
          .get({ tenant })!;
        return {
          items: items.map(approvalView),
          total,
          ...(last === undefined ? {} : { next: String(last.asked_seq) }),
        };
      })();
    },
  };
}
