/** What an impact job counts: decisions and runs by both words, what was left out and why, and of each flip the newest decisions. */
import type { ImpactView, PolicyWord, UnfaithfulReason } from '../../core/api/policy_views.ts';
import { WORDS } from './impact_thread_types.ts';

/** Decisions kept of each cell that flips. */
export const KEPT_FLIPS = 10_000;

/** A set of small integers that grows: runs behind a cell. */
class Bits {
  #bytes = new Uint8Array(1024);
  count = 0;
  add(n: number): void {
    const at = Math.floor(n / 8);
    if (at >= this.#bytes.length) {
      const grown = new Uint8Array(Math.max(at + 1, this.#bytes.length * 2));
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    const bit = 1 << (n % 8);
    if ((this.#bytes[at]! & bit) !== 0) return;
    this.#bytes[at]! |= bit;
    this.count += 1;
  }
}

type Cell = { from: PolicyWord; to: PolicyWord; decisions: number; runs: Bits; seqs: number[] };
const cellOf = (from: number, to: number): number => from * WORDS.length + to;
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const newest = (seqs: readonly number[]): number[] => [...seqs].sort((a, b) => b - a).slice(0, KEPT_FLIPS);

export class ImpactTally {
  /** By the places of both words in WORDS. */
  readonly #cells: Cell[] = WORDS.flatMap(from =>
    WORDS.map(to => ({ from, to, decisions: 0, runs: new Bits(), seqs: [] })),
  );
  readonly #skipped = new Map<UnfaithfulReason, number>();
  /** Decisions counted, those left out among them. */
  done = 0;

  /** Words by their places in WORDS. */
  count(seq: number, run: number, from: number, to: number): void {
    const cell = this.#cells[cellOf(from, to)]!;
    cell.decisions += 1;
    cell.runs.add(run);
    this.done += 1;
    if (from === to) return;
    cell.seqs.push(seq);
    if (cell.seqs.length > 2 * KEPT_FLIPS) cell.seqs = newest(cell.seqs);
  }

  skip(reason: UnfaithfulReason, count: number): void {
    this.#skipped.set(reason, (this.#skipped.get(reason) ?? 0) + count);
    this.done += count;
  }

  /** Seqs behind a cell that are kept, newest first; of a cell that stays the same none. */
  behind(from: PolicyWord, to: PolicyWord): number[] {
    return newest(this.#cells[cellOf(WORDS.indexOf(from), WORDS.indexOf(to))]!.seqs);
  }

  view(): Pick<ImpactView, 'done' | 'cells' | 'decided' | 'flipped' | 'skipped'> {
    const cells = this.#cells
      .filter(({ decisions }) => decisions > 0)
      .map(({ from, to, decisions, runs }) => ({ from, to, decisions, runs: runs.count }))
      .sort((a, b) => compare(a.from, b.from) || compare(a.to, b.to));
    const sum = (some: typeof cells): number => some.reduce((all, { decisions }) => all + decisions, 0);
    return {
      done: this.done,
      cells,
      decided: sum(cells),
      flipped: sum(cells.filter(({ from, to }) => from !== to)),
      skipped: Object.fromEntries([...this.#skipped].sort(([a], [b]) => compare(a, b))),
    };
  }
}
