import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  BytesError,
  base64,
  compareBytes,
  concat,
  equalBytes,
  fromBase64,
  fromHex,
  fromUtf8,
  hex,
  utf8,
  utf8Length,
} from '../../core/proof/bytes.ts';

const bytes = fc.uint8Array({ maxLength: 200 });

describe('bytes', () => {
  test('hex and base64 are those of Node, both ways', () => {
    fc.assert(
      fc.property(bytes, data => {
        expect(hex(data)).toBe(Buffer.from(data).toString('hex'));
        expect(base64(data)).toBe(Buffer.from(data).toString('base64'));
        expect(fromHex(hex(data))).toEqual(data);
        expect(fromBase64(base64(data))).toEqual(data);
      }),
    );
  });

  test.each(['A', 'AB', 'abc', '0g', 'AA', '0x00', ' 00', '00 ', '00\n'])('hex %j is refused', text => {
    expect(() => fromHex(text)).toThrow(BytesError);
  });

  test.each([
    'A',
    'AA',
    'AAA',
    'A===',
    'AA=',
    'AB==',
    'AAB=',
    'AA==AA==',
    'A-_=',
    'AA==\n',
    'AA AA',
    '====',
    'A=AA',
  ])('base64 %j is refused', text => {
    expect(() => fromBase64(text)).toThrow(BytesError);
  });

  test('every base64 text is refused or is the one spelling of its bytes', () => {
    const letters = fc.constantFrom(...'AZaz09+/=-_ B');
    fc.assert(
      fc.property(fc.string({ unit: letters, maxLength: 9 }), text => {
        let decoded: Uint8Array;
        try {
          decoded = fromBase64(text);
        } catch (error) {
          expect(error).toBeInstanceOf(BytesError);
          return;
        }
        expect(base64(decoded)).toBe(text);
      }),
      { numRuns: 2000 },
    );
  });

  test('UTF-8 round trip and length; invalid UTF-8 is refused, a BOM is kept', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), text => {
        expect(fromUtf8(utf8(text))).toBe(text);
        expect(utf8Length(text)).toBe(utf8(text).length);
      }),
    );
    expect(fromUtf8(Uint8Array.of(0xef, 0xbb, 0xbf, 0x41))).toBe('\ufeffA');
    for (const bad of [[0x80], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x82]]) {
      expect(() => fromUtf8(Uint8Array.from(bad))).toThrow(BytesError);
    }
  });

  test('compare and equal agree with Buffer', () => {
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        expect(Math.sign(compareBytes(a, b))).toBe(Buffer.compare(a, b));
        expect(equalBytes(a, b)).toBe(Buffer.compare(a, b) === 0);
        expect(concat(a, b)).toEqual(new Uint8Array(Buffer.concat([a, b])));
      }),
    );
  });
});
