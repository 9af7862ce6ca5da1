/**
 * Bytes and their three written forms: UTF-8, lowercase hex, padded base64 (RFC 4648 section 4).
 * Rules: every decoder is strict and canonical, so one byte string has exactly one accepted spelling;
 * decoders throw `BytesError`. Uses only ECMAScript and the two text codecs that Node 18+ and browsers share.
 */

declare const TextEncoder: {
  new (): {
    encode(text: string): Uint8Array<ArrayBuffer>;
    encodeInto(text: string, into: Uint8Array): { written: number };
  };
};
declare const TextDecoder: {
  new (label: 'utf-8', options: { fatal: true; ignoreBOM: true }): { decode(bytes: Uint8Array): string };
};

export class BytesError extends Error {
  override name = 'BytesError';
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** UTF-8 of a well-formed string. (A lone surrogate would become U+FFFD: `jcs` refuses those before.) */
export function utf8(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text);
}

let scratch = new Uint8Array(64 * 1024);

/** As `utf8`, in bytes that the next call overwrites: for what is hashed at once, which is most of what a verifier does. */
export function transientUtf8(text: string): Uint8Array {
  if (3 * text.length > scratch.length) {
    if (text.length > 2 ** 20) return utf8(text);
    scratch = new Uint8Array(6 * text.length);
  }
  return scratch.subarray(0, encoder.encodeInto(text, scratch).written);
}

/** Text of valid UTF-8; a BOM is kept as U+FEFF. Throws BytesError on any invalid sequence. */
export function fromUtf8(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new BytesError('not valid UTF-8');
  }
}

/** Number of UTF-8 bytes of a well-formed string, without making them. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    // A surrogate pair is 2 units and 4 bytes: each half counts 2.
    bytes += unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 1 : 2;
  }
  return bytes;
}

const HEX: string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
const HEX_TEXT = /^(?:[0-9a-f]{2})*$/;

/** Lowercase hex. */
export function hex(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i++) text += HEX[bytes[i]!];
  return text;
}

/** Bytes of lowercase hex of even length; anything else throws BytesError. */
export function fromHex(text: string): Uint8Array<ArrayBuffer> {
  if (!HEX_TEXT.test(text)) throw new BytesError('not lowercase hex');
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) {
    bytes[i] = (nibble(text.charCodeAt(2 * i)) << 4) | nibble(text.charCodeAt(2 * i + 1));
  }
  return bytes;
}

function nibble(unit: number): number {
  return unit < 0x3a ? unit - 0x30 : unit - 0x57;
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
/** Twelve bits to two characters: half the look-ups of the plain table. */
const PAIRS: string[] = Array.from(
  { length: 4096 },
  (_, bits) => ALPHABET[bits >> 6]! + ALPHABET[bits & 63]!,
);
/** 64 for what is not in the alphabet. */
const SEXTET = new Uint8Array(128).fill(64);
for (let i = 0; i < 64; i++) SEXTET[ALPHABET.charCodeAt(i)] = i;

/** Base64 with padding, standard alphabet, no line breaks. */
export function base64(bytes: Uint8Array): string {
  let text = '';
  const whole = bytes.length - (bytes.length % 3);
  for (let i = 0; i < whole; i += 3) {
    const bits = (bytes[i]! << 16) | (bytes[i + 1]! << 8) | bytes[i + 2]!;
    text += PAIRS[bits >> 12]! + PAIRS[bits & 4095]!;
  }
  const rest = bytes.length - whole;
  if (rest === 1) text += `${PAIRS[bytes[whole]! << 4]!}==`;
  if (rest === 2) {
    const bits = (bytes[whole]! << 10) | (bytes[whole + 1]! << 2);
    text += `${PAIRS[bits >> 6]!}${ALPHABET[bits & 63]!}=`;
  }
  return text;
}

/** Bytes of canonical base64: padded, and the unused bits of the last character are zero. Else BytesError. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  if (text.length % 4 !== 0) throw new BytesError('not padded base64');
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const bytes = new Uint8Array((text.length / 4) * 3 - padding);
  const last = text.length - padding;
  let at = 0;
  let strange = 0;
  let bits = 0;
  for (let i = 0; i < text.length; i += 4) {
    const a = sextet(text, i);
    const b = sextet(text, i + 1);
    const c = i + 2 < last ? sextet(text, i + 2) : 0;
    const d = i + 3 < last ? sextet(text, i + 3) : 0;
    strange |= a | b | c | d;
    bits = (a << 18) | (b << 12) | (c << 6) | d;
    // Writes beyond the end of a typed array are ignored: that drops the padding.
    bytes[at++] = bits >> 16;
    bytes[at++] = (bits >> 8) & 255;
    bytes[at++] = bits & 255;
  }
  if (strange > 63) throw new BytesError('not padded base64');
  if (padding > 0 && (bits & (padding === 2 ? 0xffff : 0xff)) !== 0) {
    throw new BytesError('base64 with stray bits before its padding');
  }
  return bytes;
}

function sextet(text: string, at: number): number {
  const unit = text.charCodeAt(at);
  return unit < 128 ? SEXTET[unit]! : 64;
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  let length = 0;
  for (const part of parts) length += part.length;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Equality whose time does not depend on where the first difference lies (only on the lengths). */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ b[i]!;
  return difference === 0;
}

/** Order of bytes: negative, zero or positive; a prefix comes first. Not constant-time. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    if (a[i] !== b[i]) return a[i]! - b[i]!;
  }
  return a.length - b.length;
}
