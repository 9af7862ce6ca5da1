/**
 * Strict I-JSON (RFC 7493 and docs/spec/event.md): bytes to a value, or one error that names code and place.
 * Rules: nothing is repaired, replaced or dropped; a value that comes out has the same JCS text for every reader.
 * Parses by hand: JSON.parse keeps the last of two equal keys and rounds numbers without a word.
 */
import { TrailmixError } from '../api/errors.ts';
import { fromUtf8, utf8Length } from '../proof/bytes.ts';
import { type JsonValue, pointer } from '../proof/jcs.ts';

export type JsonCode =
  | 'json_invalid'
  | 'json_utf8'
  | 'json_bom'
  | 'json_duplicate_key'
  | 'json_surrogate'
  | 'json_depth'
  | 'json_number';

/** A refused text. `where` is a JSON Pointer to the value (or member) that is at fault. */
export class IJsonError extends TrailmixError {
  /** Byte offset in the text. */
  readonly offset: number;
  constructor(code: JsonCode, where: string, offset: number, message: string) {
    super(code, { where, message: `${message} (byte ${offset})` });
    this.offset = offset;
  }
}

export interface IJsonLimits {
  /** Deepest nesting of arrays and objects; the outermost one is 1. Default 64, an event's own. */
  readonly maxDepth?: number;
  /**
   * For a batch: objects directly inside `{"events": [...]}` count as depth 1, so two levels more are allowed, but
   * only there.
   */
  readonly batch?: boolean;
  /** A number that a double cannot keep becomes its own text instead of an error: OTLP's JSON has such numbers. */
  readonly largeNumbers?: 'text';
}

export const EVENT_DEPTH = 64;

/** Value of a JSON text in UTF-8. Throws IJsonError. Objects have Object.prototype; `__proto__` is a plain member. */
export function parseIJson(bytes: Uint8Array, limits: IJsonLimits = {}): JsonValue {
  let text: string;
  try {
    text = fromUtf8(bytes);
  } catch {
    throw utf8Error(bytes, limits);
  }
  if (text.charCodeAt(0) === 0xfeff) throw new IJsonError('json_bom', '', 0, 'a byte order mark');
  return new Parser(text, limits).parse();
}

/** Places the first invalid sequence, unless something is wrong before it: the pointer is where a parser stood. */
function utf8Error(bytes: Uint8Array, limits: IJsonLimits): IJsonError {
  const offset = invalidUtf8At(bytes);
  let where = '';
  try {
    new Parser(fromUtf8(bytes.subarray(0, offset)), limits).parse();
  } catch (error) {
    if (!(error instanceof IJsonError)) throw error;
    if (error.offset < offset) return error;
    where = error.where ?? '';
  }
  return new IJsonError('json_utf8', where, offset, 'not valid UTF-8');
}

