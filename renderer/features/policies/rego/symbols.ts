/**
 * What a name in a draft means, where it is defined and used, within the files of the draft. Pure. A rule is one symbol
 * over all files of its package; a variable is one symbol inside its rule; an import's alias is one inside its file.
 */

import { builtinOf, keywords } from './builtins.ts';
import { type Import, pathAt, type RuleText, type Scanned, type Token } from './scan.ts';

export type Place = { path: string; row: number; col: number; endCol: number };
export type Symbol =
  | { kind: 'rule'; package: string; name: string }
  | { kind: 'variable'; path: string; rule: number; name: string }
  | { kind: 'alias'; path: string; name: string; target: string[] }
  | { kind: 'package'; package: string }
  | { kind: 'builtin'; name: string }
  | { kind: 'input'; path: string[] };

const placeOf = (path: string, token: Token): Place => ({
  path,
  row: token.row,
  col: token.col,
  endCol: token.col + token.text.length,
});

/** The token that a place is in or just behind. */
export function tokenAt(file: Scanned, row: number, col: number): number {
  return file.tokens.findIndex(
    ({ kind, row: at, col: from, text }) =>
      kind === 'name' && at === row && from <= col && col <= from + text.length,
  );
}

/** First token of the dotted path that a token is part of. */
function headOf(tokens: readonly Token[], token: number): number {
  let first = token;
  while (
    tokens[first - 1]?.text === '.' &&
    tokens[first - 2]?.kind === 'name' &&
    (tokens[first - 1] as Token).at + 1 === tokens[first]?.at
  )
    first -= 2;
  // `).name`, `].name`: a member of a value, no name of its own.
  return tokens[first - 1]?.text === '.' ? -1 : first;
}

const ruleAt = (file: Scanned, token: number): number =>
  file.rules.findIndex(({ first, last }) => first <= token && token <= last);

/** Names that a rule gives to values: `:=`, `some`, `every`, and the arguments of its head. */
export function variablesOf(file: Scanned, rule: RuleText): Map<string, number> {
  const found = new Map<string, number>();
  const { tokens } = file;
  const note = (n: number): void => {
    const token = tokens[n];
    if (token?.kind !== 'name' || token.text === '_' || keywords.includes(token.text)) return;
    if (tokens[n - 1]?.text !== '.' && !found.has(token.text)) found.set(token.text, n);
  };
  // Arguments: `f(a, b) := ...`, at once behind the name.
  if (tokens[rule.nameAt + 1]?.text === '(') {
    for (let n = rule.nameAt + 2, depth = 1; n <= rule.last && depth > 0; n++) {
      const text = tokens[n]?.text ?? '';
      if (text === '(' || text === '[' || text === '{') depth++;
      else if (text === ')' || text === ']' || text === '}') depth--;
      else note(n);
    }
  }
  for (let n = rule.nameAt + 1; n <= rule.last; n++) {
    const { text = '', row = 0 } = tokens[n] ?? {};
    if (text === ':=') {
      // `x := 1` and `[a, b] := list`; the head's own `:=` gives the rule its value.
      for (
        let k = n - 1;
        k > rule.nameAt && tokens[k]?.row === row && /^[\w,[\]]+$/.test(tokens[k]?.text ?? '');
        k--
      )
        note(k);
    }
    if (text === 'some' || text === 'every') {
      for (let k = n + 1; k <= rule.last && tokens[k]?.text !== 'in' && tokens[k]?.row === row; k++) note(k);
    }
  }
  return found;
}

export function symbolAt(
  files: readonly Scanned[],
  path: string,
  row: number,
  col: number,
): Symbol | undefined {
  const file = files.find(one => one.path === path);
  if (file === undefined) return undefined;
  const token = tokenAt(file, row, col);
  return token === -1 ? undefined : symbolOf(files, file, token);
}

