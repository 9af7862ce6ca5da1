/** Threads that read the database by themselves, ended at any moment of their start. */
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RealLedger, realLedger } from '../keys/real_ledger.ts';

let real: RealLedger;
beforeAll(async () => {
  real = await realLedger();
});
afterAll(() => real.close());

const start = () => real.ledger.readingThread(new URL('./reading_thread.ts', import.meta.url), {});

test('one that is ended at once, or as it loads, is ended, and nothing else', async () => {
  for (let n = 0; n < 6; n++) {
    const [early, late] = [start(), start()];
    const online = once(late, 'online');
    expect(await early.terminate()).toBe(1);
    await online;
    expect(await late.terminate()).toBe(1);
  }
  expect((await once(start(), 'message'))[0]).toEqual({ records: expect.any(Number) });
});

test('one that cannot open the database ends by itself, and can be ended', async () => {
  const thread = real.ledger.readingThread(new URL('./reading_thread.ts', import.meta.url), { file: 'none' });
  const [error] = await once(thread, 'error');
  expect((error as Error).message).toMatch(/unable to open/);
  await thread.terminate();
});

test('a ledger that closes ends those that are starting', async () => {
  const other = await realLedger();
  const exit = once(other.ledger.readingThread(new URL('./reading_thread.ts', import.meta.url), {}), 'exit');
  await other.close();
  await exit;
});
