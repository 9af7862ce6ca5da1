/**
 * Lets questions in and counts them, and lets a change of policy have the place for itself: it waits until those inside
 * are out, while new ones wait before the door. So no decision is recorded under a policy that was no longer, or not yet, in
 * force. Waiting is bounded by the decisions inside, each of which has its deadline.
 */
export class Turnstile {
  #inside = 0;
  #closed: Promise<void> | undefined;
  #emptied: (() => void) | undefined;

  /** Answers what to call on leaving, once. Waits only while a change is on its way. */
  enter(): (() => void) | Promise<() => void> {
    return this.#closed === undefined ? this.#let() : this.#wait();
  }

  async #wait(): Promise<() => void> {
    while (this.#closed !== undefined) await this.#closed;
    return this.#let();
  }

  #let(): () => void {
    this.#inside += 1;
    let out = false;
    return () => {
      if (out) return;
      out = true;
      this.#inside -= 1;
      if (this.#inside === 0) this.#emptied?.();
    };
  }

  /** One at a time: the caller sees to that. */
  async alone<T>(work: () => Promise<T>): Promise<T> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#closed = promise;
    try {
      if (this.#inside > 0) {
        await new Promise<void>(emptied => {
          this.#emptied = emptied;
        });
        this.#emptied = undefined;
      }
      return await work();
    } finally {
      this.#closed = undefined;
      resolve();
    }
  }
}
