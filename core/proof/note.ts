/**
 * C2SP signed notes (c2sp.org/signed-note): a text, a blank line, signature lines `— <name> <base64(id || sig)>`.
 * Rules: a key is known when name and id both match; lines of unknown keys are ignored, but must have the form of a
 * line; a bad line of a known key rejects the note, and so does a note without a good line of a known key. Only
 * Ed25519 note signatures (type 0x01) are made and checked here. Format: docs/spec/tree.md.
 */
import { base64, concat, equalBytes, fromBase64, fromHex, fromUtf8, hex, utf8 } from './bytes.ts';
import type { Sha256, SignEd25519, VerifyEd25519 } from './hash.ts';

export const ED25519 = 0x01;
/** Most bytes of a note, and most signature lines: far above the 16 that everyone must accept. */
export const NOTE_LIMIT = 65_536;
export const LINE_LIMIT = 64;

export class NoteError extends Error {
  override name = 'NoteError';
  /** form: not a signed note; bad_signature: a known key's line does not verify; no_known_key: nothing to go by. */
  readonly fault: 'form' | 'bad_signature' | 'no_known_key';
  constructor(fault: NoteError['fault'], message: string) {
    super(message);
    this.fault = fault;
  }
}

/** A verifier key. `id` is 8 hex characters. */
export interface NoteKey {
  readonly name: string;
  readonly id: string;
  readonly publicKey: Uint8Array;
}

export interface NoteLine {
  readonly name: string;
  /** 8 hex characters */
  readonly id: string;
  /** what follows the id: 64 bytes for Ed25519 */
  readonly signature: Uint8Array;
}

export interface Note {
  /** The signed text, its final newline included. */
  readonly text: string;
  readonly lines: readonly NoteLine[];
}

/** Non-empty, no white space, no plus sign: it stands between spaces, and before a plus in a vkey. */
const NAME = /^[^\s+\p{Cc}]+$/u;
const LINE = /^— (\S+) ([A-Za-z0-9+/]+={0,2})$/u;
const DASH = '— ';

/** Key id: first 4 bytes of SHA-256(name || 0x0A || 0x01 || public key), as hex. */
export function noteKeyId(sha256: Sha256, name: string, publicKey: Uint8Array): string {
  return hex(sha256(concat(utf8(`${name}\n`), Uint8Array.of(ED25519), publicKey)).slice(0, 4));
}

export function noteKey(sha256: Sha256, name: string, publicKey: Uint8Array): NoteKey {
  if (!NAME.test(name)) throw new NoteError('form', 'a key name has no white space and no plus sign');
  if (publicKey.length !== 32) throw new NoteError('form', 'an Ed25519 public key has 32 bytes');
  return { name, id: noteKeyId(sha256, name, publicKey), publicKey };
}

/** `<name>+<id as 8 hex>+<base64(0x01 || public key)>`. */
export function formatVkey(key: NoteKey): string {
  return `${key.name}+${key.id}+${base64(concat(Uint8Array.of(ED25519), key.publicKey))}`;
}

/** Reads an Ed25519 vkey and recomputes its id. Throws NoteError `form`. */
export function parseVkey(sha256: Sha256, vkey: string): NoteKey {
  const [, name, id, encoded] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/su.exec(vkey) ?? [];
  if (name === undefined || id === undefined || encoded === undefined) {
    throw new NoteError('form', 'a vkey is name+id+key');
  }
  const bytes = decode(encoded);
  if (bytes === undefined || bytes.length !== 33)
    throw new NoteError('form', 'the vkey does not hold 33 bytes');
  if (bytes[0] !== ED25519) throw new NoteError('form', `key type ${bytes[0]} is not Ed25519`);
  const key = noteKey(sha256, name, bytes.slice(1));
  if (key.id !== id) throw new NoteError('form', "the vkey's id is not that of its name and key");
  return key;
}

/** What a note's signature signs: the bytes of its text. */
export function noteMessage(text: string): Uint8Array {
  checkText(text);
  return utf8(text);
}

