/**
 * Writer commands of the gate: decision, answer, use, outcome, expiry. Each is one transaction with the records it
 * makes, so a row never says what no record says. They read no clock but tx.receivedAt(). Format: docs/spec/gate.md.
 */
import { createHash, createHmac } from 'node:crypto';
import type Database from 'better-sqlite3';
import { TrailmixError } from '../../core/api/errors.ts';
import type { ApprovalView } from '../../core/api/views.ts';
import { argsDigest, bindingHash, makeBinding } from '../../core/proof/binding.ts';
import { hex, utf8 } from '../../core/proof/bytes.ts';
import { type JsonObject, type JsonValue, jcs } from '../../core/proof/jcs.ts';
import type { CommandTable, WriteTx } from '../ledger/tx.ts';
import type { DecisionInput, Source } from '../ports.ts';
import { addSeconds } from './time.ts';
import { type ApprovalRow, approvalView, SELECT_APPROVAL } from './view.ts';

/** Seconds from asking until an approval can no longer be given or used. */
export const APPROVAL_SECONDS = 15 * 60;
/** Seconds in which the call must begin once the approval is used; the same request gets the same answer in them. */
export const GRANT_SECONDS = 10;
/** What the policy gets when it asks without saying whom. */
export const DEFAULT_REQUIRED = { k: 1, roles: ['approver'] } as const;
/** Most approvals that one run of expireApprovals ends; the timer comes back for the rest. */
export const EXPIRY_BATCH = 500;

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/;
const HEX_64 = /^[0-9a-f]{64}$/;
const sha256 = (data: Uint8Array): Uint8Array => createHash('sha256').update(data).digest();
const hmac = (key: Uint8Array, message: Uint8Array): Uint8Array =>
  createHmac('sha256', key).update(message).digest();

/** Statements live as long as their connection: a decision must not pay for parsing SQL. */
const prepared = new WeakMap<Database.Database, Map<string, Database.Statement>>();
function sql(tx: WriteTx, text: string): Database.Statement {
  const statements = prepared.get(tx.db) ?? new Map<string, Database.Statement>();
  prepared.set(tx.db, statements);
  const statement = statements.get(text) ?? tx.db.prepare(text);
  statements.set(text, statement);
  return statement;
}

/** A sample run's record says so, and carries the scripted time. */
const scripted = (sampleTs: string | undefined) => (sampleTs === undefined ? {} : { ts: sampleTs });
const sampleMark = (sampleTs: string | undefined): JsonObject =>
  sampleTs === undefined ? {} : { sample: true };
const ownSource = (input: { keyId: string; sampleTs?: string }): Source => ({
  via: input.sampleTs === undefined ? 'api' : 'sample',
  auth: 'self',
  key: input.keyId,
});
const sampleFact = (sampleTs: string | undefined) => (sampleTs === undefined ? {} : { sample: true });

const approvalRow = (tx: WriteTx, id: string): ApprovalRow => {
  const row = sql(tx, SELECT_APPROVAL).get({ tenant: tx.tenantId, id }) as ApprovalRow | undefined;
  if (row === undefined) throw new TrailmixError('approval_unknown', { where: '/id' });
  return row;
};

/** Whether nothing more can come of it, by the collector's clock; the record of it may still be on its way. */
const isOver = (tx: WriteTx, row: ApprovalRow): boolean => tx.receivedAt() >= row.expires_at;

function decisionMembers(
  input: DecisionInput,
  argsSalt: Uint8Array,
  digest: string,
  approvalId?: string,
): JsonObject {
  const { outcome } = input;
  return {
    ...sampleMark(input.sampleTs),
    actor_type: input.actor.type,
    actor_id: input.actor.id,
    name: input.action,
    risk: input.risk,
    input: input.payload,
    ...(input.parentId === undefined ? {} : { parent_id: input.parentId }),
    ...(input.traceId === undefined ? {} : { trace_id: input.traceId }),
    ...(input.context === undefined ? {} : { context: input.context }),
    decision: {
      result: outcome.result,
      reasons: outcome.reasons,
      policy: { version: outcome.policy.version, hash: outcome.policy.hash },
      eval_us: outcome.evalUs,
      args_digest: digest,
      args_salt: hex(argsSalt),
      key_id: input.keyId,
      ...(outcome.failed === undefined ? {} : { code: 'policy_failed', failed: outcome.failed.why }),
      ...(approvalId === undefined ? {} : { approval_id: approvalId }),
    },
  };
}

export const approvalCommands: Pick<
  CommandTable,
  'decide' | 'answerApproval' | 'consumeApproval' | 'reportOutcome' | 'expireApprovals'
