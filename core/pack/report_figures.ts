/**
 * The figures of summary.pdf: every number that it takes from the records, as one value whose JCS is attached to the
 * document. Writer and verifier make it here from the same records, in the order of events.jsonl.
 * Format: docs/spec/pack.md, "summary.pdf". Memory: bounded lists, 20,000 runs in short; the others are but counted (sessions.ts).
 */
import type { JsonObject, JsonValue } from '../proof/jcs.ts';
import { asObject, asText } from './approval_line.ts';
import { evalCount } from './evals.ts';
import { type ApprovalFigures, approvalFigures, cut } from './report_approvals.ts';
import type { Sessions } from './sessions.ts';

const EXCEPTIONS = 60;
const RUNS = 40;
const RUNS_KEPT = 20_000;
const ACTIONS = 6;
const ACTIONS_KEPT = 500;
const NAME = 120;
const DETAIL = 160;
/** Bars of a figure over time. */
const BINS = 120;
/** Characters of a time that name its hour, day, month and year. */
const UNITS = [
  ['hour', 13],
  ['day', 10],
  ['month', 7],
  ['year', 4],
] as const;

export type DecisionCounts = { allow: number; approve: number; deny: number; failed: number };
type Result = keyof DecisionCounts;
export type ReportRisk = 'low' | 'medium' | 'high' | 'critical' | 'unstated';
export type ExceptionKind = 'denied' | 'failed' | 'refused' | 'expired' | 'error';

/** A thing that a reader must see first: a denied or failed call, a refused or expired approval, an error. */
export type ReportException = {
  readonly seq: number;
  readonly at: string;
  readonly kind: ExceptionKind;
  readonly name: string;
  readonly detail: string;
};

export type ReportRun = {
  readonly session_id: string;
  /** Of the label `title`; empty without. */
  readonly title: string;
  readonly first_at: string;
  readonly last_at: string;
  readonly records: number;
  readonly decisions: DecisionCounts;
  readonly errors: number;
  readonly exceptions: number;
};

export type TimeBin = { readonly at: string; readonly records: number } & Readonly<DecisionCounts>;

export type Figures = {
  readonly v: 1;
  readonly records: number;
  readonly runs: number;
  readonly evals: number;
  readonly errors: number;
  readonly unverified: number;
  readonly samples: number;
  readonly decisions: DecisionCounts;
  readonly risks: { readonly [K in ReportRisk]: DecisionCounts };
  /** Names that decisions were asked for, most frequent first. */
  readonly actions: readonly { readonly name: string; readonly count: number }[];
  /** By received_at, in the finest unit that gives at most 120 of them; `at` is the beginning of the time's text. */
  readonly over_time: { readonly unit: 'hour' | 'day' | 'month' | 'year'; readonly bins: readonly TimeBin[] };
  readonly exception_counts: { readonly [K in ExceptionKind]: number };
  readonly exceptions: readonly ReportException[];
  /** By their first record; those with exceptions were chosen before the others. */
  readonly run_rows: readonly ReportRun[];
  readonly approvals: ApprovalFigures;
};

const none = (): DecisionCounts => ({ allow: 0, approve: 0, deny: 0, failed: 0 });

type Run = {
  readonly session: number;
  decisions: DecisionCounts | undefined;
  title: string;
  first: string;
  last: string;
  records: number;
  errors: number;
  exceptions: number;
};

export class ReportFigures {
  #records = 0;
  #evals = 0;
  #errors = 0;
  #unverified = 0;
  #samples = 0;
  readonly #sessions: Sessions;
  /** By the number of the session. */
  readonly #runs: Run[] = [];
  readonly #actions = new Map<string, number>();
  readonly #decisions = none();
  readonly #risks = { low: none(), medium: none(), high: none(), critical: none(), unstated: none() };
  readonly #exceptions: ReportException[] = [];
  readonly #exceptionCounts = { denied: 0, failed: 0, refused: 0, expired: 0, error: 0 };
  #bins = new Map<string, { records: number } & DecisionCounts>();
  #unit = 0;

  constructor(sessions: Sessions) {
    this.#sessions = sessions;
  }