/** Offset of the first byte that begins no character (The Unicode Standard, table 3-7); the length if all do. */
function invalidUtf8At(bytes: Uint8Array): number {
  let at = 0;
  while (at < bytes.length) {
    const lead = bytes[at]!;
    if (lead < 0x80) {
      at++;
      continue;
    }
    const more = lead < 0xc2 || lead > 0xf4 ? 0 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
    const least = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
    const most = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
    const second = bytes[at + 1] ?? 0;
    if (more === 0 || second < least || second > most) return at;
    for (let i = 2; i <= more; i++) if (((bytes[at + i] ?? 0) & 0xc0) !== 0x80) return at;
    at += more + 1;
  }
  return at;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;

class Parser {
  readonly #text: string;
  readonly #maxDepth: number;
  readonly #batch: boolean;
  readonly #largeAsText: boolean;
  #at = 0;
  #depth = 0;
  /** Keys and indices on the way to here; only errors read it. */
  readonly #path: (string | number)[] = [];

  constructor(text: string, limits: IJsonLimits) {
    this.#text = text;
    this.#maxDepth = limits.maxDepth ?? EVENT_DEPTH;
    this.#batch = limits.batch ?? false;
    this.#largeAsText = limits.largeNumbers === 'text';
  }

  parse(): JsonValue {
    const value = this.#value();
    this.#space();
    if (this.#at < this.#text.length)
      throw this.#fail('json_invalid', this.#at, 'something after the end of the value');
    return value;
  }

  #fail(code: JsonCode, at: number, message: string): IJsonError {
    return new IJsonError(code, pointer(this.#path), utf8Length(this.#text.slice(0, at)), message);
  }

  #space(): number {
    const text = this.#text;
    let at = this.#at;
    let unit = text.charCodeAt(at);
    while (unit === 0x20 || unit === 0x0a || unit === 0x0d || unit === 0x09) unit = text.charCodeAt(++at);
    this.#at = at;
    return unit;
  }

  #value(): JsonValue {
    const unit = this.#space();
    switch (unit) {
      case QUOTE:
        return this.#string();
      case 0x7b:
        return this.#object();
      case 0x5b:
        return this.#array();
      case 0x74:
        return this.#word('true', true);
      case 0x66:
        return this.#word('false', false);
      case 0x6e:
        return this.#word('null', null);
      default:
        if (unit === 0x2d || (unit >= 0x30 && unit <= 0x39)) return this.#number(unit);
        throw this.#fail(
          'json_invalid',
          this.#at,
          this.#at < this.#text.length ? 'no JSON value here' : 'the text ends early',
        );
    }
  }

  #word(word: string, value: boolean | null): boolean | null {
    if (!this.#text.startsWith(word, this.#at))
      throw this.#fail('json_invalid', this.#at, 'no JSON value here');
    this.#at += word.length;
    return value;
  }

  #enter(): void {
    this.#depth++;
    if (this.#depth <= this.#maxDepth) return;
    const outer = this.#batch && this.#path[0] === 'events' && typeof this.#path[1] === 'number' ? 2 : 0;
    if (this.#depth > this.#maxDepth + outer) {
      throw this.#fail('json_depth', this.#at, `nested deeper than ${this.#maxDepth}`);
    }
  }

  #leave(): void {
    this.#depth--;
    this.#path.length = this.#depth;
  }

  #array(): JsonValue {
    this.#enter();
    const items: JsonValue[] = [];
    this.#at++;
    if (this.#space() === 0x5d) {
      this.#at++;
    } else {
      for (;;) {
        this.#path[this.#depth - 1] = items.length;
        items.push(this.#value());
        const unit = this.#space();
        this.#at++;
        if (unit === 0x5d) break;
        if (unit !== COMMA) throw this.#fail('json_invalid', this.#at - 1, 'a comma or ] is missing');
      }
    }
    this.#leave();
    return items;
  }

  #object(): JsonValue {
    this.#enter();
    const object: { [name: string]: JsonValue } = {};
    this.#at++;
    let unit = this.#space();
    if (unit === 0x7d) {
      this.#at++;
    } else {
      for (;;) {
        this.#path.length = this.#depth - 1;
        if (unit !== QUOTE) throw this.#fail('json_invalid', this.#at, 'a member name is missing');
        const start = this.#at;
        const name = this.#string();
        this.#path[this.#depth - 1] = name;
        if (Object.hasOwn(object, name))
          throw this.#fail('json_duplicate_key', start, 'the key stands twice');
        if (this.#space() !== COLON) throw this.#fail('json_invalid', this.#at, 'a colon is missing');
        this.#at++;
        const value = this.#value();
        // Assignment to __proto__ would set the prototype instead of a member.
        if (name === '__proto__') {
          Object.defineProperty(object, name, {
            value,
            writable: true,
            enumerable: true,
            configurable: true,
          });
        } else {
          object[name] = value;
        }
        unit = this.#space();
        this.#at++;
        if (unit === 0x7d) break;
        if (unit !== COMMA) throw this.#fail('json_invalid', this.#at - 1, 'a comma or } is missing');
        unit = this.#space();
      }
    }
    this.#leave();
    return object;
  }

  #string(): string {
    const text = this.#text;
    const start = this.#at + 1;
    let at = start;
    for (;;) {
      const unit = text.charCodeAt(at);
      if (unit === QUOTE) {
        this.#at = at + 1;
        return text.slice(start, at);
      }
      if (unit === BACKSLASH) return this.#escaped(start, at);
      // NaN (the end) fails every comparison.
      if (!(unit >= 0x20)) throw this.#brokenString(start, at);
      at++;
    }
  }

  #brokenString(start: number, at: number): IJsonError {
    return at >= this.#text.length
      ? this.#fail(
          'json_invalid',
          at,
          `the text ends within the string that starts at character ${start - 1}`,
        )
      : this.#fail('json_invalid', at, 'a control character in a string must be escaped');
  }

  /** The rest of a string that has escapes, from its first one. */
  #escaped(start: number, first: number): string {
    const text = this.#text;
    let made = text.slice(start, first);
    let at = first;
    for (;;) {
      const unit = text.charCodeAt(at);
      if (unit === QUOTE) {
        this.#at = at + 1;
        return made;
      }
      if (unit === BACKSLASH) {
        const letter = text.charCodeAt(at + 1);
        if (letter === 0x75) {
          const code = this.#unicode(at);
          if (code >= 0xd800 && code <= 0xdfff) {
            // Raw text is valid UTF-8, so halves of pairs come only as escapes and must come together.
            const next = code < 0xdc00 && text.startsWith('\\u', at + 6) ? this.#unicode(at + 6) : 0;
            if (next < 0xdc00 || next > 0xdfff)
              throw this.#fail('json_surrogate', at, 'half of a surrogate pair');
            made += String.fromCharCode(code, next);
            at += 12;
          } else {
            made += String.fromCharCode(code);
            at += 6;
          }
        } else {
          const character = ESCAPES[letter];
          if (character === undefined) throw this.#fail('json_invalid', at, 'no such escape');
          made += character;
          at += 2;
        }
      } else if (unit >= 0x20) {
        let end = at + 1;
        let plain = text.charCodeAt(end);
        while (plain >= 0x20 && plain !== QUOTE && plain !== BACKSLASH) plain = text.charCodeAt(++end);
        made += text.slice(at, end);
        at = end;
      } else {
        throw this.#brokenString(start, at);
      }
    }
  }

  /** Code unit of the \uXXXX escape at `at`. */
  #unicode(at: number): number {
    let code = 0;
    for (let i = at + 2; i < at + 6; i++) {
      const unit = this.#text.charCodeAt(i) | 0x20;
      const digit =
        unit >= 0x30 && unit <= 0x39 ? unit - 0x30 : unit >= 0x61 && unit <= 0x66 ? unit - 0x57 : -1;
      if (digit < 0 || this.#text.charCodeAt(i) < 0x30)
        throw this.#fail('json_invalid', at, 'a \\u escape has four hex digits');
      code = code * 16 + digit;
    }
    return code;
  }

  #number(first: number): number | string {
    const text = this.#text;
    const start = this.#at;
    let at = first === 0x2d ? start + 1 : start;
    let unit = text.charCodeAt(at);
    if (unit === 0x30) {
      unit = text.charCodeAt(++at);
    } else if (unit >= 0x31 && unit <= 0x39) {
      let value = unit - 0x30;
      for (unit = text.charCodeAt(++at); unit >= 0x30 && unit <= 0x39; unit = text.charCodeAt(++at)) {
        value = value * 10 + (unit - 0x30);
      }
      // Fewer than 16 digits are exact as they add up: the common case needs no lexeme.
      if (unit !== 0x2e && (unit | 0x20) !== 0x65 && at - start < 16) {
        this.#at = at;
        return first === 0x2d ? -value : value;
      }
    } else {
      throw this.#fail('json_invalid', at, 'a digit is missing');
    }
    if (unit === 0x2e) at = this.#digits(at + 1);
    if ((text.charCodeAt(at) | 0x20) === 0x65) {
      const sign = text.charCodeAt(at + 1);
      at = this.#digits(sign === 0x2b || sign === 0x2d ? at + 2 : at + 1);
    }
    this.#at = at;
    const lexeme = text.slice(start, at);
    const value = Number(lexeme);
    if (this.#largeAsText && !isKept(value, lexeme)) return lexeme;
    if (!Number.isFinite(value)) throw this.#fail('json_number', start, 'the number is beyond a double');
    if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
      throw this.#fail('json_number', start, 'the integer is beyond 2^53-1');
    }
    if (value === 0 && /^[^eE]*[1-9]/.test(lexeme)) {
      throw this.#fail('json_number', start, 'the number is not zero, but as a double it would be');
    }
    return value;
  }

  /** End of one or more digits. */
  #digits(from: number): number {
    let at = from;
    for (let unit = this.#text.charCodeAt(at); unit >= 0x30 && unit <= 0x39; unit = this.#text.charCodeAt(at))
      at++;
    if (at === from) throw this.#fail('json_invalid', at, 'a digit is missing');
    return at;
  }
}

const isKept = (value: number, lexeme: string): boolean =>
  Number.isFinite(value) &&
  (!Number.isInteger(value) || Number.isSafeInteger(value)) &&
  (value !== 0 || !/^[^eE]*[1-9]/.test(lexeme));

const ESCAPES: { readonly [unit: number]: string } = {
  34: '"',
  92: '\\',
  47: '/',
  98: '\b',
  102: '\f',
  110: '\n',
  114: '\r',
  116: '\t',
};
