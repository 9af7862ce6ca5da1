import { expect, test } from 'vitest';
import { killAgainAndAgain } from './kill.ts';

test('after kill -9 every acknowledged event is there, the chain verifies, nothing is half-written', async () => {
  const report = await killAgainAndAgain(6, 7);
  expect(report.kills).toBe(6);
  expect(report.acknowledged).toBeGreaterThan(20);
}, 180_000);
