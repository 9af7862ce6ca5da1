/**
 * The chain's state in memory: the next seq and app_seqs, the last hash, the last time. One per ledger, in the writer
 * thread; read from the database at open and again after a failed commit. Format: docs/spec/ledger.md.
 * Rules: reads no clock (readings come with the requests); a step back of the clock is clamped; whatever changes
 * here between `mark` and `rewind` can be undone, for a refused command.
 */
import { hash } from 'node:crypto';
import { formatMicros } from '../../core/event/time.ts';
import { GENESIS, type Head, headJcs } from '../../core/proof/record.ts';
import type { Connection } from './database.ts';
import type { Undo } from './undo.ts';

export type AppState = { app: number; appId: string; last: number };

/** A place in the chain: everything of a record's head but what the event brings. */
export type Stamp = {
  receivedAt: string;
  receivedUs: number;
  /** The clock's own reading, where it was behind and the time is clamped. */
  clock?: string;
  /** The clock was first seen behind here: a `clock.stepped` record is due before this one. */
  stepped: boolean;
};

export type Linked = { head: Head; app: AppState; hashSelf: string; hashSelfBytes: Buffer };

type Statements = {
  apps: string;
  lastRecord: string;
  insertApp: string;
};

export class Chain {
  readonly ledgerId: string;
  readonly tenantId: string;
  readonly #db: Connection;
  readonly #sql: Statements;
  readonly #undo: Undo;
  #apps = new Map<string, AppState>();
  #next = 0;
  #previous = GENESIS;
  #lastUs = 0;
  /** By how much records were moved ahead of the clock on purpose: not a step of the clock. */
  #ahead = 0;
  #clamped = false;
  #formatted = { us: -1, text: '' };

  constructor(db: Connection, sql: Statements, undo: Undo, ids: { ledgerId: string; tenantId: string }) {
    this.#db = db;
    this.#sql = sql;
    this.#undo = undo;
    this.ledgerId = ids.ledgerId;
    this.tenantId = ids.tenantId;
    this.load();
  }

  /** Takes the state from the database. The only way the chain begins, at open and after a failure alike. */
  load(): void {
    const last = this.#db
      .prepare<[], { seq: number; hash_self: Buffer; received_us: number }>(this.#sql.lastRecord)
      .get();
    this.#next = last === undefined ? 0 : last.seq + 1;
    this.#previous = last === undefined ? GENESIS : last.hash_self.toString('hex');
    this.#lastUs = last?.received_us ?? 0;
    this.#ahead = 0;
    this.#clamped = false;
    this.#apps = new Map();
    const apps = this.#db
      .prepare<[string], { app: number; app_id: string; last: number }>(this.#sql.apps)
      .all(this.tenantId);
    for (const { app, app_id, last } of apps) this.#apps.set(app_id, { app, appId: app_id, last });
  }

  /** The seq that the next record gets. */
  get next(): number {
    return this.#next;
  }

  /** hash_self of the last record. */
  get previous(): string {
    return this.#previous;
  }

  format(us: number): string {
    if (this.#formatted.us !== us) this.#formatted = { us, text: formatMicros(us) };
    return this.#formatted.text;
  }

  /** The time that a record with this clock reading (milliseconds) would get. */
  peek(readingMs: number): number {
    return Math.max(Math.floor(readingMs * 1000), this.#lastUs);
  }

  /** Stamps one record. `above`: strictly later than the record before (an export's window must end before it). */
  stamp(readingMs: number, above: boolean): Stamp {
    const reading = Math.floor(readingMs * 1000);
    const behind = reading < this.#lastUs - this.#ahead;
    const stepped = behind && !this.#clamped;
    const receivedUs = Math.max(reading, this.#lastUs + (above ? 1 : 0));
    if (this.#undo.active) {
      const { lastUs, ahead, clamped } = this.#state();
      this.#undo.push(() => {
        this.#lastUs = lastUs;
        this.#ahead = ahead;
        this.#clamped = clamped;
      });
    }
    this.#clamped = behind;
    if (!behind) this.#ahead = receivedUs - reading;
    else if (above) this.#ahead += 1;
    this.#lastUs = receivedUs;
    const stamp = { receivedAt: this.format(receivedUs), receivedUs, stepped };
    return behind ? { ...stamp, clock: formatMicros(reading) } : stamp;
  }

  #state() {
    return { lastUs: this.#lastUs, ahead: this.#ahead, clamped: this.#clamped };
  }

  /** Puts a record at the end of the chain. */
  link(event: { appId: string; eventType: string; ts: string; bodyHash: string }, stamp: Stamp): Linked {
    const app = this.app(event.appId);
    const head: Head = {
      v: 1,
      ledger_id: this.ledgerId,
      tenant_id: this.tenantId,
      seq: this.#next,
      app_id: event.appId,
      app_seq: app.last + 1,
      event_type: event.eventType,
      ts: event.ts,
      received_at: stamp.receivedAt,
      hash_prev: this.#previous,
      body_hash: event.bodyHash,
    };
    const hashSelfBytes = hash('sha256', headJcs(head), 'buffer');
    const hashSelf = hashSelfBytes.toString('hex');
    if (this.#undo.active) {
      const previous = this.#previous;
      this.#undo.push(() => {
        app.last--;
        this.#next--;
        this.#previous = previous;
      });
    }
    app.last++;
    this.#next++;
    this.#previous = hashSelf;
    return { head, app, hashSelf, hashSelfBytes };
  }

  /** The app's row, made on its first record. */
  app(appId: string): AppState {
    const known = this.#apps.get(appId);
    if (known !== undefined) return known;
    const { lastInsertRowid } = this.#db.prepare(this.#sql.insertApp).run(this.tenantId, appId);
    const made = { app: Number(lastInsertRowid), appId, last: 0 };
    this.#apps.set(appId, made);
    this.#undo.push(() => this.#apps.delete(appId));
    return made;
  }
}
