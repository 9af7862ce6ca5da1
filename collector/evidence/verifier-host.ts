/** What core's verifier borrows from Node: files, inflating, hashing, signature threads, CMS. */

import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { crc32, createInflateRaw } from 'node:zlib';
import { TrailmixError } from '../../core/api/errors.ts';
import { jobsOf, oneByOne, type SignatureJob } from '../../core/pack/signatures.ts';
import type { VerifyHost } from '../../core/pack/verify.ts';
import type { InflateRaw, RandomAccess } from '../../core/pack/zip.ts';
import type { VerifyMlDsa44 } from '../../core/proof/cosignature.ts';
import { sha256, sha256Stream } from '../sha256.ts';
import { SignaturePool } from './signature-pool.ts';

const SPKI = Buffer.from('302a300506032b6570032100', 'hex');
const MLDSA44_SPKI = Buffer.from('30820532300b06096086480165030403110382052100', 'hex');

/** ML-DSA-44 where this Node's OpenSSL has it (3.5 on); else undefined. */
function mlDsa44(): VerifyMlDsa44 | undefined {
  const keyOf = (publicKey: Uint8Array): KeyObject =>
    createPublicKey({ key: Buffer.concat([MLDSA44_SPKI, publicKey]), format: 'der', type: 'spki' });
  try {
    keyOf(new Uint8Array(1312));
  } catch {
    return undefined;
  }
  return (publicKey, message, signature) => {
    try {
      return verify(null, message, keyOf(publicKey), signature);
    } catch {
      return false;
    }
  };
}

let held: { raw: Uint8Array; key: KeyObject } | undefined;

/** The last key is held: most checks in a row are of one. */
export function verifyEd25519(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  try {
    if (held === undefined || Buffer.compare(held.raw, publicKey) !== 0) {
      const key = createPublicKey({ key: Buffer.concat([SPKI, publicKey]), format: 'der', type: 'spki' });
      held = { raw: Uint8Array.from(publicKey), key };
    }
    return verify(null, message, held.key, signature);
  } catch {
    return false;
  }
}

/** Raw deflate that also refuses bytes after its end. */
export const inflateRaw: InflateRaw = async function* (source) {
  let given = 0;
  const counted = async function* () {
    for await (const chunk of source) {
      given += chunk.length;
      yield chunk;
    }
  };
  const inflate = createInflateRaw({ chunkSize: 64 * 1024 });
  const input = Readable.from(counted(), { objectMode: true });
  input.on('error', error => inflate.destroy(error));
  input.pipe(inflate);
  try {
    for await (const chunk of inflate) yield chunk as Uint8Array;
    if (inflate.bytesWritten !== given) throw new Error('bytes follow the end of the compressed data');
  } finally {
    input.destroy();
    inflate.destroy();
  }
};

/** A file to read at any place; close it when done. Throws pack_unreadable. */
export async function openFile(path: string): Promise<RandomAccess & { close(): Promise<void> }> {
  let handle: FileHandle;
  try {
    handle = await open(path, 'r');
  } catch (error) {
    throw new TrailmixError('pack_unreadable', {
      where: path,
      message: `Cannot open ${path}: ${(error as Error).message}`,
    });
  }
  const { size } = await handle.stat();
  return {
    size,
    async read(offset, length) {
      const bytes = Buffer.allocUnsafe(length);
      for (let done = 0; done < length; ) {
        const { bytesRead } = await handle.read(bytes, done, length - done, offset + done);
        if (bytesRead === 0)
          throw new TrailmixError('pack_unreadable', { where: path, message: `${path} ends early` });
        done += bytesRead;
      }
      return bytes;
    },
    close: () => handle.close(),
  };
}

/** One check on Node's own thread pool: the single-file verifier has no file for a thread of its own. */
const verifyInPool = promisify<null, Uint8Array, KeyObject, Uint8Array, boolean>(verify);
const keyObjects = new Map<string, KeyObject>();

async function verifyAside({ publicKey, message, signature }: SignatureJob): Promise<boolean> {
  try {
    const name = Buffer.from(publicKey).toString('latin1');
    let key = keyObjects.get(name);
    if (key === undefined) {
      key = createPublicKey({ key: Buffer.concat([SPKI, publicKey]), format: 'der', type: 'spki' });
      if (keyObjects.size < 1000) keyObjects.set(name, key);
    }
    return await verifyInPool(null, message, key, signature);
  } catch {
    return false;
  }
}

/** A host of one file: it starts no threads. */
export function fileHost(): VerifyHost & { close(): Promise<void> } {
  const verifyMlDsa44 = mlDsa44();
  return {
    ...(verifyMlDsa44 === undefined ? {} : { verifyMlDsa44 }),
    sha256,
    sha256Stream,
    verifyEd25519,
    verifyBatch: batch => Promise.all(Array.from(jobsOf(batch), verifyAside)),
    inflateRaw,
    crc32,
    checkCms: async (...given) => (await import('./cms.ts')).checkCms(...given),
    checkTimestamp: async (...given) => (await import('./timestamp.ts')).checkTimestamp(...given),
    now: () => Date.now(),
    close: async () => {},
  };
}

const checkHere = oneByOne(verifyEd25519);
/** Batches that are checked without threads: a small pack is done before they would have started. */
const AT_ONCE = 2;

/** A host with signature threads, which start when they are worth it. Close it when done. */
export function nodeHost(threads?: number): VerifyHost & { close(): Promise<void> } {
  let pool: SignaturePool | undefined;
  let batches = 0;
  return {
    ...fileHost(),
    verifyBatch(batch) {
      if (batches++ < AT_ONCE) return checkHere(batch);
      pool ??= new SignaturePool(threads);
      return pool.verifyBatch(batch);
    },
    close: async () => pool?.close(),
  };
}
