/** evals.jsonl: each eval that a record of the scope carries, by seq and place. Writer and verifier share this code. */
import { isBlobRef } from '../proof/blob.ts';
import { type JsonObject, jcs } from '../proof/jcs.ts';

/** Number of evals in a record; a list that became a blob counts as one. */
export function evalCount(record: JsonObject): number {
  const { evals } = record;
  return Array.isArray(evals) ? evals.length : isBlobRef(evals) ? 1 : 0;
}

/** The lines of one record, without newlines: {app_seq, eval, event_id, index, seq, session_id}. */
export function evalLines(record: JsonObject): string[] {
  const { evals, event_id, session_id, seq, app_seq } = record;
  const items = Array.isArray(evals) ? evals : isBlobRef(evals) ? [evals] : [];
  return items.map((item, index) =>
    jcs({
      app_seq: app_seq ?? 0,
      eval: item,
      event_id: event_id ?? '',
      index,
      seq: seq ?? 0,
      session_id: session_id ?? '',
    }),
  );
}
