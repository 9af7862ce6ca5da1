/**
 * Runs as lists show them, and one run with all its spans. Reads the projections that the writer keeps; a query's words
 * are searched in events, and a run matches when one of its events does. `from` and `to` keep runs that were active in
 * between, by their events' own times. Facets count under every filter but their own.
 */
import { TrailmixError } from '../../core/api/errors.ts';
import type { DecisionState, SpanColumns, TraceSummary } from '../../core/api/views.ts';
import { formatMicros } from '../../core/event/time.ts';
import { runId } from '../../core/proof/record.ts';
import type { ReadLedger, TraceQuery } from '../ports.ts';
import { sha256 } from '../sha256.ts';
import type { Connection } from './database.ts';
import { RISKS, type RunRow, STATUSES } from './projections.ts';
import { isEmpty, parseQuery } from './query-text.ts';
import { MOST_ITEMS, type Search, timeOf } from './search.ts';
import { NO_RISK } from './search-index.ts';

type ListedRun = RunRow & { app_id: string };
/** Waiting approvals of each run that has any, by run_id. */
type Waiting = ReadonlyMap<string, number>;

const DEFAULT_LIMIT = 100;
/** What a list can be ordered by, as SQL. Ties go by `run`. */
const ORDERS: Readonly<Record<string, string>> = {
  last_seq: 'run.last_seq',
  first_seq: 'run.first_seq',
  first_ts: 'run.first_us',
  last_ts: 'run.last_us',
  title: 'run.title',
  app_id: 'app.app_id',
  session_id: 'run.session_id',
  duration_us: 'run.last_us - run.first_us',
  events: 'run.events',
  risk: 'run.risk',
  status: 'run.status',
  tokens: 'run.tokens',
  cost: 'run.cost',
  decisions: '(run.denied + run.failed) * 1000000 + run.asked * 1000 + run.allowed',
};

const DECISIONS: Readonly<Record<string, string>> = {
  allow: 'run.allowed > 0',
  deny: 'run.denied > 0',
  approve: 'run.asked > 0',
  failed: 'run.failed > 0',
  waiting: 'run.run_id IN (SELECT value FROM json_each(:waiting))',
};

type Condition = { facet?: 'app' | 'risk' | 'decision'; sql: string; parameters: Record<string, unknown> };

export class Traces {
  readonly #db: Connection;
  readonly #search: Search;

  constructor(db: Connection, search: Search) {
    this.#db = db;
    this.#search = search;
  }

