/** What holds the pack together, what a check of it proves and what not, and how anyone makes one. */
import type { ReportFacts } from './facts.ts';
import { bullet } from './overview.ts';
import { MARGIN, type Sheet, WIDTH } from './sheet.ts';
import { number, plural, sum, time } from './words.ts';

export async function proof(sheet: Sheet, facts: ReportFacts): Promise<void> {
  await sheet.section('Proof', 430);
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
      : `${plural(facts.figures.records + facts.erased, 'record')}, #${facts.firstSeq} to #${facts.lastSeq}; the app's own numbers ${facts.firstAppSeq} to ${facts.lastAppSeq} without a gap`,
  );
  await row(sheet, 'Asked for', `${facts.requested.from}  to  ${facts.requested.to}`);
  await row(
    sheet,
    'Continues',
    facts.continues.length === 0
      ? 'no earlier pack of this app'
      : `${plural(facts.continues.length, 'earlier checkpoint')}, the last at ${number(facts.continues.at(-1)!)} records`,
  );
  await row(sheet, 'Key custody', facts.custody);
  await row(sheet, 'Certificate', facts.certificate.sha256, true);
  await row(
    sheet,
    '',
    facts.certificate.issuer === undefined
      ? 'SHA-256 of the self-made certificate that signs checksums.txt'
      : `SHA-256 of the certificate that signs checksums.txt, issued by ${facts.certificate.issuer}`,
  );
  await claims(sheet, facts);
  await sheet.heading('How whole the records are', 40);
  for (const text of facts.wholeness) await bullet(sheet, text, 'muted');
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
  const { answers, statuses } = facts.figures.approvals;
  await sheet.heading('What a successful check proves', 40);
  for (const text of [
    'No record in it was changed after the collector wrote it down: each is hashed, chained to the one before, signed, and a leaf under the root above.',
    facts.hasAfter
      ? 'No record of this app in this window was left out: its own numbers have no gap, and the records on either side are shown.'
      : 'No record of this app was left out between the first and the last one here: its own numbers have no gap.',
    'Every call that was let through after a question had an answer behind it that was bound to exactly that call, and was used once.',
    facts.hasSources
      ? 'Which policy decided: its sources are in the pack and give the hash that the decisions cite.'
      : 'Which policy decided, by its hash.',
    ...(answers.signed > 0
      ? [
          'Which key signed each signed answer, and whose it was then, as far as you trust the first enrolment.',
        ]
      : []),
  ])
    await bullet(sheet, text, 'allow');
  await sheet.heading('What it does not prove', 40);
  const signed =
    sum(statuses) > 0 && answers.unsigned > 0
      ? [
          `Who gave ${answers.signed > 0 ? 'the unsigned answers' : 'an answer'}: nothing of theirs is under it.`,
        ]
      : [];
  for (const text of [
    `When things happened: times are those of the collector and of the programs that reported to it. ${
      facts.anchors > 0
        ? `Outside parties stamped ${plural(facts.anchors, 'checkpoint')} of the ledger: what stands below them was there by then.`
        : 'No outside party had dated it when it was made; a stamp can be added later, and the verifier shows it.'
    }`,
    ...signed,
    'Anything about what was never sent to the collector, or whether what was sent was true.',
    'That nobody who held the signing keys rewrote history before this checkpoint was given away. Keeping packs, or a copy of the checkpoint, elsewhere is what protects against that.',
  ])
    await bullet(sheet, text, 'deny');
}

export async function howTo(sheet: Sheet, facts: ReportFacts): Promise<void> {
  await sheet.section('How to verify', 560);
  await sheet.paragraph(
    'Two things come to you apart from the pack, from someone you trust: the folder that "trailmix keys trust --out DIR" writes, and, if you want more than stock tools show, a verifier.',
  );
  await sheet.heading('With a verifier: everything, without a network', 30);
  await command(sheet, 'trailmix verify PACK.zip --trust DIR');
  await sheet.paragraph(
    'It recomputes every record, signature, approval, policy hash and the Merkle root, and every number of this report. It must show:',
    { size: 9 },
  );
  sheet.y += 2;
  await row(sheet, 'Records', number(facts.figures.records));
  await row(sheet, 'Checkpoint', `${number(facts.checkpoint.size)} records`);
  await row(sheet, 'Root', facts.checkpoint.root, true);
  await sheet.heading('With stock tools: sha256sum and openssl 3', 60);
  await sheet.paragraph(
    'Unzip the pack, put org.pem and the log key from the trust folder beside it. README-VERIFY.txt says what each command must answer.',
    { size: 9 },
  );
  for (const [i, { title, commands }] of facts.steps.entries()) {
    sheet.need(34);
    sheet.y += 4;
    await sheet.paragraph(`${i + 1}. ${title}`, { size: 9, face: 'medium' });
    for (const text of commands) await command(sheet, text);
  }
  await sheet.paragraph(
    'The digest of this report stands in checksums.txt, which is what is signed: no document can hold the digest of a list that holds its own.',
    { size: 8.8, colour: 'muted' },
  );
}

async function command(sheet: Sheet, text: string): Promise<void> {
  const style = { size: 7.2, face: 'mono' } as const;
  const lines = await sheet.lines(text, WIDTH - 20, style);
  const height = lines.length * 10 + 8;
  sheet.need(height + 4);
  sheet.y += 3;
  sheet.box(MARGIN, sheet.y, WIDTH, height, 'tint');
  for (const [i, line] of lines.entries()) sheet.put(line, MARGIN + 10, sheet.y + 12 + i * 10, style);
  sheet.y += height + 3;
}
