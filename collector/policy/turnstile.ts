/**
 * Lets questions in and counts them, and lets a change of policy have the place for itself: it waits until those inside
 * are out, while new ones wait before the door. So no decision is recorded under a policy that was no longer, or not yet, in
 * force. Questions inside that nobody has begun to answer are not waited for: they are answered after the change. Waiting is
 * bounded by those that are being answered, each of which has its deadline.
 */
export class Turnstile {
  #inside = 0;
  #closed: Promise<void> | undefined;
  #check: (() => void) | undefined;

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
      this.#check?.();
    };
  }

  /**
   * One at a time: the caller sees to that. `waiting`: how many inside wait for an answer that nobody has begun, and stay until
   * `work` is done; `check` is called when that may have changed.
   */
  async alone<T>(work: () => Promise<T>, waiting: () => number = () => 0): Promise<T> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#closed = promise;
    try {
      await new Promise<void>(emptied => {
        this.#check = () => {
          if (this.#inside <= waiting()) emptied();
        };
        this.#check();
      });
      return await work();
    } finally {
      this.#check = undefined;
      this.#closed = undefined;
      resolve();
    }
  }

  check(): void {
    this.#check?.();
  }
}
