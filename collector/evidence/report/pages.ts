/**
 * summary.pdf: what a reader must know of a pack, exceptions first, in two or three pages. It repeats the records and
 * decides nothing: it says so. Deterministic: its dates are the checkpoint's.
 */
import { PDFDocument } from 'pdf-lib';
import type { DecisionCounts, ReportApproval, ReportException, ReportFacts, ReportRisk } from './facts.ts';
import { type Colour, MARGIN, PAGE, Sheet, WIDTH } from './sheet.ts';

/** The bytes of the summary: the same for the same facts. */
export async function reportPdf(facts: ReportFacts): Promise<Uint8Array> {
  const document = await PDFDocument.create();
  const at = new Date(`${facts.checkpoint.at.slice(0, 19)}Z`);
  document.setTitle(`Evidence pack: ${facts.appId}, ${facts.from.slice(0, 10)} to ${facts.to.slice(0, 10)}`, {
    showInWindowTitleBar: true,
  });
  document.setSubject('Summary of an Audit TrailMix evidence pack');
  document.setAuthor(`Audit TrailMix ledger ${facts.ledgerId}`);
  document.setCreator(`Audit TrailMix ${facts.version}`);
  document.setProducer(`Audit TrailMix ${facts.version}`);
  document.setKeywords(['evidence', 'audit', facts.appId]);
  document.setLanguage('en');
  document.setCreationDate(at);
  document.setModificationDate(at);

  const sheet = new Sheet(document);
  await title(sheet, facts);
  await exceptions(sheet, facts);
  await figures(sheet, facts);
  await decisions(sheet, facts);
  await approvals(sheet, facts);
  sheet.newPage();
  await proof(sheet, facts);
  await claims(sheet, facts);
  await howTo(sheet);
  await feet(sheet, facts);
  return document.save({ useObjectStreams: false, addDefaultPage: false });
}

const number = (value: number): string => value.toLocaleString('en-US');
const plural = (count: number, one: string, many = `${one}s`): string =>
  `${number(count)} ${count === 1 ? one : many}`;
/** `2026-11-22 16:41:05 UTC`, or with its fraction where it has one that says something. */
const time = (text: string): string => {
  const fraction = text.slice(19, -1).replace(/\.0*$/, '');
  return `${text.slice(0, 10)} ${text.slice(11, 19)}${/^\.9+$/.test(fraction) ? '' : fraction} UTC`;
};

async function title(sheet: Sheet, facts: ReportFacts): Promise<void> {
  const height = 132;
  sheet.box(0, 0, PAGE.width, height, 'brand');
  sheet.box(0, height, PAGE.width, 3, 'brandDark');
  // The mark: three stones of a trail.
  sheet.circle(MARGIN + 5, 45, 5, 'white');
  sheet.circle(MARGIN + 17, 39, 3.6, 'white');
  sheet.circle(MARGIN + 26, 46, 2.4, 'white');
  await sheet.line('Audit TrailMix', MARGIN + 38, 47, { size: 12, face: 'bold', colour: 'white' });
  await sheet.right('Evidence pack · summary', PAGE.width - MARGIN, 47, { size: 9.5, colour: 'white' });
  await sheet.line(facts.appId, MARGIN, 86, { size: 25, face: 'bold', colour: 'white' }, WIDTH);
  await sheet.line(
    `Received ${time(facts.from)}  to  ${time(facts.to)}`,
    MARGIN,
    110,
    { size: 10.5, colour: 'white' },
    WIDTH,
  );
  sheet.y = height + 14;
  const complete = facts.hasBefore && facts.hasAfter;
  const whole =
    facts.events + facts.erased === 0
      ? 'No record of this app was received in this window.'
      : `This pack holds ${facts.events + facts.erased === 1 ? 'the one record' : `all ${number(facts.events + facts.erased)} records`} of ${facts.appId} that the collector received in this window${
          complete ? ', with the records before and after it as boundaries' : ''
        }. It says nothing about what was never sent to the collector.`;
  await sheet.paragraph(whole, { size: 10.5 });
  if (!facts.hasAfter) {
    sheet.y += 4;
    await sheet.paragraph(
      'The record after the window lies beyond the pinned checkpoint: that nothing is missing at its end is not shown.',
      {
        size: 9.5,
        colour: 'muted',
      },
    );
  }
}

