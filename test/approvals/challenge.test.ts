import { describe, expect, test } from 'vitest';
import { answersChallenge, makeChallenge, sameValue } from '../../core/approval/challenge.ts';
import type { JsonObject } from '../../core/proof/jcs.ts';

const asked = (payload: JsonObject): string | undefined => makeChallenge('retype', payload).path;

describe('what is asked for', () => {
  test.each<[string, JsonObject, string | undefined]>([
    ['an amount before anything else', { iban: 'DE00', note: 'x', amount: 12_000 }, '/amount'],
    ['inside an object', { transfer: { recipient: 'Mara', totalPrice: 99 } }, '/transfer/totalPrice'],
    ['an account before a name', { name: 'Mara', iban: 'DE89370400440532013000' }, '/iban'],
    ['an e-mail address', { body: 'long text', to: 'mara@example.org' }, '/to'],
    ['a name before an id', { user_id: 'u-7', name: 'Mara' }, '/name'],
    ['an id', { flag: true, reservation_id: '4WQ150' }, '/reservation_id'],
    ['in a list', { items: [{ price: 5 }, { price: 6 }] }, '/items/0/price'],
    ['the only one there is', { args: ['prod-db-1'] }, '/args/0'],
    ['keys that need escaping', { 'a/b~c': { amount: 3 } }, '/a~1b~0c/amount'],
  ])('%s', (_, payload, path) => {
    expect(asked(payload)).toBe(path);
  });

  test.each<[string, JsonObject]>([
    ['a password', { password: 'hunter22' }],
    [
      'a token by name',
      { accessToken: 'abc', api_key: '1234', clientSecret: 's', otp: '123456', cvv: '123' },
    ],
    [
      'a token by its look',
      { args: ['sk-abcdefgh12345678', 'ghp_abcdefghij0123456789', `eyJ${'a'.repeat(12)}`] },
    ],
    ['a digest', { value: 'deadbeef'.repeat(4) }],
    ['a key without structure', { value: 'aB3dE5gH7jK9mN1pQ3sT5v' }],
    ['something long', { amount_text: 'x'.repeat(41) }],
    ['several lines, or signs that cannot be seen', { name: 'a\nb', id: 'a\u200bb' }],
    ['booleans, null and nothing', { a: true, b: null, c: {}, d: [], e: ' ' }],
  ])('never %s: the name of the action instead', (_, payload) => {
    const challenge = makeChallenge('question', payload);
    expect(challenge).toEqual({ kind: 'question', prompt: 'What is the name of the action?' });
    expect(answersChallenge(challenge, { action: 'send_wire', payload }, 'Send_Wire ')).toBe(true);
    expect(answersChallenge(challenge, { action: 'send_wire', payload }, 'send')).toBe(false);
  });

  test('words that only look like secrets are asked for', () => {
    expect(asked({ passengers: [{ name: 'Mara' }] })).toBe('/passengers/0/name');
    expect(asked({ compass_no: 7 })).toBe('/compass_no');
  });

  test('the same arguments give the same challenge, in whatever order', () => {
    expect(makeChallenge('retype', { b: 1, a: 2 })).toEqual(makeChallenge('retype', { a: 2, b: 1 }));
  });

  test('prompts say where the value stands', () => {
    const { prompt } = makeChallenge('question', { transfer: { lines: [{ totalAmount: 5 }] } });
    expect(prompt).toBe('What is the total amount of item 1 of lines?');
    expect(makeChallenge('confirm', { amount: 5 })).toEqual({ kind: 'confirm' });
  });

  test('arguments too many to look at do not hang', { timeout: 20_000 }, () => {
    const payload = { rows: Array.from({ length: 100_000 }, (_, i) => ({ note: `n ${i}` })) };
    expect(asked(payload)).toBe('/rows/0/note');
  });
});

describe('answers', () => {
  test.each<[string | number, string]>([
    [12_000, '12000'],
    [12_000, ' 12,000 '],
    [12_000, '12.000'],
    [12_000, '12 000'],
    [12_000, '12\u202f000'],
    [12_000, "12'000"],
    [12_000, '12.000,00'],
    [12_000, '12,000.00'],
    [12_000, '€ 12,000'],
    [12_000, '12000 EUR'],
    [12_000, '１２０００'],
    [-5, '-5'],
    [-5, '−5'],
    [0.5, '0,5'],
    [0.5, '.5'],
    [1e21, '1e21'],
    ['12,000.50', '12000.5'],
    ['Mara  Müller', 'mara müller'],
    ['DE89 3704 0044', 'de8937040044'],
    ['4WQ150', '4wq150'],
    ['mara@example.org', ' Mara@Example.org '],
  ])('%s by %j', (expected, answer) => {
    expect(sameValue(expected, answer)).toBe(true);
  });

  test.each<[string | number, string]>([
    [12_000, ''],
    [12_000, '1200'],
    [12_000, '120000'],
    [12_000, '12000x'],
    [12_000, '-12000'],
    [12_000, '12,00'],
    [0, ''],
    [0, 'zero'],
    [1234.5, '12345'],
    ['DE00', 'DE01'],
    ['Mara', 'Mar'],
    ['0012', '12'],
    ['12345678901234567', '12345678901234568'],
    ['4WQ150', '4WQ15'],
  ])('%s not by %j', (expected, answer) => {
    expect(sameValue(expected, answer)).toBe(false);
  });
});
