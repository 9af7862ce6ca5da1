/**
 * Runs, spans, hours: what lists and pictures read, kept in the transaction of the records they come from. Sums of a
 * group are gathered in memory and written once. Everything here can be recomputed from records; the verifier
 * compares spans and records. One per ledger, in the writer thread.
 */
import { runId } from '../../core/proof/record.ts';
import type { EventFacts } from '../ports.ts';
import { sha256 } from '../sha256.ts';
import type { Connection } from './database.ts';

export const RISKS = ['', 'low', 'medium', 'high', 'critical'] as const;
export const STATUSES = ['', 'ok', 'error'] as const;
const HOUR_US = 3_600_000_000;
/** Runs kept at hand between groups. */
const RUNS_HELD = 4096;
/** Distinct names of unknown attributes that are counted; the rest count under one name. */
const ATTRIBUTES_LIMIT = 2000;
const OTHER_ATTRIBUTES = '(other)';

/** A row of `run`. */
export type RunRow = {
  run: number;
  run_id: string;
  app: number;
  session_id: string;
  title: string;
  first_us: number;
  last_us: number;
  events: number;
  first_seq: number;
  last_seq: number;
  risk: number;
  status: number;
  tokens: number;
  cost: number;
  allowed: number;
  denied: number;
  asked: number;
  failed: number;
  sample: number;
  unverified: number;
};

/** What a record brings to the projections. */
export type Projected = {
  seq: number;
  app: number;
  appId: string;
  receivedUs: number;
  eventType: string;
  eventId: string;
  sessionId: string | undefined;
  facts: EventFacts;
};

type HourRow = {
  hour_us: number;
  app: number;
  events: number;
  allow: number;
  deny: number;
  approve: number;
  failed: number;
  unverified: number;
};
type Sql = Record<
  | 'lastRun'
  | 'runById'
  | 'insertRun'
  | 'updateRun'
  | 'insertSpan'
  | 'addHour'
  | 'addAttribute'
  | 'attributeCount',
  string
>;

export class Projections {
  readonly #db: Connection;
  readonly #sql: Sql;
  readonly #insertSpan;
  readonly #runById;
  readonly #insertRun;
  readonly #updateRun;
  readonly #addHour;
  #runs = new Map<string, RunRow>();
  #dirty = new Map<RunRow, 'new' | 'known'>();
  #hours = new Map<string, HourRow>();
  #attributes = new Map<string, number>();
  #nextRun = 0;

  constructor(db: Connection, sql: Sql) {
    this.#db = db;
    this.#sql = sql;
    this.#insertSpan = db.prepare(sql.insertSpan);
    this.#runById = db.prepare<[string], RunRow>(sql.runById);
    this.#insertRun = db.prepare<[RunRow]>(sql.insertRun);
    this.#updateRun = db.prepare<[RunRow]>(sql.updateRun);
    this.#addHour = db.prepare<[HourRow]>(sql.addHour);
    this.reset();
  }

  /** Forgets what is in memory: at open, and after a group that failed. */
  reset(): void {
    this.#runs = new Map();
    this.#dirty = new Map();
    this.#hours = new Map();
    this.#attributes = new Map();
    this.#nextRun = (this.#db.prepare<[], { run: number }>(this.#sql.lastRun).get()?.run ?? 0) + 1;
  }

