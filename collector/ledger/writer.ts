/**
 * Ledger writer: the only code that changes the ledger. One per ledger, in the writer thread; synchronous.
 * A group of requests is one transaction: what `commit` answers has survived a power cut, what it refuses left nothing.
 * A refused request (TrailmixError) does not disturb the others of its group; any other failure fails the whole
 * group, and the state in memory is then taken from the database again, as at open.
 * Reads no clock: every request carries a reading. Format: docs/spec/ledger.md.
 */
import { createPrivateKey, hash, type KeyObject, sign } from 'node:crypto';
import { TrailmixError } from '../../core/api/errors.ts';
import type { CheckpointView, RecordView } from '../../core/api/views.ts';
import { mayHoldBlobs } from '../../core/pack/blobs.ts';
import { type JsonObject, jcs } from '../../core/proof/jcs.ts';
import { eventSignatureMessage, LEDGER_APP, recordOf } from '../../core/proof/record.ts';
import type { Appended, Commands, EventFacts, Ids, OwnEvent } from '../ports.ts';
import { checkBatch } from './admission.ts';
import { Chain, type Linked, type Stamp } from './chain.ts';
import { Checkpoints } from './checkpoints.ts';
import { type Connection, isDiskFull } from './database.ts';
import type { Faults } from './faults.ts';
import type { HeadFile } from './headfile.ts';
import { ENTRY_BYTES, Idempotence, macWriter, type WriteMacs } from './idempotence.ts';
import { Merkle } from './merkle.ts';
import type {
  AppendEvent,
  AppendInput,
  AppendOutput,
  CommitNotice,
  UploadInput,
  WriterData,
} from './messages.ts';
import { prepareOwn } from './own-record.ts';
import { Projections } from './projections.ts';
import { type Signer, SLOTS } from './signer.ts';
import { Streams } from './streams.ts';
import type { CommandTable, WriteTx } from './tx.ts';
import { Undo } from './undo.ts';

/** A record on its way into the tables. */
type Row = {
  linked: Linked;
  receivedUs: number;
  bodyJcs: string;
  eventId: string;
  sessionId: string | undefined;
  facts: EventFacts;
  macs: Buffer;
  macsAt: number;
  /** Where it was signed at once; else the signing thread has it. */
  signature: Buffer | undefined;
};

export type WriterRequest =
  | { kind: 'append'; input: AppendInput }
  | { kind: 'run'; at: number; name: keyof Commands; input: never }
  | { kind: 'upload'; input: UploadInput };

export type Outcome = { output: unknown } | { error: unknown };

/** event_type by which a producer says that a session is over. */
const SESSION_END = 'session.end';

/** Records of one group: the signer's memory bounds it, with room for a request more. */
export const GROUP_ROWS = SLOTS - 1100;

export type WriterParts = {
  db: Connection;
  sql: Record<string, string>;
  data: WriterData;
  commands: CommandTable;
  signer: Signer;
  headFile: HeadFile;
  faults: Faults;
  storeBlob: (tenantId: string, sha256: string, bytes: Uint8Array) => void;
  unlinkBlob: (tenantId: string, sha256: string) => number;
  vault: WriteTx['vault'];
  warn: (code: string, message: string) => void;
  ids: Ids;
};

export class LedgerWriter {
  readonly #parts: WriterParts;
  readonly #db: Connection;
  readonly #undo = new Undo();
  readonly #chain: Chain;
  readonly #idempotence: Idempotence;
  readonly #merkle: Merkle;
  readonly #projections: Projections;
  readonly #streams: Streams;
  readonly #checkpoints: Checkpoints;
  readonly #privateKey: KeyObject;
  readonly #keyId: Buffer;
  readonly #insertRecord;
  readonly #insertBlobRecord;
  readonly #insertOnce;
  readonly #insertSeal;
  readonly #begin;
  readonly #end;
  readonly #savepoint;
  readonly #release;
  readonly #writeMacs: WriteMacs;
  #rows: Row[] = [];
  #approvals = new Set<string>();
  #stale = false;
  #headLineDue = false;
  #sessionEnded = false;

