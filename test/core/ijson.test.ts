import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { IJsonError, type IJsonLimits, parseIJson } from '../../core/event/ijson.ts';
import { utf8 } from '../../core/proof/bytes.ts';
import { jcs } from '../../core/proof/jcs.ts';
import { vectors } from './host.ts';

const { cases } = vectors<{ cases: { case: string; expect: string; base64: string }[] }>('json-parsing');

const bytesOf = (text: string | number[]) => (typeof text === 'string' ? utf8(text) : Uint8Array.from(text));

function refusal(bytes: Uint8Array, limits?: IJsonLimits): { code: string; where: string; offset: number } {
  try {
    parseIJson(bytes, limits);
  } catch (error) {
    if (!(error instanceof IJsonError)) throw error;
    return { code: error.code, where: error.where ?? '', offset: error.offset };
  }
  return { code: 'none', where: '', offset: -1 };
}

/** Of the texts that RFC 8259 leaves open, what we refuse, and why. Everything else there is accepted. */
const EITHER: Record<string, string> = {
  'i_number_huge_exp.json': 'json_number',
  'i_number_pos_double_huge_exp.json': 'json_number',
  'i_number_too_big_neg_int.json': 'json_number',
  'i_number_too_big_pos_int.json': 'json_number',
  'i_string_1st_surrogate_but_2nd_missing.json': 'json_surrogate',
  'i_string_1st_valid_surrogate_2nd_invalid.json': 'json_surrogate',
  'i_string_UTF-16LE_with_BOM.json': 'json_utf8',
  'i_string_UTF-8_invalid_sequence.json': 'json_utf8',
  'i_string_incomplete_surrogate_and_escape_valid.json': 'json_surrogate',
  'i_string_invalid_lonely_surrogate.json': 'json_surrogate',
  'i_string_invalid_utf-8.json': 'json_utf8',
  'i_string_iso_latin_1.json': 'json_utf8',
  'i_string_lone_second_surrogate.json': 'json_surrogate',
  'i_string_overlong_sequence_6_bytes.json': 'json_utf8',
  'i_string_overlong_sequence_6_bytes_null.json': 'json_utf8',
  'i_string_truncated-utf-8.json': 'json_utf8',
  'i_string_utf16LE_no_BOM.json': 'json_invalid',
};
/** Texts that are JSON and that our I-JSON rules refuse all the same. */
const REFUSED: Record<string, string> = {
  'y_number_real_capital_e.json': 'json_number',
  'y_object_extreme_numbers.json': 'json_number',
};

describe('JSONTestSuite', () => {
  test.each(cases)('$case', ({ case: name, expect: wanted, base64 }) => {
    const bytes = new Uint8Array(Buffer.from(base64, 'base64'));
    const { code } = refusal(bytes);
    if (wanted === 'either') expect(code).toBe(EITHER[name]);
    else if (wanted === 'refuse') expect(code).toMatch(/^json_/);
    else expect(code).toBe(REFUSED[name] ?? 'none');
    if (code === 'none') expect(parseIJson(bytes)).toEqual(JSON.parse(Buffer.from(bytes).toString('utf8')));
  });
});

