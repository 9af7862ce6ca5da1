/**
 * One impact job: recorded decisions, newest first, dealt in chunks to threads that decide them again (impact_thread.ts), and
 * counted (impact_tally.ts). Rules: a thread whose evaluation works for longer than the gate's deadline is ended, that decision
 * counts as `failed`, the rest of its chunk is dealt again, and after MOST_SLOW of them the job fails; while many events are
 * recorded, one core is left to those who record; cancelling ends the threads at once.
 */
import { availableParallelism } from 'node:os';
import type { Worker } from 'node:worker_threads';
import { TrailmixError } from '../../core/api/errors.ts';
import type { ImpactView, PolicyWord, UnfaithfulReason } from '../../core/api/policy_views.ts';
import type { Ledger } from '../ports.ts';
import type { PolicyBundle } from './bundle.ts';
import { ImpactTally } from './impact_tally.ts';
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

const CORES = availableParallelism();
const CHUNK = 1024;
/** Milliseconds that one evaluation may take: the gate's. */
const DEADLINE_MS = 500;
const WATCH_MS = 100;
const MOST_SLOW = 20;
/** Events between two looks from which on many are recorded, and looks with fewer after which no longer. */
const MANY_EVENTS = 10;
const CALM_LOOKS = 3;

type Task = { seqs: Float64Array } | { given: GivenInput[] };
/**
 * `since`: milliseconds that the thread had used when evaluation number `begun` was first seen to last. `idle`: it is ready, and waits
 * for a task.
 */
type Seat = {
  worker: Worker;
  at: Int32Array;
  state: 'starting' | 'planning' | 'working' | 'idle';
  task?: Task;
  begun: number;
  since?: number | undefined;
};

export class ImpactJob {
  readonly #ledger: Pick<Ledger, 'read' | 'write' | 'stats' | 'readingThread'>;
  readonly #recorded: RecordedDecisions;
  readonly #bundle: PolicyBundle;
  readonly #reads: Reads;
  readonly #seats = new Set<Seat>();
  readonly #tally = new ImpactTally();
  readonly #again: Task[] = [];
  /** Planned and not dealt yet, newest first; of the first, those behind `#next`. */
  readonly #planned: Float64Array[] = [];
  #next = 0;
  #total = 0;
  #newest: number | undefined;
  #oldest: number | undefined;
  #allPlanned = false;
  /** Newest seq committed, and at the last look; looks since many were. */
  #head: number | undefined;
  #seen: number | undefined;
  #calm = CALM_LOOKS;
  #slow = 0;
  #state: ImpactView['state'] = 'running';
  #error: TrailmixError | undefined;
  #over: (() => void) | undefined;
  #module: ImpactThreadData['module'] | undefined;
  /** Threads for as much as was asked; 0 until they can start. */
  #wanted = 0;

