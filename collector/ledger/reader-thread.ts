/**
 * The reader's thread: answers everything that pages and packs ask, on read connections, so that a heavy question never
 * delays an append. It sees each commit as soon as it is durable.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { openReadable } from './database.ts';
import { giveBack } from './give-back.ts';
import type { ReaderData } from './messages.ts';
import { readings } from './readings.ts';
import { serve } from './threads.ts';

const data = workerData as ReaderData;
const db = openReadable(data.places.ledger, data.secrets.database, 16 * 1024);
const table = readings(db, data);

serve((kind, input: readonly never[]) => {
  if (kind === 'close') {
    db.close();
    setImmediate(() => parentPort?.close());
    return undefined;
  }
  if (kind === 'give_back') return giveBack();
  const reading = table[kind];
  if (reading === undefined) throw new Error(`the reader knows no ${kind}`);
  return reading(...input);
});
