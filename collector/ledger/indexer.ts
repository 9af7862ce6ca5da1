/**
 * Keeps the search index up with the ledger, in the background and gently: while events come it takes a part of a core,
 * else it works until it has caught up. What is not indexed yet the reader scans, so search is complete all along.
 */
import { setTimeout as rest } from 'node:timers/promises';
import { type Connection, openReadable } from './database.ts';
import type { BackgroundData } from './messages.ts';
import type { Pacer } from './pace.ts';
import { RecordReader, recordView } from './records.ts';
import { openIndex, termsOf } from './search-index.ts';

/** Records of one transaction of the index. */
const CHUNK = 500;
/** How long a few new records are left to the scan before they are indexed together. */
const GATHER_MS = 250;

export class Indexer {
  readonly #pace: Pacer;
  readonly #records: RecordReader;
  readonly #index: (from: number, to: number) => void;
  readonly #clear: () => void;
  readonly #truncate: () => void;
  #next: number;
  #wake: () => void = () => {};

  /** Opens the index, making it anew where it must be. Throws what the disk or the database throws. */
  constructor(data: BackgroundData, pace: Pacer) {
    this.#pace = pace;
    const index = openIndex(data.places.search, data.secrets.search, data.ledgerId);
    this.#records = new RecordReader(openReadable(data.places.ledger, data.secrets.database, 2048), data);
    this.#next = index.prepare<[], { next: number }>('SELECT next FROM reached').get()!.next;
    this.#index = chunks(index, this.#records);
    this.#clear = index.transaction(() => {
      index.prepare("INSERT INTO terms (terms) VALUES ('delete-all')").run();
      index.prepare('DELETE FROM run_of').run();
      index.prepare('UPDATE reached SET next = 0').run();
    });
    this.#truncate = () => void index.pragma('wal_checkpoint(TRUNCATE)');
  }

  /** There are new records. */
  wake(): void {
    this.#wake();
  }

  /** Throws all of it away, and begins anew. */
  restart(): void {
    this.#clear();
    this.#truncate();
    this.#next = 0;
    this.#wake();
  }

  /** Works and waits by turns, for ever. Rejects with what the disk or the database throws. */
  async run(): Promise<never> {
    for (;;) {
      const last = this.#records.lastSeq();
      if (this.#next > last) {
        const { promise, resolve } = Promise.withResolvers<void>();
        this.#wake = resolve;
        await promise;
        // A few records can wait: search scans them, and whoever is waiting for a decision gets the core.
        if (this.#records.lastSeq() - this.#next < CHUNK) await rest(GATHER_MS);
        continue;
      }
      const started = performance.now();
      const to = Math.min(last, this.#next + CHUNK - 1);
      this.#index(this.#next, to);
      this.#next = to + 1;
      await rest(this.#pace.after(performance.now() - started, 1));
    }
  }
}

/** Indexes the records `from` to `to` in one transaction. */
function chunks(index: Connection, records: RecordReader): (from: number, to: number) => void {
  const insert = index.prepare('INSERT INTO terms (rowid, t) VALUES (?, ?)');
  const insertRun = index.prepare('INSERT INTO run_of (seq, run) VALUES (?, ?)');
  const setNext = index.prepare('UPDATE reached SET next = ?');
  return index.transaction((from: number, to: number) => {
    for (const row of records.rows(from, to)) {
      insert.run(row.head.seq, termsOf(recordView(row)).join(' '));
      if (row.run !== null) insertRun.run(row.head.seq, row.run);
    }
    setNext.run(to + 1);
  });
}
