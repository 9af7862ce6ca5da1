/**
 * Writer commands of the gate: decision, answer, use, outcome, expiry. Each is one transaction with the records it
 * makes, so a row never says what no record says. They read no clock but tx.receivedAt(). Format: docs/spec/gate.md.
 */
import { TrailmixError } from '../../core/api/errors.ts';
import type { ApprovalView } from '../../core/api/views.ts';
import type { CommandTable } from '../ledger/tx.ts';
import { decide } from './decide.ts';
import { approvalRow, isOver, sampleFact, sampleMark, scripted, sql } from './recording.ts';
import { consumeApproval, reportOutcome } from './use.ts';
import { type ApprovalRow, approvalView } from './view.ts';

/** Most approvals that one run of expireApprovals ends; the timer comes back for the rest. */
const EXPIRY_BATCH = 500;

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/;
const HEX_64 = /^[0-9a-f]{64}$/;

export const approvalCommands: Pick<
  CommandTable,
  'decide' | 'answerApproval' | 'consumeApproval' | 'reportOutcome' | 'expireApprovals'
> = {
  decide,
  consumeApproval,
  reportOutcome,

  /**
   * Throws approval_unknown, approval_expired, approval_closed, input_invalid. A deny ends what was approved and not
   * yet used. While no person is enrolled one unsigned answer counts, whatever k the policy asks.
   */
  answerApproval(tx, input): ApprovalView {
    if (input.shownDigest !== undefined && !HEX_64.test(input.shownDigest)) {
      throw new TrailmixError('input_invalid', {
        where: '/shown_digest',
        message: 'shown_digest must be the 64 hex characters of a SHA-256',
      });
    }
    if (input.openedAt !== undefined && !TIME.test(input.openedAt)) {
      throw new TrailmixError('input_invalid', {
        where: '/opened_at',
        message: 'opened_at must be a UTC time',
      });
    }
    const row = approvalRow(tx, input.id);
    if (
      row.status === 'expired' ||
      ((row.status === 'waiting' || row.status === 'approved') && isOver(tx, row))
    ) {
      throw new TrailmixError('approval_expired');
    }
    const open = row.status === 'waiting' || (row.status === 'approved' && input.verdict === 'deny');
    if (!open) throw new TrailmixError('approval_closed');
    const { receivedAt } = tx.append({
      appId: row.app_id,
      eventType: 'approval.answered',
      ...scripted(input.sampleTs),
      sessionId: row.session_id,
      source: input.source,
      members: {
        ...sampleMark(input.sampleTs),
        parent_id: row.decision_id,
        actor_type: 'user',
        actor_id: input.by,
        name: row.action,
        risk: row.risk,
        approval: {
          id: row.id,
          decision_id: row.decision_id,
          binding_hash: row.binding_hash,
          verdict: input.verdict,
          by: input.by,
          decided_at: tx.receivedAt(),
          signed_in: input.signedIn,
          ...(input.comment === undefined ? {} : { comment: input.comment }),
          ...(input.shownDigest === undefined ? {} : { shown_digest: input.shownDigest }),
          ...(input.openedAt === undefined ? {} : { opened_at: input.openedAt }),
        },
      },
      facts: {
        ...sampleFact(input.sampleTs),
        kind: 'approval',
        name: row.action,
        risk: row.risk,
        parentId: row.decision_id,
      },
    });
    sql(
      tx,
      `UPDATE approval SET status = ?, answered_at = ?, answered_by = ?, comment = ?, signed_in = ? WHERE id = ?`,
    ).run(
      input.verdict === 'approve' ? 'approved' : 'denied',
      receivedAt,
      input.by,
      input.comment ?? null,
      input.signedIn,
      row.id,
    );
    tx.touchApproval(row.id);
    return approvalView(approvalRow(tx, row.id));
  },

  /** Ends what was neither used nor refused in time, one approval.expired each, oldest first. */
  expireApprovals(tx) {
    const rows = sql(
      tx,
      `SELECT id, decision_id, app_id, session_id, action, risk, status, expires_at, binding_hash FROM approval
       WHERE status IN ('waiting', 'approved') AND expires_at <= ? ORDER BY expires_at LIMIT ${EXPIRY_BATCH}`,
    ).all(tx.receivedAt()) as ApprovalRow[];
    for (const row of rows) {
      tx.append({
        appId: row.app_id,
        eventType: 'approval.expired',
        sessionId: row.session_id,
        members: {
          parent_id: row.decision_id,
          name: row.action,
          risk: row.risk,
          approval: {
            id: row.id,
            decision_id: row.decision_id,
            binding_hash: row.binding_hash,
            was: row.status,
            expires_at: row.expires_at,
          },
        },
        facts: { kind: 'approval', name: row.action, risk: row.risk, parentId: row.decision_id },
      });
      sql(tx, `UPDATE approval SET status = 'expired' WHERE id = ?`).run(row.id);
      tx.touchApproval(row.id);
    }
    return { expired: rows.map(row => row.id) };
  },
};
