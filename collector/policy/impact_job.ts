/**
 * One impact job: recorded decisions, newest first, dealt in chunks to threads that decide them again (impact_thread.ts), and
 * counted here. Rules: a thread whose evaluation works for longer than the gate's deadline is ended, that decision counts as
 * `failed`, the rest of its chunk is dealt again, and after MOST_SLOW of them the job fails; of each cell that flips the
 * newest decisions are kept; cancelling ends the threads at once.
 */
import { availableParallelism } from 'node:os';
import type { Worker } from 'node:worker_threads';
import { TrailmixError } from '../../core/api/errors.ts';
import type { ImpactView, PolicyWord, UnfaithfulReason } from '../../core/api/policy_views.ts';
import type { Ledger } from '../ports.ts';
import type { PolicyBundle } from './bundle.ts';
import {
  type GivenInput,
  type ImpactChunk,
  type ImpactMessage,
  type ImpactPlan,
  type ImpactRequest,
  type ImpactThreadData,
  WORDS,
} from './impact_thread_types.ts';
import type { RecordedDecisions } from './recorded.ts';
import type { Reads } from './session_state.ts';
import { wasm } from './wasm.ts';

const CHUNK = 1024;
/** Milliseconds that one evaluation may take: the gate's. */
const DEADLINE_MS = 500;
const WATCH_MS = 100;
const MOST_SLOW = 20;
/** Decisions kept of each cell that flips. */
export const KEPT_FLIPS = 10_000;

type Task = { seqs: Float64Array } | { given: GivenInput[] };
/** `since`: milliseconds that the thread had used when evaluation number `begun` was first seen to last. */
type Seat = { worker: Worker; at: Int32Array; task?: Task; begun: number; since?: number | undefined };

