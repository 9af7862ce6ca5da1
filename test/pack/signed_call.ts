/** People and signed approvals in a ledger in memory: each step can be left out, moved or forged. Follows the formats, not the collector's code. */
import { createHmac, sign } from 'node:crypto';
import { formatMicros, tsMicros } from '../../core/event/time.ts';
import {
  type ApprovalStatement,
  approvalMessage,
  argsDigest,
  bindingHash,
  makeBinding,
  shownDigest,
} from '../../core/proof/binding.ts';
import { base64, hex, utf8 } from '../../core/proof/bytes.ts';
import type { JsonObject } from '../../core/proof/jcs.ts';
import {
  type DelegationStatement,
  delegationMessage,
  type PersonStatement,
  personMessage,
  possessionMessage,
} from '../../core/proof/person.ts';
import { type MemoryLedger, newKey, sha256 } from './memory-ledger.ts';

export type Key = ReturnType<typeof newKey>;
export type Person = { id: string; key: Key; roles: readonly string[]; aliases: readonly string[] };

const signed = (key: Key, message: Uint8Array): string => base64(sign(null, message, key.privateKey));
const hmac = (key: Uint8Array, message: Uint8Array): Uint8Array =>
  createHmac('sha256', key).update(message).digest();

/** A time after the newest record, in the form of received_at. */
export const soon = (ledger: MemoryLedger, seconds = 0): string =>
  formatMicros(tsMicros(ledger.all.at(-1)!.received_at) + 1000 + seconds * 1_000_000);

const EVENTS = { enrol: 'enrolled', change: 'changed', reset: 'reset', leave: 'left' } as const;

/** Records a statement on a person. `by`: the admin; absent, the person signs (the first one). */
export function state(
  ledger: MemoryLedger,
  act: keyof typeof EVENTS,
  person: Person,
  by: Person = person,
  change: { statement?: Partial<PersonStatement>; signer?: Key; possession?: string } = {},
): void {
  const statement: PersonStatement = {
    act,
    aliases: [...person.aliases],
    at: soon(ledger),
    by: by.id,
    by_key_id: by.key.id,
    key_id: person.key.id,
    ledger_id: ledger.ledgerId,
    name: person.id,
    person_id: person.id,
    public_key: base64(person.key.raw),
    roles: [...person.roles].sort(),
    tenant_id: ledger.tenantId,
    ...change.statement,
  };
  const isNew = act === 'enrol' || act === 'reset';
  ledger.append({
    app: '_ledger',
    type: `person.${EVENTS[act]}`,
    source: { via: 'page', auth: 'person' },
    body: {
      name: 'A person',
      person: {
        ...(statement as unknown as JsonObject),
        ...(isNew
          ? { possession: change.possession ?? signed(person.key, possessionMessage(statement)) }
          : {}),
        signature: signed(change.signer ?? by.key, personMessage(statement)),
      },
    },
  });
}

/** A new person, not enrolled yet. */
export const someone = (id: string, roles: readonly string[], aliases: readonly string[] = []): Person => ({
  id,
  key: newKey(),
  roles,
  aliases,
});

/** An admin and two approvers, enrolled. */
export function team(ledger: MemoryLedger): { admin: Person; anna: Person; ben: Person } {
  const admin = someone('admin', ['admin']);
  const anna = someone('anna', ['approver', 'treasurer']);
  const ben = someone('ben', ['approver'], ['ben@example.com']);
  state(ledger, 'enrol', admin);
  state(ledger, 'enrol', anna, admin);
  state(ledger, 'enrol', ben, admin);
  return { admin, anna, ben };
}

export function delegate(
  ledger: MemoryLedger,
  from: Person,
  to: Person,
  change: Partial<DelegationStatement> = {},
): string {
  const statement: DelegationStatement = {
    at: soon(ledger),
    by_key_id: from.key.id,
    delegation_id: `dlg_${ledger.all.length}`,
    ends_at: soon(ledger, 86_400),
    from: from.id,
    ledger_id: ledger.ledgerId,
    reason: 'away',
    roles: ['treasurer'],
    starts_at: soon(ledger),
    tenant_id: ledger.tenantId,
    to: to.id,
    ...change,
  };
  ledger.append({
    app: '_ledger',
    type: 'person.delegated',
    source: { via: 'page', auth: 'person' },
    body: {
      name: 'Delegated',
      delegation: {
        ...(statement as unknown as JsonObject),
        signature: signed(from.key, delegationMessage(statement)),
      },
    },
  });
  return statement.delegation_id;
}

export type Answering = {
  by: Person;
  verdict?: 'approve' | 'deny';
  role?: string;
  /** Members of the statement that differ from what is right; signed as they are. */
  statement?: Partial<ApprovalStatement>;
  /** What the record says, beside what was signed. */
  record?: JsonObject;
  signer?: Key;
  review?: JsonObject;
  /** Seconds between opening and answer; the review asks for 15. */
  after?: number;
  notOpened?: boolean;
  shown?: JsonObject;
};

