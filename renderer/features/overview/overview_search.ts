/** The URL of the overview: the window in days. Pure. */

export type OverviewSearch = { days?: number };
export const windows = [
  { days: 1, label: '24 hours' },
  { days: 7, label: '7 days' },
  { days: 30, label: '30 days' },
  { days: 365, label: 'A year' },
] as const;
export const DEFAULT_DAYS = 7;

export function readOverviewSearch(search: Record<string, unknown>): OverviewSearch {
  const days = Number(search.days);
  return windows.some(window => window.days === days) && days !== DEFAULT_DAYS ? { days } : {};
}
