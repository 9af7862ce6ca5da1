/** The report on reviews as CSV: what `trailmix approvals report` prints and the page saves. Format: docs/spec/formats.md, "Reviews". */
import type { ReviewRow } from '../api/approval_operations.ts';
import type { OutputOf } from '../api/operations.ts';
import { csvRow } from './csv.ts';

const COLUMNS = [
  'key',
  'label',
  'answers',
  'approved',
  'denied',
  'median_seconds',
  'too_fast',
  'in_bursts',
  'never_denied',
] as const satisfies readonly (keyof ReviewRow)[];

/** Head and a line for each person, rule and app, CRLF each. */
export function reviewCsv(
  report: Pick<OutputOf<'reviewReport'>, 'by_person' | 'by_rule' | 'by_app'>,
): string {
  const groups = [
    ['person', report.by_person],
    ['rule', report.by_rule],
    ['app', report.by_app],
  ] as const;
  const lines = groups.flatMap(([by, rows]) =>
    rows.map(row => csvRow([by, ...COLUMNS.map(name => row[name]), row.flags.join(' ')])),
  );
  return csvRow(['by', ...COLUMNS, 'flags']) + lines.join('');
}
