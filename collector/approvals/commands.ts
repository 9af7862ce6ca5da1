/**
 * Writer commands of the gate: decision, answer, use, outcome, expiry. Each is one transaction with the records it
 * makes, so a row never says what no record says. They read no clock but tx.receivedAt(). Format: docs/spec/gate.md.
 */
import { TrailmixError } from '../../core/api/errors.ts';
import type { ApprovalView } from '../../core/api/views.ts';
import type { CommandTable } from '../ledger/tx.ts';
import { answerApproval, signAnswer } from './answer.ts';
import { decide } from './decide.ts';
import { openApproval } from './open.ts';
import { approvalRow, isOver, ownSource, sql } from './recording.ts';
import { approvalEvent, byPerson } from './records.ts';
import { consumeApproval, reportOutcome } from './use.ts';
import { type ApprovalRow, approvalView } from './view.ts';

/** Most approvals that one run of expireApprovals ends; the timer comes back for the rest. */
const EXPIRY_BATCH = 500;

export const approvalCommands: Pick<
  CommandTable,
  | 'decide'
  | 'answerApproval'
  | 'openApproval'
  | 'signAnswer'
  | 'commentApproval'
  | 'cancelApproval'
  | 'consumeApproval'
  | 'reportOutcome'
  | 'expireApprovals'
> = {
  decide,
  answerApproval,
  openApproval,
  signAnswer,
  consumeApproval,
  reportOutcome,

  /** A remark that answers nothing, also once it is over. Throws approval_unknown. */
  commentApproval(tx, input) {
    const row = approvalRow(tx, input.id);
    const event = approvalEvent(
      row,
      'approval.commented',
      { by: input.by, text: input.text },
      byPerson(input.by),
    );
    const { seq, receivedAt } = tx.append({ ...event, source: input.source });
    sql(tx, 'INSERT INTO approval_comment (seq, approval_id, by, at, text) VALUES (?, ?, ?, ?, ?)').run(
      seq,
      row.id,
      input.by,
      receivedAt,
      input.text,
    );
    return { seq, at: receivedAt };
  },

  /**
   * The agent takes its question back. What has ended already stays as it is. Throws approval_unknown (also for another
   * key's), approval_consumed.
   */
  cancelApproval(tx, input): ApprovalView {
    const row = approvalRow(tx, input.id);
    if (row.key_id !== input.keyId || row.app_id !== input.appId) {
      throw new TrailmixError('approval_unknown', { where: '/id' });
    }
    if (row.status === 'consumed') throw new TrailmixError('approval_consumed');
    if ((row.status === 'waiting' || row.status === 'approved') && !isOver(tx, row)) {
      const event = approvalEvent(row, 'approval.cancelled', {
        was: row.status,
        ...(input.reason === undefined ? {} : { reason: input.reason }),
      });
      tx.append({ ...event, source: ownSource(input) });
      sql(tx, `UPDATE approval SET status = 'cancelled' WHERE id = ?`).run(row.id);
      tx.touchApproval(row.id);
    }
    return approvalView(tx.db, approvalRow(tx, row.id));
  },

  /** Ends what was neither used nor refused in time, one approval.expired each, oldest first. */
  expireApprovals(tx) {
    const rows = sql(
      tx,
      `SELECT id, decision_id, app_id, session_id, action, risk, status, expires_at, binding_hash FROM approval
       WHERE status IN ('waiting', 'approved') AND expires_at <= ? ORDER BY expires_at LIMIT ${EXPIRY_BATCH}`,
    ).all(tx.receivedAt()) as ApprovalRow[];
    for (const row of rows) {
      tx.append(approvalEvent(row, 'approval.expired', { was: row.status, expires_at: row.expires_at }));
      sql(tx, `UPDATE approval SET status = 'expired' WHERE id = ?`).run(row.id);
      tx.touchApproval(row.id);
    }
    return { expired: rows.map(row => row.id) };
  },
};
