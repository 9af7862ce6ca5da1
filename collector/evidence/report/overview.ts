/** The first page: whose pack it is, what it holds, and what needs a look; then the contents, drawn last. */
import type { PDFDocument, PDFPage } from 'pdf-lib';
import { addLink } from './document.ts';
import type { ReportFacts } from './facts.ts';
import { type Colour, MARGIN, PAGE, type Sheet, WIDTH } from './sheet.ts';
import { type Row, table } from './table.ts';
import { EXCEPTION, number, plural, shortTime, sum, time } from './words.ts';

/** Answers how many exceptions it has shown. */
export async function cover(sheet: Sheet, facts: ReportFacts): Promise<number> {
  const height = 132;
  sheet.places.push({ title: 'Summary', page: sheet.page, top: 0 });
  sheet.box(0, 0, PAGE.width, height, 'brand');
  sheet.box(0, height, PAGE.width, 3, 'brandDark');
  // The mark: three stones of a trail.
  sheet.circle(MARGIN + 5, 45, 5, 'white');
  sheet.circle(MARGIN + 17, 39, 3.6, 'white');
  sheet.circle(MARGIN + 26, 46, 2.4, 'white');
  await sheet.line('Audit TrailMix', MARGIN + 38, 47, { size: 12, face: 'bold', colour: 'white' });
  await sheet.right('Evidence pack · report', PAGE.width - MARGIN, 47, { size: 9.5, colour: 'white' });
  await sheet.line(facts.appId, MARGIN, 86, { size: 25, face: 'bold', colour: 'white' }, WIDTH);
  await sheet.line(
    `Received ${time(facts.from)}  to  ${time(facts.to)}`,
    MARGIN,
    110,
    { size: 10.5, colour: 'white' },
    WIDTH,
  );
  sheet.y = height + 14;
  const all = facts.figures.records + facts.erased;
  await sheet.paragraph(
    all === 0
      ? 'No record of this app was received in this window.'
      : `This pack holds ${all === 1 ? 'the one record' : `all ${number(all)} records`} of ${facts.appId} that the collector received in this window${
          facts.hasBefore && facts.hasAfter ? ', with the records before and after it as boundaries' : ''
        }. It says nothing about what was never sent to the collector.`,
    { size: 10.5 },
  );
  if (!facts.hasAfter) {
    sheet.y += 4;
    await sheet.paragraph(
      'The record after the window lies beyond the pinned checkpoint: that nothing is missing at its end is not shown.',
      { size: 9.5, colour: 'muted' },
    );
  }
  await tiles(sheet, facts);
  return attention(sheet, facts);
}

async function tiles(sheet: Sheet, { figures }: ReportFacts): Promise<void> {
  const cells: [string, string][] = [
    [number(figures.records), 'records'],
    [number(figures.runs), figures.runs === 1 ? 'run' : 'runs'],
    [number(sum(figures.decisions)), 'policy decisions'],
    [number(sum(figures.approvals.statuses)), 'approvals asked'],
    [number(figures.evals), 'evals'],
    [number(figures.errors), figures.errors === 1 ? 'error' : 'errors'],
  ];
  const gap = 8;
  const width = (WIDTH - gap * (cells.length - 1)) / cells.length;
  sheet.y += 14;
  for (const [i, [value, label]] of cells.entries()) {
    const x = MARGIN + i * (width + gap);
    sheet.box(x, sheet.y, width, 46, 'tint');
    await sheet.line(value, x + 9, sheet.y + 22, { size: 15, face: 'bold', colour: 'brandDark' }, width - 14);
    await sheet.line(label, x + 9, sheet.y + 36, { size: 8, colour: 'muted' }, width - 12);
  }
  sheet.y += 54;
}

/** Counts of what went wrong, and what a reader must know before anything else. */
async function attention(sheet: Sheet, facts: ReportFacts): Promise<number> {
  const { figures } = facts;
  const { statuses, results, answers, minimum } = figures.approvals;
  const wrong = figures.exception_counts;
  await sheet.heading('What needs a look');
  const notes: [number, Colour, (count: number) => string][] = [
    [wrong.failed, 'failed', n => `${plural(n, 'call')} could not be judged by the policy, and did not run.`],
    [wrong.denied, 'deny', n => `${plural(n, 'call')} ${n === 1 ? 'was' : 'were'} denied by the policy.`],
    [wrong.refused, 'deny', n => `${plural(n, 'answer')} by a person refused a call.`],
    [wrong.expired, 'approve', n => `${plural(n, 'approval')} ran out before an answer or a use.`],
    [wrong.error, 'deny', n => `${plural(n, 'step')} ended in an error.`],
    [statuses.waiting, 'approve', n => `${plural(n, 'approval')} had no answer yet.`],
    [
      results.never_reported,
      'approve',
      n =>
        `${plural(n, 'approved call')} ${n === 1 ? 'was' : 'were'} started, and nobody reported what came of it.`,
    ],
    [
      minimum.short,
      'approve',
      n => `${plural(n, 'answer')} came before the least time for reading had passed.`,
    ],
    [
      answers.unsigned,
      'approve',
      n => `${plural(n, 'answer')} ${n === 1 ? 'carries' : 'carry'} no signature of a person.`,
    ],
    [
      figures.unverified,
      'deny',
      n => `${plural(n, 'record')} came without an API key: anyone on that machine may have sent them.`,
    ],
    [
      facts.erased,
      'approve',
      n => `${plural(n, 'record')} had their content erased; their place in the chain is proved.`,
    ],
    [
      figures.samples,
      'approve',
      n =>
        `${plural(n, 'record')} ${n === 1 ? 'is a sample that ships' : 'are samples that ship'} with the app, not real activity.`,
    ],
  ];
  let told = 0;
  for (const [count, colour, text] of notes) {
    if (count === 0) continue;
    told++;
    await bullet(sheet, text(count), colour);
  }
  if (facts.restored !== undefined) {
    told++;
    await bullet(sheet, `This ledger continues from a backup. ${facts.restored}`, 'approve');
  }
  if (sum(wrong) === 0) {
    const text = 'No call was denied or failed, and no approval was refused or ran out.';
    if (told === 0) await bullet(sheet, text, 'allow');
    else await sheet.paragraph(text, { colour: 'muted' });
  }
  if (figures.exceptions.length === 0) return 0;
  sheet.y += 8;
  const shown = Math.max(3, Math.min(FIRST, Math.floor((sheet.room - 44) / ROW)));
  await table(sheet, EXCEPTION_COLUMNS, exceptionRows(facts).slice(0, shown));
  if (sum(wrong) > shown)
    await sheet.paragraph(
      `The first ${shown} of ${number(sum(wrong))}; section "Exceptions" has ${sum(wrong) > figures.exceptions.length ? 'more' : 'all'}.`,
      { size: 8.5, colour: 'muted' },
    );
  return shown;
}

