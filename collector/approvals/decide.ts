/**
 * Writer command: a decision and, where the word is approve, the approval it asks for. Format: docs/spec/gate.md.
 */
import { qualifyingRoles } from '../../core/approval/answer.ts';
import { argsDigest, type Binding, bindingHash, makeBinding } from '../../core/proof/binding.ts';
import { hex } from '../../core/proof/bytes.ts';
import type { JsonObject } from '../../core/proof/jcs.ts';
import type { CommandHandler, WriteTx } from '../ledger/tx.ts';
import { approverCount } from '../people/standing.ts';
import type { DecisionInput } from '../ports.ts';
import { sha256 } from '../sha256.ts';
import { hmac, ownSource, sampleFact, sampleMark, scripted, sql } from './recording.ts';
import { reviewSettings } from './settings.ts';
import { addSeconds } from './time.ts';

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
      ...(outcome.rules === undefined ? {} : { rules: outcome.rules }),
      policy: {
        version: outcome.policy.version,
        hash: outcome.policy.hash,
        ...(outcome.policy.environment === undefined ? {} : { environment: outcome.policy.environment }),
      },
      eval_us: outcome.evalUs,
      args_digest: digest,
      args_salt: hex(argsSalt),
      key_id: input.keyId,
      ...(outcome.failed === undefined ? {} : { code: 'policy_failed', failed: outcome.failed.why }),
      ...(input.session === undefined ? {} : { session: input.session }),
      ...(input.now === undefined ? {} : { now: input.now }),
      ...(approvalId === undefined ? {} : { approval_id: approvalId }),
    },
  };
}

/**
 * Whom the policy asks; one approver when it does not say. Critical risk needs more than one person while four-eyes is
 * in force (docs/spec/gate.md, "Answers").
 */
function requiredOf(tx: WriteTx, input: DecisionInput, criticalPeople: number): Binding['required'] {
  const { k, roles } = input.outcome.required ?? { k: 1, roles: [] };
  const required = { k, roles: qualifyingRoles(roles) };
  if (input.risk !== 'critical' || required.k >= criticalPeople) return required;
  return approverCount(tx.db, tx.tenantId) >= 2 ? { ...required, k: criticalPeople } : required;
}

/** Records decision.recorded and, where the word is approve, approval.asked with the whole binding. */
export const decide: CommandHandler<'decide'> = (tx, input) => {
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

  const settings = reviewSettings(tx.db);
  const required = requiredOf(tx, input, settings.critical_people);
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
    required,
    nonce: hex(tx.random(32)),
    expires_at: addSeconds(decided.receivedAt, settings.expires_seconds),
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
       context, reasons, rules, required_k, required_roles, policy_version, policy_hash, args_digest, nonce, binding_hash,
       status, asked_seq, asked_at, expires_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'waiting', ?, ?, ?)`,
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
    outcome.rules === undefined ? null : JSON.stringify(outcome.rules),
    binding.required.k,
    JSON.stringify(binding.required.roles),
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
};
