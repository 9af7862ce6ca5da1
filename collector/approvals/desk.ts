/**
 * Approvals as people meet them: the queue, one with its surroundings, opening, answering, remarks, the report and the
 * settings of reviews. The agent's side is gate.ts. Format: docs/spec/gate.md, "Answers".
 */
import type { ReviewSettings } from '../../core/api/approval_operations.ts';
import { TrailmixError } from '../../core/api/errors.ts';
import type { InputOf, OutputOf, QueryOf } from '../../core/api/operations.ts';
import type { ApprovalView } from '../../core/api/views.ts';
import { MOST_ATTEMPTS } from '../../core/approval/challenge.ts';
import { formatMicros, validTs } from '../../core/event/time.ts';
import { fromBase64, utf8Length } from '../../core/proof/bytes.ts';
import { type JsonValue, jcs } from '../../core/proof/jcs.ts';
import type { ApprovalQuery, Clock, Ledger, Principal, Source } from '../ports.ts';
import { refuseSpecial } from './plain.ts';
import { REVIEW_SETTING } from './settings.ts';

type Person = Extract<Principal, { kind: 'person' | 'local' }>;

export type ApprovalDesk = {
  /** Throws input_invalid (cursor). */
  list(who: Person, query: QueryOf<'approvals'>): Promise<OutputOf<'approvals'>>;
  /** Throws approval_unknown. */
  detail(who: Person, id: string): Promise<OutputOf<'approvalDetail'>>;
  /** Throws what collector/approvals/open.ts throws. */
  open(who: Person, id: string): Promise<OutputOf<'openApproval'>>;
  /** Throws what collector/approvals/answer.ts throws, and challenge_failed, which is recorded. */
  answer(who: Person, id: string, input: InputOf<'answerApproval'>): Promise<ApprovalView>;
  /** Throws approval_unknown, input_invalid. */
  comment(who: Person, id: string, text: string): Promise<OutputOf<'commentApproval'>>;
  /** Without `from` the last 30 days. Throws input_invalid. */
  report(query: QueryOf<'reviewReport'>): Promise<OutputOf<'reviewReport'>>;
  settings(): Promise<ReviewSettings>;
  changeSettings(who: Person, settings: ReviewSettings): Promise<ReviewSettings>;
};

/** The page's report of how it was read is kept whole: a bound, so that no answer becomes a store of its own. */
const MOST_REVIEW_BYTES = 8 * 1024;
const REPORT_DAYS = 30;
const DAY_US = 86_400_000_000;

/** Throws signature_invalid where it is not base64 of 64 bytes. */
function signatureOf(text: string): Uint8Array {
  try {
    const bytes = fromBase64(text);
    if (bytes.length === 64) return bytes;
  } catch {
    // Not base64: the same to whoever sent it.
  }
  throw new TrailmixError('signature_invalid', { where: '/signature' });
}

export const personName = (who: Person): string => (who.kind === 'person' ? who.name : 'command line');

