/**
 * Policy engine: decides gated calls with the active bundle, in worker threads (evaluator.ts).
 * Rules: `decide` never rejects; a throw, an undefined or misshapen result, a missed deadline, a full queue or a
 * missing bundle is an outcome with `failed`, and it denies. Each input is evaluated once, under one bundle, and the outcome names
 * that bundle; what still waits when a bundle is activated is decided under the new one.
 *
 * One worker is active and one is warm. An input that takes longer than HANDOVER_MS keeps its worker until the deadline, when it is
 * terminated, while the warm one takes over the queue. Once an input held a core for SLOW_MS or missed its deadline, those of its kind (app and action) are
 * for MOST_LOW workers of a low priority, which stop by themselves at the deadline, until one is answered sooner. So an endless
 * rule takes neither cores nor workers from whatever else is done, and each input still has the whole deadline for itself.
 */
import { TrailmixError } from '../../core/api/errors.ts';
import type { PolicyOutcome, PolicyRunner } from '../ports.ts';
import { type PolicyBundle, type PolicySource, readBundle } from './bundle.ts';
import type { EvaluatorRequest } from './evaluator.ts';
import { type Failure, readAnswer } from './outcome.ts';
import {
  type Answer,
  type Job,
  type Loaded,
  openSeat,
  type Seat,
  type SeatEvents,
  type Work,
} from './seat.ts';
import { type WasmModule, wasm } from './wasm.ts';

export type ActivePolicy = {
  version: number;
  hash: string;
  entrypoint: string;
  sources: PolicySource[];
  wasm: Uint8Array;
  wasm_sha256: string;
  capabilities_sha256: string;
};

/** For logs and the status bar; holds nothing of any input. */
export type PolicyEvent =
  | { type: 'activated'; version: number; hash: string }
  | { type: 'failed'; why: Failure; hash: string; detail: string }
  | { type: 'no_bundle'; detail: string };

export type PolicyEngine = PolicyRunner & {
  /** The bundle that new inputs are decided under; null when every decision fails with `no_bundle`. */
  active(): ActivePolicy | null;
  /** Resolves once new inputs are decided under it. Throws `policy_invalid`; the bundle in force then stays. */
  activate(bundle: PolicyBundle): Promise<void>;
  /** Loads a bundle beside the one in force. Throws `policy_invalid`. What is prepared must be used or dropped. */
  prepare(bundle: PolicyBundle): Promise<PreparedBundle>;
  /**
   * Inputs that nobody has begun to decide wait, those that are asked from now on too, until `resume`; then they are decided under
   * the bundle in force. `onHeld` is called for each more. One at a time.
   */
  hold(onHeld: () => void): Hold;
};

export type Hold = { count(): number; resume(): void };

export type PreparedBundle = {
  /** From now on inputs are decided under it, as this version. */
  use(version: number): void;
  drop(): void;
};

export type PolicyEngineOptions = {
  /** A bundle, a bundle folder (resources/generated/policies), or null for none. */
  bundle: PolicyBundle | string | null;
  /** Milliseconds that one evaluation may take. Default 500. */
  deadlineMs?: number;
  /** Inputs that may wait; one more is `busy`. Default 1,000. */
  maxQueue?: number;
  /** Milliseconds that an input may wait for its turn before it is `busy`. Default 5,000. */
  maxWaitMs?: number;
  onEvent?: (event: PolicyEvent) => void;
};

/** Stands for the policy in an outcome that no bundle made. */
export const NO_POLICY = { version: 0, hash: '0'.repeat(64) } as const;

/** An evaluation takes microseconds; one that takes this long must not keep the others waiting. */
const HANDOVER_MS = 20;
/** An evaluation that holds a core this long makes its kind slow: on a busy machine, time by the clock says nothing. */
const SLOW_MS = 100;
/** What was stopped at the deadline and had a core for less than this waited for one, and is not slow. */
const STARVED_MS = 1;
/** Overdue evaluations beside the active worker. One more keeps the active worker until its deadline. */
const MOST_OVERDUE = 2;
/** Workers for kinds that are known to be slow. */
const MOST_LOW = 2;
/** Kinds of input that are known to be slow; of one more the first is forgotten. */
const MOST_KINDS = 1000;
/** How long a worker for them stays without an input. */
const IDLE_MS = 10_000;
/** How long such a worker may take to stop before it is terminated. */
const STOP_MS = 5000;
const RESTART_MS = 250;

