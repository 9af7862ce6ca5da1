/**
 * Where a summary.pdf carries its figures: an attached file, uncompressed, found without reading PDF.
 * Format: docs/spec/pack.md, "summary.pdf".
 */
import { BytesError, fromUtf8, utf8 } from '../proof/bytes.ts';
import { type JsonObject, type JsonValue, jcs } from '../proof/jcs.ts';
import { asObject } from './approval_line.ts';
import type { Findings } from './findings.ts';
import { ReportFigures } from './report_figures.ts';
import type { Sessions } from './sessions.ts';

/** Name of the attachment. */
export const FIGURES_FILE = 'figures.json';
/** Entry of the stream's dictionary that marks it; the last but /Length. */
export const FIGURES_MARK = { name: 'TrailmixFigures', version: 1 } as const;

const MARK = utf8(`/${FIGURES_MARK.name} `);
const HEAD = /^1\n\/Length (\d{1,9})\n>>\nstream\n/;
const HEAD_AT_MOST = 40;
const END = utf8('\nendstream');

/** The figures' bytes; undefined where the document carries none; null where it carries them twice or in another form. */
export function figuresIn(pdf: Uint8Array): Uint8Array | undefined | null {
  const at = find(pdf, MARK, 0);
  if (at < 0) return undefined;
  if (find(pdf, MARK, at + 1) >= 0) return null;
  const from = at + MARK.length;
  const head = HEAD.exec(String.fromCharCode(...pdf.subarray(from, from + HEAD_AT_MOST)));
  if (head === null) return null;
  const begins = from + head[0].length;
  const ends = begins + Number(head[1]);
  return holds(pdf, END, ends) ? pdf.subarray(begins, ends) : null;
}

const PATH = 'summary.pdf';

/** Recomputes the figures that a summary carries, while records pass, and compares them at the end. */
export class ReportCheck {
  readonly #told: string;
  readonly figures: ReportFigures;

  private constructor(told: string, sessions: Sessions) {
    this.#told = told;
    this.figures = new ReportFigures(sessions);
  }

  /** Undefined where there is nothing to compare: no figures (an older pack), or such that say so in a finding. */
  static of(pdf: Uint8Array | undefined, sessions: Sessions, findings: Findings): ReportCheck | undefined {
    const bytes = pdf && figuresIn(pdf);
    if (bytes === undefined) return undefined;
    const told = textOf(bytes);
    const version = told === undefined ? undefined : versionOf(told);
    if (told === undefined || version === undefined)
      findings.add('report_figures_wrong', PATH, 'Their form.');
    else if (version !== 1) findings.add('report_figures_unchecked', PATH);
    else return new ReportCheck(told, sessions);
    return undefined;
  }

  /** `approvals` as in ReportFigures. Names the first member that differs. */
  finish(approvals: Iterable<JsonObject>, findings: Findings): void {
    const made = this.figures.figures(approvals) as unknown as JsonObject;
    if (jcs(made) === this.#told) return;
    const told = JSON.parse(this.#told) as JsonObject;
    const other = Object.keys(made).find(name => jcs(made[name]!) !== shown(told[name]));
    findings.add('report_figures_wrong', PATH, other === undefined ? 'Their form.' : `Differs: ${other}.`);
  }
}

const shown = (value: JsonValue | undefined): string => (value === undefined ? '' : jcs(value));

function textOf(bytes: Uint8Array | null): string | undefined {
  try {
    return bytes === null ? undefined : fromUtf8(bytes);
  } catch (error) {
    if (error instanceof BytesError) return undefined;
    throw error;
  }
}

/** Undefined where the text is not an object that JCS can write. */
function versionOf(text: string): JsonValue | undefined {
  try {
    const value = JSON.parse(text) as JsonValue;
    jcs(value);
    return asObject(value).v;
  } catch {
    return undefined;
  }
}

const holds = (bytes: Uint8Array, wanted: Uint8Array, at: number): boolean =>
  wanted.every((byte, i) => bytes[at + i] === byte);

function find(bytes: Uint8Array, wanted: Uint8Array, from: number): number {
  let at = bytes.indexOf(wanted[0]!, from);
  while (at >= 0 && !holds(bytes, wanted, at)) at = bytes.indexOf(wanted[0]!, at + 1);
  return at;
}
