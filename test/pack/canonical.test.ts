/** Comparing a line in place says the same as writing its JCS text anew. */
import { expect, test } from 'vitest';
import { canonicalPart } from '../../core/pack/canonical.ts';
import { type JsonObject, jcs } from '../../core/proof/jcs.ts';

const outside = new Set(['head', 'seal']);
const part = (line: string): string | undefined | false => {
  try {
    return canonicalPart(JSON.parse(line) as JsonObject, line, outside);
  } catch {
    return false;
  }
};
/** What the slow way says: false where the line is not canonical. */
const bySerialising = (line: string): string | undefined | false => {
  try {
    const value = JSON.parse(line) as JsonObject;
    if (jcs(value) !== line) return false;
    const body = Object.entries(value).filter(([name]) => !outside.has(name));
    return body.length === 0 ? undefined : jcs(Object.fromEntries(body));
  } catch {
    return false;
  }
};

test.each([
  '{}',
  '{"a":1}',
  '{"head":1,"seal":2}',
  '{"a":[],"b":{},"head":{"x":[1,{"y":null}]},"i":true,"seal":"s","z":"last"}',
  '{"head":"h","m":1,"n":2,"seal":3}',
  '{"10":1,"9":2,"a":3}',
  '{"__proto__":{"a":1},"b":2}',
  '{"a":"line\\nbreak \\"quoted\\" back\\\\slash \\u0001 €😀"}',
  '{"a\\"b":1}',
  '{"a":1e+30,"b":0.000001,"c":1e-7,"d":-5,"e":4.5}',
])('canonical: %s', line => {
  expect(bySerialising(line)).not.toBe(false);
  expect(part(line)).toBe(bySerialising(line));
});

test.each([
  '{"b":1,"a":2}',
  '{"9":1,"10":2}',
  '{"a":1,"a":1}',
  '{"a":1,"b":2,"a":1}',
  '{"a":"a\\"b","a":"a\\\\\\"b"}',
  '{"a": 1}',
  '{"a":1} ',
  ' {"a":1}',
  '{"a":1.0}',
  '{"a":-0}',
  '{"a":1e400}',
  '{"a":"\\u0041"}',
  '{"a":"\\/"}',
  '{"a":"\\ud800"}',
  '{"a":"\ud800"}',
  '{"\\u0061":1}',
  '{"a":{"c":1,"b":2}}',
  '{"a":[1,2 ]}',
  '{"a":[ ]}',
  `{"a":${'['.repeat(600)}${']'.repeat(600)}}`,
])('not canonical: %s', line => {
  expect(bySerialising(line)).toBe(false);
  expect(part(line)).toBe(false);
});

test('any change of any one character of a line is judged as by writing it anew', () => {
  const line = jcs({
    app_id: 'a',
    head: { n: -1.5, t: 'x\\y"z\n', u: [true, null, 'é😀'] },
    input: { '10': 0, '9': [{}, [], ''], name: 'step 1' },
    seal: 'AAAA',
    zero: 0,
  });
  expect(part(line)).toBe(bySerialising(line));
  let judged = 0;
  for (let at = 0; at <= line.length; at++) {
    for (const unit of [
      '',
      ' ',
      '"',
      '\\',
      ',',
      ':',
      '{',
      '}',
      '[',
      ']',
      '0',
      '-',
      'a',
      'é',
      '\ud800',
      '\n',
    ]) {
      for (const cut of [0, 1]) {
        const changed = line.slice(0, at) + unit + line.slice(at + cut);
        const expected = bySerialising(changed);
        if (part(changed) !== expected) expect({ changed, part: part(changed) }).toEqual({ expected });
        judged++;
      }
    }
  }
  expect(judged).toBeGreaterThan(4000);
});
