/**
 * Writer commands after the answer: the one use of an approval, and what came of the call. Format: docs/spec/gate.md.
 */
import { TrailmixError } from '../../core/api/errors.ts';
import type { ApprovalView } from '../../core/api/views.ts';
import { hex, utf8 } from '../../core/proof/bytes.ts';
import { type JsonObject, type JsonValue, jcs } from '../../core/proof/jcs.ts';
import type { CommandHandler } from '../ledger/tx.ts';
import { sha256 } from '../sha256.ts';
import { approvalRow, isOver, ownSource, sampleFact, sampleMark, scripted, sql } from './recording.ts';
import { addSeconds } from './time.ts';
import { answersOf, isGiven } from './view.ts';

/** Seconds in which the call must begin once the approval is used; the same request gets the same answer in them. */
export const GRANT_SECONDS = 10;

/**
 * The one use of an approval. Checks in this order, each with its own code: the key that asked (approval_unknown
 * for any other: nobody learns of others' approvals), the call as bound (binding_mismatch), used (approval_consumed,
 * or the same answer to the same attempt while the grant lasts), approval_denied, approval_cancelled, approval_expired,
 * approval_not_approved, policy_changed.
 */
export const consumeApproval: CommandHandler<'consumeApproval'> = (tx, input) => {
  const row = approvalRow(tx, input.id);
  if (row.key_id !== input.keyId || row.app_id !== input.appId) {
    throw new TrailmixError('approval_unknown', { where: '/id' });
  }
  const differs = (
    [
      ['args_digest', row.args_digest, input.argsDigest],
      ['action', row.action, input.action],
      ['session_id', row.session_id, input.sessionId],
      ['nonce', row.nonce, input.nonce],
    ] as const
  ).find(([, bound, given]) => bound !== given);
  if (differs !== undefined) {
    throw new TrailmixError('binding_mismatch', {
      where: `/${differs[0]}`,
      message: `${differs[0]} is not the one that was approved`,
    });
  }
  if (row.status === 'consumed') {
    const same = row.use_id !== null && row.use_id === input.useId;
    if (
      same &&
      row.grant_expires_at !== null &&
      row.intent_id !== null &&
      tx.receivedAt() < row.grant_expires_at
    ) {
      return { intentId: row.intent_id, grantExpiresAt: row.grant_expires_at };
    }
    throw new TrailmixError('approval_consumed');
  }
  if (row.status === 'denied') throw new TrailmixError('approval_denied');
  if (row.status === 'cancelled') throw new TrailmixError('approval_cancelled');
  if (row.status === 'expired' || isOver(tx, row)) throw new TrailmixError('approval_expired');
  // Counted again from the answers: a status alone lets nothing through.
  const answers = answersOf(tx.db, row.id);
  if (row.status !== 'approved' || !isGiven(row.required_k, answers))
    throw new TrailmixError('approval_not_approved');
  if (row.policy_hash !== input.activePolicyHash) throw new TrailmixError('policy_changed');

  const intentId = tx.id('int');
  const grantExpiresAt = addSeconds(tx.receivedAt(), GRANT_SECONDS);
  tx.append({
    appId: row.app_id,
    eventType: 'intent.recorded',
    ...scripted(input.sampleTs),
    eventId: intentId,
    sessionId: row.session_id,
    source: ownSource(input),
    members: {
      ...sampleMark(input.sampleTs),
      parent_id: row.decision_id,
      actor_id: row.actor_id,
      name: row.action,
      risk: row.risk,
      intent: {
        approval_id: row.id,
        decision_id: row.decision_id,
        binding_hash: row.binding_hash,
        args_digest: row.args_digest,
        nonce: row.nonce,
        key_id: input.keyId,
        policy_hash: row.policy_hash,
        grant_expires_at: grantExpiresAt,
        four_eyes: answers.every(({ four_eyes }) => four_eyes === 1),
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
    `UPDATE approval SET status = 'consumed', intent_id = ?, grant_expires_at = ?, use_id = ? WHERE id = ?`,
  ).run(intentId, grantExpiresAt, input.useId ?? null, row.id);
  tx.touchApproval(row.id);
  return { intentId, grantExpiresAt };
};

/**
 * What came of the call. Throws decision_unknown (also for another key's), policy_denied where nothing was allowed,
 * approval_not_approved where the approval was not used first, outcome_conflict when another was recorded.
 */
export const reportOutcome: CommandHandler<'reportOutcome'> = (tx, input) => {
  const row = sql(
    tx,
    `SELECT d.*, a.id AS approval_id, a.intent_id FROM decision d LEFT JOIN approval a ON a.decision_id = d.id
     WHERE d.tenant_id = ? AND d.id = ?`,
  ).get(tx.tenantId, input.decisionId) as DecisionRow | undefined;
  if (row === undefined || row.key_id !== input.keyId || row.app_id !== input.appId) {
    throw new TrailmixError('decision_unknown', { where: '/id' });
  }
  if (row.result === 'deny') {
    throw new TrailmixError('policy_denied', { message: 'this decision was deny: no call has an outcome' });
  }
  if (row.result === 'approve' && row.intent_id === null) {
    throw new TrailmixError('approval_not_approved', {
      message: 'the approval was not used: consume it before the call',
    });
  }
  const reported: JsonObject = {
    outcome: input.outcome,
    ...(input.result === undefined ? {} : { result: input.result }),
    ...(input.error === undefined ? {} : { error: input.error }),
    ...(input.latencyMs === undefined ? {} : { latency_ms: input.latencyMs }),
  };
  const outcomeHash = hex(sha256(utf8(jcs(reported))));
  if (row.outcome_seq !== null && row.outcome_event_id !== null) {
    if (row.outcome_hash !== outcomeHash) throw new TrailmixError('outcome_conflict');
    return { seq: row.outcome_seq, eventId: row.outcome_event_id };
  }
  const { result, ...summary } = reported;
  const eventId = tx.id('out');
  const { seq } = tx.append({
    appId: row.app_id,
    eventType: 'outcome.recorded',
    ...scripted(input.sampleTs),
    eventId,
    sessionId: row.session_id,
    source: ownSource(input),
    members: {
      ...sampleMark(input.sampleTs),
      parent_id: row.id,
      name: row.action,
      risk: row.risk,
      status: input.outcome,
      ...(result === undefined ? {} : { output: result as JsonValue }),
      outcome: {
        decision_id: row.id,
        ...(row.intent_id === null ? {} : { intent_id: row.intent_id }),
        ...summary,
      },
    },
    facts: {
      ...sampleFact(input.sampleTs),
      kind: 'outcome',
      name: row.action,
      parentId: row.id,
      status: input.outcome,
    },
  });
  sql(
    tx,
    `UPDATE decision SET outcome = ?, outcome_hash = ?, outcome_event_id = ?, outcome_seq = ? WHERE id = ?`,
  ).run(input.outcome, outcomeHash, eventId, seq, row.id);
  if (row.approval_id !== null) tx.touchApproval(row.approval_id);
  return { seq, eventId };
};

type DecisionRow = {
  id: string;
  app_id: string;
  key_id: string;
  session_id: string;
  action: string;
  risk: ApprovalView['risk'];
  result: 'allow' | 'deny' | 'approve';
  outcome_hash: string | null;
  outcome_event_id: string | null;
  outcome_seq: number | null;
  approval_id: string | null;
  intent_id: string | null;
};
