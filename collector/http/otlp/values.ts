/**
 * OTLP values as JSON that a record can keep (FORMATS, Event, OTLP): int64 beyond 2^53-1, NaN and infinities become
 * strings, bytes base64, `$`-keys get `_` in front, of equal attributes the last wins, half surrogates U+FFFD.
 * Reads both encodings: protobuf messages as protobufjs decodes them, and OTLP's JSON.
 */
import { TrailmixError } from '../../../core/api/errors.ts';
import { parseIJson } from '../../../core/event/ijson.ts';
import { utf8 } from '../../../core/proof/bytes.ts';
import type { JsonObject, JsonValue } from '../../../core/proof/jcs.ts';

/** Deeper values are kept as their JSON text: an event has 64 levels and ours come first. */
const VALUE_DEPTH = 32;

export type Attributes = Map<string, JsonValue>;
type Loose = { readonly [member: string]: unknown };

export const invalid = (where: string, message: string): TrailmixError =>
  new TrailmixError('otlp_invalid', { where, message: `${where}: ${message}` });

/** A message: an object, or nothing at all. */
export function messageAt(value: unknown, where: string): Loose {
  if (value === undefined || value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value)) throw invalid(where, 'must be an object');
  return value as Loose;
}

export function listAt(value: unknown, where: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw invalid(where, 'must be an array');
  return value;
}

export function textAt(value: unknown, where: string): string {
  if (value === undefined || value === null) return '';
  if (typeof value !== 'string') throw invalid(where, 'must be a string');
  return value.toWellFormed();
}

/** A 64-bit integer: Long of protobufjs, decimal text or a JSON number. */
export function integerAt(value: unknown, where: string): bigint {
  if (value === undefined || value === null) return 0n;
  if (typeof value === 'number' && Number.isInteger(value)) return BigInt(value);
  if (typeof value === 'string' && /^-?\d{1,20}$/.test(value)) return BigInt(value);
  if (typeof value === 'object' && 'low' in value && 'high' in value) return BigInt(String(value));
  throw invalid(where, 'must be an integer');
}

const NONE = /^0*$/;

/** An id of `bytes` bytes as lowercase hex; '' when absent or all zero; undefined when it has another length. */
export function idAt(value: unknown, bytes: number, where: string): string | undefined {
  // protobufjs gives an empty list for bytes that were not sent.
  if (value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0))
    return '';
  let text: string;
  if (value instanceof Uint8Array) text = Buffer.from(value).toString('hex');
  else if (typeof value === 'string') text = value.toLowerCase();
  else throw invalid(where, 'must be an id');
  if (NONE.test(text)) return '';
  return text.length === bytes * 2 && /^[0-9a-f]+$/.test(text) ? text : undefined;
}

const safeInteger = (value: bigint): JsonValue =>
  value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)
    ? Number(value)
    : value.toString();

const double = (value: unknown, where: string): JsonValue => {
  if (typeof value === 'string' && /^(NaN|-?Infinity)$/.test(value)) return value;
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof number !== 'number') throw invalid(where, 'must be a number');
  if (!Number.isFinite(number)) return String(number);
  return Number.isInteger(number) && !Number.isSafeInteger(number) ? String(number) : number;
};

/** An AnyValue. An empty one is null. */
export function anyValue(value: unknown, where: string): JsonValue {
  const any = messageAt(value, where);
  // protobufjs keeps the defaults of what was not sent on the prototype.
  const has = (name: string): boolean =>
    Object.hasOwn(any, name) && any[name] !== undefined && any[name] !== null;
  if (has('stringValue')) return textAt(any.stringValue, where);
  if (has('boolValue')) {
    if (typeof any.boolValue !== 'boolean') throw invalid(where, 'must be a boolean');
    return any.boolValue;
  }
  if (has('intValue')) return safeInteger(integerAt(any.intValue, where));
  if (has('doubleValue')) return double(any.doubleValue, where);
  if (has('bytesValue')) {
    if (any.bytesValue instanceof Uint8Array) return Buffer.from(any.bytesValue).toString('base64');
    return textAt(any.bytesValue, where);
  }
  if (has('arrayValue')) {
    const items = listAt(messageAt(any.arrayValue, where).values, where);
    return items.map((item, index) => anyValue(item, `${where}/${index}`));
  }
  if (has('kvlistValue')) {
    const pairs = attributesAt(messageAt(any.kvlistValue, where).values, where);
    return Object.fromEntries([...pairs].map(([key, member]) => [plainKey(key), member]));
  }
  return null;
}

export const plainKey = (key: string): string => (key.startsWith('$') ? `_${key}` : key);

/** A KeyValue list, in order of first appearance. */
export function attributesAt(value: unknown, where: string): Attributes {
  const found: Attributes = new Map();
  listAt(value, where).forEach((entry, index) => {
    const at = `${where}/${index}`;
    const pair = messageAt(entry, at);
    found.set(textAt(pair.key, `${at}/key`), anyValue(pair.value, `${at}/value`));
  });
  return found;
}

/** The same value with plain keys everywhere, and what is too deep as JSON text. */
export function plain(value: JsonValue, depth = 0): JsonValue {
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= VALUE_DEPTH) return JSON.stringify(value);
  if (Array.isArray(value)) return value.map(item => plain(item as JsonValue, depth + 1));
  return Object.fromEntries(
    Object.entries(value as JsonObject).map(([key, member]) => [plainKey(key), plain(member, depth + 1)]),
  );
}

/** JSON in a string attribute as the value it holds; any other string as it is. */
export function unpacked(value: JsonValue): JsonValue {
  if (typeof value !== 'string' || !/^\s*[[{]/.test(value)) return plain(value);
  try {
    return plain(parseIJson(utf8(value)));
  } catch {
    return value;
  }
}

/** `YYYY-MM-DDTHH:MM:SS.nnnnnnnnnZ` of nanoseconds since 1970; undefined for 0 and for years beyond 9999. */
export function timeOf(nanos: bigint): string | undefined {
  if (nanos <= 0n) return undefined;
  const seconds = nanos / 1_000_000_000n;
  if (seconds > 253_402_300_799n) return undefined;
  const date = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  return `${date}.${String(nanos % 1_000_000_000n).padStart(9, '0')}Z`;
}
