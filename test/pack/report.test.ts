/** summary.pdf: rendered with PDFium, because a lost glyph leaves text extraction unharmed. */
import { PDFiumLibrary } from '@hyzyla/pdfium';
import { PDFDocument } from 'pdf-lib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { DecisionCounts, ReportApproval, ReportFacts } from '../../collector/evidence/report/facts.ts';
import { makeReport } from '../../collector/evidence/report/make.ts';
import { Sheet } from '../../collector/evidence/report/sheet.ts';
import { approvalRows, ReportTally } from '../../collector/evidence/report/tally.ts';

const counts = (allow = 0, approve = 0, deny = 0, failed = 0): DecisionCounts => ({
  allow,
  approve,
  deny,
  failed,
});
const asked = (action: string, more: Partial<ReportApproval>): ReportApproval => ({
  action,
  askedAt: '2026-11-20T09:00:00.000000Z',
  status: 'consumed',
  by: 'Ana',
  answeredAt: '2026-11-20T09:02:05.500000Z',
  outcome: 'ok',
  ...more,
});

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
  approvals: { approved: 1, denied: 2, expired: 1, waiting: 1, consumed: 14, cancelled: 0 },
  approvalsIn: 'approvals.jsonl',
  approvalRows: [
    asked('审批付款', { status: 'denied', by: 'Željka', outcome: '' }),
    asked('unanswered', { status: 'waiting', by: '', answeredAt: '', outcome: '' }),
    asked('send_wire', {}),
  ],
  risks: {
    low: counts(300),
    medium: counts(100, 4),
    high: counts(20, 10, 5),
    critical: counts(0, 5, 7, 2),
    unstated: counts(),
  },
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
    'Critical risk',
    '审批付款',
    'Željka',
    '2 min 5 s',
    'used, ok',
    'and 16 more in approvals.jsonl',
  ]) {
    expect(text).toContain(expected);
  }
  const document = await PDFDocument.load(bytes);
  expect(document.getTitle()).toContain('finance-bot');
  expect(document.getCreationDate()?.toISOString()).toBe('2026-11-22T16:40:21.000Z');
}, 60_000);

test('the first page holds exceptions, counts, risks and approvals, however many there are', async () => {
  const many: ReportFacts = {
    ...facts,
    restored: 'Old ledger 0123456789abcdef0123456789abcdef; what it recorded after record 40 may be lost.',
    exceptions: Array.from({ length: 14 }, () => facts.exceptions[0]!),
    risks: { ...facts.risks, unstated: counts(1) },
    approvalRows: Array.from({ length: 12 }, (_, i) =>
      asked(`${'a long name '.repeat(9)}${i}`, { by: 'name '.repeat(30) }),
    ),
  };
  const [full, second, third] = await render(await makeReport(many));
  expect(third).toBeUndefined();
  for (const text of [
    '0123456789abcdef0123456789abcdef',
    'Not stated',
    'more in approvals.jsonl',
    'more in events.jsonl',
  ])
    expect(full!.text.replaceAll(/\s+/g, ' ')).toContain(text);
  expect(second!.text).not.toContain('more in approvals.jsonl');

  const [left] = await render(await makeReport({ ...facts, approvalsIn: 'events.jsonl' }));
  expect(left!.text.replaceAll(/\s+/g, ' ')).toContain('and 16 more in events.jsonl');

  const bare = {
    ...facts,
    approvals: { approved: 0, denied: 0, expired: 0, waiting: 0, consumed: 0, cancelled: 0 },
  };
  const [none] = await render(await makeReport({ ...bare, approvalRows: [] }));
  expect(none!.text).toContain('None was asked for.');
  expect(none!.text).not.toContain('continues from a backup');
}, 60_000);

test('a dozen approvals are listed: what went wrong first, then what is open, then the newest', () => {
  const line = (i: number, status: string, outcome = '') => ({
    asked_at: `2026-11-20T09:00:${String(i % 60).padStart(2, '0')}.000000Z`,
    binding: { action: `call_${i}` },
    status,
    answers:
      status === 'waiting'
        ? []
        : ['Ana', 'Bo', 'Ana'].map(by => ({ by, received_at: `2026-11-20T09:59:0${i % 9}.000000Z` })),
    ...(outcome === '' ? {} : { outcome: { outcome } }),
  });
  const lines = Array.from({ length: 500 }, (_, i) => line(i, 'consumed', i === 7 ? 'error' : 'ok'));
  lines[3] = line(3, 'waiting');
  lines[5] = line(5, 'denied');
  lines[9] = line(9, 'consumed');
  const rows = approvalRows(lines);
  expect(rows.map(({ action }) => action)).toEqual(
    [7, 5, 9, 3, 499, 498, 497, 496, 495, 494, 493, 492].map(i => `call_${i}`),
  );
  expect(rows[1]).toEqual({
    action: 'call_5',
    askedAt: '2026-11-20T09:00:05.000000Z',
    status: 'denied',
    by: 'Ana, Bo',
    answeredAt: '2026-11-20T09:59:05.000000Z',
    outcome: '',
  });
});

test('decisions are counted by risk and by what they came to', () => {
  const tally = new ReportTally();
  const decision = (risk: string | undefined, decision: { result: string; failed?: string }) =>
    tally.take({
      event_type: 'decision.recorded',
      seq: 1,
      received_at: '2026-11-20T09:00:00.000000Z',
      name: 'send_wire',
      ...(risk === undefined ? {} : { risk }),
      decision,
    });
  decision('critical', { result: 'deny', failed: 'timeout' });
  decision('critical', { result: 'approve' });
  decision('low', { result: 'allow' });
  decision('low', { result: 'allow' });
  decision(undefined, { result: 'deny' });
  expect(tally.facts().risks).toEqual({
    low: counts(2),
    medium: counts(),
    high: counts(),
    critical: counts(0, 1, 0, 1),
    unstated: counts(0, 0, 1),
  });
});

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
