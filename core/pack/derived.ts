/**
 * The derived files of a pack: made again from its records and compared line by line. Format: docs/spec/pack.md, "Derived files".
 * Rules: evals are compared as records pass, the others at the end; a bad line reads as one that no record could give.
 */
import type { JsonObject } from '../proof/jcs.ts';
import { evalCount, evalLines } from './evals.ts';
import type { PackFiles } from './files.ts';
import type { Findings } from './findings.ts';
import { LineCursor, LineError } from './lines.ts';
import type { Include } from './manifest.ts';
import { QUERIES, type QueryLine, queryText } from './queries.ts';

const EMPTY_FILES = ['replays.jsonl', 'disclosures.jsonl'] as const;
const EVALS = 'evals.jsonl';
const APPROVALS = 'approvals.jsonl';
/** Lines of evals.jsonl that are named one by one. */
const NAMED = 20;

export class DerivedFiles {
  readonly #files: PackFiles;
  readonly #include: readonly Include[];
  readonly #findings: Findings;
  readonly #evals: LineCursor;
  evals = 0;

  constructor(files: PackFiles, include: readonly Include[], findings: Findings) {
    this.#files = files;
    this.#include = include;
    this.#findings = findings;
    this.#evals = new LineCursor(EVALS, files.stream(EVALS));
  }

  /** A record of the scope with its body. A promise only where it has evals. */
  take(value: JsonObject): Promise<void> | undefined {
    const any = this.#include.includes('evals') && evalCount(value) > 0;
    return any ? this.#compareEvals(value) : undefined;
  }

  /** `approvals`: lines with their newlines. */
  async finish(approvals: Iterable<string>, queries: readonly QueryLine[]): Promise<void> {
    if ((await nextLine(this.#evals)) !== undefined) this.#wrong(this.#evals, 'A line too many.');
    const cursor = new LineCursor(APPROVALS, this.#files.stream(APPROVALS));
    if (this.#include.includes('approvals')) {
      for (const expected of approvals) {
        if (`${await nextLine(cursor)}\n` !== expected) {
          this.#wrong(cursor);
          break;
        }
      }
    }
    if (this.#findings.count('derived_wrong') === 0 && (await nextLine(cursor)) !== undefined)
      this.#wrong(cursor, 'A line too many.');
    await this.#queries(queries);
    for (const path of EMPTY_FILES)
      if (this.#files.bytes(path) > 0) this.#findings.add('derived_wrong', path, 'It should be empty.');
  }

  /** Older packs have none. */
  async #queries(queries: readonly QueryLine[]): Promise<void> {
    if (this.#files.bytes(QUERIES) === 0) return;
    const cursor = new LineCursor(QUERIES, this.#files.stream(QUERIES));
    for (const line of queries) {
      if ((await nextLine(cursor)) !== queryText(line)) return this.#wrong(cursor, `Differs: ${line.query}.`);
    }
    if ((await nextLine(cursor)) !== undefined) this.#wrong(cursor, 'A line too many.');
  }

  async #compareEvals(value: JsonObject): Promise<void> {
    for (const expected of evalLines(value)) {
      this.evals++;
      const line = await nextLine(this.#evals);
      if (line !== expected && this.#findings.count('derived_wrong') < NAMED) this.#wrong(this.#evals);
    }
  }

  #wrong({ path, line }: LineCursor, detail?: string): void {
    this.#findings.add('derived_wrong', `${path}:${line}`, detail);
  }
}

async function nextLine(cursor: LineCursor): Promise<string | undefined> {
  try {
    let line = cursor.next();
    while (line === undefined && (await cursor.fill())) line = cursor.next();
    return line;
  } catch (error) {
    if (error instanceof LineError) return '';
    throw error;
  }
}
