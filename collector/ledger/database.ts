/**
 * Connections to the encrypted databases: cipher, key and pragmas in one place. ChaCha20-Poly1305, 8 KiB pages
 * (docs/adr/0002-storage-engine.md). Nothing is ever in clear on disk: temporary tables stay in memory, the
 * write-ahead log holds encrypted pages. The key is raw: 32 bytes from the vault, no derivation at open.
 */
import { workerData } from 'node:worker_threads';
import Database from 'better-sqlite3';

export type Connection = Database.Database;

const PAGE_SIZE = 8192;

/** Gives a fresh connection its cipher and key. Before anything else is asked of it. */
export function unlock(db: Connection, key: Uint8Array): void {
  db.pragma("cipher = 'chacha20'");
  db.pragma(`key = 'raw:${Buffer.from(key).toString('hex')}'`);
}

/**
 * Whether this key opens this file. Reads only, so a wrong key can change nothing (a writable connection would
 * fold a write-ahead log left by a crash into the database as it closes).
 */
export function keyOpens(file: string, key: Uint8Array): boolean {
  let db: Connection | undefined;
  try {
    db = new Database(file, { readonly: true, fileMustExist: true });
    unlock(db, key);
    db.prepare('SELECT count(*) FROM sqlite_schema').get();
    return true;
  } catch (error) {
    if (sqliteCode(error) === 'SQLITE_NOTADB') return false;
    throw error;
  } finally {
    db?.close();
  }
}

/** In a DatabaseThread (threads.ts): says that SQLite is loaded. */
function tellLoaded(): void {
  const { sqliteLoaded: loaded } = (workerData ?? {}) as { sqliteLoaded?: Int32Array };
  if (loaded === undefined) return;
  Atomics.store(loaded, 0, 1);
  Atomics.notify(loaded, 0);
}

/** The one writable connection of a file. `synchronous = FULL` in WAL mode syncs the log at every commit. */
export function openWritable(
  file: string,
  key: Uint8Array,
  tune: { cacheKiB: number; durable: boolean },
): Connection {
  const db = new Database(file);
  tellLoaded();
  try {
    unlock(db, key);
    db.pragma(`page_size = ${PAGE_SIZE}`);
    db.pragma('temp_store = MEMORY');
    db.pragma('journal_mode = WAL');
    db.pragma(`synchronous = ${tune.durable ? 'FULL' : 'NORMAL'}`);
    db.pragma('fullfsync = ON');
    db.pragma('checkpoint_fullfsync = ON');
    db.pragma('secure_delete = ON');
    db.pragma('trusted_schema = OFF');
    db.pragma('wal_autocheckpoint = 2000');
    db.pragma(`journal_size_limit = ${64 * 1024 * 1024}`);
    db.pragma(`cache_size = -${tune.cacheKiB}`);
    db.pragma('busy_timeout = 5000');
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** A read connection. It can see every commit and change nothing. */
export function openReadable(file: string, key: Uint8Array, cacheKiB: number): Connection {
  const db = new Database(file, { readonly: true, fileMustExist: true });
  tellLoaded();
  try {
    unlock(db, key);
    db.pragma('temp_store = MEMORY');
    db.pragma('query_only = ON');
    db.pragma('trusted_schema = OFF');
    db.pragma(`cache_size = -${cacheKiB}`);
    db.pragma('busy_timeout = 5000');
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Makes another encrypted database visible to this connection under a name. */
export function attach(db: Connection, file: string, name: string, key: Uint8Array): void {
  db.prepare(`ATTACH DATABASE ? AS ${name} KEY ?`).run(file, `raw:${Buffer.from(key).toString('hex')}`);
}

/** SQLite's own code of an error, or undefined. */
export function sqliteCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : undefined;
}

/** Whether the error says that the disk has no room: SQLite's, or a file system call's. */
export function isDiskFull(error: unknown): boolean {
  const code = sqliteCode(error);
  return code === 'SQLITE_FULL' || code === 'ENOSPC' || code === 'EDQUOT';
}
