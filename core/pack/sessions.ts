/**
 * The sessions of a pack, numbered as they come, in little memory: 16 bytes of the SHA-256 of each id and the beginning of
 * its text, end to end in a few arrays instead of an object each. What others keep of a session is a `Column` by its number.
 * Bounded, whatever a pack holds: beyond 1,000,000 no further one is followed, and of an id only what is shown is kept.
 */
import { fromUtf8, transientUtf8 } from '../proof/bytes.ts';
import type { Sha256 } from '../proof/hash.ts';
import { cut } from './report_approvals.ts';

const MOST = 1_000_000;
/** Characters of an id that are shown. */
const SHOWN = 120;
/** Words of 32 bits that an id is told apart by. */
const WORDS = 4;
const FIRST = 64;

type Cells = Float64Array | Uint32Array | Int32Array | Uint8Array;

/** An array that grows; what was not set is 0. */
export class Column<T extends Cells> {
  #cells: T;
  readonly #make: new (
    length: number,
  ) => T;

  constructor(make: new (length: number) => T) {
    this.#make = make;
    this.#cells = new make(FIRST);
  }

  at(index: number): number {
    return this.#cells[index] ?? 0;
  }

  set(index: number, value: number): void {
    this.room(index + 1)[index] = value;
  }

  /** The array, with at least so many cells. Valid until it grows again. */
  room(length: number): T {
    if (length > this.#cells.length) {
      const larger = new this.#make(Math.max(length, this.#cells.length + (this.#cells.length >> 1)));
      larger.set(this.#cells);
      this.#cells = larger;
    }
    return this.#cells;
  }
}

export class Sessions {
  readonly #sha256: Sha256;
  readonly #most: number;
  /** By the first word of a key, probed onwards: number of the session and 1. A power of two of them. */
  #slots = new Uint32Array(4 * FIRST);
  readonly #keys = new Column(Uint32Array);
  readonly #text = new Column(Uint8Array);
  /** Where the text of each ends. */
  readonly #ends = new Column(Float64Array);
  #last: { id: string; number: number } | undefined;
  size = 0;

  constructor(sha256: Sha256, most = MOST) {
    this.#sha256 = sha256;
    this.#most = most;
  }

  /** Its number, from 0 in the order in which they came; undefined where no more are followed. */
  numberOf(id: string): number | undefined {
    if (this.#last?.id === id) return this.#last.number;
    const digest = this.#sha256(transientUtf8(id));
    const view = new DataView(digest.buffer, digest.byteOffset, digest.byteLength);
    const slot = this.#slotOf(view);
    let number = this.#slots[slot]! - 1;
    if (number < 0) {
      if (this.size >= this.#most) return undefined;
      number = this.#add(id, view);
      this.#slots[slot] = this.size;
      if (2 * this.size > this.#slots.length) this.#widen();
    }
    this.#last = { id, number };
    return number;
  }

  /** What is shown of its id. */
  textOf(number: number): string {
    const from = number === 0 ? 0 : this.#ends.at(number - 1);
    return fromUtf8(this.#text.room(0).subarray(from, this.#ends.at(number)));
  }

  /** The slot that holds the key, or the free one where it belongs. */
  #slotOf(key: DataView): number {
    const mask = this.#slots.length - 1;
    let slot = key.getUint32(0) & mask;
    for (let held = this.#slots[slot]!; held !== 0; held = this.#slots[slot]!) {
      if (this.#is(held - 1, key)) return slot;
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #is(number: number, key: DataView): boolean {
    for (let i = 0; i < WORDS; i++)
      if (this.#keys.at(number * WORDS + i) !== key.getUint32(4 * i)) return false;
    return true;
  }

  #add(id: string, key: DataView): number {
    const number = this.size++;
    for (let i = 0; i < WORDS; i++) this.#keys.set(number * WORDS + i, key.getUint32(4 * i));
    const from = number === 0 ? 0 : this.#ends.at(number - 1);
    const text = transientUtf8(cut(id, SHOWN));
    this.#text.room(from + text.length).set(text, from);
    this.#ends.set(number, from + text.length);
    return number;
  }

  #widen(): void {
    const slots = new Uint32Array(2 * this.#slots.length);
    const mask = slots.length - 1;
    for (let number = 0; number < this.size; number++) {
      let slot = this.#keys.at(number * WORDS) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = number + 1;
    }
    this.#slots = slots;
  }
}
