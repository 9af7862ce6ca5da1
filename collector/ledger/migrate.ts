/**
 * Numbered migrations, `migrations/NNNN_name.sql`, each in its own transaction; `user_version` is the last number that
 * ran. An existing database is copied into backups/ (encrypted, as it is) before each. A newer schema is refused.
 */
import { closeSync, copyFileSync, fsyncSync, mkdirSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TrailmixError } from '../../core/api/errors.ts';
import type { Connection } from './database.ts';
import { syncFolder } from './headfile.ts';

export type Migration = { number: number; name: string; sql: string };

const NAME = /^(\d{4})_([a-z0-9_-]+)\.sql$/;

/** The migrations of a folder, by number. Default: the ledger's. */
export function migrationsIn(folder: URL | string = new URL('./migrations/', import.meta.url)): Migration[] {
  const path = typeof folder === 'string' ? folder : fileURLToPath(folder);
  const found: Migration[] = [];
  for (const file of readdirSync(path)) {
    const [, digits, name] = NAME.exec(file) ?? [];
    if (digits === undefined || name === undefined) continue;
    found.push({ number: Number(digits), name, sql: readFileSync(join(path, file), 'utf8') });
  }
  found.sort((a, b) => a.number - b.number);
  for (let i = 1; i < found.length; i++) {
    if (found[i - 1]!.number === found[i]!.number)
      throw new Error(`two migrations have number ${found[i]!.number}`);
  }
  return found;
}

const versionOf = (db: Connection): number => Number(db.pragma('user_version', { simple: true }));

/** Throws ledger_newer, having changed nothing, when the database was written by a newer version. */
export function refuseNewer(db: Connection, migrations: readonly Migration[]): void {
  const version = versionOf(db);
  const newest = migrations.at(-1)?.number ?? 0;
  if (version > newest) {
    throw new TrailmixError('ledger_newer', {
      message: `the ledger has schema ${version}; this version knows schemas up to ${newest}`,
    });
  }
}

/** Brings the schema up to date. Answers the number it came from, undefined where nothing was to do. */
export function migrate(
  db: Connection,
  migrations: readonly Migration[],
  copies: { file: string; folder: string },
): number | undefined {
  refuseNewer(db, migrations);
  const from = versionOf(db);
  const due = migrations.filter(migration => migration.number > from);
  if (due.length === 0) return undefined;
  for (const migration of due) {
    const version = versionOf(db);
    if (from > 0) copyBefore(db, copies, version, migration.number);
    db.transaction(() => {
      db.exec(migration.sql);
      db.pragma(`user_version = ${migration.number}`);
    }).immediate();
  }
  return from;
}

function copyBefore(
  db: Connection,
  copies: { file: string; folder: string },
  from: number,
  to: number,
): void {
  mkdirSync(copies.folder, { recursive: true, mode: 0o700 });
  const target = join(copies.folder, `ledger-schema-${from}-before-${to}.db`);
  const [state] = db.pragma('wal_checkpoint(TRUNCATE)') as { busy: number }[];
  if (state?.busy !== 0)
    throw new Error('the database is in use: no copy could be made before its migration');
  copyFileSync(copies.file, target);
  const descriptor = openSync(target, 'r+');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  syncFolder(copies.folder);
}
