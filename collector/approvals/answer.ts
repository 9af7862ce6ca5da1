/**
 * Writer commands: a person's answer. Signed (signAnswer) once somebody is enrolled, unsigned (answerApproval) before.
 * One transaction each, with the checks of docs/spec/gate.md, "Answers", in that order.
 */
import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { TrailmixError } from '../../core/api/errors.ts';
import { type AnswerFacts, behalfOf, checkAnswer } from '../../core/approval/answer.ts';
import { answersChallenge, MOST_ATTEMPTS } from '../../core/approval/challenge.ts';
import { tsMicros } from '../../core/event/time.ts';
import { type ApprovalStatement, approvalMessage } from '../../core/proof/binding.ts';
import { base64 } from '../../core/proof/bytes.ts';
import type { JsonObject } from '../../core/proof/jcs.ts';
import { statement } from '../ledger/statements.ts';
import type { CommandHandler, WriteTx } from '../ledger/tx.ts';
import { enrolledCount, personStanding } from '../people/standing.ts';
import type { Answerer } from './answerer.ts';
import { knownAnswerer, openReview, type ReviewRow, refuseEnded } from './open.ts';
import { approvalRow, sampleFact, sampleMark, scripted, sql } from './recording.ts';
import { approvalEvent, byPerson } from './records.ts';
import { type AnswerRow, type ApprovalRow, answersOf, approvalView, isGiven } from './view.ts';

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/;
const HEX_64 = /^[0-9a-f]{64}$/;
/** DER of a SubjectPublicKeyInfo for Ed25519, up to the 32 bytes of the key (RFC 8410). */
const SPKI_ED25519 = Buffer.from('302a300506032b6570032100', 'hex');

const publicKeyOf = (bytes: Uint8Array): KeyObject =>
  createPublicKey({ key: Buffer.concat([SPKI_ED25519, bytes]), format: 'der', type: 'spki' });

type NewAnswer = Omit<AnswerRow, 'seq' | 'approval_id' | 'at'>;

