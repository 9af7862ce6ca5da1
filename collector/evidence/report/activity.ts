/** What was done, in the summary: counts, decisions by result and by risk, and the approvals that matter. */
import type { DecisionCounts, ReportApproval, ReportFacts, ReportRisk } from './facts.ts';
import { type Colour, MARGIN, type Sheet, WIDTH } from './sheet.ts';

export const number = (value: number): string => value.toLocaleString('en-US');

/** Height of all this with a few approvals. */
const FIGURES = 236;
const APPROVAL_ROW = 16;
export const heightOfActivity = ({ approvalRows }: ReportFacts): number =>
  FIGURES + (approvalRows.length === 0 ? 0 : 42 + APPROVAL_ROW * Math.min(4, approvalRows.length));

export async function figures(sheet: Sheet, facts: ReportFacts): Promise<void> {
  await sheet.heading('Counts');
  const cells: [string, string][] = [
    [number(facts.events), 'records'],
    [number(facts.sessions), facts.sessions === 1 ? 'run' : 'runs'],
    [number(sum(facts.decisions)), 'policy decisions'],
    [number(sum(facts.approvals)), 'approvals asked'],
    [number(facts.evals), 'evals'],
    [number(facts.errors), facts.errors === 1 ? 'error' : 'errors'],
  ];
  const gap = 8;
  const width = (WIDTH - gap * (cells.length - 1)) / cells.length;
  sheet.need(54);
  for (const [i, [value, label]] of cells.entries()) {
    const x = MARGIN + i * (width + gap);
    sheet.box(x, sheet.y, width, 46, 'tint');
    await sheet.line(value, x + 9, sheet.y + 22, { size: 15, face: 'bold', colour: 'brandDark' }, width - 14);
    await sheet.line(label, x + 9, sheet.y + 36, { size: 8, colour: 'muted' }, width - 12);
  }
  sheet.y += 52;
}

export const sum = (counts: object): number =>
  Object.values(counts as Record<string, number>).reduce((a, b) => a + b, 0);

export async function decisions(sheet: Sheet, facts: ReportFacts): Promise<void> {
  const total = sum(facts.decisions);
  await sheet.heading('Policy decisions');
  if (total === 0) {
    await sheet.paragraph('No call in this window was put to a policy.', { colour: 'muted' });
    return;
  }
  sheet.need(110);
  sheet.y += 2;
  bar(sheet, MARGIN, sheet.y, WIDTH, facts.decisions, 12);
  sheet.y += 18;
  const top = sheet.y;
  for (const [i, { result, sign, word, colour }] of RESULTS.entries()) {
    const y = top + 11 + i * 15;
    const count = facts.decisions[result];
    await sheet.line(sign, MARGIN, y, { face: 'bold', colour });
    await sheet.line(word, MARGIN + 16, y, { face: 'medium' });
    await sheet.right(number(count), MARGIN + 160, y, { face: 'mono', size: 9 });
    await sheet.right(`${((100 * count) / total).toFixed(1)} %`, MARGIN + 212, y, {
      face: 'mono',
      size: 9,
      colour: 'muted',
    });
  }
  await risks(sheet, facts, MARGIN + 240, top);
  sheet.y = top + 15 * Math.max(RESULTS.length, risksShown(facts).length);
  sheet.y += 3;
  const names = facts.actions.map(({ name, count }) => `${number(count)} × ${name}`);
  await sheet.line('Most decided on', MARGIN, sheet.y + 11, { size: 8.5, face: 'medium', colour: 'muted' });
  await sheet.line(names.join('   '), MARGIN + 84, sheet.y + 11, { size: 8.8 }, WIDTH - 84);
  sheet.y += 15;
}