/** Exceptions on the first page at most, and the height of a tall one. */
const FIRST = 8;
const ROW = 44;

export async function bullet(sheet: Sheet, text: string, colour: Colour): Promise<void> {
  sheet.need(16);
  sheet.circle(MARGIN + 3, sheet.y + 6.6, 2.2, colour);
  await sheet.paragraph(text, { x: MARGIN + 14, width: WIDTH - 14 });
}

const EXCEPTION_COLUMNS = [
  { title: 'What', width: 72 },
  { title: 'Step', width: 116 },
  { title: 'Why, as recorded', width: 188 },
  { title: 'Received', width: 78 },
  { title: 'Record', width: WIDTH - 454, right: true },
];

const exceptionRows = ({ figures }: ReportFacts): Row[] =>
  figures.exceptions.map(({ kind, name, detail, at, seq }) => {
    const { sign, word, colour } = EXCEPTION[kind];
    return {
      cells: [
        { text: `${sign}  ${word}`, face: 'medium', colour },
        { text: name, face: 'medium' },
        { text: detail, colour: 'muted', keep: 3 },
        { text: shortTime(at), face: 'mono', size: 7.6, colour: 'muted' },
        { text: `#${seq}`, face: 'mono', size: 7.6, colour: 'muted' },
      ],
    };
  });

/** All that are listed, unless the first page has shown them. */
export async function exceptions(sheet: Sheet, facts: ReportFacts, shown: number): Promise<void> {
  const total = sum(facts.figures.exception_counts);
  if (total <= shown) return;
  await sheet.section('Exceptions');
  await sheet.paragraph(
    'Calls that the policy denied or could not judge, answers that refused, approvals that ran out, and steps that ended in an error, in the order in which they were recorded.',
    { colour: 'muted' },
  );
  await table(sheet, EXCEPTION_COLUMNS, exceptionRows(facts));
  const more = total - facts.figures.exceptions.length;
  if (more > 0)
    await sheet.paragraph(`and ${number(more)} more in events.jsonl.`, { size: 9, colour: 'muted' });
}

/** Drawn when all pages are there. */
export async function contents(sheet: Sheet, document: PDFDocument, page: PDFPage): Promise<void> {
  const style = { size: 10.5 } as const;
  await sheet.line(
    'Contents',
    MARGIN,
    MARGIN + 18,
    { size: 15, face: 'bold', colour: 'brandDark' },
    WIDTH,
    page,
  );
  sheet.box(MARGIN, MARGIN + 25, 34, 2.2, 'brand', page);
  let y = MARGIN + 56;
  for (const place of sheet.places) {
    if (place.page === page) continue;
    const number = `${sheet.pages.indexOf(place.page) + 1}`;
    const width = await sheet.line(place.title, MARGIN, y, style, WIDTH - 40, page);
    for (let x = MARGIN + width + 8; x < MARGIN + WIDTH - 22; x += 5)
      sheet.box(x, y - 1, 0.9, 0.9, 'line', page);
    await sheet.right(number, MARGIN + WIDTH, y, { ...style, face: 'medium' }, page);
    addLink(document, page, { x: MARGIN, y: y - 13, width: WIDTH, height: 19 }, place);
    y += 22;
  }
  y += 16;
  sheet.box(MARGIN, y, WIDTH, 92, 'tint', page);
  const notes = [
    'This report repeats the records of the pack for reading. Where it and the records differ, the records decide.',
    'Its numbers are attached to this document as figures.json; the verifier makes them again from events.jsonl',
    'and fails the pack when they differ. Times are UTC, by the collector’s clock, unless a stamp is named.',
    'Lists are bounded: where something is left out, the report says how much, and which file of the pack has it.',
  ];
  await sheet.line('How to read it', MARGIN + 14, y + 20, { size: 9.5, face: 'bold' }, WIDTH - 28, page);
  for (const [i, text] of notes.entries())
    await sheet.line(text, MARGIN + 14, y + 37 + i * 14, { size: 9, colour: 'muted' }, WIDTH - 28, page);
}
