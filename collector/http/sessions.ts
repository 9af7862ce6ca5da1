/**
 * Page sessions: a one-time ticket (60 s, used once) is exchanged for a session token (12 h without use at most).
 * Rules: memory only, so a restart signs everyone out; only SHA-256 of a token is kept; both tables are bounded, the
 * oldest gives way. Tickets travel in a URL fragment, which no server, proxy or Referer header sees.
 */
import { createHash } from 'node:crypto';
import { TrailmixError } from '../../core/api/errors.ts';
import type { Clock, Ids } from '../ports.ts';

export const TICKET_MS = 60_000;
export const SESSION_IDLE_MS = 12 * 3_600_000;
const MOST = 64;
export const SESSION_PREFIX = 'tms1.';

export type Session = { id: string };

const digest = (token: string): string => createHash('sha256').update(token).digest('base64');

export class Sessions {
  readonly #clock: Clock;
  readonly #ids: Ids;
  /** Digest of a ticket -> when it ends. Insertion order is age. */
  readonly #tickets = new Map<string, number>();
  /** Digest of a session token -> its id and when it ends unless used. */
  readonly #sessions = new Map<string, { id: string; ends: number }>();

  constructor(clock: Clock, ids: Ids) {
    this.#clock = clock;
    this.#ids = ids;
  }

  #token(): string {
    return Buffer.from(this.#ids.bytes(32)).toString('base64url');
  }

  ticket(): { token: string; expiresAt: Date } {
    const token = this.#token();
    const ends = this.#clock.now() + TICKET_MS;
    if (this.#tickets.size >= MOST) this.#tickets.delete(this.#tickets.keys().next().value as string);
    this.#tickets.set(digest(token), ends);
    return { token, expiresAt: new Date(ends) };
  }

  /** Throws ticket_invalid: unknown, used or too old. */
  exchange(token: string): { session: string; expiresAt: Date } {
    const key = digest(token);
    const ends = this.#tickets.get(key);
    this.#tickets.delete(key);
    const now = this.#clock.now();
    if (ends === undefined || ends <= now) throw new TrailmixError('ticket_invalid', { where: '/token' });
    const session = SESSION_PREFIX + this.#token();
    if (this.#sessions.size >= MOST) this.#sessions.delete(this.#sessions.keys().next().value as string);
    this.#sessions.set(digest(session), { id: this.#ids.id('ses'), ends: now + SESSION_IDLE_MS });
    return { session, expiresAt: new Date(now + SESSION_IDLE_MS) };
  }

  /** The session of a token, its idle time counted anew. Throws session_invalid. */
  find(token: string): Session {
    const key = digest(token);
    const found = this.#sessions.get(key);
    const now = this.#clock.now();
    if (found === undefined || found.ends <= now) {
      this.#sessions.delete(key);
      throw new TrailmixError('session_invalid', { where: 'authorization' });
    }
    found.ends = now + SESSION_IDLE_MS;
    return { id: found.id };
  }
}
