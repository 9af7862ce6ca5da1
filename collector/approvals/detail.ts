/** What an approver needs beside the question, as the reader answers it (core/api/approval_operations.ts, approvalDetail). */

import type Database from 'better-sqlite3';
import type { OutputOf } from '../../core/api/operations.ts';
import { formatMicros } from '../../core/event/time.ts';
import { runId } from '../../core/proof/record.ts';
import { statement } from '../ledger/statements.ts';
import { enrolledCount } from '../people/standing.ts';
import { sha256 } from '../sha256.ts';
import { type Answerer, answererOf, qualificationOf } from './answerer.ts';
import {
  type AnswerRow,
  type ApprovalRow,
  answersOf,
  approvalView,
  approversOf,
  isGiven,
  SELECT_APPROVAL,
} from './view.ts';

type Detail = OutputOf<'approvalDetail'>;

/** Most steps of the session that are shown; `more` says how many came before. */
const MOST_STEPS = 50;
/** The newest comments, and openings. */
const MOST_COMMENTS = 500;
const STATUSES = ['', 'ok', 'error'] as const;

const PREVIOUS = `SELECT id, asked_seq, answered_at, payload FROM approval
  WHERE tenant_id = ? AND app_id = ? AND action = ? AND status IN ('approved', 'consumed') AND asked_seq < ?
  ORDER BY asked_seq DESC LIMIT 1`;
const STEPS = `SELECT s.seq, s.start_us, s.kind, r.event_type, s.name, s.status, s.decision
  FROM span s JOIN record r ON r.seq = s.seq WHERE s.run = $run AND s.seq < $seq ORDER BY s.seq DESC LIMIT ${MOST_STEPS}`;

export function approvalDetail(
  db: Database.Database,
  tenant: string,
  id: string,
  now: string,
  who: string | undefined,
): Detail | undefined {
  const row = statement(db, SELECT_APPROVAL).get({ tenant, id }) as ApprovalRow | undefined;
  if (row === undefined) return undefined;
  const answers = answersOf(db, id);
  const answerer = who === undefined ? undefined : answererOf(db, tenant, who, now);
  const comments = statement(
    db,
    `SELECT by, at, text, seq FROM approval_comment WHERE approval_id = ? ORDER BY seq DESC LIMIT ${MOST_COMMENTS}`,
  ).all(id) as Detail['comments'];
  const opened = statement(
    db,
    `SELECT by, opened_at AS at, seq FROM approval_review WHERE approval_id = ? ORDER BY seq DESC LIMIT ${MOST_COMMENTS}`,
  ).all(id) as Detail['opened'];
  const previous = previousOf(db, row);
  return {
    approval: approvalView(db, row),
    ...(previous === undefined ? {} : { previous }),
    session: sessionBefore(db, row),
    comments: comments.reverse(),
    opened: opened.reverse(),
    may: mayOf(db, tenant, row, answers, answerer, now),
    still_needed: stillNeeded(db, tenant, row, answers, answerer),
  };
}

function previousOf(db: Database.Database, row: ApprovalRow): Detail['previous'] {
  const found = statement(db, PREVIOUS).get(row.tenant_id, row.app_id, row.action, row.asked_seq) as
    | { id: string; asked_seq: number; answered_at: string | null; payload: string }
    | undefined;
  if (found === undefined) return undefined;
  return {
    id: found.id,
    seq: found.asked_seq,
    at: found.answered_at ?? '',
    payload: JSON.parse(found.payload) as unknown,
    by: [...approversOf(answersOf(db, found.id))],
  };
}

function sessionBefore(db: Database.Database, row: ApprovalRow): Detail['session'] {
  const run = statement(db, 'SELECT run FROM run WHERE run_id = ?').get(
    runId(sha256, row.app_id, row.session_id),
  ) as { run: number } | undefined;
  if (run === undefined) return { more: 0, items: [] };
  const before = { run: run.run, seq: row.decision_seq };
  const { total } = statement(db, 'SELECT count(*) AS total FROM span WHERE run = $run AND seq < $seq').get(
    before,
  ) as { total: number };
  const steps = statement(db, STEPS).all(before) as {
    seq: number;
    start_us: number;
    kind: string;
    event_type: string;
    name: string | null;
    status: number;
    decision: string | null;
  }[];
  return {
    more: total - steps.length,
    items: steps.reverse().map(step => ({
      seq: step.seq,
      at: formatMicros(step.start_us),
      kind: step.kind,
      type: step.event_type,
      name: step.name ?? '',
      ...(step.status === 0 ? {} : { status: STATUSES[step.status]! }),
      ...(step.decision === null ? {} : { decision: step.decision }),
    })),
  };
}

/** Why nobody can answer it any more; undefined while somebody can. */
function endedCode(row: ApprovalRow, now: string): string | undefined {
  if (row.status === 'consumed') return 'approval_consumed';
  if (row.status === 'denied' || row.status === 'cancelled') return 'approval_closed';
  if (row.status === 'expired' || row.expires_at <= now) return 'approval_expired';
  return undefined;
}

/** A code with roles: approving is no longer for this person, refusing still is. */
function mayOf(
  db: Database.Database,
  tenant: string,
  row: ApprovalRow,
  answers: readonly AnswerRow[],
  answerer: Answerer | undefined,
  now: string,
): Detail['may'] {
  const ended = endedCode(row, now);
  if (ended !== undefined) return { answer: false, code: ended, roles: [] };
  if (answerer === undefined) {
    if (enrolledCount(db, tenant) > 0) return { answer: false, code: 'sign_in_needed', roles: [] };
    return row.status === 'waiting'
      ? { answer: true, roles: [] }
      : { answer: false, code: 'approval_closed', roles: [] };
  }
  const required = JSON.parse(row.required_roles) as string[];
  const { code, roles, onBehalf } = qualificationOf(answerer, row.actor_id, required);
  const done = approversOf(answers).has(answerer.person.id)
    ? 'approval_answered'
    : row.status === 'approved'
      ? 'approval_closed'
      : undefined;
  const why = code ?? done;
  return {
    answer: why === undefined,
    ...(why === undefined ? {} : { code: why }),
    roles,
    ...(onBehalf.length === 0 ? {} : { on_behalf_of: onBehalf }),
  };
}

function stillNeeded(
  db: Database.Database,
  tenant: string,
  row: ApprovalRow,
  answers: readonly AnswerRow[],
  answerer: Answerer | undefined,
): number {
  if (row.status !== 'waiting' || isGiven(row.required_k, answers)) return 0;
  const alone = answerer?.alone === true || enrolledCount(db, tenant) === 0;
  return alone ? 1 : Math.max(row.required_k - approversOf(answers).size, 0);
}
