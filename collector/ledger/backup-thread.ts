/** Makes one copy of the database and ends (backup.ts). */
import { closeSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import Database from 'better-sqlite3';
import { TrailmixError } from '../../core/api/errors.ts';
import type { BackupData } from './backup.ts';
import { isDiskFull, unlock } from './database.ts';
import { syncFolder } from './headfile.ts';
import { refusalOf } from './threads.ts';

const { file, key, target } = workerData as BackupData;
const beside = `${target}.part`;

function copy(): void {
  rmSync(beside, { force: true });
  const db = new Database(file, { readonly: true, fileMustExist: true });
  try {
    unlock(db, key);
    db.pragma('temp_store = MEMORY');
    db.prepare('VACUUM INTO ?').run(beside);
  } finally {
    db.close();
  }
  const descriptor = openSync(beside, 'r+');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(beside, target);
  syncFolder(dirname(target));
}

try {
  copy();
  parentPort?.postMessage(undefined);
} catch (error) {
  rmSync(beside, { force: true });
  parentPort?.postMessage(refusalOf(isDiskFull(error) ? new TrailmixError('disk_full') : error));
}
