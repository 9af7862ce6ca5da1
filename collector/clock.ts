/** The clock and the random source of this host: the only two places where the collector reads them. */
import { randomBytes } from 'node:crypto';
import type { Clock, Ids } from './ports.ts';

export const systemClock: Clock = { now: () => Date.now() };

const TIME_DIGITS = 9;

/** `<prefix>_<milliseconds base 36><16 random characters>`: unique, sortable by time. */
export const systemIds: Ids = {
  bytes: n => randomBytes(n),
  id: prefix =>
    `${prefix}_${Date.now().toString(36).padStart(TIME_DIGITS, '0')}${randomBytes(10).toString('hex')}`,
};
