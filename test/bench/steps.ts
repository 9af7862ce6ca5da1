/**
 * What one event costs, step by step, on one thread: the same functions as the collector's, each timed alone
 * over the same events. `insert` is the record row, its index, and one transaction with fsync per 500 rows,
 * in a database with the ledger's cipher and settings. The limit is cores / sum of the steps.
 */
import { createPrivateKey, generateKeyPairSync, hash, randomBytes, sign } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Connection, openWritable } from '../../collector/ledger/database.ts';
import { sqlFile } from '../../collector/ledger/sql-file.ts';
import { parseIJson } from '../../core/event/ijson.ts';
import { validateEvent } from '../../core/event/validate.ts';
import { utf8 } from '../../core/proof/bytes.ts';
import { type JsonObject, jcs } from '../../core/proof/jcs.ts';
import { eventSignatureMessage, GENESIS, headJcs } from '../../core/proof/record.ts';
import { recordLeaf } from '../../core/proof/tree.ts';
import { appId, eventText } from './events.ts';

export type Steps = {
  events: number;
  bytes: number;
  us: Record<'parse' | 'validate' | 'jcs' | 'hash' | 'sign' | 'insert', number>;
  cores: number;
  limitPerSecond: number;
};

const sha256 = (data: Uint8Array): Uint8Array => hash('sha256', data, 'buffer');
const batch = 500;

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;

/** Median microseconds per event over `rounds`, the first one not counted. */
const time = (count: number, rounds: number, work: () => void): number => {
  const took = Array.from({ length: rounds + 1 }, () => {
    const started = performance.now();
    work();
    return ((performance.now() - started) * 1000) / count;
  });
  return median(took.slice(1));
};

/**
 * Microseconds of one fsynced commit with the ledger's settings: `bare` of one row in one table, `rows` of the rows that
 * one recorded event needs (record and its index, span, run, hour, signatures, keyed hashes) in the ledger's own schema.
 */
export const durableCommits = (): { bare(i: number): number; rows(i: number): number; end(): void } => {
  const raw = rawLedger();
  const real = realSchema();
  const timedCommit = (db: Connection, work: (i: number) => void) => {
    const commit = db.transaction(work);
    return (i: number): number => {
      const started = performance.now();
      commit(i);
      return (performance.now() - started) * 1000;
    };
  };
  return {
    bare: timedCommit(raw.db, i => raw.insert.run(...row(i))),
    rows: timedCommit(real.db, real.record),
    end() {
      raw.end();
      real.end();
    },
  };
};

const realSchema = () => {
  const folder = mkdtempSync(join(tmpdir(), 'trailmix-bench-'));
  const db = openWritable(join(folder, 'raw.db'), randomBytes(32), { cacheKiB: 65_536, durable: true });
  db.exec(
    readFileSync(new URL('../../collector/ledger/migrations/0001_ledger.sql', import.meta.url), 'utf8'),
  );
  const sql = sqlFile(new URL('../../collector/ledger/sql/writer.sql', import.meta.url));
  const insert = db.prepare(sql.insertRecord!);
  const span = db.prepare(sql.insertSpan!);
  const hour = db.prepare(sql.addHour!);
  const seal = db.prepare(sql.insertSeal!);
  const once = db.prepare(sql.insertOnce!);
  const run = db.prepare('UPDATE run SET last_us = ?, events = ?, last_seq = ? WHERE run = 1');
  db.exec("INSERT INTO run VALUES (1, 'r', 1, 's', 't', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)");
  const counts = { events: 1, allow: 0, deny: 0, approve: 0, failed: 0, unverified: 0 };
  return {
    db,
    record: (i: number) => {
      const hashes = [randomBytes(32), randomBytes(32)];
      insert.run(i, 1, i, 1, 'decision.recorded', '2026-11-22T10:00:00Z', i, ...hashes, body);
      span.run(
        1,
        i,
        `dec_${i}`,
        null,
        'decision.recorded',
        'refund',
        'decision',
        i,
        null,
        2,
        0,
        'allow',
        null,
        null,
      );
      run.run(i, i, i);
      hour.run({ hour_us: 0, app: 1, ...counts });
      once.run(i, randomBytes(32));
      seal.run(i, hashes[0], randomBytes(64));
    },
    end: () => {
      db.close();
      rmSync(folder, { recursive: true });
    },
  };
};

