/**
 * queries.jsonl: the questions that are put to the records of a pack, each with the number of its results and a digest of
 * their sequence numbers: which records the scope is, and what a reader should know of how whole they are. Facts, not faults.
 * Writer and verifier make the lines here from the same records. Format: docs/spec/pack.md, "queries.jsonl".
 * Memory: some tens of bytes for each session (sessions.ts), a few facts for each call that waits for its outcome, both
 * bounded; 50 rows of a question.
 */
import { tsSeconds } from '../event/time.ts';
import { hex, utf8 } from '../proof/bytes.ts';
import { type JsonObject, type JsonValue, jcs } from '../proof/jcs.ts';
import { asObject, asText } from './approval_line.ts';
import type { Sha256Stream } from './files.ts';
import type { Manifest } from './manifest.ts';
import { cut } from './report_approvals.ts';
import { Column, type Sessions } from './sessions.ts';
import type { StreamPlace, StreamRow, Streams } from './streams.ts';

export const QUERIES = 'queries.jsonl';
const ROWS = 50;
const TEXT = 120;
/** Calls that wait at once, beyond which no further one is followed. */
const FOLLOWED = 1_000_000;
/** Received later than this after the time that a record gives is late. */
export const LATE_SECONDS = 300;

type Result<Q extends string, R> = {
  readonly query: Q;
  readonly count: number;
  /** Over the seq of each result, in decimal with a newline. Hex. */
  readonly seqs_sha256: string;
  /** The first 50. */
  readonly rows: readonly R[];
};
export type OpenSession = {
  readonly session_id: string;
  readonly records: number;
  readonly last_at: string;
  readonly seq: number;
};
export type OpenCall = {
  readonly name: string;
  readonly at: string;
  readonly by: 'allow' | 'approval';
  readonly seq: number;
};
export type LateRecord = { readonly received_at: string; readonly seq: number; readonly ts: string };
export type BehindRecord = {
  readonly highest: number;
  readonly n: number;
  readonly seq: number;
  readonly stream: string;
};

export type QueryLine =
  | {
      readonly query: 'scope';
      readonly app_id: string;
      readonly by: string;
      readonly from: string;
      readonly to: string;
      readonly checkpoint: { readonly size: number; readonly root: string };
      readonly count: number;
      readonly seqs_sha256: string;
    }
  | Result<'sessions_open', OpenSession>
  | Result<'calls_without_outcome', OpenCall>
  | Result<'received_late', LateRecord>
  | Result<'received_behind', BehindRecord>
  | Result<'streams', StreamRow>;

/** What a scope line says beside its records. */
export type QueryScope = Pick<Manifest, 'app_id' | 'checkpoint'> & {
  readonly scope: Pick<Manifest['scope'], 'by' | 'from' | 'to'>;
};

/** Sequence numbers as they come: their number, their digest, and the first rows. */
class Results<R> {
  readonly #hash;
  readonly #most: number;
  #waiting = '';
  count = 0;
  readonly rows: R[] = [];

  constructor(sha256: Sha256Stream, most = ROWS) {
    this.#hash = sha256();
    this.#most = most;
  }

