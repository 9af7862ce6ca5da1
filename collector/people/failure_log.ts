/**
 * Wrong attempts as records: at most ten a minute, and each says how many it stands for, so that guessing fills no ledger.
 * What is held back is written a minute later, or when the collector closes.
 */
import type { Clock } from '../ports.ts';
import type { FailedSignIn, Via } from './command_types.ts';

const RECORDS = 10;
const WINDOW_MS = 60_000;

export type WriteFailures = (
  attempts: readonly FailedSignIn[],
  via: Via,
  locked?: { personId: string; until: string; failures: number },
) => Promise<unknown>;

type Held = { attempts: number; failures?: number; via: Via };

export class FailureLog {
  readonly #clock: Clock;
  readonly #write: WriteFailures;
  readonly #onError: (error: unknown) => void;
  #written: number[] = [];
  /** By name; bounded by the people there are, and `-`. */
  readonly #held = new Map<string, Held>();
  #timer: NodeJS.Timeout | undefined;

  constructor(clock: Clock, write: WriteFailures, onError: (error: unknown) => void) {
    this.#clock = clock;
    this.#write = write;
    this.#onError = onError;
  }

  /** `failures` and `locked` of a person whom there is. Resolves once what is written now is durable. */
  async add(personId: string, via: Via, known?: { failures: number; lockedUntil?: string }): Promise<void> {
    const held = this.#held.get(personId);
    this.#held.set(personId, {
      attempts: (held?.attempts ?? 0) + 1,
      via,
      ...(known === undefined ? {} : { failures: known.failures }),
    });
    const now = this.#clock.now();
    this.#written = this.#written.filter(at => at > now - WINDOW_MS && at <= now);
    const locked =
      known?.lockedUntil === undefined
        ? undefined
        : { personId, until: known.lockedUntil, failures: known.failures };
    if (this.#written.length >= RECORDS) {
      this.#timer ??= setTimeout(() => void this.flush().catch(this.#onError), WINDOW_MS);
      this.#timer.unref();
      // Not waited for: the time of an answer must not tell that somebody has the name. The lock holds in memory already.
      if (locked !== undefined) this.#write([], via, locked).catch(this.#onError);
      return;
    }
    this.#written.push(now);
    await this.#write(this.#take([personId]), via, locked);
  }

  #take(names: readonly string[]): FailedSignIn[] {
    return names.flatMap(personId => {
      const held = this.#held.get(personId);
      this.#held.delete(personId);
      if (held === undefined) return [];
      const { attempts, failures } = held;
      return [{ personId, attempts, ...(failures === undefined ? {} : { failures }) }];
    });
  }

  /** Writes what was held back; what is beyond ten names waits for the next minute. */
  async flush(closing = false): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const names = [...this.#held.keys()].slice(0, closing ? 1000 : RECORDS);
    if (names.length === 0) return;
    const via = this.#held.get(names[0]!)!.via;
    const now = this.#clock.now();
    this.#written.push(...names.map(() => now));
    await this.#write(this.#take(names), via);
    if (this.#held.size > 0 && !closing) {
      this.#timer = setTimeout(() => void this.flush().catch(this.#onError), WINDOW_MS);
      this.#timer.unref();
    }
  }
}
