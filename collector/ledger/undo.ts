/**
 * What a refused command did to state in memory, undone in reverse. Inactive outside commands: a producer's events
 * are checked before anything changes, and a failed group reads everything again from the database.
 */
export class Undo {
  #steps: (() => void)[] | undefined;

  get active(): boolean {
    return this.#steps !== undefined;
  }

  begin(): void {
    this.#steps = [];
  }

  push(step: () => void): void {
    this.#steps?.push(step);
  }

  /** The command stands. */
  keep(): void {
    this.#steps = undefined;
  }

  /** The command is undone. */
  rewind(): void {
    for (const step of this.#steps?.reverse() ?? []) step();
    this.#steps = undefined;
  }
}
