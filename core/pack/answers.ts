/**
 * Whether the recorded answers to an approval count: who signed, whether they could, and whether they were enough
 * people. Format: docs/spec/gate.md, "Answers"; who stood how: docs/spec/people.md. The checks of one answer are those
 * that the collector refuses by (core/approval/answer.ts). Rules: everything is judged by what stood at the seq of the
 * record; signatures are gathered here and verified by the caller.
 */
import { type AnswerCode, behalfOf, checkAnswer, isAsker } from '../approval/answer.ts';
import { type ApprovalStatement, approvalMessage } from '../proof/binding.ts';
import { BytesError, fromBase64 } from '../proof/bytes.ts';
import type { JsonObject, JsonValue } from '../proof/jcs.ts';
import { asObject, asText } from './approval_line.ts';
import type { FindingCode, Findings } from './findings.ts';
import type { People } from './people.ts';

/** An approval.answered record; a sample's says so and is never signed. */
export type Answer = { seq: number; at: string; approval: JsonObject; sample: boolean };

/** A signature that is still to verify, and what it means when it does not. */
export type Signed = {
  readonly publicKey: Uint8Array;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
  readonly code: FindingCode;
  readonly where: string;
};

/** What an approval.opened record says. */
export type Opened = {
  readonly seq: number;
  readonly by: string;
  readonly openedAt: string;
  readonly notBefore: string;
  readonly shownDigest: string;
  readonly challenge: string;
};

/** An approval with the answers that were recorded for it, by seq. */
type Answered = {
  readonly where: string;
  readonly binding: JsonObject;
  readonly bindingHash: string;
  readonly askedSeq: number;
  readonly answers: readonly Answer[];
  readonly opened: ReadonlyMap<string, Opened>;
  /** seq of its use. */
  readonly used: number | undefined;
};

export type Judged = {
  readonly approvals: readonly { readonly by: string; readonly seq: number }[];
  readonly denied: boolean;
  readonly signed: Signed[];
};

const FINDING: Record<AnswerCode, FindingCode> = {
  approval_own_request: 'approval_own_request',
  approval_role_missing: 'approval_role_wrong',
  approval_answered: 'approval_person_twice',
  review_unknown: 'approval_review_wrong',
  shown_mismatch: 'approval_review_wrong',
  person_key_unknown: 'approval_signer_unknown',
  signature_invalid: 'approval_signature_wrong',
};

const asTexts = (value: JsonValue | undefined): string[] =>
  Array.isArray(value) ? value.filter(one => typeof one === 'string') : [];

const MEMBERS = [
  'approver_id',
  'binding',
  'decided_at',
  'key_id',
  'opened_at',
  'review',
  'role',
  'shown_digest',
  'verdict',
].join();

/** Undefined where it has not exactly the members of a statement. */
function statementOf(value: JsonValue | undefined): ApprovalStatement | undefined {
  const object = asObject(value);
  const texts = Object.entries(object).every(([name, one]) => name === 'review' || typeof one === 'string');
  return Object.keys(object).sort().join() === MEMBERS && texts
    ? (object as unknown as ApprovalStatement)
    : undefined;
}

const signatureOf = (value: JsonValue | undefined): Uint8Array => {
  try {
    return fromBase64(asText(value));
  } catch (error) {
    if (error instanceof BytesError) return new Uint8Array(0);
    throw error;
  }
};

