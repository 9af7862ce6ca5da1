/**
 * Writer command: a person opens an approval. Made and kept here, by the collector's clock: what is shown, from when it
 * may be approved, and the challenge. Format: docs/spec/gate.md, "Answers".
 */
import type { Challenge } from '../../core/api/approval_operations.ts';
import { TrailmixError } from '../../core/api/errors.ts';
import { makeChallenge } from '../../core/approval/challenge.ts';
import { type Binding, makeBinding, shownDigest } from '../../core/proof/binding.ts';
import type { JsonObject } from '../../core/proof/jcs.ts';
import { statement } from '../ledger/statements.ts';
import type { CommandHandler, WriteTx } from '../ledger/tx.ts';
import { sha256 } from '../sha256.ts';
import { type Answerer, answererOf, qualificationOf } from './answerer.ts';
import { approvalRow, isOver } from './recording.ts';
import { approvalEvent, byPerson } from './records.ts';
import { reviewSettings } from './settings.ts';
import { addSeconds } from './time.ts';
import type { ApprovalRow } from './view.ts';

/** Seconds in which a review that was opened can be answered; then it is opened anew. */
export const REVIEW_SECONDS = 3600;

export type ReviewRow = {
  id: string;
  approval_id: string;
  by: string;
  opened_at: string;
  not_before: string;
  min_seconds: number;
  challenge: string;
  attempts: number;
  shown_digest: string;
  shown_characters: number;
};

/** Throws approval_expired, approval_consumed, approval_closed: nothing more can be answered. */
export function refuseEnded(tx: WriteTx, row: ApprovalRow): void {
  if (row.status === 'consumed') throw new TrailmixError('approval_consumed');
  if (row.status === 'denied' || row.status === 'cancelled') throw new TrailmixError('approval_closed');
  if (row.status === 'expired' || isOver(tx, row)) throw new TrailmixError('approval_expired');
}

/** Throws sign_in_needed for somebody who is not enrolled, or no longer. */
export function knownAnswerer(tx: WriteTx, personId: string): Answerer {
  const answerer = answererOf(tx.db, tx.tenantId, personId, tx.receivedAt());
  if (answerer === undefined) throw new TrailmixError('sign_in_needed');
  return answerer;
}

const REVIEW = `SELECT id, approval_id, by, opened_at, not_before, min_seconds, challenge, attempts, shown_digest,
  shown_characters FROM approval_review WHERE approval_id = ? AND by = ? AND ended = 0 AND opened_at > ?
  ORDER BY seq DESC LIMIT 1`;

/** The review that this person has open; undefined where there is none. */
export function openReview(tx: WriteTx, approvalId: string, personId: string): ReviewRow | undefined {
  const since = addSeconds(tx.receivedAt(), -REVIEW_SECONDS);
  return statement(tx.db, REVIEW).get(approvalId, personId, since) as ReviewRow | undefined;
}

/** The binding as it was hashed: all of it is in the row. */
function bindingOf(tx: WriteTx, row: ApprovalRow): Binding {
  return makeBinding({
    v: 1,
    ledger_id: tx.ledgerId,
    tenant_id: row.tenant_id,
    app_id: row.app_id,
    session_id: row.session_id,
    actor_id: row.actor_id,
    action: row.action,
    risk: row.risk,
    args_digest: row.args_digest,
    policy_hash: row.policy_hash,
    decision_id: row.decision_id,
    required: { k: row.required_k, roles: JSON.parse(row.required_roles) as string[] },
    nonce: row.nonce,
    expires_at: row.expires_at,
  });
}

/** The one object that a page may render the question from. The same row gives the same object. */
function shownOf(tx: WriteTx, row: ApprovalRow): JsonObject {
  const binding = bindingOf(tx, row);
  return {
    v: 1,
    approval_id: row.id,
    asked_at: row.asked_at,
    app_id: row.app_id,
    session_id: row.session_id,
    actor_id: row.actor_id,
    action: row.action,
    risk: row.risk,
    payload: JSON.parse(row.payload),
    ...(row.context === null ? {} : { context: JSON.parse(row.context) }),
    reasons: JSON.parse(row.reasons),
    ...(row.rules === null ? {} : { rules: JSON.parse(row.rules) }),
    policy: { version: row.policy_version, hash: row.policy_hash },
    required: { k: binding.required.k, roles: [...binding.required.roles] },
    binding: binding as unknown as JsonObject,
    binding_hash: row.binding_hash,
    expires_at: row.expires_at,
  };
}

/** What there is to read, in characters of its JSON: the action, the arguments, the context, the reasons. */
const charactersOf = (row: ApprovalRow): number =>
  row.action.length + row.payload.length + (row.context?.length ?? 0) + row.reasons.length;

/**
 * Throws approval_unknown, approval_{expired,consumed,closed}, sign_in_needed, approval_own_request,
 * approval_role_missing.
 */
export const openApproval: CommandHandler<'openApproval'> = (tx, input) => {
  const row = approvalRow(tx, input.id);
  refuseEnded(tx, row);
  const answerer = knownAnswerer(tx, input.personId);
  const { code } = qualificationOf(answerer, row.actor_id, JSON.parse(row.required_roles) as string[]);
  if (code !== undefined) throw new TrailmixError(code);
  const shown = shownOf(tx, row);
  const review = openReview(tx, row.id, input.personId) ?? begin(tx, row, shown, input);
  return {
    review_id: review.id,
    opened_at: review.opened_at,
    now: tx.receivedAt(),
    not_before: review.not_before,
    min_seconds: review.min_seconds,
    challenge: JSON.parse(review.challenge) as Challenge,
    shown,
    shown_digest: review.shown_digest,
  };
};

function begin(
  tx: WriteTx,
  row: ApprovalRow,
  shown: JsonObject,
  input: Parameters<typeof openApproval>[1],
): ReviewRow {
  const rule = reviewSettings(tx.db)[row.risk];
  const openedAt = tx.receivedAt();
  const challenge = makeChallenge(rule.challenge, shown.payload as JsonObject);
  const review: ReviewRow = {
    id: tx.id('rev'),
    approval_id: row.id,
    by: input.personId,
    opened_at: openedAt,
    not_before: addSeconds(openedAt, rule.min_seconds),
    min_seconds: rule.min_seconds,
    challenge: JSON.stringify(challenge),
    attempts: 0,
    shown_digest: shownDigest(sha256, shown),
    shown_characters: charactersOf(row),
  };
  const event = approvalEvent(
    row,
    'approval.opened',
    {
      by: review.by,
      review_id: review.id,
      shown_digest: review.shown_digest,
      opened_at: review.opened_at,
      not_before: review.not_before,
      challenge: { ...challenge },
    },
    { ...byPerson(review.by), shown },
  );
  const { seq } = tx.append({ ...event, source: input.source });
  statement(
    tx.db,
    `INSERT INTO approval_review (id, tenant_id, approval_id, by, seq, opened_at, not_before, min_seconds, challenge,
       shown_digest, shown_characters) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  ).run(
    review.id,
    tx.tenantId,
    review.approval_id,
    review.by,
    seq,
    review.opened_at,
    review.not_before,
    review.min_seconds,
    review.challenge,
    review.shown_digest,
    review.shown_characters,
  );
  return review;
}