  /** Counts the record in, writes its span, and answers its run's number (null: it belongs to no run). */
  apply(event: Projected): number | null {
    this.#countHour(event);
    for (const [name, count] of Object.entries(event.facts.unknownAttributes ?? {})) {
      this.#attributes.set(name, (this.#attributes.get(name) ?? 0) + count);
    }
    if (event.sessionId === undefined) return null;
    const run = this.#run(event, event.sessionId);
    const { facts } = event;
    const risk = facts.risk === undefined ? 0 : RISKS.indexOf(facts.risk);
    const status = facts.status === undefined ? 0 : STATUSES.indexOf(facts.status);
    const endUs = facts.endUs ?? facts.startUs;
    if (facts.startUs < run.first_us) run.first_us = facts.startUs;
    if (endUs > run.last_us) run.last_us = endUs;
    run.events++;
    run.last_seq = event.seq;
    if (risk > run.risk) run.risk = risk;
    if (status > run.status) run.status = status;
    run.tokens += facts.tokens ?? 0;
    run.cost += facts.cost ?? 0;
    if (run.title === '' && facts.title !== undefined) run.title = facts.title;
    if (facts.decision === 'allow') run.allowed++;
    else if (facts.decision === 'deny') run.denied++;
    else if (facts.decision === 'approve') run.asked++;
    else if (facts.decision === 'failed') run.failed++;
    if (facts.sample) run.sample = 1;
    if (facts.unverified) run.unverified = 1;
    if (!this.#dirty.has(run)) this.#dirty.set(run, 'known');
    this.#insertSpan.run(
      run.run,
      event.seq,
      event.eventId,
      facts.parentId ?? null,
      event.eventType,
      facts.name ?? null,
      facts.kind,
      facts.startUs,
      facts.endUs ?? null,
      risk,
      status,
      facts.decision ?? null,
      facts.tokens ?? null,
      facts.cost ?? null,
    );
    return run.run;
  }

  #countHour({ receivedUs, app, facts }: Projected): void {
    const hour_us = receivedUs - (receivedUs % HOUR_US);
    const key = `${hour_us} ${app}`;
    let row = this.#hours.get(key);
    if (row === undefined) {
      row = { hour_us, app, events: 0, allow: 0, deny: 0, approve: 0, failed: 0, unverified: 0 };
      this.#hours.set(key, row);
    }
    row.events++;
    if (facts.decision !== undefined) row[facts.decision]++;
    if (facts.unverified) row.unverified++;
  }

  #run(event: Projected, sessionId: string): RunRow {
    const key = `${event.app} ${sessionId}`;
    const held = this.#runs.get(key);
    if (held !== undefined) return held;
    const id = runId(sha256, event.appId, sessionId);
    let run = this.#runById.get(id);
    if (run === undefined) {
      const { startUs } = event.facts;
      run = {
        run: this.#nextRun++,
        run_id: id,
        app: event.app,
        session_id: sessionId,
        title: '',
        first_us: startUs,
        last_us: startUs,
        events: 0,
        first_seq: event.seq,
        last_seq: event.seq,
        risk: 0,
        status: 0,
        tokens: 0,
        cost: 0,
        allowed: 0,
        denied: 0,
        asked: 0,
        failed: 0,
        sample: 0,
        unverified: 0,
      };
      this.#dirty.set(run, 'new');
    }
    this.#runs.set(key, run);
    return run;
  }

  /** Writes what was gathered. Part of the group's transaction. */
  flush(): void {
    for (const [run, is] of this.#dirty) (is === 'new' ? this.#insertRun : this.#updateRun).run(run);
    this.#dirty.clear();
    for (const row of this.#hours.values()) this.#addHour.run(row);
    this.#hours.clear();
    if (this.#attributes.size > 0) this.#flushAttributes();
    if (this.#runs.size > RUNS_HELD) this.#runs = new Map([...this.#runs].slice(-RUNS_HELD / 2));
  }

  #flushAttributes(): void {
    const { n } = this.#db.prepare<[], { n: number }>(this.#sql.attributeCount).get()!;
    const known = this.#db.prepare<[string], { known: number }>(
      'SELECT 1 AS known FROM attribute WHERE name = ?',
    );
    const add = this.#db.prepare(this.#sql.addAttribute);
    let room = ATTRIBUTES_LIMIT - n;
    for (const [name, count] of this.#attributes) {
      if (known.get(name) === undefined && room-- <= 0) add.run(OTHER_ATTRIBUTES, count);
      else add.run(name, count);
    }
    this.#attributes.clear();
  }
}
