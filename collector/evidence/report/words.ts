/** Numbers, times and words that all parts of the summary use. */
import type { DecisionCounts, ExceptionKind } from '../../../core/pack/report_figures.ts';
import type { Colour } from './sheet.ts';

export const number = (value: number): string => value.toLocaleString('en-US');

export const sum = (counts: object): number =>
  Object.values(counts as Record<string, number>).reduce((a, b) => a + b, 0);

export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${number(count)} ${count === 1 ? one : many}`;

/** `2026-11-22 16:41:05 UTC`, or with its fraction where it has one that says something. */
export const time = (text: string): string => {
  const fraction = text.slice(19, -1).replace(/\.0*$/, '');
  return `${text.slice(0, 10)} ${text.slice(11, 19)}${/^\.9+$/.test(fraction) ? '' : fraction} UTC`;
};

/** `11-22 16:41:05`, for tables whose window the page names. */
export const shortTime = (text: string): string =>
  text === '' ? '—' : `${text.slice(5, 10)} ${text.slice(11, 19)}`;

/** Milliseconds in the two largest units that say something. */
export function span(ms: number): string {
  if (!Number.isFinite(ms) || ms < 0) return '—';
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const s = Math.floor(ms / 1000);
  if (s < 60) return `${(ms / 1000).toFixed(1)} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  if (s < 86_400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86_400)} d ${Math.floor((s % 86_400) / 3600)} h`;
}

/** Colour never stands alone: each result has a sign and a word. */
export const RESULTS: readonly {
  readonly result: keyof DecisionCounts;
  readonly sign: string;
  readonly word: string;
  readonly colour: Colour;
}[] = [
  { result: 'allow', sign: '✓', word: 'Allowed', colour: 'allow' },
  { result: 'approve', sign: '?', word: 'Needs approval', colour: 'approve' },
  { result: 'deny', sign: '✕', word: 'Denied', colour: 'deny' },
  { result: 'failed', sign: '!', word: 'Failed, so denied', colour: 'failed' },
];

export const EXCEPTION: { readonly [K in ExceptionKind]: { sign: string; word: string; colour: Colour } } = {
  denied: { sign: '✕', word: 'Denied', colour: 'deny' },
  failed: { sign: '!', word: 'Failed', colour: 'failed' },
  refused: { sign: '✕', word: 'Refused', colour: 'deny' },
  expired: { sign: '◷', word: 'Expired', colour: 'approve' },
  error: { sign: '!', word: 'Error', colour: 'deny' },
};
