/**
 * Producers number their events (`stream {id, n}` from 1, bound to one API key): what is missing or double shows here.
 * Format: docs/spec/pack.md, "Streams". Rules: order is not judged; memory is one interval list per stream, bounded.
 */
import type { JsonObject, JsonValue } from '../proof/jcs.ts';
import type { Findings } from './findings.ts';

/** Most intervals kept over all streams. */
export const INTERVAL_LIMIT = 500_000;

type Stream = {
  /** From 0, in the order in which they were first named. */
  readonly number: number;
  readonly key: string;
  readonly id: string;
  /** Of the first record that names it. */
  readonly seq: number;
  /** Flat, rising, disjoint and not adjoining: from0, to0, from1, to1... (both inclusive). */
  readonly seen: number[];
  readonly dropped: [number, number][];
  end?: number;
};

/** What the records say of one numbering. `missing`: numbers between the first and the last that are not here. */
export type StreamRow = {
  readonly key: string;
  readonly id: string;
  readonly seq: number;
  readonly first: number;
  readonly last: number;
  readonly received: number;
  readonly missing: number;
  /** Reports of the producer that it dropped events. */
  readonly gaps: number;
  readonly ended: boolean;
};

/** Where a numbered record stands: `highest` is the highest number before it (0: none). */
export type StreamPlace = {
  readonly name: string;
  readonly n: number;
  readonly highest: number;
  /** Of its stream; undefined where no more are followed. */
  readonly stream: number | undefined;
};

const nameOf = (value: JsonObject, id: string): string => {
  const key = asObject(value.source)?.key;
  return `${typeof key === 'string' ? key : ''}/${id}`;
};

/** Edges of the window, as completeness has found them. */
export type WindowEdges = {
  /** Records of the app came before the window. */
  readonly before: boolean;
  /** Records of the app came after it. */
  readonly after: boolean;
  /** Bodies in the window that are not here. */
  readonly hidden: boolean;
};

export class Streams {
  readonly #streams = new Map<string, Stream>();
  readonly #ended: boolean[] = [];
  #intervals = 0;
  #full = false;

  /** Takes a record with a body, and answers where it stands if it is numbered; `where` names it in findings. */
  take(value: JsonObject, where: string, findings?: Findings): StreamPlace | undefined {
    if (value.event_type === 'gap') this.#gap(value);
    const numbered = numberOf(value);
    if (numbered === undefined) return undefined;
    const { id, n } = numbered;
    const name = nameOf(value, id);
    const entry = this.#of(value, name, id);
    if (entry === undefined) return { name, n, highest: 0, stream: undefined };
    const highest = entry.seen.at(-1) ?? 0;
    if (!this.#add(entry.seen, n)) findings?.add('stream_duplicate', where, `${id} number ${n}.`);
    if (value.event_type === 'stream.end') {
      entry.end = n;
      this.#ended[entry.number] = true;
    }
    return { name, n, highest, stream: entry.number };
  }

  /** `stream` as of `take`. */
  ended(stream: number): boolean {
    return this.#ended[stream] === true;
  }

  /** In the order in which they were first named. */
  *rows(): Generator<StreamRow> {
    for (const { key, id, seq, seen, dropped, end } of this.#streams.values()) {
      const [first, last] = [seen[0] ?? 0, seen.at(-1) ?? 0];
      let received = 0;
      for (let i = 0; i < seen.length; i += 2) received += seen[i + 1]! - seen[i]! + 1;
      const missing = seen.length === 0 ? 0 : last - first + 1 - received;
      const ended = end !== undefined;
      yield { key, id, seq, first, last, received, missing, gaps: dropped.length, ended };
    }
  }

  finish(edges: WindowEdges, findings: Findings): void {
    if (this.#full) findings.add('stream_unjudged', 'events.jsonl');
    for (const [name, { seen, dropped, end }] of this.#streams) {
      const where = `events.jsonl:stream ${name}`;
      const last = seen.at(-1) ?? 0;
      if (dropped.length > 0) findings.add('stream_dropped', where, ranges(dropped));
      const missing: [number, number][] = [];
      let expected = 1;
      for (let i = 0; i < seen.length; i += 2) {
        if (seen[i]! > expected) missing.push([expected, seen[i]! - 1]);
        expected = seen[i + 1]! + 1;
      }
      let open = end === undefined && edges.after;
      const unexplained: [number, number][] = [];
      for (const gap of missing.flatMap(range => subtract(range, dropped))) {
        // What is missing at the beginning may have come before the window.
        if (edges.before && gap[1] < (seen[0] ?? 1)) open = true;
        else unexplained.push(gap);
      }
      if (end !== undefined && last > end)
        findings.add('stream_duplicate', where, `numbers after its end (${end}).`);
      if (unexplained.length > 0)
        findings.add(edges.hidden ? 'stream_hidden' : 'stream_gap', where, ranges(unexplained));
      if (open) findings.add('stream_open', where);
    }
  }

  #of(value: JsonObject, name: string, id: string): Stream | undefined {
    let entry = this.#streams.get(name);
    if (entry === undefined) {
      if (this.#intervals + this.#streams.size >= INTERVAL_LIMIT) {
        this.#full = true;
        return undefined;
      }
      const key = name.slice(0, -id.length - 1);
      const number = this.#streams.size;
      entry = { number, key, id, seq: value.seq as number, seen: [], dropped: [] };
      this.#ended.push(false);
      this.#streams.set(name, entry);
    }
    return entry;
  }

  #gap(value: JsonObject): void {
    const input = asObject(value.input);
    const { stream, from, to } = input ?? {};
    if (typeof stream !== 'string' || !Number.isSafeInteger(from) || !Number.isSafeInteger(to)) return;
    if ((from as number) < 1 || (to as number) < (from as number)) return;
    this.#of(value, nameOf(value, stream), stream)?.dropped.push([from as number, to as number]);
    this.#intervals++;
  }

