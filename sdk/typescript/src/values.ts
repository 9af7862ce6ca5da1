/**
 * Copies of the host's values as JSON. Two ways, never mixed up:
 * - `recorded` never throws and never calls the value JSON when it is not: what has no JSON form becomes a
 *   placeholder in brackets, and what is too large is cut and says so. The result passes the strict I-JSON rules of
 *   docs/spec/event.md, whatever the host put in.
 * - `exactCopy` throws on anything that is not plain JSON: it is the copy that a policy sees, a person approves and
 *   the function then gets.
 */
import { isPlain, JcsError, type JsonObject, type JsonValue, jcs, pointer } from '../../../core/proof/jcs.ts';

/** An event may be 64 deep, itself included; a value stands at most 4 below it. */
const MAX_DEPTH = 58;
/** Of one call's arguments. A graph with shared parts can unfold without end. */
const MAX_VALUES = 100_000;
const LONE_SURROGATE = /[\ud800-\udfff]/gu;

const wellFormed = (text: string): string => text.replace(LONE_SURROGATE, '\ufffd');

type Mutable = { [name: string]: JsonValue };
/** What is left of the value's bytes, roughly, and the objects on the way to here. */
type Walk = { left: number; readonly above: object[] };

/** A JSON copy of any value, about `maxBytes` at most; undefined only for undefined. Never throws. */
export function recorded(value: unknown, maxBytes: number): JsonValue | undefined {
  if (value === undefined) return undefined;
  try {
    return copy(value, { left: maxBytes, above: [] });
  } catch (error) {
    return `[unreadable: ${wellFormed(error instanceof Error ? error.name : typeof error)}]`;
  }
}

function text(value: string, walk: Walk): string {
  if (value.length <= walk.left) {
    const whole = wellFormed(value);
    const bytes = Buffer.byteLength(whole);
    if (bytes <= walk.left) {
      walk.left -= bytes + 3;
      return whole;
    }
  }
  // UTF-8 needs at most 3 bytes per UTF-16 unit.
  const kept = value.slice(0, Math.max(0, Math.floor(walk.left / 3)));
  walk.left = 0;
  return `${wellFormed(kept)}[cut: ${value.length - kept.length} more characters]`;
}

function copy(value: unknown, walk: Walk): JsonValue {
  switch (typeof value) {
    case 'string':
      return text(value, walk);
    case 'number':
      walk.left -= 8;
      // What a double cannot say exactly goes as text, like NaN and the infinities.
      return Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value))
        ? value
        : String(value);
    case 'boolean':
      walk.left -= 5;
      return value;
    case 'bigint':
      return text(String(value), walk);
    case 'undefined':
      walk.left -= 5;
      return null;
    case 'function':
      return text(`[function ${value.name || 'anonymous'}]`, walk);
    case 'symbol':
      return text(`[${String(value)}]`, walk);
    default:
      walk.left -= 5;
      if (value === null) return null;
      return copyObject(value as object, walk);
  }
}

function copyObject(value: object, walk: Walk): JsonValue {
  if (walk.above.includes(value)) return '[circular]';
  if (walk.above.length >= MAX_DEPTH) return `[deeper than ${MAX_DEPTH}]`;
  if (walk.left <= 0) return '[cut: no room]';
  walk.above.push(value);
  try {
    if (Array.isArray(value)) return copyItems(value, value.length, walk);
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? '[invalid date]' : value.toISOString();
    if (value instanceof Error)
      return copyMembers(
        value,
        [
          ['name', value.name],
          ['message', value.message],
        ],
        walk,
      );
    if (value instanceof Map) return copyItems(value, value.size, walk);
    if (value instanceof Set) return copyItems(value, value.size, walk);
    if (ArrayBuffer.isView(value)) return `[${value.constructor.name}: ${value.byteLength} bytes]`;
    if (value instanceof ArrayBuffer) return `[ArrayBuffer: ${value.byteLength} bytes]`;
    if (
      value instanceof Promise ||
      value instanceof WeakMap ||
      value instanceof WeakSet ||
      value instanceof RegExp
    )
      return text(`[${value instanceof RegExp ? String(value) : value.constructor.name}]`, walk);
    const { toJSON } = value as { toJSON?: unknown };
    if (typeof toJSON === 'function') {
      const made: unknown = toJSON.call(value);
      if (made !== value) return copy(made, walk);
    }
    return copyMembers(value, [], walk);
  } finally {
    walk.above.pop();
  }
}

function copyItems(items: Iterable<unknown>, count: number, walk: Walk): JsonValue {
  const list: JsonValue[] = [];
  for (const item of items) {
    if (walk.left <= 0) {
      list.push(`[cut: ${count - list.length} more items]`);
      break;
    }
    list.push(copy(item, walk));
  }
  return list;
}