const REASON: Record<Failure, string> = {
  throw: 'The policy could not be evaluated',
  timeout: 'The policy did not answer in time',
  empty: 'The policy gave no result',
  shape: 'The policy gave a result of the wrong form',
  no_bundle: 'No policy is loaded here',
  busy: 'Too many decisions are waiting',
};

function wasSlow(answer: Answer): boolean {
  return answer.cpuUs >= ('stopped' in answer ? STARVED_MS : SLOW_MS) * 1000;
}

/** What a module wrote: JSON of whatever form, or none at all. */
function answerIn(text: string): ReturnType<typeof readAnswer> {
  try {
    return readAnswer(JSON.parse(text));
  } catch {
    return 'shape';
  }
}

export async function createPolicyEngine(options: PolicyEngineOptions): Promise<PolicyEngine> {
  const deadlineMs = options.deadlineMs ?? 500;
  const maxQueue = options.maxQueue ?? 1000;
  const maxWaitMs = options.maxWaitMs ?? 5000;
  const emit = options.onEvent ?? (() => {});

  let current: Loaded | null = null;
  let active: Seat | null = null;
  let spare: Seat | null = null;
  const overdue = new Set<Seat>();
  const low = new Set<Seat>();
  const slowKinds = new Set<string>();
  const queue: Job[] = [];
  let held: { jobs: Job[]; onHeld: () => void } | null = null;
  let waitTimer: NodeJS.Timeout | undefined;
  let nextId = 1;
  let activation: Promise<unknown> = Promise.resolve();
  let closed = false;
  let asked = false;

  const failure = (
    why: Failure,
    bundle: PolicyBundle | undefined,
    evalUs: number,
    detail = '',
  ): PolicyOutcome => {
    const policy = bundle === undefined ? { ...NO_POLICY } : { version: bundle.version, hash: bundle.hash };
    emit({ type: 'failed', why, hash: policy.hash, detail });
    return { result: 'deny', reasons: [REASON[why]], failed: { why }, policy, evalUs };
  };

  const fail = (at: Seat, job: Work, why: Failure, detail: string): void => {
    clearTimeout(job.timer);
    if (job.isSettled) return;
    job.isSettled = true;
    const evalUs = Math.round((performance.now() - job.started) * 1000);
    job.settle(failure(why, at.loaded.bundle, evalUs, detail));
  };

  /** Ends a worker. What it was evaluating fails; its place is taken by the spare, or by a new one. */
  const retire = (old: Seat, detail: string, why: Failure = 'throw'): void => {
    if (old.gone) return;
    old.gone = true;
    const { job } = old;
    old.job = null;
    if (job !== null) fail(old, job, why, detail);
    clearTimeout(old.leaving);
    void old.worker.terminate();
    if (spare === old) spare = null;
    if (active === old) active = null;
    overdue.delete(old);
    const replace = (): void => {
      low.delete(old);
      staff();
    };
    // A worker that never started would die again at once.
    if (old.isReady) replace();
    else setTimeout(replace, RESTART_MS).unref();
  };

  /** Sees to one active and, once decisions are asked for at all, one warm worker of the current bundle. */
  const staff = (): void => {
    if (closed || current === null) return;
    if (active === null) {
      active = spare;
      spare = null;
    }
    active ??= openSeat(current, false, on);
    if (asked) spare ??= openSeat(current, false, on);
    pump();
  };

  const pump = (): void => {
    if (queue.length > 0) handOver();
    if (active !== null) serve(active, job => !slowKinds.has(job.kind));
    if (slowKinds.size > 0) pumpLow();
    clearTimeout(waitTimer);
    const [first] = queue;
    if (first === undefined) return;
    waitTimer = setTimeout(expire, Math.max(0, first.waitingSince + maxWaitMs - performance.now()));
  };

  const pumpLow = (): void => {
    const isSlow = (job: Job): boolean => slowKinds.has(job.kind);
    for (const at of low) serve(at, isSlow);
    if (closed || current === null || low.size >= MOST_LOW || !queue.some(isSlow)) return;
    // One that starts asks again once it is ready.
    if ([...low].every(({ isReady }) => isReady)) low.add(openSeat(current, true, on));
  };

  /** Gives a seat that has nothing to do the first input that is for it. */
  const serve = (at: Seat, isFor: (job: Job) => boolean): void => {
    if (!at.isReady || at.gone || at.job !== null) return;
    const place = queue.findIndex(isFor);
    if (place >= 0) run(at, queue.splice(place, 1)[0]!);
  };

  /** Where the active worker is overdue: it goes on to its deadline by itself, the warm one serves the queue. */
  const handOver = (): void => {
    if (active?.job?.isOverdue !== true || spare?.isReady !== true || overdue.size >= MOST_OVERDUE) return;
    overdue.add(active);
    active = spare;
    spare = null;
    staff();
  };

  const expire = (): void => {
    const before = performance.now() - maxWaitMs;
    while (queue[0] !== undefined && queue[0].waitingSince <= before) {
      queue.shift()?.settle(failure('busy', current?.bundle, 0, 'waited too long'));
    }
    pump();
  };

  const run = (at: Seat, job: Job): void => {
    const { version } = at.loaded.bundle;
    let text: string;
    try {
      text = JSON.stringify({ ...job.input, policy: { version } });
    } catch (error) {
      job.settle(failure('throw', at.loaded.bundle, 0, String(error)));
      pump();
      return;
    }
    const id = nextId++;
    const timer = setTimeout(late, Math.min(HANDOVER_MS, deadlineMs), at);
    clearTimeout(at.leaving);
    at.job = { ...job, id, started: performance.now(), isOverdue: false, isSettled: false, timer };
    at.worker.ref();
    const stop = low.has(at) ? { stopMs: deadlineMs } : {};
    at.worker.postMessage({ id, text, ...stop } satisfies EvaluatorRequest);
  };

  const late = (at: Seat): void => {
    const { job } = at;
    if (job === null) return;
    job.isOverdue = true;
    const rest = Math.max(0, job.started + deadlineMs - performance.now());
    job.timer = setTimeout(() => setImmediate(timedOut, at, job), rest);
    pump();
  };

  /** Runs after the messages that came while this thread was busy: a late reader is no late answer. */
  const timedOut = (at: Seat, job: Work): void => {
    if (at.job !== job) return;
    sort(at, job, true);
    const detail = `no answer in ${deadlineMs} ms`;
    if (low.has(at)) {
      fail(at, job, 'timeout', detail);
      job.timer = setTimeout(retire, STOP_MS, at, 'it did not stop');
    } else {
      retire(at, detail, 'timeout');
    }
  };

  /** What is known of a kind under another bundle says nothing. */
  const sort = (at: Seat, { kind }: Job, isSlow: boolean): void => {
    if (at.loaded !== current) return;
    slowKinds.delete(kind);
    if (isSlow) slowKinds.add(kind);
    if (slowKinds.size > MOST_KINDS) slowKinds.delete(slowKinds.values().next().value!);
  };

  const answered = (at: Seat, answer: Answer): void => {
    const { job } = at;
    if (job === null || job.id !== answer.id) return;
    clearTimeout(job.timer);
    at.job = null;
    at.worker.unref();
    sort(at, job, wasSlow(answer));
    if (!job.isSettled) job.settle(outcomeOf(at.loaded.bundle, answer));
    if (at.loaded !== current || overdue.has(at)) {
      retire(at, 'no longer needed');
      return;
    }
    if (low.has(at)) at.leaving = setTimeout(retire, IDLE_MS, at, 'no longer needed').unref();
    pump();
  };

  const on: SeatEvents = { ready: pump, answered, ended: (at, why) => retire(at, why) };

  const outcomeOf = (bundle: PolicyBundle, answer: Answer): PolicyOutcome => {
    if ('stopped' in answer) return failure('timeout', bundle, answer.us, `no answer in ${deadlineMs} ms`);
    if ('thrown' in answer) return failure('throw', bundle, answer.us, answer.thrown);
    const said = answerIn(answer.value);
    if (typeof said === 'string') return failure(said, bundle, answer.us);
    return { ...said, policy: { version: bundle.version, hash: bundle.hash }, evalUs: answer.us };
  };

  const prepare = async (bundle: PolicyBundle): Promise<PreparedBundle> => {
    let module: WasmModule;
    try {
      module = await wasm.compile(bundle.wasm);
    } catch (error) {
      throw new TrailmixError('policy_invalid', { message: `Not a Wasm module: ${String(error)}` });
    }
    const loaded: Loaded = { bundle, module };
    const fresh = openSeat(loaded, false, on);
    await fresh.ready;
    return {
      use(version) {
        if (closed) return retire(fresh, 'the engine is closed');
        loaded.bundle = { ...bundle, version };
        const old = [active, spare, ...low];
        current = loaded;
        slowKinds.clear();
        // One that died while it was kept ready is replaced at once.
        active = fresh.gone ? null : fresh;
        spare = null;
        // A busy worker of the old bundle finishes its one input (`answered`) or meets its deadline.
        for (const left of old)
          if (left !== null && left.job === null) retire(left, 'another policy is active');
        emit({ type: 'activated', version, hash: bundle.hash });
        staff();
      },
      drop: () => retire(fresh, 'not put in force'),
    };
  };

  const switchTo = async (bundle: PolicyBundle): Promise<void> => {
    const prepared = await prepare(bundle);
    prepared.use(bundle.version);
  };

  /** One after the other, so that the last one asked for is the one in force. */
  const activate = (bundle: PolicyBundle): Promise<void> => {
    const mine = activation.then(() => switchTo(bundle));
    activation = mine.catch(() => {});
    return mine;
  };

  try {
    const { bundle } = options;
    const first = typeof bundle === 'string' ? await readBundle(bundle) : bundle;
    if (first === null) emit({ type: 'no_bundle', detail: 'none was built' });
    else await activate(first);
  } catch (error) {
    // Recording goes on without a policy; the gate denies.
    emit({ type: 'no_bundle', detail: error instanceof Error ? error.message : String(error) });
  }

  return {
    decide(input) {
      if (closed || current === null) return Promise.resolve(failure('no_bundle', undefined, 0));
      if (queue.length + (held?.jobs.length ?? 0) >= maxQueue)
        return Promise.resolve(failure('busy', current.bundle, 0, 'the queue is full'));
      return new Promise(settle => {
        const kind = `${String(input.app_id)} ${String(input.action)}`;
        const job: Job = { input, kind, waitingSince: performance.now(), settle };
        if (held !== null) {
          held.jobs.push(job);
          return held.onHeld();
        }
        queue.push(job);
        if (asked) return pump();
        asked = true;
        staff();
      });
    },
    active() {
      if (current === null) return null;
      const { data: _, ...active } = current.bundle;
      return active;
    },
    activate,
    prepare,
    hold(onHeld) {
      const mine = { jobs: queue.splice(0), onHeld };
      held = mine;
      clearTimeout(waitTimer);
      return {
        count: () => mine.jobs.length,
        resume() {
          if (held !== mine) return;
          held = null;
          const now = performance.now();
          for (const job of mine.jobs) queue.push({ ...job, waitingSince: now });
          asked ||= queue.length > 0;
          staff();
        },
      };
    },
    async close() {
      closed = true;
      clearTimeout(waitTimer);
      for (const job of [...queue.splice(0), ...(held?.jobs.splice(0) ?? [])])
        job.settle(failure('no_bundle', undefined, 0, 'the engine is closed'));
      const seats = [active, spare, ...overdue, ...low].filter(one => one !== null);
      for (const one of seats) retire(one, 'the engine is closed');
      await Promise.all(seats.map(one => one.worker.terminate()));
    },
  };
}