  constructor(options: {
    ledger: Pick<Ledger, 'read' | 'write' | 'stats' | 'readingThread'>;
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
    const unheard = this.#ledger.write.onCommit(({ seq }) => {
      this.#head = seq;
      this.#seen ??= seq;
    });
    try {
      this.#module = await wasm.compile(this.#bundle.wasm);
      this.#wanted = Math.min(CORES, Math.ceil(plan.last / CHUNK));
      if (this.#ledger.stats().eventsPerSecond * WATCH_MS >= MANY_EVENTS * 1000) this.#calm = 0;
      const planned = this.#seat().then(seat => this.#plan(seat, plan));
      this.#staff();
      await Promise.race([over, planned]);
      await over;
    } catch (error) {
      this.#end('failed', error);
    } finally {
      clearInterval(watch);
      unheard();
      await Promise.all([...this.#seats].map(({ worker }) => worker.terminate()));
      this.#seats.clear();
    }
  }

  /** Threads that may work now. */
  #most(): number {
    return this.#calm < CALM_LOOKS ? Math.max(1, CORES - 1) : CORES;
  }

  #staff(): void {
    const most = Math.min(this.#wanted, this.#most());
    while (this.#state === 'running' && this.#seats.size < most) void this.#more();
  }

  async #more(): Promise<void> {
    try {
      const seat = await this.#seat();
      if (this.#state === 'running') this.#deal(seat);
      else await seat.worker.terminate();
    } catch (error) {
      this.#end('failed', error);
    }
  }

  #seat(): Promise<Seat> {
    const module = this.#module!;
    const shared = new SharedArrayBuffer(4);
    const { data, entrypoint } = this.#bundle;
    const parts: ImpactThreadData = { module, data, entrypoint, reads: this.#reads, shared };
    const worker = this.#ledger.readingThread(new URL('./impact_start.ts', import.meta.url), parts);
    const seat: Seat = { worker, at: new Int32Array(shared), state: 'starting', begun: 0 };
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

  /** Deals to the others as it is planned; resolves once all is, and that thread works as well. */
  #plan(seat: Seat, plan: ImpactPlan): Promise<void> {
    seat.state = 'planning';
    return new Promise((resolve, reject) => {
      seat.worker.on('message', (message: ImpactMessage) => {
        if (!('seqs' in message)) return;
        const { seqs, last } = message;
        if (seqs.length > 0) this.#planned.push(seqs);
        this.#total += seqs.length;
        this.#newest ??= seqs[0];
        this.#oldest = seqs.at(-1) ?? this.#oldest;
        this.#allPlanned = last;
        if (last) this.#deal(seat);
        this.#wake();
        if (last) resolve();
      });
      seat.worker.once('exit', () => reject(new TrailmixError('internal', { message: 'its thread ended' })));
      seat.worker.postMessage({ plan } satisfies ImpactRequest);
    });
  }

  #deal(seat: Seat): void {
    if (this.#state !== 'running') return;
    seat.state = 'idle';
    delete seat.task;
    if (this.#working() >= this.#most()) return;
    const task = this.#again.pop() ?? this.#fresh();
    if (task === undefined) {
      if (this.#allPlanned && this.#tally.done >= this.#total) this.#end('done');
      return;
    }
    seat.state = 'working';
    seat.task = task;
    seat.begun = 0;
    seat.worker.postMessage('seqs' in task ? { chunk: task.seqs } : { given: task.given });
  }

  #fresh(): Task | undefined {
    const [part] = this.#planned;
    if (part === undefined) return undefined;
    const seqs = part.slice(this.#next, this.#next + CHUNK);
    this.#next += seqs.length;
    if (this.#next >= part.length) {
      this.#planned.shift();
      this.#next = 0;
    }
    return { seqs };
  }

  /** Threads without work take what there is, or see that all is done. */
  #wake(): void {
    for (const seat of this.#seats) if (seat.state === 'idle') this.#deal(seat);
  }

  #working(): number {
    return [...this.#seats].filter(({ state }) => state === 'working' || state === 'planning').length;
  }

  #take(seat: Seat, { seq, run, from, to, skipped, blobs }: ImpactChunk): void {
    // Ended for an evaluation that came back after all: it is counted already, the rest is dealt again.
    if (!this.#seats.has(seat)) return;
    for (let n = 0; n < seq.length; n++) this.#tally.count(seq[n]!, run[n]!, from[n]!, to[n]!);
    for (const [reason, count] of Object.entries(skipped))
      this.#tally.skip(reason as UnfaithfulReason, count);
    if (blobs.length > 0) void this.#fetch(blobs);
    this.#deal(seat);
  }

  /** Decisions whose arguments became blobs: read here, decided in a thread. */
  async #fetch(blobs: ImpactChunk['blobs']): Promise<void> {
    const given: GivenInput[] = [];
    try {
      for (const { seq, run, from } of blobs) {
        if (this.#state !== 'running') return;
        const made = await this.#recorded.rebuilt(seq, this.#reads);
        if ('input' in made) given.push({ seq, run, from, input: made.input });
        else this.#tally.skip(made.missing, 1);
      }
      if (given.length > 0) this.#again.push({ given });
      this.#wake();
    } catch (error) {
      this.#end('failed', error);
    }
  }

  #watch(): void {
    const events = (this.#head ?? 0) - (this.#seen ?? 0);
    this.#seen = this.#head;
    this.#calm = events >= MANY_EVENTS ? 0 : this.#calm + 1;
    if (this.#calm === CALM_LOOKS) {
      this.#staff();
      this.#wake();
    }
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
    void this.#failedOne(slow).then(() => this.#staff());
  }

  async #failedOne(seq: number): Promise<void> {
    try {
      const [row] = await this.#ledger.read.query<{ run: number }>('policy.runOf', { seq });
      const [decision] = await this.#recorded.at([seq]);
      const failed = WORDS.indexOf('failed');
      this.#tally.count(
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
    return this.#tally.behind(from, to);
  }

  /** `total` grows while it is planned. */
  counts(): Pick<
    ImpactView,
    'done' | 'total' | 'cells' | 'decided' | 'flipped' | 'skipped' | 'first_seq' | 'last_seq' | 'error'
  > {
    return {
      ...this.#tally.view(),
      total: this.#total,
      ...(this.#newest === undefined || this.#oldest === undefined
        ? {}
        : { first_seq: this.#oldest, last_seq: this.#newest }),
      ...(this.#error === undefined
        ? {}
        : { error: { code: this.#error.code, message: this.#error.message } }),
    };
  }
}
