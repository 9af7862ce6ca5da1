/**
 * summary.pdf: what a reader must know of a pack, exceptions first, in two or three pages. It repeats the records and
 * decides nothing: it says so. Deterministic: its dates are the checkpoint's.
 */
import { PDFDocument } from 'pdf-lib';
import { approvals, decisions, figures, heightOfActivity, number, sum } from './activity.ts';
import type { ReportException, ReportFacts } from './facts.ts';
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
    if (shown >= 3 && sheet.room < heightOfActivity(facts) + 32) break;
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
