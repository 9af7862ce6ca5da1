/**
 * summary.pdf: what a reader must know of a pack, exceptions first. It repeats the records and decides nothing: it says
 * so. Deterministic: its dates are the checkpoint's. Its length is bounded: lists are, and say what they leave out.
 */
import { PDFDocument } from 'pdf-lib';
import { activity } from './activity.ts';
import { annex } from './annex.ts';
import { approvals } from './approvals.ts';
import { addBookmarks, attachFigures, describe } from './document.ts';
import type { ReportFacts } from './facts.ts';
import { contents, cover, exceptions } from './overview.ts';
import { policies } from './policies.ts';
import { howTo, proof } from './proof.ts';
import { runs } from './runs.ts';
import { MARGIN, PAGE, Sheet, WIDTH } from './sheet.ts';

/** The bytes of the summary: the same for the same facts. */
export async function reportPdf(facts: ReportFacts): Promise<Uint8Array> {
  const document = await PDFDocument.create();
  describe(document, facts);
  const sheet = new Sheet(document);
  const shown = await cover(sheet, facts);
  const contentsPage = sheet.newPage();
  sheet.places.push({ title: 'Contents', page: contentsPage, top: 0 });
  sheet.y = PAGE.height;
  await exceptions(sheet, facts, shown);
  await activity(sheet, facts);
  await approvals(sheet, facts);
  await runs(sheet, facts);
  await policies(sheet, facts);
  await proof(sheet, facts);
  await howTo(sheet, facts);
  await annex(sheet, facts);
  await contents(sheet, document, contentsPage);
  await feet(sheet, facts);
  addBookmarks(document, sheet.places);
  attachFigures(document, facts);
  return document.save({ useObjectStreams: false, addDefaultPage: false });
}

async function feet(sheet: Sheet, facts: ReportFacts): Promise<void> {
  const style = { size: 7.5, colour: 'muted' } as const;
  for (const [i, page] of sheet.pages.entries()) {
    const y = PAGE.height - 30;
    const text = `${facts.appId} · root ${facts.checkpoint.root.slice(0, 16)} · Audit TrailMix ${facts.version}`;
    await sheet.line(text, MARGIN, y, style, WIDTH - 80, page);
    await sheet.right(`${i + 1} of ${sheet.pages.length}`, PAGE.width - MARGIN, y, style, page);
  }
}
