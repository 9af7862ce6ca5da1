/**
 * Reading a pack's records by rising seq, and merging them with multiproof.jsonl into the root. Streams: one record
 * and one proof line at hand, and a stack of log n hashes. Format: docs/spec/pack.md and docs/spec/tree.md.
 */
import type { Sha256 } from '../proof/hash.ts';
import { MultiproofMerge, parseMultiproofHeader, parseMultiproofLine } from '../proof/multiproof.ts';
import { recordLeaf } from '../proof/tree.ts';
import type { Findings } from './findings.ts';
import { LineCursor, LineError } from './lines.ts';
import { type ReadRecord, RecordError, readHeadLine, readRecordLine } from './records.ts';

/** One file of records: its current one, and the next. Lines that are no records become findings and are passed over. */
export class RecordSource {
  record: ReadRecord | undefined;
  line = '';
  readonly #file: 'events' | 'extras' | 'heads';
  readonly #cursor: LineCursor;
  readonly #findings: Findings;

  constructor(file: 'events' | 'extras' | 'heads', chunks: AsyncIterable<Uint8Array>, findings: Findings) {
    this.#file = file;
    this.#cursor = new LineCursor(`${file}.jsonl`, chunks);
    this.#findings = findings;
  }

  /** Takes the next record of the lines at hand; false where more must be read. */
  advanceNow(): boolean {
    for (let line = this.#cursor.next(); line !== undefined; line = this.#cursor.next()) {
      const where = `${this.#cursor.path}:${this.#cursor.line}`;
      try {
        this.record =
          this.#file === 'heads' ? readHeadLine(line, where) : readRecordLine(line, this.#file, where);
        this.line = line;
        return true;
      } catch (error) {
        if (!(error instanceof RecordError)) throw error;
        this.#findings.add(error.code, where, error.message);
      }
    }
    this.record = undefined;
    return false;
  }

  async advance(): Promise<void> {
    try {
      while (await this.#cursor.fill()) if (this.advanceNow()) return;
    } catch (error) {
      if (!(error instanceof LineError)) throw error;
      this.#findings.add('line_form', `${this.#cursor.path}:${error.line}`, `${error.message}.`);
    }
    this.record = undefined;
  }
}

/** Merges leaves and multiproof.jsonl into the root. The first fault ends it. */
export class TreeCheck {
  readonly #sha256: Sha256;
  readonly #cursor: LineCursor;
  readonly #size: number;
  readonly #findings: Findings;
  #merge: MultiproofMerge | undefined;
  #node: ReturnType<typeof parseMultiproofLine> | undefined;
  #first = 0;

  constructor(
    sha256: Sha256,
    files: { stream(path: string): AsyncIterable<Uint8Array> },
    size: number,
    findings: Findings,
  ) {
    this.#sha256 = sha256;
    this.#size = size;
    this.#findings = findings;
    this.#cursor = new LineCursor('proofs/multiproof.jsonl', files.stream('proofs/multiproof.jsonl'));
  }

  async start(): Promise<void> {
    try {
      const header = await this.#line();
      const size = parseMultiproofHeader(header ?? '');
      if (size !== this.#size) throw new Error(`it is for ${size} leaves, not ${this.#size}`);
      this.#merge = new MultiproofMerge(this.#sha256, size);
      await this.#next();
    } catch (error) {
      this.#fault(error);
    }
  }

  /** A promise only where proof lines come before this leaf. */
  leaf({ head, seal, where }: ReadRecord): Promise<void> | undefined {
    if (head.seq >= this.#size) {
      this.#findings.add('beyond_checkpoint', where);
      return undefined;
    }
    if (this.#merge === undefined) return undefined;
    if (this.#node !== undefined && this.#first < head.seq)
      return this.#nodesThenLeaf(head.seq, seal.hash_self);
    try {
      this.#merge.leaf(head.seq, recordLeaf(this.#sha256, seal.hash_self));
    } catch (error) {
      this.#fault(error);
    }
    return undefined;
  }

  async root(): Promise<Uint8Array | undefined> {
    try {
      while (this.#merge !== undefined && this.#node !== undefined) await this.#push();
      return this.#merge?.root();
    } catch (error) {
      this.#fault(error);
      return undefined;
    }
  }

  async #nodesThenLeaf(seq: number, hashSelf: string): Promise<void> {
    try {
      while (this.#node !== undefined && this.#first < seq) await this.#push();
      this.#merge?.leaf(seq, recordLeaf(this.#sha256, hashSelf));
    } catch (error) {
      this.#fault(error);
    }
  }

  async #push(): Promise<void> {
    const { node, hash } = this.#node!;
    this.#merge?.node(node, hash);
    await this.#next();
  }

  async #next(): Promise<void> {
    const line = await this.#line();
    this.#node = line === undefined ? undefined : parseMultiproofLine(line);
    if (this.#node !== undefined) this.#first = this.#node.node.index * 2 ** this.#node.node.level;
  }

  async #line(): Promise<string | undefined> {
    let line = this.#cursor.next();
    while (line === undefined && (await this.#cursor.fill())) line = this.#cursor.next();
    return line;
  }

  #fault(error: unknown): void {
    this.#merge = undefined;
    this.#findings.add(
      'proof_wrong',
      `proofs/multiproof.jsonl:${this.#cursor.line}`,
      `${(error as Error).message}.`,
    );
  }
}
