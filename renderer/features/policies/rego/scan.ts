/**
 * Reads Rego as far as an editor needs it while someone types: tokens, the package, imports and where rules begin.
 * Pure, and forgiving: a text that does not compile still has names. The compiler's word is the toolchain's.
 */
export type TokenKind = 'name' | 'string' | 'number' | 'comment' | 'sign';
/** Offsets count UTF-16 code units from 0; rows and columns from 1. */
export type Token = { kind: TokenKind; text: string; at: number; row: number; col: number };

/** `first`, `last`: places in `tokens`. A rule reaches to the token before the next one. */
export type RuleText = {
  name: string;
  nameAt: number;
  first: number;
  last: number;
  row: number;
  endRow: number;
};
export type Import = { path: string[]; alias: string; token: number };
export type Scanned = {
  path: string;
  tokens: Token[];
  /** `trailmix.policies.refunds`; empty while there is none. */
  package: string;
  imports: Import[];
  rules: RuleText[];
};

const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const NUMBER = /\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const SIGN = /:=|==|!=|<=|>=|[^\s]/y;

/** Tokens of a text, comments included. Names inside a template string are tokens, its text pieces are strings. */
export function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  let row = 1;
  let line = 0;
  /** For each open template string: its closing sign, and how many braces are open inside it. */
  const templates: { close: string; braces: number }[] = [];
  const push = (kind: TokenKind, end: number): void => {
    const piece = text.slice(at, end);
    tokens.push({ kind, text: piece, at, row, col: at - line + 1 });
    for (let n = piece.indexOf('\n'); n !== -1; n = piece.indexOf('\n', n + 1)) {
      row++;
      line = at + n + 1;
    }
    at = end;
  };
  const match = (pattern: RegExp): number => {
    pattern.lastIndex = at;
    return pattern.test(text) ? pattern.lastIndex : at;
  };
  /** End of a string piece from `from`: behind its closing sign, or before the brace of a template. */
  const endOf = (from: number, close: string, template: boolean): { end: number; brace: boolean } => {
    for (let n = from; n < text.length; n++) {
      const sign = text[n];
      if (sign === '\\' && close === '"') n++;
      else if (sign === close) return { end: n + 1, brace: false };
      else if (template && sign === '{') return { end: n, brace: true };
      else if (sign === '\n' && close === '"') return { end: n, brace: false };
    }
    return { end: text.length, brace: false };
  };
  const string = (from: number, close: string, template: boolean): void => {
    const { end, brace } = endOf(from, close, template);
    push('string', end);
    if (brace) {
      templates.push({ close, braces: 0 });
      push('sign', at + 1);
    }
  };
  while (at < text.length) {
    const sign = text[at] as string;
    const open = templates.at(-1);
    if (sign === '\n') {
      at++;
      row++;
      line = at;
    } else if (sign === ' ' || sign === '\t' || sign === '\r') at++;
    else if (sign === '#') push('comment', (n => (n === -1 ? text.length : n))(text.indexOf('\n', at)));
    else if (sign === '"' || sign === '`') string(at + 1, sign, false);
    else if (sign === '$' && (text[at + 1] === '"' || text[at + 1] === '`'))
      string(at + 2, text[at + 1] as string, true);
    else if (open !== undefined && sign === '}' && open.braces === 0) {
      push('sign', at + 1);
      templates.pop();
      string(at, open.close, true);
    } else if (match(NAME) > at) push('name', match(NAME));
    else if (match(NUMBER) > at) push('number', match(NUMBER));
    else {
      if (open !== undefined && sign === '{') open.braces++;
      if (open !== undefined && sign === '}') open.braces--;
      push('sign', match(SIGN));
    }
  }
  return tokens;
}

/** The dotted path that begins at a token: `["data", "trailmix", "refunds"]`, with the place of its last token. */
export function pathAt(tokens: readonly Token[], first: number): { path: string[]; last: number } {
  const path = [tokens[first]?.text ?? ''];
  let last = first;
  for (;;) {
    const dot = tokens[last + 1];
    const next = tokens[last + 2];
    const joined = dot?.text === '.' && next?.kind === 'name' && next.at === dot.at + 1;
    if (!joined || dot.at !== endOf(tokens[last])) return { path, last };
    path.push(next.text);
    last += 2;
  }
}
const endOf = (token: Token | undefined): number => (token === undefined ? -1 : token.at + token.text.length);

export function scan(path: string, text: string): Scanned {
  const tokens = tokensOf(text);
  const scanned: Scanned = { path, tokens, package: '', imports: [], rules: [] };
  let row = 0;
  for (let n = 0; n < tokens.length; n++) {
    const token = tokens[n] as Token;
    const begins = token.row !== row;
    row = token.row;
    if (token.kind === 'comment') continue;
    // A name in the first column begins a statement even where a brace above is still open: someone is typing.
    if (token.kind === 'name' && begins && token.col === 1 && token.text !== 'else')
      n = statement(scanned, n);
  }
  for (const [n, rule] of scanned.rules.entries()) {
    const next = scanned.rules[n + 1]?.first ?? tokens.length;
    let last = next - 1;
    while (last > rule.first && tokens[last]?.kind === 'comment') last--;
    rule.last = last;
    const end = tokens[last] as Token;
    rule.endRow = end.row + end.text.split('\n').length - 1;
  }
  return scanned;
}

/** Notes the statement that begins at a token; answers where its head ends. */
function statement(scanned: Scanned, first: number): number {
  const { tokens } = scanned;
  const word = tokens[first] as Token;
  if (word.text === 'package') {
    const { path, last } = pathAt(tokens, first + 1);
    scanned.package = path.join('.');
    return last;
  }
  if (word.text === 'import') {
    const { path, last } = pathAt(tokens, first + 1);
    const as = tokens[last + 1]?.text === 'as' ? tokens[last + 2] : undefined;
    const token = as === undefined ? last : last + 2;
    scanned.imports.push({ path, alias: as?.text ?? path.at(-1) ?? '', token });
    return token;
  }
  const nameAt = word.text === 'default' ? first + 1 : first;
  const name = tokens[nameAt];
  if (name?.kind === 'name')
    scanned.rules.push({ name: name.text, nameAt, first, last: first, row: word.row, endRow: word.row });
  return nameAt;
}
