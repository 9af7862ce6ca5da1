/**
 * What people type into the query box, and the meaning of a search: a record matches when it has every field, every word
 * and every phrase. `field:value` for the fields of search-index.ts, value in quotes where it has blanks; "words in
 * quotes" stand side by side in one text of the record; everything else is words. Order does not matter.
 */

import type { RecordView } from '../../core/api/views.ts';
import { recordWords, words } from '../../core/event/words.ts';
import { encodeTerm, FIELDS, type Field, type FieldValues, fieldsOf, fieldTerm } from './search-index.ts';

export type Query = {
  words: string[];
  /** Each at least two words. */
  phrases: string[][];
  fields: { field: Field; value: string }[];
};

/** A part of a query: field:"value", field:value, "phrase", or plain text up to the next blank. */
const PART = /(?:([a-z]+):)?"([^"]*)"?|([^\s"]+)/g;
const NAMED = /^([a-z]+):(.+)$/s;
const fields: ReadonlySet<string> = new Set(FIELDS);

export function parseQuery(text: string, given: FieldValues = {}): Query {
  const query: Query = { words: [], phrases: [], fields: [] };
  const found = new Set<string>();
  const addWords = (some: readonly string[]) => {
    for (const word of some) found.add(word);
  };
  for (const [, name, quoted, bare] of text.matchAll(PART)) {
    if (bare !== undefined) {
      const [, field, value] = NAMED.exec(bare) ?? [];
      if (field !== undefined && value !== undefined && fields.has(field)) {
        query.fields.push({ field: field as Field, value });
      } else {
        addWords(words(bare));
      }
    } else if (quoted !== undefined) {
      if (name !== undefined && fields.has(name)) {
        query.fields.push({ field: name as Field, value: quoted });
        continue;
      }
      if (name !== undefined) addWords(words(name));
      const phrase = words(quoted);
      addWords(phrase);
      if (phrase.length > 1) query.phrases.push(phrase);
    }
  }
  for (const [field, value] of Object.entries(given)) query.fields.push({ field: field as Field, value });
  query.words = [...found];
  return query;
}

export const isEmpty = (query: Query): boolean => query.words.length === 0 && query.fields.length === 0;

/** The query for FTS5. Phrases are not in it: their words are, and `hasPhrases` decides. */
export function matchText(query: Query): string {
  const terms = [
    ...query.words.map(encodeTerm),
    ...query.fields.map(({ field, value }) => fieldTerm(field, value)),
  ];
  return [...new Set(terms)].map(term => `"${term}"`).join(' AND ');
}

/** The meaning of a search; the index only finds the same faster. */
export function matchesQuery(record: RecordView, query: Query): boolean {
  if (query.fields.length > 0) {
    const values = fieldsOf(record);
    if (!query.fields.every(({ field, value }) => values[field] === value)) return false;
  }
  if (query.words.length > 0) {
    const found = recordWords(record);
    if (!query.words.every(word => found.has(word))) return false;
  }
  return hasPhrases(record, query);
}

export function hasPhrases(record: RecordView, query: Query): boolean {
  return query.phrases.every(phrase => holds(record, phrase));
}

/** Whether some text within the value has these words side by side. */
function holds(value: unknown, phrase: readonly string[]): boolean {
  if (typeof value === 'string') return sideBySide(words(value), phrase);
  if (Array.isArray(value)) return value.some(item => holds(item, phrase));
  if (typeof value === 'object' && value !== null)
    return Object.values(value).some(item => holds(item, phrase));
  return false;
}

function sideBySide(text: readonly string[], phrase: readonly string[]): boolean {
  for (let at = 0; at + phrase.length <= text.length; at++) {
    if (phrase.every((word, i) => text[at + i] === word)) return true;
  }
  return false;
}