/** Keeps the answer's row, and settles the approval where that is the end of it. */
function settle(
  tx: WriteTx,
  row: ApprovalRow,
  at: { seq: number; receivedAt: string },
  answer: NewAnswer,
): void {
  statement(
    tx.db,
    `INSERT INTO approval_answer (seq, tenant_id, approval_id, by, name, role, verdict, at, signed_in, four_eyes, seconds,
       min_met, challenge, attempts, shown_characters, on_behalf_of, comment)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  ).run(
    at.seq,
    tx.tenantId,
    row.id,
    answer.by,
    answer.name,
    answer.role,
    answer.verdict,
    at.receivedAt,
    answer.signed_in,
    answer.four_eyes,
    answer.seconds,
    answer.min_met,
    answer.challenge,
    answer.attempts,
    answer.shown_characters,
    answer.on_behalf_of,
    answer.comment,
  );
  tx.touchApproval(row.id);
  const settled = answer.verdict === 'deny' || isGiven(row.required_k, answersOf(tx.db, row.id));
  if (!settled) return;
  sql(
    tx,
    `UPDATE approval SET status = ?, answered_at = ?, answered_by = ?, comment = ?, signed_in = ? WHERE id = ?`,
  ).run(
    answer.verdict === 'approve' ? 'approved' : 'denied',
    at.receivedAt,
    answer.by,
    answer.comment,
    answer.signed_in,
    row.id,
  );
}

/**
 * Throws approval_unknown, approval_expired, approval_consumed, approval_closed, input_invalid; signature_missing once
 * somebody is enrolled, but for sample runs, whose records say so. A deny ends what was approved and not yet used. One
 * unsigned answer counts, whatever k the policy asks.
 */
export const answerApproval: CommandHandler<'answerApproval'> = (tx, input) => {
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
  refuseEnded(tx, row);
  const sample = input.sampleTs !== undefined;
  if (!sample && enrolledCount(tx.db, tx.tenantId) > 0) throw new TrailmixError('signature_missing');
  if (row.status === 'approved' && input.verdict === 'approve') throw new TrailmixError('approval_closed');
  const event = approvalEvent(
    row,
    'approval.answered',
    {
      verdict: input.verdict,
      by: input.by,
      decided_at: tx.receivedAt(),
      signed_in: input.signedIn,
      four_eyes: false,
      ...(input.comment === undefined ? {} : { comment: input.comment }),
      ...(input.shownDigest === undefined ? {} : { shown_digest: input.shownDigest }),
      ...(input.openedAt === undefined ? {} : { opened_at: input.openedAt }),
    },
    { ...sampleMark(input.sampleTs), ...byPerson(input.by) },
  );
  const at = tx.append({
    ...event,
    ...scripted(input.sampleTs),
    source: input.source,
    facts: { ...event.facts, ...sampleFact(input.sampleTs) },
  });
  settle(tx, row, at, {
    by: input.by,
    name: null,
    role: null,
    verdict: input.verdict,
    signed_in: input.signedIn,
    four_eyes: 0,
    seconds: null,
    min_met: null,
    challenge: null,
    attempts: null,
    shown_characters: null,
    on_behalf_of: null,
    comment: input.comment ?? null,
  });
  return approvalView(tx.db, approvalRow(tx, row.id));
};

type Signed = Parameters<CommandHandler<'signAnswer'>>[1];

/** Whoever stands behind the answer beside the person, in the form that the check takes. */
function delegationOf(tx: WriteTx, answerer: Answerer, said: ApprovalStatement): AnswerFacts['delegation'] {
  const named = behalfOf(said);
  const found = answerer.delegations.find(({ id }) => id === named?.delegationId);
  if (found === undefined || personStanding(tx.db, tx.tenantId, found.from)?.state !== 'active')
    return undefined;
  return { id: found.id, from: { id: found.from, aliases: found.fromAliases, roles: found.roles } };
}

function factsOf(
  tx: WriteTx,
  row: ApprovalRow,
  input: Signed,
  answerer: Answerer,
  review: ReviewRow | undefined,
): AnswerFacts {
  const { person } = answerer;
  const delegation = delegationOf(tx, answerer, input.statement);
  const publicKey = person.publicKey;
  return {
    bindingHash: row.binding_hash,
    actorId: row.actor_id,
    requiredRoles: JSON.parse(row.required_roles) as string[],
    verdict: input.verdict,
    ...(input.comment === undefined ? {} : { comment: input.comment }),
    person: {
      id: person.id,
      aliases: person.aliases,
      roles: person.roles,
      ...(person.keyId === undefined ? {} : { keyId: person.keyId }),
    },
    alone: answerer.alone,
    ...(delegation === undefined ? {} : { delegation }),
    answered: answersOf(tx.db, row.id).some(({ by, verdict }) => by === person.id && verdict === 'approve'),
    ...(review === undefined || review.id !== input.reviewId
      ? {}
      : {
          review: {
            id: review.id,
            shownDigest: review.shown_digest,
            openedAt: review.opened_at,
            challenge: (JSON.parse(review.challenge) as { kind: string }).kind,
          },
        }),
    verifies: () =>
      publicKey !== undefined &&
      verify(null, approvalMessage(input.statement), publicKeyOf(publicKey), input.signature),
  };
}

const secondsBetween = (from: string, to: string): number => (tsMicros(to) - tsMicros(from)) / 1e6;

export const signAnswer: CommandHandler<'signAnswer'> = (tx, input) => {
  const row = approvalRow(tx, input.id);
  refuseEnded(tx, row);
  const answerer = knownAnswerer(tx, input.personId);
  const review = openReview(tx, row.id, input.personId);
  const code = checkAnswer(input.statement, factsOf(tx, row, input, answerer, review));
  if (code !== undefined) throw new TrailmixError(code);
  if (review === undefined) throw new TrailmixError('review_unknown');
  const now = tx.receivedAt();
  const challenge = JSON.parse(review.challenge) as {
    kind: 'confirm' | 'retype' | 'question';
    path?: string;
  };
  if (input.verdict === 'approve') {
    // Somebody else's answer was enough meanwhile.
    if (row.status === 'approved') throw new TrailmixError('approval_closed');
    if (now < review.not_before) {
      throw new TrailmixError('review_too_short', {
        retryAfter: Math.ceil(secondsBetween(now, review.not_before)),
      });
    }
    const payload = JSON.parse(row.payload) as JsonObject;
    if (!answersChallenge(challenge, { action: row.action, payload }, input.challengeAnswer)) {
      return { challengeFailed: failChallenge(tx, row, review, input, challenge.kind) };
    }
  }
  record(tx, row, review, input, answerer, challenge.kind);
  return { approval: approvalView(tx.db, approvalRow(tx, row.id)) };
};

/** One approval.challenge_failed; after the last attempt the review ends and the person has to open it anew. */
function failChallenge(
  tx: WriteTx,
  row: ApprovalRow,
  review: ReviewRow,
  input: Signed,
  kind: string,
): { attempt: number; ended: boolean } {
  const attempt = review.attempts + 1;
  const ended = attempt >= MOST_ATTEMPTS;
  const event = approvalEvent(
    row,
    'approval.challenge_failed',
    { by: input.personId, review_id: review.id, kind, attempt },
    byPerson(input.personId),
  );
  tx.append({ ...event, source: input.source });
  statement(tx.db, 'UPDATE approval_review SET attempts = ?, ended = ? WHERE id = ?').run(
    attempt,
    ended ? 1 : 0,
    review.id,
  );
  return { attempt, ended };
}

function record(
  tx: WriteTx,
  row: ApprovalRow,
  review: ReviewRow,
  input: Signed,
  answerer: Answerer,
  challenge: string,
): void {
  const { person, alone } = answerer;
  const now = tx.receivedAt();
  const seconds = secondsBetween(review.opened_at, now);
  const minMet = now >= review.not_before;
  const onBehalf = behalfOf(input.statement)?.person;
  const event = approvalEvent(
    row,
    'approval.answered',
    {
      verdict: input.verdict,
      by: person.id,
      decided_at: now,
      signed_in: input.signedIn,
      four_eyes: !alone,
      ...(input.comment === undefined ? {} : { comment: input.comment }),
      shown_digest: review.shown_digest,
      opened_at: review.opened_at,
      statement: input.statement as unknown as JsonObject,
      signature: base64(input.signature),
      reviewed: {
        opened_at: review.opened_at,
        answered_at: now,
        seconds,
        min_seconds: review.min_seconds,
        min_met: minMet,
        challenge,
        attempts: review.attempts,
      },
    },
    byPerson(person.id),
  );
  const at = tx.append({ ...event, source: input.source });
  statement(tx.db, 'UPDATE approval_review SET ended = 1 WHERE id = ?').run(review.id);
  settle(tx, row, at, {
    by: person.id,
    name: person.name,
    role: input.statement.role,
    verdict: input.verdict,
    signed_in: input.signedIn,
    four_eyes: alone ? 0 : 1,
    seconds,
    min_met: minMet ? 1 : 0,
    challenge,
    attempts: review.attempts,
    shown_characters: review.shown_characters,
    on_behalf_of: typeof onBehalf === 'string' ? onBehalf : null,
    comment: input.comment ?? null,
  });
}
