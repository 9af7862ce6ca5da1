/**
 * Blob files: AES-256-GCM in chunks, names that tell nothing. Pure format and the synchronous writer; blobs.ts streams.
 * Name: hex HMAC-SHA256(name key, tenant, NUL, sha256), in a folder of its first two characters.
 * File: "TMB1", 16 random bytes (the file's salt), then chunks: 64 KiB of ciphertext (the last one less, perhaps
 * none) with its 16-byte tag. Every file has a key of its own, HKDF(blob key, salt, name): a nonce (chunk number and
 * a last-flag) is never used twice under one key. Cut, reordered or exchanged chunks do not open.
 */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { syncFolder } from './headfile.ts';

export const CHUNK = 64 * 1024;
export const TAG = 16;
export const HEADER = 20;
const MAGIC = Buffer.from('TMB1');

export function blobPath(folder: string, blobKey: Uint8Array, tenantId: string, sha256: string): string {
  const nameKey = Buffer.from(hkdfSync('sha256', blobKey, '', 'trailmix/blob-name/v1', 32));
  const name = createHmac('sha256', nameKey).update(`${tenantId}\0${sha256}`).digest('hex');
  return join(folder, name.slice(0, 2), name);
}

export class BlobCipher {
  readonly header: Buffer;
  readonly #key: Buffer;
  #chunk = 0;

  private constructor(blobKey: Uint8Array, header: Buffer, context: string) {
    this.header = header;
    this.#key = Buffer.from(
      hkdfSync('sha256', blobKey, header.subarray(MAGIC.length), `trailmix/blob-file/v1\n${context}`, 32),
    );
  }

  static create(blobKey: Uint8Array, context: string): BlobCipher {
    return new BlobCipher(blobKey, Buffer.concat([MAGIC, randomBytes(16)]), context);
  }

  /** Throws where the header is not ours. */
  static open(blobKey: Uint8Array, header: Buffer, context: string): BlobCipher {
    if (header.length !== HEADER || !header.subarray(0, MAGIC.length).equals(MAGIC)) {
      throw new Error('a blob file has the wrong form');
    }
    return new BlobCipher(blobKey, header, context);
  }

  #nonce(last: boolean): Buffer {
    const nonce = Buffer.alloc(12);
    nonce.writeUIntBE(this.#chunk++, 5, 6);
    nonce[11] = last ? 1 : 0;
    return nonce;
  }

  seal(plain: Uint8Array, last: boolean): Buffer {
    const cipher = createCipheriv('aes-256-gcm', this.#key, this.#nonce(last));
    return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  }

  /** Throws where the chunk was changed, moved or cut. */
  open(sealed: Uint8Array, last: boolean): Buffer {
    const decipher = createDecipheriv('aes-256-gcm', this.#key, this.#nonce(last));
    decipher.setAuthTag(sealed.subarray(sealed.length - TAG));
    return Buffer.concat([decipher.update(sealed.subarray(0, sealed.length - TAG)), decipher.final()]);
  }
}

/** What keeps a file of one blob from standing for another. */
export const blobContext = (tenantId: string, sha256: string): string => `${tenantId}\n${sha256}`;

/**
 * Stores bytes whose hash is known, whole and durable when it returns. Nothing is left behind when it throws. Answers
 * the size of the file it made, 0 where the blob was there.
 */
export function writeBlobSync(
  folder: string,
  blobKey: Uint8Array,
  tenantId: string,
  sha256: string,
  bytes: Uint8Array,
): number {
  const path = blobPath(folder, blobKey, tenantId, sha256);
  if (existsSync(path)) return 0;
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const cipher = BlobCipher.create(blobKey, blobContext(tenantId, sha256));
  const beside = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  let size = 0;
  const descriptor = openSync(beside, 'wx', 0o600);
  try {
    try {
      size += writeSync(descriptor, cipher.header);
      for (let at = 0; ; at += CHUNK) {
        const last = at + CHUNK > bytes.length;
        size += writeSync(descriptor, cipher.seal(bytes.subarray(at, at + CHUNK), last));
        if (last) break;
      }
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(beside, path);
  } catch (error) {
    if (existsSync(beside)) unlinkSync(beside);
    throw error;
  }
  syncFolder(dirname(path));
  syncFolder(folder);
  return size;
}

/** Unlinks a blob's file, where it is there. Answers its size. */
export function unlinkBlobSync(
  folder: string,
  blobKey: Uint8Array,
  tenantId: string,
  sha256: string,
): number {
  const path = blobPath(folder, blobKey, tenantId, sha256);
  if (!existsSync(path)) return 0;
  const { size } = statSync(path);
  unlinkSync(path);
  syncFolder(dirname(path));
  return size;
}
