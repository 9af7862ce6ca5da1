/**
 * The backup file: one encrypted stream of named files, opened by the recovery phrase alone.
 * `trailmix-backup/v1\n`, 4 bytes length and JCS of the header, then chunks: 4 bytes length, AES-256-GCM ciphertext,
 * 16 bytes tag. Nonce: 11 bytes chunk number, 1 byte 1 for the last chunk (STREAM), so that no chunk can be dropped,
 * moved or cut off. Associated data: SHA-256 of the header's bytes. All numbers are unsigned and big-endian.
 * Plain: per file 4 bytes length and UTF-8 of its name, 8 bytes size, its bytes; an empty name ends it.
 */
import { createCipheriv, createDecipheriv, createHash } from 'node:crypto';
import { TrailmixError } from '../../core/api/errors.ts';
import { base64, concat, fromBase64, fromUtf8, utf8 } from '../../core/proof/bytes.ts';
import { jcs } from '../../core/proof/jcs.ts';
import { deriveKey } from './wrap.ts';

const MAGIC = utf8('trailmix-backup/v1\n');
const CHUNK = 1024 * 1024;
const TAG = 16;
const HEADER_LIMIT = 64 * 1024;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*(\/[A-Za-z0-9][A-Za-z0-9._-]*)*$/;
const NAME_LIMIT = 512;

/** In clear: what a person may see of a backup, and what the phrase opens. Binary members are base64. */
export type BackupHeader = {
  v: 1;
  ledger_id: string;
  made_at: string;
  recovery: { salt: string; wrapped: string };
  salt: string;
};

export type BackupFile = { name: string; size: number; bytes: AsyncIterable<Uint8Array> };

const unreadable = (message: string): TrailmixError => new TrailmixError('backup_unreadable', { message });

/** The key of one backup file. `backupKey`: the vault's derived key `backup`. */
const fileKey = (backupKey: Uint8Array, header: BackupHeader): Uint8Array =>
  deriveKey(backupKey, fromBase64(header.salt), 'trailmix/backup-file/v1');

function nonce(index: number, last: boolean): Uint8Array {
  const bytes = Buffer.alloc(12);
  bytes.writeBigUInt64BE(BigInt(index), 3);
  bytes[11] = last ? 1 : 0;
  return bytes;
}

/** The whole file as a stream; memory holds one chunk. A file whose size is not as said throws. */
export async function* sealBackup(
  header: BackupHeader,
  backupKey: Uint8Array,
  files: AsyncIterable<BackupFile>,
): AsyncGenerator<Uint8Array> {
  const head = utf8(jcs(header));
  yield concat(MAGIC, u32(head.length), head);
  const key = fileKey(backupKey, header);
  const bound = createHash('sha256').update(head).digest();
  const seal = (plain: Uint8Array, index: number, last: boolean): Uint8Array => {
    const cipher = createCipheriv('aes-256-gcm', key, nonce(index, last));
    cipher.setAAD(bound);
    const body = concat(cipher.update(plain), cipher.final(), cipher.getAuthTag());
    return concat(u32(body.length), body);
  };
  let index = 0;
  let held: Uint8Array[] = [];
  let size = 0;
  for await (const part of plainOf(files)) {
    for (let at = 0; at < part.length; ) {
      const piece = part.subarray(at, at + CHUNK - size);
      held.push(piece.slice());
      size += piece.length;
      at += piece.length;
      if (size === CHUNK) {
        yield seal(concat(...held), index++, false);
        held = [];
        size = 0;
      }
    }
  }
  yield seal(concat(...held), index, true);
}

async function* plainOf(files: AsyncIterable<BackupFile>): AsyncGenerator<Uint8Array> {
  for await (const { name, size, bytes } of files) {
    const nameBytes = utf8(name);
    yield concat(u32(nameBytes.length), nameBytes, u64(size));
    let left = size;
    for await (const part of bytes) {
      left -= part.length;
      if (left < 0) break;
      yield part;
    }
    if (left !== 0) throw new Error(`${name} changed its size while it was copied`);
  }
  yield u32(0);
}

/** Reads the header. Throws backup_unreadable. */
export async function readBackupHeader(source: ByteReader): Promise<BackupHeader> {
  const magic = await source.take(MAGIC.length);
  if (magic === undefined || !Buffer.from(magic).equals(Buffer.from(MAGIC))) {
    throw unreadable('This file is not a backup of Audit TrailMix.');
  }
  const length = numberOf(await source.take(4));
  if (length === undefined || length > HEADER_LIMIT) throw unreadable('The header of the backup is damaged.');
  const head = await source.take(length);
  try {
    const header = JSON.parse(fromUtf8(head ?? new Uint8Array())) as BackupHeader;
    const { v, ledger_id, made_at, recovery, salt } = header;
    const known: BackupHeader = {
      v,
      ledger_id,
      made_at,
      recovery: { salt: recovery.salt, wrapped: recovery.wrapped },
      salt,
    };
    const sound =
      v === 1 &&
      /^[0-9a-f]{32}$/.test(ledger_id) &&
      typeof made_at === 'string' &&
      jcs(known) === fromUtf8(head!);
    if (!sound) throw new Error();
    for (const text of [salt, recovery.salt, recovery.wrapped]) fromBase64(text);
    return known;
  } catch {
    throw unreadable('The header of the backup is damaged, or of a newer version.');
  }
}

