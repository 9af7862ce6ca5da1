/** `trailmix verify --ledger`, as the collector does it: what it finds in a changed database, shown among its neighbours. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { verifyLedger } from '../../collector/evidence/verify-ledger.ts';
import { openWritable } from '../../collector/ledger/database.ts';
import { append, event, openTest } from './ledger.fixture.ts';
import { memoryVault } from './vault.fixture.ts';

function change(folder: string, sql: string): void {
  const key = memoryVault().derive('database');
  const db = openWritable(join(folder, 'ledger.db'), key, { cacheKiB: 100, durable: true });
  expect(db.prepare(sql).run().changes).toBe(1);
  db.close();
}

test('a failing record is shown with two on either side, and by all that is wrong with it', async () => {
  const { ledger, folder } = await openTest();
  await append(
    ledger,
    Array.from({ length: 12 }, (_, n) => event({ name: `step ${n}` })),
  );
  await ledger.write.run('checkpoint', {});
  expect((await verifyLedger(ledger, memoryVault())).places).toEqual([]);
  change(folder, "UPDATE record SET body = replace(body, 'step 6', 'step six') WHERE seq = 7");
  change(folder, "UPDATE record SET ts = '2026-11-22T10:00:01Z' WHERE seq = 12");
  const { places, verdicts } = await verifyLedger(ledger, memoryVault());
  expect(verdicts.integrity.result).toBe('fail');
  const [changed, last] = places;
  expect(changed).toMatchObject({ where: 'ledger:7', codes: ['body_hash_wrong'] });
  expect(changed!.records.map(({ seq, name, failing }) => [seq, name, failing])).toEqual([
    [5, 'step 4', false],
    [6, 'step 5', false],
    [7, 'step six', true],
    [8, 'step 7', false],
    [9, 'step 8', false],
  ]);
  // At the end there is nothing after it.
  expect(last).toMatchObject({ where: 'ledger:12', codes: expect.arrayContaining(['head_hash_wrong']) });
  expect(last!.records.map(({ seq }) => seq)).toEqual([10, 11, 12]);
});
