/**
 * Decisions and approvals in Attesta's words, in the envelope in which TrailProof keeps them, for readers who know those:
 * `attesta.approval.{approved, denied, auto_approved, timed_out}`. Table: docs/approvals.md, "Attesta's words". Rules: made
 * from the records alone; what they do not say is null, never guessed; an approval that was taken back got no verdict.
 * `trailmix convert --to attesta` writes it.
 */
import { TrailmixError } from '../api/errors.ts';
import { asObject, asText } from '../pack/approval_line.ts';
import type { JsonObject } from '../proof/jcs.ts';

export type AttestaVerdict = 'approved' | 'denied' | 'auto_approved' | 'timed_out';

export type AttestaEvent = {
  readonly event_id: string;
  readonly event_type: `attesta.approval.${AttestaVerdict}`;
  readonly timestamp: string;
  readonly actor_id: string;
  readonly tenant_id: string;
  readonly session_id: string;
  readonly trace_id: string | null;
  readonly payload: {
    readonly action_name: string;
    /** 0 to 1, from the level: RISK_SCORES. */
    readonly risk_score: number;
    readonly risk_level: string;
    /** `multi_party` where two or more people were needed, else what the person had to do; null where nobody was asked. */
    readonly challenge_type: 'confirm' | 'retype' | 'question' | 'multi_party' | null;
    /** null where nobody approved. */
    readonly challenge_passed: boolean | null;
    /** Who gave the verdict: those who approved, or the one who denied. */
    readonly approver_ids: readonly string[];
    readonly verdict: AttestaVerdict;
    /** The longest review behind the verdict, by the collector's clock; null where none was opened. */
    readonly review_duration_seconds: number | null;
    readonly min_review_met: boolean | null;
    readonly intercepted_at: string;
    readonly decided_at: string;
    /** When the approval was used, or null: a call that was allowed leaves no such record. */
    readonly executed_at: string | null;
    readonly metadata: JsonObject;
  };
};

/** Attesta scores from 0 to 1; our levels are words. The middle of what each word covers in four bands of our own. */
export const RISK_SCORES: Readonly<Record<string, number>> = {
  low: 0.15,
  medium: 0.45,
  high: 0.7,
  critical: 0.9,
};

/** What is kept of the records of one decision, whatever their order. */
type Course = {
  decision: JsonObject;
  required: number;
  approvals: Map<string, JsonObject>;
  denial?: JsonObject;
  answeredAt: string;
  expired?: JsonObject;
  intent?: JsonObject;
};

function courseOf(records: readonly JsonObject[]): Course | undefined {
  const inOrder = records.toSorted((a, b) => Number(a.seq ?? 0) - Number(b.seq ?? 0));
  const decision = inOrder.find(record => record.event_type === 'decision.recorded');
  if (decision === undefined) return undefined;
  const course: Course = { decision, required: 1, approvals: new Map(), answeredAt: '' };
  for (const record of inOrder) {
    const approval = asObject(record.approval);
    switch (record.event_type) {
      case 'approval.asked': {
        const { k } = asObject(asObject(approval.binding).required);
        if (typeof k === 'number') course.required = k;
        break;
      }
      case 'approval.answered':
        course.answeredAt = asText(record.received_at);
        if (approval.verdict === 'approve') course.approvals.set(asText(approval.by), approval);
        else course.denial = approval;
        break;
      case 'approval.expired':
        course.expired = record;
        break;
      case 'intent.recorded':
        course.intent = record;
        break;
    }
  }
  return course;
}

/** Enough people, or one where four-eyes was not in force. */
const isGiven = ({ approvals, required }: Course): boolean =>
  approvals.size >= required || [...approvals.values()].some(({ four_eyes }) => four_eyes !== true);

function verdictOf(course: Course): AttestaVerdict | undefined {
  const { result } = asObject(course.decision.decision);
  if (result === 'allow') return 'auto_approved';
  if (result === 'deny' || course.denial !== undefined) return 'denied';
  if (course.intent !== undefined || isGiven(course)) return 'approved';
  return course.expired === undefined ? undefined : 'timed_out';
}

/**
 * `records`: full records (head and body flat) of one decision and what came of it, in any order; others' are not looked
 * at. Undefined while there is no verdict: it waits, or the agent took it back.
 */
