/**
 * How approvals are read, from any connection: rows, and their mapping to ApprovalView. The reader thread and the
 * writer's commands answer with the same.
 */

import type Database from 'better-sqlite3';
import type { ApprovalView } from '../../core/api/views.ts';
import { runId } from '../../core/proof/record.ts';
import { statement } from '../ledger/statements.ts';
import { approverCount } from '../people/standing.ts';
import { sha256 } from '../sha256.ts';

export type ApprovalRow = {
  id: string;
  decision_id: string;
  decision_seq: number;
  tenant_id: string;
  app_id: string;
  key_id: string;
  session_id: string;
  actor_id: string;
  action: string;
  risk: ApprovalView['risk'];
  payload: string;
  context: string | null;
  reasons: string;
  rules: string | null;
  required_k: number;
  required_roles: string;
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
  use_id: string | null;
  outcome: 'ok' | 'error' | null;
};

export type AnswerRow = {
  seq: number;
  approval_id: string;
  by: string;
  name: string | null;
  role: string | null;
  verdict: 'approve' | 'deny';
  at: string;
  signed_in: 'none' | 'page' | 'collector';
  four_eyes: 0 | 1;
  seconds: number | null;
  min_met: 0 | 1 | null;
  challenge: string | null;
  attempts: number | null;
  shown_characters: number | null;
  on_behalf_of: string | null;
  comment: string | null;
};

/** What an approval's row and its decision's say. Parameters: $tenant, $id. */
export const SELECT_APPROVAL = `SELECT a.*, d.seq AS decision_seq, d.outcome AS outcome
  FROM approval a JOIN decision d ON d.id = a.decision_id WHERE a.tenant_id = $tenant AND a.id = $id`;

/** Named queries for ReadLedger.query: the reader thread registers them as they are. */
export const approvalQueries = {
  'approvals.next_expiry': `SELECT min(expires_at) AS at FROM approval WHERE status IN ('waiting', 'approved')`,
} as const;

const ANSWERS = 'SELECT * FROM approval_answer WHERE approval_id = ? ORDER BY seq';

export const answersOf = (db: Database.Database, approvalId: string): AnswerRow[] =>
  statement(db, ANSWERS).all(approvalId) as AnswerRow[];

/** People who approve so far: a person counts once, and not at all once they denied. */
export function approversOf(answers: readonly AnswerRow[]): Set<string> {
  const approvers = new Set<string>();
  for (const { by, verdict } of answers) {
    if (verdict === 'approve') approvers.add(by);
    else approvers.delete(by);
  }
  return approvers;
}

/** Whether what was answered is enough: k people, or one answer that was given while four-eyes was not in force. */
export function isGiven(requiredK: number, answers: readonly AnswerRow[]): boolean {
  if (answers.some(({ verdict }) => verdict === 'deny')) return false;
  return (
    approversOf(answers).size >= requiredK ||
    answers.some(({ verdict, four_eyes }) => verdict === 'approve' && four_eyes === 0)
  );
}

const answerView = (row: AnswerRow): NonNullable<ApprovalView['answers']>[number] => ({
  by: row.by,
  ...(row.name === null ? {} : { name: row.name }),
  ...(row.role === null ? {} : { role: row.role }),
  verdict: row.verdict,
  at: row.at,
  ...(row.seconds === null ? {} : { seconds: row.seconds }),
  ...(row.comment === null ? {} : { comment: row.comment }),
  signed_in: row.signed_in,
  ...(row.on_behalf_of === null ? {} : { on_behalf_of: row.on_behalf_of }),
  seq: row.seq,
});

/**
 * `outcome` is `unknown` from the grant on until the caller reports what came of the call. `four_eyes` says what was in
 * force for the answers; while there is none, what is in force now.
 */
export function approvalView(
  db: Database.Database,
  row: ApprovalRow,
  inForce = () => approverCount(db, row.tenant_id) >= 2,
): ApprovalView {
  const outcome = row.outcome ?? (row.status === 'consumed' ? 'unknown' : undefined);
  const answers = answersOf(db, row.id);
  const fourEyes = answers.length === 0 ? inForce() : answers.every(({ four_eyes }) => four_eyes === 1);
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
    required: { k: row.required_k, roles: JSON.parse(row.required_roles) as string[] },
    approved_by: approversOf(answers).size,
    four_eyes: fourEyes,
    answers: answers.map(answerView),
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
