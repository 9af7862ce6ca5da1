/**
 * Keeps the search index up with the ledger, in the background and gently: while events come it takes a part of a core,
 * else it works until it has caught up. What is not indexed yet the reader scans, so search is complete all along.
 */
import { setTimeout as rest } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { openReadable } from './database.ts';
import type { IndexerData } from './messages.ts';
import { pacer } from './pace.ts';
import { RecordReader, recordView } from './records.ts';
import { openIndex, termsOf } from './search-index.ts';

/** Records of one transaction of the index. */
const CHUNK = 500;
/** How long a few new records are left to the scan before they are indexed together. */
const GATHER_MS = 250;

const data = workerData as IndexerData;
const port = parentPort;
if (port === null) throw new Error('not a worker thread');

const index = openIndex(data.places.search, data.secrets.search, data.ledgerId);
const ledger = openReadable(data.places.ledger, data.secrets.database, 2048);
const records = new RecordReader(ledger, data);
const insert = index.prepare('INSERT INTO terms (rowid, t) VALUES (?, ?)');
const insertRun = index.prepare('INSERT INTO run_of (seq, run) VALUES (?, ?)');
const setNext = index.prepare('UPDATE reached SET next = ?');
let next = index.prepare<[], { next: number }>('SELECT next FROM reached').get()!.next;

port.postMessage('ready');

const pace = pacer();
let wake: () => void = () => {};
port.on('message', (events: number) => {
  pace.heard(events);
  wake();
});

const indexChunk = index.transaction((to: number) => {
  for (const row of records.rows(next, to)) {
    insert.run(row.head.seq, termsOf(recordView(row)).join(' '));
    if (row.run !== null) insertRun.run(row.head.seq, row.run);
  }
  setNext.run(to + 1);
});

for (;;) {
  const last = records.lastSeq();
  if (next > last) {
    const { promise, resolve } = Promise.withResolvers<void>();
    wake = resolve;
    await promise;
    // A few records can wait: search scans them, and whoever is waiting for a decision gets the core.
    if (records.lastSeq() - next < CHUNK) await rest(GATHER_MS);
    continue;
  }
  const started = performance.now();
  const to = Math.min(last, next + CHUNK - 1);
  indexChunk(to);
  next = to + 1;
  const took = performance.now() - started;
  await rest(pace.after(took, 1));
}
