/**
 * How much of a core the background threads take: what is left over. While events come fast, a small part; else as much
 * as their work may at most.
 */
const WINDOW_MS = 1000;
/** Events a second from which the collector counts as busy. */
const BUSY_EVENTS = 500;
/** Share of one core while it is busy. */
const BUSY_DUTY = 0.05;
const MOST_REST_MS = 2000;

export type Pacer = {
  /** Events came. */
  heard(events: number): void;
  /** How long to rest after `took` milliseconds of work, at most `duty` of a core, milliseconds. */
  after(took: number, duty: number): number;
};

export function pacer(): Pacer {
  let since = Number.NEGATIVE_INFINITY;
  let count = 0;
  let busyUntil = Number.NEGATIVE_INFINITY;
  return {
    heard(events) {
      const now = performance.now();
      if (now - since > WINDOW_MS) {
        since = now;
        count = 0;
      }
      count += events;
      if (count >= BUSY_EVENTS) busyUntil = now + WINDOW_MS;
    },
    after(took, duty) {
      const share = performance.now() < busyUntil ? Math.min(duty, BUSY_DUTY) : duty;
      return Math.min(MOST_REST_MS, took * (1 / share - 1));
    },
  };
}
