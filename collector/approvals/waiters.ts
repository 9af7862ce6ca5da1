/** Long polls: who waits for which approval. Bounded; a waiter always ends by wake, time, its caller or close. */
import { TrailmixError } from '../../core/api/errors.ts';

export type Waiter = {
  /** Resolves when woken since `add` or the last wait, after `ms`, when the signal aborts, or when all are let go. */
  wait(ms: number, signal?: AbortSignal): Promise<void>;
  remove(): void;
};

export class Waiters {
  readonly #limit: number;
  readonly #byApproval = new Map<string, Set<() => void>>();
  #count = 0;
  #closed = false;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Throws busy. */
  add(id: string): Waiter {
    if (this.#count >= this.#limit) {
      throw new TrailmixError('busy', { message: 'Too many wait for approvals already.', retryAfter: 2 });
    }
    let woken = false;
    let wake = (): void => {};
    const onWake = (): void => {
      woken = true;
      wake();
    };
    const waiting = this.#byApproval.get(id) ?? new Set();
    this.#byApproval.set(id, waiting.add(onWake));
    this.#count++;
    return {
      wait: (ms, signal) =>
        new Promise(resolve => {
          const timer = setTimeout(() => done(), ms);
          const done = (): void => {
            clearTimeout(timer);
            signal?.removeEventListener('abort', done);
            wake = () => {};
            woken = false;
            resolve();
          };
          wake = done;
          if (woken || this.#closed || signal?.aborted === true) return done();
          signal?.addEventListener('abort', done, { once: true });
        }),
      remove: () => {
        if (!waiting.delete(onWake)) return;
        this.#count--;
        if (waiting.size === 0 && this.#byApproval.get(id) === waiting) this.#byApproval.delete(id);
      },
    };
  }

  wake(ids: readonly string[]): void {
    for (const id of ids) for (const onWake of this.#byApproval.get(id) ?? []) onWake();
  }

  /** Lets everyone go, now and later. */
  close(): void {
    this.#closed = true;
    for (const waiting of this.#byApproval.values()) for (const onWake of waiting) onWake();
  }
}
