/**
 * Thread that makes one pack, or counts what one would hold, and ends: it reads the ledger on a connection of its own, so
 * that neither appends nor pages wait for it, and its code is loaded nowhere else. The pack-signing key stays on the
 * main thread, which is asked for each signature. Messages: pack-job.ts.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { readBlob } from '../ledger/blobs.ts';
import { openReadable } from '../ledger/database.ts';
import { faultsOf } from '../ledger/faults.ts';
import { giveBack } from '../ledger/give-back.ts';
import { packReadings } from '../ledger/pack-readings.ts';
import { RecordReader } from '../ledger/records.ts';
import { refusalOf } from '../ledger/threads.ts';
import type { PackAnswer, PackMade, PackOrder, PackTask } from './pack-job.ts';
import { writePack } from './pack-writer.ts';
import { countScope } from './preview.ts';
import { evidenceQueries } from './queries.ts';
import { reportMaker } from './report/make.ts';
import { type LedgerReads, ledgerSource } from './source.ts';

const CACHE_KIB = 16 * 1024;
const port = parentPort;
if (port === null) throw new Error('pack-thread is a worker thread');
const { task, ledgerId, tenantId, database, blobs } = workerData as PackTask & {
  database: { file: string; key: Uint8Array };
  blobs: { folder: string; key: Uint8Array };
};
const answer = (message: PackAnswer): void => port.postMessage(message);
const db = openReadable(database.file, database.key, CACHE_KIB);
const ids = { ledgerId, tenantId };
const reads: LedgerReads = {
  ...packReadings(db, new RecordReader(db, ids), tenantId),
  query: <T>(name: string, parameters: Record<string, unknown>) =>
    db
      .prepare<[Record<string, unknown>], T>(evidenceQueries[name as keyof typeof evidenceQueries])
      .all(parameters),
  blob: sha256 => readBlob(blobs.folder, blobs.key, tenantId, sha256),
};

/** Asks the main thread. One signature at a time. */
const sign = (bytes: Uint8Array): Promise<Uint8Array> =>
  new Promise(resolve => {
    port.once('message', ({ signature }: { signature: Uint8Array }) => resolve(signature));
    answer({ sign: bytes });
  });

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** Whole and synced under the name it was given, which is no pack's: the main thread renames it. */
async function make({ plan, path, faults: faultPlan }: PackOrder): Promise<PackMade> {
  const faults = faultsOf(faultPlan);
  const file = await open(path, 'wx', 0o600);
  const report = reportMaker();
  try {
    const { certificatePem, chainPem, ...rest } = plan;
    // Records have been read by then: what they left behind goes before the report takes its own.
    const makeReport: typeof report.make = facts => {
      giveBack();
      return report.make(facts);
    };
    const whole = { ...rest, signer: { certificatePem, chainPem, sign }, report: makeReport };
    const progress = (at: { step: string; done: number; total: number }): void => answer({ progress: at });
    const written = await writePack(ledgerSource(ids, reads), whole, file, undefined, progress, faults);
    faults('pack_sync');
    await file.sync();
    progress({ step: 'finish', done: plan.scope.count, total: plan.scope.count });
    return { ...written, sha256: await hashOf(path) };
  } finally {
    await file.close();
    await report.close();
  }
}

try {
  if ('path' in task) answer({ made: await make(task) });
  else
    answer({
      counts: await countScope(task.appId, { ...ids, ...task, lines: ledgerSource(ids, reads).lines }),
    });
} catch (error) {
  const { code: errno, stack } = error as NodeJS.ErrnoException;
  answer({ refusal: refusalOf(error), errno, stack });
} finally {
  db.close();
  port.close();
}
