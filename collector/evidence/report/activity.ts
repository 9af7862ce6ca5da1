/** What was decided: by result, by risk, over time. Figures are drawn as vectors, with their numbers beside them. */
import type { DecisionCounts, ReportRisk, TimeBin } from '../../../core/pack/report_figures.ts';
import type { ReportFacts } from './facts.ts';
import { MARGIN, type Sheet, WIDTH } from './sheet.ts';
import { number, plural, RESULTS, sum } from './words.ts';

export async function activity(sheet: Sheet, facts: ReportFacts): Promise<void> {
  const { figures } = facts;
  await sheet.section('Decisions', 460);
  const total = sum(figures.decisions);
  if (total === 0) {
    await sheet.paragraph('No call in this window was put to a policy.', { colour: 'muted' });
  } else {
    await sheet.paragraph(
      `${plural(total, 'call')} ${total === 1 ? 'was' : 'were'} put to the policy in force. What each colour and sign means stands with its number.`,
      { colour: 'muted' },
    );
    sheet.y += 10;
    bar(sheet, MARGIN, sheet.y, WIDTH, figures.decisions, 12);
    sheet.y += 20;
    await results(sheet, figures.decisions, total);
    await byRisk(sheet, facts);
    if (figures.actions.length > 0) await actions(sheet, facts);
  }
  await overTime(sheet, facts);
}

async function results(sheet: Sheet, counts: DecisionCounts, total: number): Promise<void> {
  for (const { result, sign, word, colour } of RESULTS) {
    const y = sheet.y + 11;
    await sheet.line(sign, MARGIN, y, { face: 'bold', colour });
    await sheet.line(word, MARGIN + 16, y, { face: 'medium' });
    await sheet.right(number(counts[result]), MARGIN + 190, y, { face: 'mono', size: 9 });
    const share = `${((100 * counts[result]) / total).toFixed(1)} %`;
    await sheet.right(share, MARGIN + 250, y, { face: 'mono', size: 9, colour: 'muted' });
    sheet.y += 16;
  }
}

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
  { risk: 'critical', word: 'Critical' },
  { risk: 'high', word: 'High' },
  { risk: 'medium', word: 'Medium' },
  { risk: 'low', word: 'Low' },
  { risk: 'unstated', word: 'Not stated' },
];

/** A bar for each risk, in proportion to the longest, coloured by what its decisions came to. */
async function byRisk(sheet: Sheet, { figures }: ReportFacts): Promise<void> {
  const shown = RISKS.filter(({ risk }) => risk !== 'unstated' || sum(figures.risks.unstated) > 0);
  await sheet.heading('By risk', shown.length * 18 + 20);
  const most = Math.max(1, ...shown.map(({ risk }) => sum(figures.risks[risk])));
  const left = MARGIN + 70;
  const width = 210;
  for (const { risk, word } of shown) {
    const counts = figures.risks[risk];
    const y = sheet.y + 12;
    await sheet.line(word, MARGIN, y, { face: 'medium' });
    sheet.box(left, y - 8, width, 9.5, 'tint');
    if (sum(counts) > 0) bar(sheet, left, y - 8, Math.max(1.5, (width * sum(counts)) / most), counts, 9.5);
    await sheet.right(number(sum(counts)), left + width + 40, y, { face: 'mono', size: 9 });
    let x = left + width + 56;
    for (const { result, sign, colour } of RESULTS) {
      if (counts[result] > 0) {
        await sheet.line(sign, x, y, { size: 8.5, face: 'bold', colour });
        await sheet.line(number(counts[result]), x + 11, y, { size: 8, face: 'mono', colour: 'muted' });
      }
      x += 40;
    }
    sheet.y += 18;
  }
}

async function actions(sheet: Sheet, { figures }: ReportFacts): Promise<void> {
  await sheet.heading('Most decided on', figures.actions.length * 16);
  const most = figures.actions[0]!.count;
  for (const { name, count } of figures.actions) {
    const y = sheet.y + 11;
    await sheet.line(name, MARGIN, y, { size: 9 }, 180);
    sheet.box(MARGIN + 190, y - 7.5, Math.max(1.5, (210 * count) / most), 8, 'brand');
    await sheet.right(number(count), MARGIN + 450, y, { face: 'mono', size: 9 });
    sheet.y += 16;
  }
}

