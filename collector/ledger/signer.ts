/**
 * Signing beside the writer: Ed25519 is the dearest step, so a thread signs records while the writer inserts them, and
 * the writer takes a hand in what is left. `publish` hands over a hash and goes on; `collect` answers once all that was
 * published is signed. One caller, synchronous; at most SLOTS between two `collect`s.
 */
import { createPrivateKey, type KeyObject, sign } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import { PREFIX } from '../../core/proof/hash.ts';
import { threadFile } from './threads.ts';

/** Places in the shared memory: also the most records in one group. */
export const SLOTS = 4096;
/** Counters in the shared memory; they run on and wrap. published >= claimed >= done. */
export const PUBLISHED = 0;
const CLAIMED = 1;
const DONE = 2;
const FAILED = 3;
/** 1 while the signing thread sleeps, or is about to: only then it has to be woken. */
const ASLEEP = 4;
/** 1 while the writer waits for the last signatures. */
const WAITING = 5;
const HEADER = 32;
/** Records of one group from which a thread helps. */
const WORTH_A_THREAD = 16;
/** A signature takes some 50 us: a group that waits this long has lost its signer. */
const PATIENCE_MS = 20_000;

export type SignerData = { memory: SharedArrayBuffer; privateKey: Uint8Array; failAt: number | undefined };

/** Either side's hand: takes the next hash that nobody has taken, and signs it. */
export class SigningBench {
  readonly control: Int32Array;
  readonly hashes: Uint8Array;
  readonly signatures: Uint8Array;
  readonly #key: KeyObject;
  readonly #failAt: number | undefined;
  readonly #message: Buffer;

  constructor({ memory, privateKey, failAt }: SignerData) {
    this.control = new Int32Array(memory, 0, HEADER / 4);
    this.hashes = new Uint8Array(memory, HEADER, SLOTS * 32);
    this.signatures = new Uint8Array(memory, HEADER + SLOTS * 32, SLOTS * 64);
    this.#key = createPrivateKey({ key: Buffer.from(privateKey), format: 'der', type: 'pkcs8' });
    this.#failAt = failAt;
    this.#message = Buffer.alloc(PREFIX.event.length + 64);
    this.#message.write(PREFIX.event);
  }

  /** Waits until something is published that was not when it last looked. */
  sleep(published: number): void {
    const { control } = this;
    Atomics.store(control, ASLEEP, 1);
    Atomics.wait(control, PUBLISHED, published);
    Atomics.store(control, ASLEEP, 0);
  }

  /** Signs one record; false where everything published is taken. */
  signNext(): boolean {
    const { control } = this;
    const claimed = Atomics.load(control, CLAIMED);
    if (claimed === Atomics.load(control, PUBLISHED)) return false;
    if (Atomics.compareExchange(control, CLAIMED, claimed, (claimed + 1) | 0) !== claimed) return true;
    const slot = (claimed >>> 0) % SLOTS;
    try {
      if (claimed + 1 === this.#failAt) throw new Error('fault injected in the signer');
      const hash = Buffer.from(this.hashes.buffer, this.hashes.byteOffset + slot * 32, 32);
      this.#message.write(hash.toString('hex'), PREFIX.event.length, 'latin1');
      this.signatures.set(sign(null, this.#message, this.#key), slot * 64);
    } catch {
      Atomics.store(control, FAILED, 1);
    }
    Atomics.add(control, DONE, 1);
    if (Atomics.load(control, WAITING) === 1) Atomics.notify(control, DONE);
    return true;
  }
}

export class Signer {
  readonly #data: SignerData;
  readonly #bench: SigningBench;
  /** Begun with the first group that is worth it: a collector that idles does without. */
  #worker: Worker | undefined;
  #published = 0;
  #collected = 0;

  constructor(privateKey: Uint8Array, failAt: number | undefined) {
    this.#data = { memory: new SharedArrayBuffer(HEADER + SLOTS * 96), privateKey, failAt };
    this.#bench = new SigningBench(this.#data);
  }

  publish(hashSelf: Uint8Array): void {
    const { control, hashes } = this.#bench;
    hashes.set(hashSelf, ((this.#published >>> 0) % SLOTS) * 32);
    this.#published = (this.#published + 1) | 0;
    Atomics.store(control, PUBLISHED, this.#published);
    if (Atomics.load(control, ASLEEP) === 1) Atomics.notify(control, PUBLISHED);
    if (this.#worker === undefined && this.#published - this.#collected > WORTH_A_THREAD) {
      this.#worker = new Worker(threadFile('signer-thread', import.meta.url), { workerData: this.#data });
      // Without it the writer signs alone; a hash that it had taken fails its group by the deadline in collect.
      this.#worker.on('error', () => {});
    }
  }

  /** Waits for every signature published since the last call and copies them out, in order. Throws if one failed. */
  collect(): Buffer {
    const { control, signatures } = this.#bench;
    while (this.#bench.signNext());
    const deadline = performance.now() + PATIENCE_MS;
    let lost = false;
    for (;;) {
      const done = Atomics.load(control, DONE);
      if (done === this.#published) break;
      lost = performance.now() > deadline;
      if (lost) break;
      Atomics.store(control, WAITING, 1);
      if (Atomics.load(control, DONE) === done) Atomics.wait(control, DONE, done, 1000);
    }
    Atomics.store(control, WAITING, 0);
    const count = (this.#published - this.#collected) | 0;
    const all = Buffer.allocUnsafe(count * 64);
    for (let i = 0; i < count; i++) {
      const slot = ((this.#collected + i) >>> 0) % SLOTS;
      all.set(signatures.subarray(slot * 64, slot * 64 + 64), i * 64);
    }
    this.#collected = this.#published;
    const failed = Atomics.exchange(control, FAILED, 0) === 1;
    if (lost) throw new Error('the signing thread does not answer');
    if (failed) throw new Error('a record could not be signed');
    return all;
  }

  async stop(): Promise<void> {
    await this.#worker?.terminate();
  }
}
