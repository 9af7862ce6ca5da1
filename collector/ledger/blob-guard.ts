/**
 * Keeps whoever records a blob and whoever unlinks it apart: a value that is recorded again at that moment is stored
 * anew. Nothing is unlinked while one who names it is on the way to the writer, and who comes then waits.
 */
export class BlobGuard {
  readonly #used = new Map<string, number>();
  #barred: { readonly names: ReadonlySet<string>; readonly over: Promise<void> } | undefined;
  #left = Promise.withResolvers<void>();

  /** Runs `work`, which records these blobs. */
  async use<T>(names: readonly string[], work: () => Promise<T>): Promise<T> {
    while (names.some(name => this.#barred?.names.has(name))) await this.#barred?.over;
    for (const name of names) this.#used.set(name, (this.#used.get(name) ?? 0) + 1);
    try {
      return await work();
    } finally {
      for (const name of names) {
        const count = this.#used.get(name)! - 1;
        if (count === 0) this.#used.delete(name);
        else this.#used.set(name, count);
      }
      this.#left.resolve();
      this.#left = Promise.withResolvers();
    }
  }

  /** Runs `work`, which may unlink these blobs, while nobody uses one. One at a time. */
  async apart<T>(names: readonly string[], work: () => Promise<T>): Promise<T> {
    while (this.#barred !== undefined) await this.#barred.over;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#barred = { names: new Set(names), over: promise };
    try {
      while (names.some(name => this.#used.has(name))) await this.#left.promise;
      return await work();
    } finally {
      this.#barred = undefined;
      resolve();
    }
  }
}
