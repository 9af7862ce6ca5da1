/**
 * The input of a recorded decision, cut byte by byte out of its record's body without parsing it: impact decides a million.
 * Rules: it makes what rebuild.ts would, to the member, or nothing at all: whatever is not plain (a blob, a sealed value, a
 * member that is not there) is for rebuild.ts to judge. A body is JCS in UTF-8, as the ledger wrote and hashed it.
 */
import { utf8 } from '../../core/proof/bytes.ts';
import type { Reads } from './session_state.ts';

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN = 0x7b;
const CLOSE = 0x7d;

/** Index behind the string that begins at `at`; 0 where it has no end. */
function endOfString(bytes: Uint8Array, at: number): number {
  for (let i = at + 1; i < bytes.length; i++) {
    const byte = bytes[i];
    if (byte === QUOTE) return i + 1;
    if (byte === BACKSLASH) i += 1;
  }
  return 0;
}

/** Index behind the value that begins at `at`; 0 where it has no end. */
function endOf(bytes: Uint8Array, at: number): number {
  const first = bytes[at];
  if (first === QUOTE) return endOfString(bytes, at);
  const nested = first === OPEN || first === OPEN_LIST;
  let depth = 0;
  for (let i = at; i < bytes.length; i++) {
    const byte = bytes[i];
    if (byte === QUOTE) {
      i = endOfString(bytes, i) - 1;
      if (i < 0) return 0;
    } else if (byte === OPEN || byte === OPEN_LIST) {
      depth += 1;
    } else if (byte === CLOSE || byte === CLOSE_LIST) {
      if (!nested) return i;
      depth -= 1;
      if (depth === 0) return i + 1;
    } else if (byte === COMMA && !nested) {
      return i;
    }
  }
  return 0;
}

function startsWith(bytes: Uint8Array, at: number, wanted: Uint8Array): boolean {
  for (let n = 0; n < wanted.length; n++) if (bytes[at + n] !== wanted[n]) return false;
  return true;
}

/** Members of an object that are looked for, and where their values were found last. */
class Members {
  /** In order of their bytes, each with the end of its name. */
  readonly #names: Uint8Array[];
  /** By a name's first byte, ASCII: the first that begins so, or -1. */
  readonly #first = new Int8Array(128).fill(-1);
  readonly start: Int32Array;
  readonly end: Int32Array;
  readonly #inside: (Members | undefined)[];

  /** Names in order; `inside`: members to look for within that one. */
  constructor(names: readonly string[], inside: Record<string, Members> = {}) {
    this.#names = names.map(name => utf8(`${name}":`));
    this.#inside = names.map(name => inside[name]);
    for (let n = names.length - 1; n >= 0; n--) this.#first[this.#names[n]![0]!] = n;
    this.start = new Int32Array(names.length);
    this.end = new Int32Array(names.length);
  }

