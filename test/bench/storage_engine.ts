/**
 * Measures what docs/adr/0002-storage-engine.md decides by: cipher and page size of the ledger's database.
 * Run: node test/bench/storage_engine.ts [rows]
 */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';

const rows = Number(process.argv[2] ?? 20_000);
const key = randomBytes(32).toString('hex');
const body = `{"input":{"prompt":"${'lorem ipsum dolor sit amet '.repeat(22)}"},"event_id":"`;

type Scheme = { name: string; page: number; open: (db: Database.Database) => void };
const schemes: Scheme[] = [];
for (const page of [4096, 8192, 16384]) {
  schemes.push({ name: 'clear', page, open: () => {} });
  schemes.push({
    name: 'chacha20',
    page,
    open: db => {
      db.pragma("cipher='chacha20'");
      db.pragma(`key='raw:${key}'`);
    },
  });
  schemes.push({
    name: 'sqlcipher',
    page,
    open: db => {
      db.pragma("cipher='sqlcipher'");
      db.pragma(`legacy_page_size=${page}`);
      db.pragma(`key="x'${key}'"`);
    },
  });
}

for (const scheme of schemes) {
  const folder = mkdtempSync(join(tmpdir(), 'storage-'));
  const file = join(folder, 'x.db');
  const open = () => {
    const db = new Database(file);
    scheme.open(db);
    db.pragma(`page_size=${scheme.page}`);
    db.pragma('journal_mode=WAL');
    db.pragma('synchronous=FULL');
    db.pragma('wal_autocheckpoint=4000');
    return db;
  };
  let db = open();
  db.exec(
    'CREATE TABLE r(seq INTEGER PRIMARY KEY, app INT, n INT, ts TEXT, h BLOB, b BLOB, body TEXT) STRICT; CREATE UNIQUE INDEX i ON r(app, n)',
  );
  const insert = db.prepare('INSERT INTO r VALUES (?, 1, ?, ?, ?, ?, ?)');
  const hash = createHash('sha256').update('x').digest();
  const started = performance.now();
  for (let at = 0; at < rows; at += 500) {
    db.exec('BEGIN IMMEDIATE');
    for (let i = at; i < at + 500; i++)
      insert.run(i, i, '2026-11-22T00:00:00.000000Z', hash, hash, `${body}${i}-${i * 7919}"}`);
    db.exec('COMMIT');
  }
  const inserted = performance.now() - started;
  db.close();
  const opening = performance.now();
  db = open();
  db.prepare('SELECT count(*) FROM sqlite_schema').get();
  const opened = performance.now() - opening;
  const reading = performance.now();
  let bytes = 0;
  for (const row of db.prepare<[], { body: string }>('SELECT body FROM r').iterate())
    bytes += row.body.length;
  const read = performance.now() - reading;
  console.log(
    `${scheme.name.padEnd(10)} page ${String(scheme.page).padStart(5)}: insert ${Math.round((rows / inserted) * 1000)}/s, open ${opened.toFixed(1)} ms, scan ${(bytes / 1e3 / read).toFixed(0)} MB/s`,
  );
  db.close();
  rmSync(folder, { recursive: true });
}
