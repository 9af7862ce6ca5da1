/**
 * The input of a recorded decision, cut byte by byte out of its record's body without parsing it: impact decides a million.
 * Rules: it makes what rebuild.ts would, to the member, or nothing at all: whatever is not plain (a blob, a sealed value, a
 * member that is not there) is for rebuild.ts to judge. A body is JCS in UTF-8, as the ledger wrote and hashed it. Four bytes
 * are looked at, compared and copied at once, and up to 3 behind what is meant are read and written: the room must allow it.
 */
import { utf8 } from '../../core/proof/bytes.ts';
import type { Reads } from './session_state.ts';

const QUOTE = 0x22;
const DOLLAR = 0x24;
const COMMA = 0x2c;
const COLON = 0x3a;
const ZERO = 0x30;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN = 0x7b;
const CLOSE = 0x7d;

/** Four of the same byte; `$sea` and `led"`, as a little-endian word. */
const QUOTES = 0x22222222;
const BACKSLASHES = 0x5c5c5c5c;
const ONES = 0x01010101;
const HIGH_BITS = 0x80808080;
const SEALED = [0x61657324, 0x2264656c] as const;
/** No search goes nearer to the end of the memory: what is found has so much behind it that it can be looked at without asking. */
const BEHIND = 32;

/** A text by words of four bytes, little-endian; the last is filled up with zeros. */
class Words {
  readonly length: number;
  readonly words: Int32Array;
  /** Bits of the last word that count. */
  readonly last: number;
  constructor(text: Uint8Array) {
    this.length = text.length;
    const filled = new Uint8Array(Math.ceil(text.length / 4) * 4);
    filled.set(text);
    const view = new DataView(filled.buffer);
    this.words = Int32Array.from({ length: filled.length / 4 }, (_, n) => view.getInt32(n * 4, true));
    const beyond = filled.length - text.length;
    this.last = beyond === 0 ? -1 : (1 << ((4 - beyond) * 8)) - 1;
  }
}
const text = (written: string): Words => new Words(utf8(written));
const NONE = text('');

/**
 * Index behind the string that begins at `at`; 0 where it has no end, or where `"$sealed"` may stand in it: as the whole of it, or
 * behind an escaped quote.
 */
function endOfString(view: DataView, at: number): number {
  const last = view.byteLength - BEHIND;
  let i = at + 1;
  if (i > last) return 0;
  if (view.getInt32(i, true) === SEALED[0] && view.getInt32(i + 4, true) === SEALED[1]) return 0;
  while (i <= last) {
    const word = view.getInt32(i, true);
    // A byte that is zero, here one that was what is looked for, is where the borrow sets its high bit; the lowest such is exact.
    const quotes = word ^ QUOTES;
    const backslashes = word ^ BACKSLASHES;
    const found = (((quotes - ONES) & ~quotes) | ((backslashes - ONES) & ~backslashes)) & HIGH_BITS;
    if (found === 0) {
      i += 4;
      continue;
    }
    i += (31 - Math.clz32(found & -found)) >> 3;
    if (view.getUint8(i) === QUOTE) return i + 1;
    if (view.getUint8(i + 1) === QUOTE && view.getUint8(i + 2) === DOLLAR) return 0;
    i += 2;
  }
  return 0;
}

/** Index behind the object or list that begins at `at`; 0 where it has no end. */
function endOfNested(view: DataView, at: number): number {
  let depth = 0;
  const last = view.byteLength - BEHIND;
  for (let i = at; i <= last; ) {
    const byte = view.getUint8(i);
    if (byte === QUOTE) {
      i = endOfString(view, i);
      if (i === 0) return 0;
      continue;
    }
    if (byte === OPEN || byte === OPEN_LIST) depth += 1;
    else if ((byte === CLOSE || byte === CLOSE_LIST) && --depth === 0) return i + 1;
    i += 1;
  }
  return 0;
}

/** Index behind the value that begins at `at`; 0 where it has no end. */
function endOf(view: DataView, at: number): number {
  const first = view.getUint8(at);
  if (first === QUOTE) return endOfString(view, at);
  if (first === OPEN || first === OPEN_LIST) return endOfNested(view, at);
  const last = view.byteLength - BEHIND;
  for (let i = at; i <= last; i++) {
    const byte = view.getUint8(i);
    if (byte === COMMA || byte === CLOSE) return i;
  }
  return 0;
}