/** A set of small integers that grows: runs behind a cell. */
class Bits {
  #bytes = new Uint8Array(1024);
  count = 0;
  add(n: number): void {
    const at = Math.floor(n / 8);
    if (at >= this.#bytes.length) {
      const grown = new Uint8Array(Math.max(at + 1, this.#bytes.length * 2));
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    const bit = 1 << (n % 8);
    if ((this.#bytes[at]! & bit) !== 0) return;
    this.#bytes[at]! |= bit;
    this.count += 1;
  }
}

type Cell = { from: PolicyWord; to: PolicyWord; decisions: number; runs: Bits; seqs: number[] };
const cellOf = (from: number, to: number): number => from * WORDS.length + to;

export class ImpactJob {
  readonly #ledger: Pick<Ledger, 'read' | 'readingThread'>;
  readonly #recorded: RecordedDecisions;
  readonly #bundle: PolicyBundle;
  readonly #reads: Reads;
  readonly #seats = new Set<Seat>();
  /** By the places of both words in WORDS. */
  readonly #cells: Cell[] = WORDS.flatMap(from =>
    WORDS.map(to => ({ from, to, decisions: 0, runs: new Bits(), seqs: [] })),
  );
  readonly #skipped = new Map<UnfaithfulReason, number>();
  readonly #again: Task[] = [];
  #seqs = new Float64Array(0);
  #next = 0;
  #done = 0;
  #slow = 0;
  #state: ImpactView['state'] = 'running';
  #error: TrailmixError | undefined;
  #over: (() => void) | undefined;

  constructor(options: {
    ledger: Pick<Ledger, 'read' | 'readingThread'>;
    recorded: RecordedDecisions;
    bundle: PolicyBundle;
    reads: Reads;
  }) {
    this.#ledger = options.ledger;
    this.#recorded = options.recorded;
    this.#bundle = options.bundle;
    this.#reads = options.reads;
  }

  get state(): ImpactView['state'] {
    return this.#state;
  }

  /** Resolves when it is over, however it ended; never rejects. */
  async run(plan: ImpactPlan): Promise<void> {
    const over = new Promise<void>(resolve => {
      this.#over = resolve;
    });
    const watch = setInterval(() => this.#watch(), WATCH_MS);
    try {
      const module = await wasm.compile(this.#bundle.wasm);
      const first = await this.#seat(module);
      this.#seqs = await this.#plan(first, plan);
      if (this.#state === 'running') {
        const wanted = Math.min(availableParallelism(), Math.ceil(this.#seqs.length / CHUNK));
        this.#start = () => this.#seat(module);
        this.#deal(first);
        for (let n = 1; n < wanted && this.#state === 'running'; n++) void this.#more();
        await over;
      }
    } catch (error) {
      this.#end('failed', error);
    } finally {
      clearInterval(watch);
      await Promise.all([...this.#seats].map(({ worker }) => worker.terminate()));
      this.#seats.clear();
    }
  }

  #start: () => Promise<Seat> = () => Promise.reject(new TrailmixError('internal'));

  async #more(): Promise<void> {
    try {
      const seat = await this.#start();
      if (this.#state === 'running') this.#deal(seat);
      else await seat.worker.terminate();
    } catch (error) {
      this.#end('failed', error);
    }
  }

  #seat(module: ImpactThreadData['module']): Promise<Seat> {
    const shared = new SharedArrayBuffer(4);
    const { data, entrypoint } = this.#bundle;
    const parts: ImpactThreadData = { module, data, entrypoint, reads: this.#reads, shared };
    const worker = this.#ledger.readingThread(new URL('./impact_thread.ts', import.meta.url), parts);
    const seat: Seat = { worker, at: new Int32Array(shared), begun: 0 };
    this.#seats.add(seat);
    return new Promise((resolve, reject) => {
      const refuse = (why: string): void =>
        reject(new TrailmixError('policy_invalid', { message: `The policy does not start: ${why}` }));
      worker.on('message', (message: ImpactMessage) => {
        if ('ready' in message) resolve(seat);
        else if ('refused' in message) refuse(message.refused);
        else if ('done' in message) this.#take(seat, message.done);
      });
      worker.on('error', error => {
        refuse(String(error));
        if (this.#seats.has(seat)) this.#end('failed', error);
      });
      worker.on('exit', () => refuse('its thread ended'));
    });
  }

  #plan({ worker }: Seat, plan: ImpactPlan): Promise<Float64Array<ArrayBuffer>> {
    return new Promise((resolve, reject) => {
      worker.on('message', (message: ImpactMessage) => {
        if ('seqs' in message) resolve(message.seqs as Float64Array<ArrayBuffer>);
      });
      worker.once('exit', () => reject(new TrailmixError('internal', { message: 'its thread ended' })));
      worker.postMessage({ plan } satisfies ImpactRequest);
    });
  }

  #deal(seat: Seat): void {
    if (this.#state !== 'running') return;
    const task = this.#again.pop() ?? this.#fresh();
    if (task === undefined) {
      delete seat.task;
      if (this.#done >= this.#seqs.length) this.#end('done');
      return;
    }
    seat.task = task;
    seat.begun = 0;
    seat.worker.postMessage('seqs' in task ? { chunk: task.seqs } : { given: task.given });
  }

  #fresh(): Task | undefined {
    if (this.#next >= this.#seqs.length) return undefined;
    const seqs = this.#seqs.slice(this.#next, this.#next + CHUNK);
    this.#next += seqs.length;
    return { seqs };
  }

  #take(seat: Seat, { seq, run, from, to, skipped, blobs }: ImpactChunk): void {
    delete seat.task;
    for (let n = 0; n < seq.length; n++) this.#count(seq[n]!, run[n]!, from[n]!, to[n]!);
    for (const [reason, count] of Object.entries(skipped)) this.#skip(reason as UnfaithfulReason, count);
    if (blobs.length > 0) void this.#fetch(blobs);
    this.#deal(seat);
  }

  /** Words by their places in WORDS. */
  #count(seq: number, run: number, from: number, to: number): void {
    const cell = this.#cells[cellOf(from, to)]!;
    cell.decisions += 1;
    cell.runs.add(run);
    this.#done += 1;
    if (from === to) return;
    cell.seqs.push(seq);
    if (cell.seqs.length > 2 * KEPT_FLIPS) cell.seqs = newest(cell.seqs);
  }

  #skip(reason: UnfaithfulReason, count: number): void {
    this.#skipped.set(reason, (this.#skipped.get(reason) ?? 0) + count);
    this.#done += count;
  }

  /** Decisions whose arguments became blobs: read here, decided in a thread. */
  async #fetch(blobs: ImpactChunk['blobs']): Promise<void> {
    const given: GivenInput[] = [];
    let missing = 0;
    try {
      for (const { seq, run, from } of blobs) {
        if (this.#state !== 'running') return;
        const made = await this.#recorded.rebuilt(seq, this.#reads);
        if ('input' in made) given.push({ seq, run, from, input: made.input });
        else {
          missing += 1;
          this.#skip(made.missing, 1);
        }
      }
      if (given.length > 0) this.#again.push({ given });
      this.#wake(missing > 0);
    } catch (error) {
      this.#end('failed', error);
    }
  }

  /** A thread without work takes what came back, or sees that all is done. */
  #wake(settled: boolean): void {
    const idle = [...this.#seats].find(({ task }) => task === undefined);
    if (idle !== undefined && (this.#again.length > 0 || settled)) this.#deal(idle);
  }

  #watch(): void {
    for (const seat of this.#seats) {
      const n = Atomics.load(seat.at, 0);
      if (seat.task === undefined || n === 0 || n !== seat.begun) {
        seat.begun = n;
        seat.since = undefined;
      } else {
        void this.#judge(seat, n);
      }
    }
  }

  /** By the thread's own CPU time: at the lowest priority it may stand still for as long as others work. */
  async #judge(seat: Seat, n: number): Promise<void> {
    const usage = await seat.worker.cpuUsage().catch(() => undefined);
    if (usage === undefined || seat.begun !== n || !this.#seats.has(seat)) return;
    const used = (usage.user + usage.system) / 1000;
    seat.since ??= used;
    if (used - seat.since > DEADLINE_MS && Atomics.load(seat.at, 0) === n) this.#slowOne(seat, n - 1);
  }

  #slowOne(seat: Seat, n: number): void {
    const task = seat.task!;
    this.#seats.delete(seat);
    void seat.worker.terminate();
    this.#slow += 1;
    if (this.#slow > MOST_SLOW) {
      const message = `${this.#slow} evaluations took longer than ${DEADLINE_MS} ms each`;
      this.#end('failed', new TrailmixError('policy_invalid', { message }));
      return;
    }
    const slow = 'seqs' in task ? task.seqs[n]! : task.given[n]!.seq;
    if ('seqs' in task) this.#again.push({ seqs: task.seqs.filter(seq => seq !== slow) });
    else this.#again.push({ given: task.given.filter(({ seq }) => seq !== slow) });
    void this.#failedOne(slow).then(() => this.#more());
  }

  async #failedOne(seq: number): Promise<void> {
    try {
      const [row] = await this.#ledger.read.query<{ run: number }>('policy.runOf', { seq });
      const [decision] = await this.#recorded.at([seq]);
      const failed = WORDS.indexOf('failed');
      this.#count(
        seq,
        row?.run ?? 0,
        decision === undefined ? failed : WORDS.indexOf(decision.result),
        failed,
      );
    } catch (error) {
      this.#end('failed', error);
    }
  }

  #end(state: 'done' | 'failed' | 'cancelled', error?: unknown): void {
    if (this.#state !== 'running') return;
    this.#state = state;
    if (error !== undefined)
      this.#error = error instanceof TrailmixError ? error : new TrailmixError('internal');
    this.#over?.();
  }

  cancel(): void {
    this.#end('cancelled');
  }

  /** Seqs behind a cell that are kept, newest first; of a cell that stays the same none. */
  behind(from: PolicyWord, to: PolicyWord): number[] {
    return newest(this.#cells[cellOf(WORDS.indexOf(from), WORDS.indexOf(to))]!.seqs);
  }

  counts(): Pick<
    ImpactView,
    'done' | 'total' | 'cells' | 'decided' | 'flipped' | 'skipped' | 'first_seq' | 'last_seq' | 'error'
  > {
    const cells = this.#cells
      .filter(({ decisions }) => decisions > 0)
      .map(({ from, to, decisions, runs }) => ({ from, to, decisions, runs: runs.count }))
      .sort((a, b) => compare(a.from, b.from) || compare(a.to, b.to));
    const sum = (some: typeof cells): number => some.reduce((all, { decisions }) => all + decisions, 0);
    return {
      done: this.#done,
      total: this.#seqs.length,
      cells,
      decided: sum(cells),
      flipped: sum(cells.filter(({ from, to }) => from !== to)),
      skipped: Object.fromEntries([...this.#skipped].sort(([a], [b]) => compare(a, b))),
      ...(this.#seqs.length === 0
        ? {}
        : { first_seq: this.#seqs[this.#seqs.length - 1]!, last_seq: this.#seqs[0]! }),
      ...(this.#error === undefined
        ? {}
        : { error: { code: this.#error.code, message: this.#error.message } }),
    };
  }
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const newest = (seqs: readonly number[]): number[] => [...seqs].sort((a, b) => b - a).slice(0, KEPT_FLIPS);
