/**
 * Sessions of pages and terminals. A one-time ticket (60 s, used once) is exchanged for a session without a name, which may
 * do everything while nobody is enrolled and nothing after (12 h without use at most). A person who signs in gets a session
 * of their own: it ends 60 minutes after a person did something and 12 hours after sign-in.
 * Rules: memory only, so a restart signs everyone out; only SHA-256 of a token is kept; every table is bounded. Tickets
 * travel in a URL fragment, which no server, proxy or Referer header sees.
 */
import { createHash } from 'node:crypto';
import { TrailmixError } from '../../core/api/errors.ts';
import type { Clock, Ids } from '../ports.ts';

export const TICKET_MS = 60_000;
export const SESSION_IDLE_MS = 12 * 3_600_000;
export const PERSON_IDLE_MS = 60 * 60_000;
export const PERSON_MOST_MS = 12 * 3_600_000;
const MOST = 64;
const MOST_PERSON_SESSIONS = 2000;
/** Sessions that one person can have: one more ends the oldest. */
export const MOST_PER_PERSON = 10;
export const SESSION_PREFIX = 'tms1.';

export type SessionPerson = { id: string; name: string; roles: readonly string[]; via: 'page' | 'cli' };
export type Session = { id: string; expiresAt: number; person?: SessionPerson };
export type EndedSession = { id: string; personId: string; why: 'idle' | 'absolute' };

type Live = { id: string; idleEnds: number; ends: number; person?: SessionPerson };

const digest = (token: string): string => createHash('sha256').update(token).digest('base64');

export class Sessions {
  readonly #clock: Clock;
  readonly #ids: Ids;
  /** Digest of a ticket -> when it ends. Insertion order is age. */
  readonly #tickets = new Map<string, number>();
  /** Digest of a session token -> the session. */
  readonly #opened = new Map<string, Live>();
  readonly #people = new Map<string, Live>();
  /** Told of people's sessions whose time was over. */
  onExpired: (ended: readonly EndedSession[]) => void = () => {};

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
    if (this.#opened.size >= MOST) this.#opened.delete(this.#opened.keys().next().value as string);
    const live = {
      id: this.#ids.id('ses'),
      idleEnds: now + SESSION_IDLE_MS,
      ends: Number.POSITIVE_INFINITY,
    };
    this.#opened.set(digest(session), live);
    return { session, expiresAt: new Date(live.idleEnds) };
  }

  /** Throws busy. */
  checkRoom(): void {
    this.sweep();
    if (this.#people.size >= MOST_PERSON_SESSIONS) throw new TrailmixError('busy', { retryAfter: 60 });
  }

  /** A session for a person who has signed in; its sign-in is recorded under `id` before. */
  begin(id: string, person: SessionPerson): { session: string; expiresAt: Date } {
    const session = SESSION_PREFIX + this.#token();
    const now = this.#clock.now();
    const live = { id, idleEnds: now + PERSON_IDLE_MS, ends: now + PERSON_MOST_MS, person };
    this.#people.set(digest(session), live);
    return { session, expiresAt: new Date(live.idleEnds) };
  }

  /** Those that give way when the person signs in once more, oldest first. */
  oldestOf(personId: string): string[] {
    const own = [...this.#people.values()].filter(live => live.person?.id === personId);
    return own.slice(0, Math.max(0, own.length + 1 - MOST_PER_PERSON)).map(live => live.id);
  }

  end(ids: readonly string[]): void {
    for (const [key, live] of this.#people) if (ids.includes(live.id)) this.#people.delete(key);
  }

  endOf(personId: string): void {
    for (const [key, live] of this.#people) if (live.person?.id === personId) this.#people.delete(key);
  }

  /**
   * The session of a token. `active`: a person did something, which counts a person's idle time anew; a session without
   * a name counts every use. Throws session_invalid.
   */
  find(token: string, active: boolean): Session {
    const key = digest(token);
    const found = this.#people.get(key) ?? this.#opened.get(key);
    const now = this.#clock.now();
    if (found === undefined || Math.min(found.idleEnds, found.ends) <= now) {
      this.#opened.delete(key);
      if (found?.person !== undefined) this.sweep();
      throw new TrailmixError('session_invalid', { where: 'authorization' });
    }
    if (found.person === undefined) found.idleEnds = now + SESSION_IDLE_MS;
    else if (active) found.idleEnds = now + PERSON_IDLE_MS;
    const expiresAt = Math.min(found.idleEnds, found.ends);
    return { id: found.id, expiresAt, ...(found.person === undefined ? {} : { person: found.person }) };
  }

  /** Ends people's sessions whose time is over. */
  sweep(): void {
    const now = this.#clock.now();
    const ended: EndedSession[] = [];
    for (const [key, live] of this.#people) {
      if (Math.min(live.idleEnds, live.ends) > now) continue;
      this.#people.delete(key);
      ended.push({
        id: live.id,
        personId: live.person!.id,
        why: live.ends <= now ? 'absolute' : 'idle',
      });
    }
    if (ended.length > 0) this.onExpired(ended);
  }
}