function copyMembers(value: object, first: [string, unknown][], walk: Walk): JsonObject {
  const object: Mutable = {};
  const put = (key: string, member: unknown): void => {
    let name = wellFormed(key.length > 1024 ? `${key.slice(0, 1024)}[cut]` : key);
    // `$` belongs to the ledger's own forms ($blob, $sealed).
    while (name.startsWith('$') || Object.hasOwn(object, name)) name = `_${name}`;
    walk.left -= name.length + 3;
    const made = copy(member, walk);
    // Assignment to __proto__ would set the prototype instead of a member.
    Object.defineProperty(object, name, {
      value: made,
      writable: true,
      enumerable: true,
      configurable: true,
    });
  };
  for (const [key, member] of first) put(key, member);
  const names = Object.keys(value);
  for (let i = 0; i < names.length; i++) {
    if (walk.left <= 0) {
      put('[cut]', `${names.length - i} more members`);
      break;
    }
    const name = names[i]!;
    let member: unknown;
    try {
      member = (value as Record<string, unknown>)[name];
    } catch (error) {
      member = `[unreadable: ${error instanceof Error ? error.name : typeof error}]`;
    }
    if (member !== undefined) put(name, member);
  }
  return object;
}

/** Something that is not plain JSON; `where` is a JSON Pointer. */
export class NotJson extends Error {
  override name = 'NotJson';
  readonly where: string;
  constructor(reason: string, where: string) {
    super(`${reason} at ${where === '' ? 'the top' : where}`);
    this.where = where;
  }
}

/**
 * A deep copy that equals the value and shares nothing with it. Each member is read once. Throws NotJson on what JSON
 * would drop, round or convert (undefined, -0 apart), on `$` keys, and on what is deeper than an event may be.
 */
export function exactCopy<T extends JsonValue>(value: unknown): T {
  const path: (string | number)[] = [];
  let count = 0;
  const read = (item: unknown): JsonValue => {
    if (++count > MAX_VALUES) throw new NotJson(`more than ${MAX_VALUES} values`, pointer(path));
    if (typeof item === 'number' && Number.isInteger(item) && !Number.isSafeInteger(item))
      throw new NotJson('an integer beyond 2^53-1', pointer(path));
    if (typeof item !== 'object' || item === null) {
      try {
        return JSON.parse(jcs(item)) as JsonValue;
      } catch (error) {
        throw new NotJson(
          error instanceof JcsError ? error.message.replace(/ at .*$/, '') : String(error),
          pointer(path),
        );
      }
    }
    if (path.length >= MAX_DEPTH) throw new NotJson(`deeper than ${MAX_DEPTH}`, pointer(path));
    const names = Reflect.ownKeys(item);
    if (Array.isArray(item)) {
      // 'length' is an own key too: any other than the indices would be lost.
      if (names.length !== item.length + 1)
        throw new NotJson('an array with holes or members', pointer(path));
      const list: JsonValue[] = [];
      for (let i = 0; i < item.length; i++) {
        path.push(i);
        list.push(read(item[i]));
        path.pop();
      }
      return list;
    }
    if (!isPlain(item)) throw new NotJson('not a plain object', pointer(path));
    const object: Mutable = {};
    for (const name of names) {
      if (typeof name === 'symbol') throw new NotJson('a member named by a symbol', pointer(path));
      path.push(name);
      if (name.startsWith('$')) throw new NotJson('a key that starts with $', pointer(path));
      if (/[\ud800-\udfff]/u.test(name))
        throw new NotJson('half of a surrogate pair in a key', pointer(path));
      if (!Object.prototype.propertyIsEnumerable.call(item, name))
        throw new NotJson('a hidden member', pointer(path));
      const made = read((item as Record<string, unknown>)[name]);
      Object.defineProperty(object, name, {
        value: made,
        writable: true,
        enumerable: true,
        configurable: true,
      });
      path.pop();
    }
    return object;
  };
  return read(value) as T;
}

/** The text, or as much of it as has at most `bytes` UTF-8 bytes. */
export function clip(value: string, bytes = 256): string {
  const whole = wellFormed(value);
  if (Buffer.byteLength(whole) <= bytes) return whole;
  let kept = whole.slice(0, bytes);
  while (Buffer.byteLength(kept) > bytes) kept = kept.slice(0, -1);
  return kept.replace(LONE_SURROGATE, '');
}

/** `String(value)` of anything, also of what has no text. */
export function textOf(value: unknown): string {
  try {
    return String(value);
  } catch {
    return `[${typeof value}]`;
  }
}
