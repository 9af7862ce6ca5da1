/**
 * Search over all records: the index where it has reached, a scan of what came since, so the answer is what a scan of
 * everything would give, at any moment. Totals are exact. A cursor keeps the end of the ledger as the first page saw
 * it, so that pages neither skip nor repeat while events come.
 */
import { TrailmixError } from '../../core/api/errors.ts';
import type { RecordView } from '../../core/api/views.ts';
import { tsMicros, validTs } from '../../core/event/time.ts';
import type { EventQuery } from '../ports.ts';
import type { Connection } from './database.ts';
import { hasPhrases, isEmpty, matchesQuery, matchText, parseQuery, type Query } from './query-text.ts';
import { type RecordReader, recordView } from './records.ts';
import type { FieldValues } from './search-index.ts';

const DEFAULT_LIMIT = 100;
export const MOST_ITEMS = 1000;
/** Records read at once while scanning. */
const SCAN = 500;

/** Seqs from `low` to `high`, both inclusive. */
type Range = { low: number; high: number };

export class Search {
  readonly #db: Connection;
  readonly #records: RecordReader;
  readonly #indexed: boolean;
  readonly #at;

  /** `indexed`: search.db is attached as `s`. */
  constructor(db: Connection, records: RecordReader, indexed: boolean) {
    this.#db = db;
    this.#records = records;
    this.#indexed = indexed;
    this.#at = db.prepare<[number], { received_us: number }>('SELECT received_us FROM record WHERE seq = ?');
  }

