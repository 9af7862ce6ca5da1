/**
 * The thread in which policies decide: one bundle (opa_instance.ts). It may be terminated at any
 * moment (collector/policy/engine.ts, deadline), for synchronous Wasm cannot be interrupted otherwise.
 * Rules: an input arrives as JSON text and leaves as JSON text; every answer names the bundle's hash; after a throw
 * the instance is replaced, because an aborted evaluation leaves its heap in any state; a module that asks for a
 * built-in of the host is refused, so that nothing (clock, randomness, formatting) differs from the tests' OPA.
 * Messages: in `{id, text, stopMs?}`, out `{ready}`, `{refused}`, `{id, hash, value, us}`, `{id, hash, thrown, us}`
 * or `{id, hash, stopped, us}`, with `cpuUs`.
 */
import { spawnSync } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';
import { basename } from 'node:path';
import { type Context, createContext, Script } from 'node:vm';
import { parentPort, workerData } from 'node:worker_threads';
import { loadOpa, type OpaInstance, type OpaParts } from './opa_instance.ts';

/** `isLow`: at a low priority, where the system knows priorities of threads. */
export type EvaluatorData = OpaParts & { hash: string; isLow: boolean };
/** `stopMs`: stop by itself after so long, and stay usable; watching costs more than an evaluation. */
export type EvaluatorRequest = { id: number; text: string; stopMs?: number };
export type EvaluatorMessage =
  | { ready: true }
  | { refused: string }
  | ({ id: number; hash: string } & Took &
      /** OPA's result set as the module wrote it, JSON text or not. */
      ({ value: string } | { thrown: string } | { stopped: true }));
/** Microseconds of the evaluation by the clock, and those that this thread had a core. */
export type Took = { us: number; cpuUs: number };

/** A niceness: beside one of 0 that wants the same core it gets a thirtieth, and is woken within its deadline. */
const LOW = 15;
/** Of util-linux. Node has no call for a thread's scheduling policy. */
const CHRT = '/usr/bin/chrt';

const port = parentPort;
if (port === null) throw new Error('evaluator is a worker thread');
const { hash, isLow, ...parts } = workerData as EvaluatorData;
const answer = (message: EvaluatorMessage): void => port.postMessage(message);

const wordsOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).slice(0, 500);

/** Node makes that error in the script's own context, with another `Error`. */
const isStop = (error: unknown): boolean =>
  (error as { code?: unknown } | null)?.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT';

/**
 * The thread's own priority on Linux; elsewhere it would be that of the whole process. Where it is refused, it stays. As SCHED_IDLE
 * (sched(7)) too where it can be: the kernel gives others a core with such a thread as if the core were free, which niceness does not do.
 */
const lower = (): void => {
  if (process.platform !== 'linux') return;
  try {
    setPriority(0, Math.max(LOW, getPriority(0)));
    const id = basename(readlinkSync('/proc/thread-self'));
    spawnSync(CHRT, ['--idle', '--pid', '0', id], { stdio: 'ignore', timeout: 1000 });
  } catch {}
};

let policy: OpaInstance | undefined;
try {
  policy = loadOpa(parts);
  // Not before, for its start is waited for.
  if (isLow) lower();
  answer({ ready: true });
} catch (error) {
  answer({ refused: wordsOf(error) });
}

const cpuUs = (): number => {
  const { user, system } = process.threadCpuUsage();
  return user + system;
};
/** Of this thread up to its last answer. */
let spent = cpuUs();

let next: () => string = () => '';
let watched: { script: Script; context: Context } | undefined;
/** What a script of its own calls can be stopped: Node gives a script a deadline, and takes it from there. */
const within = (timeout: number, evaluate: () => string): string => {
  next = evaluate;
  watched ??= { script: new Script('next()'), context: createContext({ next: () => next() }) };
  return watched.script.runInContext(watched.context, { timeout }) as string;
};

port.on('message', ({ id, text, stopMs }: EvaluatorRequest) => {
  const started = performance.now();
  const took = (): Took => {
    const before = spent;
    spent = cpuUs();
    return { us: Math.round((performance.now() - started) * 1000), cpuUs: spent - before };
  };
  try {
    policy ??= loadOpa(parts);
    const { evaluate } = policy;
    const value = stopMs === undefined ? evaluate(text) : within(stopMs, () => evaluate(text));
    answer({ id, hash, value, ...took() });
  } catch (error) {
    policy = undefined;
    if (isStop(error)) answer({ id, hash, stopped: true, ...took() });
    else answer({ id, hash, thrown: wordsOf(error), ...took() });
  }
});