export function attestaEvent(records: readonly JsonObject[]): AttestaEvent | undefined {
  const course = courseOf(records);
  const verdict = course === undefined ? undefined : verdictOf(course);
  if (course === undefined || verdict === undefined) return undefined;
  const { decision, denial, intent, expired } = course;
  const decided = asObject(decision.decision);
  const answers = denial === undefined ? [...course.approvals.values()] : [denial];
  const counted = verdict === 'approved' || verdict === 'denied' ? answers : [];
  const reviews = counted
    .map(({ reviewed }) => asObject(reviewed))
    .filter(({ seconds }) => seconds !== undefined);
  const received = asText(decision.received_at);
  const decidedAt =
    verdict === 'timed_out'
      ? asText(expired?.received_at)
      : counted.length > 0
        ? course.answeredAt
        : received;
  const risk = asText(decision.risk);
  return {
    event_id: asText(decision.event_id),
    event_type: `attesta.approval.${verdict}`,
    timestamp: decidedAt,
    actor_id: asText(decision.actor_id) || 'unknown',
    tenant_id: asText(decision.tenant_id),
    session_id: asText(decision.session_id),
    trace_id: asText(decision.trace_id) || null,
    payload: {
      action_name: asText(decision.name),
      risk_score: RISK_SCORES[risk] ?? 0,
      risk_level: risk,
      challenge_type: challengeOf(course, reviews),
      challenge_passed: verdict === 'approved' && reviews.length > 0 ? true : null,
      approver_ids: counted.map(({ by }) => asText(by)),
      verdict,
      review_duration_seconds:
        reviews.length === 0 ? null : Math.max(...reviews.map(({ seconds }) => Number(seconds))),
      min_review_met: reviews.length === 0 ? null : reviews.every(({ min_met }) => min_met === true),
      intercepted_at: received,
      decided_at: decidedAt,
      executed_at: asText(intent?.received_at) || null,
      metadata: {
        arguments: decision.input ?? {},
        reasons: decided.reasons ?? [],
        policy: decided.policy ?? {},
        decision_id: asText(decision.event_id),
        ...(decided.approval_id === undefined ? {} : { approval_id: decided.approval_id }),
      },
    },
  };
}

function challengeOf(
  { required }: Course,
  reviews: readonly JsonObject[],
): AttestaEvent['payload']['challenge_type'] {
  const kinds = ['question', 'retype', 'confirm'] as const;
  const hardest = kinds.find(kind => reviews.some(({ challenge }) => challenge === kind));
  if (hardest === undefined) return null;
  return required > 1 ? 'multi_party' : hardest;
}

const LATER = new Set(['approval.asked', 'approval.answered', 'approval.expired', 'intent.recorded']);
/** Characters that are kept of what came of decisions: as much of approvals as the verifier holds. */
const COURSES_MOST = 512 * 2 ** 20;

/** The records of a pack put together by decision: `note` all of them, in any order, then ask for the event of each decision. */
export class Courses {
  /** By decision_id: what an event is made of, as JSON. */
  readonly #later = new Map<string, string[]>();
  #size = 0;

  /** Throws pack_unreadable where the approvals are too many to hold. */
  note(record: JsonObject): void {
    const { event_type, seq, received_at } = record;
    if (!LATER.has(asText(event_type))) return;
    const { by, verdict, binding, reviewed, four_eyes } = asObject(record.approval);
    const { required } = asObject(binding);
    const approval = { by, verdict, four_eyes, reviewed, binding: { required } };
    const kept = JSON.stringify({ event_type, seq, received_at, approval });
    this.#size += kept.length;
    if (this.#size > COURSES_MOST)
      throw new TrailmixError('pack_unreadable', { message: 'Its approvals take more than 512 MiB' });
    const decision = asText(asObject(record.approval ?? record.intent).decision_id);
    const list = this.#later.get(decision);
    if (list === undefined) this.#later.set(decision, [kept]);
    else list.push(kept);
  }

  /** Undefined where the record is no decision, or there was no verdict. */
  event(record: JsonObject): AttestaEvent | undefined {
    if (record.event_type !== 'decision.recorded') return undefined;
    const later = this.#later.get(asText(record.event_id)) ?? [];
    return attestaEvent([record, ...later.map(text => JSON.parse(text) as JsonObject)]);
  }
}
