/**
 * Sessions of pages and terminals, each for one tenant. A one-time ticket (60 s, used once) is exchanged for a session without
 * a name in the default tenant, which may do everything while nobody is enrolled and nothing after (12 h without use at most). A
 * person who signs in gets a session of their own: it ends 60 minutes after a person did something and 12 hours after sign-in.
 * Who made a tenant may enter it for one hour while nobody is enrolled there, as long as the session they came from lives.
 * Rules: memory only, so a restart signs everyone out; only SHA-256 of a token is kept; every table is bounded. Tickets
 * travel in a URL fragment, which no server, proxy or Referer header sees.
 */
import { createHash } from 'node:crypto';
import { TrailmixError } from '../../core/api/errors.ts';
import { DEFAULT_TENANT } from '../../core/proof/record.ts';
import type { Clock, Ids } from '../ports.ts';

export const TICKET_MS = 60_000;
export const SESSION_IDLE_MS = 12 * 3_600_000;
export const PERSON_IDLE_MS = 60 * 60_000;
export const PERSON_MOST_MS = 12 * 3_600_000;
export const ENTERED_MS = 60 * 60_000;
const MOST = 64;
/** Of one tenant. */
const MOST_PERSON_SESSIONS = 2000;
/** Sessions that one person can have: one more ends the oldest. */
export const MOST_PER_PERSON = 10;
export const SESSION_PREFIX = 'tms1.';

export type SessionPerson = { id: string; name: string; roles: readonly string[]; via: 'page' | 'cli' };
export type Session = {
  id: string;
  tenantId: string;
  expiresAt: number;
  person?: SessionPerson;
  /** Who entered a tenant that is not theirs: `default/<person_id or name>`. */
  name?: string;
};
export type EndedSession = { id: string; personId: string; why: 'idle' | 'absolute' };

type Live = { id: string; idleEnds: number; ends: number };
type Nameless = Live & { tenantId: string; name?: string; parent?: string };
type OfPerson = Live & { person: SessionPerson };

const digest = (token: string): string => createHash('sha256').update(token).digest('base64');
const over = (live: Live, now: number): boolean => Math.min(live.idleEnds, live.ends) <= now;

/** Sessions of the people of one tenant. */
export class TenantSessions {
  readonly #clock: Clock;
  readonly #token: () => string;
  /** Digest of a session token -> the session. Insertion order is age. */
  readonly #people = new Map<string, OfPerson>();
  /** Told of sessions whose time was over. */
  onExpired: (ended: readonly EndedSession[]) => void = () => {};

  constructor(clock: Clock, token: () => string) {
    this.#clock = clock;
    this.#token = token;
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
    const own = [...this.#people.values()].filter(live => live.person.id === personId);
    return own.slice(0, Math.max(0, own.length + 1 - MOST_PER_PERSON)).map(live => live.id);
  }

  end(ids: readonly string[]): void {
    for (const [key, live] of this.#people) if (ids.includes(live.id)) this.#people.delete(key);
  }

  endOf(personId: string): void {
    for (const [key, live] of this.#people) if (live.person.id === personId) this.#people.delete(key);
  }

  lives(id: string): boolean {
    const now = this.#clock.now();
    return [...this.#people.values()].some(live => live.id === id && !over(live, now));
  }

  /** By the digest of its token. Throws session_invalid when its time is over. */
  find(key: string, active: boolean): OfPerson | undefined {
    const found = this.#people.get(key);
    if (found === undefined) return undefined;
    const now = this.#clock.now();
    if (over(found, now)) {
      this.sweep();
      throw new TrailmixError('session_invalid', { where: 'authorization' });
    }
    if (active) found.idleEnds = now + PERSON_IDLE_MS;
    return found;
  }

  /** Ends those whose time is over. */
  sweep(): void {
    const now = this.#clock.now();
    const ended: EndedSession[] = [];
    for (const [key, live] of this.#people) {
      if (!over(live, now)) continue;
      this.#people.delete(key);
      ended.push({ id: live.id, personId: live.person.id, why: live.ends <= now ? 'absolute' : 'idle' });
    }
    if (ended.length > 0) this.onExpired(ended);
  }
}

export class Sessions {
  readonly #clock: Clock;
  readonly #ids: Ids;
  /** Digest of a ticket -> when it ends. Insertion order is age. */
  readonly #tickets = new Map<string, number>();
  readonly #opened = new Map<string, Nameless>();
  /** As many as there are tenants. */
  readonly #tenants = new Map<string, TenantSessions>();

  constructor(clock: Clock, ids: Ids) {
    this.#clock = clock;
    this.#ids = ids;
  }

  #token(): string {
    return Buffer.from(this.#ids.bytes(32)).toString('base64url');
  }

  /** Sessions of a tenant's people. */
  of(tenantId: string): TenantSessions {
    const known = this.#tenants.get(tenantId);
    if (known !== undefined) return known;
    const made = new TenantSessions(this.#clock, () => this.#token());
    this.#tenants.set(tenantId, made);
    return made;
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
    return this.#open({
      id: this.#ids.id('ses'),
      tenantId: DEFAULT_TENANT,
      idleEnds: now + SESSION_IDLE_MS,
      ends: Number.POSITIVE_INFINITY,
    });
  }

  /**
   * A session without a name in another tenant, under the name of who enters. `parent`: the session of the person in the
   * default tenant, without whom it is over.
   */
  enter(tenantId: string, name: string, parent?: string): { id: string; session: string; expiresAt: Date } {
    const ends = this.#clock.now() + ENTERED_MS;
    const id = this.#ids.id('ses');
    const from = parent === undefined ? {} : { parent };
    return { id, ...this.#open({ id, tenantId, idleEnds: ends, ends, name, ...from }) };
  }

  #open(live: Nameless): { session: string; expiresAt: Date } {
    const session = SESSION_PREFIX + this.#token();
    if (this.#opened.size >= MOST) this.#opened.delete(this.#opened.keys().next().value as string);
    this.#opened.set(digest(session), live);
    return { session, expiresAt: new Date(live.idleEnds) };
  }

  /**
   * The session of a token. `active`: a person did something, which counts a person's idle time anew; a session without
   * a name counts every use. Throws session_invalid.
   */
  find(token: string, active: boolean): Session {
    const key = digest(token);
    for (const [tenantId, people] of this.#tenants) {
      const found = people.find(key, active);
      if (found === undefined) continue;
      const { id, person } = found;
      return { id, tenantId, expiresAt: Math.min(found.idleEnds, found.ends), person };
    }
    const found = this.#opened.get(key);
    const now = this.#clock.now();
    if (found === undefined || over(found, now) || this.#orphaned(found)) {
      this.#opened.delete(key);
      throw new TrailmixError('session_invalid', { where: 'authorization' });
    }
    found.idleEnds = now + SESSION_IDLE_MS;
    const { id, tenantId, name } = found;
    const expiresAt = Math.min(found.idleEnds, found.ends);
    return { id, tenantId, expiresAt, ...(name === undefined ? {} : { name }) };
  }

  #orphaned({ parent }: Nameless): boolean {
    return parent !== undefined && !this.of(DEFAULT_TENANT).lives(parent);
  }
}
