/**
 * One pass over the ledger, chunk by chunk: body_hash, head, hash_self, chain, app_seq, times, signature, projections,
 * tree rows and the last checkpoint. Everything that lies in the tables about a record is either recomputed from it
 * or compared with it. Codes are those of docs/spec/verify.md where a pack's verifier has the same finding.
 */
import { createHash, type KeyObject, verify } from 'node:crypto';
import { erasedBy } from '../../core/pack/erasure.ts';
import { originOf, parseCheckpoint } from '../../core/proof/checkpoint.ts';
import type { JsonObject } from '../../core/proof/jcs.ts';
import { noteKey, noteMessage, parseNote } from '../../core/proof/note.ts';
import { eventSignatureMessage, GENESIS, runId } from '../../core/proof/record.ts';
import { sha256 } from '../sha256.ts';
import type { CheckpointRow } from './checkpoints.ts';
import { type Connection, openReadable } from './database.ts';
import { ed25519PublicKey } from './headfile.ts';
import { BLOCK, nodeReader, rootAt, STORED_LEVEL, subtree } from './merkle.ts';
import type { BackgroundData } from './messages.ts';
import { RecordReader, type RecordRow } from './records.ts';

export type Fault = { seq: number; code: string; message: string };
export type VerifierReport = { verifiedTo: number; passed: boolean; fault?: Fault };

type Page = { readonly rows: RecordRow[]; readonly spans: Record<string, unknown>[] };
type State = { previous: string; lastUs: string; apps: Map<string, number> };

export class Verifier {
  readonly #data: BackgroundData;
  readonly #db: Connection;
  readonly #records: RecordReader;
  readonly #key: KeyObject;
  readonly #noteKey: KeyObject;
  readonly #node;
  /** Records and what is listed of them, as they stood at one moment. */
  readonly #page: (from: number, to: number) => Page;
  readonly #erasure;
  /** Digest of each whole block whose every check passed. */
  readonly #checked: Buffer[] = [];
  #state: State = { previous: GENESIS, lastUs: '', apps: new Map() };
  #verifiedTo = -1;
  #fault: Fault | undefined;