export function symbolOf(files: readonly Scanned[], file: Scanned, token: number): Symbol | undefined {
  const { tokens } = file;
  const first = headOf(tokens, token);
  if (first === -1) return undefined;
  const head = tokens[first] as Token;
  const { path } = pathAt(tokens, first);
  const depth = (token - first) / 2;
  const upTo = path.slice(0, depth + 1);
  const builtin = builtinOf(upTo.join('.')) ?? builtinOf(path.join('.'));
  const called = tokens[pathAt(tokens, first).last + 1]?.text === '(';
  if (head.text === 'input') return { kind: 'input', path: upTo };
  if (head.text === 'data') return dataSymbol(files, upTo.slice(1));
  const imported = file.imports.find(one => one.alias === head.text);
  const ownRule = ruleAt(file, token);
  const rule = file.rules[ownRule];
  if (rule !== undefined && depth === 0 && token !== rule.nameAt && variablesOf(file, rule).has(head.text))
    return { kind: 'variable', path: file.path, rule: ownRule, name: head.text };
  if (imported !== undefined) {
    if (imported.path[0] !== 'data') return undefined;
    if (depth === 0) return { kind: 'alias', path: file.path, name: head.text, target: imported.path };
    return dataSymbol(files, [...imported.path.slice(1), ...upTo.slice(1)]);
  }
  const isRule = files.some(
    one => one.package === file.package && one.rules.some(({ name }) => name === head.text),
  );
  if (isRule && depth === 0) return { kind: 'rule', package: file.package, name: head.text };
  if (builtin !== undefined && called) return { kind: 'builtin', name: builtin.name };
  return undefined;
}

/** A path under `data`: a package, or a rule of one. */
function dataSymbol(files: readonly Scanned[], path: string[]): Symbol | undefined {
  const dotted = path.join('.');
  if (files.some(one => one.package === dotted)) return { kind: 'package', package: dotted };
  const parent = path.slice(0, -1).join('.');
  const name = path.at(-1) ?? '';
  const there = files.some(one => one.package === parent && one.rules.some(rule => rule.name === name));
  return there ? { kind: 'rule', package: parent, name } : undefined;
}

const same = (a: Symbol | undefined, b: Symbol): boolean => JSON.stringify(a) === JSON.stringify(b);

export function definitionsOf(files: readonly Scanned[], symbol: Symbol): Place[] {
  if (symbol.kind === 'rule')
    return files
      .filter(one => one.package === symbol.package)
      .flatMap(one =>
        one.rules
          .filter(rule => rule.name === symbol.name)
          .map(rule => placeOf(one.path, one.tokens[rule.nameAt] as Token)),
      );
  if (symbol.kind === 'variable') {
    const file = files.find(one => one.path === symbol.path);
    const rule = file?.rules[symbol.rule];
    const token = file && rule && variablesOf(file, rule).get(symbol.name);
    return file && token !== undefined ? [placeOf(file.path, file.tokens[token] as Token)] : [];
  }
  if (symbol.kind === 'alias') {
    const target = dataSymbol(files, symbol.target.slice(1));
    return target === undefined ? [] : definitionsOf(files, target);
  }
  if (symbol.kind === 'package')
    return files
      .filter(one => one.package === symbol.package)
      .map(one => ({
        path: one.path,
        row: one.tokens.find(({ text }) => text === 'package')?.row ?? 1,
        col: 1,
        endCol: 8,
      }));
  return [];
}

/** Every use of a symbol, its definitions included, in the order of files and rows. */
export function referencesOf(files: readonly Scanned[], symbol: Symbol): Place[] {
  const word = 'name' in symbol ? symbol.name : undefined;
  if (word === undefined || symbol.kind === 'builtin') return definitionsOf(files, symbol);
  return files.flatMap(file =>
    file.tokens.flatMap((token, n) =>
      token.kind === 'name' && token.text === word && same(symbolOf(files, file, n), symbol)
        ? [placeOf(file.path, token)]
        : [],
    ),
  );
}

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Why a symbol cannot be called so; undefined where it can. */
export function renameFault(files: readonly Scanned[], symbol: Symbol, to: string): string | undefined {
  if (symbol.kind !== 'rule' && symbol.kind !== 'variable')
    return 'Only rules of this draft and variables of a rule can be renamed here.';
  if (!NAME.test(to)) return 'A name has letters, digits and _, and does not begin with a digit.';
  if (keywords.includes(to) || to === 'input' || to === 'data') return `${to} has a meaning in Rego.`;
  if (builtinOf(to) !== undefined) return `${to} is a function.`;
  const taken =
    symbol.kind === 'rule'
      ? files.some(one => one.package === symbol.package && one.rules.some(({ name }) => name === to))
      : files.some(one => {
          const rule = one.path === symbol.path ? one.rules[symbol.rule] : undefined;
          return rule !== undefined && variablesOf(one, rule).has(to);
        });
  return taken ? `${to} is already there.` : undefined;
}

export type { Import };