const EXCEPTION: { readonly [K in ReportException['kind']]: { sign: string; word: string; colour: Colour } } =
  {
    denied: { sign: '✕', word: 'Denied', colour: 'deny' },
    failed: { sign: '!', word: 'Failed', colour: 'failed' },
    refused: { sign: '✕', word: 'Refused', colour: 'deny' },
    expired: { sign: '◷', word: 'Expired', colour: 'approve' },
    error: { sign: '!', word: 'Error', colour: 'deny' },
  };

/** Height of what follows the exceptions on their page, with a few approvals. */
const FIGURES = 236;
const APPROVAL_ROW = 16;
const below = ({ approvalRows }: ReportFacts): number =>
  FIGURES + (approvalRows.length === 0 ? 0 : 42 + APPROVAL_ROW * Math.min(4, approvalRows.length));

async function exceptions(sheet: Sheet, facts: ReportFacts): Promise<void> {
  await sheet.heading('What needs a look');
  const notes: string[] = [];
  if (facts.unverified > 0) {
    notes.push(
      `${plural(facts.unverified, 'record')} came without an API key: anyone on that machine may have sent them.`,
    );
  }
  if (facts.erased > 0)
    notes.push(
      `${plural(facts.erased, 'record')} had their content erased; their place in the chain is proved.`,
    );
  if (facts.samples > 0)
    notes.push(`${plural(facts.samples, 'record')} are samples that ship with the app, not real activity.`);
  if (facts.approvals.waiting > 0)
    notes.push(`${plural(facts.approvals.waiting, 'approval')} had no answer yet.`);
  if (facts.restored !== undefined) notes.push(`This ledger continues from a backup. ${facts.restored}`);
  for (const note of notes) await bullet(sheet, note, 'approve');
  if (facts.exceptions.length === 0) {
    if (notes.length === 0)
      await bullet(sheet, 'No call was denied or failed, and no approval was refused or ran out.', 'allow');
    else
      await sheet.paragraph('No call was denied or failed, and no approval was refused or ran out.', {
        colour: 'muted',
      });
    return;
  }
  sheet.y += 4;
  let shown = 0;
  for (const { kind, seq, at, name, detail } of facts.exceptions) {
    // The counts and decisions below must stay on this page.
    if (shown >= 3 && sheet.room < below(facts) + 32) break;
    shown++;
    const { sign, word, colour } = EXCEPTION[kind];
    const top = sheet.y;
    const y = top + 13;
    await sheet.line(sign, MARGIN, y, { size: 10, colour, face: 'bold' });
    await sheet.line(word, MARGIN + 16, y, { size: 9.5, face: 'medium', colour });
    await sheet.line(name, MARGIN + 68, y, { size: 9.5, face: 'medium' }, 122);
    await sheet.right(`${at.slice(5, 10)} ${at.slice(11, 19)}  #${seq}`, MARGIN + WIDTH, y, {
      size: 8,
      face: 'mono',
      colour: 'muted',
    });
    sheet.y = top + 3.4;
    await sheet.paragraph(detail, { x: MARGIN + 196, width: 184, size: 9, colour: 'muted', keep: 2 });
    sheet.y = Math.max(sheet.y + 3, top + 19);
    sheet.rule();
  }
  const more = facts.exceptionCount - shown;
  if (more > 0) {
    await sheet.paragraph(`and ${number(more)} more in events.jsonl.`, { size: 9, colour: 'muted' });
  }
}

async function bullet(sheet: Sheet, text: string, colour: Colour): Promise<void> {
  sheet.need(16);
  sheet.circle(MARGIN + 3, sheet.y + 6.6, 2.2, colour);
  await sheet.paragraph(text, { x: MARGIN + 14, width: WIDTH - 14 });
}

