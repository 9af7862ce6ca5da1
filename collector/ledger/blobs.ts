/**
 * Blobs: payloads too large for a record, as encrypted files addressed by tenant and hash (format in blob-file.ts).
 * Rules: `put` answers once the file and its name are durable; a failure leaves nothing behind; at most PUTS uploads
 * run at once (busy beyond); what is read back is checked chunk by chunk and as a whole.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access, type FileHandle, mkdir, open, readdir, rename, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { TrailmixError } from '../../core/api/errors.ts';
import type { BlobStore, Ids } from '../ports.ts';
import { BlobCipher, blobContext, blobPath, CHUNK, HEADER, TAG, writeBlobSync } from './blob-file.ts';
import { BlobGuard } from './blob-guard.ts';
import { isDiskFull } from './database.ts';
import { syncFolder } from './headfile.ts';

const PUTS = 16;
const INCOMING = 'incoming';

export type BlobFolder = BlobStore & {
  /** Stores a value whose hash is known. */
  store(tenantId: string, sha256: string, bytes: Uint8Array): Promise<void>;
  /** Bytes on disk, as counted at open and since. */
  bytes(): number;
};

export async function openBlobs(options: {
  folder: string;
  blobKey: Uint8Array;
  random: Ids['bytes'];
  uploaded: (tenantId: string, sha256: string, keyId: string) => Promise<void>;
  uploadedBy: BlobStore['uploadedBy'];
}): Promise<BlobFolder> {
  const { folder, blobKey, random } = options;
  const passingName = () => join(incoming, Buffer.from(random(16)).toString('hex'));
  const incoming = join(folder, INCOMING);
  await mkdir(incoming, { recursive: true, mode: 0o700 });
  let total = await tidy(folder);
  let puts = 0;
  const guard = new BlobGuard();

  const path = (tenantId: string, sha256: string) => blobPath(folder, blobKey, tenantId, sha256);

  /**
   * An upload's name depends on its hash, known only at its end, and so does its key. So it is first written under a
   * passing key that only memory has, then once more under its own.
   */
  async function put(tenantId: string, bytes: AsyncIterable<Uint8Array>, limit: number, keyId?: string) {
    if (puts >= PUTS) throw new TrailmixError('busy', { retryAfter: 1 });
    puts++;
    const passing = passingName();
    const passingKey = random(32);
    try {
      const digest = createHash('sha256');
      let size = 0;
      async function* counted() {
        for await (const part of bytes) {
          size += part.length;
          if (size > limit)
            throw new TrailmixError('body_too_large', { message: `a blob has at most ${limit} bytes` });
          digest.update(part);
          yield part;
        }
      }
      await writeSealed(passing, BlobCipher.create(passingKey, 'incoming'), counted());
      const sha256 = digest.digest('hex');
      await guard.use([sha256], async () => {
        await keep(tenantId, sha256, passing, passingKey);
        if (keyId !== undefined) await options.uploaded(tenantId, sha256, keyId);
      });
      return { sha256, bytes: size };
    } catch (error) {
      if (isDiskFull(error)) throw new TrailmixError('disk_full');
      throw error;
    } finally {
      puts--;
      await unlink(passing).catch(() => {});
    }
  }

  /** Under its own name and key, where it is not there. */
  async function keep(tenantId: string, sha256: string, passing: string, passingKey: Uint8Array) {
    const file = path(tenantId, sha256);
    if (await exists(file)) return;
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    const beside = passingName();
    try {
      const cipher = BlobCipher.create(blobKey, blobContext(tenantId, sha256));
      await writeSealed(beside, cipher, readSealed(passing, passingKey, 'incoming'));
      await rename(beside, file);
    } catch (error) {
      await unlink(beside).catch(() => {});
      throw error;
    }
    syncFolder(dirname(file));
    syncFolder(folder);
    total += (await stat(file)).size;
  }

  return {
    put,
    uploadedBy: options.uploadedBy,
    bytes: () => total,
    async store(tenantId, sha256, bytes) {
      try {
        total += writeBlobSync(folder, blobKey, tenantId, sha256, bytes);
      } catch (error) {
        throw isDiskFull(error) ? new TrailmixError('disk_full') : error;
      }
    },
    use: (digests, work) => guard.use(digests, work),
    async apart(digests, work) {
      const done = await guard.apart(digests, work);
      total -= done.freed;
      return done;
    },
    has: (tenantId, sha256) => exists(path(tenantId, sha256)),
    get: (tenantId, sha256) => readBlob(folder, blobKey, tenantId, sha256),
  };
}

const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );

/** A blob's bytes, checked chunk by chunk and as a whole. Throws not_found, ledger_damaged. */
export async function* readBlob(
  folder: string,
  blobKey: Uint8Array,
  tenantId: string,
  sha256: string,
): AsyncGenerator<Buffer> {
  const file = blobPath(folder, blobKey, tenantId, sha256);
  if (!(await exists(file))) throw new TrailmixError('not_found', { message: 'no such blob' });
  const digest = createHash('sha256');
  try {
    for await (const part of readSealed(file, blobKey, blobContext(tenantId, sha256))) {
      digest.update(part);
      yield part;
    }
  } catch {
    throw new TrailmixError('ledger_damaged', { message: 'a blob does not open: it was changed or cut' });
  }
  if (digest.digest('hex') !== sha256) {
    throw new TrailmixError('ledger_damaged', { message: 'a blob does not have its hash' });
  }
}

/** Removes what a crash left of uploads, and counts the rest. */
async function tidy(folder: string): Promise<number> {
  let total = 0;
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    if (entry.parentPath === join(folder, INCOMING) || entry.name.endsWith('.tmp')) await unlink(file);
    else total += (await stat(file)).size;
  }
  return total;
}

async function writeSealed(
  file: string,
  cipher: BlobCipher,
  bytes: AsyncIterable<Uint8Array>,
): Promise<void> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(file, 'wx', 0o600);
    await handle.writeFile(cipher.header);
    let held = Buffer.alloc(0);
    for await (const part of bytes) {
      held = Buffer.concat([held, part]);
      let at = 0;
      for (; held.length - at >= CHUNK; at += CHUNK) {
        await handle.writeFile(cipher.seal(held.subarray(at, at + CHUNK), false));
      }
      held = held.subarray(at);
    }
    await handle.writeFile(cipher.seal(held, true));
    await handle.sync();
  } finally {
    await handle?.close();
  }
}

async function* readSealed(file: string, key: Uint8Array, context: string): AsyncGenerator<Buffer> {
  const sealed = CHUNK + TAG;
  let cipher: BlobCipher | undefined;
  let held = Buffer.alloc(0);
  for await (const part of createReadStream(file, { highWaterMark: 4 * sealed })) {
    held = Buffer.concat([held, part as Buffer]);
    if (cipher === undefined) {
      if (held.length < HEADER) continue;
      cipher = BlobCipher.open(key, held.subarray(0, HEADER), context);
      held = held.subarray(HEADER);
    }
    let at = 0;
    for (; held.length - at >= sealed; at += sealed) yield cipher.open(held.subarray(at, at + sealed), false);
    held = held.subarray(at);
  }
  if (cipher === undefined || held.length < TAG) throw new Error('a blob file is cut');
  yield cipher.open(held, true);
}
