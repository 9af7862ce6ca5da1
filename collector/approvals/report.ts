/**
 * How approvals are reviewed: signs of rubber-stamping by person, rule (its name, or the reason that the policy gave) and app.
 * From the answers' own rows, which say what their records say. Sample runs do not count: nobody reviewed them.
 */
import type Database from 'better-sqlite3';
import type { ReviewRow } from '../../core/api/approval_operations.ts';
import type { OutputOf } from '../../core/api/operations.ts';
import { tsMicros } from '../../core/event/time.ts';
import { statement } from '../ledger/statements.ts';

/** A quick reader's pace. */
const CHARACTERS_PER_SECOND = 20;
const LEAST_SECONDS = 2;
/** So many others of the same person in so short a time make a burst. */
const BURST_OTHERS = 9;
const BURST_US = 60_000_000;
/** Answers after which never having said no is worth a look. */
const NEVER_DENIED = 20;
const MOST_ROWS = 1000;

type Answer = {
  by: string;
  name: string | null;
  verdict: 'approve' | 'deny';
  us: number;
  seconds: number | null;
  tooFast: boolean;
  inBurst: boolean;
  app: string;
  rules: string[];
};

export function reviewReport(
  db: Database.Database,
  tenant: string,
  from: string,
  to: string,
): OutputOf<'reviewReport'> {
  const rows = statement(
    db,
    `SELECT w.by, w.name, w.verdict, w.at, w.seconds, w.shown_characters, a.app_id,
       coalesce(a.rules, a.reasons) AS rules
     FROM approval_answer w CROSS JOIN approval a ON a.id = w.approval_id
     WHERE w.tenant_id = ? AND w.at >= ? AND w.at <= ? AND a.key_id <> 'sample' ORDER BY w.at, w.seq`,
  ).all(tenant, from, to) as {
    by: string;
    name: string | null;
    verdict: 'approve' | 'deny';
    at: string;
    seconds: number | null;
    shown_characters: number | null;
    app_id: string;
    rules: string;
  }[];
  const answers = rows.map(
    (row): Answer => ({
      by: row.by,
      name: row.name,
      verdict: row.verdict,
      us: tsMicros(row.at),
      seconds: row.seconds,
      tooFast:
        row.seconds !== null &&
        row.seconds < Math.max(LEAST_SECONDS, (row.shown_characters ?? 0) / CHARACTERS_PER_SECOND),
      inBurst: false,
      app: row.app_id,
      rules: JSON.parse(row.rules) as string[],
    }),
  );
  const people = grouped(answers, answer => [answer.by]);
  for (const own of people.values()) markBursts(own);
  const names = new Map(answers.map(({ by, name }) => [by, name ?? by]));
  return {
    from,
    to,
    answers: answers.length,
    by_person: rowsOf(people, by => names.get(by) ?? by),
    by_rule: rowsOf(
      grouped(answers, ({ rules }) => (rules.length === 0 ? [''] : new Set(rules))),
      rule => (rule === '' ? '(no reason given)' : rule),
    ),
    by_app: rowsOf(
      grouped(answers, ({ app }) => [app]),
      app => app,
    ),
  };
}

function grouped(
  answers: readonly Answer[],
  keysOf: (answer: Answer) => Iterable<string>,
): Map<string, Answer[]> {
  const groups = new Map<string, Answer[]>();
  for (const answer of answers) {
    for (const key of keysOf(answer)) {
      const group = groups.get(key) ?? [];
      group.push(answer);
      groups.set(key, group);
    }
  }
  return groups;
}

/** Those that have at least nine others within a minute before or after. `own` is in order of time. */
function markBursts(own: Answer[]): void {
  let first = 0;
  let last = 0;
  for (const answer of own) {
    while (answer.us - own[first]!.us > BURST_US) first++;
    while (last + 1 < own.length && own[last + 1]!.us - answer.us <= BURST_US) last++;
    answer.inBurst = last - first >= BURST_OTHERS;
  }
}

/** The busiest first. */
function rowsOf(groups: ReadonlyMap<string, readonly Answer[]>, label: (key: string) => string): ReviewRow[] {
  return [...groups]
    .map(([key, answers]) => rowOf(key, label(key), answers))
    .sort((a, b) => b.answers - a.answers || (a.key < b.key ? -1 : 1))
    .slice(0, MOST_ROWS);
}

function rowOf(key: string, label: string, answers: readonly Answer[]): ReviewRow {
  const count = (which: (answer: Answer) => boolean): number => answers.filter(which).length;
  const denied = count(({ verdict }) => verdict === 'deny');
  const tooFast = count(answer => answer.tooFast);
  const inBursts = count(answer => answer.inBurst);
  const neverDenied = answers.length >= NEVER_DENIED && denied === 0;
  const seconds = answers.flatMap(answer => answer.seconds ?? []).sort((a, b) => a - b);
  return {
    key,
    label,
    answers: answers.length,
    approved: answers.length - denied,
    denied,
    median_seconds: seconds.length === 0 ? 0 : median(seconds),
    too_fast: tooFast,
    in_bursts: inBursts,
    never_denied: neverDenied,
    flags: [
      ...(tooFast > 0 ? (['too_fast'] as const) : []),
      ...(neverDenied ? (['never_denied'] as const) : []),
      ...(inBursts > 0 ? (['bursts'] as const) : []),
    ],
  };
}

function median(sorted: readonly number[]): number {
  const middle = sorted.length >> 1;
  const value = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return Math.round(value * 1000) / 1000;
}
