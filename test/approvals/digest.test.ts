import { createHmac, randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { hmac } from '../../collector/approvals/recording.ts';
import { systemIds } from '../../collector/clock.ts';

test('the HMAC that is written out is the one that everybody computes', () => {
  for (const key of [0, 1, 32, 63, 64, 65, 200].map(length => randomBytes(length))) {
    for (const message of [0, 1, 55, 64, 1000].map(length => randomBytes(length))) {
      const expected = createHmac('sha256', key).update(message).digest('hex');
      expect(Buffer.from(hmac(key, message)).toString('hex')).toBe(expected);
    }
  }
});

test('bytes drawn ahead are given out once', () => {
  const drawn = Array.from({ length: 2000 }, () => Buffer.from(systemIds.bytes(16)).toString('hex'));
  expect(new Set(drawn).size).toBe(drawn.length);
  expect(systemIds.bytes(5000)).toHaveLength(5000);
  expect(new Set(Array.from({ length: 2000 }, () => systemIds.id('evt'))).size).toBe(2000);
});
