/**
 * An independent reading of a ledger's files: nothing of collector/ is used, the formats alone. Throws at the first
 * thing that is not as docs/spec/ledger.md and tree.md say.
 */
import { createDecipheriv, createHash, createHmac, createPublicKey, hkdfSync, verify } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { KeyVault } from '../../collector/ports.ts';

type Row = {
  seq: number;
  app_id: string;
  tenant_id: string;
  app_seq: number;
  run: number | null;
  event_type: string;
  ts: string;
  received_us: number;
  hash_self: Buffer;
  body_hash: Buffer;
  body: string;
};
type Ack = [eventId: string, seq: number, hashSelf: string];

const sha = (data: string | Buffer): Buffer => createHash('sha256').update(data).digest();

function fail(message: string): never {
  throw new Error(`checker: ${message}`);
}

function sixDigits(us: number): string {
  const seconds = new Date(Math.floor(us / 1e6) * 1000).toISOString().slice(0, 19);
  return `${seconds}.${String(us % 1e6).padStart(6, '0')}Z`;
}

function publicKey(raw: Uint8Array) {
  const key = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), raw]);
  return createPublicKey({ key, format: 'der', type: 'spki' });
}

/** RFC 9162, 2.1.1, as written: recursive. */
function root(leaves: Buffer[]): Buffer {
  if (leaves.length === 0) return sha('');
  if (leaves.length === 1) return leaves[0]!;
  let k = 1;
  while (k * 2 < leaves.length) k *= 2;
  return sha(Buffer.concat([Buffer.of(1), root(leaves.slice(0, k)), root(leaves.slice(k))]));
}

/** Answers the number of records. `acks`: what was acknowledged, ever. */
export function checkLedger(folder: string, vault: KeyVault, acks: readonly Ack[]): number {
  const db = new Database(join(folder, 'ledger.db'), { readonly: true });
  try {
    db.pragma("cipher = 'chacha20'");
    db.pragma(`key = 'raw:${Buffer.from(vault.derive('database')).toString('hex')}'`);
    return check(db, folder, vault, acks);
  } finally {
    db.close();
  }
}

function check(db: Database.Database, folder: string, vault: KeyVault, acks: readonly Ack[]): number {
  const [state] = db.pragma('integrity_check') as { integrity_check: string }[];
  if (state?.integrity_check !== 'ok') fail(`integrity_check says ${state?.integrity_check}`);
  const rows = db
    .prepare<[], Row>(
      'SELECT record.*, app.app_id, app.tenant_id FROM record JOIN app USING (app) ORDER BY seq',
    )
    .all();
  const records = db.prepare<[], { n: number }>('SELECT count(*) AS n FROM record').get()!.n;
  if (rows.length !== records) fail('a record belongs to no app');
  const signatures = perRecord(db, 'seal', 'signatures', 64, records);
  perRecord(db, 'once', 'macs', 32, records);

  const key = publicKey(vault.eventKey.publicKey);
  const appSeqs = new Map<string, number>();
  const ids = new Set<string>();
  let previous = '0'.repeat(64);
  let last = 0;
  rows.forEach((row, seq) => {
    if (row.seq !== seq) fail(`record ${seq} is missing`);
    if (!sha(row.body).equals(row.body_hash)) fail(`record ${seq}: body_hash`);
    const appSeq = (appSeqs.get(row.app_id) ?? 0) + 1;
    if (row.app_seq !== appSeq) fail(`record ${seq}: app_seq`);
    appSeqs.set(row.app_id, appSeq);
    if (row.received_us < last) fail(`record ${seq}: received_at falls`);
    last = row.received_us;
    const head = {
      app_id: row.app_id,
      app_seq: row.app_seq,
      body_hash: row.body_hash.toString('hex'),
      event_type: row.event_type,
      hash_prev: previous,
      ledger_id: vault.ledgerId,
      received_at: sixDigits(row.received_us),
      seq,
      tenant_id: row.tenant_id,
      ts: row.ts,
      v: 1,
    };
    if (!sha(JSON.stringify(head)).equals(row.hash_self)) fail(`record ${seq}: hash_self`);
    previous = row.hash_self.toString('hex');
    if (!verify(null, Buffer.from(`trailmix/event/v1\n${previous}`), key, signatures[seq]!)) {
      fail(`record ${seq}: signature`);
    }
    const body = JSON.parse(row.body) as {
      event_id: string;
      input?: { $blob?: { sha256: string; bytes: number } };
    };
    const id = `${row.app_id} ${body.event_id}`;
    if (ids.has(id)) fail(`record ${seq}: event_id ${body.event_id} stands twice`);
    ids.add(id);
    if (body.input?.$blob !== undefined) checkBlob(folder, vault, row.tenant_id, body.input.$blob);
  });

  for (const [eventId, seq, hashSelf] of acks) {
    const row = rows[seq];
    if (row === undefined) fail(`acknowledged event ${eventId} is lost: there is no record ${seq}`);
    if (row.hash_self.toString('hex') !== hashSelf)
      fail(`acknowledged event ${eventId} is not record ${seq}`);
    if ((JSON.parse(row.body) as { event_id: string }).event_id !== eventId)
      fail(`record ${seq} is another event`);
  }
  checkProjections(db, rows);
  checkCheckpoints(db, rows, vault);
  checkHeadFile(folder, rows);
  return records;
}

