/** Retention rules and erasures in words. Pure. */
import type { OutputOf } from '../../../../core/api/operations.ts';
import { countOf } from '../../../ui/numbers.ts';

export type Preview = OutputOf<'previewErasure'>;
export type Rule = { app: string; days: number };

export const buildRules = (days: Record<string, number>): Rule[] =>
  Object.entries(days)
    .filter(([, count]) => count > 0)
    .map(([app, count]) => ({ app, days: count }))
    .sort((a, b) => (a.app < b.app ? -1 : 1));

/** Whole days from 1 to 36,500, or why the text is none. */
export function daysOf(text: string): { days: number } | { fault: string } {
  const days = /^\d{1,5}$/.test(text.trim()) ? Number(text.trim()) : 0;
  return days >= 1 && days <= 36_500 ? { days } : { fault: 'A number of days, from 1 to 36,500.' };
}

/** What it would take. */
export function previewSentence({ bodies, held }: Preview): string {
  const waits =
    held > 0
      ? ` ${countOf(held, 'more record')} ${held === 1 ? 'waits' : 'wait'} until an open approval ends.`
      : '';
  return bodies === 0
    ? `Nothing to erase.${waits}`
    : `${countOf(bodies, 'body', 'bodies')} would be erased.${waits}`;
}

/** Days after which a body goes, as people say them. */
export const keptFor = (days: number): string =>
  days % 365 === 0 ? countOf(days / 365, 'year') : countOf(days, 'day');
