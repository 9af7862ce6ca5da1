/**
 * A WriteTx over a real SQLite database with the ledger's migrations, for testing commands without the
 * writer thread: one savepoint a command, records kept in memory, a clock that the test moves.
 */
import { createHash, randomBytes } from 'node:crypto';
import Database from 'better-sqlite3';
import { migrationsIn } from '../../collector/ledger/migrate.ts';
import type { CommandTable, WriteTx } from '../../collector/ledger/tx.ts';
import type { Appended, Commands, OwnEvent } from '../../collector/ports.ts';

export type Recorded = OwnEvent & { seq: number; receivedAt: string; eventId: string };

export type TestLedger = {
  readonly db: Database.Database;
  readonly records: Recorded[];
  readonly touched: string[];
  /** Moves the clock. */
  advance(seconds: number): void;
  run<N extends keyof Commands>(name: N, input: Commands[N]['input']): Commands[N]['output'];
  close(): void;
};

export function testLedger(table: Partial<CommandTable>): TestLedger {
  const db = new Database(':memory:');
  db.pragma('foreign_keys = ON');
  for (const { sql } of migrationsIn()) db.exec(sql);
  let now = Date.parse('2026-11-22T12:00:00.000Z');
  let count = 0;
  const records: Recorded[] = [];
  const touched: string[] = [];
  const receivedAt = (): string => new Date(now).toISOString().replace('Z', '000Z');

  const tx: WriteTx = {
    db,
    tenantId: 'default',
    ledgerId: 'ab'.repeat(16),
    vault: { seal: secret => secret, unseal: sealed => sealed },
    receivedAt,
    random: n => new Uint8Array(randomBytes(n)),
    id: prefix => `${prefix}_${String(++count).padStart(8, '0')}`,
    namesBlobs: () => false,
    unlinkBlob: () => 0,
    append(event): Appended {
      const eventId = event.eventId ?? `evt_${++count}`;
      const seq = records.length;
      records.push({ ...event, eventId, seq, receivedAt: receivedAt() });
      const hashSelf = createHash('sha256').update(`${seq}`).digest('hex');
      return {
        eventId,
        seq,
        hashSelf,
        receivedAt: receivedAt(),
        record: {
          seq,
          app_id: event.appId,
          app_seq: seq + 1,
          event_type: event.eventType,
          ts: receivedAt(),
          received_at: receivedAt(),
          hash_self: hashSelf,
        },
      };
    },
    touchApproval: id => void touched.push(id),
  };

  return {
    db,
    records,
    touched,
    advance: seconds => {
      now += seconds * 1000;
    },
    run(name, input) {
      const handler = table[name];
      if (handler === undefined) throw new Error(`no command ${name}`);
      const before = records.length;
      db.exec('SAVEPOINT command');
      try {
        const output = handler(tx, input);
        db.exec('RELEASE command');
        return output;
      } catch (error) {
        db.exec('ROLLBACK TO command; RELEASE command');
        records.length = before;
        throw error;
      }
    },
    close: () => db.close(),
  };
}