> = {
  /** Records decision.recorded and, where the word is approve, approval.asked with the whole binding. */
  decide(tx, input) {
    const { outcome } = input;
    const decisionId = tx.id('dec');
    const argsSalt = tx.random(32);
    const digest = argsDigest(hmac, argsSalt, input.payload);
    const approvalId = outcome.result === 'approve' ? tx.id('apr') : undefined;
    const word = outcome.failed === undefined ? outcome.result : 'failed';
    const trace = input.traceId === undefined ? {} : { traceId: input.traceId };
    const decided = tx.append({
      appId: input.appId,
      eventType: 'decision.recorded',
      ...scripted(input.sampleTs),
      eventId: decisionId,
      sessionId: input.sessionId,
      source: ownSource(input),
      members: decisionMembers(input, argsSalt, digest, approvalId),
      facts: {
        ...sampleFact(input.sampleTs),
        kind: 'decision',
        name: input.action,
        risk: input.risk,
        decision: word,
        ...trace,
        ...(input.parentId === undefined ? {} : { parentId: input.parentId }),
      },
    });
    sql(
      tx,
      `INSERT INTO decision (id, tenant_id, app_id, key_id, session_id, action, risk, seq, result)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ).run(
      decisionId,
      tx.tenantId,
      input.appId,
      input.keyId,
      input.sessionId,
      input.action,
      input.risk,
      decided.seq,
      outcome.result,
    );
    const answer = { decisionId, seq: decided.seq, argsSalt: hex(argsSalt) };
    if (approvalId === undefined) return answer;

    const binding = makeBinding({
      v: 1,
      ledger_id: tx.ledgerId,
      tenant_id: tx.tenantId,
      app_id: input.appId,
      session_id: input.sessionId,
      actor_id: input.actor.id,
      action: input.action,
      risk: input.risk,
      args_digest: digest,
      policy_hash: outcome.policy.hash,
      decision_id: decisionId,
      required: outcome.required ?? DEFAULT_REQUIRED,
      nonce: hex(tx.random(32)),
      expires_at: addSeconds(decided.receivedAt, APPROVAL_SECONDS),
    });
    const bound = bindingHash(sha256, binding);
    const asked = tx.append({
      appId: input.appId,
      eventType: 'approval.asked',
      ...scripted(input.sampleTs),
      eventId: approvalId,
      sessionId: input.sessionId,
      source: ownSource(input),
      members: {
        ...sampleMark(input.sampleTs),
        parent_id: decisionId,
        actor_type: input.actor.type,
        actor_id: input.actor.id,
        name: input.action,
        risk: input.risk,
        ...(input.traceId === undefined ? {} : { trace_id: input.traceId }),
        approval: {
          id: approvalId,
          decision_id: decisionId,
          binding: binding as unknown as JsonObject,
          binding_hash: bound,
        },
      },
      facts: {
        ...sampleFact(input.sampleTs),
        kind: 'approval',
        name: input.action,
        risk: input.risk,
        parentId: decisionId,
        ...trace,
      },
    });
    sql(
      tx,
      `INSERT INTO approval (id, decision_id, tenant_id, app_id, key_id, session_id, actor_id, action, risk, payload,
         context, reasons, policy_version, policy_hash, args_digest, nonce, binding_hash, status, asked_seq, asked_at,
         expires_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'waiting', ?, ?, ?)`,
    ).run(
      approvalId,
      decisionId,
      tx.tenantId,
      input.appId,
      input.keyId,
      input.sessionId,
      input.actor.id,
      input.action,
      input.risk,
      JSON.stringify(input.payload),
      input.context === undefined ? null : JSON.stringify(input.context),
      JSON.stringify(outcome.reasons),
      outcome.policy.version,
      outcome.policy.hash,
      digest,
      binding.nonce,
      bound,
      asked.seq,
      asked.receivedAt,
      binding.expires_at,
    );
    tx.touchApproval(approvalId);
    return {
      ...answer,
      approval: {
        id: approvalId,
        status: 'waiting',
        expires_at: binding.expires_at,
        nonce: binding.nonce,
      },
    };
  },

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

  /**
   * The one use of an approval. Checks in this order, each with its own code: the key that asked (approval_unknown
   * for any other: nobody learns of others' approvals), the call as bound (binding_mismatch), used (approval_consumed,
   * or the same answer while the grant lasts), approval_denied, approval_expired, approval_not_approved,
   * policy_changed.
   */
  consumeApproval(tx, input) {
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
      if (row.grant_expires_at !== null && row.intent_id !== null && tx.receivedAt() < row.grant_expires_at) {
        return { intentId: row.intent_id, grantExpiresAt: row.grant_expires_at };
      }
      throw new TrailmixError('approval_consumed');
    }
    if (row.status === 'denied') throw new TrailmixError('approval_denied');
    if (row.status === 'expired' || isOver(tx, row)) throw new TrailmixError('approval_expired');
    if (row.status !== 'approved') throw new TrailmixError('approval_not_approved');
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
    sql(tx, `UPDATE approval SET status = 'consumed', intent_id = ?, grant_expires_at = ? WHERE id = ?`).run(
      intentId,
      grantExpiresAt,
      row.id,
    );
    tx.touchApproval(row.id);
    return { intentId, grantExpiresAt };
  },

  /**
   * What came of the call. Throws decision_unknown (also for another key's), policy_denied where nothing was allowed,
   * approval_not_approved where the approval was not used first, outcome_conflict when another was recorded.
   */
  reportOutcome(tx, input) {
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
