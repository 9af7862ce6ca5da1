/** Approvals with the evidence of their review: who, in which role, signed or not, how long, and what came of it. */
import { ANSWER_TIMES, type AnswerRow, type ApprovalRow } from '../../../core/pack/report_approvals.ts';
import type { ReportFacts } from './facts.ts';
import { type Colour, MARGIN, type Sheet, WIDTH } from './sheet.ts';
import { type Row, table } from './table.ts';
import { number, plural, shortTime, span, sum } from './words.ts';

const STATUS: { readonly [K in ApprovalRow['status']]: { sign: string; word: string; colour: Colour } } = {
  approved: { sign: '✓', word: 'Approved', colour: 'allow' },
  consumed: { sign: '✓', word: 'Approved and used', colour: 'allow' },
  denied: { sign: '✕', word: 'Refused', colour: 'deny' },
  expired: { sign: '◷', word: 'Expired', colour: 'approve' },
  cancelled: { sign: '○', word: 'Taken back', colour: 'muted' },
  waiting: { sign: '?', word: 'No answer', colour: 'approve' },
};

const RESULT: { readonly [K in ApprovalRow['result']]: { word: string; colour: Colour } } = {
  ran: { word: 'ran', colour: 'ink' },
  failed: { word: 'failed', colour: 'deny' },
  never_reported: { word: 'never reported', colour: 'approve' },
  not_run: { word: 'did not run', colour: 'muted' },
};

const TIMES: { readonly [K in (typeof ANSWER_TIMES)[number]]: string } = {
  under_10s: 'under 10 s',
  under_1min: '10 s to 1 min',
  under_10min: '1 to 10 min',
  under_1h: '10 min to 1 h',
  longer: '1 h or longer',
};

const COLUMNS = [
  { title: 'Call', width: 104 },
  { title: 'Risk', width: 46 },
  { title: 'Asked', width: 78 },
  { title: 'Verdict', width: 142 },
  { title: 'The call', width: 76 },
  { title: 'Record', width: WIDTH - 446, right: true },
];

export async function approvals(sheet: Sheet, facts: ReportFacts): Promise<void> {
  const { statuses, results, answers, minimum, rows, on_behalf } = facts.figures.approvals;
  const total = sum(statuses);
  await sheet.section('Approvals', 320);
  if (total === 0) {
    await sheet.paragraph('None was asked for.', { colour: 'muted' });
    return;
  }
  const told = Object.entries(STATUS)
    .map(([status, { word }]) => [statuses[status as ApprovalRow['status']], word.toLowerCase()] as const)
    .filter(([count]) => count > 0)
    .map(([count, word]) => `${number(count)} ${word}`);
  await sheet.paragraph(`${plural(total, 'approval')}: ${told.join(', ')}.`);
  const came = Object.entries(RESULT)
    .map(([result, { word }]) => `${number(results[result as ApprovalRow['result']])} ${word}`)
    .join(', ');
  await sheet.paragraph(`Of the calls behind them: ${came}.`);
  const reviewed = minimum.met + minimum.short;
  await sheet.paragraph(
    `${plural(sum(answers), 'answer')}: ${number(answers.signed)} signed with a key of the person's own, ${number(answers.unsigned)} without a signature. ` +
      (reviewed === 0
        ? 'No review was recorded with them.'
        : `${plural(reviewed, 'review')} timed by the collector: ${number(minimum.met)} met the least time for reading, ${number(minimum.short)} did not.`) +
      (on_behalf === 0 ? '' : ` ${plural(on_behalf, 'answer')} given on behalf of another person.`),
  );
  await answerTimes(sheet, facts);
  await sheet.heading('Each with its review', 60);
  await sheet.paragraph(
    'What went wrong comes first, then what is open, then the rest, the newest first in each. Opened, answered and the seconds between are by the collector’s clock; a challenge is what the person had to do to answer.',
    { size: 8.8, colour: 'muted' },
  );
  await table(sheet, COLUMNS, rows.map(rowOf));
  if (total > rows.length)
    await sheet.paragraph(`and ${number(total - rows.length)} more in ${facts.approvalsIn}.`, {
      size: 9,
      colour: 'muted',
    });
}

