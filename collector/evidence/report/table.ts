/**
 * A table that breaks over pages: a row stays whole, the head stands again on each page. Rows may carry a block below
 * them over the full width, which stays with its row.
 */
import type { Face } from './fonts.ts';
import { type Colour, type Line, MARGIN, type Sheet, type TextStyle, WIDTH } from './sheet.ts';

export type Column = { readonly title: string; readonly width: number; readonly right?: boolean };

export type Cell = {
  readonly text: string;
  readonly size?: number;
  readonly face?: Face;
  readonly colour?: Colour;
  /** Lines at most; 2 unless told. */
  readonly keep?: number;
  /** Drawn instead of text, with the cell's left edge, top and width. */
  readonly draw?: (sheet: Sheet, x: number, y: number, width: number) => void;
};

export type Row = {
  readonly cells: readonly Cell[];
  /** Wrapped text below, indented; the sign stands before it. */
  readonly below?: readonly { readonly sign: string; readonly colour: Colour; readonly text: string }[];
};

const SIZE = 8.6;
const BELOW = { size: 8.3, colour: 'muted' } as const satisfies TextStyle;
const PAD = 4;
const GAP = 8;
const INDENT = 22;
const EMPTY: Line = { runs: [], width: 0 };

const leading = (size: number): number => size * 1.32;

export async function table(sheet: Sheet, columns: readonly Column[], rows: Iterable<Row>): Promise<void> {
  let isHeadDrawn = false;
  for (const row of rows) {
    const laid = await layOut(sheet, columns, row);
    if (!isHeadDrawn || sheet.room < laid.height) {
      if (sheet.room < laid.height + 20) sheet.newPage();
      await head(sheet, columns);
      isHeadDrawn = true;
    }
    drawRow(sheet, columns, laid);
  }
  sheet.y += 4;
}

async function head(sheet: Sheet, columns: readonly Column[]): Promise<void> {
  sheet.y += 13;
  let x = MARGIN;
  for (const { title, width, right } of columns) {
    const style = { size: 7.8, face: 'medium', colour: 'muted' } as const;
    if (right) await sheet.right(title, x + width - GAP, sheet.y, style);
    else await sheet.line(title, x, sheet.y, style, width - GAP);
    x += width;
  }
  sheet.y += 5;
  sheet.rule(sheet.y, 'muted');
}

type Laid = {
  readonly cells: readonly { readonly cell: Cell; readonly lines: readonly Line[] }[];
  readonly below: readonly {
    readonly sign: Line;
    readonly colour: Colour;
    readonly lines: readonly Line[];
  }[];
  readonly main: number;
  readonly height: number;
};

async function layOut(sheet: Sheet, columns: readonly Column[], row: Row): Promise<Laid> {
  const cells = [];
  let main = 0;
  for (const [i, cell] of row.cells.entries()) {
    const { size = SIZE, keep = 2 } = cell;
    const all = await sheet.lines(cell.text, columns[i]!.width - GAP, { ...cell, size });
    const lines = all.slice(0, keep);
    if (all.length > keep) lines[keep - 1] = await cutLine(sheet, cell, columns[i]!.width - GAP, keep);
    cells.push({ cell, lines });
    main = Math.max(main, lines.length * leading(size), cell.draw === undefined ? 0 : leading(SIZE));
  }
  const below = [];
  let height = main;
  for (const { sign, colour, text } of row.below ?? []) {
    const lines = (await sheet.lines(text, WIDTH - INDENT - GAP, BELOW)).slice(0, 6);
    const [mark] = await sheet.lines(sign, INDENT, { size: BELOW.size, face: 'bold' });
    below.push({ sign: mark ?? EMPTY, colour, lines });
    height += lines.length * leading(BELOW.size) + 1.5;
  }
  return { cells, below, main, height: height + 2 * PAD };
}

/** The last line that is kept, ending in an ellipsis. */
async function cutLine(sheet: Sheet, cell: Cell, width: number, keep: number): Promise<Line> {
  const style = { ...cell, size: cell.size ?? SIZE };
  const characters = [...cell.text];
  let low = 0;
  let high = characters.length;
  const lines = (count: number) =>
    sheet.lines(`${characters.slice(0, count).join('').trimEnd()}…`, width, style);
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((await lines(middle)).length <= keep) low = middle;
    else high = middle - 1;
  }
  return (await lines(low))[keep - 1] ?? EMPTY;
}

function drawRow(sheet: Sheet, columns: readonly Column[], { cells, below, main, height }: Laid): void {
  const top = sheet.y + PAD;
  let x = MARGIN;
  for (const [i, { cell, lines }] of cells.entries()) {
    const { size = SIZE } = cell;
    const { width, right } = columns[i]!;
    cell.draw?.(sheet, x, top, width - GAP);
    for (const [n, line] of lines.entries()) {
      const baseline = top + n * leading(size) + size * 0.98;
      sheet.put(line, right ? x + width - GAP - line.width : x, baseline, { ...cell, size });
    }
    x += width;
  }
  let y = top + main + 1.5;
  for (const { sign, colour, lines } of below) {
    sheet.put(sign, MARGIN + 8, y + BELOW.size, { size: BELOW.size, colour });
    for (const line of lines) {
      sheet.put(line, MARGIN + INDENT, y + BELOW.size, BELOW);
      y += leading(BELOW.size);
    }
    y += 1.5;
  }
  sheet.y += height;
  sheet.rule();
}