const HEIGHT = 74;
const FULL = {
  year: '-01-01T00:00:00Z',
  month: '-01T00:00:00Z',
  day: 'T00:00:00Z',
  hour: ':00:00Z',
} as const;
const WORD = { year: 'a year', month: 'a month', day: 'a day', hour: 'an hour' } as const;

/** Two figures over one axis of time: all records, and decisions by what they came to. */
async function overTime(sheet: Sheet, { figures }: ReportFacts): Promise<void> {
  const { unit, bins } = figures.over_time;
  if (bins.length === 0) return;
  await sheet.heading('Over time', 2 * (HEIGHT + 34) + 24);
  await sheet.paragraph(`Each bar is ${WORD[unit]} (UTC) by time of receipt; the scales differ.`, {
    size: 8.8,
    colour: 'muted',
  });
  const start = (at: string): number => Date.parse(`${at}${FULL[unit]}`);
  const step = { hour: 3600, day: 86_400, month: 30 * 86_400, year: 365 * 86_400 }[unit] * 1000;
  const from = start(bins[0]!.at);
  // A single bar stands in the middle of what would be a day of its unit.
  const to = Math.max(start(bins.at(-1)!.at) + step, from + 12 * step);
  const left = MARGIN + 44;
  const width = WIDTH - 44;
  const place = (at: string): { x: number; width: number } => {
    const wide = Math.max(1, (width * step) / (to - from));
    return { x: left + (width * (start(at) - from)) / (to - from), width: Math.max(1.6, wide * 0.82) };
  };
  const plot = async (
    title: string,
    value: (bin: TimeBin) => number,
    draw: (bin: TimeBin, x: number, width: number, scale: number, base: number) => void,
  ): Promise<void> => {
    const most = Math.max(1, ...bins.map(value));
    sheet.y += 14;
    await sheet.line(title, MARGIN, sheet.y, { size: 8.8, face: 'medium' });
    sheet.y += 8;
    const base = sheet.y + HEIGHT;
    sheet.rule(sheet.y, 'line', left, width);
    sheet.rule(sheet.y + HEIGHT / 2, 'line', left, width);
    await sheet.right(number(most), left - 6, sheet.y + 3, { size: 7.5, face: 'mono', colour: 'muted' });
    await sheet.right('0', left - 6, base + 2, { size: 7.5, face: 'mono', colour: 'muted' });
    for (const bin of bins) {
      const { x, width } = place(bin.at);
      draw(bin, x, width, HEIGHT / most, base);
    }
    sheet.rule(base, 'muted', left, width);
    sheet.y = base;
  };
  await plot(
    'Records',
    ({ records }) => records,
    ({ records }, x, width, scale, base) => {
      const height = Math.max(0.8, records * scale);
      sheet.box(x, base - height, width, height, 'brand');
    },
  );
  if (sum(figures.decisions) > 0) {
    await plot(
      'Decisions',
      bin => bin.allow + bin.approve + bin.deny + bin.failed,
      (bin, x, width, scale, base) => {
        let y = base;
        for (const { result, colour } of RESULTS) {
          const height = bin[result] * scale;
          if (height > 0) sheet.box(x, y - height, width, height, colour);
          y -= height;
        }
      },
    );
  }
  const label = (at: string): string => at.replace('T', ' ').concat(unit === 'hour' ? ':00' : '');
  sheet.y += 11;
  const style = { size: 7.5, face: 'mono', colour: 'muted' } as const;
  await sheet.line(label(bins[0]!.at), left, sheet.y, style);
  if (bins.length > 1) {
    const { x, width: wide } = place(bins.at(-1)!.at);
    const right = Math.min(MARGIN + WIDTH, Math.max(x + wide, left + 190));
    await sheet.right(label(bins.at(-1)!.at), right, sheet.y, style);
  }
  sheet.y += 12;
  let x = left;
  for (const { word, sign, colour } of RESULTS) {
    sheet.box(x, sheet.y - 6, 7, 7, colour);
    x += 12 + (await sheet.line(`${sign}  ${word}`, x + 11, sheet.y, { size: 8, colour: 'muted' })) + 14;
  }
  sheet.y += 6;
}
