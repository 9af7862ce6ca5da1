/**
 * A review: what the collector says is shown, checked before anything is rendered or signed, and the statement that a person signs.
 * Format: docs/spec/gate.md, "Answers". Pure: the time is an argument. Rule: what does not agree with itself is not signed.
 */
import type { OutputOf } from '../../../core/api/operations.ts';
import type { ApprovalView } from '../../../core/api/views.ts';
import {
  type ApprovalStatement,
  type Binding,
  bindingHash,
  makeBinding,
  shownDigest,
} from '../../../core/proof/binding.ts';
import type { Sha256 } from '../../../core/proof/hash.ts';
import { type JsonObject, type JsonValue, jcs } from '../../../core/proof/jcs.ts';

export type Opened = OutputOf<'openApproval'>;
export type Verdict = 'approve' | 'deny';

/** The collector's object, as far as the page renders it (docs/spec/gate.md). */
export type Shown = {
  approval_id: string;
  asked_at: string;
  app_id: string;
  session_id: string;
  actor_id: string;
  action: string;
  risk: ApprovalView['risk'];
  payload: JsonObject;
  context?: JsonObject;
  reasons: string[];
  rules?: string[];
  policy: { version: number; hash: string };
  required: { k: number; roles: string[] };
  binding: Binding;
  binding_hash: string;
  expires_at: string;
};

/**
 * What is shown, when it is what its digest says, is for this approval, and says the same as the binding that would be signed.
 * Undefined otherwise: then nobody can know what they would sign.
 */
export function checkShown(sha256: Sha256, opened: Opened, id: string): Shown | undefined {
  try {
    if (shownDigest(sha256, opened.shown as JsonValue) !== opened.shown_digest) return undefined;
    const shown = opened.shown as unknown as Shown;
    const binding = makeBinding(shown.binding);
    const agrees =
      shown.approval_id === id &&
      jcs(binding as unknown as JsonValue) === jcs(shown.binding as unknown as JsonValue) &&
      bindingHash(sha256, binding) === shown.binding_hash &&
      binding.app_id === shown.app_id &&
      binding.session_id === shown.session_id &&
      binding.actor_id === shown.actor_id &&
      binding.action === shown.action &&
      binding.risk === shown.risk &&
      binding.policy_hash === shown.policy.hash &&
      binding.expires_at === shown.expires_at &&
      jcs(binding.required as unknown as JsonValue) === jcs(shown.required);
    return agrees ? shown : undefined;
  } catch {
    return undefined;
  }
}

/** The approval as it was shown: only these members stand on the page while it is reviewed. */
export function asShown(view: ApprovalView, shown: Shown): ApprovalView {
  const { context: _, ...rest } = view;
  return {
    ...rest,
    app_id: shown.app_id,
    session_id: shown.session_id,
    actor_id: shown.actor_id,
    action: shown.action,
    risk: shown.risk,
    payload: shown.payload,
    ...(shown.context === undefined ? {} : { context: shown.context }),
    reasons: shown.reasons,
    policy: shown.policy,
    required: shown.required,
    asked_at: shown.asked_at,
    expires_at: shown.expires_at,
  };
}

/** Milliseconds to add to this computer's clock for the collector's. */
export const clockOffset = (collectorNow: string, here: number): number => Date.parse(collectorNow) - here;

/** Whole seconds until it may be approved; 0 when it may. `now` by the collector's clock. */
export const holdLeft = (notBefore: string, now: number): number =>
  Math.max(0, Math.ceil((Date.parse(notBefore) - now) / 1_000));

/** As whom a person signs: with a role of their own, or with one that was handed to them. */
export type Capacity = {
  id: string;
  role: string;
  label: string;
  behalf?: { person: string; delegation_id: string };
};

/** The ways in which this person can answer, own roles first. `nameOf` gives a person's shown name. */
export function capacitiesOf(
  may: OutputOf<'approvalDetail'>['may'],
  nameOf: (id: string) => string,
  roleWord: (role: string) => string,
): Capacity[] {
  const own = may.roles.map(role => ({ id: role, role, label: roleWord(role) }));
  const handed = (may.on_behalf_of ?? []).flatMap(({ person, delegation_id, roles }) =>
    roles.map(role => ({
      id: `${delegation_id}/${role}`,
      role,
      label: `${roleWord(role)}, for ${nameOf(person)}`,
      behalf: { person, delegation_id },
    })),
  );
  return [...own, ...handed];
}

/** What the browser noticed; nobody can check it, and the record says so. */
export type ClientFacts = { focused_seconds: number; scrolled_to_end: boolean };

/** What is signed. `now` by the collector's clock, in milliseconds. */
export function buildStatement(given: {
  opened: Opened;
  shown: Shown;
  verdict: Verdict;
  person: string;
  keyId: string;
  capacity: Capacity;
  comment: string;
  client: ClientFacts;
  now: number;
}): ApprovalStatement & { review: JsonObject } {
  const { opened, shown, verdict, capacity, comment, client } = given;
  return {
    binding: shown.binding_hash,
    verdict,
    approver_id: given.person,
    role: capacity.role,
    key_id: given.keyId,
    shown_digest: opened.shown_digest,
    opened_at: opened.opened_at,
    decided_at: new Date(given.now).toISOString().replace('Z', '000Z'),
    review: {
      review_id: opened.review_id,
      challenge: { kind: opened.challenge.kind },
      ...(comment === '' ? {} : { comment }),
      client: { ...client },
      ...(capacity.behalf === undefined
        ? {}
        : { on_behalf_of: capacity.behalf.person, delegation_id: capacity.behalf.delegation_id }),
    },
  };
}
