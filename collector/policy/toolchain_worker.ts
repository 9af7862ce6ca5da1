/**
 * The thread in which the Rego toolchain runs: OPA compiled to Wasm, inside a JavaScript context of its own that
 * holds a clock, randomness for Go's hash seeds and text coding, and nothing else: no files, no environment, no
 * network, no `process`. It may be terminated at any moment (collector/policy/toolchain.ts, deadline).
 * Messages: in `{id, text}`, out `{ready: true}`, `{id, text}` or `{crashed}`.
 */
import { readFile } from 'node:fs/promises';
import { createContext, runInContext } from 'node:vm';
import { parentPort, workerData } from 'node:worker_threads';
import type { Wasm, WasmImports, WasmInstance } from './wasm.ts';

/** The part of Go's wasm_exec.js that is used here. */
type GoHost = {
  importObject: WasmImports;
  run(instance: WasmInstance): Promise<void>;
  exit(code: number): void;
};
type Sandbox = {
  Go: new () => GoHost;
  trailmixToolchain(request: string, answer: (response: string) => void): void;
};

const port = parentPort;
if (port === null) throw new Error('toolchain_worker is a worker thread');
const { wasmPath, runtimePath } = workerData as { wasmPath: string; runtimePath: string };

/** What Go printed last (a panic, before it exits); reported when it crashes. */
let printed = '';
const print = (...words: unknown[]): void => {
  printed = `${printed}${words.join(' ')}\n`.slice(-4000);
};

const context = createContext(
  {
    TextEncoder,
    TextDecoder,
    performance: { now: () => performance.now() },
    crypto: { getRandomValues: (bytes: Uint8Array<ArrayBuffer>) => crypto.getRandomValues(bytes) },
    setTimeout,
    clearTimeout,
    console: { log: print, warn: print, error: print },
    trailmixToolchainReady: () => port.postMessage({ ready: true }),
  },
  { codeGeneration: { strings: false, wasm: true } },
);

const [wasm, runtime] = await Promise.all([readFile(wasmPath), readFile(runtimePath, 'utf8')]);
runInContext(runtime, context, { filename: 'wasm_exec.js' });
const sandbox = context as unknown as Sandbox;
const go = new sandbox.Go();
go.exit = () => {};
// The context's own WebAssembly: Go's runtime checks that the instance comes from its own realm.
const realm: Wasm = runInContext('WebAssembly', context);
const { instance } = await realm.instantiate(wasm, go.importObject);

port.on('message', ({ id, text }: { id: number; text: string }) => {
  sandbox.trailmixToolchain(text, response => port.postMessage({ id, text: response }));
});

await go.run(instance);
port.postMessage({ crashed: printed.trim() });
port.close();