  /** Adds n; false where it is there already. */
  #add(seen: number[], n: number): boolean {
    const last = seen.length - 1;
    if (last > 0 && n === seen[last]! + 1) {
      seen[last] = n;
      return true;
    }
    let i = 0;
    let high = seen.length / 2;
    while (i < high) {
      const middle = (i + high) >>> 1;
      if (seen[2 * middle + 1]! < n) i = middle + 1;
      else high = middle;
    }
    // Interval i is the first that does not end before n.
    if (2 * i < seen.length && seen[2 * i]! <= n) return false;
    const joinsLeft = i > 0 && seen[2 * i - 1] === n - 1;
    const joinsRight = 2 * i < seen.length && seen[2 * i] === n + 1;
    if (joinsLeft && joinsRight) {
      seen.splice(2 * i - 1, 2);
      this.#intervals--;
    } else if (joinsLeft) seen[2 * i - 1] = n;
    else if (joinsRight) seen[2 * i] = n;
    else if (this.#intervals >= INTERVAL_LIMIT) this.#full = true;
    else {
      seen.splice(2 * i, 0, n, n);
      this.#intervals++;
    }
    return true;
  }
}

function numberOf(value: JsonObject): { id: string; n: number } | undefined {
  const { id, n } = asObject(value.stream) ?? {};
  const right = typeof id === 'string' && Number.isSafeInteger(n) && (n as number) >= 1;
  return right ? { id: id as string, n: n as number } : undefined;
}

function asObject(value: JsonValue | undefined): JsonObject | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as JsonObject)
    : undefined;
}

/** The parts of a range that no other range covers. */
function subtract(range: [number, number], others: readonly [number, number][]): [number, number][] {
  let parts: [number, number][] = [range];
  for (const [from, to] of others) {
    parts = parts.flatMap(([a, b]): [number, number][] => {
      if (to < a || from > b) return [[a, b]];
      const left: [number, number][] = from > a ? [[a, from - 1]] : [];
      return to < b ? [...left, [to + 1, b]] : left;
    });
  }
  return parts;
}

function ranges(list: readonly [number, number][]): string {
  const told = list.slice(0, 5).map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`));
  return `Numbers ${told.join(', ')}${list.length > 5 ? ' and more' : ''}.`;
}
