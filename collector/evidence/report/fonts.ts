/**
 * Fonts of the summary, and how a text of any script is split among them: a run for each font that has its glyphs.
 * A missing glyph in an embedded font draws nothing and does not throw, so every code point is asked for first.
 * KNOWN GAP: shaping ends where a run ends, and a line of mixed directions is laid out in the order of its text.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import * as fontkit from '@cantoo/fontkit';
import type { PDFDocument, PDFFont } from 'pdf-lib';

const require = createRequire(import.meta.url);
const packageFile = (name: string, ...path: string[]): string =>
  join(dirname(require.resolve(name)), ...path);

const FILES = {
  regular: () => packageFile('@embedpdf/fonts-latin', '..', 'fonts', 'NotoSans-Regular.ttf'),
  medium: () => packageFile('@embedpdf/fonts-latin', '..', 'fonts', 'NotoSans-Medium.ttf'),
  bold: () => packageFile('@embedpdf/fonts-latin', '..', 'fonts', 'NotoSans-SemiBold.ttf'),
  mono: () => packageFile('dejavu-fonts-ttf/package.json', 'ttf', 'DejaVuSansMono.ttf'),
  symbols: () => packageFile('dejavu-fonts-ttf/package.json', 'ttf', 'DejaVuSans.ttf'),
  han: () => packageFile('@embedpdf/fonts-sc', '..', 'fonts', 'NotoSansHans-Regular.otf'),
  emoji: () => packageFile('@expo-google-fonts/noto-emoji', '400Regular', 'NotoEmoji_400Regular.ttf'),
} as const;

export type Face = 'regular' | 'medium' | 'bold' | 'mono';
type AnyFace = keyof typeof FILES;

/** What a face lacks is looked for here, in this order. */
const FALLBACKS: readonly AnyFace[] = ['regular', 'symbols', 'han', 'emoji'];
/** Drawn where no font has a glyph. */
const UNKNOWN = '\u25a1';

type Loaded = { readonly has: (codePoint: number) => boolean; readonly bytes: Uint8Array };
export type Run = { readonly font: PDFFont; readonly text: string };

type FontkitFont = { hasGlyphForCodePoint(codePoint: number): boolean };

export class Fonts {
  readonly #document: PDFDocument;
  readonly #loaded = new Map<AnyFace, Loaded>();
  readonly #embedded = new Map<AnyFace, PDFFont>();

  constructor(document: PDFDocument) {
    document.registerFontkit(fontkit as never);
    this.#document = document;
  }

  /** Embeds what the text needs in a face and answers its runs, in the order of the text. */
  async runs(text: string, face: Face): Promise<Run[]> {
    const parts: { face: AnyFace; text: string }[] = [];
    for (const character of clean(text)) {
      const codePoint = character.codePointAt(0)!;
      const last = parts.at(-1);
      if (last !== undefined && joins(codePoint)) {
        // Marks, joiners and selectors belong to the character before; where its font lacks them they are left out.
        if (this.#load(last.face).has(codePoint)) last.text += character;
        continue;
      }
      const found = [face, ...FALLBACKS].find(name => this.#load(name).has(codePoint));
      const piece = found === undefined ? UNKNOWN : character;
      const use = found ?? 'symbols';
      if (last?.face === use) last.text += piece;
      else parts.push({ face: use, text: piece });
    }
    const runs: Run[] = [];
    for (const part of parts) runs.push({ font: await this.#embed(part.face), text: part.text });
    return runs;
  }

  #load(face: AnyFace): Loaded {
    let loaded = this.#loaded.get(face);
    if (loaded === undefined) {
      const bytes = readFileSync(FILES[face]());
      const font = fontkit.create(bytes as never) as unknown as FontkitFont;
      loaded = { bytes, has: codePoint => font.hasGlyphForCodePoint(codePoint) };
      this.#loaded.set(face, loaded);
    }
    return loaded;
  }

  async #embed(face: AnyFace): Promise<PDFFont> {
    let font = this.#embedded.get(face);
    if (font === undefined) {
      font = await this.#document.embedFont(this.#load(face).bytes, {
        subset: true,
        customName: `TrailMix-${face}`,
      });
      this.#embedded.set(face, font);
    }
    return font;
  }
}

const MARK = /^(?:\p{M}|\u200d|\ufe0e|\ufe0f)$/u;
const joins = (codePoint: number): boolean => codePoint > 0x2ff && MARK.test(String.fromCodePoint(codePoint));

/** One line of well-formed text: controls and line breaks become spaces, direction overrides go. */
const clean = (text: string): string =>
  text
    .toWellFormed()
    .replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ')
    .replaceAll(/[\u202a-\u202e\u2066-\u2069\u200b-\u200c\u200e\u200f\ufeff]/g, '');
