/**
 * What summary.pdf says of approvals: how they ended, how long people took, and the review behind each that is listed.
 * Taken from the lines of approvals.jsonl alone. Format: docs/spec/pack.md, "summary.pdf".
 */
import { tsMicros } from '../event/time.ts';
import type { JsonObject, JsonValue } from '../proof/jcs.ts';
import { asObject, asText } from './approval_line.ts';
import type { ApprovalCounts } from './host.ts';

const LISTED = 60;
const ANSWERS = 4;
const NAME = 120;
const COMMENT = 160;

/** Texts of the figures are cut, in UTF-16 code units; what is cut ends in an ellipsis. */
export const cut = (text: string, most: number): string =>
  text.length > most ? `${text.slice(0, most - 1).toWellFormed()}…` : text;

export type AnswerRow = {
  readonly seq: number;
  readonly by: string;
  /** Of the enrolment; empty where nobody was enrolled. */
  readonly name: string;
  readonly role: string;
  readonly verdict: string;
  readonly signed: boolean;
  readonly answered_at: string;
  /** Empty, -1 or `unknown` where no review was recorded. */
  readonly opened_at: string;
  readonly seconds: number;
  readonly min_seconds: number;
  readonly minimum: 'met' | 'short' | 'unknown';
  readonly challenge: string;
  readonly on_behalf_of: string;
  readonly comment: string;
};

export type ApprovalResult = 'ran' | 'failed' | 'never_reported' | 'not_run';

export type ApprovalRow = {
  readonly approval_id: string;
  /** Of the question, or of the decision where the question is not in the pack. */
  readonly seq: number;
  readonly action: string;
  readonly risk: string;
  readonly asked_at: string;
  readonly status: keyof ApprovalCounts;
  readonly result: ApprovalResult;
  readonly people: number;
  readonly answers: readonly AnswerRow[];
  /** All answers, listed or not. */
  readonly answer_count: number;
};

export const ANSWER_TIMES = ['under_10s', 'under_1min', 'under_10min', 'under_1h', 'longer'] as const;
const LIMITS_MS = [10_000, 60_000, 600_000, 3_600_000, Number.POSITIVE_INFINITY];

export type ApprovalFigures = {
  readonly statuses: ApprovalCounts;
  readonly results: { readonly [K in ApprovalResult]: number };
  readonly answers: { readonly signed: number; readonly unsigned: number };
  readonly minimum: { readonly met: number; readonly short: number; readonly unknown: number };
  readonly on_behalf: number;
  /** From the question to its last answer; median and longest in ms, 0 where nothing was answered. */
  readonly times: { readonly [K in (typeof ANSWER_TIMES)[number]]: number } & {
    readonly median_ms: number;
    readonly longest_ms: number;
  };
  /** What went wrong first, then what is open, then the rest; the newest first in each. */
  readonly rows: readonly ApprovalRow[];
};

/** Memory: a number for each answered approval, and the rows that are listed. */
export function approvalFigures(lines: Iterable<JsonObject>): ApprovalFigures {
  const statuses: ApprovalCounts = {
    approved: 0,
    cancelled: 0,
    consumed: 0,
    denied: 0,
    expired: 0,
    waiting: 0,
  };
  const results = { ran: 0, failed: 0, never_reported: 0, not_run: 0 };
  const answered = { signed: 0, unsigned: 0 };
  const minimum = { met: 0, short: 0, unknown: 0 };
  const took: number[] = [];
  const rows: ApprovalRow[] = [];
  let behalf = 0;
  for (const line of lines) {
    const answers = Array.isArray(line.answers) ? line.answers.map(asObject) : [];
    const told = answers.map(answer => answerRow(answer, line));
    const row = rowOf(line, told);
    statuses[row.status]++;
    results[row.result]++;
    for (const answer of told) {
      answered[answer.signed ? 'signed' : 'unsigned']++;
      minimum[answer.minimum]++;
      if (answer.on_behalf_of !== '') behalf++;
    }
    const last = told.at(-1);
    if (last !== undefined && row.asked_at !== '') took.push(millis(row.asked_at, last.answered_at));
    const at = rows.findIndex(
      other => rank(row) < rank(other) || (rank(row) === rank(other) && row.seq > other.seq),
    );
    if (at === -1 && rows.length >= LISTED) continue;
    rows.splice(at === -1 ? rows.length : at, 0, row);
    if (rows.length > LISTED) rows.pop();
  }
  took.sort((a, b) => a - b);
  const times = Object.fromEntries(ANSWER_TIMES.map(name => [name, 0])) as Record<
    (typeof ANSWER_TIMES)[number],
    number
  >;
  for (const ms of took) times[ANSWER_TIMES[LIMITS_MS.findIndex(limit => ms < limit)]!]++;
  return {
    statuses,
    results,
    answers: answered,
    minimum,
    on_behalf: behalf,
    times: {
      ...times,
      median_ms: took[Math.floor((took.length - 1) / 2)] ?? 0,
      longest_ms: took.at(-1) ?? 0,
    },
    rows,
  };
}

