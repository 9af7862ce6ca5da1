/** Figures for the first page, from recorded events alone; hours and counts are those of received_at. */
import type { OutputOf } from '../../../core/api/operations.ts';
import type { Handlers } from '../handler.ts';

const DAY_MS = 86_400_000;
const DEFAULT_DAYS = 7;

type Overview = OutputOf<'overview'>;
type HourRow = {
  hour_us: number;
  events: number;
  allow: number;
  deny: number;
  approve: number;
  failed: number;
  unverified: number;
};
type AppRow = { app_id: string; events: number; runs: number; last_us: number };
type ApprovalRow = { status: string; count: number };
type ExceptionRow = {
  seq: number;
  run_id: string;
  app_id: string;
  name: string | null;
  decision: string;
  at_us: number;
  body: string | null;
};

const iso = (us: number): string => new Date(us / 1000).toISOString();

/** Reasons as the decision's record says them; none where its body was erased. */
function reasonsOf(body: string | null): string[] {
  if (body === null) return [];
  const { decision } = JSON.parse(body) as { decision?: { reasons?: unknown } };
  return Array.isArray(decision?.reasons) ? decision.reasons.map(String) : [];
}

const states: Record<string, string> = {
  deny: 'denied',
  approve: 'waiting',
  failed: 'failed',
  allow: 'allowed',
};

export const overviewHandlers: Pick<Handlers, 'overview'> = {
  async overview({ open, host }, { query }): Promise<Overview> {
    const { read } = open.ledger;
    const from = (host.clock.now() - (query.days ?? DEFAULT_DAYS) * DAY_MS) * 1000;
    const [hours, apps, approvals, exceptions, attributes] = await Promise.all([
      read.query<HourRow>('overview.hours', { from }),
      read.query<AppRow>('overview.apps', { from }),
      read.query<ApprovalRow>('overview.approvals', { from: iso(from) }),
      read.query<ExceptionRow>('overview.exceptions', { from }),
      read.query<{ name: string; count: number }>('overview.attributes'),
    ]);
    const sum = (member: Exclude<keyof HourRow, 'hour_us'>): number =>
      hours.reduce((total, row) => total + row[member], 0);
    const status = (name: string): number => approvals.find(row => row.status === name)?.count ?? 0;
    return {
      events: sum('events'),
      runs: apps.reduce((total, row) => total + row.runs, 0),
      apps: apps.length,
      decisions: { allow: sum('allow'), deny: sum('deny'), approve: sum('approve'), failed: sum('failed') },
      approvals: {
        waiting: status('waiting'),
        approved: status('approved') + status('consumed'),
        denied: status('denied'),
        expired: status('expired'),
      },
      by_hour: hours.map(({ hour_us, events, allow, deny, approve, failed }) => ({
        hour: iso(hour_us),
        events,
        allow,
        deny,
        approve,
        failed,
      })),
      by_app: apps.map(row => ({
        app_id: row.app_id,
        events: row.events,
        runs: row.runs,
        last_at: iso(row.last_us),
      })),
      latest_exceptions: exceptions.map(row => ({
        seq: row.seq,
        run_id: row.run_id,
        app_id: row.app_id,
        name: row.name ?? '',
        state: states[row.decision] ?? row.decision,
        at: iso(row.at_us),
        reasons: reasonsOf(row.body),
      })),
      unverified_events: sum('unverified'),
      unknown_attributes: attributes,
    };
  },
};
