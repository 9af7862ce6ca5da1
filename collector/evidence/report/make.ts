/** Makes summary.pdf in a thread of its own: laying out and subsetting fonts would hold up ingest for a second. */
import { Worker } from 'node:worker_threads';
import { TrailmixError } from '../../../core/api/errors.ts';
import { threadFile } from '../../ledger/threads.ts';
import type { ReportFacts } from './facts.ts';

const DEADLINE_MS = 60_000;

/** The bytes of summary.pdf: the same for the same facts. */
export async function makeReport(facts: ReportFacts): Promise<Uint8Array> {
  const thread = new Worker(threadFile('report-thread', import.meta.url), { workerData: facts });
  let deadline: NodeJS.Timeout | undefined;
  try {
    return await new Promise<Uint8Array>((resolve, reject) => {
      const fail = (message: string): void =>
        reject(new TrailmixError('internal', { message: `summary.pdf could not be made: ${message}` }));
      deadline = setTimeout(() => fail('it took too long'), DEADLINE_MS);
      thread.on('message', resolve);
      thread.on('error', error => fail(error instanceof Error ? error.message : 'unknown failure'));
      thread.on('exit', () => fail('its thread ended'));
    });
  } finally {
    clearTimeout(deadline);
    await thread.terminate();
  }
}