  traces(asked: TraceQuery): Awaited<ReturnType<ReadLedger['traces']>> {
    return this.#db.transaction(() => {
      const waiting = this.#waiting();
      const conditions = this.#conditions(asked, waiting);
      const { order, descending } = orderOf(asked.sort);
      const limit = Math.min(asked.limit ?? DEFAULT_LIMIT, MOST_ITEMS);
      const cursor = readCursor(asked.cursor);
      const where = (leaveOut?: string) => clause(conditions, leaveOut);
      const all = where();
      const beyond = descending ? '<' : '>';
      const page =
        cursor === undefined ? '' : `AND (${order}, run.run) ${beyond} (:cursor_value, :cursor_run)`;
      const way = descending ? 'DESC' : 'ASC';
      const rows = this.#db
        .prepare<[Record<string, unknown>], ListedRun & { sorted: string | number }>(
          `SELECT run.*, app.app_id, ${order} AS sorted FROM run JOIN app ON app.app = run.app
           WHERE ${all.sql} ${page} ORDER BY ${order} ${way}, run.run ${way} LIMIT :limit`,
        )
        .all({
          ...all.parameters,
          limit: limit + 1,
          ...(cursor === undefined ? {} : { cursor_value: cursor.value, cursor_run: cursor.run }),
        });
      const items = rows.slice(0, limit);
      const last = rows.length > limit ? items.at(-1) : undefined;
      return {
        items: items.map(run => summary(run, waiting)),
        total: this.#count(all),
        ...(last === undefined ? {} : { next: writeCursor(last.sorted, last.run) }),
        facets: {
          app: this.#facet('app.app_id', where('app')),
          risk: riskNames(this.#facet('run.risk', where('risk'))),
          decision: this.#decisions(where('decision'), waiting),
        },
      };
    })();
  }

  #conditions(asked: TraceQuery, waiting: Waiting): Condition[] {
    const conditions: Condition[] = [];
    const add = (sql: string, parameters: Record<string, unknown>, facet?: Condition['facet']) =>
      conditions.push({ sql, parameters, ...(facet === undefined ? {} : { facet }) });
    if (asked.app !== undefined) add('app.app_id = :app', { app: asked.app }, 'app');
    if (asked.session !== undefined) add('run.session_id = :session', { session: asked.session });
    if (asked.risk !== undefined) {
      const risk = (RISKS as readonly string[]).indexOf(asked.risk === NO_RISK ? '' : asked.risk);
      add('run.risk = :risk', { risk }, 'risk');
    }
    if (asked.decision !== undefined) {
      const sql = DECISIONS[asked.decision];
      if (sql === undefined)
        throw new TrailmixError('input_invalid', { where: 'decision', message: 'no such decision' });
      add(sql, asked.decision === 'waiting' ? { waiting: listed(waiting) } : {}, 'decision');
    }
    if (asked.from !== undefined) add('run.last_us >= :from', { from: timeOf(asked.from, 'from') });
    if (asked.to !== undefined) add('run.first_us <= :to', { to: timeOf(asked.to, 'to') });
    const query = parseQuery(asked.q ?? '', asked.eventId === undefined ? {} : { event: asked.eventId });
    // Nearly every run has an event without a risk: asked of runs, it means that none of their events has one.
    const unrated = query.fields.filter(({ field, value }) => field === 'risk' && value === NO_RISK);
    if (unrated.length > 0) {
      query.fields = query.fields.filter(one => !unrated.includes(one));
      add('run.risk = 0', {});
    }
    if (!isEmpty(query)) {
      const found = JSON.stringify([...this.#search.runs(query)]);
      add('run.run IN (SELECT value FROM json_each(:found))', { found });
    }
    return conditions;
  }

  #waiting(): Waiting {
    const rows = this.#db
      .prepare<[], { app_id: string; session_id: string; n: number }>(
        `SELECT app_id, session_id, count(*) AS n FROM approval
         WHERE tenant_id IN (SELECT tenant_id FROM ledger) AND status = 'waiting' GROUP BY 1, 2`,
      )
      .all();
    return new Map(rows.map(row => [runId(sha256, row.app_id, row.session_id), row.n]));
  }

  #count(where: Where): number {
    return this.#db
      .prepare<[Record<string, unknown>], { n: number }>(
        `SELECT count(*) AS n FROM run JOIN app ON app.app = run.app WHERE ${where.sql}`,
      )
      .get(where.parameters)!.n;
  }

  #facet(column: string, where: Where): Record<string, number> {
    const rows = this.#db
      .prepare<[Record<string, unknown>], { value: string; n: number }>(
        `SELECT ${column} AS value, count(*) AS n FROM run JOIN app ON app.app = run.app WHERE ${where.sql} GROUP BY 1`,
      )
      .all(where.parameters);
    return Object.fromEntries(rows.map(row => [String(row.value), row.n]));
  }

  #decisions(where: Where, waiting: Waiting): Record<string, number> {
    const sums = Object.entries(DECISIONS).map(([name, sql]) => `coalesce(sum(${sql}), 0) AS "${name}"`);
    const row = this.#db
      .prepare<[Record<string, unknown>], Record<string, number>>(
        `SELECT ${sums.join(', ')} FROM run JOIN app ON app.app = run.app WHERE ${where.sql}`,
      )
      .get({ ...where.parameters, waiting: listed(waiting) })!;
    return Object.fromEntries(Object.entries(row).filter(([, n]) => n > 0));
  }

  trace(runId: string, q?: string): Awaited<ReturnType<ReadLedger['trace']>> {
    return this.#db.transaction(() => {
      const run = this.#db
        .prepare<[string], ListedRun>(
          `SELECT run.*, app.app_id FROM run JOIN app ON app.app = run.app WHERE run_id = ?`,
        )
        .get(runId);
      if (run === undefined) return undefined;
      const trace = summary(run, this.#waiting());
      const spans = this.#spans(run);
      if (q === undefined || q.trim() === '') return { trace, spans };
      return { trace, spans, matches: this.#matches(run, q) };
    })();
  }

  #matches(run: ListedRun, q: string): number[] {
    const query = parseQuery(q, { app: run.app_id, session: run.session_id });
    return [...this.#search.matching(query, { low: run.first_seq, high: run.last_seq })].reverse();
  }

  #spans(run: ListedRun): SpanColumns {
    const rows = this.#db
      .prepare<[number], SpanTuple>(
        `SELECT seq, parent_id, event_id, event_type, coalesce(name, ''), kind, start_us, coalesce(end_us, start_us), risk,
           status, decision, coalesce(tokens, 0), coalesce(cost, 0) FROM span WHERE run = ? ORDER BY start_us, seq`,
      )
      .raw()
      .all(run.run);
    const columns: SpanColumns = {
      seq: [],
      parent: [],
      event_id: [],
      event_type: [],
      name: [],
      kind: [],
      start_us: [],
      duration_us: [],
      risk: [],
      status: [],
      decision: [],
      tokens: [],
      cost: [],
    };
    const at = new Map<string, number>();
    rows.forEach((row, i) => {
      at.set(row[2], i);
    });
    const approvals = this.#approvals(run);
    for (const row of rows) {
      const [seq, parentId, eventId, type, name, kind, start, end, risk, status, decision, tokens, cost] =
        row;
      columns.seq.push(seq);
      columns.parent.push(parentId === null ? -1 : (at.get(parentId) ?? -1));
      columns.event_id.push(eventId);
      columns.event_type.push(type);
      columns.name.push(name);
      columns.kind.push(kind);
      columns.start_us.push(start - run.first_us);
      columns.duration_us.push(end - start);
      columns.risk.push(RISKS[risk] ?? '');
      columns.status.push(STATUSES[status] ?? '');
      columns.decision.push(decision === null ? '' : stateOf(decision, approvals.get(eventId)));
      columns.tokens.push(tokens);
      columns.cost.push(cost);
    }
    return columns;
  }

  /** Status of the run's approvals, by their decision. */
  #approvals(run: ListedRun): Map<string, string> {
    if (run.asked === 0) return new Map();
    const rows = this.#db
      .prepare<[number], { decision_id: string; status: string }>(
        `SELECT decision_id, approval.status AS status FROM span JOIN approval ON approval.decision_id = span.event_id
         WHERE span.run = ? AND span.decision = 'approve'`,
      )
      .all(run.run);
    return new Map(rows.map(row => [row.decision_id, row.status]));
  }
}

