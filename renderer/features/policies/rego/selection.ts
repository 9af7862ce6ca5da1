/**
 * What is asked of OPA when a selection is evaluated: a query stands outside of every package, so rules and imports of the
 * selection's file are named in full. Pure. A selected rule, or its head, is its value.
 */
import type { Scanned } from './scan.ts';
import { symbolOf } from './symbols.ts';

/** `from`, `to`: offsets into `text`, the file's text as it was scanned. */
export function selectionQuery(
  files: readonly Scanned[],
  path: string,
  text: string,
  from: number,
  to: number,
): string {
  const file = files.find(one => one.path === path);
  if (file === undefined) return text.slice(from, to).trim();
  const inside = (at: number): boolean => from <= at && at < to;
  const rule = file.rules.find(({ nameAt }) => inside(file.tokens[nameAt]?.at ?? -1));
  const whole = (name: string): string => `data.${file.package}.${name}`;
  if (rule !== undefined) return whole(rule.name);
  let query = '';
  let done = from;
  for (const [n, token] of file.tokens.entries()) {
    if (token.kind !== 'name' || !inside(token.at) || token.at + token.text.length > to) continue;
    if (file.tokens[n - 1]?.text === '.') continue;
    const symbol = symbolOf(files, file, n);
    const named =
      symbol?.kind === 'rule'
        ? whole(symbol.name)
        : symbol?.kind === 'alias'
          ? symbol.target.join('.')
          : undefined;
    if (named === undefined) continue;
    query += text.slice(done, token.at) + named;
    done = token.at + token.text.length;
  }
  return (query + text.slice(done, to)).trim();
}