  search(asked: EventQuery): { items: RecordView[]; total: number; next?: string } {
    return this.#db.transaction(() => {
      const limit = Math.min(asked.limit ?? DEFAULT_LIMIT, MOST_ITEMS);
      const cursor = readCursor(asked.cursor);
      const top = Math.min(cursor?.top ?? Number.MAX_SAFE_INTEGER, this.#records.lastSeq());
      const query = parseQuery(asked.q ?? '', fieldsAsked(asked));
      const range = this.range(asked, top);
      const { total, seqs } = this.#find(
        query,
        range,
        Math.min(range.high, (cursor?.seq ?? range.high + 1) - 1),
        limit + 1,
      );
      const more = seqs.length > limit;
      const page = seqs.slice(0, limit);
      const items = page.map(seq => this.#records.record(seq)!);
      return { items, total, ...(more ? { next: `${page.at(-1)}.${top}` } : {}) };
    })();
  }

  /** The total in the range, and the newest `limit` seqs at or below `high`. */
  #find(query: Query, range: Range, high: number, limit: number): { total: number; seqs: number[] } {
    if (isEmpty(query)) {
      const seqs: number[] = [];
      for (let seq = high; seq >= range.low && seqs.length < limit; seq--) seqs.push(seq);
      return { total: Math.max(0, range.high - range.low + 1), seqs };
    }
    if (query.phrases.length > 0) {
      const all = [...this.matching(query, range)];
      return { total: all.length, seqs: all.filter(seq => seq <= high).slice(0, limit) };
    }
    const next = this.#next();
    const tail = this.#scan(query, { low: Math.max(range.low, next), high: range.high });
    const seqs = tail.filter(seq => seq <= high).slice(0, limit);
    const indexed = { low: range.low, high: Math.min(range.high, next - 1) };
    if (indexed.high < indexed.low) return { total: tail.length, seqs };
    const match = matchText(query);
    const counted = this.#db
      .prepare<[string, number, number], { n: number }>(
        'SELECT count(*) AS n FROM s.terms WHERE terms MATCH ? AND rowid BETWEEN ? AND ?',
      )
      .get(match, indexed.low, indexed.high)!;
    if (seqs.length < limit) {
      const rows = this.#db
        .prepare<[string, number, number, number], { rowid: number }>(
          'SELECT rowid FROM s.terms WHERE terms MATCH ? AND rowid BETWEEN ? AND ? ORDER BY rowid DESC LIMIT ?',
        )
        .all(match, indexed.low, Math.min(indexed.high, high), limit - seqs.length);
      for (const { rowid } of rows) seqs.push(rowid);
    }
    return { total: tail.length + counted.n, seqs };
  }

  /** Every matching seq of the range, newest first. */
  *matching(query: Query, range: Range): Generator<number> {
    const next = this.#next();
    yield* this.#scan(query, { low: Math.max(range.low, next), high: range.high });
    const rows = this.#indexedRows(query, { low: range.low, high: Math.min(range.high, next - 1) });
    for (const seq of rows) {
      if (query.phrases.length > 0 && !hasPhrases(this.#records.record(seq)!, query)) continue;
      yield seq;
    }
  }

  #indexedRows(query: Query, { low, high }: Range): number[] {
    if (high < low) return [];
    return this.#db
      .prepare<[string, number, number], number>(
        'SELECT rowid FROM s.terms WHERE terms MATCH ? AND rowid BETWEEN ? AND ? ORDER BY rowid DESC',
      )
      .pluck()
      .all(matchText(query), low, high);
  }

  /** Numbers of the runs with at least one matching record. */
  runs(query: Query): Set<number> {
    const last = this.#records.lastSeq();
    const next = this.#next();
    const found = new Set<number>();
    for (const run of this.#scanRuns(query, { low: next, high: last })) found.add(run);
    if (next === 0) return found;
    if (query.phrases.length > 0) {
      const runOf = this.#db.prepare<[number], { run: number }>('SELECT run FROM s.run_of WHERE seq = ?');
      for (const seq of this.matching(query, { low: 0, high: Math.min(last, next - 1) })) {
        const row = runOf.get(seq);
        if (row !== undefined) found.add(row.run);
      }
      return found;
    }
    const rows = this.#db
      .prepare<[string, number], number>(
        `SELECT DISTINCT run FROM s.run_of WHERE seq IN (SELECT rowid FROM s.terms WHERE terms MATCH ? AND rowid <= ?)`,
      )
      .pluck();
    for (const run of rows.all(matchText(query), last)) found.add(run);
    return found;
  }

  #next(): number {
    if (!this.#indexed) return 0;
    return this.#db.prepare<[], { next: number }>('SELECT next FROM s.reached').get()?.next ?? 0;
  }

  /** Newest first. */
  #scan(query: Query, { low, high }: Range): number[] {
    const found: number[] = [];
    for (let to = high; to >= low; to -= SCAN) {
      const rows = this.#records.rows(Math.max(low, to - SCAN + 1), to);
      for (const row of rows.reverse()) if (matchesQuery(recordView(row), query)) found.push(row.head.seq);
    }
    return found;
  }

  *#scanRuns(query: Query, { low, high }: Range): Generator<number> {
    for (let from = low; from <= high; from += SCAN) {
      for (const row of this.#records.rows(from, Math.min(high, from + SCAN - 1))) {
        if (row.run !== null && matchesQuery(recordView(row), query)) yield row.run;
      }
    }
  }

  /** The records received from `from` to `to`, both inclusive: received_at never falls, so bisection finds the ends. */
  range(asked: Pick<EventQuery, 'from' | 'to'>, top: number): Range {
    const low = asked.from === undefined ? 0 : this.#first(timeOf(asked.from, 'from'), top);
    const high = asked.to === undefined ? top : this.#first(timeOf(asked.to, 'to') + 1, top) - 1;
    return { low, high };
  }

  #first(us: number, top: number): number {
    let low = 0;
    let high = top + 1;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if ((this.#at.get(middle)?.received_us ?? 0) >= us) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/** Microseconds of a bound: a time, or a day; `from` is padded with 0s, `to` with 9s. Throws input_invalid. */
export function timeOf(text: string, end: 'from' | 'to'): number {
  const day = /^\d{4}-\d\d-\d\d$/.test(text);
  const whole = day ? `${text}T${end === 'from' ? '00:00:00' : '23:59:59.999999'}Z` : text;
  if (!validTs(whole)) {
    throw new TrailmixError('input_invalid', {
      where: end,
      message: `${end} must be a time, YYYY-MM-DDTHH:MM:SSZ`,
    });
  }
  if (end === 'from' || day) return tsMicros(whole);
  const digits = /\.(\d+)Z$/.exec(whole)?.[1] ?? '';
  return tsMicros(`${whole.slice(0, 19)}.${digits.padEnd(6, '9')}Z`);
}

export function fieldsAsked(asked: EventQuery): FieldValues {
  return {
    ...(asked.app === undefined ? {} : { app: asked.app }),
    ...(asked.session === undefined ? {} : { session: asked.session }),
    ...(asked.eventId === undefined ? {} : { event: asked.eventId }),
  };
}

function readCursor(cursor: string | undefined): { seq: number; top: number } | undefined {
  if (cursor === undefined) return undefined;
  const [, seq, top] = /^(\d{1,15})\.(\d{1,15})$/.exec(cursor) ?? [];
  if (seq === undefined || top === undefined) {
    throw new TrailmixError('input_invalid', {
      where: 'cursor',
      message: 'cursor must be the `next` of an answer',
    });
  }
  return { seq: Number(seq), top: Number(top) };
}
