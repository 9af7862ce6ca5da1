/**
 * One bundle loaded by @open-policy-agent/opa-wasm, in whatever thread: bounded memory, no built-in function of the host.
 * Rules: a module that asks its host for a built-in is refused, so that nothing (clock, randomness, formatting) differs
 * from the tests' OPA; after a throw an instance must be loaded anew, for an aborted evaluation leaves its heap in any state;
 * nothing that the module answers is believed: an address outside its memory or a text without end throws.
 */
import * as opaWasm from '@open-policy-agent/opa-wasm';
import type { WasmMemory, WasmModule } from './wasm.ts';

export type OpaParts = { module: WasmModule; data: string; entrypoint: string };
export type OpaInstance = {
  /** Names of all entrypoints that the module has. */
  readonly entrypoints: readonly string[];
  /** Takes an input as JSON text, answers OPA's result set as JSON text. */
  evaluate(input: string): string;
  /**
   * The input is made in the module's memory: `text` lies from `at` to `end`, `make` writes the input at `to`, where the text's length and
   * `spare` bytes are free before the text (and `spare` bytes lie behind it), and answers the index behind the input. 0: nothing is evaluated.
   */
  evaluateFrom(text: string, spare: number, make: MakeInput): string | undefined;
};
export type MakeInput = (memory: Uint8Array, at: number, end: number, to: number) => number;

/** 64 KiB each: a policy that wants more memory than 64 MiB throws. */
const MAX_PAGES = 1024;
const PAGE = 64 * 1024;
/** Bytes of an answer: an outcome has at most 32 reasons of 500 characters (outcome.ts). */
const MAX_ANSWER = 4 * 1024 * 1024;

type Exports = {
  builtins(): number;
  opa_json_dump(address: number): number;
  /** OPA's ABI 1.2, `opa_eval`: reserved, entrypoint, data, input address and length, heap, format (0: JSON). */
  opa_eval(
    reserved: 0,
    entrypoint: number,
    data: number,
    input: number,
    length: number,
    heap: number,
    format: 0,
  ): number;
};
type Loaded = {
  setData(data: ArrayBuffer): void;
  entrypoints: Record<string, number>;
  wasmInstance: { exports: Exports };
  mem: WasmMemory;
  minorVersion: number;
  /** Addresses of the data, and of what is free behind it. */
  dataAddr: number;
  dataHeapPtr: number;
};

/** The module's names are there in its types, at run time only in its default export. */
const { loadPolicySync } = (opaWasm as unknown as { default: typeof opaWasm }).default;

/** opa-wasm takes the whole buffer as JSON text: one of exactly that length. */
const bytesOf = (text: string): ArrayBuffer => new Uint8Array(new TextEncoder().encode(text)).buffer;

/** Text in the module's memory, up to its NUL. */
function textAt(memory: Uint8Array, address: number): string {
  const start = address >>> 0;
  const end = memory.indexOf(0, start);
  if (start === 0 || end < 0) throw new Error('the policy answered no text');
  if (end - start > MAX_ANSWER) throw new Error('the policy answered more than 4 MiB');
  return Buffer.from(memory.buffer, start, end - start).toString('utf8');
}

/** Answers that are looked for before one is read as text, and their longest. */
const KNOWN_ANSWERS = 4;
const MAX_KNOWN = 1024;

/** Answers of many evaluations, of which most are the same few: a text that is known is not made again. */
class Answers {
  readonly #known: { text: string; bytes: Uint8Array }[] = [];
  #oldest = 0;

  at(memory: Uint8Array, address: number): string {
    const start = address >>> 0;
    for (const { text, bytes } of this.#known) {
      let n = 0;
      while (n < bytes.length && memory[start + n] === bytes[n]) n++;
      if (n === bytes.length) return text;
    }
    const text = textAt(memory, address);
    if (text.length > MAX_KNOWN) return text;
    this.#known[this.#oldest] = { text, bytes: new TextEncoder().encode(`${text}\0`) };
    this.#oldest = (this.#oldest + 1) % KNOWN_ANSWERS;
    return text;
  }
}

/** Names of the built-ins that the module wants from its host: OPA's ABI, `builtins`. */
function hostBuiltins({ wasmInstance, mem }: Loaded): string[] {
  const start = wasmInstance.exports.opa_json_dump(wasmInstance.exports.builtins());
  return Object.keys(JSON.parse(textAt(new Uint8Array(mem.buffer), start)) as Record<string, number>);
}

/** For worker threads: opa-wasm's asynchronous way loads Node's whole fetch first. Throws what says why it is refused. */
export function loadOpa({ module, data, entrypoint }: OpaParts): OpaInstance {
  // The published types leave out what an instance holds; the fields are those of opa-wasm 1.10, src/opa.js.
  const limits = { initial: 5, maximum: MAX_PAGES };
  const policy = loadPolicySync(module as unknown as ArrayBuffer, limits) as unknown as Loaded;
  const wanted = hostBuiltins(policy);
  if (wanted.length > 0)
    throw new Error(`the policy needs built-in functions that are not allowed: ${wanted.join(', ')}`);
  if (!Object.hasOwn(policy.entrypoints, entrypoint))
    throw new Error(`the policy has no entrypoint ${entrypoint}`);
  if (!(policy.minorVersion >= 2))
    throw new Error('the policy was built by an OPA that is too old: its Wasm ABI is below 1.2');
  policy.setData(bytesOf(data));

  const { mem, dataAddr, dataHeapPtr, wasmInstance } = policy;
  const entry = policy.entrypoints[entrypoint]!;
  const encoder = new TextEncoder();
  let view = new Uint8Array(mem.buffer);
  /** Growing the memory leaves the old view without bytes. */
  const current = (): Uint8Array => {
    if (view.length === 0) view = new Uint8Array(mem.buffer);
    return view;
  };
  /** Memory with that many bytes behind the data. */
  const room = (bytes: number): Uint8Array => {
    const missing = dataHeapPtr + bytes - current().length;
    if (missing > 0) mem.grow(Math.ceil(missing / PAGE));
    return current();
  };
  const { opa_eval } = wasmInstance.exports;
  /** Address of the answer to the input that lies behind the data. */
  const answerTo = (length: number): number =>
    opa_eval(0, entry, dataAddr, dataHeapPtr, length, dataHeapPtr + length, 0);
  const answers = new Answers();
  // In UTF-8 a UTF-16 unit has at most 3 bytes; only a long text is measured.
  const bytesFor = (text: string): number => (text.length < PAGE ? text.length * 3 : Buffer.byteLength(text));
  return {
    entrypoints: Object.keys(policy.entrypoints),
    evaluate(input) {
      const memory = room(bytesFor(input));
      const answer = answerTo(encoder.encodeInto(input, memory.subarray(dataHeapPtr)).written);
      return textAt(current(), answer);
    },
    evaluateFrom(text, spare, make) {
      const length = bytesFor(text);
      const at = dataHeapPtr + length + spare;
      const memory = room(2 * (length + spare));
      const end = at + encoder.encodeInto(text, memory.subarray(at)).written;
      const behind = make(memory, at, end, dataHeapPtr);
      if (behind === 0) return undefined;
      const answer = answerTo(behind - dataHeapPtr);
      return answers.at(current(), answer);
    },
  };
}
