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
import { utf8 } from '../../core/proof/bytes.ts';
import { DEFAULT_TENANT } from '../../core/proof/record.ts';
import type { Clock, KeyVault, Ledger } from '../ports.ts';
import { type BackupFile, backupHeader, sealBackup } from './backup-file.ts';
import { readVaultFile, VAULT_FILE } from './vault-file.ts';

/** Names inside a backup. */
export const LEDGER_COPY = 'ledger.db';
export const BLOBS = 'blobs';
export const EPOCHS = 'epochs';
/** The same three of each tenant but the default one stand in a folder of its id. */
export const TENANTS = 'tenants';
/** Which tenants there are, where there are several: `[{tenant_id, name, held}]`; one that is not held could not be read. */
export const TENANT_LIST = 'tenants.json';

export type ListedTenant = { tenant_id: string; name: string; held: boolean };

export type TenantParts = {
  tenantId: string;
  name: string;
  /** The tenant's folder. */
  folder: string;
  /** Absent where it is not open. */
  ledger?: Pick<Ledger, 'write' | 'backupTo'>;
};

const STALE_MS = 24 * 60 * 60 * 1000;

export type BackupParts = {
  vault: Pick<KeyVault, 'ledgerId' | 'derive'>;
  /** The data folder. */
  folder: string;
  clock: Clock;
  /** The default one first. */
  tenants: readonly TenantParts[];
};

type Copied = TenantParts & { copy: string };

/**
 * A backup as a stream, for a download or a file. Its temporary database copies are gone when the stream ends or is
 * closed; one that was never begun leaves them until the next day's backup. `leftOut`: tenants that are not open, and so
 * not in it. Throws vault_damaged, disk_full.
 */
export async function backupStream(parts: BackupParts): Promise<{
  name: string;
  madeAt: string;
  leftOut: string[];
  stream: AsyncGenerator<Uint8Array>;
}> {
  const { vault, folder, clock, tenants } = parts;
  const file = await readVaultFile(folder);
  if (file === undefined || file.ledger_id !== vault.ledgerId) {
    throw new TrailmixError('vault_damaged', { message: 'vault.json is not that of the open ledger.' });
  }
  const madeAt = new Date(clock.now()).toISOString();
  const copies: Copied[] = [];
  const removeCopies = async (): Promise<void> => {
    for (const { copy } of copies) await removeCopy(copy);
  };
  try {
    for (const tenant of tenants) {
      const { ledger } = tenant;
      if (ledger === undefined) continue;
      const copy = join(tenant.folder, 'backups', `.copy-${randomBytes(6).toString('hex')}.db`);
      await mkdir(dirname(copy), { recursive: true, mode: 0o700 });
      await removeStale(dirname(copy), clock.now() - STALE_MS);
      copies.push({ ...tenant, copy });
      await ledger.write.run('checkpoint', {});
      await ledger.backupTo(copy);
    }
  } catch (error) {
    await removeCopies();
    throw error;
  }
  async function* stream(): AsyncGenerator<Uint8Array> {
    try {
      yield* sealBackup(
        backupHeader(file!, madeAt, randomBytes(32)),
        vault.derive('backup'),
        filesOf(folder, tenants, copies),
      );
    } finally {
      await removeCopies();
    }
  }
  const leftOut = tenants.filter(({ ledger }) => ledger === undefined).map(({ tenantId }) => tenantId);
  const name = `trailmix-${vault.ledgerId.slice(0, 8)}-${madeAt.slice(0, 19).replaceAll(/[-:]/g, '')}Z.backup`;
  return { name, madeAt, leftOut, stream: stream() };
}

async function* filesOf(
  folder: string,
  tenants: readonly TenantParts[],
  copies: readonly Copied[],
): AsyncGenerator<BackupFile> {
  const vaultFile = await readFile(join(folder, VAULT_FILE));
  yield { name: VAULT_FILE, size: vaultFile.length, bytes: once(vaultFile) };
  if (tenants.length > 1) {
    const list: ListedTenant[] = tenants.map(({ tenantId, name, ledger }) => ({
      tenant_id: tenantId,
      name,
      held: ledger !== undefined,
    }));
    const bytes = utf8(JSON.stringify(list));
    yield { name: TENANT_LIST, size: bytes.length, bytes: once(bytes) };
  }
  for (const { tenantId, folder: own, copy } of copies) {
    const place = tenantId === DEFAULT_TENANT ? '' : `${TENANTS}/${tenantId}/`;
    yield { name: place + LEDGER_COPY, size: (await stat(copy)).size, bytes: createReadStream(copy) };
    for (const name of [BLOBS, EPOCHS])
      for await (const file of tree(own, name)) yield { ...file, name: place + file.name };
  }
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
