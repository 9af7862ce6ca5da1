/**
 * The data folder: where its parts lie, and the lock that gives it to one process. The lock is the operating
 * system's, held through an exclusive SQLite transaction on an empty file: it ends with the process, however that
 * ends, so a kill never blocks the next start. Beside it `lock.json` says who holds it.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { TrailmixError } from '../../core/api/errors.ts';
import { sqliteCode } from './database.ts';
import type { Places } from './messages.ts';

export function placesOf(folder: string): Places {
  return {
    folder,
    ledger: join(folder, 'ledger.db'),
    search: join(folder, 'search.db'),
    headFile: join(folder, 'head.log'),
    blobs: join(folder, 'blobs'),
    backups: join(folder, 'backups'),
  };
}

export type Holder = { pid: number; since: string };

/** Who says to hold the folder. Not proof that it is held: see lockFolder. */
export function holderOf(folder: string): Holder | undefined {
  try {
    const value = JSON.parse(readFileSync(join(folder, 'lock.json'), 'utf8')) as Holder;
    return Number.isSafeInteger(value.pid) && typeof value.since === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Takes the folder for this process until `release`. Throws ledger_in_use with who holds it and since when. */
export function lockFolder(folder: string, now: number): { release: () => void } {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const lock = new Database(join(folder, 'lock'), { timeout: 0 });
  try {
    lock.pragma('journal_mode = MEMORY');
    lock.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    lock.close();
    if (sqliteCode(error) !== 'SQLITE_BUSY') throw error;
    const holder = holderOf(folder);
    const who = holder === undefined ? 'another process' : `process ${holder.pid}, since ${holder.since}`;
    throw new TrailmixError('ledger_in_use', { message: `this data folder is held by ${who}` });
  }
  const info = join(folder, 'lock.json');
  writeFileSync(info, `${JSON.stringify({ pid: process.pid, since: new Date(now).toISOString() })}\n`, {
    mode: 0o600,
  });
  let held = true;
  return {
    release() {
      if (!held) return;
      held = false;
      rmSync(info, { force: true });
      lock.close();
    },
  };
}
