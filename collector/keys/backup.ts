/**
 * Backup: an online, consistent copy of everything that a ledger is, encrypted, opened by the recovery phrase alone.
 * Restoring is collector/keys/restore.ts; the file's form is backup-file.ts. Blobs are copied after the database, so
 * every blob that a copied record names is there. What was erased before is not in it; what is erased later stays in it.
 */
import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, opendir, readFile, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { TrailmixError } from '../../core/api/errors.ts';
import type { Clock, KeyVault, Ledger } from '../ports.ts';
import { type BackupFile, backupHeader, sealBackup } from './backup-file.ts';
import { readVaultFile, VAULT_FILE } from './vault-file.ts';

/** Names inside a backup. */
export const LEDGER_COPY = 'ledger.db';
export const BLOBS = 'blobs';
export const EPOCHS = 'epochs';

const STALE_MS = 24 * 60 * 60 * 1000;

export type BackupParts = {
  ledger: Pick<Ledger, 'write' | 'backupTo'>;
  vault: Pick<KeyVault, 'ledgerId' | 'derive'>;
  /** The data folder. */
  folder: string;
  clock: Clock;
};

/**
 * A backup as a stream, for a download or a file. Its temporary database copy is gone when the stream ends or is
 * closed; one that was never begun leaves its copy until the next day's backup. Throws vault_damaged, disk_full.
 */
export async function backupStream(
  parts: BackupParts,
): Promise<{ name: string; madeAt: string; stream: AsyncGenerator<Uint8Array> }> {
  const { ledger, vault, folder, clock } = parts;
  const file = await readVaultFile(folder);
  if (file === undefined || file.ledger_id !== vault.ledgerId) {
    throw new TrailmixError('vault_damaged', { message: 'vault.json is not that of the open ledger.' });
  }
  const madeAt = new Date(clock.now()).toISOString();
  const copy = join(folder, 'backups', `.copy-${randomBytes(6).toString('hex')}.db`);
  await mkdir(dirname(copy), { recursive: true, mode: 0o700 });
  await removeStale(dirname(copy), clock.now() - STALE_MS);
  try {
    await ledger.write.run('checkpoint', {});
    await ledger.backupTo(copy);
  } catch (error) {
    await removeCopy(copy);
    throw error;
  }
  async function* stream(): AsyncGenerator<Uint8Array> {
    try {
      yield* sealBackup(
        backupHeader(file!, madeAt, randomBytes(32)),
        vault.derive('backup'),
        filesOf(folder, copy),
      );
    } finally {
      await removeCopy(copy);
    }
  }
  const name = `trailmix-${vault.ledgerId.slice(0, 8)}-${madeAt.slice(0, 19).replaceAll(/[-:]/g, '')}Z.backup`;
  return { name, madeAt, stream: stream() };
}

async function* filesOf(folder: string, copy: string): AsyncGenerator<BackupFile> {
  const vaultFile = await readFile(join(folder, VAULT_FILE));
  yield { name: VAULT_FILE, size: vaultFile.length, bytes: once(vaultFile) };
  yield { name: LEDGER_COPY, size: (await stat(copy)).size, bytes: createReadStream(copy) };
  yield* tree(folder, BLOBS);
  yield* tree(folder, EPOCHS);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** Every finished file below; what is still being written ends in .tmp or starts with a dot. */
async function* tree(folder: string, name: string): AsyncGenerator<BackupFile> {
  const entries = await opendir(join(folder, name)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  for await (const entry of entries ?? []) {
    if (entry.name.startsWith('.') || entry.name.endsWith('.tmp')) continue;
    const inner = `${name}/${entry.name}`;
    if (entry.isDirectory()) yield* tree(folder, inner);
    else if (entry.isFile()) {
      const path = join(folder, inner);
      yield { name: inner, size: (await stat(path)).size, bytes: createReadStream(path) };
    }
  }
}

/** Copies that a crash, or a download that never began, left behind. */
async function removeStale(folder: string, before: number): Promise<void> {
  for await (const entry of await opendir(folder)) {
    if (!entry.name.startsWith('.copy-')) continue;
    const path = join(folder, entry.name);
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: before }));
    if (mtimeMs < before) await unlink(path).catch(() => {});
  }
}

async function removeCopy(copy: string): Promise<void> {
  for (const end of ['', '-wal', '-shm', '-journal']) await unlink(copy + end).catch(() => {});
}
