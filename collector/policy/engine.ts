/**
 * Policy engine: decides gated calls with the active bundle, in worker threads (evaluator.ts).
 * Rules: `decide` never rejects; a throw, an undefined or misshapen result, a missed deadline, a full queue or a
 * missing bundle is an outcome with `failed`, and it denies. One worker is active and one is warm. An input that
 * takes longer than HANDOVER_MS keeps its worker until the deadline, when it is terminated, while the warm one
 * takes over the queue. Each input is evaluated once, under one bundle, and the outcome names that bundle; what
 * still waits when a bundle is activated is decided under the new one.
 */
import { Worker } from 'node:worker_threads';
import { TrailmixError } from '../../core/api/errors.ts';
import type { JsonObject } from '../../core/proof/jcs.ts';
import type { PolicyOutcome, PolicyRunner } from '../ports.ts';
import { type PolicyBundle, type PolicySource, readBundle } from './bundle.ts';
import type { EvaluatorData, EvaluatorMessage, EvaluatorRequest } from './evaluator.ts';
import { type Failure, readAnswer } from './outcome.ts';
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
/** Slow evaluations running beside the active worker. One more keeps the active worker until its deadline. */
const MAX_SLOW = 2;
const START_MS = 30_000;
const RESTART_MS = 250;

type Loaded = { bundle: PolicyBundle; module: WasmModule };
type Job = { input: JsonObject; waitingSince: number; settle(outcome: PolicyOutcome): void };
type Seat = {
  worker: Worker;
  loaded: Loaded;
  ready: Promise<void>;
  isReady: boolean;
  gone: boolean;
  job: { id: number; started: number; overdue: boolean; timer: NodeJS.Timeout; settle: Job['settle'] } | null;
};

