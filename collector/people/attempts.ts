/**
 * Wrong attempts by name: five lock the name for 30 s, each five more for twice as long, up to an hour. Names that nobody
 * has are counted and locked alike, so that a lock tells nothing. An attempt counts as wrong until it proves right, so
 * that many at the same moment are no way around.
 */
import { TrailmixError } from '../../core/api/errors.ts';
import type { Clock } from '../ports.ts';

export const ATTEMPTS = 5;
const FIRST_LOCK_MS = 30_000;
const LONGEST_LOCK_MS = 3_600_000;
/** Names that nobody has; beyond it the oldest are forgotten. */
const MOST_UNKNOWN = 10_000;

type Count = { failures: number; lockedUntil: number };

export class Attempts {
  readonly #clock: Clock;
  readonly #known = new Map<string, Count>();
  readonly #unknown = new Map<string, Count>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What was counted before a restart. */
  remember(name: string, failures: number, lockedUntil: number): void {
    this.#known.set(name, { failures, lockedUntil });
  }

  #count(name: string, known: boolean): Count {
    const table = known ? this.#known : this.#unknown;
    // Somebody may have been enrolled under a name that was tried before.
    const found = table.get(name) ?? this.#unknown.get(name) ?? { failures: 0, lockedUntil: 0 };
    this.#unknown.delete(name);
    table.set(name, found);
    if (this.#unknown.size > MOST_UNKNOWN) {
      this.#unknown.delete(this.#unknown.keys().next().value as string);
    }
    return found;
  }

  /** Counts an attempt. Throws sign_in_locked, which counts nothing. */
  begin(name: string, known: boolean): { failures: number; lockedUntil?: number } {
    const count = this.#count(name, known);
    const now = this.#clock.now();
    if (count.lockedUntil > now) {
      throw new TrailmixError('sign_in_locked', { retryAfter: Math.ceil((count.lockedUntil - now) / 1000) });
    }
    count.failures++;
    if (count.failures % ATTEMPTS !== 0) return { failures: count.failures };
    const doublings = Math.min(count.failures / ATTEMPTS - 1, 20);
    count.lockedUntil = now + Math.min(FIRST_LOCK_MS * 2 ** doublings, LONGEST_LOCK_MS);
    return { failures: count.failures, lockedUntil: count.lockedUntil };
  }

  /** The attempt was right after all. */
  right(name: string): void {
    this.#known.delete(name);
    this.#unknown.delete(name);
  }
}