  /** Takes a record of events.jsonl; they come by rising seq. */
  take(record: JsonObject): void {
    this.#records++;
    this.#evals += evalCount(record);
    const source = asObject(record.source);
    if (source.auth === 'none') this.#unverified++;
    if (source.via === 'sample') this.#samples++;
    const isError = record.status === 'error';
    if (isError) this.#errors++;
    const at = asText(record.received_at);
    const result = resultOf(record);
    const bin = this.#bin(at);
    bin.records++;
    const run = this.#run(record, at);
    if (run !== undefined) {
      run.records++;
      run.last = at;
      if (isError) run.errors++;
    }
    if (record.event_type === 'decision.recorded') this.#name(asText(record.name));
    if (result !== undefined) {
      this.#decisions[result]++;
      this.#risks[riskOf(record)][result]++;
      bin[result]++;
      if (run !== undefined) {
        run.decisions ??= none();
        run.decisions[result]++;
      }
    }
    const exception = exceptionOf(record);
    if (exception === undefined) return;
    this.#exceptionCounts[exception.kind]++;
    if (run !== undefined) run.exceptions++;
    if (this.#exceptions.length < EXCEPTIONS) {
      this.#exceptions.push({
        seq: record.seq as number,
        at,
        kind: exception.kind,
        name: cut(asText(record.name) || asText(record.event_type), NAME),
        detail: cut(exception.detail, DETAIL),
      });
    }
  }

  /** `approvals`: what the lines of approvals.jsonl say, also where the pack leaves that file empty. */
  figures(approvals: Iterable<JsonObject>): Figures {
    const runs = this.#runs;
    const chosen = new Set(
      [
        ...runs.filter(({ exceptions }) => exceptions > 0).slice(0, RUNS),
        ...runs.filter(({ exceptions }) => exceptions === 0).slice(0, RUNS),
      ].slice(0, RUNS),
    );
    return {
      v: 1,
      records: this.#records,
      runs: this.#sessions.size,
      evals: this.#evals,
      errors: this.#errors,
      unverified: this.#unverified,
      samples: this.#samples,
      decisions: this.#decisions,
      risks: this.#risks,
      actions: [...this.#actions]
        .map(([name, count]) => ({ name, count }))
        .sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1))
        .slice(0, ACTIONS),
      over_time: {
        unit: UNITS[this.#unit]![0],
        bins: [...this.#bins]
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([key, counts]) => ({ at: key, ...counts })),
      },
      exception_counts: this.#exceptionCounts,
      exceptions: this.#exceptions,
      run_rows: runs.filter(run => chosen.has(run)).map(run => rowOf(run, this.#sessions)),
      approvals: approvalFigures(approvals),
    };
  }

  #run(record: JsonObject, at: string): Run | undefined {
    const id = record.session_id;
    const session = typeof id === 'string' ? this.#sessions.numberOf(id) : undefined;
    if (session === undefined || session >= RUNS_KEPT) return undefined;
    let run = this.#runs[session];
    if (run === undefined) {
      run = {
        session,
        title: '',
        first: at,
        last: at,
        records: 0,
        errors: 0,
        exceptions: 0,
        decisions: undefined,
      };
      this.#runs[session] = run;
    }
    if (run.title === '') run.title = cut(asText(asObject(record.labels).title), NAME);
    return run;
  }

  #bin(at: string): { records: number } & DecisionCounts {
    let key = at.slice(0, UNITS[this.#unit]![1]);
    let bin = this.#bins.get(key);
    while (bin === undefined && this.#bins.size >= BINS && this.#unit < UNITS.length - 1) {
      this.#coarsen();
      key = at.slice(0, UNITS[this.#unit]![1]);
      bin = this.#bins.get(key);
    }
    if (bin === undefined) {
      bin = { records: 0, ...none() };
      this.#bins.set(key, bin);
    }
    return bin;
  }

  /** What was counted by the hour is counted by the day, and so on. */
  #coarsen(): void {
    const before = this.#bins;
    this.#unit++;
    this.#bins = new Map();
    for (const [at, counts] of before) {
      const key = at.slice(0, UNITS[this.#unit]![1]);
      const bin = this.#bins.get(key) ?? { records: 0, ...none() };
      for (const name of Object.keys(bin) as (keyof typeof bin)[]) bin[name] += counts[name];
      this.#bins.set(key, bin);
    }
  }

  #name(name: string): void {
    const short = cut(name, NAME);
    const count = this.#actions.get(short);
    if (count !== undefined || this.#actions.size < ACTIONS_KEPT) this.#actions.set(short, (count ?? 0) + 1);
  }
}

const rowOf = (run: Run, sessions: Sessions): ReportRun => ({
  session_id: sessions.textOf(run.session),
  title: run.title,
  first_at: run.first,
  last_at: run.last,
  records: run.records,
  decisions: run.decisions ?? none(),
  errors: run.errors,
  exceptions: run.exceptions,
});

const RESULTS: ReadonlySet<string> = new Set(['allow', 'approve', 'deny']);
function resultOf(record: JsonObject): Result | undefined {
  if (record.event_type !== 'decision.recorded') return undefined;
  const decision = asObject(record.decision);
  if (decision.failed !== undefined) return 'failed';
  const result = asText(decision.result);
  return RESULTS.has(result) ? (result as Result) : undefined;
}

const RISKS: ReadonlySet<string> = new Set(['low', 'medium', 'high', 'critical']);
const riskOf = ({ risk }: JsonObject): ReportRisk =>
  typeof risk === 'string' && RISKS.has(risk) ? (risk as ReportRisk) : 'unstated';

const texts = (list: JsonValue | undefined): string =>
  Array.isArray(list) ? list.filter(one => typeof one === 'string').join('; ') : '';

function exceptionOf(record: JsonObject): Pick<ReportException, 'kind' | 'detail'> | undefined {
  const decision = asObject(record.decision);
  switch (record.event_type) {
    case 'decision.recorded':
      if (decision.failed !== undefined) return { kind: 'failed', detail: texts(decision.reasons) };
      return decision.result === 'deny' ? { kind: 'denied', detail: texts(decision.reasons) } : undefined;
    case 'approval.answered': {
      const approval = asObject(record.approval);
      if (approval.verdict !== 'deny') return undefined;
      const by = asText(approval.by);
      const detail = [by === '' ? '' : `by ${by}`, asText(approval.comment)].filter(Boolean).join(': ');
      return { kind: 'refused', detail };
    }
    case 'approval.expired':
      return { kind: 'expired', detail: 'Nobody answered, or the approval was not used, in time.' };
    case 'outcome.recorded':
      return record.status === 'error'
        ? { kind: 'error', detail: asText(asObject(record.outcome).error) }
        : undefined;
    default:
      return record.status === 'error'
        ? { kind: 'error', detail: 'The program reported that this step failed.' }
        : undefined;
  }
}