  #named(bytes: Uint8Array, at: number): number {
    const first = bytes[at]!;
    let n = this.#first[first & 127]!;
    if (n < 0) return -1;
    for (; n < this.#names.length && this.#names[n]![0] === first; n++)
      if (startsWith(bytes, at, this.#names[n]!)) return n;
    return -1;
  }

  /** Index behind the object that begins at `at`; 0 where there is none as JCS writes it. `start` is 0 where a member is not there. */
  find(bytes: Uint8Array, at: number): number {
    this.start.fill(0);
    if (bytes[at] !== OPEN) return 0;
    let i = at + 1;
    if (bytes[i] === CLOSE) return i + 1;
    for (;;) {
      const value = bytes[i] === QUOTE ? endOfString(bytes, i) + 1 : 1;
      if (value === 1 || bytes[value - 1] !== COLON) return 0;
      const member = this.#named(bytes, i + 1);
      const inside = member < 0 ? undefined : this.#inside[member];
      const behind = inside === undefined ? endOf(bytes, value) : inside.find(bytes, value);
      if (behind === 0) return 0;
      if (member >= 0) {
        this.start[member] = value;
        this.end[member] = behind;
      }
      if (bytes[behind] === CLOSE) return behind + 1;
      if (bytes[behind] !== COMMA) return 0;
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

const BLOB = utf8('{"$blob":');
/** By their place in WORDS (impact_thread_types.ts); the last stands for a decision that failed. */
const RESULTS = ['"allow"', '"approve"', '"deny"'].map(utf8);
const FAILED_WORD = RESULTS.length;

const TEXT = {
  action: utf8('{"action":'),
  actorId: utf8(',"actor":{"id":'),
  actorType: utf8(',"type":'),
  app: utf8('},"app_id":'),
  context: utf8(',"context":'),
  payload: utf8(',"payload":'),
  version: utf8(',"policy":{"version":'),
  risk: utf8('},"risk":'),
  session_id: utf8(',"session_id":'),
  now: utf8(',"now":'),
  session: utf8(',"session":'),
  close: utf8('}'),
  noId: utf8('""'),
  noContext: utf8('{}'),
  noRisk: utf8('"low"'),
};
/** Bytes that an input may have beyond its body's, the app's id not counted. */
export const CUT_ROOM = 256;
/** Below this, a loop is faster than a call. */
const SHORT = 32;

function copy(bytes: Uint8Array, to: number, start: number, end: number): number {
  if (end - start > SHORT) bytes.copyWithin(to, start, end);
  else for (let n = 0; n < end - start; n++) bytes[to + n] = bytes[start + n]!;
  return to + end - start;
}
function put(bytes: Uint8Array, to: number, text: Uint8Array): number {
  for (let n = 0; n < text.length; n++) bytes[to + n] = text[n]!;
  return to + text.length;
}

/** Where a recorded decision's word was found by its place in WORDS (impact_thread_types.ts). */
export type Cut = { word: number };

/**
 * Writes the input at `to`, before the body that lies from `at` to `end`, and answers the index behind it; 0: for rebuild.ts. The
 * word goes into `found`. `app`: JSON of the app's id. The room between must have the body's length, the app's and CUT_ROOM.
 * A body that holds `"$sealed"` must not be given.
 */
export function cutInput(
  bytes: Uint8Array,
  at: number,
  end: number,
  to: number,
  app: Uint8Array,
  reads: Reads,
  found: Cut,
): number {
  if (body.find(bytes, at) !== end) return 0;
  for (const member of NEEDED) if (body.start[member] === 0) return 0;
  const [payload, context] = [body.start[INPUT]!, body.start[CONTEXT]!];
  if (bytes[payload] !== OPEN || startsWith(bytes, payload, BLOB)) return 0;
  if (context > 0 && (bytes[context] !== OPEN || startsWith(bytes, context, BLOB))) return 0;
  if (decided.start[POLICY] === 0 || cited.start[0] === 0 || bytes[cited.start[0]!] === 0x30) return 0;
  if (decided.start[RESULT] === 0) return 0;
  if (reads.session && decided.start[SESSION] === 0) return 0;
  if (reads.now && decided.start[NOW] === 0) return 0;
  const result = RESULTS.findIndex(word => startsWith(bytes, decided.start[RESULT]!, word));
  if (result < 0) return 0;

  const value = (i: number, members: Members, member: number, otherwise: Uint8Array): number =>
    members.start[member] === 0
      ? put(bytes, i, otherwise)
      : copy(bytes, i, members.start[member]!, members.end[member]!);
  let i = value(put(bytes, to, TEXT.action), body, NAME, TEXT.noId);
  i = value(put(bytes, i, TEXT.actorId), body, ACTOR_ID, TEXT.noId);
  i = value(put(bytes, i, TEXT.actorType), body, ACTOR_TYPE, TEXT.noId);
  i = put(bytes, put(bytes, i, TEXT.app), app);
  i = value(put(bytes, i, TEXT.context), body, CONTEXT, TEXT.noContext);
  i = value(put(bytes, i, TEXT.payload), body, INPUT, TEXT.noContext);
  i = value(put(bytes, i, TEXT.version), cited, 0, TEXT.noId);
  i = value(put(bytes, i, TEXT.risk), body, RISK, TEXT.noRisk);
  i = value(put(bytes, i, TEXT.session_id), body, SESSION_ID, TEXT.noId);
  if (decided.start[NOW] !== 0) i = value(put(bytes, i, TEXT.now), decided, NOW, TEXT.noId);
  if (decided.start[SESSION] !== 0) i = value(put(bytes, i, TEXT.session), decided, SESSION, TEXT.noId);
  found.word = decided.start[FAILED] === 0 ? result : FAILED_WORD;
  return put(bytes, i, TEXT.close);
}
