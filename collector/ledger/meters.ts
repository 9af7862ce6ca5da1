/** What an open ledger measures of itself: events per second, the disk, and when it is calm. Timers keep no process alive. */
import { stat, statfs } from 'node:fs/promises';
import type { LedgerLog } from './open.ts';

/** Events per second are counted over this window. */
const RATE_WINDOW_MS = 5000;
const DISK_EVERY_MS = 5000;
/** So long without an event is calm; what a burst left in memory is then given back. */
const CALM_MS = 5000;
/** Events that leave something worth a collection. */
const BURST = 10_000;

/** Calls `rest` in the first calm moment after the start, and after each `BURST` of events. */
export function calmTimer(rest: () => void) {
  let events = BURST;
  let timer: NodeJS.Timeout | undefined;
  const heard = (count: number): void => {
    events += count;
    if (events < BURST) return;
    if (timer !== undefined) timer.refresh();
    else {
      timer = setTimeout(() => {
        timer = undefined;
        events = 0;
        rest();
      }, CALM_MS).unref();
    }
  };
  heard(0);
  return { heard, stop: () => clearTimeout(timer) };
}

export function rateMeter() {
  const commits: { at: number; events: number }[] = [];
  const trim = () => {
    const since = performance.now() - RATE_WINDOW_MS;
    while (commits.length > 0 && commits[0]!.at < since) commits.shift();
  };
  return {
    add(events: number) {
      trim();
      commits.push({ at: performance.now(), events });
    },
    perSecond() {
      trim();
      return commits.reduce((sum, one) => sum + one.events, 0) / (RATE_WINDOW_MS / 1000);
    },
  };
}

/** Free space and the database's size, read now and then; warns once each time the disk becomes low. */
export async function diskMeter(folder: string, ledger: string, lowBytes: number, log: LedgerLog) {
  let free = Number.MAX_SAFE_INTEGER;
  let size = 0;
  let warned = false;
  const sizeOf = (file: string) =>
    stat(file).then(
      found => found.size,
      () => 0,
    );
  async function measure(): Promise<void> {
    const space = await statfs(folder);
    free = space.bavail * space.bsize;
    size = (await sizeOf(ledger)) + (await sizeOf(`${ledger}-wal`));
    if (free < lowBytes && !warned)
      log.warn('little disk space is left', { code: 'disk_low', freeBytes: free });
    warned = free < lowBytes;
  }
  await measure();
  const timer = setInterval(() => {
    measure().catch((error: Error) => log.warn('the disk could not be measured', { message: error.message }));
  }, DISK_EVERY_MS);
  timer.unref();
  return {
    freeBytes: () => free,
    ledgerBytes: () => size,
    low: () => free < lowBytes,
    stop: () => clearInterval(timer),
  };
}
