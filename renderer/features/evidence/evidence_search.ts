/** The URL of Evidence: tab, question, app and window (UTC). Pure. */

export type EvidenceSearch = {
  tab?: 'verify';
  q?: string;
  app?: string;
  /** RFC 3339 UTC, whole seconds. */
  from?: string;
  to?: string;
};

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

export function readEvidenceSearch(search: Record<string, unknown>): EvidenceSearch {
  const kept: EvidenceSearch = {};
  if (search.tab === 'verify') kept.tab = 'verify';
  for (const member of ['q', 'app'] as const) {
    const value = search[member];
    if (typeof value === 'string' && value !== '') kept[member] = value;
  }
  for (const member of ['from', 'to'] as const) {
    const value = search[member];
    if (typeof value === 'string' && INSTANT.test(value) && !Number.isNaN(Date.parse(value)))
      kept[member] = value;
  }
  return kept;
}
