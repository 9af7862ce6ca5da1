/**
 * The quota of OTLP without a key: everyone on this machine shares it, so that no program can fill the ledger of
 * another unseen. Two token buckets (events and bytes) and a bound on distinct apps; a refused request is 429, and
 * keyed requests never wait for it.
 */
import { TrailmixError } from '../../../core/api/errors.ts';
import type { Clock } from '../../ports.ts';

export type QuotaLimits = {
  eventsPerSecond: number;
  eventsBurst: number;
  bytesPerSecond: number;
  bytesBurst: number;
  apps: number;
};

export const QUOTA: QuotaLimits = {
  eventsPerSecond: 500,
  eventsBurst: 20_000,
  bytesPerSecond: 2 * 1024 * 1024,
  bytesBurst: 64 * 1024 * 1024,
  apps: 256,
};

export class UnkeyedQuota {
  readonly #clock: Clock;
  readonly #limits: QuotaLimits;
  readonly #apps = new Set<string>();
  #events: number;
  #bytes: number;
  #at: number;

  constructor(clock: Clock, limits: QuotaLimits = QUOTA) {
    this.#clock = clock;
    this.#limits = limits;
    this.#events = limits.eventsBurst;
    this.#bytes = limits.bytesBurst;
    this.#at = clock.now();
  }

  /** Whether an app may be heard: known, or one of the first few new ones. */
  admits(appId: string): boolean {
    if (this.#apps.has(appId)) return true;
    if (this.#apps.size >= this.#limits.apps) return false;
    this.#apps.add(appId);
    return true;
  }

  /** Throws busy; nothing is taken then. */
  take(events: number, bytes: number): void {
    const { eventsPerSecond, eventsBurst, bytesPerSecond, bytesBurst } = this.#limits;
    const now = this.#clock.now();
    const seconds = Math.max(0, now - this.#at) / 1000;
    this.#at = now;
    this.#events = Math.min(eventsBurst, this.#events + seconds * eventsPerSecond);
    this.#bytes = Math.min(bytesBurst, this.#bytes + seconds * bytesPerSecond);
    const lacking = Math.max(
      (events - this.#events) / eventsPerSecond,
      (bytes - this.#bytes) / bytesPerSecond,
    );
    if (lacking > 0) {
      throw new TrailmixError('busy', {
        message: 'The quota of OTLP without a key is used up; send with an API key, or later',
        retryAfter: Math.min(60, Math.ceil(lacking)),
      });
    }
    this.#events -= events;
    this.#bytes -= bytes;
  }
}