const refusals: [string, string | number[], string, string, number][] = [
  ['duplicate key', '{"a":1,"b":{"c":1,"c":2}}', 'json_duplicate_key', '/b/c', 18],
  ['duplicate key after unescaping', '{"a":1,"\\u0061":2}', 'json_duplicate_key', '/a', 7],
  ['duplicate __proto__', '{"__proto__":1,"__proto__":2}', 'json_duplicate_key', '/__proto__', 15],
  ['duplicate empty key', '{"":1,"":2}', 'json_duplicate_key', '/', 6],
  ['duplicate key beyond ASCII: offset in bytes', '{"é":"ü","é":2}', 'json_duplicate_key', '/é', 11],
  ['BOM', [0xef, 0xbb, 0xbf, 0x7b, 0x7d], 'json_bom', '', 0],
  ['UTF-16 BOM', [0xff, 0xfe, 0x7b, 0x00], 'json_utf8', '', 0],
  ['invalid byte', [0x7b, 0x22, 0x61, 0x22, 0x3a, 0x22, 0xff, 0x22, 0x7d], 'json_utf8', '/a', 6],
  ['overlong', [0x5b, 0x22, 0xc0, 0xaf, 0x22, 0x5d], 'json_utf8', '/0', 2],
  ['UTF-8 surrogate', [0x5b, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x5d], 'json_utf8', '/0', 2],
  ['cut character', [0x5b, 0x22, 0xe2, 0x82], 'json_utf8', '/0', 2],
  ['cut character before a quote', [0x5b, 0x22, 0xe2, 0x82, 0x22, 0x5d], 'json_utf8', '/0', 2],
  ['an earlier fault before invalid UTF-8', [0x5b, 0x2c, 0x22, 0xff], 'json_invalid', '/0', 1],
  ['lone high', '["\\ud800"]', 'json_surrogate', '/0', 2],
  ['lone low', '{"k":"x\\udc00"}', 'json_surrogate', '/k', 7],
  ['high then no low', '["\\ud800\\u0041"]', 'json_surrogate', '/0', 2],
  ['high then raw text', '["\\ud800x"]', 'json_surrogate', '/0', 2],
  ['lone surrogate in a key', '{"a":{"\\ud800":1}}', 'json_surrogate', '/a', 7],
  ['2^53', '{"n":[9007199254740992]}', 'json_number', '/n/0', 6],
  ['-2^53', '[-9007199254740992]', 'json_number', '/0', 1],
  ['2^53 with a point', '[9007199254740992.0]', 'json_number', '/0', 1],
  ['2^53+1 rounds to 2^53', '[9007199254740993]', 'json_number', '/0', 1],
  ['an integer by exponent', '[1e30]', 'json_number', '/0', 1],
  ['a double that is integral', '[4503599627370497.5e4]', 'json_number', '/0', 1],
  ['not finite', '[1e400]', 'json_number', '/0', 1],
  ['underflow to zero', '[1e-400]', 'json_number', '/0', 1],
  ['underflow to minus zero', '[-0.0001e-400]', 'json_number', '/0', 1],
  ['missing brace', '{"a":1', 'json_invalid', '/a', 6],
  ['comma before the end', '{"a":1,}', 'json_invalid', '', 7],
  ['plus', '[+1]', 'json_invalid', '/0', 1],
  ['leading zero', '[01]', 'json_invalid', '/0', 2],
  ['bare point', '[1.]', 'json_invalid', '/0', 3],
  ['NaN', '[NaN]', 'json_invalid', '/0', 1],
  ['control in a string', '{"a":"\n"}', 'json_invalid', '/a', 6],
  ['bad escape', '["\\x41"]', 'json_invalid', '/0', 2],
  ['short unicode escape', '["\\u00g1"]', 'json_invalid', '/0', 2],
  ['trailing text', '{} x', 'json_invalid', '', 3],
  ['empty', '', 'json_invalid', '', 0],
  ['no-break space', '\u00a0{}', 'json_invalid', '', 0],
];