/** Whole milliseconds from one recorded time to another, never below 0. */
export const millis = (from: string, to: string): number =>
  Math.max(0, Math.floor((tsMicros(to) - tsMicros(from)) / 1000)) || 0;

const seqOf = (line: JsonObject): number => {
  const seq = line.asked_seq ?? line.decision_seq;
  return typeof seq === 'number' ? seq : -1;
};

const numberOf = (value: JsonValue | undefined): number => (typeof value === 'number' ? value : -1);

function rowOf(line: JsonObject, answers: readonly AnswerRow[]): ApprovalRow {
  const binding = asObject(line.binding);
  return {
    approval_id: cut(asText(line.approval_id), NAME),
    seq: seqOf(line),
    action: cut(asText(binding.action), NAME),
    risk: asText(binding.risk),
    asked_at: asText(line.asked_at),
    status: line.status as ApprovalRow['status'],
    result: resultOf(line),
    people: Math.max(1, numberOf(asObject(binding.required).k)),
    answers: answers.slice(0, ANSWERS),
    answer_count: answers.length,
  };
}

function resultOf(line: JsonObject): ApprovalResult {
  if (line.intent === undefined) return 'not_run';
  const said = asObject(line.outcome).outcome;
  return said === 'ok' ? 'ran' : said === 'error' ? 'failed' : 'never_reported';
}

function answerRow(answer: JsonObject, line: JsonObject): AnswerRow {
  const reviewed = asObject(answer.reviewed);
  const statement = asObject(answer.statement);
  const by = asText(answer.by);
  const keyId = asText(statement.key_id);
  const enrolments = Array.isArray(line.enrolments) ? line.enrolments.map(asObject) : [];
  const met = reviewed.min_met;
  return {
    seq: numberOf(answer.seq),
    by: cut(by, NAME),
    name: cut(asText(enrolments.find(one => one.person_id === by && one.key_id === keyId)?.name), NAME),
    role: cut(asText(statement.role), NAME),
    verdict: asText(answer.verdict),
    signed: answer.signature !== undefined,
    answered_at: asText(answer.received_at),
    opened_at: asText(reviewed.opened_at),
    seconds: numberOf(reviewed.seconds),
    min_seconds: numberOf(reviewed.min_seconds),
    minimum: met === true ? 'met' : met === false ? 'short' : 'unknown',
    challenge: cut(asText(reviewed.challenge) || asText(asObject(reviewed.challenge).kind), NAME),
    on_behalf_of: cut(asText(asObject(statement.review).on_behalf_of), NAME),
    comment: cut(asText(answer.comment), COMMENT),
  };
}

/** What went wrong, what is open, the rest. */
function rank({ status, result }: ApprovalRow): number {
  if (status === 'denied' || status === 'expired' || status === 'cancelled' || result === 'failed') return 0;
  return status === 'waiting' || result === 'never_reported' ? 1 : 2;
}
