/** View models of the list of runs: facets, order, and the words of the query box. Pure. */
import type { OutputOf } from '../../../core/api/operations.ts';
import type { TracesSearch } from './traces_search.ts';

export type Facet = 'app' | 'risk' | 'decision';
export type FacetRow = { value: string; label: string; count: number; chosen: boolean };
export type FacetGroup = { facet: Facet; title: string; rows: FacetRow[] };

type Facets = OutputOf<'traces'>['facets'];

const riskOrder = ['critical', 'high', 'medium', 'low', 'none'];
const decisionOrder = ['waiting', 'approve', 'asked', 'deny', 'denied', 'failed', 'allow', 'allowed'];

const decisionWords: Record<string, string> = {
  allow: 'Allowed',
  allowed: 'Allowed',
  deny: 'Denied',
  denied: 'Denied',
  approve: 'Put to people',
  asked: 'Put to people',
  waiting: 'Needs approval',
  approved: 'Approved',
  refused: 'Refused',
  expired: 'Expired',
  consumed: 'Approved and used',
  failed: 'Failed',
};
export const decisionFacetWord = (value: string): string => decisionWords[value] ?? value;

/** A chosen value that no run has any more stays in the list with 0, so that it can be taken back. */
export function buildFacets(facets: Facets | undefined, search: TracesSearch): FacetGroup[] {
  const group = (
    facet: Facet,
    title: string,
    label: (value: string) => string,
    order: (a: FacetRow, b: FacetRow) => number,
  ): FacetGroup => {
    const counts = { ...facets?.[facet] };
    const chosen = search[facet];
    if (chosen !== undefined && counts[chosen] === undefined) counts[chosen] = 0;
    const rows = Object.entries(counts)
      .filter(([value]) => value !== '')
      .map(([value, count]) => ({ value, label: label(value), count, chosen: value === chosen }))
      .sort(order);
    return { facet, title, rows };
  };
  const byList = (list: string[]) => (a: FacetRow, b: FacetRow) => rank(list, a.value) - rank(list, b.value);
  return [
    group(
      'app',
      'App',
      value => value,
      (a, b) => b.count - a.count || a.value.localeCompare(b.value, 'en'),
    ),
    group('risk', 'Risk', value => value[0]?.toUpperCase() + value.slice(1), byList(riskOrder)),
    group('decision', 'Decision', decisionFacetWord, byList(decisionOrder)),
  ];
}

const rank = (list: string[], value: string): number => {
  const at = list.indexOf(value);
  return at < 0 ? list.length : at;
};

/** Columns by which the collector sorts; `-` before the name is descending. */
export type SortState = { id: string; desc: boolean };
export const DEFAULT_SORT: SortState = { id: 'last_seq', desc: true };

export function readSort(sort: string | undefined): SortState {
  if (sort === undefined || sort === '') return DEFAULT_SORT;
  return sort.startsWith('-') ? { id: sort.slice(1), desc: true } : { id: sort, desc: false };
}

export function writeSort(sort: SortState | undefined): string | undefined {
  if (sort === undefined || (sort.id === DEFAULT_SORT.id && sort.desc === DEFAULT_SORT.desc))
    return undefined;
  return `${sort.desc ? '-' : ''}${sort.id}`;
}

/** Examples and rules of the query box. */
export const querySyntax: { term: string; means: string }[] = [
  { term: 'refund cracked', means: 'both words, anywhere in an event' },
  { term: '"water tank"', means: 'these words side by side' },
  { term: 'app:support-bot', means: 'only this app' },
  { term: 'risk:high', means: 'low, medium, high, critical or none' },
  { term: 'decision:deny', means: 'allow, deny, approve or failed' },
  { term: 'type:decision.recorded', means: 'events of this type' },
  { term: 'session:ticket-48213', means: 'only this session' },
];
