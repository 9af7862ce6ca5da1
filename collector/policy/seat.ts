/**
 * One worker of the policy engine with one bundle (evaluator.ts), and the input that it evaluates. Rules: it may end at any moment, by
 * itself too; it keeps the process alive only while it evaluates; it says nothing on its own outputs.
 */
import { Worker } from 'node:worker_threads';
import { TrailmixError } from '../../core/api/errors.ts';
import type { JsonObject } from '../../core/proof/jcs.ts';
import type { PolicyOutcome } from '../ports.ts';
import type { PolicyBundle } from './bundle.ts';
import type { EvaluatorData, EvaluatorMessage } from './evaluator.ts';
import type { WasmModule } from './wasm.ts';

const START_MS = 30_000;

export type Loaded = { bundle: PolicyBundle; module: WasmModule };
/** `kind`: app and action, by which inputs are known to be slow (engine.ts). */
export type Job = {
  input: JsonObject;
  kind: string;
  waitingSince: number;
  settle(outcome: PolicyOutcome): void;
};
export type Answer = Extract<EvaluatorMessage, { id: number }>;

/** `isSettled`: denied at its deadline, while the worker has still to stop. */
export type Work = Job & {
  id: number;
  started: number;
  isOverdue: boolean;
  isSettled: boolean;
  timer: NodeJS.Timeout;
};

export type Seat = {
  readonly worker: Worker;
  readonly loaded: Loaded;
  /** Rejects with `policy_invalid` where it does not start. */
  readonly ready: Promise<void>;
  isReady: boolean;
  /** Ended, or about to. */
  gone: boolean;
  job: Work | null;
  /** While it has nothing to do and is not needed for long. */
  leaving?: NodeJS.Timeout | undefined;
};

export type SeatEvents = {
  ready(seat: Seat): void;
  answered(seat: Seat, answer: Answer): void;
  /** May be said more than once. */
  ended(seat: Seat, why: string): void;
};

/** Starts a worker. `isLow`: at a low priority. */
export function openSeat(loaded: Loaded, isLow: boolean, on: SeatEvents): Seat {
  const { module, bundle } = loaded;
  const { data, entrypoint, hash } = bundle;
  const worker = new Worker(new URL('./evaluator.ts', import.meta.url), {
    workerData: { module, data, entrypoint, hash, isLow } satisfies EvaluatorData,
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
  const seat: Seat = { worker, loaded, ready: started.promise, isReady: false, gone: false, job: null };
  const ended = (why: string): void => {
    clearTimeout(timer);
    started.reject(new TrailmixError('policy_invalid', { message: `The policy does not start: ${why}` }));
    on.ended(seat, why);
  };
  const timer = setTimeout(() => ended('it did not start in time'), START_MS);
  timer.unref();
  worker.on('message', (message: EvaluatorMessage) => {
    if ('id' in message) return on.answered(seat, message);
    if ('refused' in message) return ended(message.refused);
    clearTimeout(timer);
    seat.isReady = true;
    started.resolve();
    on.ready(seat);
  });
  worker.on('error', error => ended(String(error)));
  worker.on('exit', () => ended('its worker ended'));
  return seat;
}
