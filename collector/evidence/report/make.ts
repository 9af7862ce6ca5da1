/**
 * Makes summary.pdf in a thread of its own, which is begun beforehand: its code loads while records are read, and its
 * memory goes when it ends.
 */
import { Worker } from 'node:worker_threads';
import { TrailmixError } from '../../../core/api/errors.ts';
import { threadFile } from '../../ledger/threads.ts';
import type { ReportFacts } from './facts.ts';

/** Seconds of work at most; on a machine that is busy with others they take longer by the clock. */
const DEADLINE_MS = 600_000;
/** MiB. A small young generation costs little and spares memory. */
const LIMITS = { maxYoungGenerationSizeMb: 12 };

export type ReportMaker = {
  /** The bytes of summary.pdf: the same for the same facts. Once. */
  make(facts: ReportFacts): Promise<Uint8Array>;
  close(): Promise<void>;
};

export function reportMaker(): ReportMaker {
  const thread = new Worker(threadFile('report-thread', import.meta.url), { resourceLimits: LIMITS });
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  promise.catch(() => {}); // Whoever makes it hears of it; who stops before does not.
  const fail = (message: string): void =>
    reject(new TrailmixError('internal', { message: `summary.pdf could not be made: ${message}` }));
  thread.on('message', resolve);
  thread.on('error', error =>
    fail(error instanceof Error ? (error.stack ?? error.message) : 'unknown failure'),
  );
  thread.on('exit', () => fail('its thread ended'));
  return {
    async make(facts) {
      const deadline = setTimeout(() => fail('it took too long'), DEADLINE_MS);
      try {
        thread.postMessage(facts);
        return await promise;
      } finally {
        clearTimeout(deadline);
        await thread.terminate();
      }
    },
    close: async () => void (await thread.terminate()),
  };
}
