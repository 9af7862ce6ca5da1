/**
 * Whether one person's answer to an approval counts: the checks of docs/spec/gate.md, "Answers", that anyone can repeat
 * from the records. The collector refuses by it, the verifier judges recorded answers by it. Rules: nothing here reads a
 * clock, a key store or a database; who stood how at that moment is given as facts.
 */
import type { ApprovalStatement } from '../proof/binding.ts';
import type { JsonObject, JsonValue } from '../proof/jcs.ts';

export type AnswerCode =
  | 'approval_own_request'
  | 'approval_role_missing'
  | 'approval_answered'
  | 'review_unknown'
  | 'shown_mismatch'
  | 'person_key_unknown'
  | 'signature_invalid';

/** Who somebody is to an approval: under which ids they act, and what their roles are. */
export type Party = {
  readonly id: string;
  readonly aliases: readonly string[];
  readonly roles: readonly string[];
};

/** What stood when the answer came (or is said to have come). */
export type AnswerFacts = {
  readonly bindingHash: string;
  /** Of the binding. */
  readonly actorId: string;
  readonly requiredRoles: readonly string[];
  /** The answer as asked for or recorded; the statement must say the same. */
  readonly verdict: 'approve' | 'deny';
  readonly comment?: string;
  /** The person who answers, and the key in force for them. */
  readonly person: Party & { readonly keyId?: string };
  /** This person is the only active one with the role `approver`: any role and any asker will do. */
  readonly alone: boolean;
  /** The delegation that the statement names, with those of its roles that its giver still has; absent when not in force. */
  readonly delegation?: { readonly id: string; readonly from: Party };
  /** Whether this person has approved it before. */
  readonly answered: boolean;
  /** The review that the statement names: opened by this person, of this approval, not ended. */
  readonly review?: {
    readonly id: string;
    readonly shownDigest: string;
    readonly openedAt: string;
    readonly challenge: string;
  };
  /** Whether the signature is the key's over the statement. Asked last: it is the dearest check. */
  readonly verifies: () => boolean;
};

const asObject = (value: JsonValue | undefined): JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/;

/** A question that names no role asks approvers. */
export const qualifyingRoles = (required: readonly string[]): readonly string[] =>
  required.length === 0 ? ['approver'] : required;

/** Whether the one who asked is this party, under whatever of their ids. */
export const isAsker = (actorId: string, party: Pick<Party, 'id' | 'aliases'>): boolean =>
  party.id === actorId || party.aliases.includes(actorId);

/** What of a statement's `review` says on whose behalf it is. */
export function behalfOf(
  statement: ApprovalStatement,
): { person?: JsonValue; delegationId?: JsonValue } | undefined {
  const { on_behalf_of, delegation_id } = asObject(statement.review);
  if (on_behalf_of === undefined && delegation_id === undefined) return undefined;
  return {
    ...(on_behalf_of === undefined ? {} : { person: on_behalf_of }),
    ...(delegation_id === undefined ? {} : { delegationId: delegation_id }),
  };
}

/** The first of the checks that fails, in the order of the specification; undefined when the answer counts. */
export function checkAnswer(statement: ApprovalStatement, facts: AnswerFacts): AnswerCode | undefined {
  const { person, review, delegation } = facts;
  const behalf = behalfOf(statement);
  const said = asObject(statement.review);
  if (!facts.alone) {
    const asked =
      isAsker(facts.actorId, person) ||
      (behalf !== undefined && delegation !== undefined && isAsker(facts.actorId, delegation.from));
    if (asked) return 'approval_own_request';
    if (!qualifyingRoles(facts.requiredRoles).includes(statement.role)) return 'approval_role_missing';
  }
  const holder = behalf === undefined ? person : delegation?.from;
  if (behalf !== undefined) {
    const named =
      delegation !== undefined &&
      behalf.delegationId === delegation.id &&
      behalf.person === delegation.from.id;
    if (!named) return 'approval_role_missing';
  }
  if (!(holder?.roles.includes(statement.role) ?? false)) return 'approval_role_missing';
  if (facts.answered && facts.verdict === 'approve') return 'approval_answered';
  if (review === undefined || said.review_id !== review.id) return 'review_unknown';
  if (statement.shown_digest !== review.shownDigest || statement.opened_at !== review.openedAt) {
    return 'shown_mismatch';
  }
  if (person.keyId === undefined || statement.key_id !== person.keyId) return 'person_key_unknown';
  const same =
    statement.binding === facts.bindingHash &&
    statement.verdict === facts.verdict &&
    statement.approver_id === person.id &&
    said.comment === facts.comment &&
    asObject(said.challenge).kind === review.challenge &&
    TIME.test(statement.decided_at);
  return same && facts.verifies() ? undefined : 'signature_invalid';
}