/**
 * The files, in order; each must be read to its end before the next is asked for. Throws backup_unreadable for any
 * byte that is not as written: what came before it must then not be used.
 */
export async function* openBackup(
  source: ByteReader,
  header: BackupHeader,
  backupKey: Uint8Array,
): AsyncGenerator<BackupFile> {
  const plain = new ByteReader(plainChunks(source, header, backupKey));
  for (;;) {
    const length = numberOf(await plain.take(4));
    if (length === 0) break;
    if (length === undefined || length > NAME_LIMIT) throw unreadable('The backup is damaged.');
    const name = fromUtf8((await plain.take(length)) ?? new Uint8Array());
    const sizeBytes = await plain.take(8);
    if (!NAME.test(name) || sizeBytes === undefined) throw unreadable('The backup is damaged.');
    const size = Number(Buffer.from(sizeBytes).readBigUInt64BE());
    yield { name, size, bytes: plain.stream(size) };
  }
  if (!(await plain.ended())) throw unreadable('The backup is damaged.');
}

async function* plainChunks(
  source: ByteReader,
  header: BackupHeader,
  backupKey: Uint8Array,
): AsyncGenerator<Uint8Array> {
  const key = fileKey(backupKey, header);
  const bound = createHash('sha256')
    .update(utf8(jcs(header)))
    .digest();
  for (let index = 0; ; index++) {
    const length = numberOf(await source.take(4));
    if (length === undefined) throw unreadable('The backup is cut off.');
    if (length < TAG || length > CHUNK + TAG) throw unreadable('The backup is damaged.');
    const body = await source.take(length);
    if (body === undefined) throw unreadable('The backup is cut off.');
    const last = await source.ended();
    const decipher = createDecipheriv('aes-256-gcm', key, nonce(index, last), { authTagLength: TAG });
    decipher.setAAD(bound);
    decipher.setAuthTag(body.subarray(length - TAG));
    let plain: Uint8Array;
    try {
      plain = concat(decipher.update(body.subarray(0, length - TAG)), decipher.final());
    } catch {
      throw unreadable(last ? 'The backup is cut off or damaged.' : 'The backup is damaged.');
    }
    yield plain;
    if (last) return;
  }
}

const u32 = (value: number): Uint8Array => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
const u64 = (value: number): Uint8Array => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
};
const numberOf = (bytes: Uint8Array | undefined): number | undefined =>
  bytes === undefined ? undefined : Buffer.from(bytes).readUInt32BE();

/** Takes exact amounts from a stream; holds what one part of the stream brings, and what is taken. */
export class ByteReader {
  readonly #parts: AsyncIterator<Uint8Array>;
  #held: Uint8Array = new Uint8Array();

  constructor(parts: AsyncIterable<Uint8Array>) {
    this.#parts = parts[Symbol.asyncIterator]();
  }

  /** `n` bytes, or undefined where the stream ends before. */
  async take(n: number): Promise<Uint8Array | undefined> {
    const pieces: Uint8Array[] = [];
    for (let left = n; left > 0; ) {
      const piece = await this.#some(left);
      if (piece === undefined) return undefined;
      pieces.push(piece);
      left -= piece.length;
    }
    return concat(...pieces);
  }

  /** The next `n` bytes as they come. Throws backup_unreadable where the stream ends before. */
  async *stream(n: number): AsyncGenerator<Uint8Array> {
    for (let left = n; left > 0; ) {
      const piece = await this.#some(left);
      if (piece === undefined) throw unreadable('The backup is cut off.');
      left -= piece.length;
      yield piece;
    }
  }

  async ended(): Promise<boolean> {
    if (this.#held.length > 0) return false;
    const piece = await this.#some(1);
    if (piece === undefined) return true;
    this.#held = concat(piece, this.#held);
    return false;
  }

  /** Ends the source, read or not. */
  async close(): Promise<void> {
    await this.#parts.return?.();
  }

  async #some(most: number): Promise<Uint8Array | undefined> {
    while (this.#held.length === 0) {
      const next = await this.#parts.next();
      if (next.done === true) return undefined;
      this.#held = next.value;
    }
    const piece = this.#held.subarray(0, most);
    this.#held = this.#held.subarray(piece.length);
    return piece;
  }
}

/** A header for a backup made now. */
export const backupHeader = (
  vault: { ledger_id: string; recovery: { salt: string; wrapped: string } },
  madeAt: string,
  salt: Uint8Array,
): BackupHeader => ({
  v: 1,
  ledger_id: vault.ledger_id,
  made_at: madeAt,
  recovery: { salt: vault.recovery.salt, wrapped: vault.recovery.wrapped },
  salt: base64(salt),
});
