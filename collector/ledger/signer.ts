/**
 * The writer's side of the signing thread. `publish` hands over a hash and goes on; `collect` waits for what was
 * published since the last one. One caller, synchronous; at most SLOTS between two `collect`s.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { threadFile } from './threads.ts';

/** Places in the shared memory: also the most records in one group. */
export const SLOTS = 4096;
export const PUBLISHED = 0;
export const DONE = 1;
export const FAILED = 2;
/** A signature takes some 50 us: a group that waits this long has lost its signer. */
const PATIENCE_MS = 20_000;

export type SignerData = { memory: SharedArrayBuffer; privateKey: Uint8Array; failAt: number | undefined };

export function layout(memory: SharedArrayBuffer) {
  return {
    control: new Int32Array(memory, 0, 4),
    hashes: new Uint8Array(memory, 16, SLOTS * 32),
    signatures: new Uint8Array(memory, 16 + SLOTS * 32, SLOTS * 64),
  };
}

export class Signer {
  readonly #worker: Worker;
  readonly #control;
  readonly #hashes;
  readonly #signatures;
  #published = 0;
  #collected = 0;

  private constructor(worker: Worker, memory: SharedArrayBuffer) {
    this.#worker = worker;
    const { control, hashes, signatures } = layout(memory);
    this.#control = control;
    this.#hashes = hashes;
    this.#signatures = signatures;
  }

  static async start(privateKey: Uint8Array, failAt: number | undefined): Promise<Signer> {
    const memory = new SharedArrayBuffer(16 + SLOTS * 96);
    const workerData: SignerData = { memory, privateKey, failAt };
    const worker = new Worker(threadFile('signer-thread', import.meta.url), { workerData });
    await once(worker, 'message');
    return new Signer(worker, memory);
  }

  publish(hashSelf: Uint8Array): void {
    this.#hashes.set(hashSelf, ((this.#published >>> 0) % SLOTS) * 32);
    this.#published = (this.#published + 1) | 0;
    Atomics.store(this.#control, PUBLISHED, this.#published);
    Atomics.notify(this.#control, PUBLISHED);
  }

  /** Waits for every signature published since the last call and copies them out, in order. Throws if one failed. */
  collect(): Buffer {
    const deadline = performance.now() + PATIENCE_MS;
    let lost = false;
    for (;;) {
      const done = Atomics.load(this.#control, DONE);
      if (done === this.#published) break;
      if (performance.now() > deadline) {
        lost = true;
        break;
      }
      Atomics.wait(this.#control, DONE, done, 1000);
    }
    const count = (this.#published - this.#collected) | 0;
    const all = Buffer.allocUnsafe(count * 64);
    for (let i = 0; i < count; i++) {
      const slot = ((this.#collected + i) >>> 0) % SLOTS;
      all.set(this.#signatures.subarray(slot * 64, slot * 64 + 64), i * 64);
    }
    this.#collected = this.#published;
    const failed = Atomics.exchange(this.#control, FAILED, 0) === 1;
    if (lost) throw new Error('the signing thread does not answer');
    if (failed) throw new Error('a record could not be signed');
    return all;
  }

  async stop(): Promise<void> {
    await this.#worker.terminate();
  }
}
