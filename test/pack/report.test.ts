/** summary.pdf: rendered with PDFium, because a lost glyph leaves text extraction unharmed. */
import { PDFiumLibrary } from '@hyzyla/pdfium';
import { PDFDocument } from 'pdf-lib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ReportFacts } from '../../collector/evidence/report/facts.ts';
import { makeReport } from '../../collector/evidence/report/make.ts';
import { Sheet } from '../../collector/evidence/report/sheet.ts';

const facts: ReportFacts = {
  ledgerId: '8c1f0b7e2d4a4f6b9e0a1b2c3d4e5f60',
  tenantId: 'default',
  appId: 'finance-bot',
  requested: { from: '2026-11-01T00:00:00Z', to: '2026-11-22T23:59:59Z' },
  from: '2026-11-01T00:00:00.000000Z',
  to: '2026-11-22T16:40:21.118204Z',
  firstAppSeq: 1,
  lastAppSeq: 12_840,
  firstSeq: 3,
  lastSeq: 14_021,
  hasBefore: true,
  hasAfter: true,
  checkpoint: { size: 14_023, root: 'a3'.repeat(32), at: '2026-11-22T16:40:21.118211Z' },
  chainHead: { seq: 14_022, hash: 'b7'.repeat(32) },
  custody: 'Key file outside the data folder',
  certificate: 'c9'.repeat(32),
  policies: [{ version: 1, hash: 'd1'.repeat(32) }],
  blobs: 3,
  erased: 0,
  approvals: { approved: 1, denied: 2, expired: 1, waiting: 1, consumed: 14 },
  decisions: { allow: 420, deny: 12, approve: 19, failed: 2 },
  events: 12_840,
  sessions: 211,
  evals: 422,
  unverified: 4,
  samples: 0,
  errors: 3,
  actions: [{ name: 'send_wire', count: 240 }],
  exceptions: [
    {
      seq: 122,
      at: '2026-11-03T09:12:44.000100Z',
      kind: 'denied',
      name: '支付',
      detail: 'PII cannot exit EU',
    },
  ],
  exceptionCount: 15,
  version: '0.1.0',
};

let pdfium: PDFiumLibrary;
beforeAll(async () => {
  pdfium = await PDFiumLibrary.init();
});
afterAll(() => pdfium.destroy());

type Rendered = { width: number; height: number; pixels: Uint8Array; text: string };

/** Each page at 72 dpi: darkness of each pixel's green channel, and the text that can be taken out of it. */
async function render(bytes: Uint8Array): Promise<Rendered[]> {
  const document = await pdfium.loadDocument(bytes);
  const pages: Rendered[] = [];
  for (const page of document.pages()) {
    // Text first: the binding closes the page once it is rendered.
    const text = page.getText();
    const { width, height, data } = await page.render({ scale: 1, render: 'bitmap' });
    const pixels = Uint8Array.from({ length: width * height }, (_, i) => data[4 * i + 1]!);
    pages.push({ width, height, pixels, text });
  }
  document.destroy();
  return pages;
}

const dark = (pixels: Uint8Array): number => pixels.reduce((sum, pixel) => sum + (pixel < 128 ? 1 : 0), 0);

test('the summary has two or three pages, is deterministic, and says what it is', async () => {
  const bytes = await makeReport(facts);
  expect(Buffer.compare(Buffer.from(bytes), Buffer.from(await makeReport(facts)))).toBe(0);
  const pages = await render(bytes);
  expect(pages.length).toBeGreaterThanOrEqual(2);
  expect(pages.length).toBeLessThanOrEqual(3);
  for (const { pixels } of pages) expect(dark(pixels)).toBeGreaterThan(2000);
  const text = pages.map(page => page.text).join('\n');
  for (const expected of [
    'finance-bot',
    '12,840',
    '92.7 %',
    'a3'.repeat(32),
    'b7'.repeat(32),
    'Key file outside',
    'does not prove',
    '支付',
  ]) {
    expect(text).toContain(expected);
  }
  const document = await PDFDocument.load(bytes);
  expect(document.getTitle()).toContain('finance-bot');
  expect(document.getCreationDate()?.toISOString()).toBe('2026-11-22T16:40:21.000Z');
}, 60_000);

test('every script leaves ink, and as much of it as its letters need', async () => {
  const samples: Record<string, string> = {
    latin: 'Příliš žluťoučký kůň — façade, straße, Łódź',
    greek: 'Ξεσκεπάζω την ψυχοφθόρα βδελυγμία',
    cyrillic: 'Съешь же ещё этих мягких французских булок',
    arabic: 'رفض المدير هذا الطلب بسبب المبلغ الكبير',
    hebrew: 'הבקשה נדחתה על ידי המנהל בגלל הסכום',
    chinese: '付款申请已被经理拒绝因为金额过大请重新提交申请',
    japanese: '支払い申請は金額が大きいため却下されました',
    emoji: '😀🚫💳✅🔒📄🧾🎉😀🚫💳✅🔒📄',
    unknown: '\u{1d173}\u{e0001}\u{10ffff}\u{f0000}\u{10fffe}\u{f1234}\u{10ffff}\u{f0000}',
  };
  const document = await PDFDocument.create();
  const sheet = new Sheet(document);
  const places: number[] = [];
  for (const text of Object.values(samples)) {
    sheet.y += 40;
    places.push(sheet.y);
    await sheet.line(text, 40, sheet.y, { size: 18 });
  }
  const [page] = await render(await document.save());
  const ink = Object.fromEntries(
    Object.keys(samples).map((name, i) => {
      const from = Math.round(places[i]! - 22) * page!.width;
      return [name, dark(page!.pixels.subarray(from, from + 30 * page!.width))];
    }),
  );
  // Measured with the fonts embedded whole; a subset that loses glyphs has a twentieth of it.
  for (const [name, pixels] of Object.entries(ink))
    expect(pixels, name).toBeGreaterThan(name === 'unknown' ? 60 : 250);
}, 60_000);