async function figures(sheet: Sheet, facts: ReportFacts): Promise<void> {
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

const sum = (counts: object): number =>
  Object.values(counts as Record<string, number>).reduce((a, b) => a + b, 0);

async function decisions(sheet: Sheet, facts: ReportFacts): Promise<void> {
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
async function approvals(sheet: Sheet, facts: ReportFacts): Promise<void> {
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
    await sheet.paragraph(`and ${number(total - shown)} more in approvals.jsonl.`, {
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

async function proof(sheet: Sheet, facts: ReportFacts): Promise<void> {
  await sheet.heading('What holds it together');
  await row(sheet, 'Merkle root', facts.checkpoint.root, true);
  await row(
    sheet,
    'of',
    `${plural(facts.checkpoint.size, 'record')} of the ledger, checkpoint signed ${time(facts.checkpoint.at)} by the collector's own clock`,
  );
  await row(sheet, 'Chain head', facts.chainHead.hash, true);
  await row(sheet, 'at', `record #${facts.chainHead.seq}, the last one under this checkpoint`);
  await row(sheet, 'Ledger', `${facts.ledgerId}, tenant ${facts.tenantId}`, true);
  await row(
    sheet,
    'Scope',
    facts.lastSeq < 0
      ? `empty; the app's own numbering stands at ${facts.lastAppSeq}`
      : `records #${facts.firstSeq} to #${facts.lastSeq}; the app's own numbers ${facts.firstAppSeq} to ${facts.lastAppSeq} without a gap`,
  );
  await row(sheet, 'Asked for', `${facts.requested.from}  to  ${facts.requested.to}`);
  const policies = facts.policies.map(({ version, hash }) => `version ${version}: ${hash}`);
  if (policies.length === 0) await row(sheet, 'Policy', 'none was in force');
  for (const text of policies.slice(0, 6)) await row(sheet, 'Policy', text, true);
  if (policies.length > 6) await row(sheet, '', `and ${policies.length - 6} more in policies.json`);
  await row(sheet, 'Key custody', facts.custody);
  await row(sheet, 'Certificate', facts.certificate, true);
  await row(sheet, '', 'SHA-256 of the self-made RSA certificate that signs checksums.txt');
}

async function row(sheet: Sheet, label: string, value: string, mono = false): Promise<void> {
  sheet.need(16);
  const before = sheet.y;
  await sheet.paragraph(value, {
    x: MARGIN + 86,
    width: WIDTH - 86,
    size: mono ? 8 : 9.2,
    face: mono ? 'mono' : 'regular',
    leading: 14,
  });
  if (sheet.y > before)
    await sheet.line(label, MARGIN, before + 10, { size: 9, colour: 'muted', face: 'medium' });
}

async function claims(sheet: Sheet, facts: ReportFacts): Promise<void> {
  await sheet.heading('What a successful check proves');
  for (const text of [
    'No record in it was changed after the collector wrote it down: each is hashed, chained to the one before, signed, and a leaf under the root above.',
    facts.hasAfter
      ? 'No record of this app in this window was left out: its own numbers have no gap, and the records on either side are shown.'
      : 'No record of this app was left out between the first and the last one here: its own numbers have no gap.',
    'Every call that was let through after a question had an answer behind it that was bound to exactly that call, and was used once.',
    'Which policy decided: its sources are in the pack and give the hash that the decisions cite.',
  ]) {
    await bullet(sheet, text, 'allow');
  }
  await sheet.heading('What it does not prove');
  const signed =
    sum(facts.approvals) > 0
      ? ['Who gave an approval: approvals of this version carry no signature of a person.']
      : [];
  for (const text of [
    'When things happened: no outside party dated this pack. All times are those of the collector and of the programs that reported to it.',
    ...signed,
    'Anything about what was never sent to the collector, or whether what was sent was true.',
    'That nobody who held the signing keys rewrote history before this checkpoint was given away. Keeping packs, or a copy of the checkpoint, elsewhere is what protects against that.',
  ]) {
    await bullet(sheet, text, 'deny');
  }
}

async function howTo(sheet: Sheet): Promise<void> {
  await sheet.heading('How to verify');
  await sheet.paragraph(
    'README-VERIFY.txt has four commands that need only sha256sum and openssl 3. The verifier checks everything, without a network:',
  );
  sheet.y += 6;
  sheet.need(26);
  sheet.box(MARGIN, sheet.y, WIDTH, 22, 'tint');
  await sheet.line('trailmix verify PACK.zip --trust DIR', MARGIN + 10, sheet.y + 14.5, {
    face: 'mono',
    size: 9,
  });
  sheet.y += 28;
  await sheet.paragraph(
    'DIR holds what must come to you apart from the pack, from someone you trust: the output of "trailmix keys trust --out DIR". This summary is for reading; where it and the records differ, the records decide.',
    { colour: 'muted', size: 9 },
  );
}

async function feet(sheet: Sheet, facts: ReportFacts): Promise<void> {
  for (const [i, page] of sheet.pages.entries()) {
    const y = PAGE.height - 30;
    await sheet.line(
      `${facts.appId} · root ${facts.checkpoint.root.slice(0, 16)} · Audit TrailMix ${facts.version}`,
      MARGIN,
      y,
      { size: 7.5, colour: 'muted' },
      WIDTH - 80,
      page,
    );
    await sheet.right(
      `${i + 1} of ${sheet.pages.length}`,
      PAGE.width - MARGIN,
      y,
      { size: 7.5, colour: 'muted' },
      page,
    );
  }
}
