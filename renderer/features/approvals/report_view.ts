/** The report on reviews in words. Pure. Source: core/api/approval_operations.ts, ReviewRow. */
import type { ReviewRow } from '../../../core/api/approval_operations.ts';
import type { OutputOf } from '../../../core/api/operations.ts';
import { countOf } from '../../ui/numbers.ts';

export type Report = OutputOf<'reviewReport'>;

/** What a flag says, in a sentence with its figures. Signs to look into, never a verdict on a person. */
export function flagSentence(flag: ReviewRow['flags'][number], row: ReviewRow): string {
  switch (flag) {
    case 'too_fast':
      return `${countOf(row.too_fast, 'answer')} faster than the content can be read`;
    case 'never_denied':
      return `${countOf(row.answers, 'answer')} and never a refusal`;
    case 'bursts':
      return `${countOf(row.in_bursts, 'answer')} in bursts of ten or more within a minute`;
  }
}

/** Seconds as people say them: "0.4 s", "38 s", "2 m 5 s". */
export function secondsInWords(seconds: number): string {
  if (seconds < 9.95) return `${Number(seconds.toFixed(1))} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  return whole % 60 === 0 ? `${whole / 60} m` : `${Math.floor(whole / 60)} m ${whole % 60} s`;
}
