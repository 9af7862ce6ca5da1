/**
 * Restoring a backup, a deliberate act: the folder gets a new ledger with its own id, keys and numbering, whose record 0
 * cites the old ledger's last checkpoint, its last record and the range that may be lost, signed by the old event key.
 * The old database stays beside it, as it was, in epochs/. Nothing stands in the folder unless all of it does: the work
 * is done in a folder beside, which then takes its place. Format: docs/security.md, "Backups and restoring".
 */
import { createPrivateKey, randomBytes, sign } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { TrailmixError } from '../../core/api/errors.ts';
import { base64, fromUtf8, utf8 } from '../../core/proof/bytes.ts';
import { PREFIX } from '../../core/proof/hash.ts';
import { type JsonObject, jcs } from '../../core/proof/jcs.ts';
import { DEFAULT_TENANT, LEDGER_APP } from '../../core/proof/record.ts';
import { systemIds } from '../clock.ts';
import { openReadable } from '../ledger/database.ts';
import { openLedger } from '../ledger/open.ts';
import { RecordReader } from '../ledger/records.ts';
import type { Ledger } from '../ports.ts';
import { BLOBS, EPOCHS, LEDGER_COPY, type ListedTenant, TENANT_LIST, TENANTS } from './backup.ts';
import {
  type BackupFile,
  type BackupHeader,
  ByteReader,
  openBackup,
  readBackupHeader,
} from './backup-file.ts';
import type { CustodyChoice } from './custody.ts';
import { syncFolder } from './durable.ts';
import { entropyOf } from './phrase.ts';
import type { SecretBytes } from './secret.ts';
import {
  createVault,
  derivedKey,
  epochsOf,
  type OpenVault,
  openFile,
  recoverMaster,
  thisHost,
  type VaultHost,
} from './vault.ts';
import { parseVaultFile, VAULT_FILE } from './vault-file.ts';

/** What the new ledger says of the old one; stands in `ledger.opened` and `restore.accepted`. */
export type RestoredFrom = {
  ledger_id: string;
  tenant_id: string;
  /** The last record that the backup has. */
  head: { seq: number; hash_self: string; received_at: string };
  /** The last checkpoint that the backup has, as a signed note. */
  checkpoint: { size: number; note: string };
  backup_made_at: string;
  /** Records of the old ledger beyond these may have existed; the backup cannot know. */
  may_be_lost: { after_seq: number; after: string };
};

export type Restored = {
  ledgerId: string;
  oldLedgerId: string;
  /** Of the default tenant. */
  from: RestoredFrom;
  /** The other tenants, where the backup has several. */
  tenants: { tenantId: string; from: RestoredFrom }[];
  /** Tenants of the old installation that the backup does not hold. */
  leftOut: string[];
  /** Where the key file is, if that is the custody. */
  keyFile?: string;
};

/**
 * Throws backup_unreadable, vault_secret_wrong, restore_refused (without acceptHead, after file and phrase were found
 * right), folder_not_empty, and what createVault throws. Whenever it throws, the folder is as it was.
 */
export async function restore(options: {
  file: string;
  phrase: string;
  folder: string;
  custody: CustodyChoice;
  acceptHead: boolean;
  host?: VaultHost;
}): Promise<Restored> {
  const { file, phrase, custody, acceptHead, host = thisHost } = options;
  const folder = resolve(options.folder);
  const entropy = entropyOf(phrase);
  const source = new ByteReader(createReadStream(file));
  try {
    const header = await readHeader(source, file);
    const master = recoverMaster(header, phrase);
    if (!acceptHead) {
      throw new TrailmixError('restore_refused', {
        message: `This backup of ledger ${header.ledger_id} was made at ${header.made_at}; whatever was recorded after is lost by restoring it.`,
      });
    }
    await refuseNotEmpty(folder);
    const beside = join(dirname(folder), `.${basename(folder)}.${randomBytes(6).toString('hex')}.restoring`);
    await mkdir(join(beside, EPOCHS), { recursive: true, mode: 0o700 });
    try {
      const { vaultFile, list } = await unpack(source, header, master, beside);
      const { restored, undo } = await begin({
        beside,
        folder,
        header,
        master,
        entropy,
        vaultFile,
        list,
        custody,
        host,
      });
      await takePlace(beside, folder).catch(async error => {
        await undo();
        throw error;
      });
      return restored;
    } catch (error) {
      await rm(beside, { recursive: true, force: true });
      throw (error as NodeJS.ErrnoException).code === 'ENOSPC' ? new TrailmixError('disk_full') : error;
    }
  } finally {
    await source.close();
  }
}

async function readHeader(source: ByteReader, file: string): Promise<BackupHeader> {
  try {
    return await readBackupHeader(source);
  } catch (error) {
    if (error instanceof TrailmixError) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new TrailmixError('backup_unreadable', {
      where: file,
      message: `${file} cannot be read (${code}).`,
    });
  }
}

