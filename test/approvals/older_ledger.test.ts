/** A ledger made before people answered by name: it opens, and its approvals are as they were. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openWritable } from '../../collector/ledger/database.ts';
import { migrationsIn } from '../../collector/ledger/migrate.ts';
import { openTest } from '../ledger/ledger.fixture.ts';
import { memoryVault } from '../ledger/vault.fixture.ts';

const outcome = {
  result: 'approve',
  reasons: ['wire above 10000'],
  required: { k: 2, roles: ['treasurer', 'cfo'] },
  policy: { version: 1, hash: 'a'.repeat(64) },
  evalUs: 5,
} as const;

/** Puts the table of approvals back as version 0020 made it, with its rows, and forgets the later tables. */
function makeOlder(folder: string): void {
  const key = Buffer.from(memoryVault().derive('database'));
  const db = openWritable(join(folder, 'ledger.db'), key, { cacheKiB: 100, durable: true });
  db.pragma('foreign_keys = OFF');
  const text = readFileSync(
    new URL('../../collector/ledger/migrations/0020_approvals.sql', import.meta.url),
    'utf8',
  );
  const table = /CREATE TABLE approval \(([\s\S]*?)\n\) STRICT, WITHOUT ROWID;/.exec(text)![1]!;
  const columns = [...table.matchAll(/^ {2}(\w+) /gm)].map(([, name]) => name).join(', ');
  const indexes = text.slice(text.indexOf('CREATE INDEX'));
  db.exec(`CREATE TABLE older (${table}\n) STRICT, WITHOUT ROWID;
    INSERT INTO older (${columns}) SELECT ${columns} FROM approval; DROP TABLE approval; ALTER TABLE older RENAME TO approval;
    ${indexes}`);
  for (const { number, sql } of migrationsIn()) {
    if (number <= 30) continue;
    for (const [, kind, name] of sql.matchAll(/^CREATE (TABLE|INDEX) (?:IF NOT EXISTS )?(\w+)/gm)) {
      if (name !== 'approval_open') db.exec(`DROP ${kind} IF EXISTS ${name}`);
    }
    // Not of the table that was put back: it has none of them.
    for (const [, table, column] of sql.matchAll(/^ALTER TABLE (\w+) ADD COLUMN (\w+)/gm))
      if (table !== 'approval') db.exec(`ALTER TABLE ${table} DROP COLUMN ${column}`);
  }
  db.pragma('user_version = 30');
  db.close();
}

test('a ledger of the earlier version opens and keeps its approvals, answers and all', async () => {
  const { ledger, folder } = await openTest();
  const ask = (actor: string) =>
    ledger.write.run('decide', {
      keyId: 'k1',
      appId: 'bot',
      sessionId: 's-1',
      actor: { type: 'agent', id: actor },
      action: 'send_wire',
      risk: 'high',
      payload: { amount: 12_000 },
      context: { why: 'invoice' },
      outcome: { ...outcome, reasons: [...outcome.reasons], required: { k: 2, roles: ['cfo', 'treasurer'] } },
    });
  const waiting = await ask('a1');
  const denied = await ask('a2');
  await ledger.write.run('answerApproval', {
    id: denied.approval!.id,
    verdict: 'deny',
    by: 'Ada',
    comment: 'not today',
    signedIn: 'none',
    source: { via: 'page', auth: 'person' },
  });
  const before = await ledger.read.approvals({});
  await ledger.close();
  makeOlder(folder);

  const again = await openTest({ folder });
  const after = await again.ledger.read.approvals({});
  expect(after).toEqual(before);
  expect(after.items.find(({ id }) => id === waiting.approval!.id)).toMatchObject({
    status: 'waiting',
    required: { k: 2, roles: ['cfo', 'treasurer'] },
    context: { why: 'invoice' },
  });
  expect(after.items.find(({ id }) => id === denied.approval!.id)).toMatchObject({
    status: 'denied',
    answers: [{ by: 'Ada', verdict: 'deny', comment: 'not today', signed_in: 'none' }],
  });
  const cancelled = await again.ledger.write.run('cancelApproval', {
    id: waiting.approval!.id,
    keyId: 'k1',
    appId: 'bot',
  });
  expect(cancelled.status).toBe('cancelled');
  await again.ledger.close();
});
