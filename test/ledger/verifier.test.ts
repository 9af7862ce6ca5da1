import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { openWritable } from '../../collector/ledger/database.ts';
import type { Ledger } from '../../collector/ports.ts';
import { append, event, openTest, until } from './ledger.fixture.ts';
import { memoryVault } from './vault.fixture.ts';

async function verified(ledger: Ledger): Promise<void> {
  const { seq } = await ledger.read.head();
  await until(() => ledger.verifier().verifiedTo === seq);
}

/** Changes the open database as someone with the key would, from another connection. */
function tamper(folder: string, change: (db: Database.Database) => void): void {
  const db = openWritable(join(folder, 'ledger.db'), memoryVault().derive('database'), {
    cacheKiB: 100,
    durable: true,
  });
  change(db);
  db.close();
}

const sql = (text: string) => (db: Database.Database) => {
  expect(db.prepare(text).run().changes).toBeGreaterThan(0);
};

const changes: [name: string, seq: number, code: string, change: (db: Database.Database) => void][] = [
  ['a body', 7, 'body_hash', sql(`UPDATE record SET body = replace(body, 'agent', 'Agent') WHERE seq = 7`)],
  ['a time', 8, 'hash_self', sql(`UPDATE record SET ts = '2026-11-22T10:00:01Z' WHERE seq = 8`)],
  ['a type', 9, 'hash_self', sql(`UPDATE record SET event_type = 'other' WHERE seq = 9`)],
  [
    'a body and its hash',
    10,
    'hash_self',
    db => {
      const digest = createHash('sha256').update('{}').digest();
      expect(
        db.prepare(`UPDATE record SET body = '{}', body_hash = ? WHERE seq = 10`).run(digest).changes,
      ).toBe(1);
    },
  ],
  ['a record taken out', 11, 'record_missing', sql('DELETE FROM record WHERE seq = 11')],
  ['a record erased', 12, 'body_missing', sql('UPDATE record SET body = NULL WHERE seq = 12')],
  ['an app_seq', 13, 'app_seq_gap', sql('UPDATE record SET app_seq = 99999 WHERE seq = 13')],
  ['a listed name', 14, 'projection', sql(`UPDATE span SET name = 'harmless' WHERE seq = 14`)],
  ['a record moved to another run', 15, 'projection', sql('UPDATE record SET run = NULL WHERE seq = 15')],
  [
    'a signature',
    16,
    'signature',
    db => {
      const row = db
        .prepare<[], { first_seq: number; signatures: Buffer }>(
          'SELECT first_seq, signatures FROM seal WHERE first_seq <= 16 ORDER BY first_seq DESC LIMIT 1',
        )
        .get()!;
      row.signatures[(16 - row.first_seq) * 64]! ^= 1;
      db.prepare('UPDATE seal SET signatures = ? WHERE first_seq = ?').run(row.signatures, row.first_seq);
    },
  ],
  ['a tree row', 0, 'tree', sql('UPDATE tree SET hash = zeroblob(32) WHERE level = 8 AND position = 0')],
  ['a checkpoint', 600, 'checkpoint', sql('UPDATE checkpoint SET root = zeroblob(32)')],
  ['the last records cut off', 590, 'record_missing', sql('DELETE FROM record WHERE seq >= 590')],
];

test.each(changes)(
  '%s changed in the open database is found, with its seq',
  async (_name, seq, code, change) => {
    const { ledger, folder } = await openTest({ verifierRestMs: 50 });
    await append(
      ledger,
      Array.from({ length: 600 }, () => event({ name: 'step' })),
    );
    await ledger.write.run('checkpoint', {});
    await verified(ledger);
    tamper(folder, change);
    await until(() => ledger.verifier().fault !== undefined);
    expect(ledger.verifier().fault).toMatchObject({ seq, code });
    expect(ledger.verifier().verifiedTo).toBeLessThan(seq);
  },
);

test('a fault goes away only when a whole pass finds none', async () => {
  const { ledger, folder } = await openTest({ verifierRestMs: 50 });
  await append(ledger, [event({ name: 'step' })]);
  await verified(ledger);
  tamper(folder, sql(`UPDATE span SET name = 'x' WHERE seq = 1`));
  await until(() => ledger.verifier().fault !== undefined);
  await append(ledger, [event()]);
  expect(ledger.verifier()).toMatchObject({ verifiedTo: 0, fault: { seq: 1 } });
  tamper(folder, sql(`UPDATE span SET name = 'step' WHERE seq = 1`));
  await until(() => ledger.verifier().fault === undefined);
  await verified(ledger);
});
