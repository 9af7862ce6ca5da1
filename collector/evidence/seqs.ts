/** Rising sequence numbers in little memory: as ranges where they adjoin, or one by one where each is to be crossed off. */
import type { LeafRange } from '../../core/proof/multiproof.ts';

/** Numbers end to end, 8 bytes each. */
class Numbers {
  #held = new Float64Array(64);
  length = 0;

  at(index: number): number {
    return this.#held[index]!;
  }

  set(index: number, value: number): void {
    this.#held[index] = value;
  }

  push(value: number): void {
    if (this.length === this.#held.length) {
      const larger = new Float64Array(2 * this.length);
      larger.set(this.#held);
      this.#held = larger;
    }
    this.#held[this.length++] = value;
  }
}

export class SeqRanges {
  /** Beginnings and ends, the ends exclusive. */
  readonly #flat = new Numbers();

  /** `seq` must rise. */
  push(seq: number): void {
    const last = this.#flat.length - 1;
    if (last > 0 && this.#flat.at(last) === seq) this.#flat.set(last, seq + 1);
    else {
      this.#flat.push(seq);
      this.#flat.push(seq + 1);
    }
  }

  /** In pieces of at most `most` numbers. */
  *pairs(most = Number.MAX_SAFE_INTEGER): Generator<LeafRange> {
    for (let i = 0; i < this.#flat.length; i += 2) {
      const end = this.#flat.at(i + 1);
      for (let from = this.#flat.at(i); from < end; from += most) yield [from, Math.min(end, from + most)];
    }
  }

  /** Ranges of these and the others together, by first seq. The others must be sorted and not among these. */
  *with(others: readonly number[]): Generator<LeafRange> {
    let i = 0;
    for (const range of this.pairs()) {
      while (i < others.length && others[i]! < range[0]) yield [others[i]!, others[i++]! + 1];
      yield range;
    }
    while (i < others.length) yield [others[i]!, others[i++]! + 1];
  }
}

/** A rising list from which each is crossed off once. */
export class SeqList {
  readonly #seqs = new Numbers();
  #gone = new Uint8Array(0);
  /** How many are not crossed off. */
  left = 0;

  /** `seq` must rise. */
  push(seq: number): void {
    this.#seqs.push(seq);
    this.left++;
  }

  get length(): number {
    return this.#seqs.length;
  }

  /** Whether it was there, and was not crossed off before. */
  crossOff(seq: number): boolean {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#seqs.at(middle) < seq) low = middle + 1;
      else high = middle;
    }
    if (low === this.length || this.#seqs.at(low) !== seq) return false;
    if (this.#gone.length < this.length) {
      const larger = new Uint8Array(this.length);
      larger.set(this.#gone);
      this.#gone = larger;
    }
    if (this.#gone[low] === 1) return false;
    this.#gone[low] = 1;
    this.left--;
    return true;
  }

  *[Symbol.iterator](): Generator<number> {
    for (let i = 0; i < this.length; i++) yield this.#seqs.at(i);
  }
}