  add(seq: number, row?: () => R): void {
    this.count++;
    this.#waiting += `${seq}\n`;
    if (this.#waiting.length > 16_384) this.#flush();
    if (row !== undefined && this.rows.length < this.#most) this.rows.push(row());
  }

  /** Once, at the end. */
  digest(): string {
    this.#flush();
    return hex(this.#hash.digest());
  }

  #flush(): void {
    this.#hash.update(utf8(this.#waiting));
    this.#waiting = '';
  }
}

/** Characters of a `received_at`. */
const TIME = 27;
type Call = { readonly name: string; readonly at: string; readonly by: OpenCall['by']; readonly seq: number };

export class PackQueries {
  readonly #sha256: Sha256Stream;
  readonly #scope: Results<never>;
  readonly #late: Results<LateRecord>;
  readonly #behind: Results<BehindRecord>;
  readonly #sessions: Sessions;
  /** Of each session, by its number: its records, seq and time of the last one, whether it ended, its stream's number and 1. */
  readonly #records = new Column(Uint32Array);
  readonly #seqs = new Column(Float64Array);
  readonly #times = new Column(Uint8Array);
  readonly #ended = new Column(Uint8Array);
  readonly #streams = new Column(Uint32Array);
  readonly #calls = new Map<string, Call>();

  constructor(sha256: Sha256Stream, sessions: Sessions) {
    this.#sha256 = sha256;
    this.#sessions = sessions;
    this.#scope = new Results(sha256, 0);
    this.#late = new Results(sha256);
    this.#behind = new Results(sha256);
  }

  /** Every record of the scope, with its body or without, as it is read. */
  seen(seq: number): void {
    this.#scope.add(seq);
  }

  /** A record of the scope with its body. `place`: what `streams` said of it. */
  take(value: JsonObject, place: StreamPlace | undefined): void {
    const seq = value.seq as number;
    const at = value.received_at as string;
    const ts = value.ts as string;
    // The same minute is the common case, and read without parsing.
    if (ts.slice(0, 16) !== at.slice(0, 16) && tsSeconds(at) - tsSeconds(ts) > LATE_SECONDS)
      this.#late.add(seq, () => ({ received_at: at, seq, ts }));
    if (place !== undefined && place.n < place.highest) {
      const { highest, n, name } = place;
      this.#behind.add(seq, () => ({ highest, n, seq, stream: cut(name, TEXT) }));
    }
    this.#session(value, at, seq, place);
    const type = value.event_type;
    if (type === 'intent.recorded') this.#call(`i ${asText(value.event_id)}`, value, 'approval');
    else if (type === 'decision.recorded') {
      const decision = asObject(value.decision);
      if (decision.result === 'allow' && decision.failed === undefined)
        this.#call(`d ${asText(value.event_id)}`, value, 'allow');
    } else if (type === 'outcome.recorded') this.outcome(value);
  }

  /** An outcome, also one from outside the scope. */
  outcome(value: JsonObject): void {
    const { intent_id, decision_id } = asObject(value.outcome);
    const intent = asText(intent_id);
    this.#calls.delete(intent === '' ? `d ${asText(decision_id)}` : `i ${intent}`);
  }

  /** The lines, in their order. Once, when every record has passed. */
  lines({ app_id, scope, checkpoint }: QueryScope, streams: Streams): QueryLine[] {
    const { by, from, to } = scope;
    const told = <Q extends string, R>(query: Q, results: Results<R>): Result<Q, R> => ({
      query,
      count: results.count,
      seqs_sha256: results.digest(),
      rows: results.rows,
    });
    const sessions = new Results<OpenSession>(this.#sha256);
    for (const number of this.#openSessions(streams)) {
      const seq = this.#seqs.at(number);
      sessions.add(seq, () => ({
        session_id: this.#sessions.textOf(number),
        records: this.#records.at(number),
        last_at: this.#timeOf(number),
        seq,
      }));
    }
    const calls = new Results<OpenCall>(this.#sha256);
    for (const call of [...this.#calls.values()].sort((a, b) => a.seq - b.seq))
      calls.add(call.seq, () => ({ ...call }));
    const all = new Results<StreamRow>(this.#sha256);
    for (const row of streams.rows()) all.add(row.seq, () => ({ ...row, id: cut(row.id, TEXT) }));
    return [
      {
        query: 'scope',
        app_id,
        by,
        from,
        to,
        checkpoint: { size: checkpoint.size, root: checkpoint.root },
        count: this.#scope.count,
        seqs_sha256: this.#scope.digest(),
      },
      told('sessions_open', sessions),
      told('calls_without_outcome', calls),
      told('received_late', this.#late),
      told('received_behind', this.#behind),
      told('streams', all),
    ];
  }

  #session(value: JsonObject, at: string, seq: number, place: StreamPlace | undefined): void {
    const id = value.session_id;
    const number = typeof id === 'string' ? this.#sessions.numberOf(id) : undefined;
    if (number === undefined) return;
    this.#records.set(number, this.#records.at(number) + 1);
    this.#seqs.set(number, seq);
    const times = this.#times.room(TIME * (number + 1));
    for (let i = 0; i < TIME; i++) times[TIME * number + i] = at.charCodeAt(i);
    if (value.event_type === 'session.end') this.#ended.set(number, 1);
    if (place !== undefined) this.#streams.set(number, place.stream === undefined ? 0 : place.stream + 1);
  }

  #timeOf(number: number): string {
    return String.fromCharCode(...this.#times.room(0).subarray(TIME * number, TIME * (number + 1)));
  }

  /** Numbers of those that did not end, by their last record. */
  #openSessions(streams: Streams): Uint32Array {
    const open = new Uint32Array(this.#sessions.size);
    let count = 0;
    for (let number = 0; number < open.length; number++) {
      const stream = this.#streams.at(number);
      const ended = this.#ended.at(number) === 1 || (stream > 0 && streams.ended(stream - 1));
      if (!ended && this.#records.at(number) > 0) open[count++] = number;
    }
    return open.subarray(0, count).sort((a, b) => this.#seqs.at(a) - this.#seqs.at(b) || a - b);
  }

  #call(id: string, value: JsonObject, by: OpenCall['by']): void {
    if (this.#calls.size >= FOLLOWED) return;
    const name = cut(asText(value.name), TEXT);
    this.#calls.set(id, { name, at: value.received_at as string, by, seq: value.seq as number });
  }
}

export const queryText = (line: QueryLine): string => jcs(line as unknown as JsonValue as JsonObject);
