/** A4 pages that fill from the top: text of any script with wrapping, rules, boxes, tables. Lengths in points. */
import { type PDFDocument, type PDFPage, rgb } from 'pdf-lib';
import type { Place } from './document.ts';
import { type Face, Fonts, type Run } from './fonts.ts';

export const PAGE = { width: 595.28, height: 841.89 } as const;
export const MARGIN = 48;
export const WIDTH = PAGE.width - 2 * MARGIN;
const FOOT = 54;

const colour = (hex: string) =>
  rgb(...([1, 3, 5].map(at => Number.parseInt(hex.slice(at, at + 2), 16) / 255) as [number, number, number]));

export const COLOURS = {
  brand: colour('#893f45'),
  brandDark: colour('#5e2a2f'),
  tint: colour('#f7f0ee'),
  ink: colour('#1f1b1a'),
  muted: colour('#6b6360'),
  line: colour('#e2dad6'),
  white: colour('#ffffff'),
  allow: colour('#1f7a4d'),
  approve: colour('#a86400'),
  deny: colour('#b3261e'),
  allowTint: colour('#e8f3ec'),
  denyTint: colour('#fae9e7'),
  failed: colour('#8a2b8f'),
} as const;
export type Colour = keyof typeof COLOURS;

export type TextStyle = {
  size?: number;
  face?: Face;
  colour?: Colour;
  /** Baseline to baseline. */
  leading?: number;
};

export type Line = { readonly runs: readonly Run[]; readonly width: number };

export class Sheet {
  readonly #document: PDFDocument;
  readonly #fonts: Fonts;
  #page: PDFPage;
  /** Distance from the top edge to where the next thing is drawn. */
  y = MARGIN;
  readonly pages: PDFPage[] = [];
  /** Headings of the first rank, for contents and bookmarks. */
  readonly places: Place[] = [];

  constructor(document: PDFDocument) {
    this.#document = document;
    this.#fonts = new Fonts(document);
    this.#page = this.newPage();
  }