/** Rows of one per commit must cover every record exactly once. */
function perRecord(
  db: Database.Database,
  table: string,
  column: string,
  size: number,
  records: number,
): Buffer[] {
  const found: Buffer[] = [];
  const rows = db
    .prepare<[], { first_seq: number; part: Buffer }>(
      `SELECT first_seq, ${column} AS part FROM ${table} ORDER BY 1`,
    )
    .all();
  for (const { first_seq, part } of rows) {
    if (first_seq !== found.length || part.length % size !== 0) fail(`${table} row ${first_seq}`);
    for (let at = 0; at < part.length; at += size) found.push(part.subarray(at, at + size));
  }
  if (found.length !== records) fail(`${table} covers ${found.length} of ${records} records`);
  return found;
}

function checkProjections(db: Database.Database, rows: readonly Row[]): void {
  const spans = db.prepare<[], { run: number; seq: number }>('SELECT run, seq FROM span ORDER BY seq').all();
  const inRuns = rows.filter(row => row.run !== null);
  if (spans.length !== inRuns.length) fail('spans and records differ in number');
  spans.forEach((span, i) => {
    if (span.seq !== inRuns[i]!.seq || span.run !== inRuns[i]!.run) fail(`span of record ${span.seq}`);
  });
  const runs = db.prepare<[], { run: number; events: number; last_seq: number }>('SELECT * FROM run').all();
  for (const run of runs) {
    const own = inRuns.filter(row => row.run === run.run);
    if (own.length !== run.events || own.at(-1)?.seq !== run.last_seq) fail(`run ${run.run} counts wrong`);
  }
  const { n } = db.prepare<[], { n: number }>('SELECT coalesce(sum(events), 0) AS n FROM hour').get()!;
  if (n !== rows.length) fail('hours count wrong');
}

function checkCheckpoints(db: Database.Database, rows: readonly Row[], vault: KeyVault): void {
  const leaves = rows.map(row => sha(Buffer.concat([Buffer.of(0), row.hash_self])));
  const nodes = db.prepare<[], { level: number; position: number; hash: Buffer }>('SELECT * FROM tree').all();
  for (const { level, position, hash } of nodes) {
    const width = 2 ** level;
    const own = leaves.slice(position * width, (position + 1) * width);
    if (own.length !== width || !root(own).equals(hash)) fail(`tree node (${level}, ${position})`);
  }
  const key = publicKey(vault.checkpointKey.publicKey);
  const checkpoints = db
    .prepare<[], { size: number; root: Buffer; note: string }>('SELECT * FROM checkpoint ORDER BY size')
    .all();
  for (const { size, root: stored, note } of checkpoints) {
    if (size > rows.length) fail(`checkpoint ${size} is beyond the records`);
    if (!root(leaves.slice(0, size)).equals(stored)) fail(`checkpoint ${size}: root`);
    const [text, line] = [note.slice(0, note.indexOf('\n\n') + 1), note.slice(note.indexOf('\n\n') + 2)];
    if (text !== `trailmix.invalid/${vault.ledgerId}/default\n${size}\n${stored.toString('base64')}\n`) {
      fail(`checkpoint ${size}: text`);
    }
    const signature = Buffer.from(line.trim().split(' ')[2]!, 'base64').subarray(4);
    if (!verify(null, Buffer.from(text), key, signature)) fail(`checkpoint ${size}: signature`);
  }
}

function checkHeadFile(folder: string, rows: readonly Row[]): void {
  const lines = readFileSync(join(folder, 'head.log'), 'utf8').split('\n');
  lines.pop();
  for (const line of lines) {
    let head: { seq: number; hash_self: string };
    try {
      head = JSON.parse(line) as typeof head;
    } catch {
      continue; // a line torn by an earlier kill
    }
    if (rows[head.seq]?.hash_self.toString('hex') !== head.hash_self)
      fail(`the head file is ahead at ${head.seq}`);
  }
}

function checkBlob(
  folder: string,
  vault: KeyVault,
  tenant: string,
  blob: { sha256: string; bytes: number },
): void {
  const key = vault.derive('blob');
  const nameKey = Buffer.from(hkdfSync('sha256', key, '', 'trailmix/blob-name/v1', 32));
  const name = createHmac('sha256', nameKey).update(`${tenant}\0${blob.sha256}`).digest('hex');
  const file = join(folder, 'blobs', name.slice(0, 2), name);
  if (!existsSync(file)) fail(`blob ${blob.sha256} is missing`);
  const bytes = readFileSync(file);
  const info = `trailmix/blob-file/v1\n${tenant}\n${blob.sha256}`;
  const fileKey = Buffer.from(hkdfSync('sha256', key, bytes.subarray(4, 20), info, 32));
  const plain: Buffer[] = [];
  for (let at = 20, chunk = 0; at < bytes.length; at += 65_552, chunk++) {
    const sealed = bytes.subarray(at, at + 65_552);
    const nonce = Buffer.alloc(12);
    nonce.writeUIntBE(chunk, 5, 6);
    nonce[11] = at + 65_552 >= bytes.length ? 1 : 0;
    const decipher = createDecipheriv('aes-256-gcm', fileKey, nonce);
    decipher.setAuthTag(sealed.subarray(-16));
    plain.push(Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]));
  }
  const whole = Buffer.concat(plain);
  if (whole.length !== blob.bytes || sha(whole).toString('hex') !== blob.sha256) fail(`blob ${blob.sha256}`);
}
