/**
 * The scope of a pack: an app's records by received_at, both ends inclusive. Within an app received_at never falls as
 * app_seq rises, so both ends are found by bisection over the index of app and app_seq.
 */
import { tsMicros } from '../../core/event/time.ts';
import type { ScopeRange } from '../ports.ts';
import type { Connection } from './database.ts';

type Row = { seq: number; received_us: number };

/** `from`, `to`: times with six digits. `beforeSize`: only records with seq below it exist. Unknown app: undefined. */
export function scopeReader(db: Connection, tenantId: string) {
  const app = db.prepare<[string, string], { app: number }>(
    'SELECT app FROM app WHERE tenant_id = ? AND app_id = ?',
  );
  const last = db.prepare<[number, number], { app_seq: number }>(
    'SELECT app_seq FROM record WHERE app = ? AND seq < ? ORDER BY app_seq DESC LIMIT 1',
  );
  const at = db.prepare<[number, number], Row>(
    'SELECT seq, received_us FROM record WHERE app = ? AND app_seq = ?',
  );

  return (
    appId: string,
    from: string,
    to: string,
    beforeSize = Number.MAX_SAFE_INTEGER,
  ): ScopeRange | undefined => {
    const number = app.get(tenantId, appId)?.app;
    if (number === undefined) return undefined;
    const end = last.get(number, beforeSize)?.app_seq;
    if (end === undefined) return undefined;
    const row = (appSeq: number): Row => {
      const found = at.get(number, appSeq);
      if (found === undefined) throw new Error(`record ${appSeq} of ${appId} is missing`);
      return found;
    };
    /** The first app_seq whose time is at or beyond `us`; end + 1 where there is none. */
    const first = (us: number): number => {
      let low = 1;
      let high = end + 1;
      while (low < high) {
        const middle = Math.floor((low + high) / 2);
        if (row(middle).received_us >= us) high = middle;
        else low = middle + 1;
      }
      return low;
    };
    const firstAppSeq = first(tsMicros(from));
    const lastAppSeq = first(tsMicros(to) + 1) - 1;
    const before = firstAppSeq > 1 ? { before: row(firstAppSeq - 1).seq } : {};
    const after = lastAppSeq < end ? { after: row(lastAppSeq + 1).seq } : {};
    const count = Math.max(0, lastAppSeq - firstAppSeq + 1);
    return {
      firstAppSeq,
      lastAppSeq,
      count,
      firstSeq: count > 0 ? row(firstAppSeq).seq : -1,
      lastSeq: count > 0 ? row(lastAppSeq).seq : -1,
      ...before,
      ...after,
    };
  };
}
