/** The URL of the list of runs: query, facets, order, chosen row. Pure. */

export type TracesSearch = {
  q?: string;
  app?: string;
  risk?: string;
  decision?: string;
  sort?: string;
  row?: string;
};

const members = ['q', 'app', 'risk', 'decision', 'sort', 'row'] as const;

export function readTracesSearch(search: Record<string, unknown>): TracesSearch {
  const kept: TracesSearch = {};
  for (const member of members) {
    const value = search[member];
    // The router parses search members as JSON: a bare number or boolean is still the text that was typed.
    if (typeof value === 'string' ? value !== '' : typeof value === 'number' || typeof value === 'boolean') {
      kept[member] = String(value);
    }
  }
  return kept;
}