const REASON: Record<Failure, string> = {
  throw: 'The policy could not be evaluated',
  timeout: 'The policy did not answer in time',
  empty: 'The policy gave no result',
  shape: 'The policy gave a result of the wrong form',
  no_bundle: 'No policy is loaded here',
  busy: 'Too many decisions are waiting',
};

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
  const slow = new Set<Seat>();
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

  const seat = (loaded: Loaded): Seat => {
    const { bundle, module } = loaded;
    const worker = new Worker(new URL('./evaluator.ts', import.meta.url), {
      workerData: {
        module,
        data: bundle.data,
        entrypoint: bundle.entrypoint,
        hash: bundle.hash,
      } satisfies EvaluatorData,
      env: {},
      execArgv: [],
      stdout: true,
      stderr: true,
      resourceLimits: { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 8 },
    });
    worker.stdout.resume();
    worker.stderr.resume();
    worker.unref();
    const started = Promise.withResolvers<void>();
    started.promise.catch(() => {});
    const made: Seat = { worker, loaded, ready: started.promise, isReady: false, gone: false, job: null };
    const refuse = (why: string): void =>
      started.reject(new TrailmixError('policy_invalid', { message: `The policy does not start: ${why}` }));
    const startTimer = setTimeout(() => retire(made, 'it did not start in time'), START_MS);
    startTimer.unref();
    worker.on('message', (message: EvaluatorMessage) => {
      if ('ready' in message) {
        clearTimeout(startTimer);
        made.isReady = true;
        started.resolve();
        pump();
      } else if ('refused' in message) {
        refuse(message.refused);
        retire(made, message.refused);
      } else {
        answered(made, message);
      }
    });
    worker.on('error', error => retire(made, String(error)));
    worker.on('exit', () => {
      clearTimeout(startTimer);
      refuse('its worker ended');
      retire(made, 'its worker ended');
    });
    return made;
  };

  /** Ends a worker. What it was evaluating fails; its place is taken by the spare, or by a new one. */
  const retire = (old: Seat, detail: string, why: Failure = 'throw'): void => {
    if (old.gone) return;
    old.gone = true;
    const { job } = old;
    old.job = null;
    if (job !== null) {
      clearTimeout(job.timer);
      const evalUs = Math.round((performance.now() - job.started) * 1000);
      job.settle(failure(why, old.loaded.bundle, evalUs, detail));
    }
    void old.worker.terminate();
    slow.delete(old);
    if (spare === old) spare = null;
    if (active === old) active = null;
    // A worker that never started would die again at once.
    if (old.isReady) staff();
    else setTimeout(staff, RESTART_MS).unref();
  };

  /** Sees to one active and, once decisions are asked for at all, one warm worker of the current bundle. */
  const staff = (): void => {
    if (closed || current === null) return;
    if (active === null) {
      active = spare;
      spare = null;
    }
    active ??= seat(current);
    if (asked) spare ??= seat(current);
    pump();
  };

  const pump = (): void => {
    if (queue.length > 0) handOver();
    const at = active;
    if (at?.isReady === true && at.job === null) {
      const job = queue.shift();
      if (job !== undefined) run(at, job);
    }
    clearTimeout(waitTimer);
    const [first] = queue;
    if (first === undefined) return;
    waitTimer = setTimeout(expire, Math.max(0, first.waitingSince + maxWaitMs - performance.now()));
  };

  /** Where the active worker is overdue: it goes on to its deadline by itself, the warm one serves the queue. */
  const handOver = (): void => {
    if (active?.job?.overdue !== true || spare?.isReady !== true || slow.size >= MAX_SLOW) return;
    slow.add(active);
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
    const timer = setTimeout(() => overdue(at), Math.min(HANDOVER_MS, deadlineMs));
    at.job = { id, started: performance.now(), overdue: false, timer, settle: job.settle };
    at.worker.ref();
    at.worker.postMessage({ id, text } satisfies EvaluatorRequest);
  };

  /** Runs after the messages that came while this thread was busy: a late reader is no late answer. */
  const timedOut = (at: Seat, job: Seat['job']): void => {
    if (job !== null && at.job === job) retire(at, `no answer in ${deadlineMs} ms`, 'timeout');
  };

  const overdue = (at: Seat): void => {
    if (at.job === null) return;
    at.job.overdue = true;
    const rest = Math.max(0, at.job.started + deadlineMs - performance.now());
    at.job.timer = setTimeout(() => setImmediate(timedOut, at, at.job), rest);
    pump();
  };

  const answered = (
    at: Seat,
    message: Exclude<EvaluatorMessage, { ready: true } | { refused: string }>,
  ): void => {
    const { job } = at;
    if (job === null || job.id !== message.id) return;
    clearTimeout(job.timer);
    at.job = null;
    at.worker.unref();
    job.settle(outcomeOf(at.loaded.bundle, message));
    const outdated = at.loaded !== current;
    if (outdated || (slow.delete(at) && at !== active)) retire(at, 'no longer needed');
    else pump();
  };

  const outcomeOf = (
    bundle: PolicyBundle,
    message: { us: number } & ({ value: string } | { thrown: string }),
  ) => {
    if ('thrown' in message) return failure('throw', bundle, message.us, message.thrown);
    const answer = answerIn(message.value);
    if (typeof answer === 'string') return failure(answer, bundle, message.us);
    return { ...answer, policy: { version: bundle.version, hash: bundle.hash }, evalUs: message.us };
  };

  const prepare = async (bundle: PolicyBundle): Promise<PreparedBundle> => {
    let module: WasmModule;
    try {
      module = await wasm.compile(bundle.wasm);
    } catch (error) {
      throw new TrailmixError('policy_invalid', { message: `Not a Wasm module: ${String(error)}` });
    }
    const loaded: Loaded = { bundle, module };
    const fresh = seat(loaded);
    await fresh.ready;
    return {
      use(version) {
        if (closed) return retire(fresh, 'the engine is closed');
        loaded.bundle = { ...bundle, version };
        const old = [active, spare];
        current = loaded;
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
        const job = { input, waitingSince: performance.now(), settle };
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
      const seats = [active, spare, ...slow].filter(one => one !== null);
      for (const one of seats) retire(one, 'the engine is closed');
      await Promise.all(seats.map(one => one.worker.terminate()));
    },
  };
}
