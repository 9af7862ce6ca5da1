/** Lines of a .jsonl file, however its bytes come: what stands before the first that cannot be read is given. */
import { expect, test } from 'vitest';
import { type LineError, lineBatches } from '../../core/pack/lines.ts';
import { utf8 } from '../../core/proof/bytes.ts';

async function read(bytes: Uint8Array, step: number): Promise<{ lines: string[]; stopped?: number }> {
  const chunks = async function* () {
    for (let at = 0; at < bytes.length; at += step) yield bytes.subarray(at, at + step);
  };
  const lines: string[] = [];
  try {
    for await (const batch of lineBatches(chunks(), 8)) lines.push(...batch);
    return { lines };
  } catch (error) {
    return { lines, stopped: (error as LineError).line };
  }
}

test.each([
  ['whole', utf8('a\nbb\n\nä漢\n'), { lines: ['a', 'bb', '', 'ä漢'] }],
  ['not UTF-8', Uint8Array.of(97, 10, 98, 10, 0xff, 10, 99, 10), { lines: ['a', 'b'], stopped: 3 }],
  ['not UTF-8 at once', Uint8Array.of(0xc3, 10, 99, 10), { lines: [], stopped: 1 }],
  ['too long', utf8('a\n123456789\nb\n'), { lines: ['a'], stopped: 2 }],
  ['too long in bytes alone', utf8('a\näöüäö\nb\n'), { lines: ['a'], stopped: 2 }],
  ['without an end', utf8('a\nb'), { lines: ['a'], stopped: 2 }],
])('%s', async (_name, bytes, expected) => {
  for (let step = 1; step <= bytes.length; step++) expect(await read(bytes, step)).toEqual(expected);
});
