import { expect, test } from 'vitest';
import { busyLedger, check, codesOf, makePack, partsOf, trustOf } from './packs.ts';

test('a pack of an untouched ledger verifies, and says what it does not show', async () => {
  const ledger = busyLedger();
  const pack = await makePack(ledger);
  const report = await check(pack, trustOf(ledger));
  expect(report.verdicts.integrity).toEqual({ result: 'pass', findings: [] });
  expect(report.verdicts.completeness).toEqual({ result: 'pass', findings: [] });
  expect(report.verdicts.time.result).toBe('not_shown');
  expect(codesOf(report)).toEqual(['approval_unsigned', 'certificate_self_made', 'time_not_shown']);
  expect([...(await partsOf(pack)).keys()].length).toBeGreaterThan(20);
});
