/** Policies in force: their versions, and what each changed against the one before. */
import type { DiffLine, FileDiff } from './diff.ts';
import type { ReportFacts, ReportPolicy } from './facts.ts';
import { type Colour, MARGIN, type Sheet, WIDTH } from './sheet.ts';
import { table } from './table.ts';
import { number, plural, time } from './words.ts';

const COLUMNS = [
  { title: 'Version', width: 46 },
  { title: 'In force from', width: 122 },
  { title: 'Hash that decisions cite', width: 276 },
  { title: 'Record', width: WIDTH - 444, right: true },
];

export async function policies(sheet: Sheet, facts: ReportFacts): Promise<void> {
  await sheet.section('Policies');
  if (facts.policies.length === 0) {
    await sheet.paragraph('None was in force.', { colour: 'muted' });
    return;
  }
  await sheet.paragraph(
    facts.hasSources
      ? 'The sources of each are under policies/ in this pack, and give the hash that the decisions cite.'
      : 'Their sources were left out of this pack: only their hashes are shown.',
    { colour: 'muted' },
  );
  await table(
    sheet,
    COLUMNS,
    facts.policies.map(({ version, at, hash, seq }) => ({
      cells: [
        { text: number(version), face: 'medium' },
        { text: at === '' ? '—' : time(`${at.slice(0, 19)}Z`), size: 8.2 },
        { text: hash, face: 'mono', size: 6.9, keep: 2 },
        { text: `#${seq}`, face: 'mono', size: 7.6, colour: 'muted' },
      ],
    })),
  );
  for (const { version, words } of facts.policies) {
    if (words !== '') await sheet.paragraph(`Version ${number(version)}: ${words}.`, { size: 8.5 });
  }
  for (const [i, policy] of facts.policies.entries()) {
    const before = facts.policies[i - 1];
    if (policy.diff !== undefined) await changes(sheet, policy, before?.version);
  }
}

async function changes(
  sheet: Sheet,
  { version, diff }: ReportPolicy,
  before: number | undefined,
): Promise<void> {
  const against = before === undefined ? 'the version before it in this pack' : `version ${before}`;
  await sheet.heading(`What version ${version} changed against ${against}`, 50);
  if (diff!.length === 0) {
    await sheet.paragraph('No source: the same text, or other capabilities.', { colour: 'muted' });
    return;
  }
  for (const file of diff!) await fileDiff(sheet, file);
}

const LINE = 10.4;
const COLOUR: { readonly [K in DiffLine['sign']]: Colour } = {
  '+': 'allow',
  '-': 'deny',
  ' ': 'muted',
  '…': 'muted',
};
const FILL: { readonly [K in DiffLine['sign']]: Colour | undefined } = {
  '+': 'allowTint',
  '-': 'denyTint',
  ' ': undefined,
  '…': undefined,
};

async function fileDiff(sheet: Sheet, { path, kind, added, removed, lines, left }: FileDiff): Promise<void> {
  sheet.need(20 + Math.min(4, lines.length) * LINE);
  sheet.y += 14;
  await sheet.line(path, MARGIN, sheet.y, { size: 8.6, face: 'medium' }, WIDTH - 150);
  const word = kind === 'changed' ? '' : `${kind}, `;
  await sheet.right(`${word}+${number(added)}  −${number(removed)} lines`, MARGIN + WIDTH, sheet.y, {
    size: 8,
    face: 'mono',
    colour: 'muted',
  });
  sheet.y += 4;
  for (const { sign, text } of lines) {
    sheet.need(LINE);
    const fill = FILL[sign];
    if (fill !== undefined) sheet.box(MARGIN, sheet.y, WIDTH, LINE, fill);
    const style = { size: 7.4, face: 'mono', colour: COLOUR[sign] } as const;
    await sheet.line(sign === '-' ? '−' : sign, MARGIN + 5, sheet.y + 7.8, style);
    // A tab is drawn as four spaces, which wrapping would lose.
    await sheet.line(text.replaceAll('\t', '    '), MARGIN + 16, sheet.y + 7.8, style, WIDTH - 22);
    sheet.y += LINE;
  }
  if (left > 0)
    await sheet.paragraph(`and ${plural(left, 'line')} more under policies/.`, {
      size: 8.5,
      colour: 'muted',
    });
}
