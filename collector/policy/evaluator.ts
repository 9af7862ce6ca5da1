/**
 * The thread in which policies decide: @open-policy-agent/opa-wasm around one bundle. It may be terminated at any
 * moment (collector/policy/engine.ts, deadline), for synchronous Wasm cannot be interrupted otherwise.
 * Rules: an input arrives as JSON text and leaves as JSON text; every answer names the bundle's hash; after a throw
 * the instance is replaced, because an aborted evaluation leaves its heap in any state; a module that asks for a
 * built-in of the host is refused, so that nothing (clock, randomness, formatting) differs from the tests' OPA.
 * Messages: in `{id, text}`, out `{ready}`, `{refused}`, `{id, hash, value, us}` or `{id, hash, thrown, us}`.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { loadPolicy } from '@open-policy-agent/opa-wasm';
import type { WasmMemory, WasmModule } from './wasm.ts';

export type EvaluatorData = { module: WasmModule; data: string; entrypoint: string; hash: string };
export type EvaluatorRequest = { id: number; text: string };
export type EvaluatorMessage =
  | { ready: true }
  | { refused: string }
  /** `value`: JSON text of OPA's result set. `us`: microseconds of the evaluation. */
  | { id: number; hash: string; value: string; us: number }
  | { id: number; hash: string; thrown: string; us: number };

/** 64 KiB each: a policy that wants more memory than 64 MiB throws. */
const MAX_PAGES = 1024;

type Exports = {
  builtins(): number;
  opa_json_dump(address: number): number;
};
type Loaded = {
  evaluate(input: ArrayBuffer, entrypoint: string): unknown;
  setData(data: ArrayBuffer): void;
  entrypoints: Record<string, number>;
  wasmInstance: { exports: Exports };
  mem: WasmMemory;
};

const port = parentPort;
if (port === null) throw new Error('evaluator is a worker thread');
const { module, data, entrypoint, hash } = workerData as EvaluatorData;
const answer = (message: EvaluatorMessage): void => port.postMessage(message);

/** opa-wasm takes the whole buffer as JSON text: one of exactly that length. */
const bytesOf = (text: string): ArrayBuffer => new Uint8Array(new TextEncoder().encode(text)).buffer;

/** Names of the built-ins that the module wants from its host: OPA's ABI, `builtins`. */
function hostBuiltins({ wasmInstance, mem }: Loaded): string[] {
  const start = wasmInstance.exports.opa_json_dump(wasmInstance.exports.builtins());
  const memory = new Uint8Array(mem.buffer);
  const text = new TextDecoder().decode(memory.subarray(start, memory.indexOf(0, start)));
  return Object.keys(JSON.parse(text) as Record<string, number>);
}

async function load(): Promise<Loaded> {
  // The published types leave out what an instance holds; the fields are those of opa-wasm 1.10, src/opa.js.
  const memory = { initial: 5, maximum: MAX_PAGES };
  const policy = (await loadPolicy(module as unknown as ArrayBuffer, memory)) as unknown as Loaded;
  const wanted = hostBuiltins(policy);
  if (wanted.length > 0)
    throw new Error(`the policy needs built-in functions that are not allowed: ${wanted.join(', ')}`);
  if (!Object.hasOwn(policy.entrypoints, entrypoint))
    throw new Error(`the policy has no entrypoint ${entrypoint}`);
  policy.setData(bytesOf(data));
  return policy;
}

const wordsOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).slice(0, 500);

let policy: Loaded | undefined;
try {
  policy = await load();
  answer({ ready: true });
} catch (error) {
  answer({ refused: wordsOf(error) });
}

port.on('message', async ({ id, text }: EvaluatorRequest) => {
  const started = performance.now();
  const us = (): number => Math.round((performance.now() - started) * 1000);
  try {
    policy ??= await load();
    const value = JSON.stringify(policy.evaluate(bytesOf(text), entrypoint));
    answer({ id, hash, value, us: us() });
  } catch (error) {
    policy = undefined;
    answer({ id, hash, thrown: wordsOf(error), us: us() });
  }
});