const body = 'x'.repeat(900);
const row = (i: number): unknown[] => [
  i,
  1,
  i + 1,
  'llm.chat',
  '2026-11-22T10:00:00Z',
  i,
  randomBytes(32),
  randomBytes(32),
  body,
  randomBytes(64),
];

const rawLedger = () => {
  const folder = mkdtempSync(join(tmpdir(), 'trailmix-bench-'));
  const db = openWritable(join(folder, 'raw.db'), randomBytes(32), { cacheKiB: 65_536, durable: true });
  db.exec(
    'CREATE TABLE record (seq INTEGER PRIMARY KEY, app INTEGER, app_seq INTEGER, event_type TEXT, ts TEXT, received_us INTEGER, hash_self BLOB, body_hash BLOB, body TEXT, signature BLOB) STRICT; CREATE UNIQUE INDEX record_app ON record (app, app_seq);',
  );
  const insert = db.prepare('INSERT INTO record VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
  return {
    db,
    insert,
    end: () => {
      db.close();
      rmSync(folder, { recursive: true });
    },
  };
};

export const measureSteps = (count = 10_000, rounds = 5): Steps => {
  const texts = Array.from({ length: count }, (_, i) => Buffer.from(eventText(i, 'steps')));
  const parsed = texts.map(text => parseIJson(text));
  const valid = parsed.map(value => {
    const result = validateEvent(value, { appId });
    if (!result.ok) throw new Error(JSON.stringify(result.errors));
    return result.event;
  });
  const salt = randomBytes(16).toString('hex');
  const bodies = valid.map(({ app_id: _a, event_type: _t, ts: _s, ...rest }) => ({
    ...rest,
    source: { via: 'api', auth: 'key', key: 'k' },
    salt,
  })) as unknown as JsonObject[];
  const bodyTexts = bodies.map(value => jcs(value));
  const head = {
    v: 1,
    ledger_id: 'a'.repeat(32),
    tenant_id: 'default',
    app_id: appId,
    event_type: 'llm.chat',
    ts: '2026-11-22T10:00:00Z',
    received_at: '2026-11-22T10:00:00.000000Z',
    hash_prev: GENESIS,
  } as const;
  const { privateKey } = generateKeyPairSync('ed25519');
  const key = createPrivateKey({
    key: privateKey.export({ type: 'pkcs8', format: 'der' }),
    format: 'der',
    type: 'pkcs8',
  });
  const messages = bodyTexts.map(text => eventSignatureMessage(hash('sha256', text)));

  const us = {
    parse: time(count, rounds, () => {
      for (const text of texts) parseIJson(text);
    }),
    validate: time(count, rounds, () => {
      for (const value of parsed) validateEvent(value, { appId });
    }),
    jcs: time(count, rounds, () => {
      for (const value of bodies) jcs(value);
    }),
    hash: time(count, rounds, () => {
      for (let i = 0; i < count; i++) {
        const body_hash = hash('sha256', utf8(bodyTexts[i]!));
        const self = hash('sha256', headJcs({ ...head, seq: i, app_seq: i + 1, body_hash }));
        recordLeaf(sha256, self);
      }
    }),
    sign: time(count, Math.min(3, rounds), () => {
      for (const message of messages) sign(null, message, key);
    }),
    insert: time(count, rounds, () => {
      const { db, insert, end } = rawLedger();
      for (let at = 0; at < count; at += batch)
        db.transaction(() => {
          for (let i = at; i < Math.min(count, at + batch); i++) insert.run(...row(i));
        })();
      end();
    }),
  };
  const cores = availableParallelism();
  const sum = Object.values(us).reduce((a, b) => a + b);
  return { events: count, bytes: texts[0]!.length, us, cores, limitPerSecond: (cores * 1e6) / sum };
};

if (import.meta.main) console.log(JSON.stringify(measureSteps(), null, 2));
