/**
 * What works behind the ledger, in one thread, for a thread of its own costs each of them some 12 MB: the indexer
 * (indexer.ts) and the verifier. The verifier goes on where there is no index.
 * The verifier recomputes everything the ledger claims, over all records, again and again, on a read connection
 * of its own. It yields: it works in small chunks and rests between them, longer while the ledger is large.
 * The first pass checks signatures; later passes first compare each block's bytes with what was checked (a digest in
 * memory), and check in full only what differs. So a changed byte is found within one pass.
 */
import { setTimeout as rest } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { giveBack } from './give-back.ts';
import { Indexer } from './indexer.ts';
import type { BackgroundData, BackgroundNotice, BackgroundRequest } from './messages.ts';
import { pacer } from './pace.ts';
import { Verifier, type VerifierReport } from './verifier.ts';

const data = workerData as BackgroundData;
if (parentPort === null) throw new Error('not a worker thread');
const port = parentPort;

/** Share of one core that a pass over a large ledger takes. */
const DUTY = 0.5;
/** A ledger up to this many records is checked without pauses. */
const SMALL = 5000;
const MOST_REST_MS = 600_000;
/** New records are looked for this often. */
const FRESH_MS = 250;

const say = (notice: BackgroundNotice): void => port.postMessage(notice);
const pace = pacer();

const unindexed = (error: unknown): void =>
  say({ kind: 'unindexed', message: error instanceof Error ? error.message : 'unknown failure' });
let indexer: Indexer | undefined;
try {
  indexer = new Indexer(data, pace);
} catch (error) {
  unindexed(error);
}
const verifier = new Verifier(data);
say({ kind: 'ready', indexed: indexer !== undefined });

port.on('message', (request: BackgroundRequest) => {
  if (request.kind === 'give_back') return giveBack();
  if (request.kind === 'reindex') {
    try {
      indexer?.restart();
      return say({ kind: 'reindexed' });
    } catch (error) {
      return say({ kind: 'reindexed', message: error instanceof Error ? error.message : 'unknown failure' });
    }
  }
  pace.heard(request.events);
  indexer?.wake();
});
indexer?.run().catch(unindexed);

/** Works through the reports of a pass, resting between its chunks. */
async function walk(reports: Generator<VerifierReport, VerifierReport | undefined>): Promise<void> {
  for (;;) {
    const started = performance.now();
    const { done, value } = reports.next();
    if (value !== undefined) say({ kind: 'verified', report: value });
    if (done) return;
    await rest(pace.after(performance.now() - started, verifier.size > SMALL ? DUTY : 1));
  }
}

for (;;) {
  const began = performance.now();
  await walk(verifier.pass());
  // A pass over a large ledger takes minutes: the rest grows with it, so that idling stays cheap.
  const restMs = Math.max(data.restMs, Math.min(MOST_REST_MS, 3 * (performance.now() - began)));
  const until = performance.now() + restMs;
  // New records are checked soon; a whole pass begins again after the rest.
  while (performance.now() < until) {
    await rest(Math.min(FRESH_MS, data.restMs));
    await walk(verifier.fresh());
  }
}
