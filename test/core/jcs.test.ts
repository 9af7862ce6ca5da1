import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { JcsError, jcs, MAX_DEPTH } from '../../core/proof/jcs.ts';
import { vectors } from './host.ts';

const { cases } = vectors<{ cases: { case: string; input: string; output: string }[] }>('jcs');

/** RFC 8785, appendix B: IEEE 754 double as hex, and its text. */
const NUMBERS: [string, string][] = [
  ['0000000000000000', '0'],
  ['8000000000000000', '0'],
  ['0000000000000001', '5e-324'],
  ['8000000000000001', '-5e-324'],
  ['7fefffffffffffff', '1.7976931348623157e+308'],
  ['ffefffffffffffff', '-1.7976931348623157e+308'],
  ['4340000000000000', '9007199254740992'],
  ['c340000000000000', '-9007199254740992'],
  ['4430000000000000', '295147905179352830000'],
  ['44b52d02c7e14af5', '9.999999999999997e+22'],
  ['44b52d02c7e14af6', '1e+23'],
  ['44b52d02c7e14af7', '1.0000000000000001e+23'],
  ['444b1ae4d6e2ef4e', '999999999999999700000'],
  ['444b1ae4d6e2ef4f', '999999999999999900000'],
  ['444b1ae4d6e2ef50', '1e+21'],
  ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
  ['3eb0c6f7a0b5ed8d', '0.000001'],
  ['41b3de4355555553', '333333333.3333332'],
  ['41b3de4355555554', '333333333.33333325'],
  ['41b3de4355555555', '333333333.3333333'],
  ['41b3de4355555556', '333333333.3333334'],
  ['41b3de4355555557', '333333333.33333343'],
  ['becbf647612f3696', '-0.0000033333333333333333'],
  ['43143ff3c1cb0959', '1424953923781206.2'],
];

describe('jcs', () => {
  test.each(cases)('RFC 8785 vector: $case', ({ input, output }) => {
    expect(jcs(JSON.parse(input))).toBe(output);
  });

  test.each(NUMBERS)('RFC 8785 appendix B: %s', (bits, text) => {
    expect(jcs(Buffer.from(bits, 'hex').readDoubleBE())).toBe(text);
  });

  test('1E30 is written, although an event may not carry it', () => {
    expect(jcs(JSON.parse('[1E30]'))).toBe('[1e+30]');
  });

  test('is a fixed point, and its value is the value', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary' }), value => {
        const text = jcs(value);
        expect(jcs(JSON.parse(text))).toBe(text);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
      { numRuns: 500 },
    );
  });

  test('does not depend on the order in which members were added', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), object => {
        expect(jcs(Object.fromEntries(Object.entries(object).reverse()))).toBe(jcs(object));
      }),
    );
  });

  test('members sort by UTF-16 code unit, not by code point or number', () => {
    expect(jcs({ '\u{1f600}': 1, '\ufb33': 2, 10: 3, 9: 4, '': 5, __proto__x: 6 })).toBe(
      '{"":5,"10":3,"9":4,"__proto__x":6,"\u{1f600}":1,"\ufb33":2}',
    );
    expect(jcs(JSON.parse('{"__proto__":{"a":1},"a":2}'))).toBe('{"__proto__":{"a":1},"a":2}');
  });

  const refused: [string, unknown, string][] = [
    ['NaN', { a: [Number.NaN] }, '/a/0'],
    ['Infinity', { a: { 'b/c~d': Number.POSITIVE_INFINITY } }, '/a/b~1c~0d'],
    ['undefined member', { a: { b: 1 }, c: undefined }, '/c'],
    ['undefined item', [1, undefined], '/1'],
    ['hole in an array', Array(3), '/0'],
    ['function', { f: () => 1 }, '/f'],
    ['symbol', [Symbol('x')], '/0'],
    ['bigint', 1n, ''],
    ['Date', { at: new Date(0) }, '/at'],
    ['Map', new Map(), ''],
    ['bytes', { b: new Uint8Array(2) }, '/b'],
    ['boxed string', { s: Object('x') }, '/s'],
    ['class instance', { c: new (class A {})() }, '/c'],
    ['lone high surrogate', { s: 'a\ud800b' }, '/s'],
    ['lone low surrogate', ['\udc00'], '/0'],
    ['halves in the wrong order', ['\udc00\ud800'], '/0'],
    ['lone surrogate in a key', { k: { '\ud800': 1 } }, '/k/\ud800'],
  ];
  test.each(refused)('%s is refused with its place', (_, value, where) => {
    expect(() => jcs(value)).toThrow(JcsError);
    try {
      jcs(value);
    } catch (error) {
      expect((error as JcsError).where).toBe(where);
    }
  });

  test('a cycle or endless depth is an error, not a crash', () => {
    const cycle: unknown[] = [];
    cycle.push(cycle);
    expect(() => jcs(cycle)).toThrow(JcsError);
    const nest = (depth: number) => JSON.parse('['.repeat(depth) + ']'.repeat(depth));
    expect(jcs(nest(MAX_DEPTH))).toBe('['.repeat(MAX_DEPTH) + ']'.repeat(MAX_DEPTH));
    expect(() => jcs(nest(MAX_DEPTH + 1))).toThrow(JcsError);
  });

  test('an error leaves nothing behind for the next call', () => {
    expect(() => jcs({ a: { b: { c: undefined } } })).toThrow();
    expect(() => jcs({ z: undefined })).toThrow(expect.objectContaining({ where: '/z' }));
  });

  test('a plain object of another realm is plain', () => {
    expect(jcs(runInNewContext('({ b: [1, {}], a: Object.create(null) })'))).toBe('{"a":{},"b":[1,{}]}');
  });
});
