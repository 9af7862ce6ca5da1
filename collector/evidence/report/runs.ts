/** The runs in scope on one axis of time, and what was decided in each. */
import type { ReportRun } from '../../../core/pack/report_figures.ts';
import type { ReportFacts } from './facts.ts';
import { type Sheet, WIDTH } from './sheet.ts';
import { type Row, table } from './table.ts';
import { number, plural, RESULTS, span, time } from './words.ts';

const COLUMNS = [
  { title: 'Run', width: 148 },
  { title: 'When', width: 176 },
  { title: 'Records', width: 46, right: true },
  { title: '✓', width: 31, right: true },
  { title: '?', width: 31, right: true },
  { title: '✕', width: 31, right: true },
  { title: 'Errors', width: WIDTH - 463, right: true },
];

export async function runs(sheet: Sheet, facts: ReportFacts): Promise<void> {
  const { run_rows: rows, runs: total } = facts.figures;
  await sheet.section('Runs');
  if (rows.length === 0) {
    await sheet.paragraph('No record in this window belongs to a run.', { colour: 'muted' });
    return;
  }
  const from = Date.parse(rows.reduce((a, { first_at }) => (first_at < a ? first_at : a), rows[0]!.first_at));
  const to = Date.parse(rows.reduce((a, { last_at }) => (last_at > a ? last_at : a), rows[0]!.last_at));
  const first = rows[0]!.first_at;
  const last = rows.reduce((a, { last_at }) => (last_at > a ? last_at : a), first);
  await sheet.paragraph(
    `${plural(total, 'run')}. The line of each reaches from its first to its last record here; the whole width is ${time(first)} to ${time(last)}. Runs with exceptions are in red. ✓ allowed, ? needs approval, ✕ denied or failed.`,
    { size: 8.8, colour: 'muted' },
  );
  await table(
    sheet,
    COLUMNS,
    rows.map(row => rowOf(row, from, Math.max(1, to - from))),
  );
  if (total > rows.length)
    await sheet.paragraph(
      `and ${number(total - rows.length)} more in events.jsonl; those with exceptions were taken first.`,
      { size: 9, colour: 'muted' },
    );
}

function rowOf(run: ReportRun, from: number, whole: number): Row {
  const begins = (Date.parse(run.first_at) - from) / whole;
  const lasts = Date.parse(run.last_at) - Date.parse(run.first_at);
  const count = (value: number) => ({
    text: value === 0 ? '·' : number(value),
    face: 'mono' as const,
    size: 8,
    colour: 'muted' as const,
  });
  const colours = Object.fromEntries(RESULTS.map(({ result, colour }) => [result, colour]));
  const { allow, approve, deny, failed } = run.decisions;
  return {
    cells: [
      { text: run.title === '' ? run.session_id : run.title, face: 'medium' },
      {
        text: '',
        draw: (sheet, x, y, width) => {
          sheet.box(x, y + 5.4, width, 0.7, 'line');
          const left = x + Math.min(width - 2.5, begins * width);
          sheet.box(
            left,
            y + 2.4,
            Math.max(2.5, Math.min(width - (left - x), (width * lasts) / whole)),
            6.6,
            run.exceptions > 0 ? 'deny' : 'muted',
          );
        },
      },
      { ...count(run.records), colour: 'ink' },
      { ...count(allow), ...(allow > 0 ? { colour: colours.allow! } : {}) },
      { ...count(approve), ...(approve > 0 ? { colour: colours.approve! } : {}) },
      { ...count(deny + failed), ...(deny + failed > 0 ? { colour: colours.deny! } : {}) },
      { ...count(run.errors), ...(run.errors > 0 ? { colour: 'deny' } : {}) },
    ],
    below: [
      {
        sign: '',
        colour: 'muted',
        text: `${run.title === '' ? '' : `${run.session_id} · `}${time(run.first_at)} · ${span(lasts)}`,
      },
    ],
  };
}
