/**
 * What search finds: the one tokeniser of index, query and scan. A record matches when it has every term of the query.
 * Rules: text is decomposed (NFKD), marks are dropped, letters lowered, and everything that is neither letter nor
 * number separates; so a word holds only [a-z0-9] and letters and numbers beyond ASCII. Scripts written without
 * spaces give one word a character. A word beyond WORD_LIMIT code points is cut, in query and record alike.
 */
import { type FlatRecord, SEAL_MEMBERS } from '../proof/record.ts';

export const WORD_LIMIT = 64;

const WORD = /[\p{L}\p{N}]+/gu;
const MARKS = /\p{M}+/gu;
const ASCII = /^[\u0020-\u007e\s]*$/;
const ASCII_WORD = /[a-z0-9]+/g;
/** Scripts without spaces between words. Kana lose their voicing marks above, in query and record alike. */
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;

/** Words of a text in order, repeats included. */
export function words(text: string): string[] {
  const found: string[] = [];
  addWords(text, word => found.push(word));
  return found;
}

function addWords(text: string, add: (word: string) => void): void {
  if (ASCII.test(text)) {
    for (const word of text.toLowerCase().match(ASCII_WORD) ?? []) {
      add(word.length > WORD_LIMIT ? word.slice(0, WORD_LIMIT) : word);
    }
    return;
  }
  // Lowering can bring marks back and decomposing capitals: a second round settles both.
  const plain = text.normalize('NFKD').toLowerCase().normalize('NFKD').replace(MARKS, '');
  for (const run of plain.match(WORD) ?? []) {
    if (!UNSPACED.test(run)) {
      add(cut(run));
      continue;
    }
    let spaced = '';
    for (const character of run) {
      if (!UNSPACED.test(character)) {
        spaced += character;
        continue;
      }
      if (spaced !== '') add(cut(spaced));
      spaced = '';
      add(character);
    }
    if (spaced !== '') add(cut(spaced));
  }
}

function cut(word: string): string {
  return word.length > WORD_LIMIT ? [...word].slice(0, WORD_LIMIT).join('') : word;
}

/** Members whose text is noise that nobody searches for: random, or outside head and body. */
const UNSEARCHED: ReadonlySet<string> = new Set(['salt', ...SEAL_MEMBERS]);

/** The distinct words of head and body: every key, string and number, at every depth; not `salt`, not the seal. */
export function recordWords(record: FlatRecord | { readonly [member: string]: unknown }): Set<string> {
  const found = new Set<string>();
  const add = (word: string) => found.add(word);
  for (const [name, value] of Object.entries(record)) {
    if (UNSEARCHED.has(name)) continue;
    addWords(name, add);
    addValue(value, add);
  }
  return found;
}

function addValue(value: unknown, add: (word: string) => void): void {
  if (typeof value === 'string') addWords(value, add);
  else if (typeof value === 'number') addWords(String(value), add);
  else if (Array.isArray(value)) for (const item of value) addValue(item, add);
  else if (typeof value === 'object' && value !== null) {
    for (const [name, member] of Object.entries(value)) {
      addWords(name, add);
      addValue(member, add);
    }
  }
}

/** Distinct terms of a query, in order. Empty when it holds no word: then it is no search at all. */
export function queryTerms(query: string): string[] {
  return [...new Set(words(query))];
}

/** Whether the record has every term. This is the meaning of search; the index is only faster. */
export function matches(
  record: FlatRecord | { readonly [member: string]: unknown },
  terms: readonly string[],
): boolean {
  const found = recordWords(record);
  return terms.every(term => found.has(term));
}
