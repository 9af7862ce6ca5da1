import { describe, expect, test } from 'vitest';
import { formatBytes, formatCost, shortHash } from '../../renderer/ui/numbers.ts';
import {
  formatAgo,
  formatDuration,
  formatLeft,
  formatShortTime,
  formatTime,
  zoneName,
} from '../../renderer/ui/times.ts';

describe('durations read as people say them', () => {
  test.each([
    [0, '0 ms'],
    [450, '450 µs'],
    [805_000, '805 ms'],
    [999_499, '999 ms'],
    [999_500, '1.0 s'],
    [11_320_000, '11.3 s'],
    [59_949_999, '59.9 s'],
    [59_950_000, '1 m'],
    [161_000_000, '2 m 41 s'],
    [3_599_600_000, '1 h'],
    [11_100_000_000, '3 h 5 m'],
    [187_200_000_000, '2 d 4 h'],
  ])('%d microseconds', (us, text) => expect(formatDuration(us)).toBe(text));

  test('nothing is said of what is not a duration', () => {
    expect(formatDuration(Number.NaN)).toBe('');
    expect(formatDuration(-1)).toBe('');
  });

  test('a countdown ends at 0 s and never goes below', () => {
    const now = Date.parse('2026-11-22T16:00:00Z');
    expect(formatLeft('2026-11-22T16:14:59.200000Z', now)).toBe('15 m');
    expect(formatLeft('2026-11-22T16:00:11.000000Z', now)).toBe('11 s');
    expect(formatLeft('2026-11-22T15:59:00.000000Z', now)).toBe('0 s');
  });
});

describe('every time says its zone', () => {
  const at = '2026-11-22T16:40:11.204567Z';
  test('in full', () => {
    expect(formatTime(at, 'America/New_York')).toBe('22 Nov 2026, 11:40:11 New York');
    expect(formatTime(at, 'UTC', 'milli')).toBe('22 Nov 2026, 16:40:11.204 UTC');
    expect(formatTime(at, 'Asia/Kolkata', 'minute')).toBe('22 Nov 2026, 22:10 Kolkata');
  });
  test('short, without what is true of today in that zone', () => {
    const now = Date.parse('2026-11-22T20:00:00Z');
    expect(formatShortTime(at, 'UTC', now)).toBe('16:40:11 UTC');
    expect(formatShortTime(at, 'Pacific/Auckland', now)).toBe('05:40:11 Auckland');
    expect(formatShortTime('2026-11-21T08:00:00Z', 'UTC', now)).toBe('21 Nov, 08:00:00 UTC');
    expect(formatShortTime('2025-11-21T08:00:00Z', 'UTC', now)).toBe('21 Nov 2025, 08:00:00 UTC');
  });
  test('what is not a time stays as it was recorded', () => expect(formatTime('soon', 'UTC')).toBe('soon'));
  test('zone names', () => {
    expect(zoneName('Etc/UTC')).toBe('UTC');
    expect(zoneName('America/Argentina/Buenos_Aires')).toBe('Buenos Aires');
  });
  test('ago', () => {
    const now = Date.parse('2026-11-22T16:40:14Z');
    expect(formatAgo(at, now)).toBe('3 s ago');
    expect(formatAgo('2026-11-22T16:42:14Z', now)).toBe('in 2 min');
    expect(formatAgo('2026-11-18T16:42:14Z', now)).toBe('4 days ago');
  });
});

test('figures', () => {
  expect(formatCost(0)).toBe('');
  expect(formatCost(0.0042)).toBe('$0.0042');
  expect(formatCost(1204.5)).toBe('$1,204.50');
  expect(formatBytes(835)).toBe('835 B');
  expect(formatBytes(999_999)).toBe('1.0 MB');
  expect(formatBytes(41_200_000)).toBe('41 MB');
  expect(shortHash('0123456789abcdef0123456789abcdef')).toBe('01234567…cdef');
});
