/** Faults at each step as error, error-but-persisted and full disk; the ledger's own reading is the oracle. */
import { describe, expect, test } from 'vitest';
import type { FaultPlan } from '../../collector/ledger/faults.ts';
import type { Ledger } from '../../collector/ports.ts';
import { append, event, openTest, until } from './ledger.fixture.ts';

async function whole(ledger: Ledger, size: number): Promise<void> {
  expect((await ledger.read.head()).size).toBe(size);
  await until(() => ledger.verifier().verifiedTo === size - 1);
  expect(ledger.verifier().fault).toBeUndefined();
}

const steps: [FaultPlan['at'], number][] = [
  ['assign', 2],
  ['insert', 3],
  ['project', 3],
  ['sign', 3],
  ['commit', 3],
];

describe.each(steps)('a failure at %s', (at, nth) => {
  test.each(['error', 'full'] as const)(
    'as %s: nothing is recorded, and the next append goes on',
    async mode => {
      const { ledger, folder } = await openTest({ testFaults: { faults: { at, mode, nth } } });
      await append(ledger, [event({ event_id: 'a' }), event()]);
      const lost = [event({ event_id: 'lost', session_id: 'new', app_id: 'new-app' }), event(), event()];
      await expect(append(ledger, lost)).rejects.toMatchObject({
        code: mode === 'full' ? 'disk_full' : 'internal',
      });
      expect((await ledger.read.head()).size).toBe(3);
      const [again] = await append(ledger, lost);
      expect(again).toMatchObject({ seq: 3 });
      expect(again!.duplicate).toBeUndefined();
      await whole(ledger, 6);
      await ledger.close();
      await whole((await openTest({ folder })).ledger, 6);
    },
  );
});

test.each(['commit', 'insert'] as const)(
  'an error at %s after the fact: what is there is known again',
  async at => {
    const { ledger } = await openTest({ testFaults: { faults: { at, mode: 'persisted', nth: 3 } } });
    const one = event();
    await append(ledger, [event()]);
    await expect(append(ledger, [one])).rejects.toMatchObject({ code: 'internal' });
    const persisted = at === 'commit';
    const [again] = await append(ledger, [one]);
    expect(again!.duplicate).toBe(persisted ? true : undefined);
    await append(ledger, [event()]);
    await whole(ledger, 4);
  },
);

test('a signature that fails fails its whole group, and no other', async () => {
  const { ledger } = await openTest({ testFaults: { signerFailsAt: 3 } });
  await append(ledger, [event(), event()]);
  await expect(append(ledger, [event(), event()])).rejects.toMatchObject({ code: 'internal' });
  await append(ledger, [event()]);
  await whole(ledger, 4);
});

test('a full disk is said so, and recording goes on once there is room', async () => {
  const { ledger, warnings } = await openTest({ testFaults: { maxPages: 74 } });
  const big = () => event({ input: 'x'.repeat(20_000) });
  let stored = 0;
  for (let i = 0; i < 60; i++) {
    const result = await append(ledger, [big()]).then(
      () => 'ok',
      error => error.code as string,
    );
    if (result === 'ok') stored++;
    else expect(result).toBe('disk_full');
  }
  expect(stored).toBeGreaterThan(3);
  expect(stored).toBeLessThan(60);
  await whole(ledger, stored + 1);
  expect(warnings.join()).not.toContain('xxx');
});

test('a head file that cannot be written does not undo a commit; the line comes with the next', async () => {
  const { ledger, folder } = await openTest({
    testFaults: { faults: { at: 'head_file', mode: 'full', nth: 2 } },
  });
  await append(ledger, [event()]);
  await append(ledger, [event()]);
  await ledger.close();
  await whole((await openTest({ folder })).ledger, 3);
});

test('a checkpoint that fails leaves none, and the next one is whole', async () => {
  const { ledger } = await openTest({ testFaults: { faults: { at: 'checkpoint', mode: 'error', nth: 1 } } });
  await append(ledger, [event()]);
  await expect(ledger.write.run('checkpoint', {})).rejects.toMatchObject({ code: 'internal' });
  expect((await ledger.write.run('checkpoint', {})).size).toBe(2);
});

test('little free space is said before it fails', async () => {
  const { ledger, warnings } = await openTest({ diskLowBytes: Number.MAX_SAFE_INTEGER });
  expect(ledger.stats()).toMatchObject({ diskLow: true });
  expect(warnings.join()).toContain('little disk space');
});