  newPage(): PDFPage {
    this.#page = this.#document.addPage([PAGE.width, PAGE.height]);
    this.pages.push(this.#page);
    this.y = MARGIN;
    return this.#page;
  }

  /** A new page unless `height` more fits above the foot. */
  need(height: number): void {
    if (this.y + height > PAGE.height - FOOT) this.newPage();
  }

  get page(): PDFPage {
    return this.#page;
  }

  get room(): number {
    return PAGE.height - FOOT - this.y;
  }

  /** A filled rectangle; `y` from the top edge. */
  box(x: number, y: number, width: number, height: number, fill: Colour, page = this.#page): void {
    page.drawRectangle({ x, y: PAGE.height - y - height, width, height, color: COLOURS[fill] });
  }

  circle(x: number, y: number, radius: number, fill: Colour): void {
    this.#page.drawCircle({ x, y: PAGE.height - y, size: radius, color: COLOURS[fill] });
  }

  rule(y = this.y, colour: Colour = 'line', x = MARGIN, width = WIDTH): void {
    this.#page.drawLine({
      start: { x, y: PAGE.height - y },
      end: { x: x + width, y: PAGE.height - y },
      thickness: 0.6,
      color: COLOURS[colour],
    });
  }

  /** One line with its baseline at `y`; cut with an ellipsis beyond `width`. Answers its width. */
  async line(
    text: string,
    x: number,
    y: number,
    style: TextStyle = {},
    width = Infinity,
    page = this.#page,
  ): Promise<number> {
    const { size = 9.5, face = 'regular', colour = 'ink' } = style;
    let shown = text;
    let runs = await this.#fonts.runs(shown, face);
    let total = widthOf(runs, size);
    if (total > width) {
      const characters = [...shown];
      let low = 0;
      let high = characters.length;
      while (low < high) {
        const middle = Math.ceil((low + high) / 2);
        shown = `${characters.slice(0, middle).join('').trimEnd()}…`;
        if (widthOf(await this.#fonts.runs(shown, face), size) <= width) low = middle;
        else high = middle - 1;
      }
      shown = `${characters.slice(0, low).join('').trimEnd()}…`;
      runs = await this.#fonts.runs(shown, face);
      total = widthOf(runs, size);
    }
    this.#draw(runs, x, y, size, colour, page);
    return total;
  }

  async right(text: string, x: number, y: number, style: TextStyle = {}, page = this.#page): Promise<void> {
    const { size = 9.5, face = 'regular', colour = 'ink' } = style;
    const runs = await this.#fonts.runs(text, face);
    this.#draw(runs, x - widthOf(runs, size), y, size, colour, page);
  }

  /** Wrapped text from `y` on, moving it; never over the foot. `keep`: lines at most. */
  async paragraph(
    text: string,
    {
      x = MARGIN,
      width = WIDTH,
      keep = 1000,
      ...style
    }: TextStyle & { x?: number; width?: number; keep?: number } = {},
  ): Promise<void> {
    const { size = 9.5, face = 'regular', colour = 'ink' } = style;
    const leading = style.leading ?? size * 1.42;
    const lines = await this.#wrap(text, face, size, width);
    for (const [i, line] of lines.slice(0, keep).entries()) {
      this.need(leading);
      this.y += leading;
      const y = this.y - (leading - size) / 2 - size * 0.18;
      this.#draw(line.runs, x, y, size, colour, this.#page);
      if (i === keep - 1 && lines.length > keep) {
        this.#draw(await this.#fonts.runs('…', face), x + line.width, y, size, colour, this.#page);
      }
    }
  }

  /** `height`: what must stand with it. */
  async heading(text: string, height = 24): Promise<void> {
    this.need(30 + height);
    this.y += 20;
    this.box(MARGIN, this.y - 8.5, 3, 11, 'brand');
    await this.line(text, MARGIN + 10, this.y, { size: 12, face: 'bold' });
    this.y += 10;
  }

  /** Begins a section: a heading that contents and bookmarks name, with at least `height` of room below. */
  async section(text: string, height = 260): Promise<void> {
    this.need(36 + height);
    this.y += this.y > MARGIN ? 34 : 12;
    this.places.push({ title: text, page: this.#page, top: this.y - 24 });
    await this.line(text, MARGIN, this.y, { size: 15, face: 'bold', colour: 'brandDark' });
    this.y += 7;
    this.box(MARGIN, this.y, 34, 2.2, 'brand');
    this.y += 8;
  }

  /** Lines of wrapped text, to be drawn by `put`. */
  async lines(
    text: string,
    width: number,
    { size = 9.5, face = 'regular' }: TextStyle = {},
  ): Promise<Line[]> {
    return this.#wrap(text, face, size, width);
  }

  /** Draws one of `lines` with its baseline at `y`. */
  put(line: Line, x: number, y: number, { size = 9.5, colour = 'ink' }: TextStyle = {}): void {
    this.#draw(line.runs, x, y, size, colour, this.#page);
  }

  #draw(runs: readonly Run[], x: number, y: number, size: number, colour: Colour, page: PDFPage): void {
    let at = x;
    for (const { font, text } of runs) {
      page.drawText(text, { x: at, y: PAGE.height - y, size, font, color: COLOURS[colour] });
      at += font.widthOfTextAtSize(text, size);
    }
  }

  /** Breaks at spaces, and within what is wider than a line or has none (hashes, Chinese). */
  async #wrap(text: string, face: Face, size: number, width: number): Promise<Line[]> {
    const lines: Line[] = [];
    let current = '';
    const flush = async (): Promise<void> => {
      if (current === '') return;
      const runs = await this.#fonts.runs(current.trimEnd(), face);
      lines.push({ runs, width: widthOf(runs, size) });
      current = '';
    };
    const fits = async (candidate: string): Promise<boolean> =>
      widthOf(await this.#fonts.runs(candidate.trimEnd(), face), size) <= width;
    for (const word of text.split(/(?<=\s)/)) {
      if (await fits(current + word)) {
        current += word;
        continue;
      }
      await flush();
      if (await fits(word)) {
        current = word;
        continue;
      }
      for (const character of word) {
        if (!(await fits(current + character))) await flush();
        current += character;
      }
    }
    await flush();
    return lines;
  }
}

const widthOf = (runs: readonly Run[], size: number): number =>
  runs.reduce((sum, { font, text }) => sum + font.widthOfTextAtSize(text, size), 0);
