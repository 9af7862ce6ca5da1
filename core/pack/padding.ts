/** A requested window in the six digits of received_at: `from` padded with 0s, `to` with 9s. docs/spec/pack.md, "Scope". */
import { formatMicros, tsMicros } from '../event/time.ts';

/** First received_at inside a window that begins at this valid time; digits beyond six round up. */
export function paddedFrom(ts: string): string {
  const beyond = /[1-9]/.test(ts.slice(20, -1).slice(6)) ? 1 : 0;
  return formatMicros(tsMicros(ts) + beyond);
}

/** Last received_at inside a window that ends at this valid time; digits beyond six are cut. */
export function paddedTo(ts: string): string {
  return `${ts.slice(0, 19)}.${ts.slice(20, -1).slice(0, 6).padEnd(6, '9')}Z`;
}
