/**
 * Signature checks spread over threads, one for each core but at most eight. The queue that feeds it is bounded
 * (core/pack/signatures.ts); a thread that dies fails every batch it held.
 */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { VerifyBatch } from '../../core/pack/signatures.ts';
import { threadFile } from '../ledger/threads.ts';
import type { SignatureAnswer, SignatureRequest } from './signature-thread.ts';

type Waiting = { resolve: (results: boolean[]) => void; reject: (error: Error) => void; thread: number };

export class SignaturePool {
  readonly #threads: Worker[];
  readonly #load: number[];
  readonly #waiting = new Map<number, Waiting>();
  #next = 0;

  constructor(threads = Math.min(8, availableParallelism())) {
    const url = threadFile('signature-thread', import.meta.url);
    this.#load = Array.from({ length: threads }, () => 0);
    this.#threads = this.#load.map((_, index) => {
      const thread = new Worker(url);
      thread.on('message', ({ id, results }: SignatureAnswer) => this.#done(id, results));
      thread.on('error', error => this.#fail(index, error as Error));
      thread.unref();
      return thread;
    });
  }

  readonly verifyBatch: VerifyBatch = ({ count, bytes }) =>
    new Promise((resolve, reject) => {
      const id = this.#next++;
      const thread = this.#load.indexOf(Math.min(...this.#load));
      this.#load[thread]!++;
      this.#waiting.set(id, { resolve, reject, thread });
      this.#threads[thread]!.ref();
      this.#threads[thread]!.postMessage({ id, count, bytes } satisfies SignatureRequest, [bytes.buffer]);
    });

  async close(): Promise<void> {
    await Promise.all(this.#threads.map(thread => thread.terminate()));
  }

  #done(id: number, results: Uint8Array): void {
    const waiting = this.#take(id);
    waiting?.resolve(Array.from(results, result => result === 1));
  }

  #take(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (waiting !== undefined && --this.#load[waiting.thread]! === 0) this.#threads[waiting.thread]!.unref();
    return waiting;
  }

  #fail(thread: number, error: Error): void {
    for (const [id, waiting] of this.#waiting) if (waiting.thread === thread) this.#take(id)?.reject(error);
  }
}