export function createApprovalDesk(options: {
  ledger: Pick<Ledger, 'read' | 'write'>;
  clock: Clock;
}): ApprovalDesk {
  const { ledger, clock } = options;
  const now = (): string => formatMicros(clock.now() * 1000);
  const idOf = (who: Person): string | undefined => (who.kind === 'person' ? who.personId : undefined);
  const signedIn = (who: Person): string => {
    const id = idOf(who);
    if (id === undefined) throw new TrailmixError('sign_in_needed');
    return id;
  };
  /** A page, or the trailmix command in which a person signed in. */
  const sourceOf = (who: Person): Source => ({
    via: who.kind === 'person' && who.via !== 'cli' ? 'page' : 'cli',
    auth: 'person',
  });

  return {
    list(who, asked) {
      const { status = 'waiting', by, for: answerable, ...rest } = asked;
      const me = idOf(who);
      const query: ApprovalQuery = { ...rest, status };
      // While nobody is enrolled whoever opened the page answers under the name given at setup, and may answer all.
      if (by !== undefined) query.by = by === 'me' ? (me ?? personName(who)) : by;
      if (answerable !== undefined) {
        if (me === undefined) query.status = 'waiting';
        else query.for = { person: me, at: now() };
      }
      return ledger.read.approvals(query);
    },

    async detail(who, id) {
      const found = await ledger.read.approvalDetail(id, now(), idOf(who));
      if (found === undefined) throw new TrailmixError('approval_unknown', { where: '/id' });
      return found;
    },

    open: async (who, id) =>
      ledger.write.run('openApproval', { id, personId: signedIn(who), source: sourceOf(who) }),

    async answer(who, id, input) {
      const { statement, signature } = input;
      if (statement === undefined || signature === undefined) {
        if (statement !== undefined || signature !== undefined || input.review_id !== undefined) {
          throw new TrailmixError('signature_missing', {
            where: statement === undefined ? '/statement' : '/signature',
          });
        }
        return ledger.write.run('answerApproval', {
          id,
          verdict: input.verdict,
          by: personName(who),
          ...(input.comment === undefined ? {} : { comment: input.comment }),
          ...(input.shown_digest === undefined ? {} : { shownDigest: input.shown_digest }),
          ...(input.opened_at === undefined ? {} : { openedAt: input.opened_at }),
          signedIn: 'none',
          source: who.kind === 'person' ? { via: 'page', auth: 'person' } : { via: 'cli', auth: 'self' },
        });
      }
      refuseSpecial(statement.review, ['statement', 'review']);
      if (utf8Length(jcs(statement.review as JsonValue)) > MOST_REVIEW_BYTES) {
        throw new TrailmixError('input_invalid', {
          where: '/statement/review',
          message: `review may take ${MOST_REVIEW_BYTES} bytes`,
        });
      }
      const source = sourceOf(who);
      // Over the socket it is the trailmix command, whatever it says.
      const inTerminal = source.via === 'cli' || input.signed_in === 'collector';
      const answered = await ledger.write.run('signAnswer', {
        id,
        personId: signedIn(who),
        verdict: input.verdict,
        ...(input.comment === undefined ? {} : { comment: input.comment }),
        ...(input.review_id === undefined ? {} : { reviewId: input.review_id }),
        ...(input.challenge_answer === undefined ? {} : { challengeAnswer: input.challenge_answer }),
        statement: { ...statement, review: statement.review as JsonValue },
        signature: signatureOf(signature),
        signedIn: inTerminal ? 'collector' : 'page',
        source,
      });
      if ('approval' in answered) return answered.approval;
      const { attempt, ended } = answered.challengeFailed;
      throw new TrailmixError('challenge_failed', {
        where: '/challenge_answer',
        message: ended
          ? 'The answer is wrong for the third time: open the approval again'
          : `The answer is wrong (${attempt} of ${MOST_ATTEMPTS})`,
      });
    },

    async comment(who, id, text) {
      if (text.trim() === '') throw new TrailmixError('input_invalid', { where: '/text' });
      const by = idOf(who) ?? personName(who);
      return ledger.write.run('commentApproval', { id, by, text, source: sourceOf(who) });
    },

    async report({ from, to }) {
      for (const [name, value] of Object.entries({ from, to })) {
        if (value === undefined || validTs(value)) continue;
        throw new TrailmixError('input_invalid', { where: name, message: `${name} must be a UTC time` });
      }
      const until = to ?? now();
      return ledger.read.reviewReport(from ?? formatMicros(clock.now() * 1000 - REPORT_DAYS * DAY_US), until);
    },

    settings: () => ledger.read.reviewSettings(),
    async changeSettings(who, settings) {
      await ledger.write.run('changeSettings', {
        changes: { [REVIEW_SETTING]: settings },
        by: idOf(who) ?? personName(who),
      });
      return ledger.read.reviewSettings();
    },
  };
}
