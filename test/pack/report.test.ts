/** summary.pdf: rendered with PDFium, because a lost glyph leaves text extraction unharmed; its figures, compared by the verifier. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PDFiumLibrary } from '@hyzyla/pdfium';
import { PDFDict, PDFDocument, type PDFHexString, PDFName, type PDFRef } from 'pdf-lib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { diffSources } from '../../collector/evidence/report/diff.ts';
import type { ReportFacts } from '../../collector/evidence/report/facts.ts';
import { reportMaker } from '../../collector/evidence/report/make.ts';
import { Sheet } from '../../collector/evidence/report/sheet.ts';
import { sha256 } from '../../collector/sha256.ts';
import { approvalFigures } from '../../core/pack/report_approvals.ts';
import { type Figures, ReportFigures } from '../../core/pack/report_figures.ts';
import { figuresIn } from '../../core/pack/report_pdf.ts';
import { Sessions } from '../../core/pack/sessions.ts';
import { fromUtf8 } from '../../core/proof/bytes.ts';
import type { JsonObject } from '../../core/proof/jcs.ts';
import {
  busyLedger,
  check,
  codesOf,
  makePack,
  type Parts,
  partsOf,
  reseal,
  trustOf,
  zipOf,
} from './packs.ts';
import { reportLedger } from './report_ledger.ts';

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
    pages.push({ width, height, pixels, text: text.replaceAll(/\s+/g, ' ') });
  }
  document.destroy();
  return pages;
}

const dark = (pixels: Uint8Array): number => pixels.reduce((sum, pixel) => sum + (pixel < 128 ? 1 : 0), 0);

/** Exports a ledger with its real report; answers the facts too. */
async function exported(ledger = reportLedger()): Promise<{
  parts: Parts;
  pdf: Uint8Array;
  facts: ReportFacts;
  codes: (parts: Parts) => Promise<string[]>;
}> {
  let facts: ReportFacts | undefined;
  const pack = await makePack(ledger, undefined, {
    report: given => {
      facts = given;
      return reportMaker().make(given);
    },
  });
  const parts = await partsOf(pack);
  const codes = async (changed: Parts) => codesOf(await check(await zipOf(reseal(changed)), trustOf(ledger)));
  return { parts, pdf: parts.get('summary.pdf')!, facts: facts!, codes };
}

const latin = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
const figuresOf = (pdf: Uint8Array): Figures => JSON.parse(fromUtf8(figuresIn(pdf)!)) as Figures;

