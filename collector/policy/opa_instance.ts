/**
 * One bundle loaded by @open-policy-agent/opa-wasm, in whatever thread: bounded memory, no built-in function of the host.
 * Rules: a module that asks its host for a built-in is refused, so that nothing (clock, randomness, formatting) differs
 * from the tests' OPA; after a throw an instance must be loaded anew, for an aborted evaluation leaves its heap in any state.
 */
import { loadPolicy } from '@open-policy-agent/opa-wasm';
import type { WasmMemory, WasmModule } from './wasm.ts';

export type OpaParts = { module: WasmModule; data: string; entrypoint: string };
/** Takes an input as JSON text, answers OPA's result set. */
export type OpaInstance = { evaluate(text: string): unknown };

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

/** opa-wasm takes the whole buffer as JSON text: one of exactly that length. */
const bytesOf = (text: string): ArrayBuffer => new Uint8Array(new TextEncoder().encode(text)).buffer;

/** Names of the built-ins that the module wants from its host: OPA's ABI, `builtins`. */
function hostBuiltins({ wasmInstance, mem }: Loaded): string[] {
  const start = wasmInstance.exports.opa_json_dump(wasmInstance.exports.builtins());
  const memory = new Uint8Array(mem.buffer);
  const text = new TextDecoder().decode(memory.subarray(start, memory.indexOf(0, start)));
  return Object.keys(JSON.parse(text) as Record<string, number>);
}

/** Throws what says why it is refused. */
export async function loadOpa({ module, data, entrypoint }: OpaParts): Promise<OpaInstance> {
  // The published types leave out what an instance holds; the fields are those of opa-wasm 1.10, src/opa.js.
  const memory = { initial: 5, maximum: MAX_PAGES };
  const policy = (await loadPolicy(module as unknown as ArrayBuffer, memory)) as unknown as Loaded;
  const wanted = hostBuiltins(policy);
  if (wanted.length > 0)
    throw new Error(`the policy needs built-in functions that are not allowed: ${wanted.join(', ')}`);
  if (!Object.hasOwn(policy.entrypoints, entrypoint))
    throw new Error(`the policy has no entrypoint ${entrypoint}`);
  policy.setData(bytesOf(data));
  return { evaluate: text => policy.evaluate(bytesOf(text), entrypoint) };
}
