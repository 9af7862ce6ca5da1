/**
 * Background verifier: recomputes everything the ledger claims, over all records, again and again, on a read connection
 * of its own. It yields: it works in small chunks and rests between them, longer while the ledger is large.
 * The first pass checks signatures; later passes first compare each block's bytes with what was checked (a digest in
 * memory), and check in full only what differs. So a changed byte is found within one pass.
 */
import { setTimeout as rest } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import type { VerifierData } from './messages.ts';
import { Verifier, type VerifierReport } from './verifier.ts';

const data = workerData as VerifierData;
const port = parentPort;
if (port === null) throw new Error('not a worker thread');

/** Share of one core that a pass over a large ledger takes. */
const DUTY = 0.3;
/** A ledger up to this many records is checked without pauses. */
const SMALL = 5000;

const verifier = new Verifier(data);
let closing = false;
port.on('message', () => {
  closing = true;
});

function report(state: VerifierReport): void {
  port!.postMessage(state);
}

while (!closing) {
  const pass = verifier.pass();
  for (;;) {
    const started = performance.now();
    const { done, value } = pass.next();
    if (value !== undefined) report(value);
    if (done || closing) break;
    const took = performance.now() - started;
    await rest(verifier.size > SMALL ? took * (1 / DUTY - 1) : 0);
  }
  const until = performance.now() + data.restMs;
  // New records are checked soon; a whole pass begins again after the rest.
  while (!closing && performance.now() < until) {
    await rest(Math.min(250, data.restMs));
    for (const value of verifier.fresh()) {
      report(value);
      if (closing) break;
    }
  }
}
verifier.close();
port.close();