describe('strict I-JSON', () => {
  test.each(refusals)('%s', (_, text, code, where, offset) => {
    expect(refusal(bytesOf(text))).toEqual({ code, where, offset });
  });

  test.each([
    ['2^53-1', '[9007199254740991]', [9007199254740991]],
    ['-(2^53-1)', '[-9007199254740991]', [-9007199254740991]],
    ['2^53-1 by exponent', '[9007199254740991.0e0]', [9007199254740991]],
    ['zeros', '[0,-0,0.0,0e9,0.000e-999]', [0, -0, 0, 0, 0]],
    ['the least double', '[5e-324]', [5e-324]],
    ['long fractions round', '[0.1000000000000000055511151231257827]', [0.1]],
    ['sixteen digits', '[1234567890123456]', [1234567890123456]],
    ['a pair of escapes', '["\\ud83d\\uDE02"]', ['😂']],
    ['every escape', '"\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000\\u00e9"', '"\\/\b\f\n\r\t\0é'],
    ['white space', ' \t\r\n{ "a" : [ 1 , 2 ] } ', { a: [1, 2] }],
    ['keys of Object.prototype', '{"constructor":1,"toString":2}', { constructor: 1, toString: 2 }],
  ])('accepts %s', (_, text, value) => {
    expect(parseIJson(utf8(text))).toEqual(value);
  });

  test('__proto__ is a member like any other and reaches no prototype', () => {
    const value = parseIJson(utf8('{"a":{"__proto__":{"polluted":true}}}')) as {
      a: { [name: string]: unknown };
    };
    expect(Object.keys(value.a)).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(value.a)).toBe(Object.prototype);
    expect(value.a.polluted).toBe(undefined);
    expect(jcs(value)).toBe('{"a":{"__proto__":{"polluted":true}}}');
  });

  test('depth: 64 from the event, two more only within a batch’s events', () => {
    const nest = (n: number) => '['.repeat(n) + ']'.repeat(n);
    expect(refusal(utf8(nest(64))).code).toBe('none');
    expect(refusal(utf8(nest(65)))).toEqual({ code: 'json_depth', where: '/0'.repeat(64), offset: 64 });
    const batch = (n: number) => utf8(`{"events":[{"input":${nest(n)}}]}`);
    expect(refusal(batch(63), { batch: true }).code).toBe('none');
    expect(refusal(batch(64), { batch: true }).code).toBe('json_depth');
    expect(refusal(batch(63)).code).toBe('json_depth');
    expect(refusal(utf8(`{"other":[${nest(63)}]}`), { batch: true }).code).toBe('json_depth');
    expect(refusal(utf8(nest(4)), { maxDepth: 3 }).code).toBe('json_depth');
    expect(refusal(utf8('['.repeat(1_000_000))).code).toBe('json_depth');
  });

  test('reads what JSON.parse reads, for any value and any spelling of it', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary' }), fc.constantFrom(0, 1, '\t'), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        const wanted: unknown = JSON.parse(text);
        fc.pre(!/\d{16}|e\+/.test(text));
        expect(parseIJson(utf8(text), { maxDepth: 1000 })).toEqual(wanted);
      }),
      { numRuns: 500 },
    );
  });

  test('whatever is broken, it accepts no more than JSON.parse does, and crashes never', () => {
    const pieces = fc.constantFrom(
      ...'{}[]",:\\0123eE+-.tfn u\n',
      'true',
      'null',
      '"a"',
      '\\u00',
      '\\ud8',
      'é',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 14 }), parts => {
        const text = parts.join('');
        const { code } = refusal(utf8(text));
        let json = true;
        try {
          JSON.parse(text);
        } catch {
          json = false;
        }
        if (!json) expect(code).not.toBe('none');
        else expect(['none', 'json_duplicate_key', 'json_number', 'json_surrogate']).toContain(code);
      }),
      { numRuns: 20_000 },
    );
  });

  test('any bytes at all: a value or an IJsonError, and invalid UTF-8 is placed exactly', () => {
    const decodes = (bytes: Uint8Array) => {
      try {
        return new TextDecoder('utf-8', { fatal: true }).decode(bytes) !== undefined;
      } catch {
        return false;
      }
    };
    const pieces = fc.constantFrom(
      ...[0x22, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc2, 0xdf, 0xe0],
    );
    const leads = fc.constantFrom(0xe2, 0xed, 0xee, 0xf0, 0xf1, 0xf4, 0xf5, 0xff);
    const some = fc.array(fc.oneof(pieces, leads, fc.nat({ max: 255 })), { maxLength: 12 });
    fc.assert(
      fc.property(some, inner => {
        const bytes = Uint8Array.from([0x22, ...inner, 0x22]);
        const { code, offset } = refusal(bytes);
        expect(offset).toBeLessThanOrEqual(bytes.length);
        if (code === 'json_utf8') expect(decodes(bytes.subarray(0, offset))).toBe(true);
        if (code === 'none' || code === 'json_utf8') expect(decodes(bytes)).toBe(code === 'none');
      }),
      { numRuns: 20_000 },
    );
  });

  test('a large body with one bad byte at its end is refused without delay', { timeout: 20_000 }, () => {
    const body = Buffer.alloc(16 * 1024 * 1024, 0x61);
    body[0] = 0x22;
    body[body.length - 1] = 0xff;
    expect(refusal(body)).toMatchObject({ code: 'json_utf8', offset: body.length - 1 });
  });

  test('an error carries no payload: a long key is cut in its pointer', () => {
    const { where } = refusal(utf8(`{"${'k'.repeat(100_000)}":[1,}`));
    expect(where).toMatch(/^\/k{255}…\/1$/);
  });
});