async function refuseNotEmpty(folder: string): Promise<void> {
  const entries = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error.code === 'ENOTDIR' ? new TrailmixError('folder_not_empty', { where: folder }) : error;
  });
  if (entries.length > 0) {
    throw new TrailmixError('folder_not_empty', { where: folder, message: `${folder} is not empty.` });
  }
}

/** Writes the old ledgers into epochs/ and answers vault.json and the list of tenants. Throws backup_unreadable. */
async function unpack(
  source: ByteReader,
  header: BackupHeader,
  master: SecretBytes,
  beside: string,
): Promise<{ vaultFile: Uint8Array; list: ListedTenant[] }> {
  const key = derivedKey({ ledgerId: header.ledger_id, master }, 'backup');
  let vaultFile: Uint8Array | undefined;
  let list: ListedTenant[] = [];
  const written = new Set<string>();
  for await (const file of openBackup(source, header, key)) {
    if (file.name === VAULT_FILE) {
      vaultFile = await bytesOf(file);
      continue;
    }
    if (file.name === TENANT_LIST) {
      list = listOf(await bytesOf(file));
      continue;
    }
    const place = placeOf(file.name, header.ledger_id);
    if (place === undefined) {
      throw new TrailmixError('backup_unreadable', {
        message: 'The backup holds a file that this version does not know.',
      });
    }
    await writeOut(file, join(beside, place));
    written.add(file.name);
  }
  const wanted = list
    .filter(({ tenant_id, held }) => held && tenant_id !== DEFAULT_TENANT)
    .map(({ tenant_id }) => `${TENANTS}/${tenant_id}/${LEDGER_COPY}`);
  if (vaultFile === undefined || ![LEDGER_COPY, ...wanted].every(name => written.has(name))) {
    throw new TrailmixError('backup_unreadable', { message: 'The backup lacks its ledger or its vault.' });
  }
  return { vaultFile, list };
}

async function bytesOf(file: BackupFile): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of file.bytes) parts.push(part);
  return Buffer.concat(parts);
}

/** Throws backup_unreadable. */
function listOf(bytes: Uint8Array): ListedTenant[] {
  const list = JSON.parse(fromUtf8(bytes)) as ListedTenant[];
  if (!list.every(({ tenant_id }) => TENANT_ID.test(tenant_id))) throw new TrailmixError('backup_unreadable');
  return list;
}

const TENANT_ID = /^[a-z0-9][a-z0-9-]{0,63}$/;
const OF_TENANT = /^tenants\/([a-z0-9][a-z0-9-]{0,63})\/(.+)$/;

/** Where a file of the backup lies in the restored data folder. */
function placeOf(name: string, ledgerId: string): string | undefined {
  const [, tenantId, inner] = OF_TENANT.exec(name) ?? [];
  const place = epochPlace(inner ?? name, ledgerId);
  if (place === undefined) return undefined;
  return tenantId === undefined ? join(EPOCHS, place) : join(TENANTS, tenantId, EPOCHS, place);
}

function epochPlace(name: string, ledgerId: string): string | undefined {
  if (name === LEDGER_COPY) return `${ledgerId}.db`;
  if (name.startsWith(`${BLOBS}/`)) return `${ledgerId}.blobs/${name.slice(BLOBS.length + 1)}`;
  if (name.startsWith(`${EPOCHS}/`)) return name.slice(EPOCHS.length + 1);
  return undefined;
}

