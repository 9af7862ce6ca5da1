/**
 * Which events the ledger has seen: event_id unique per tenant and app, for ever, at a flat cost. Two keyed hashes of
 * 16 bytes per record lie in `once`, one row per commit; a table in memory maps 32 bits of the first to the seq,
 * and the row decides. A random index on disk would dirty a page per event instead.
 * Memory: 8 bytes a slot at a load of at most a half: 16-32 MB for a million events.
 * KNOWN GAP: beyond some ten million events the table should move to sorted runs on disk.
 */
import { hash } from 'node:crypto';
import type { Connection } from './database.ts';

export const MAC_BYTES = 16;
/** Both hashes of one event. */
export const ENTRY_BYTES = 2 * MAC_BYTES;

/** Writes both keyed hashes of an event: without the key a stored hash tells nothing. */
export type WriteMacs = (
  event: { tenantId: string; appId: string; eventId: string; contentJcs: string },
  into: Uint8Array,
  at: number,
) => void;

const BLOCK = 64;

/**
 * HMAC-SHA256 (RFC 2104) written out over the one-shot hash: making a Hmac object with its key costs more than the two
 * hashes. `id` is over tenant, app and event_id, `content` over the producer's own members.
 */
export function macWriter(key: Uint8Array): WriteMacs {
  if (key.length > BLOCK) throw new RangeError('the key has at most 64 bytes');
  const inner = Buffer.alloc(BLOCK, 0x36);
  const outer = Buffer.alloc(BLOCK + 32, 0x5c);
  for (let i = 0; i < key.length; i++) {
    inner[i]! ^= key[i]!;
    outer[i]! ^= key[i]!;
  }
  let input = Buffer.alloc(8192);
  inner.copy(input);
  const mac = (text: string): Buffer => {
    if (input.length < BLOCK + 3 * text.length) {
      input = Buffer.alloc(BLOCK + 4 * text.length);
      inner.copy(input);
    }
    const end = BLOCK + input.write(text, BLOCK, 'utf8');
    outer.set(hash('sha256', input.subarray(0, end), 'buffer'), BLOCK);
    return hash('sha256', outer, 'buffer');
  };
  return ({ tenantId, appId, eventId, contentJcs }, into, at) => {
    into.set(mac(`id\n${tenantId}\0${appId}\0${eventId}`).subarray(0, MAC_BYTES), at);
    into.set(mac(`content\n${contentJcs}`).subarray(0, MAC_BYTES), at + MAC_BYTES);
  };
}

export type Seen = { seq: number; sameContent: boolean };

const EMPTY = 0;

export class Idempotence {
  readonly #at;
  readonly #from;
  /** Slot pairs: 32 bits of the id's hash, seq + 1 (0 is empty). */
  #slots: Uint32Array;
  #count = 0;
  /** Records below this are in the table. */
  #next = 0;
  /** Entries of the group under way, by the id's hash as text. */
  readonly #pending = new Map<string, { seq: number; content: Buffer }>();
  #row: { first_seq: number; macs: Buffer } | undefined;

  constructor(db: Connection, sql: Record<'onceAt' | 'onceFrom' | 'onceNext', string>) {
    this.#at = db.prepare<[number], { first_seq: number; macs: Buffer }>(sql.onceAt);
    this.#from = db.prepare<[number], { first_seq: number; macs: Buffer }>(sql.onceFrom);
    const { next } = db.prepare<[], { next: number }>(sql.onceNext).get() ?? { next: 0 };
    this.#slots = new Uint32Array(2 * sizeFor(next));
    this.catchUp();
  }

  /** Takes in what the database has beyond what is known: everything at open, a group whose fate was unknown later. */
  catchUp(): void {
    this.#row = undefined;
    for (const { first_seq, macs } of this.#from.iterate(this.#next)) this.#addRow(first_seq, macs);
  }

  /** The record of this id, if there is one, and whether its content was the same. */
  find(macs: Buffer, at: number): Seen | undefined {
    if (this.#pending.size > 0) {
      const pending = this.#pending.get(macs.toString('latin1', at, at + MAC_BYTES));
      if (pending !== undefined) {
        const same = macs.compare(pending.content, 0, MAC_BYTES, at + MAC_BYTES, at + ENTRY_BYTES) === 0;
        return { seq: pending.seq, sameContent: same };
      }
    }
    const fingerprint = macs.readUInt32LE(at);
    const mask = this.#slots.length / 2 - 1;
    for (let slot = fingerprint & mask; ; slot = (slot + 1) & mask) {
      const stored = this.#slots[2 * slot + 1]!;
      if (stored === EMPTY) return undefined;
      if (this.#slots[2 * slot] !== fingerprint) continue;
      const row = this.#entry(stored - 1);
      if (row === undefined) continue;
      const from = (stored - 1 - row.first_seq) * ENTRY_BYTES;
      if (row.macs.compare(macs, at, at + MAC_BYTES, from, from + MAC_BYTES) !== 0) continue;
      const sameContent =
        row.macs.compare(macs, at + MAC_BYTES, at + ENTRY_BYTES, from + MAC_BYTES, from + ENTRY_BYTES) === 0;
      return { seq: stored - 1, sameContent };
    }
  }

  #entry(seq: number): { first_seq: number; macs: Buffer } | undefined {
    const held = this.#row;
    if (
      held !== undefined &&
      seq >= held.first_seq &&
      seq < held.first_seq + held.macs.length / ENTRY_BYTES
    ) {
      return held;
    }
    const row = this.#at.get(seq);
    if (row === undefined || seq >= row.first_seq + row.macs.length / ENTRY_BYTES) return undefined;
    this.#row = row;
    return row;
  }

  /** Takes note of a record of the group under way. */
  hold(macs: Buffer, at: number, seq: number): void {
    const content = macs.subarray(at + MAC_BYTES, at + ENTRY_BYTES);
    this.#pending.set(macs.toString('latin1', at, at + MAC_BYTES), { seq, content });
  }

  release(macs: Buffer, at: number): void {
    this.#pending.delete(macs.toString('latin1', at, at + MAC_BYTES));
  }

  /** The group is durable: its rows count from now on. */
  committed(firstSeq: number, macs: Buffer): void {
    this.#pending.clear();
    this.#addRow(firstSeq, macs);
  }

  /** The group failed. */
  dropped(): void {
    this.#pending.clear();
  }

  #addRow(firstSeq: number, macs: Buffer): void {
    const count = macs.length / ENTRY_BYTES;
    if (2 * (this.#count + count) > this.#slots.length / 2) this.#grow(this.#count + count);
    for (let i = 0; i < count; i++) this.#put(macs.readUInt32LE(i * ENTRY_BYTES), firstSeq + i + 1);
    this.#count += count;
    this.#next = firstSeq + count;
  }

  #put(fingerprint: number, stored: number): void {
    const mask = this.#slots.length / 2 - 1;
    let slot = fingerprint & mask;
    while (this.#slots[2 * slot + 1] !== EMPTY) slot = (slot + 1) & mask;
    this.#slots[2 * slot] = fingerprint;
    this.#slots[2 * slot + 1] = stored;
  }

  #grow(total: number): void {
    const old = this.#slots;
    this.#slots = new Uint32Array(2 * sizeFor(total));
    for (let i = 0; i < old.length; i += 2) if (old[i + 1] !== EMPTY) this.#put(old[i]!, old[i + 1]!);
  }
}

/** A power of two at least four times the entries, so that growing is rare and chains are short. */
function sizeFor(entries: number): number {
  let size = 1 << 14;
  while (size < 3 * entries) size *= 2;
  return size;
}