function startsWith(view: DataView, at: number, { words, last }: Words): boolean {
  const end = words.length - 1;
  for (let n = 0; n < end; n++) if (view.getInt32(at + n * 4, true) !== words[n]) return false;
  return (view.getInt32(at + end * 4, true) & last) === words[end];
}

/** Members of an object that are looked for, and where their values were found last. */
class Members {
  /** In order of their bytes, each with the end of its name. */
  readonly #names: Words[];
  /** By a name's first byte, ASCII: the first that begins so, or -1. */
  readonly #first = new Int8Array(128).fill(-1);
  readonly #firsts: Uint8Array;
  readonly start: Int32Array;
  readonly end: Int32Array;
  readonly #inside: (Members | undefined)[];

  /** Names in order; `inside`: members to look for within that one. */
  constructor(names: readonly string[], inside: Record<string, Members> = {}) {
    this.#names = names.map(name => text(`${name}":`));
    this.#firsts = Uint8Array.from(names, name => name.charCodeAt(0));
    this.#inside = names.map(name => inside[name]);
    for (let n = names.length - 1; n >= 0; n--) this.#first[this.#firsts[n]!] = n;
    this.start = new Int32Array(names.length);
    this.end = new Int32Array(names.length);
  }

  /** Which name stands at `at`, or -1. */
  #named(view: DataView, at: number): number {
    const first = view.getUint8(at);
    let n = this.#first[first & 127]!;
    if (n < 0) return -1;
    for (; n < this.#firsts.length && this.#firsts[n] === first; n++)
      if (startsWith(view, at, this.#names[n]!)) return n;
    return -1;
  }

  /** Index behind the object that begins at `at`; 0 where there is none as JCS writes it. `start` is 0 where a member is not there. */
  find(view: DataView, at: number): number {
    for (let n = 0; n < this.start.length; n++) this.start[n] = 0;
    if (view.getUint8(at) !== OPEN) return 0;
    let i = at + 1;
    if (view.getUint8(i) === CLOSE) return i + 1;
    for (;;) {
      if (view.getUint8(i) !== QUOTE) return 0;
      const member = this.#named(view, i + 1);
      let value: number;
      if (member < 0) {
        value = endOfString(view, i) + 1;
        if (value === 1 || view.getUint8(value - 1) !== COLON) return 0;
      } else value = i + 1 + this.#names[member]!.length;
      const inside = member < 0 ? undefined : this.#inside[member];
      const behind = inside === undefined ? endOf(view, value) : inside.find(view, value);
      if (behind === 0) return 0;
      if (member >= 0) {
        this.start[member] = value;
        this.end[member] = behind;
      }
      const next = view.getUint8(behind);
      if (next === CLOSE) return behind + 1;
      if (next !== COMMA) return 0;
      i = behind + 1;
    }
  }
}

const cited = new Members(['version']);
const decided = new Members(['failed', 'now', 'policy', 'result', 'session'], { policy: cited });
const [FAILED, NOW, POLICY, RESULT, SESSION] = [0, 1, 2, 3, 4] as const;
const body = new Members(
  ['actor_id', 'actor_type', 'context', 'decision', 'input', 'name', 'risk', 'session_id'],
  { decision: decided },
);
const [ACTOR_ID, ACTOR_TYPE, CONTEXT, DECISION, INPUT, NAME, RISK, SESSION_ID] = [
  0, 1, 2, 3, 4, 5, 6, 7,
] as const;
const NEEDED = [ACTOR_TYPE, DECISION, INPUT, NAME, SESSION_ID] as const;

const BLOB = text('{"$blob":');
/** By their place in WORDS (impact_thread_types.ts); the last stands for a decision that failed. */
const RESULTS = [text('"allow"'), text('"approve"'), text('"deny"')] as const;
const FAILED_WORD = RESULTS.length;

const TEXT = {
  action: text('{"action":'),
  actorId: text(',"actor":{"id":'),
  actorType: text(',"type":'),
  app: text('},"app_id":'),
  context: text(',"context":'),
  payload: text(',"payload":'),
  version: text(',"policy":{"version":'),
  risk: text('},"risk":'),
  session_id: text(',"session_id":'),
  now: text(',"now":'),
  session: text(',"session":'),
  close: text('}'),
  noId: text('""'),
  noContext: text('{}'),
  noRisk: text('"low"'),
};
/** Bytes that an input may have beyond its body's, the app's id not counted; as many must lie behind the body. */
export const CUT_ROOM = 256;
/** Below this, a loop is faster than a call. */
const SHORT = 128;

/** Where a recorded decision's word was found by its place in WORDS (impact_thread_types.ts). */
export type Cut = { word: number };

/** The memory that was looked at last. */
let bytes: Uint8Array = new Uint8Array(0);
let view: DataView = new DataView(bytes.buffer);

function copy(to: number, start: number, end: number): number {
  if (end - start > SHORT) bytes.copyWithin(to, start, end);
  else for (let n = 0; n < end - start; n += 4) view.setInt32(to + n, view.getInt32(start + n, true), true);
  return to + end - start;
}
function put(to: number, { words, length }: Words): number {
  for (let n = 0; n < words.length; n++) view.setInt32(to + n * 4, words[n]!, true);
  return to + length;
}
const value = (to: number, members: Members, member: number, otherwise: Words): number =>
  members.start[member] === 0 ? put(to, otherwise) : copy(to, members.start[member]!, members.end[member]!);

const isBlob = (at: number): boolean => startsWith(view, at, BLOB);
const resultAt = (at: number): number => RESULTS.findIndex(word => startsWith(view, at, word));

/** JSON of an app's id, as `cutInput` takes it. */
export const appText = (id: string): Words => text(JSON.stringify(id));

/**
 * Writes the input at `to`, before the body that lies from `at` to `end`, and answers the index behind it; 0: for rebuild.ts. The
 * word goes into `found`. The room between must have the body's length, the app's and CUT_ROOM; behind the body, CUT_ROOM.
 */
export function cutInput(
  memory: Uint8Array,
  at: number,
  end: number,
  to: number,
  app: Words,
  reads: Reads,
  found: Cut,
): number {
  if (bytes !== memory) {
    bytes = memory;
    view = new DataView(memory.buffer, memory.byteOffset, memory.byteLength);
  }
  if (body.find(view, at) !== end) return 0;
  for (let n = 0; n < NEEDED.length; n++) if (body.start[NEEDED[n]!] === 0) return 0;
  const payload = body.start[INPUT]!;
  const context = body.start[CONTEXT]!;
  if (view.getUint8(payload) !== OPEN || isBlob(payload)) return 0;
  if (context > 0 && (view.getUint8(context) !== OPEN || isBlob(context))) return 0;
  if (decided.start[POLICY] === 0 || cited.start[0] === 0 || view.getUint8(cited.start[0]!) === ZERO)
    return 0;
  if (decided.start[RESULT] === 0) return 0;
  if (reads.session && decided.start[SESSION] === 0) return 0;
  if (reads.now && decided.start[NOW] === 0) return 0;
  const result = resultAt(decided.start[RESULT]!);
  if (result < 0) return 0;

  let i = value(put(to, TEXT.action), body, NAME, NONE);
  i = value(put(i, TEXT.actorId), body, ACTOR_ID, TEXT.noId);
  i = value(put(i, TEXT.actorType), body, ACTOR_TYPE, NONE);
  i = put(put(i, TEXT.app), app);
  i = value(put(i, TEXT.context), body, CONTEXT, TEXT.noContext);
  i = value(put(i, TEXT.payload), body, INPUT, NONE);
  i = value(put(i, TEXT.version), cited, 0, NONE);
  i = value(put(i, TEXT.risk), body, RISK, TEXT.noRisk);
  i = value(put(i, TEXT.session_id), body, SESSION_ID, NONE);
  if (decided.start[NOW] !== 0) i = value(put(i, TEXT.now), decided, NOW, NONE);
  if (decided.start[SESSION] !== 0) i = value(put(i, TEXT.session), decided, SESSION, NONE);
  found.word = decided.start[FAILED] === 0 ? result : FAILED_WORD;
  return put(i, TEXT.close);
}