/** A decision that asks two people (or `k`), their reviews and answers, the use and its outcome. */
export function signedCall(
  ledger: MemoryLedger,
  policy: { version: number; hash: string },
  answers: readonly Answering[],
  change: {
    k?: number;
    roles?: readonly string[];
    actor?: string;
    binding?: JsonObject;
    until?: 'answered' | 'used' | 'done';
    intent?: JsonObject;
    outcome?: JsonObject;
    beforeUse?: () => void;
  } = {},
): string {
  const n = ledger.all.length;
  const [decisionId, approvalId, intentId] = [`dec_${n}`, `apr_${n}`, `int_${n}`];
  const payload = { amount: 12_000, iban: 'DE00' };
  const salt = hex(sha256(utf8(`args salt ${n}`)));
  const digest = argsDigest(hmac, Buffer.from(salt, 'hex'), payload);
  const actor = change.actor ?? 'a1';
  const common = { parent_id: decisionId, name: 'send_wire', risk: 'high' };
  ledger.append({
    type: 'decision.recorded',
    body: {
      event_id: decisionId,
      actor_type: 'agent',
      actor_id: actor,
      name: 'send_wire',
      risk: 'high',
      input: payload,
      decision: {
        result: 'approve',
        reasons: ['amount > 10000'],
        policy: { version: policy.version, hash: policy.hash },
        args_digest: digest,
        args_salt: salt,
        approval_id: approvalId,
      },
    },
  });
  const binding = makeBinding({
    v: 1,
    ledger_id: ledger.ledgerId,
    tenant_id: ledger.tenantId,
    app_id: 'bot',
    session_id: 's1',
    actor_id: actor,
    action: 'send_wire',
    risk: 'high',
    args_digest: digest,
    policy_hash: policy.hash,
    decision_id: decisionId,
    required: { k: change.k ?? 2, roles: change.roles ?? ['approver', 'treasurer'] },
    nonce: hex(sha256(utf8(`nonce ${n}`))),
    expires_at: '2026-12-01T00:00:00.000000Z',
    ...change.binding,
  });
  const bound = bindingHash(sha256, binding);
  ledger.append({
    type: 'approval.asked',
    body: {
      ...common,
      event_id: approvalId,
      actor_type: 'agent',
      actor_id: actor,
      approval: {
        id: approvalId,
        decision_id: decisionId,
        binding: binding as unknown as JsonObject,
        binding_hash: bound,
      },
    },
  });
  const shown: JsonObject = {
    v: 1,
    approval_id: approvalId,
    action: 'send_wire',
    payload,
    binding: binding as unknown as JsonObject,
    binding_hash: bound,
  };
  for (const answer of answers) {
    const { by, verdict = 'approve' } = answer;
    const reviewId = `rev_${ledger.all.length}`;
    const openedAt = soon(ledger);
    const digestOfShown = shownDigest(sha256, shown);
    if (answer.notOpened !== true) {
      ledger.append({
        type: 'approval.opened',
        source: { via: 'page', auth: 'person' },
        body: {
          ...common,
          shown: answer.shown ?? shown,
          approval: {
            id: approvalId,
            decision_id: decisionId,
            binding_hash: bound,
            by: by.id,
            review_id: reviewId,
            shown_digest: digestOfShown,
            opened_at: openedAt,
            not_before: soon(ledger, 15),
            challenge: { kind: 'confirm' },
          },
        },
      });
    }
    const statement: ApprovalStatement = {
      binding: bound,
      verdict,
      approver_id: by.id,
      role: answer.role ?? 'approver',
      key_id: by.key.id,
      shown_digest: digestOfShown,
      opened_at: openedAt,
      decided_at: soon(ledger, answer.after ?? 20),
      review: { review_id: reviewId, challenge: { kind: 'confirm' }, ...answer.review },
      ...answer.statement,
    };
    ledger.append({
      type: 'approval.answered',
      at: tsMicros(soon(ledger, answer.after ?? 20)),
      source: { via: 'page', auth: 'person' },
      body: {
        ...common,
        approval: {
          id: approvalId,
          decision_id: decisionId,
          binding_hash: bound,
          verdict,
          by: by.id,
          decided_at: statement.decided_at,
          signed_in: 'page',
          four_eyes: true,
          statement: statement as unknown as JsonObject,
          signature: signed(answer.signer ?? by.key, approvalMessage(statement)),
          ...answer.record,
        },
      },
    });
  }
  if (change.until === 'answered') return approvalId;
  change.beforeUse?.();
  ledger.append({
    type: 'intent.recorded',
    body: {
      ...common,
      event_id: intentId,
      intent: {
        approval_id: approvalId,
        decision_id: decisionId,
        binding_hash: bound,
        args_digest: digest,
        nonce: binding.nonce,
        key_id: 'k1',
        policy_hash: policy.hash,
        grant_expires_at: '2026-12-01T00:00:00.000000Z',
        ...change.intent,
      },
    },
  });
  if (change.until === 'used') return approvalId;
  ledger.append({
    type: 'outcome.recorded',
    body: {
      parent_id: decisionId,
      status: 'ok',
      outcome: { decision_id: decisionId, intent_id: intentId, outcome: 'ok', ...change.outcome },
    },
  });
  return approvalId;
}
