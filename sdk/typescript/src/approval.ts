/**
 * The way of one approval: wait for a person's answer, use it once, just before the call. Format and order:
 * docs/spec/gate.md. While the collector is away the wait goes on: the approval is still there.
 */
import { createHmac, randomUUID } from 'node:crypto';
import { argsDigest } from '../../../core/proof/binding.ts';
import { fromHex } from '../../../core/proof/bytes.ts';
import type { JsonObject } from '../../../core/proof/jcs.ts';
import { ApprovalTimedOut, CollectorUnavailable, GateRefused } from './errors.ts';
import { type Decision, MAX_PAUSE_MS, type Questions } from './questions.ts';

/** Longest time that the collector keeps a question about an approval open, in seconds. */
const WAIT_SECONDS = 30;
/** A collector that does not hold the question open is not asked more often than this. */
const MIN_POLL_MS = 500;
/** An approval once used grants this long; counted from before the request, so never too generously. */
const GRANT_MS = 10_000;
/** After the time that the approval names, by this host's clock, the collector has this long to say that it is over. */
const EXPIRY_GRACE_MS = 30_000;

type Approval = NonNullable<Decision['approval']>;

/**
 * Waits for a person, then uses the approval. Returns the time (of performance.now) until which the call may begin;
 * throws the error that says why it may not.
 */
export async function passApproval(
  questions: Questions,
  approval: Approval,
  use: { payload: JsonObject; argsSalt: string; sessionId: string },
): Promise<number> {
  const about = { approval_id: approval.id, expires_at: approval.expires_at };
  questions.say('waiting', about);
  const path = approvalPath(approval.id);
  const lastWord =
    performance.now() + Math.max(0, Date.parse(approval.expires_at) - Date.now()) + EXPIRY_GRACE_MS;
  let approvedBy = 0;
  for (;;) {
    const asked = performance.now();
    const seen = await standing(questions, path, Math.min(lastWord, questions.deadline), approvedBy);
    if (seen.status === 'waiting') {
      if (seen.approvedBy !== undefined && seen.approvedBy !== approvedBy) {
        approvedBy = seen.approvedBy;
        questions.say('waiting', {
          ...about,
          approved_by: approvedBy,
          ...(seen.needed === undefined ? {} : { needed: seen.needed }),
        });
      }
      if (performance.now() - asked < MIN_POLL_MS) await questions.pause(MIN_POLL_MS);
      continue;
    }
    if (seen.status === 'approved') {
      const grantedUntil = await consume(questions, path, approval, use);
      if (grantedUntil === undefined) {
        await questions.pause(MIN_POLL_MS);
        continue;
      }
      questions.say('approved', about);
      return grantedUntil;
    }
    if (seen.status === 'denied') questions.say('refused', about);
    if (seen.status === 'expired' || seen.status === 'cancelled') questions.say(seen.status, about);
    throw questions.refusal(
      `approval_${seen.status}`,
      `the approval is ${seen.status}`,
      'Ask again if the call is still wanted.',
    );
  }
}

export const approvalPath = (id: string): string => `/api/approvals/${encodeURIComponent(id)}`;

export type Standing = { status: string; approvedBy: number | undefined; needed: number | undefined };

/** What the collector's view of an approval says of its state; undefined when it is no such view. */
export function standingOf(body: unknown): Standing | undefined {
  const { status, approved_by, required } = (body ?? {}) as Record<string, unknown>;
  const { k } = (required ?? {}) as { k?: unknown };
  if (typeof status !== 'string') return undefined;
  return {
    status,
    approvedBy: typeof approved_by === 'number' ? approved_by : undefined,
    needed: typeof k === 'number' ? k : undefined,
  };
}

/** Takes the question back. An approval that has ended already is as good. Throws approval_consumed, CollectorUnavailable. */
export async function cancelApproval(questions: Questions, id: string, reason?: string): Promise<void> {
  await questions.request({
    method: 'POST',
    path: `${approvalPath(id)}/cancel`,
    body: JSON.stringify(reason === undefined ? {} : { reason }),
  });
}

/** One long poll. While the collector is away the question is repeated: the approval is still there. */
async function standing(
  questions: Questions,
  path: string,
  until: number,
  approvedBy: number,
): Promise<Standing> {
  for (let failures = 0; ; failures++) {
    const left = until - performance.now();
    if (left <= 0) {
      questions.say('expired');
      throw new ApprovalTimedOut(
        questions.detail('approval_expired', 'nobody answered in time', 'Ask again, or allow more time.'),
      );
    }
    const wait = Math.min(WAIT_SECONDS, Math.ceil(left / 1000));
    try {
      const answer = await questions.request(
        { method: 'GET', path: `${path}?wait=${wait}&approved_by=${approvedBy}` },
        Math.min(wait * 1000 + questions.client.requestMs, left + 1000),
      );
      const seen = standingOf(answer.body);
      if (seen !== undefined) return seen;
    } catch (error) {
      if (!(error instanceof CollectorUnavailable)) throw error;
    }
    await questions.pause(Math.min(MAX_PAUSE_MS, 250 * 2 ** Math.min(failures, 6), Math.max(1, left)));
  }
}

/** The time until which the call may start; undefined when the approval is not given after all. */
async function consume(
  questions: Questions,
  path: string,
  approval: Approval,
  { payload, argsSalt, sessionId }: { payload: JsonObject; argsSalt: string; sessionId: string },
): Promise<number | undefined> {
  const hmac = (key: Uint8Array, message: Uint8Array): Uint8Array =>
    createHmac('sha256', key).update(message).digest();
  const body = JSON.stringify({
    args_digest: argsDigest(hmac, fromHex(argsSalt), payload),
    action: questions.action,
    session_id: sessionId,
    nonce: approval.nonce,
    // Of two who come back to one question at the same moment, one has it.
    use_id: randomUUID(),
  });
  const grantedUntil = performance.now() + GRANT_MS;
  for (;;) {
    try {
      await questions.request(
        { method: 'POST', path: `${path}/consume`, body },
        Math.min(GRANT_MS, questions.client.requestMs),
      );
      return grantedUntil;
    } catch (error) {
      if (error instanceof GateRefused && error.code === 'approval_not_approved') return undefined;
      // Within its grant the same request gets the same answer: a lost answer can be asked for again.
      if (!(error instanceof CollectorUnavailable) || performance.now() + 1000 > grantedUntil) throw error;
      await questions.pause(500);
    }
  }
}