  constructor(parts: WriterParts) {
    const { db, sql, data } = parts;
    this.#parts = parts;
    this.#db = db;
    const named = sql as Record<string, string> & ConstructorParameters<typeof Projections>[1];
    this.#chain = new Chain(db, named as never, this.#undo, data);
    this.#idempotence = new Idempotence(db, named as never);
    this.#merkle = new Merkle(db, named as never, this.#chain.next);
    this.#projections = new Projections(db, named);
    this.#streams = new Streams(db, named as never);
    this.#checkpoints = new Checkpoints(db, named as never, data);
    this.#insertRecord = db.prepare(named.insertRecord!);
    this.#insertBlobRecord = db.prepare(named.insertBlobRecord!);
    this.#insertOnce = db.prepare(named.insertOnce!);
    this.#insertSeal = db.prepare(named.insertSeal!);
    this.#begin = db.prepare('BEGIN IMMEDIATE');
    this.#end = db.prepare('COMMIT');
    this.#savepoint = db.prepare('SAVEPOINT command');
    this.#release = db.prepare('RELEASE command');
    this.#privateKey = createPrivateKey({
      key: Buffer.from(data.eventKey.privateKey),
      format: 'der',
      type: 'pkcs8',
    });
    this.#writeMacs = macWriter(data.idempotenceKey);
    this.#keyId = Buffer.from(data.eventKey.keyId, 'hex');
  }

  get next(): number {
    return this.#chain.next;
  }

  /** Whether the last group held the end of a session: a good moment for a checkpoint. */
  get sessionEnded(): boolean {
    return this.#sessionEnded;
  }

  /** The group is one transaction. Outcomes stand in the order of the requests. */
  commit(requests: readonly WriterRequest[]): { outcomes: Outcome[]; notice: CommitNotice | undefined } {
    try {
      if (this.#stale) this.#reload();
      this.#begin.run();
      const outcomes = requests.map(request => this.#one(request));
      const firstSeq = this.#chain.next - this.#rows.length;
      const macs = this.#flush(firstSeq);
      this.#parts.faults('commit');
      // COMMIT POINT: in WAL mode with synchronous=FULL this returns after fsync of the log. From here on the group
      // survives a power cut; before it, nothing of the group exists for anyone.
      this.#end.run();
      this.#parts.faults('commit', 'after');
      this.#parts.faults('committed');
      const notice = this.#settled(firstSeq, macs);
      return { outcomes: outcomes.map(outcome => outcome()), notice };
    } catch (error) {
      this.#fail();
      const refusal = isDiskFull(error)
        ? new TrailmixError('disk_full')
        : new TrailmixError('internal', { message: `the ledger could not write: ${describe(error)}` });
      if (!isDiskFull(error)) this.#parts.warn('internal', `a group failed: ${describe(error)}`);
      return { outcomes: requests.map(() => ({ error: refusal })), notice: undefined };
    }
  }

  /** Leaves nothing of the group in the database; what was in memory is read again before the next one. */
  #fail(): void {
    this.#stale = true;
    this.#rows = [];
    this.#approvals.clear();
    this.#idempotence.dropped();
    try {
      this.#parts.signer.collect();
    } catch {
      // The signatures of a failed group are worth nothing; the next group finds out if the signer is gone.
    }
    if (this.#db.inTransaction) this.#db.exec('ROLLBACK');
  }

  #reload(): void {
    this.#chain.load();
    this.#merkle.load(this.#chain.next);
    this.#projections.reset();
    this.#streams.reset();
    this.#idempotence.catchUp();
    this.#headLineDue = true;
    this.#stale = false;
  }

  /** Answers a function that makes the outcome once the group is durable. */
  #one(request: WriterRequest): () => Outcome {
    try {
      if (request.kind === 'append') return this.#append(request.input);
      if (request.kind === 'upload') {
        const { tenantId, sha256: digest, keyId } = request.input;
        this.#db.prepare(this.#parts.sql.putUpload!).run(tenantId, digest, keyId);
        return () => ({ output: undefined });
      }
      return this.#command(request.at, request.name, request.input);
    } catch (error) {
      if (error instanceof TrailmixError) return () => ({ error });
      throw error;
    }
  }

  #append({ at, events, macs: given }: AppendInput): () => Outcome {
    const macs = Buffer.from(given.buffer, given.byteOffset, given.byteLength);
    const seqs = new Float64Array(events.length);
    const hashes = Buffer.allocUnsafe(32 * events.length);
    const earlier = checkBatch(events, macs, this.#idempotence, this.#streams);
    this.#parts.faults('assign');
    const duplicates: number[] = [];
    for (let i = 0; i < events.length; i++) {
      const known = earlier.get(i);
      if (known !== undefined) {
        // A negative number names an earlier event of this very request.
        const seq = known >= 0 ? known : seqs[-known - 1]!;
        seqs[i] = seq;
        duplicates.push(i);
        this.#hashOf(seq).copy(hashes, 32 * i);
        continue;
      }
      const event = events[i]!;
      const stamp = this.#stamp(at, false);
      const clocked = stamp.clock === undefined ? event : withClock(event, stamp.clock);
      const linked = this.#chain.link(clocked, stamp);
      seqs[i] = linked.head.seq;
      linked.hashSelfBytes.copy(hashes, 32 * i);
      this.#idempotence.hold(macs, i * ENTRY_BYTES, linked.head.seq);
      this.#parts.signer.publish(linked.hashSelfBytes);
      if (event.stream !== undefined) this.#streams.take(event.stream);
      this.#rows.push({
        linked,
        receivedUs: stamp.receivedUs,
        bodyJcs: clocked.bodyJcs,
        eventId: event.eventId,
        sessionId: event.sessionId,
        facts: event.facts,
        macs,
        macsAt: i * ENTRY_BYTES,
        signature: undefined,
      });
    }
    const output: AppendOutput = { seqs, hashes, duplicates };
    return () => ({ output });
  }

  #hashOf(seq: number): Buffer {
    const inGroup = this.#rows[seq - (this.#chain.next - this.#rows.length)];
    if (inGroup !== undefined) return inGroup.linked.hashSelfBytes;
    const row = this.#db.prepare<[number], { hash_self: Buffer }>(this.#parts.sql.hashSelf!).get(seq);
    if (row === undefined) throw new Error(`record ${seq} is missing`);
    return row.hash_self;
  }

  #command(at: number, name: keyof Commands, input: never): () => Outcome {
    const rows = this.#rows.length;
    const touched = new Set<string>();
    this.#undo.begin();
    this.#savepoint.run();
    try {
      const handler = this.#parts.commands[name] as ((tx: WriteTx, input: never) => unknown) | undefined;
      if (handler === undefined) throw new TrailmixError('internal', { message: `no command ${name}` });
      const output = handler(this.#tx(at, touched), input);
      this.#release.run();
      this.#undo.keep();
      for (const id of touched) this.#approvals.add(id);
      return () => ({ output });
    } catch (error) {
      this.#undo.rewind();
      for (const row of this.#rows.splice(rows)) this.#idempotence.release(row.macs, row.macsAt);
      if (this.#db.inTransaction) this.#db.exec('ROLLBACK TO command; RELEASE command');
      if (isDiskFull(error)) throw error;
      if (!(error instanceof TrailmixError)) {
        this.#parts.warn('internal', `command ${name} failed: ${describe(error)}`);
        return () => ({ error: new TrailmixError('internal', { message: `${name} failed` }) });
      }
      return () => ({ error });
    }
  }

  #tx(at: number, touched: Set<string>): WriteTx {
    return {
      db: this.#db,
      tenantId: this.#chain.tenantId,
      ledgerId: this.#chain.ledgerId,
      vault: this.#parts.vault,
      receivedAt: () => this.#chain.format(this.#chain.peek(at)),
      random: n => this.#parts.ids.bytes(n),
      id: prefix => this.#parts.ids.id(prefix),
      append: event => this.#own(event, this.#stamp(at, event.eventType.startsWith('export.'))),
      namesBlobs: () => this.#rows.some(({ bodyJcs }) => mayHoldBlobs(bodyJcs)),
      unlinkBlob: sha256 => this.#parts.unlinkBlob(this.#chain.tenantId, sha256),
      touchApproval: id => touched.add(id),
    };
  }

  #stamp(at: number, above: boolean): Stamp {
    const stamp = this.#chain.stamp(at, above);
    if (stamp.stepped) {
      this.#own(
        { appId: LEDGER_APP, eventType: 'clock.stepped', members: { name: 'The clock stepped back' } },
        stamp,
      );
    }
    return stamp;
  }

  /** Records an event of the collector's own, signed at once: its record is wanted whole. */
  #own(event: OwnEvent, stamp: Stamp): Appended {
    const { tenantId } = this.#chain;
    const own = prepareOwn(event, stamp, { ledgerId: this.#chain.ledgerId, tenantId, ids: this.#parts.ids });
    const { eventId, bodyHash } = own;
    const macs = Buffer.alloc(ENTRY_BYTES);
    this.#writeMacs({ tenantId, appId: event.appId, eventId, contentJcs: own.contentJcs }, macs, 0);
    if (this.#idempotence.find(macs, 0) !== undefined) {
      throw new TrailmixError('event_conflict', { message: 'an event of this id was recorded before' });
    }
    for (const blob of own.blobs) this.#parts.storeBlob(tenantId, blob.sha256, blob.bytes);
    const linked = this.#chain.link(
      { appId: event.appId, eventType: event.eventType, ts: event.ts ?? stamp.receivedAt, bodyHash },
      stamp,
    );
    const signature = sign(null, eventSignatureMessage(linked.hashSelf), this.#privateKey);
    this.#idempotence.hold(macs, 0, linked.head.seq);
    this.#rows.push({
      linked,
      receivedUs: stamp.receivedUs,
      bodyJcs: own.bodyJcs,
      eventId,
      sessionId: event.sessionId,
      facts: own.facts,
      macs,
      macsAt: 0,
      signature,
    });
    const { keyId } = this.#parts.data.eventKey;
    return {
      eventId,
      seq: linked.head.seq,
      hashSelf: linked.hashSelf,
      receivedAt: stamp.receivedAt,
      // Made where it is wanted: a decision is answered without it.
      get record() {
        const seal = { hash_self: linked.hashSelf, signature: signature.toString('base64'), key_id: keyId };
        return recordOf(linked.head, own.body, seal) as RecordView;
      },
    };
  }

  /** Writes the group's rows. The signing thread signs meanwhile. Answers the group's keyed hashes. */
  #flush(firstSeq: number): Buffer {
    const { faults, signer } = this.#parts;
    const rows = this.#rows;
    if (rows.length === 0) return Buffer.alloc(0);
    const macs = Buffer.allocUnsafe(rows.length * ENTRY_BYTES);
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i]!;
      const { head, app, hashSelfBytes } = row.linked;
      if (i === rows.length >> 1) faults('insert');
      const run = this.#projections.apply({
        seq: head.seq,
        app: app.app,
        appId: head.app_id,
        receivedUs: row.receivedUs,
        eventType: head.event_type,
        eventId: row.eventId,
        sessionId: row.sessionId,
        facts: row.facts,
      });
      this.#insertRecord.run(
        head.seq,
        app.app,
        head.app_seq,
        run,
        head.event_type,
        head.ts,
        row.receivedUs,
        hashSelfBytes,
        Buffer.from(head.body_hash, 'hex'),
        row.bodyJcs,
      );
      if (mayHoldBlobs(row.bodyJcs)) this.#insertBlobRecord.run(head.seq);
      this.#merkle.append(hashSelfBytes);
      row.macs.copy(macs, i * ENTRY_BYTES, row.macsAt, row.macsAt + ENTRY_BYTES);
    }
    faults('insert', 'after');
    faults('project');
    this.#projections.flush();
    this.#streams.flush();
    this.#insertOnce.run(firstSeq, macs);
    faults('sign');
    const signed = signer.collect();
    const signatures = Buffer.allocUnsafe(rows.length * 64);
    let at = 0;
    for (let i = 0; i < rows.length; i++) {
      const own = rows[i]!.signature;
      if (own !== undefined) own.copy(signatures, i * 64);
      else {
        signed.copy(signatures, i * 64, at, at + 64);
        at += 64;
      }
    }
    this.#insertSeal.run(firstSeq, this.#keyId, signatures);
    this.#lastSignature = signatures.subarray(-64);
    return macs;
  }

  #lastSignature: Buffer = Buffer.alloc(0);

  /** After the commit: memory and head file follow. Nothing here can take the commit back. */
  #settled(firstSeq: number, macs: Buffer): CommitNotice | undefined {
    const events = this.#rows.length;
    const approvals = [...this.#approvals];
    this.#sessionEnded = this.#rows.some(row => row.linked.head.event_type === SESSION_END);
    this.#rows = [];
    this.#approvals.clear();
    if (events > 0) {
      this.#idempotence.committed(firstSeq, macs);
      this.#headLineDue = true;
    }
    if (this.#headLineDue) this.#writeHeadLine();
    if (events === 0 && approvals.length === 0) return undefined;
    return { seq: this.#chain.next - 1, approvals, events };
  }

  #writeHeadLine(): void {
    try {
      this.#parts.faults('head_file');
      this.#parts.headFile.append({
        ledger_id: this.#chain.ledgerId,
        tenant_id: this.#chain.tenantId,
        seq: this.#chain.next - 1,
        hash_self: this.#chain.previous,
        signature: this.#lastSignature.toString('base64'),
      });
      this.#headLineDue = false;
    } catch (error) {
      // The records are durable and answered as such; the line is due again with the next commit.
      this.#parts.warn('disk_low', `the head file could not be written: ${describe(error)}`);
    }
  }

  /** Makes the head file say what the database says, after a crash between the two. */
  catchUpHeadFile(signature: Buffer): void {
    this.#lastSignature = signature;
    this.#writeHeadLine();
  }

  /** Signs a checkpoint over everything committed. Durable when it returns; the last one again if nothing came. */
  checkpoint(): CheckpointView {
    if (this.#stale) this.#reload();
    try {
      const view = this.#checkpoints.sign(
        this.#merkle.size,
        () => this.#merkle.root(),
        this.#chain,
        this.#parts.faults,
      );
      this.#parts.headFile.sync();
      return view;
    } catch (error) {
      if (this.#db.inTransaction) this.#db.exec('ROLLBACK');
      this.#stale = true;
      if (isDiskFull(error)) throw new TrailmixError('disk_full');
      throw error;
    }
  }
}

const describe = (error: unknown): string => (error instanceof Error ? error.message : 'unknown failure');

/** While the clock is behind, the body carries its raw reading. Rare: the body is read and hashed again. */
function withClock(event: AppendEvent, clock: string): AppendEvent {
  const bodyJcs = jcs({ ...(JSON.parse(event.bodyJcs) as JsonObject), clock });
  return { ...event, bodyJcs, bodyHash: hash('sha256', bodyJcs, 'hex') };
}
