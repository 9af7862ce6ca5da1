/**
 * Whether a line is in the one form that JCS (RFC 8785) gives its value: compared in place, piece by piece, so that no
 * second text of the line is made. Accepts exactly the lines for which `jcs(JSON.parse(line)) === line`.
 */
import { isPlain, type JsonObject, jcsString, MAX_DEPTH } from '../proof/jcs.ts';

const QUOTE = 0x22;

/** The line is not canonical. */
export class NotCanonical extends Error {
  override name = 'NotCanonical';
}

/**
 * Text of the members of `value` for which `outside` is false, as an object; undefined where there is none. `value` is
 * what JSON.parse gave for `line`, an object. Throws NotCanonical, and JcsError for what JCS cannot write.
 */
export function canonicalPart(
  value: JsonObject,
  line: string,
  outside: ReadonlySet<string>,
): string | undefined {
  // Bytes that were decoded are well-formed; a text from elsewhere may hold half a surrogate pair.
  if (!line.isWellFormed()) throw new NotCanonical('lone surrogate');
  let part = '';
  let from = -1;
  let at = 0;
  for (const name of namesOf(value)) {
    const begins = at + 1;
    if (outside.has(name) && from >= 0) {
      part += (part === '' ? '' : ',') + line.slice(from, at);
      from = -1;
    } else if (!outside.has(name) && from < 0) from = begins;
    at = memberEnd(name, value[name], line, at, at === 0, 1);
  }
  if (at === 0) at = expect(line, 0, '{');
  if (from >= 0) part += (part === '' ? '' : ',') + line.slice(from, at);
  if (expect(line, at, '}') !== line.length) throw new NotCanonical('text after the object');
  return part === '' ? undefined : `{${part}}`;
}

/** Each function answers where its piece ends that begins at `at`. */
function expect(line: string, at: number, mark: '{' | '}' | '[' | ']' | ',' | ':'): number {
  if (line.charCodeAt(at) !== mark.charCodeAt(0)) throw new NotCanonical('another form');
  return at + 1;
}

function namesOf(value: JsonObject): string[] {
  const names = Object.keys(value);
  for (let i = 1; i < names.length; i++) if (names[i - 1]! > names[i]!) return names.sort();
  return names;
}

function memberEnd(
  name: string,
  value: unknown,
  line: string,
  at: number,
  first: boolean,
  depth: number,
): number {
  const named = stringEnd(name, line, expect(line, at, first ? '{' : ','));
  return valueEnd(value, line, expect(line, named, ':'), depth);
}

function valueEnd(value: unknown, line: string, at: number, depth: number): number {
  if (typeof value === 'string') return stringEnd(value, line, at);
  if (typeof value !== 'object' || value === null) return textEnd(String(value), line, at);
  if (depth >= MAX_DEPTH || !(Array.isArray(value) || isPlain(value))) throw new NotCanonical('too deep');
  let end = at;
  if (Array.isArray(value)) {
    if (value.length === 0) return textEnd('[]', line, at);
    for (const item of value)
      end = valueEnd(item, line, expect(line, end, end === at ? '[' : ','), depth + 1);
    return expect(line, end, ']');
  }
  for (const name of namesOf(value as JsonObject)) {
    end = memberEnd(name, (value as JsonObject)[name], line, end, end === at, depth + 1);
  }
  return end === at ? textEnd('{}', line, at) : expect(line, end, '}');
}

function textEnd(text: string, line: string, at: number): number {
  if (!line.startsWith(text, at)) throw new NotCanonical('another form');
  return at + text.length;
}

/**
 * A string that stands in the line as it is, between quotes, has nothing to escape: the line was parsed, so a quote or a
 * backslash in it would have ended the string there or made it shorter than its text.
 */
function stringEnd(text: string, line: string, at: number): number {
  const end = at + text.length + 1;
  if (line.charCodeAt(at) === QUOTE && line.charCodeAt(end) === QUOTE && line.startsWith(text, at + 1))
    return end + 1;
  return textEnd(jcsString(text), line, at);
}
