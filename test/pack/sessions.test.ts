/** The table of sessions: every id has one number, what is shown of it stays, and memory is bounded. */
import { expect, test } from 'vitest';
import { sha256 } from '../../collector/sha256.ts';
import { Column, Sessions } from '../../core/pack/sessions.ts';

test('ids are numbered as they come, and again as they were', () => {
  const sessions = new Sessions(sha256);
  const ids = Array.from({ length: 5000 }, (_, n) => `session ${n} – ${'é😀'.repeat(n % 4)}`);
  expect(ids.map(id => sessions.numberOf(id))).toEqual(ids.map((_, n) => n));
  expect(ids.toReversed().map(id => sessions.numberOf(id))).toEqual(ids.map((_, n) => n).reverse());
  expect(sessions.size).toBe(ids.length);
  for (const n of [0, 1, 63, 64, 4999]) expect(sessions.textOf(n)).toBe(ids[n]);
});

test('ids whose digests begin alike are told apart', () => {
  const digests: Record<string, number> = { a: 1, b: 2, c: 3, d: 1 };
  const alike = (data: Uint8Array): Uint8Array => {
    const digest = new Uint8Array(32);
    digest[15] = digests[Buffer.from(data).toString()]!;
    return digest;
  };
  const sessions = new Sessions(alike);
  expect(['a', 'b', 'c', 'a', 'c', 'b'].map(id => sessions.numberOf(id))).toEqual([0, 1, 2, 0, 2, 1]);
  // The digest is the id: two texts with one digest would be one session.
  expect(sessions.numberOf('d')).toBe(0);
});

test('no more are followed than the most, and of an id no more is kept than is shown', () => {
  const sessions = new Sessions(sha256, 3);
  const long = 'x'.repeat(100_000);
  expect(['', long, `${long}y`, 'more', long].map(id => sessions.numberOf(id))).toEqual([
    0,
    1,
    2,
    undefined,
    1,
  ]);
  expect(sessions.textOf(0)).toBe('');
  expect(sessions.textOf(1)).toBe(`${'x'.repeat(119)}…`);
  expect(sessions.textOf(2)).toBe(sessions.textOf(1));
});

test('a column grows, and what was not set is 0', () => {
  const column = new Column(Uint32Array);
  expect(column.at(1_000_000)).toBe(0);
  column.set(70_000, 7);
  expect([column.at(70_000), column.at(69_999)]).toEqual([7, 0]);
});