async function writeOut(file: BackupFile, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const handle = await open(path, 'wx', 0o600);
  try {
    for await (const part of file.bytes) await handle.writeFile(part);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes the new vault and the new ledger in the folder beside. */
async function begin(parts: {
  beside: string;
  folder: string;
  header: BackupHeader;
  master: SecretBytes;
  entropy: SecretBytes;
  vaultFile: Uint8Array;
  list: readonly ListedTenant[];
  custody: CustodyChoice;
  host: VaultHost;
}): Promise<{ restored: Restored; undo: () => Promise<void> }> {
  const { beside, folder, header, master, entropy, list, custody, host } = parts;
  const oldFile = parseVaultFile(parts.vaultFile);
  if (oldFile.ledger_id !== header.ledger_id) throw new TrailmixError('backup_unreadable');
  const old = openFile(beside, oldFile, master, host);
  const endOf = (tenantId: string): RestoredFrom => {
    const own = tenantId === DEFAULT_TENANT ? beside : join(beside, TENANTS, tenantId);
    const end = readEnd(join(own, EPOCHS, `${old.ledgerId}.db`), old.forTenant(tenantId), header.made_at);
    if (end.tenant_id !== tenantId) throw new TrailmixError('backup_unreadable');
    return end;
  };
  const from = endOf(DEFAULT_TENANT);
  const others = list
    .filter(({ tenant_id, held }) => held && tenant_id !== DEFAULT_TENANT)
    .map(({ tenant_id: tenantId, name }) => ({ tenantId, name, from: endOf(tenantId) }));
  const epochs = [{ ledgerId: old.ledgerId, master }, ...epochsOf(oldFile, master)];
  const { vault, undo } = await createVault({
    folder: beside,
    custody,
    host,
    dataFolder: folder,
    from: { entropy, epochs },
  });
  try {
    const beginOne = (tenantId: string, end: RestoredFrom, name?: string) =>
      beginLedger({ beside, tenantId, vault, host, members: signedBy(old, vault, end), name });
    const home = await beginOne(DEFAULT_TENANT, from);
    try {
      for (const { tenantId, name, from: end } of others) {
        const ledger = await beginOne(tenantId, end, name);
        const opened = String((await ledger.read.record(0))?.hash_self);
        await ledger.close();
        await home.write.run('createTenant', { tenantId, name, opened, by: 'restore' });
      }
      await home.write.run('checkpoint', {});
    } finally {
      await home.close();
    }
    const keyFile = vault.keyFile === undefined ? {} : { keyFile: vault.keyFile };
    const restored: Restored = {
      ledgerId: vault.ledgerId,
      oldLedgerId: old.ledgerId,
      from,
      tenants: others.map(({ tenantId, from: end }) => ({ tenantId, from: end })),
      leftOut: list.filter(({ held }) => !held).map(({ tenant_id }) => tenant_id),
      ...keyFile,
    };
    return { restored, undo };
  } catch (error) {
    await undo();
    throw error;
  }
}

/** The new ledger of one tenant, open; its record 0 and what says that it was restored are written. */
async function beginLedger(parts: {
  beside: string;
  tenantId: string;
  vault: OpenVault;
  host: VaultHost;
  members: JsonObject;
  name: string | undefined;
}): Promise<Ledger> {
  const { beside, tenantId, vault, host, members, name } = parts;
  const folder = tenantId === DEFAULT_TENANT ? beside : join(beside, TENANTS, tenantId);
  const tenant = name === undefined ? {} : { tenant: { id: tenantId, name } };
  const ledger = await openLedger({
    folder,
    tenantId,
    vault: vault.forTenant(tenantId),
    clock: { now: () => host.now() },
    ids: systemIds,
    log: silent,
    // The folder is known to nobody yet; a tenant's folder has no lock of its own.
    locked: tenantId !== DEFAULT_TENANT,
    create: { members: { ...members, ...tenant } },
  });
  try {
    await ledger.write.run('record', {
      appId: LEDGER_APP,
      eventType: 'restore.accepted',
      members: { name: 'A backup was restored', ...members },
    });
    await ledger.write.run('checkpoint', {});
    return ledger;
  } catch (error) {
    await ledger.close();
    throw error;
  }
}

const silent = { info: () => {}, warn: () => {} };

/** How far the old ledger goes, from its own database. Throws backup_unreadable. */
function readEnd(file: string, old: OpenVault, madeAt: string): RestoredFrom {
  const db = openReadable(file, old.derive('database'), 1024);
  try {
    const owner = db.prepare<[], { ledger_id: string; tenant_id: string }>('SELECT * FROM ledger').get();
    if (owner?.ledger_id !== old.ledgerId) throw new TrailmixError('backup_unreadable');
    const records = new RecordReader(db, { ledgerId: owner.ledger_id, tenantId: owner.tenant_id });
    const last = records.record(records.lastSeq());
    const checkpoint = db
      .prepare<[], { size: number; note: string }>(
        'SELECT size, note FROM checkpoint ORDER BY size DESC LIMIT 1',
      )
      .get();
    if (last === undefined || checkpoint === undefined) {
      throw new TrailmixError('backup_unreadable', { message: 'The backup holds no checkpoint.' });
    }
    return {
      ledger_id: owner.ledger_id,
      tenant_id: owner.tenant_id,
      head: { seq: last.seq, hash_self: last.hash_self, received_at: last.received_at },
      checkpoint,
      backup_made_at: madeAt,
      may_be_lost: { after_seq: last.seq, after: last.received_at },
    };
  } finally {
    db.close();
  }
}

/**
 * Members of the new ledger's first record. `old_key_sig` = base64 Ed25519 by the old event key over
 * "trailmix/restore/v1\n" + JCS({event_key, ledger_id, restored_from}) of the new ledger: who restored held the old key.
 */
function signedBy(old: OpenVault, vault: OpenVault, from: RestoredFrom): JsonObject {
  const restored_from = from as unknown as JsonObject;
  const statement = {
    restored_from,
    ledger_id: vault.ledgerId,
    event_key: base64(vault.eventKey.publicKey),
  };
  const key = createPrivateKey({ key: Buffer.from(old.eventKey.privateKey), format: 'der', type: 'pkcs8' });
  const signature = sign(null, utf8(PREFIX.restore + jcs(statement)), key);
  return { restored_from, old_key_id: old.eventKey.keyId, old_key_sig: base64(signature) };
}

/** The finished folder takes the place of the empty or missing one, in one step. */
async function takePlace(beside: string, folder: string): Promise<void> {
  await rmdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw new TrailmixError('folder_not_empty', { where: folder });
  });
  await rename(beside, folder);
  await syncFolder(dirname(folder));
}
