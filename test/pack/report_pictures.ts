/** Pages of a report as pictures, by PDFium: `npm run screenshots` puts two of them into docs/images. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import { PDFiumLibrary } from '@hyzyla/pdfium';
import { reportMaker } from '../../collector/evidence/report/make.ts';
import { makePack } from './packs.ts';
import { reportLedger } from './report_ledger.ts';

const SCALE = 1.6;

const chunk = (type: string, data: Buffer): Buffer => {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(named));
  return Buffer.concat([length, named, sum]);
};

/** 8 bits a channel, RGB, from RGBA. */
function png(width: number, height: number, data: Uint8Array): Buffer {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width);
  head.writeUInt32BE(height, 4);
  head[8] = 8;
  head[9] = 2;
  const rows = Buffer.alloc(height * (1 + width * 3));
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = 4 * (y * width + x);
      const to = y * (1 + width * 3) + 1 + 3 * x;
      for (let c = 0; c < 3; c++) rows[to + c] = data[from + c]!;
    }
  }
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([
    signature,
    chunk('IHDR', head),
    chunk('IDAT', deflateSync(rows, { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** Writes `report-<name>.png` for each page on which a text stands; answers the files. */
export async function reportPictures(
  folder: string,
  pages: Readonly<Record<string, string>>,
): Promise<string[]> {
  let pdf: Uint8Array = new Uint8Array(0);
  await makePack(reportLedger(), undefined, {
    report: async facts => {
      pdf = await reportMaker().make({ ...facts, appId: 'finance-bot', version: '0.1.0' });
      return pdf;
    },
  });
  const pdfium = await PDFiumLibrary.init();
  const document = await pdfium.loadDocument(pdf);
  const files: string[] = [];
  for (const page of document.pages()) {
    const text = page.getText();
    const name = Object.keys(pages).find(one => text.includes(pages[one]!));
    if (name === undefined) continue;
    const { width, height, data } = await page.render({ scale: SCALE, render: 'bitmap' });
    const file = join(folder, `report-${name}.png`);
    if (files.includes(file)) continue;
    await writeFile(file, png(width, height, data));
    files.push(file);
  }
  document.destroy();
  pdfium.destroy();
  return files;
}

if (import.meta.main) {
  const folder = process.argv[2] ?? join(import.meta.dirname, '../../docs/images');
  const files = await reportPictures(folder, {
    first: 'What needs a look',
    approvals: 'Each with its review',
  });
  for (const file of files) console.log(file);
}
