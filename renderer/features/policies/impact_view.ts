/** An impact job as the page shows it: the flip table with its sums, and what was not decided again. Pure. */
import type { ImpactView, PolicyWord } from '../../../core/api/policy_views.ts';

export const flipWords = ['allow', 'approve', 'deny', 'failed'] as const;
export type FlipCell = { from: PolicyWord; to: PolicyWord; decisions: number; runs: number; same: boolean };
export type FlipTable = { words: readonly PolicyWord[]; rows: { from: PolicyWord; cells: FlipCell[] }[] };

/** `failed` has a row and a column only where something failed. */
export function buildFlipTable(view: Pick<ImpactView, 'cells'>): FlipTable {
  const used = (word: PolicyWord): boolean =>
    word !== 'failed' ||
    view.cells.some(cell => (cell.from === word || cell.to === word) && cell.decisions > 0);
  const words = flipWords.filter(used);
  return {
    words,
    rows: words.map(from => ({
      from,
      cells: words.map(to => {
        const found = view.cells.find(cell => cell.from === from && cell.to === to);
        return { from, to, decisions: found?.decisions ?? 0, runs: found?.runs ?? 0, same: from === to };
      }),
    })),
  };
}

export const cellOf = (text: string | undefined): { from: PolicyWord; to: PolicyWord } | undefined => {
  const [from, to] = (text ?? '').split('>');
  const known = (word: string | undefined): word is PolicyWord => flipWords.some(one => one === word);
  return known(from) && known(to) ? { from, to } : undefined;
};

/** Reasons with their counts, most first. */
export const skippedOf = (view: Pick<ImpactView, 'skipped'>): { reason: string; count: number }[] =>
  Object.entries(view.skipped)
    .filter(([, count]) => count > 0)
    .map(([reason, count]) => ({ reason, count }))
    .sort((a, b) => b.count - a.count);

/** The start of the window of the last `days` days, as the filter wants it. */
export const sinceDays = (days: number, now: number): string =>
  new Date(now - days * 86_400_000).toISOString();
