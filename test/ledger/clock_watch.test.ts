/** Jumps of the clock: forward ones by an injected clock beside a monotonic one, steps back by the writer. */
import { afterEach, expect, test } from 'vitest';
import { watchClock } from '../../collector/evidence/clock_watch.ts';
import { type RealLedger, realLedger } from '../keys/real_ledger.ts';
import { append, event } from './ledger.fixture.ts';

let real: RealLedger | undefined;
afterEach(async () => {
  await real?.close();
  real = undefined;
});

/** Two clocks that tests set; both go on by `pass`, the first alone by `jump`. */
function clocks() {
  const at = { host: Date.UTC(2026, 10, 22, 12), monotonic: 1000 };
  return {
    clock: { now: () => at.host },
    monotonic: () => at.monotonic,
    pass(ms: number): void {
      at.host += ms;
      at.monotonic += ms;
    },
    jump(ms: number): void {
      at.host += ms;
    },
  };
}

const jumps = async (ledger: RealLedger['ledger']) =>
  (await ledger.read.search({ q: 'type:clock.jumped' })).items.map(record => record.clock_jump);

test('a jump forward of two seconds or more is recorded once; time that passes and drift are not', async () => {
  real = await realLedger();
  const { ledger } = real;
  const { clock, monotonic, pass, jump } = clocks();
  const watch = watchClock({ ledger, clock, monotonic, onError: () => {} });
  pass(3_600_000);
  await watch.look();
  jump(1_999);
  await watch.look();
  jump(-30_000);
  await watch.look();
  expect(await jumps(ledger)).toEqual([]);

  pass(60_000);
  jump(2_000);
  await watch.look();
  await watch.look();
  expect(await jumps(ledger)).toEqual([{ ms: 2_000 }]);
  jump(86_400_000);
  await watch.look();
  const state = await watch.state(undefined);
  expect(state).toMatchObject({
    now: new Date(clock.now()).toISOString(),
    jumps_total: 2,
    jumps: [
      { kind: 'forward', ms: 86_400_000 },
      { kind: 'forward', ms: 2_000 },
    ],
  });
  watch.close();
});

test('a jump that could not be recorded is seen by the next look', async () => {
  real = await realLedger();
  const { ledger } = real;
  const { clock, monotonic, jump } = clocks();
  let full = true;
  const write: typeof ledger.write = {
    ...ledger.write,
    run: (...given) => (full ? Promise.reject(new Error('disk full')) : ledger.write.run(...given)),
  };
  const watch = watchClock({ ledger: { ...ledger, write }, clock, monotonic, onError: () => {} });
  jump(5_000);
  await expect(watch.look()).rejects.toThrow('disk full');
  full = false;
  await watch.look();
  await watch.look();
  expect(await jumps(ledger)).toEqual([{ ms: 5_000 }]);
  watch.close();
});

test('a step back, which the writer records, is told beside them', async () => {
  real = await realLedger();
  const { ledger, skew } = real;
  const { clock, monotonic, jump } = clocks();
  const watch = watchClock({ ledger, clock, monotonic, onError: () => {} });
  await append(ledger, [event()]);
  skew.ms -= 600_000;
  await append(ledger, [event()]);
  jump(7_000);
  await watch.look();
  const { jumps: told, jumps_total: total } = await watch.state(undefined);
  expect(total).toBe(2);
  expect(told.map(({ kind }) => kind)).toEqual(['forward', 'back']);
  expect(told[1]!.ms).toBeGreaterThan(590_000);
  watch.close();
});
