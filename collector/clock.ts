/** The clock and the random source of this host: the only two places where the collector reads them. */
import { randomBytes, randomFillSync } from 'node:crypto';
import type { Clock, Ids } from './ports.ts';

export const systemClock: Clock = { now: () => Date.now() };

const TIME_DIGITS = 9;

/** Random bytes are drawn ahead: asking the system for a few at a time costs more than a whole record's hashes. */
const POOL_BYTES = 4096;
const pool = Buffer.alloc(POOL_BYTES);
let drawn = POOL_BYTES;

/** `n` bytes that nobody had before; they are wiped from the pool. */
function fresh(n: number): Buffer {
  if (n > POOL_BYTES / 4) return randomBytes(n);
  if (drawn + n > POOL_BYTES) {
    randomFillSync(pool);
    drawn = 0;
  }
  const bytes = Buffer.alloc(n);
  pool.copy(bytes, 0, drawn, drawn + n);
  pool.fill(0, drawn, drawn + n);
  drawn += n;
  return bytes;
}

/** `<prefix>_<milliseconds base 36><16 random characters>`: unique, sortable by time. */
export const systemIds: Ids = {
  bytes: fresh,
  id: prefix => `${prefix}_${Date.now().toString(36).padStart(TIME_DIGITS, '0')}${fresh(10).toString('hex')}`,
};