  constructor(data: BackgroundData) {
    this.#data = data;
    this.#db = openReadable(data.places.ledger, data.secrets.database, 2048);
    this.#records = new RecordReader(this.#db, data);
    this.#key = ed25519PublicKey(data.eventKey.publicKey);
    this.#noteKey = ed25519PublicKey(data.checkpointPublicKey);
    this.#node = nodeReader(this.#db, {
      treeNode: 'SELECT hash FROM tree WHERE level = ? AND position = ?',
      hashesFrom: 'SELECT hash_self FROM record WHERE seq >= ? AND seq < ? ORDER BY seq',
    });
    this.#erasure = this.#db.prepare<[number], { by_seq: number }>(
      'SELECT by_seq FROM erasure WHERE seq = ?',
    );
    const spans = this.#db.prepare<[number, number], Record<string, unknown>>(
      `SELECT span.*, run.run_id AS run_id FROM record JOIN span ON span.run = record.run AND span.seq = record.seq
       JOIN run ON run.run = span.run WHERE record.seq >= ? AND record.seq <= ? ORDER BY record.seq`,
    );
    this.#page = this.#db.transaction((from: number, to: number) => ({
      rows: this.#records.rows(from, to),
      spans: spans.all(from, to),
    }));
  }

  get size(): number {
    return this.#verifiedTo + 1;
  }

  /** What came since: checked at once, so that the status bar follows the ledger. */
  *fresh(): Generator<VerifierReport, VerifierReport | undefined> {
    if (this.#fault !== undefined || this.#verifiedTo >= this.#records.lastSeq()) return undefined;
    return yield* this.#from(this.#verifiedTo + 1);
  }

  /** Everything from the first record. Yields after each chunk. */
  *pass(): Generator<VerifierReport, VerifierReport | undefined> {
    this.#state = { previous: GENESIS, lastUs: '', apps: new Map() };
    return yield* this.#from(0);
  }

  *#from(start: number): Generator<VerifierReport, VerifierReport | undefined> {
    let reached = start - 1;
    for (;;) {
      this.#records.forget();
      const last = this.#records.lastSeq();
      if (reached >= last) {
        if (last < this.#verifiedTo) {
          return this.#fail({
            seq: last + 1,
            code: 'record_missing',
            message: 'records at the end are gone',
          });
        }
        break;
      }
      // Chunks end where blocks end, so that a block's digest covers exactly its records.
      const from = reached + 1;
      const to = Math.min(last, from - (from % BLOCK) + BLOCK - 1);
      const fault = this.#chunk(from, to);
      if (fault !== undefined) return this.#fail(fault);
      reached = to;
      if (reached > this.#verifiedTo) this.#verifiedTo = reached;
      yield { verifiedTo: this.#verifiedTo, passed: false };
    }
    const fault = this.#checkpoint();
    if (fault !== undefined) return this.#fail(fault);
    this.#fault = undefined;
    return { verifiedTo: this.#verifiedTo, passed: true };
  }

  #fail(fault: Fault): VerifierReport {
    this.#fault = fault;
    this.#verifiedTo = Math.min(this.#verifiedTo, fault.seq - 1);
    return { verifiedTo: this.#verifiedTo, passed: false, fault };
  }

  #chunk(from: number, to: number): Fault | undefined {
    let page: Page;
    try {
      page = this.#page(from, to);
    } catch (error) {
      const message = error instanceof Error ? error.message : 'unknown failure';
      return { seq: from, code: 'database_damaged', message: `the database cannot be read here: ${message}` };
    }
    const { rows, spans } = page;
    const whole = from % BLOCK === 0 && to - from + 1 === BLOCK;
    const digest = whole ? digestOf(rows, spans) : undefined;
    const known = whole ? this.#checked[from / BLOCK] : undefined;
    const same = digest !== undefined && known !== undefined && digest.equals(known);
    const bySeq = new Map(spans.map(span => [span.seq as number, span]));
    let seq = from;
    for (const row of rows) {
      if (row.head.seq !== seq) return { seq, code: 'record_missing', message: 'the record is gone' };
      const fault = this.#follows(row) ?? (same ? undefined : this.#whole(row, bySeq.get(seq)));
      if (fault !== undefined) return { seq, ...fault };
      seq++;
    }
    if (seq !== to + 1) return { seq, code: 'record_missing', message: 'the record is gone' };
    if (whole) {
      const fault = this.#block(from / BLOCK, rows);
      if (fault !== undefined) return fault;
      if (digest !== undefined) this.#checked[from / BLOCK] = digest;
    }
    return undefined;
  }

  /** What ties a record to those before it. */
  #follows({ head, hashSelf }: RecordRow): Omit<Fault, 'seq'> | undefined {
    const state = this.#state;
    if (head.hash_prev !== state.previous) {
      return { code: 'chain_broken', message: 'hash_prev is not the hash of the record before' };
    }
    const appSeq = (state.apps.get(head.app_id) ?? 0) + 1;
    if (head.app_seq !== appSeq) {
      return { code: 'app_seq_gap', message: `app_seq is ${head.app_seq}, not ${appSeq}` };
    }
    if (head.received_at < state.lastUs) return { code: 'time_fell', message: 'received_at falls' };
    state.apps.set(head.app_id, appSeq);
    state.lastUs = head.received_at;
    state.previous = hashSelf.toString('hex');
    return undefined;
  }

  /** Everything about the record itself. */
  #whole(row: RecordRow, span: Record<string, unknown> | undefined): Omit<Fault, 'seq'> | undefined {
    const { head, body, signature, keyId, hashSelf, run } = row;
    const own = this.#records.fault(row);
    if (own !== undefined)
      return { code: own.startsWith('the body') ? 'body_hash' : 'hash_self', message: own };
    if (keyId.toString('hex') !== this.#data.eventKey.keyId) {
      return { code: 'key_wrong', message: 'it names another signing key' };
    }
    const message = eventSignatureMessage(hashSelf.toString('hex'));
    if (signature.length !== 64 || !verify(null, message, this.#key, signature)) {
      return { code: 'signature', message: 'its signature does not verify' };
    }
    if (body === undefined)
      return this.#erased(head.seq)
        ? undefined
        : { code: 'body_missing', message: 'the body is gone without an erasure' };
    return projectionFault(head.app_id, head.event_type, JSON.parse(body), run, span);
  }

  /** Whether an erasure record that is whole names this seq. */
  #erased(seq: number): boolean {
    const by = this.#erasure.get(seq)?.by_seq;
    const [row] = by === undefined || by <= seq ? [] : this.#records.rows(by, by);
    if (row?.body === undefined || this.#records.fault(row) !== undefined) return false;
    if (!row.head.event_type.startsWith('erasure.')) return false;
    return erasedBy(JSON.parse(row.body) as JsonObject).includes(seq);
  }

  #block(index: number, rows: RecordRow[]): Fault | undefined {
    let node = subtree(rows.map(row => row.hashSelf));
    const seq = index * BLOCK;
    const bad = (message: string): Fault => ({ seq, code: 'tree', message });
    let level = STORED_LEVEL;
    let position = index;
    for (;;) {
      const stored = this.#node(level, position);
      if (stored === undefined || !stored.equals(node)) {
        return bad(`tree node (${level}, ${position}) is not that of its records`);
      }
      if (position % 2 === 0) return undefined;
      const left = this.#node(level, position - 1);
      if (left === undefined) return bad(`tree node (${level}, ${position - 1}) is gone`);
      node = sha256(Buffer.concat([Buffer.of(1), left, node])) as Buffer;
      level++;
      position = (position - 1) / 2;
    }
  }

  /** The last checkpoint: its signature, and its root against the tree. */
  #checkpoint(): Fault | undefined {
    const row = this.#db
      .prepare<[], CheckpointRow>('SELECT size, root, at, note FROM checkpoint ORDER BY size DESC LIMIT 1')
      .get();
    if (row === undefined || row.size - 1 > this.#verifiedTo) return undefined;
    const bad = (message: string): Fault => ({ seq: row.size - 1, code: 'checkpoint', message });
    try {
      const { text, lines } = parseNote(Buffer.from(row.note));
      const origin = originOf(this.#data.ledgerId, this.#data.tenantId);
      const key = noteKey(sha256, origin, this.#data.checkpointPublicKey);
      const line = lines.find(one => one.name === origin && one.id === key.id);
      if (line === undefined || !verify(null, noteMessage(text), this.#noteKey, line.signature)) {
        return bad('the signature of the last checkpoint does not verify');
      }
      const checkpoint = parseCheckpoint(text);
      const root = rootAt(this.#node, row.size);
      const same =
        checkpoint.size === row.size &&
        root !== undefined &&
        row.root.equals(root) &&
        row.root.equals(checkpoint.root);
      return same ? undefined : bad('the last checkpoint does not have the root of its records');
    } catch {
      return bad('the last checkpoint cannot be read');
    }
  }

  close(): void {
    this.#db.close();
  }
}

/** Everything that lies in the tables about a block's records, hashed. */
function digestOf(rows: readonly RecordRow[], spans: readonly Record<string, unknown>[]): Buffer {
  const digest = createHash('sha256');
  for (const { head, body, hashSelf, signature, keyId, run } of rows) {
    digest.update(JSON.stringify([head, run, body ?? null]));
    digest.update(hashSelf).update(signature).update(keyId);
  }
  digest.update(JSON.stringify(spans));
  return digest.digest();
}

/** Whether the row that lists show says what the record says. */
function projectionFault(
  appId: string,
  eventType: string,
  body: Record<string, unknown>,
  run: number | null,
  span: Record<string, unknown> | undefined,
): Omit<Fault, 'seq'> | undefined {
  const bad = (message: string) => ({ code: 'projection', message });
  const session = body.session_id;
  if (typeof session !== 'string')
    return run === null ? undefined : bad('it is listed in a run without naming one');
  if (run === null || span === undefined) return bad('it is missing in its run');
  if (span.run_id !== runId(sha256, appId, session)) return bad('it is listed in another run');
  const optional = (value: unknown) => (typeof value === 'string' ? value : null);
  if (span.event_id !== body.event_id) return bad('its event_id is listed wrong');
  if (span.event_type !== eventType) return bad('its event_type is listed wrong');
  if (typeof body.name === 'string' && span.name !== body.name) return bad('its name is listed wrong');
  if (typeof body.parent_id === 'string' && span.parent_id !== optional(body.parent_id)) {
    return bad('its parent is listed wrong');
  }
  return undefined;
}
