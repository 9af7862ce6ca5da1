/**
 * Files that must be whole or absent, whatever happens in between: written beside, synced, renamed, the folder synced.
 * Mode 0600 always. (Windows has no mode bits and cannot sync a folder; there the profile's ACL protects the file.)
 */
import { randomBytes } from 'node:crypto';
import { link, lstat, open, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** Puts the bytes at `file`, replacing what is there in one step. Resolved = survives a power cut. */
export async function replaceFile(file: string, bytes: Uint8Array): Promise<void> {
  const beside = await writeBeside(file, bytes);
  try {
    await rename(beside, file);
  } catch (error) {
    await unlink(beside).catch(() => {});
    throw error;
  }
  await syncFolder(dirname(file));
}

/** Like replaceFile, but never over an existing file: answers false, having changed nothing, when there is one. */
export async function createFile(file: string, bytes: Uint8Array): Promise<boolean> {
  const beside = await writeBeside(file, bytes);
  try {
    await link(beside, file);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (code === 'EEXIST') return false;
    // A file system without hard links (FAT, some network mounts): the data folder's lock keeps others away.
    if (!['EPERM', 'ENOTSUP', 'ENOSYS', 'EOPNOTSUPP'].includes(code)) throw error;
    if (await exists(file)) return false;
    await rename(beside, file);
  } finally {
    await unlink(beside).catch(() => {});
  }
  await syncFolder(dirname(file));
  return true;
}

/** Whether anything, a dangling link included, has this name. */
async function exists(file: string): Promise<boolean> {
  return lstat(file).then(
    () => true,
    () => false,
  );
}

/** Makes the names in a folder durable. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function writeBeside(file: string, bytes: Uint8Array): Promise<string> {
  const beside = join(dirname(file), `.${basename(file)}.${randomBytes(6).toString('hex')}.tmp`);
  const handle = await open(beside, 'wx', 0o600);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } catch (error) {
    await handle.close();
    await unlink(beside).catch(() => {});
    throw error;
  }
  await handle.close();
  return beside;
}