async function answerTimes(sheet: Sheet, { figures }: ReportFacts): Promise<void> {
  const { times } = figures.approvals;
  const counts = ANSWER_TIMES.map(name => times[name]);
  if (sum(counts) === 0) return;
  await sheet.heading('From question to last answer', ANSWER_TIMES.length * 16 + 20);
  const most = Math.max(...counts);
  for (const [i, name] of ANSWER_TIMES.entries()) {
    const y = sheet.y + 11;
    await sheet.line(TIMES[name], MARGIN, y, { size: 9 });
    sheet.box(MARGIN + 96, y - 7.5, 260, 8.5, 'tint');
    if (counts[i]! > 0)
      sheet.box(MARGIN + 96, y - 7.5, Math.max(1.5, (260 * counts[i]!) / most), 8.5, 'brand');
    await sheet.right(number(counts[i]!), MARGIN + 396, y, { face: 'mono', size: 9 });
    sheet.y += 16;
  }
  await sheet.paragraph(
    `Half of them within ${span(times.median_ms)}; the longest took ${span(times.longest_ms)}.`,
    {
      size: 9,
      colour: 'muted',
    },
  );
}

function rowOf(row: ApprovalRow): Row {
  const status = STATUS[row.status];
  const result = RESULT[row.result];
  const below = row.answers.map(answerOf);
  const more = row.answer_count - row.answers.length;
  if (more > 0) below.push({ sign: '', colour: 'muted', text: `and ${plural(more, 'answer')} more` });
  if (row.answers.length === 0) below.push({ sign: '–', colour: 'muted', text: 'Nobody answered.' });
  return {
    cells: [
      { text: row.action === '' ? '—' : row.action, face: 'medium' },
      { text: row.risk === '' ? '—' : row.risk },
      { text: shortTime(row.asked_at), face: 'mono', size: 7.6, colour: 'muted' },
      {
        text: `${status.sign}  ${status.word}${row.people > 1 ? `, needs ${row.people}` : ''}`,
        face: 'medium',
        colour: status.colour,
      },
      { text: result.word, colour: result.colour },
      { text: row.seq < 0 ? '—' : `#${row.seq}`, face: 'mono', size: 7.6, colour: 'muted' },
    ],
    below,
  };
}

function answerOf(answer: AnswerRow): { sign: string; colour: Colour; text: string } {
  const who = answer.name === '' || answer.name === answer.by ? answer.by : `${answer.name} (${answer.by})`;
  const behalf = answer.on_behalf_of === '' ? '' : ` on behalf of ${answer.on_behalf_of}`;
  const parts = [
    `${who === '' ? 'Somebody' : who}${answer.role === '' ? '' : `, as ${answer.role}`}${behalf}`,
    answer.signed ? 'signed' : 'not signed',
    ...(answer.opened_at === '' ? [] : [`opened ${shortTime(answer.opened_at)}`]),
    `answered ${shortTime(answer.answered_at)}`,
    review(answer),
    ...(answer.challenge === '' ? [] : [`challenge: ${answer.challenge}`]),
  ];
  const comment = answer.comment === '' ? '' : ` — “${answer.comment}”`;
  const isDeny = answer.verdict === 'deny';
  return {
    sign: isDeny ? '✕' : '✓',
    colour: isDeny ? 'deny' : 'allow',
    text: `${parts.join(' · ')}${comment}`,
  };
}

function review({ seconds, min_seconds, minimum }: AnswerRow): string {
  if (seconds < 0) return 'review not recorded';
  const least = min_seconds > 0 ? ` of at least ${min_seconds} s` : '';
  const met = minimum === 'short' ? ', not met' : minimum === 'met' && min_seconds > 0 ? ', met' : '';
  return `read for ${seconds} s${least}${met}`;
}