/** One signature line, newline included. */
export function formatNoteLine(line: NoteLine): string {
  return `${DASH}${line.name} ${base64(concat(fromHex(line.id), line.signature))}\n`;
}

/** Text, blank line, signature lines. */
export function formatNote(note: Note): string {
  checkText(note.text);
  if (note.lines.length === 0) throw new NoteError('form', 'a note needs a signature line');
  return `${note.text}\n${note.lines.map(formatNoteLine).join('')}`;
}

/** Signs a text as one key. `sign` must hold the private half of `key`. */
export async function signNote(text: string, key: NoteKey, sign: SignEd25519): Promise<string> {
  const signature = await sign(noteMessage(text));
  return formatNote({ text, lines: [{ name: key.name, id: key.id, signature }] });
}

/** Splits a note into text and lines, checking form alone. Throws NoteError `form`. */
export function parseNote(bytes: Uint8Array): Note {
  if (bytes.length > NOTE_LIMIT) throw new NoteError('form', `a note has at most ${NOTE_LIMIT} bytes`);
  let whole: string;
  try {
    whole = fromUtf8(bytes);
  } catch {
    throw new NoteError('form', 'a note is UTF-8');
  }
  const blank = whole.lastIndexOf('\n\n');
  if (blank < 0) throw new NoteError('form', 'a note has a blank line before its signatures');
  const text = whole.slice(0, blank + 1);
  checkText(text);
  const tail = whole.slice(blank + 2);
  if (!tail.endsWith('\n')) throw new NoteError('form', 'a note ends with a newline');
  const rows = tail.slice(0, -1).split('\n');
  if (rows.length > LINE_LIMIT)
    throw new NoteError('form', `a note has at most ${LINE_LIMIT} signature lines`);
  return { text, lines: rows.map(parseLine) };
}

function parseLine(row: string): NoteLine {
  const [, name, encoded] = LINE.exec(row) ?? [];
  const bytes = encoded === undefined ? undefined : decode(encoded);
  if (name === undefined || bytes === undefined || bytes.length < 5 || !NAME.test(name)) {
    throw new NoteError('form', 'a signature line is: em dash, space, name, space, base64');
  }
  return { name, id: hex(bytes.slice(0, 4)), signature: bytes.slice(4) };
}

/**
 * Reads a note and checks every line of a known key. Answers the text, the keys that signed it, and the lines that
 * nobody here knows. Throws NoteError.
 */
export async function openNote(
  bytes: Uint8Array,
  known: readonly NoteKey[],
  verify: VerifyEd25519,
): Promise<{
  readonly text: string;
  readonly signers: readonly NoteKey[];
  readonly unknown: readonly NoteLine[];
}> {
  const note = parseNote(bytes);
  const message = utf8(note.text);
  const signers: NoteKey[] = [];
  const unknown: NoteLine[] = [];
  for (const line of note.lines) {
    const keys = known.filter(key => key.name === line.name && key.id === line.id);
    if (keys.length === 0) {
      unknown.push(line);
      continue;
    }
    let signer: NoteKey | undefined;
    for (const key of keys) {
      if (line.signature.length === 64 && (await verify(key.publicKey, message, line.signature)))
        signer = key;
    }
    if (signer === undefined) {
      throw new NoteError('bad_signature', `the signature of ${line.name} does not verify`);
    }
    if (!signers.some(seen => equalBytes(seen.publicKey, signer.publicKey))) signers.push(signer);
  }
  if (signers.length === 0) throw new NoteError('no_known_key', 'no known key signed the note');
  return { text: note.text, signers, unknown };
}

/** A text is non-empty, well-formed, ends with a newline and has no control character but newlines. */
function checkText(text: string): void {
  if (!text.endsWith('\n')) throw new NoteError('form', "a note's text ends with a newline");
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x20 && unit !== 0x0a)
      throw new NoteError('form', 'a control character in the text of a note');
  }
  if (/[\ud800-\udfff]/u.test(text)) throw new NoteError('form', 'a lone surrogate in the text of a note');
}

function decode(encoded: string): Uint8Array | undefined {
  try {
    return fromBase64(encoded);
  } catch {
    return undefined;
  }
}