describe('the document', () => {
  let made: Awaited<ReturnType<typeof exported>>;
  let pages: Rendered[];
  let text = '';
  beforeAll(async () => {
    made = await exported();
    pages = await render(made.pdf);
    text = pages.map(page => page.text).join('\n');
  }, 120_000);

  test('is deterministic, and each page has something on it', async () => {
    expect(Buffer.compare(Buffer.from(made.pdf), Buffer.from(await reportMaker().make(made.facts)))).toBe(0);
    expect(pages.length).toBeLessThanOrEqual(14);
    for (const [i, { pixels }] of pages.entries()) expect(dark(pixels), `page ${i + 1}`).toBeGreaterThan(700);
  }, 60_000);

  test('says what went wrong on its first page, and then everything with its numbers', () => {
    const { figures, checkpoint, chainHead } = made.facts;
    expect(pages[0]!.text).toContain('What needs a look');
    expect(pages[0]!.text).toContain(`${figures.exception_counts.denied} calls were denied`);
    expect(pages[0]!.text).toContain('1 call could not be judged');
    for (const expected of [
      `${figures.records}`,
      checkpoint.root,
      chainHead.hash,
      '供应商付款',
      'ben, as treasurer on behalf of anna',
      'read for 4 s of at least 15 s, not met',
      'challenge: question',
      'never reported',
      'Checked against the invoice.',
      'What version 2 changed against version 1',
      '# Reviewed in November.',
      'sha256sum -c checksums.txt',
      'openssl pkeyutl -verify',
      '2 December 2027',
      'it is not legal advice',
      'does not certify',
    ])
      expect(text, expected).toContain(expected);
  });

  test('has contents with page numbers, bookmarks that lead there, metadata and a language', async () => {
    const document = await PDFDocument.load(made.pdf);
    expect(document.getTitle()).toContain('bot');
    expect(document.getCreationDate()?.toISOString()).toBe(`${made.facts.checkpoint.at.slice(0, 19)}.000Z`);
    const { catalog, context } = document;
    expect(catalog.lookup(PDFName.of('Lang'))?.toString()).toBe('(en)');
    expect(catalog.lookup(PDFName.of('ViewerPreferences'), PDFDict).toString()).toContain(
      'DisplayDocTitle true',
    );
    const refs = document.getPages().map(page => page.ref);
    const outline = catalog.lookup(PDFName.of('Outlines'), PDFDict);
    const marks: [string, number][] = [];
    let at = outline.get(PDFName.of('First')) as PDFRef | undefined;
    while (at !== undefined) {
      const item = context.lookup(at, PDFDict);
      const to = item.lookup(PDFName.of('Dest')) as unknown as { get(i: number): PDFRef };
      marks.push([(item.get(PDFName.of('Title')) as PDFHexString).decodeText(), refs.indexOf(to.get(0)) + 1]);
      at = item.get(PDFName.of('Next')) as PDFRef | undefined;
    }
    expect(marks.map(([title]) => title)).toEqual([
      'Summary',
      'Contents',
      'Exceptions',
      'Decisions',
      'Approvals',
      'Runs',
      'Policies',
      'Proof',
      'How to verify',
      'Annex: rules on records',
    ]);
    for (const [title, page] of marks) {
      if (title === 'Contents' || title === 'Summary') continue;
      expect(pages[page - 1]!.text, title).toContain(title);
      expect(pages[1]!.text, title).toContain(`${title} ${page}`);
    }
  });

  test('repeats the head of a table on each page that it reaches', () => {
    const heads = pages.filter(page => page.text.includes('Records ✓ ? ✕ Errors'));
    expect(heads.length).toBeGreaterThanOrEqual(2);
  });

  test('is read by poppler without a word on stderr, where it is installed', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tm-pdf-'));
    try {
      const file = join(folder, 'summary.pdf');
      writeFileSync(file, made.pdf);
      const [out, files] = ['pdftotext', 'pdfdetach'].map(tool => {
        try {
          const words = tool === 'pdftotext' ? [file, '-'] : ['-list', file];
          return execFileSync(tool, words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
          throw error;
        }
      });
      if (out !== undefined) expect(out).toContain('What needs a look');
      if (files !== undefined) expect(files).toContain('figures.json');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('the figures', () => {
  test('are those of the records, and the verifier says so', async () => {
    const { parts, pdf, codes, facts } = await exported();
    expect(figuresOf(pdf)).toEqual(facts.figures);
    expect(await codes(parts)).not.toContain('report_figures_wrong');
    const sources = await PDFDocument.load(pdf);
    expect(sources.catalog.lookup(PDFName.of('Names'), PDFDict).toString()).toContain('EmbeddedFiles');
  }, 60_000);

  test('fail the pack when one is not what the records give, however it is written', async () => {
    const { parts, pdf, codes } = await exported(busyLedger());
    const { records } = figuresOf(pdf);
    const changed = (change: (text: string) => string): Parts => {
      const after = change(latin(pdf));
      expect(after).not.toBe(latin(pdf));
      return new Map(parts).set('summary.pdf', Buffer.from(after, 'latin1'));
    };
    const wrong: [string, (text: string) => string][] = [
      ['a number', text => text.replace(`"records":${records},"risks"`, `"records":${records + 1},"risks"`)],
      [
        'a space',
        text =>
          text
            .replace('{"actions":', '{ "actions":')
            .replace(/(\/TrailmixFigures 1\n\/Length )(\d+)/, (_, a, n) => `${a}${Number(n) + 1}`),
      ],
      ['a length', text => text.replace(/(\/TrailmixFigures 1\n\/Length )\d+/, '$19')],
      ['a second copy', text => `${text}\n% /TrailmixFigures 1`],
      ['no JSON', text => text.replace('{"actions":', '{_actions":')],
    ];
    for (const [about, change] of wrong)
      expect(await codes(changed(change)), about).toContain('report_figures_wrong');
    const later = await codes(changed(text => text.replace('"v":1}\nendstream', '"v":2}\nendstream')));
    expect(later).toContain('report_figures_unchecked');
    expect(later).not.toContain('report_figures_wrong');
  }, 120_000);

  test('are not asked of a summary that carries none', async () => {
    const ledger = busyLedger();
    const report = await check(await makePack(ledger), trustOf(ledger));
    expect(codesOf(report).filter(code => code.startsWith('report_'))).toEqual([]);
  });

  const record = (seq: number, at: string, more: JsonObject = {}): JsonObject => ({
    seq,
    received_at: at,
    event_type: 'span',
    session_id: 's',
    ...more,
  });

  test('over time take the finest unit with at most 120 bars', () => {
    const unit = (count: number, hours: number): [string, number] => {
      const figures = new ReportFigures(new Sessions(sha256));
      for (let n = 0; n < count; n++)
        figures.take(record(n, new Date(Date.UTC(2026, 0, 1, n * hours)).toISOString()));
      const { over_time, records } = figures.figures([]);
      expect(over_time.bins.reduce((sum, bin) => sum + bin.records, 0)).toBe(records);
      return [over_time.unit, over_time.bins.length];
    };
    expect(unit(120, 1)).toEqual(['hour', 120]);
    expect(unit(121, 1)).toEqual(['day', 6]);
    expect(unit(121, 24)).toEqual(['month', 5]);
    expect(unit(200, 24 * 300)).toEqual(['year', 164]);
  });

  test('count decisions by risk, and exceptions by kind', () => {
    const figures = new ReportFigures(new Sessions(sha256));
    const decide = (seq: number, risk: string, decision: JsonObject) =>
      figures.take(
        record(seq, '2026-11-20T09:00:00.000000Z', {
          event_type: 'decision.recorded',
          name: 'send_wire',
          risk,
          decision,
        }),
      );
    decide(1, 'critical', { result: 'deny', failed: 'timeout' });
    decide(2, 'critical', { result: 'approve' });
    decide(3, 'low', { result: 'allow' });
    decide(4, 'odd', { result: 'deny' });
    const { risks, decisions, exception_counts, actions, run_rows } = figures.figures([]);
    expect(decisions).toEqual({ allow: 1, approve: 1, deny: 1, failed: 1 });
    expect(risks.critical).toEqual({ allow: 0, approve: 1, deny: 0, failed: 1 });
    expect(risks.unstated.deny).toBe(1);
    expect(exception_counts).toEqual({ denied: 1, failed: 1, refused: 0, expired: 0, error: 0 });
    expect(actions).toEqual([{ name: 'send_wire', count: 4 }]);
    expect(run_rows).toHaveLength(1);
    expect(run_rows[0]).toMatchObject({ records: 4, exceptions: 2 });
  });

  test('list approvals: what went wrong first, then what is open, then the newest', () => {
    const line = (i: number, status: string, outcome = ''): JsonObject => ({
      approval_id: `a${i}`,
      asked_seq: i,
      asked_at: '2026-11-20T09:00:00.000000Z',
      binding: { action: `call_${i}`, risk: 'high', required: { k: 1, roles: [] } },
      status,
      answers:
        status === 'waiting'
          ? []
          : [{ by: 'Ana', seq: i + 1, verdict: 'approve', received_at: '2026-11-20T09:00:42.500000Z' }],
      ...(status === 'consumed' ? { intent: {} } : {}),
      ...(outcome === '' ? {} : { outcome: { outcome } }),
    });
    const lines = Array.from({ length: 500 }, (_, i) => line(i, 'consumed', i === 7 ? 'error' : 'ok'));
    lines[3] = line(3, 'waiting');
    lines[5] = line(5, 'denied');
    lines[9] = line(9, 'consumed');
    const { rows, times, results, statuses } = approvalFigures(lines);
    expect(rows.slice(0, 6).map(({ action }) => action)).toEqual(
      [7, 5, 9, 3, 499, 498].map(i => `call_${i}`),
    );
    expect(rows).toHaveLength(60);
    expect(times).toMatchObject({ under_1min: 499, under_10s: 0, median_ms: 42_500, longest_ms: 42_500 });
    expect(results).toEqual({ ran: 496, failed: 1, never_reported: 1, not_run: 2 });
    expect(statuses).toMatchObject({ consumed: 498, denied: 1, waiting: 1 });
  });
});

test('a report on very much stays short, and says what it leaves out and where it is', async () => {
  const { pdf, facts } = await exported(reportLedger(16));
  const pages = await render(pdf);
  const text = pages.map(page => page.text).join(' ');
  expect(pages.length).toBeLessThanOrEqual(30);
  expect(facts.figures.run_rows).toHaveLength(40);
  expect(text).toContain(`and ${facts.figures.runs - 40} more in events.jsonl`);
  expect(text).toContain('more in approvals.jsonl');
  expect(facts.figures.exceptions).toHaveLength(60);
}, 180_000);

test('an empty window still makes a report', async () => {
  const ledger = busyLedger();
  let pdf = new Uint8Array(0);
  const pack = await makePack(
    ledger,
    { app_id: 'bot', time_from: '2025-01-01T00:00:00Z', time_to: '2025-01-02T00:00:00Z' },
    { report: async facts => (pdf = Uint8Array.from(await reportMaker().make(facts))) },
  );
  const text = (await render(pdf)).map(page => page.text).join(' ');
  expect(text).toContain('No record of this app was received in this window.');
  expect(text).toContain('None was asked for.');
  expect(codesOf(await check(pack, trustOf(ledger)))).not.toContain('report_figures_wrong');
}, 60_000);

test('a difference of policies is bounded, and names files that came and went', () => {
  const lines = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, i) => `line ${from + i}\n`).join('');
  const before = [
    { path: 'a.rego', text: lines(0, 50) },
    { path: 'gone.rego', text: 'x\n' },
    { path: 'same.rego', text: 'x\n' },
  ];
  const after = [
    { path: 'a.rego', text: lines(0, 20) + lines(100, 300) + lines(21, 50) },
    { path: 'new.rego', text: 'y' },
    { path: 'same.rego', text: 'x\n' },
  ];
  const [a, gone, fresh] = diffSources(before, after);
  expect(a).toMatchObject({ kind: 'changed', added: 200, removed: 1, left: 145 });
  expect(a!.lines.slice(0, 4)).toEqual([
    { sign: ' ', text: 'line 18' },
    { sign: ' ', text: 'line 19' },
    { sign: '-', text: 'line 20' },
    { sign: '+', text: 'line 100' },
  ]);
  expect(gone).toMatchObject({ path: 'gone.rego', kind: 'removed', removed: 1 });
  expect(fresh).toMatchObject({ path: 'new.rego', kind: 'added', lines: [{ sign: '+', text: 'y' }] });
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
