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
  const of = {
    appSeq: jcs(app_seq ?? 0),
    seq: jcs(seq ?? 0),
    eventId: jcs(event_id ?? ''),
    sessionId: jcs(session_id ?? ''),
  };
  return items.map((item, index) => evalLine({ ...of, index }, jcs(item)));
}

/** The line of one eval, given as its JCS, as are ids and numbers. */
export const evalLine = (
  of: { appSeq: string | number; eventId: string; index: number; seq: string | number; sessionId: string },
  item: string,
): string =>
  `{"app_seq":${of.appSeq},"eval":${item},"event_id":${of.eventId},"index":${of.index},"seq":${of.seq},"session_id":${of.sessionId}}`;