const RESULTS: readonly {
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

/** A bar of parts in the order of RESULTS, as wide as their share of it. */
function bar(
  sheet: Sheet,
  left: number,
  y: number,
  width: number,
  counts: DecisionCounts,
  height: number,
): void {
  const total = sum(counts);
  let x = left;
  for (const { result, colour } of RESULTS) {
    const part = (width * counts[result]) / total;
    if (part <= 0) continue;
    sheet.box(x, y, part, height, colour);
    x += part;
    if (x < left + width - 1) sheet.box(x - 0.6, y, 1.2, height, 'white');
  }
}

const RISKS: readonly { readonly risk: ReportRisk; readonly word: string }[] = [
  { risk: 'critical', word: 'Critical risk' },
  { risk: 'high', word: 'High' },
  { risk: 'medium', word: 'Medium' },
  { risk: 'low', word: 'Low' },
  { risk: 'unstated', word: 'Not stated' },
];
const risksShown = ({ risks: counts }: ReportFacts) =>
  RISKS.filter(({ risk }) => risk !== 'unstated' || sum(counts.unstated) > 0);

/** A bar for each risk, in proportion to the longest, coloured by what its decisions came to. */
async function risks(sheet: Sheet, facts: ReportFacts, x: number, top: number): Promise<void> {
  const shown = risksShown(facts);
  const most = Math.max(1, ...shown.map(({ risk }) => sum(facts.risks[risk])));
  const left = x + 66;
  const width = MARGIN + WIDTH - 44 - left;
  for (const [i, { risk, word }] of shown.entries()) {
    const y = top + 11 + i * 15;
    const count = sum(facts.risks[risk]);
    await sheet.line(word, x, y, { face: 'medium' });
    sheet.box(left, y - 7.5, width, 8.5, 'tint');
    if (count > 0) bar(sheet, left, y - 7.5, Math.max(1.5, (width * count) / most), facts.risks[risk], 8.5);
    await sheet.right(number(count), MARGIN + WIDTH, y, { face: 'mono', size: 9 });
  }
}

const VERDICT: {
  readonly [K in ReportApproval['status']]: { sign: string; word: string; colour: Colour };
} = {
  approved: { sign: '✓', word: 'Approved', colour: 'allow' },
  consumed: { sign: '✓', word: 'Approved', colour: 'allow' },
  denied: { sign: '✕', word: 'Refused', colour: 'deny' },
  expired: { sign: '◷', word: 'Expired', colour: 'approve' },
  waiting: { sign: '?', word: 'No answer', colour: 'approve' },
};

/** What came of a call, in words: of a use nothing else is known than what the program reported. */
function cameOf({ status, outcome }: ReportApproval): { text: string; colour: Colour } {
  if (status !== 'consumed') return { text: status === 'waiting' ? 'open' : 'not used', colour: 'muted' };
  if (outcome === 'ok') return { text: 'used, ok', colour: 'ink' };
  if (outcome === 'error') return { text: 'used, error', colour: 'deny' };
  return { text: outcome === '' ? 'used, no report' : `used, ${outcome}`, colour: 'approve' };
}

/** From one recorded time to another, in the two largest units that say something. */
function span(from: string, to: string): string {
  const ms = Date.parse(to) - Date.parse(from);
  if (!Number.isFinite(ms) || ms < 0) return '—';
  if (ms < 1000) return `${ms} ms`;
  const s = Math.floor(ms / 1000);
  if (s < 60) return `${(ms / 1000).toFixed(1)} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  if (s < 86_400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86_400)} d ${Math.floor((s % 86_400) / 3600)} h`;
}

const COLUMNS = { action: 0, asked: 112, verdict: 190, by: 262, took: 366, came: 432 } as const;

/** The approvals that matter, as many as the page has room for. */
export async function approvals(sheet: Sheet, facts: ReportFacts): Promise<void> {
  await sheet.heading('Approvals');
  const counts = facts.approvals;
  const total = sum(counts);
  if (total === 0) {
    await sheet.paragraph('None was asked for.', { colour: 'muted' });
    return;
  }
  const told: [number, string][] = [
    [counts.consumed, 'approved and used'],
    [counts.approved, 'approved, not used'],
    [counts.denied, 'refused'],
    [counts.expired, 'expired'],
    [counts.waiting, 'without an answer'],
  ];
  await sheet.paragraph(told.map(([count, words]) => `${number(count)} ${words}`).join('  ·  '), {
    size: 9,
  });
  sheet.need(14 + APPROVAL_ROW * 2);
  sheet.y += 14;
  const heads = {
    action: 'Action',
    asked: 'Asked',
    verdict: 'Verdict',
    by: 'By',
    took: 'Took',
    came: 'Call',
  };
  for (const [column, text] of Object.entries(heads)) {
    await sheet.line(text, MARGIN + COLUMNS[column as keyof typeof COLUMNS], sheet.y, {
      size: 8,
      face: 'medium',
      colour: 'muted',
    });
  }
  sheet.y += 4;
  sheet.rule();
  let shown = 0;
  for (const row of facts.approvalRows) {
    // The line for what is not listed needs a place too.
    if (sheet.room < APPROVAL_ROW + (shown + 1 < total ? 13 : 0)) break;
    shown++;
    await approvalRow(sheet, row);
  }
  if (total > shown)
    await sheet.paragraph(`and ${number(total - shown)} more in ${facts.approvalsIn}.`, {
      size: 9,
      colour: 'muted',
    });
}

async function approvalRow(sheet: Sheet, row: ReportApproval): Promise<void> {
  const y = sheet.y + 11.5;
  const { sign, word, colour } = VERDICT[row.status];
  const came = cameOf(row);
  const { action, asked, verdict, by, took } = COLUMNS;
  await sheet.line(row.action, MARGIN + action, y, { size: 9, face: 'medium' }, asked - action - 8);
  await sheet.line(
    row.askedAt === '' ? '—' : `${row.askedAt.slice(5, 10)} ${row.askedAt.slice(11, 19)}`,
    MARGIN + asked,
    y,
    { size: 8, face: 'mono', colour: 'muted' },
  );
  await sheet.line(sign, MARGIN + verdict, y, { size: 9, face: 'bold', colour });
  await sheet.line(word, MARGIN + verdict + 14, y, { size: 9, face: 'medium', colour });
  await sheet.line(row.by === '' ? '—' : row.by, MARGIN + by, y, { size: 9 }, took - by - 8);
  await sheet.line(span(row.askedAt, row.answeredAt), MARGIN + took, y, { size: 9, colour: 'muted' });
  await sheet.line(
    came.text,
    MARGIN + COLUMNS.came,
    y,
    { size: 9, colour: came.colour },
    WIDTH - COLUMNS.came,
  );
  sheet.y += APPROVAL_ROW;
  sheet.rule();
}