type SpanTuple = [
  seq: number,
  parentId: string | null,
  eventId: string,
  type: string,
  name: string,
  kind: SpanColumns['kind'][number],
  start: number,
  end: number,
  risk: number,
  status: number,
  decision: string | null,
  tokens: number,
  cost: number,
];

function stateOf(decision: string, approval: string | undefined): DecisionState {
  if (decision === 'allow') return 'allowed';
  if (decision === 'deny') return 'denied';
  if (decision === 'failed') return 'failed';
  if (approval === 'denied') return 'refused';
  if (approval === 'approved' || approval === 'expired' || approval === 'consumed') return approval;
  if (approval === 'cancelled') return approval;
  return 'waiting';
}

const listed = (waiting: Waiting): string => JSON.stringify([...waiting.keys()]);

function summary(run: ListedRun, waiting: Waiting): TraceSummary {
  return {
    run_id: run.run_id,
    app_id: run.app_id,
    session_id: run.session_id,
    title: run.title === '' ? run.session_id : run.title,
    first_ts: formatMicros(run.first_us),
    last_ts: formatMicros(run.last_us),
    duration_us: run.last_us - run.first_us,
    events: run.events,
    first_seq: run.first_seq,
    last_seq: run.last_seq,
    ...(run.risk === 0 ? {} : { risk: RISKS[run.risk] as NonNullable<TraceSummary['risk']> }),
    status: run.status === 0 ? 'unset' : run.status === 1 ? 'ok' : 'error',
    tokens: run.tokens,
    cost: run.cost,
    allowed: run.allowed,
    denied: run.denied,
    asked: run.asked,
    failed: run.failed,
    waiting: waiting.get(run.run_id) ?? 0,
    sample: run.sample === 1,
    unverified: run.unverified === 1,
  };
}

type Where = { sql: string; parameters: Record<string, unknown> };

function clause(conditions: readonly Condition[], leaveOut?: string): Where {
  const kept = conditions.filter(one => one.facet === undefined || one.facet !== leaveOut);
  return {
    sql: ['TRUE', ...kept.map(one => one.sql)].join(' AND '),
    parameters: Object.assign({}, ...kept.map(one => one.parameters)) as Record<string, unknown>,
  };
}

function orderOf(sort = '-last_seq'): { order: string; descending: boolean } {
  const descending = sort.startsWith('-');
  const name = descending ? sort.slice(1) : sort;
  const order = Object.hasOwn(ORDERS, name) ? ORDERS[name] : undefined;
  if (order === undefined) {
    const names = Object.keys(ORDERS).join(', ');
    throw new TrailmixError('input_invalid', {
      where: 'sort',
      message: `sort is one of ${names}, with - for descending`,
    });
  }
  return { order, descending };
}

const riskNames = (counts: Record<string, number>): Record<string, number> =>
  Object.fromEntries(Object.entries(counts).map(([risk, n]) => [RISKS[Number(risk)] || NO_RISK, n]));

const writeCursor = (value: string | number, run: number): string =>
  Buffer.from(JSON.stringify([value, run])).toString('base64url');

function readCursor(cursor: string | undefined): { value: string | number; run: number } | undefined {
  if (cursor === undefined) return undefined;
  try {
    const [value, run] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown[];
    if ((typeof value === 'string' || typeof value === 'number') && typeof run === 'number')
      return { value, run };
  } catch {
    // Falls through to the refusal.
  }
  throw new TrailmixError('input_invalid', {
    where: 'cursor',
    message: 'cursor must be the `next` of an answer',
  });
}
