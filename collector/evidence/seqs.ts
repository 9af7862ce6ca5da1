/** A rising set of sequence numbers as ranges: one pair of numbers where they adjoin. */
import type { LeafRange } from '../../core/proof/multiproof.ts';

export class SeqRanges {
  readonly #flat: number[] = [];

  /** `seq` must rise. */
  push(seq: number): void {
    const last = this.#flat.length - 1;
    if (last > 0 && this.#flat[last] === seq) this.#flat[last] = seq + 1;
    else this.#flat.push(seq, seq + 1);
  }

  *#pairs(): Generator<LeafRange> {
    for (let i = 0; i < this.#flat.length; i += 2) yield [this.#flat[i]!, this.#flat[i + 1]!];
  }

  /** Ranges of these and the others together, by first seq. The others must be sorted and not among these. */
  *with(others: readonly number[]): Generator<LeafRange> {
    let i = 0;
    for (const range of this.#pairs()) {
      while (i < others.length && others[i]! < range[0]) yield [others[i]!, others[i++]! + 1];
      yield range;
    }
    while (i < others.length) yield [others[i]!, others[i++]! + 1];
  }
}
