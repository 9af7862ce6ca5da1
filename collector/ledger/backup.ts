/**
 * An online copy of the database, as one consistent file under the same key: VACUUM INTO sees one moment and holds up
 * no append; it runs in a thread of its own. Written beside, synced, then named; nothing is left behind on failure.
 */
import { Worker } from 'node:worker_threads';
import { TrailmixError } from '../../core/api/errors.ts';
import { errorOf, type Refusal, threadFile } from './threads.ts';

export type BackupData = { file: string; key: Uint8Array; target: string };

/** Throws disk_full. An existing target is replaced. */
export function backupDatabase(file: string, key: Uint8Array, target: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const workerData: BackupData = { file, key, target };
  const worker = new Worker(threadFile('backup-thread', import.meta.url), { workerData });
  worker.on('message', (refusal: Refusal | undefined) => {
    if (refusal === undefined) resolve();
    else reject(errorOf(refusal));
  });
  worker.on('error', error =>
    reject(new TrailmixError('internal', { message: `no backup: ${error.message}` })),
  );
  return promise;
}
