/**
 * Records as they lie in the tables, and as the world sees them. Used by reader, verifier, indexer and at open, each
 * on its own connection. A record's signature lies in the `seal` row of the commit it came with.
 */
import { hash } from 'node:crypto';
import type { RecordView } from '../../core/api/views.ts';
import { formatMicros } from '../../core/event/time.ts';
import type { JsonObject } from '../../core/proof/jcs.ts';
import { GENESIS, type Head, headJcs, recordOf } from '../../core/proof/record.ts';
import type { Connection } from './database.ts';

/** A record in parts. `body` is undefined once erased. */
export type RecordRow = {
  head: Head;
  body: string | undefined;
  hashSelf: Buffer;
  signature: Buffer;
  keyId: Buffer;
  run: number | null;
};

type Stored = {
  seq: number;
  app: number;
  app_seq: number;
  run: number | null;
  event_type: string;
  ts: string;
  received_us: number;
  hash_self: Buffer;
  body_hash: Buffer;
  body: string | null;
};

type SealRow = { first_seq: number; key_id: Buffer; signatures: Buffer };

const COLUMNS = 'seq, app, app_seq, run, event_type, ts, received_us, hash_self, body_hash, body';

export class RecordReader {
  readonly #ids: { ledgerId: string; tenantId: string };
  readonly #range;
  readonly #ofApp;
  readonly #seal;
  readonly #app;
  readonly #hash;
  readonly #last;
  readonly #apps = new Map<number, string>();
  #held: SealRow | undefined;

  constructor(db: Connection, ids: { ledgerId: string; tenantId: string }) {
    this.#ids = { ledgerId: ids.ledgerId, tenantId: ids.tenantId };
    this.#range = db.prepare<[number, number], Stored>(
      `SELECT ${COLUMNS} FROM record WHERE seq >= ? AND seq <= ? ORDER BY seq`,
    );
    this.#ofApp = db.prepare<[number, number, number], Stored>(
      `SELECT ${COLUMNS} FROM record WHERE app = ? AND app_seq >= ? AND app_seq <= ? ORDER BY app_seq`,
    );
    this.#seal = db.prepare<[number], SealRow>(
      'SELECT first_seq, key_id, signatures FROM seal WHERE first_seq <= ? ORDER BY first_seq DESC LIMIT 1',
    );
    this.#app = db.prepare<[number], { app_id: string }>('SELECT app_id FROM app WHERE app = ?');
    this.#hash = db.prepare<[number], { hash_self: Buffer }>('SELECT hash_self FROM record WHERE seq = ?');
    this.#last = db.prepare<[], { seq: number }>('SELECT seq FROM record ORDER BY seq DESC LIMIT 1');
  }

  /** -1 where there is none. */
  lastSeq(): number {
    return this.#last.get()?.seq ?? -1;
  }

  hashSelf(seq: number): Buffer | undefined {
    return this.#hash.get(seq)?.hash_self;
  }

  appId(app: number): string {
    let id = this.#apps.get(app);
    if (id === undefined) {
      id = this.#app.get(app)?.app_id ?? '';
      if (id !== '') this.#apps.set(app, id);
    }
    return id;
  }

  /** Records of an inclusive range, in order. hash_prev is what the row before says. */
  rows(from: number, to: number): RecordRow[] {
    return this.#chained(this.#range.all(from, to));
  }

  /** An app's records of an inclusive range of its own numbers, in order. `app` is the row's, not the id. */
  rowsOfApp(app: number, from: number, to: number): RecordRow[] {
    return this.#chained(this.#ofApp.all(app, from, to));
  }

  #chained(rows: readonly Stored[]): RecordRow[] {
    let previous = '';
    let seq = -1;
    return rows.map(row => {
      if (row.seq === 0) previous = GENESIS;
      else if (row.seq !== seq) previous = this.hashSelf(row.seq - 1)?.toString('hex') ?? '';
      seq = row.seq + 1;
      const made = this.#made(row, previous);
      previous = row.hash_self.toString('hex');
      return made;
    });
  }

  #made(row: Stored, previous: string): RecordRow {
    const seal = this.#sealOf(row.seq);
    const at = seal === undefined ? 0 : (row.seq - seal.first_seq) * 64;
    return {
      head: {
        v: 1,
        ledger_id: this.#ids.ledgerId,
        tenant_id: this.#ids.tenantId,
        seq: row.seq,
        app_id: this.appId(row.app),
        app_seq: row.app_seq,
        event_type: row.event_type,
        ts: row.ts,
        received_at: formatMicros(row.received_us),
        hash_prev: previous,
        body_hash: row.body_hash.toString('hex'),
      },
      body: row.body ?? undefined,
      hashSelf: row.hash_self,
      signature: seal === undefined ? Buffer.alloc(0) : seal.signatures.subarray(at, at + 64),
      keyId: seal?.key_id ?? Buffer.alloc(0),
      run: row.run,
    };
  }

  #sealOf(seq: number): SealRow | undefined {
    const held = this.#held;
    if (held !== undefined && seq >= held.first_seq && seq < held.first_seq + held.signatures.length / 64) {
      return held;
    }
    this.#held = this.#seal.get(seq);
    return this.#held;
  }

  /** Forgets what was held between reads: a pass that looks for changes must see the file as it is. */
  forget(): void {
    this.#held = undefined;
    this.#apps.clear();
  }

  /** What is wrong with a record's own hashes, or undefined. Signature and neighbours are checked elsewhere. */
  fault({ head, body, hashSelf }: RecordRow): string | undefined {
    if (body !== undefined && hash('sha256', body, 'hex') !== head.body_hash) {
      return 'the body does not have its body_hash';
    }
    if (hash('sha256', headJcs(head), 'hex') !== hashSelf.toString('hex')) {
      return 'the head does not have its hash_self';
    }
    return undefined;
  }

  /** One record, whole, as the API and packs carry it. */
  record(seq: number): RecordView | undefined {
    const [row] = this.rows(seq, seq);
    return row === undefined ? undefined : recordView(row);
  }
}

export function recordView(row: RecordRow): RecordView {
  const body = row.body === undefined ? {} : (JSON.parse(row.body) as JsonObject);
  return recordOf(row.head, body, {
    hash_self: row.hashSelf.toString('hex'),
    signature: row.signature.toString('base64'),
    key_id: row.keyId.toString('hex'),
  }) as RecordView;
}
