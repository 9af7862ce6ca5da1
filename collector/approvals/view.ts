/**
 * How approvals are read, from any connection: SQL and the row -> ApprovalView mapping. The reader thread uses both
 * for `approval` and `approvals`; the writer's commands answer with the same.
 */
import { createHash } from 'node:crypto';
import type { ApprovalView } from '../../core/api/views.ts';
import { runId } from '../../core/proof/record.ts';

export type ApprovalRow = {
  id: string;
  decision_id: string;
  decision_seq: number;
  app_id: string;
  key_id: string;
  session_id: string;
  actor_id: string;
  action: string;
  risk: ApprovalView['risk'];
  payload: string;
  context: string | null;
  reasons: string;
  policy_version: number;
  policy_hash: string;
  args_digest: string;
  nonce: string;
  binding_hash: string;
  status: ApprovalView['status'];
  asked_seq: number;
  asked_at: string;
  expires_at: string;
  answered_at: string | null;
  answered_by: string | null;
  comment: string | null;
  signed_in: 'none' | 'page' | 'collector' | null;
  intent_id: string | null;
  grant_expires_at: string | null;
  outcome: 'ok' | 'error' | null;
};

const FROM = `SELECT a.*, d.seq AS decision_seq, d.outcome AS outcome
  FROM approval a JOIN decision d ON d.id = a.decision_id WHERE a.tenant_id = $tenant`;
const LISTED = {
  waiting: "a.status = 'waiting'",
  answered: "a.status <> 'waiting'",
  all: 'TRUE',
} as const;

export type ApprovalList = keyof typeof LISTED;

/** Parameters: $tenant, $id. */
export const SELECT_APPROVAL = `${FROM} AND a.id = $id`;
/** Parameters: $tenant. One row {total}. */
export const countApprovals = (list: ApprovalList): string =>
  `SELECT count(*) AS total FROM approval a WHERE a.tenant_id = $tenant AND ${LISTED[list]}`;
/**
 * Parameters: $tenant, $limit, and $seq: the asked_seq of the last row of the page before (null for the first page).
 * Waiting ones come oldest first, the others newest first; asked_seq is unique, so pages neither skip nor repeat.
 */
export const listApprovals = (list: ApprovalList): string =>
  list === 'waiting'
    ? `${FROM} AND ${LISTED[list]} AND ($seq IS NULL OR a.asked_seq > $seq) ORDER BY a.asked_seq LIMIT $limit`
    : `${FROM} AND ${LISTED[list]} AND ($seq IS NULL OR a.asked_seq < $seq) ORDER BY a.asked_seq DESC LIMIT $limit`;

/** Named queries for ReadLedger.query: the reader thread registers them as they are. */
export const approvalQueries = {
  'approvals.next_expiry': `SELECT min(expires_at) AS at FROM approval WHERE status IN ('waiting', 'approved')`,
} as const;

const sha256 = (data: Uint8Array): Uint8Array => createHash('sha256').update(data).digest();

/** `outcome` is `unknown` from the grant on until the caller reports what came of the call. */
export function approvalView(row: ApprovalRow): ApprovalView {
  const outcome = row.outcome ?? (row.status === 'consumed' ? 'unknown' : undefined);
  return {
    id: row.id,
    decision_id: row.decision_id,
    decision_seq: row.decision_seq,
    app_id: row.app_id,
    session_id: row.session_id,
    run_id: runId(sha256, row.app_id, row.session_id),
    actor_id: row.actor_id,
    action: row.action,
    risk: row.risk,
    payload: JSON.parse(row.payload),
    ...(row.context === null ? {} : { context: JSON.parse(row.context) }),
    reasons: JSON.parse(row.reasons) as string[],
    status: row.status,
    asked_at: row.asked_at,
    expires_at: row.expires_at,
    ...(row.answered_at === null ? {} : { answered_at: row.answered_at }),
    ...(row.answered_by === null ? {} : { answered_by: row.answered_by }),
    ...(row.comment === null ? {} : { comment: row.comment }),
    ...(row.signed_in === null ? {} : { signed_in: row.signed_in }),
    ...(outcome === undefined ? {} : { outcome }),
    policy: { version: row.policy_version, hash: row.policy_hash },
  };
}
