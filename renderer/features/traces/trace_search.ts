/** The URL of one run: chosen event, tab of the inspector, search inside, window of time. Pure. */

export type TraceSearch = {
  /** seq of the chosen event */
  seq?: number;
  tab?: string;
  /** words to find in this run's events */
  q?: string;
  /** window of the waterfall in microseconds since the start */
  from?: number;
  to?: number;
};

export function readTraceSearch(search: Record<string, unknown>): TraceSearch {
  const kept: TraceSearch = {};
  const count = (value: unknown): number | undefined => {
    const n = typeof value === 'string' ? Number(value) : value;
    return typeof n === 'number' && Number.isFinite(n) && n >= 0 ? n : undefined;
  };
  const seq = count(search.seq);
  if (seq !== undefined && Number.isSafeInteger(seq)) kept.seq = seq;
  if (typeof search.tab === 'string') kept.tab = search.tab;
  if (search.q !== undefined && search.q !== '') kept.q = String(search.q);
  const from = count(search.from);
  const to = count(search.to);
  if (from !== undefined && to !== undefined && to > from) {
    kept.from = from;
    kept.to = to;
  }
  return kept;
}