/** Adds findings for what does not count; answers what does, should its signatures verify. */
export function judgeAnswers(people: People, approval: Answered, findings: Findings): Judged {
  const { where, binding, bindingHash, askedSeq, answers, used } = approval;
  const expiresAt = asText(binding.expires_at);
  const required = asObject(binding.required);
  const roles = asTexts(required.roles);
  const approvals: { by: string; seq: number }[] = [];
  const signed: Signed[] = [];
  let denied = false;
  let isAlone = false;
  let isUnsigned = false;
  for (const answer of answers) {
    const { seq, at, approval: said, sample } = answer;
    const place = `seq ${seq}.`;
    const late = seq < askedSeq || at >= expiresAt || (used !== undefined && seq > used);
    if (said.binding_hash !== bindingHash || late) findings.add('approval_answer_wrong', where, place);
    const by = asText(said.by);
    const verdict = said.verdict === 'deny' ? 'deny' : 'approve';
    if (said.signature === undefined) {
      const allowed = sample || people.enrolledAt(seq) === 0;
      findings.add(allowed ? 'approval_unsigned' : 'approval_signature_missing', where, place);
      if (verdict === 'deny') denied = true;
      else approvals.push({ by, seq });
      isUnsigned = true;
      continue;
    }
    const code = judge(people, approval, answer, roles, approvals, signed);
    if (code !== undefined) findings.add(FINDING[code], where, place);
    if (tooEarly(approval, answer)) findings.add('approval_too_early', where, place);
    if (people.approversAt(seq) <= 1) isAlone = true;
    if (verdict === 'deny') denied = true;
    else if (code === undefined) approvals.push({ by, seq });
  }
  const k = Number(required.k ?? 1);
  const counted = approvals.filter(({ seq }) => used === undefined || seq < used);
  const short = new Set(counted.map(({ by }) => by)).size < k;
  if (used !== undefined && counted.length > 0 && short && !isUnsigned) {
    if (people.approversAt(used) > 1) findings.add('approval_too_few', where);
    else findings.add('four_eyes_off', where);
  } else if (isAlone && answers.some(answer => bends(people, approval, answer, roles))) {
    findings.add('four_eyes_off', where);
  }
  return { approvals, denied, signed };
}

/** Why the answer does not count; its signature is put to those that are still to verify. */
function judge(
  people: People,
  { where, binding, bindingHash, opened }: Answered,
  { seq, at, approval: said }: Answer,
  roles: readonly string[],
  before: readonly { by: string }[],
  signed: Signed[],
): AnswerCode | undefined {
  const by = asText(said.by);
  const statement = statementOf(said.statement);
  if (statement === undefined) return 'signature_invalid';
  const person = people.at(by, seq);
  if (person?.state !== 'active') return 'person_key_unknown';
  const behalf = behalfOf(statement);
  const delegationId = asText(behalf?.delegationId);
  const delegation = behalf === undefined ? undefined : people.delegationAt(delegationId, seq, at);
  const reviewId = asText(asObject(statement.review).review_id);
  const review = opened.get(reviewId);
  const code = checkAnswer(statement, {
    bindingHash,
    actorId: asText(binding.actor_id),
    requiredRoles: roles,
    verdict: said.verdict === 'deny' ? 'deny' : 'approve',
    ...(typeof said.comment === 'string' ? { comment: said.comment } : {}),
    person: { id: by, aliases: person.aliases, roles: person.roles, keyId: person.keyId },
    alone: people.approversAt(seq) <= 1,
    ...(delegation === undefined || delegation.to !== by
      ? {}
      : {
          delegation: {
            id: delegationId,
            from: { id: delegation.from, aliases: delegation.fromAliases, roles: delegation.roles },
          },
        }),
    answered: before.some(one => one.by === by),
    ...(review === undefined || review.by !== by || review.seq > seq
      ? {}
      : {
          review: {
            id: reviewId,
            shownDigest: review.shownDigest,
            openedAt: review.openedAt,
            challenge: review.challenge,
          },
        }),
    verifies: () => true,
  });
  if (code === undefined) {
    signed.push({
      publicKey: person.publicKey,
      message: approvalMessage(statement),
      signature: signatureOf(said.signature),
      code: 'approval_signature_wrong',
      where,
    });
  }
  return code;
}

/** An approve that the collector's own times say came before it can have been read. */
function tooEarly({ opened }: Answered, { at, approval: said }: Answer): boolean {
  if (said.verdict !== 'approve') return false;
  const review = opened.get(asText(asObject(asObject(said.statement).review).review_id));
  return review !== undefined && at < review.notBefore;
}

/** Whether it counted only because this person was the one approver there was. */
function bends(
  people: People,
  { binding }: Answered,
  { seq, approval: said }: Answer,
  roles: string[],
): boolean {
  const by = asText(said.by);
  const person = people.at(by, seq);
  if (person === undefined || said.signature === undefined) return false;
  const role = asText(asObject(said.statement).role);
  return isAsker(asText(binding.actor_id), { id: by, aliases: person.aliases }) || !roles.includes(role);
}
