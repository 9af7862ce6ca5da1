/**
 * JSON Canonicalization Scheme, RFC 8785: the one text of a JSON value that is hashed and signed.
 * Rules: members sorted by UTF-16 code unit, numbers and strings as ECMAScript writes them, no white space.
 * What is not I-JSON (lone surrogate, NaN, Infinity, undefined, function, symbol, bigint, class instance, array
 * hole, depth beyond MAX_DEPTH) throws `JcsError` with a JSON Pointer: nothing is dropped or converted silently.
 */

export type JsonPrimitive = string | number | boolean | null;
export type JsonArray = readonly JsonValue[];
export interface JsonObject {
  readonly [name: string]: JsonValue;
}
export type JsonValue = JsonPrimitive | JsonArray | JsonObject;

/** Deeper values are refused instead of exhausting the stack. Events are held to 64 at the door. */
export const MAX_DEPTH = 512;

export class JcsError extends Error {
  override name = 'JcsError';
  /** JSON Pointer (RFC 6901) to the offending value; '' is the value itself. */
  readonly where: string;
  constructor(reason: string, where: string) {
    super(`${reason} at ${where === '' ? 'the top' : where}`);
    this.where = where;
  }
}

/** RFC 8785 text of a value. Reads own enumerable string-keyed members only; never calls toJSON. */
export function jcs(value: unknown): string {
  try {
    return write(value, 0);
  } catch (error) {
    throw error instanceof Fault ? new JcsError(error.message, pointer(error.path.reverse())) : error;
  }
}

/** A string as JCS writes it, quotes included. Throws JcsError on a lone surrogate. */
export function jcsString(text: string): string {
  try {
    return quote(text);
  } catch (error) {
    throw error instanceof Fault ? new JcsError(error.message, '') : error;
  }
}

/**
 * JSON Pointer (RFC 6901) from its reference tokens. A token beyond 256 characters is cut and ends in an ellipsis:
 * it is there to be read in an error, and must not carry a payload into it.
 */
export function pointer(tokens: readonly (string | number)[]): string {
  let text = '';
  for (const token of tokens) {
    const name = String(token);
    const shown = name.length > 256 ? `${name.slice(0, 255)}…` : name;
    text += `/${shown.replaceAll('~', '~0').replaceAll('/', '~1')}`;
  }
  return text;
}

/** On its way up to `jcs`, collecting where it came from, innermost first: values without fault pay nothing. */
class Fault extends Error {
  readonly path: (string | number)[] = [];
}

/** Rethrows with one step more of the path. */
function at(step: string | number, error: unknown): never {
  if (error instanceof Fault) error.path.push(step);
  throw error;
}

/** Anything but what stands for itself between quotes: escapes, controls and every surrogate. */
const ESCAPED = /[^\u0020\u0021\u0023-\u005b\u005d-\ud7ff\ue000-\uffff]/;
/** With the u flag a surrogate class matches only surrogates outside pairs. */
const LONE_SURROGATE = /[\ud800-\udfff]/u;

function quote(text: string): string {
  if (!ESCAPED.test(text)) return `"${text}"`;
  if (LONE_SURROGATE.test(text)) throw new Fault('lone surrogate');
  return JSON.stringify(text);
}

/** Member names repeat, so their quoted forms are kept: at most NAMES of up to NAME_LENGTH units. */
const NAMES = 1024;
const NAME_LENGTH = 64;
const quotedNames = new Map<string, string>();

function quoteName(name: string): string {
  const known = quotedNames.get(name);
  if (known !== undefined) return known;
  const quoted = quote(name);
  if (quotedNames.size < NAMES && name.length <= NAME_LENGTH) quotedNames.set(name, quoted);
  return quoted;
}

function write(value: unknown, depth: number): string {
  switch (typeof value) {
    case 'string':
      return quote(value);
    case 'number':
      if (value - value !== 0) throw new Fault('number is not finite');
      return `${value}`;
    case 'boolean':
      return value ? 'true' : 'false';
    case 'object':
      if (value === null) return 'null';
      if (depth >= MAX_DEPTH) throw new Fault(`deeper than ${MAX_DEPTH}`);
      return Array.isArray(value) ? writeArray(value, depth) : writeObject(value as JsonObject, depth);
    default:
      throw new Fault(`${typeof value} is not JSON`);
  }
}

function writeArray(items: readonly unknown[], depth: number): string {
  if (items.length === 0) return '[]';
  let text = '[';
  for (let i = 0; i < items.length; i++) {
    try {
      text += (i === 0 ? '' : ',') + write(items[i], depth + 1);
    } catch (error) {
      at(i, error);
    }
  }
  return `${text}]`;
}

function writeObject(object: JsonObject, depth: number): string {
  if (!isPlain(object)) throw new Fault('not a plain object');
  const names = Object.keys(object);
  for (let i = 1; i < names.length; i++) {
    if (names[i - 1]! > names[i]!) {
      names.sort();
      break;
    }
  }
  let text = '{';
  for (let i = 0; i < names.length; i++) {
    const name = names[i]!;
    try {
      text += `${(i === 0 ? '' : ',') + quoteName(name)}:${write(object[name], depth + 1)}`;
    } catch (error) {
      at(name, error);
    }
  }
  return `${text}}`;
}

/** Made by `{}`, `JSON.parse`, `Object.create(null)` or one of these in another realm (a worker, a vm, a frame). */
export function isPlain(object: object): boolean {
  const prototype = Object.getPrototypeOf(object) as object | null;
  return prototype === Object.prototype || prototype === null || Object.getPrototypeOf(prototype) === null;
}
