/**
 * The thread in which policies decide: one bundle (opa_instance.ts). It may be terminated at any
 * moment (collector/policy/engine.ts, deadline), for synchronous Wasm cannot be interrupted otherwise.
 * Rules: an input arrives as JSON text and leaves as JSON text; every answer names the bundle's hash; after a throw
 * the instance is replaced, because an aborted evaluation leaves its heap in any state; a module that asks for a
 * built-in of the host is refused, so that nothing (clock, randomness, formatting) differs from the tests' OPA.
 * Messages: in `{id, text}`, out `{ready}`, `{refused}`, `{id, hash, value, us}` or `{id, hash, thrown, us}`.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { loadOpa, type OpaInstance, type OpaParts } from './opa_instance.ts';

export type EvaluatorData = OpaParts & { hash: string };
export type EvaluatorRequest = { id: number; text: string };
export type EvaluatorMessage =
  | { ready: true }
  | { refused: string }
  /** `value`: OPA's result set as the module wrote it, JSON text or not. `us`: microseconds of the evaluation. */
  | { id: number; hash: string; value: string; us: number }
  | { id: number; hash: string; thrown: string; us: number };

const port = parentPort;
if (port === null) throw new Error('evaluator is a worker thread');
const { hash, ...parts } = workerData as EvaluatorData;
const answer = (message: EvaluatorMessage): void => port.postMessage(message);

const wordsOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).slice(0, 500);

let policy: OpaInstance | undefined;
try {
  policy = await loadOpa(parts);
  answer({ ready: true });
} catch (error) {
  answer({ refused: wordsOf(error) });
}

port.on('message', async ({ id, text }: EvaluatorRequest) => {
  const started = performance.now();
  const us = (): number => Math.round((performance.now() - started) * 1000);
  try {
    policy ??= await loadOpa(parts);
    const value = policy.evaluate(text);
    answer({ id, hash, value, us: us() });
  } catch (error) {
    policy = undefined;
    answer({ id, hash, thrown: wordsOf(error), us: us() });
  }
});
