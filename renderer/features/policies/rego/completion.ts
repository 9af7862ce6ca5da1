/** What may be written next: keywords, functions, `input` paths, rules, imports, variables of the rule. Pure. */
import { builtins, keywords } from './builtins.ts';
import { pathAt, type Scanned } from './scan.ts';
import { variablesOf } from './symbols.ts';

/** A path of `input` as recorded decisions had it; `[_]` is any place of a list. */
export type InputPath = { path: string; types: Record<string, number>; count: number };
export type Offer = {
  kind: 'keyword' | 'function' | 'rule' | 'input' | 'package' | 'variable';
  label: string;
  insert: string;
  detail: string;
  about: string;
};

/** Members of the documented input, where nothing was recorded yet (docs/spec/policy-input.schema.json). */
export function schemaPaths(schema: unknown): InputPath[] {
  const found: InputPath[] = [];
  const walk = (node: unknown, path: string): void => {
    const { properties, items, type } = node as {
      properties?: Record<string, unknown>;
      items?: unknown;
      type?: string;
    };
    if (path !== 'input') found.push({ path, types: { [type ?? 'string']: 0 }, count: 0 });
    for (const [name, member] of Object.entries(properties ?? {})) walk(member, `${path}.${name}`);
    if (items !== undefined) walk(items, `${path}[_]`);
  };
  walk(schema, 'input');
  return found;
}

/** The dotted words that stand before a place: `input.payload.` -> `["input", "payload", ""]`. */
export function wordsBefore(line: string): string[] {
  const text = /[A-Za-z_][\w]*(?:\[[^\]]*\])?(?:\.[\w]*(?:\[[^\]]*\])?)*$/.exec(line)?.[0] ?? '';
  return text === '' ? [''] : text.split('.');
}

export function offersAt(given: {
  files: readonly Scanned[];
  path: string;
  row: number;
  /** The line up to the place. */
  line: string;
  inputPaths: readonly InputPath[];
}): Offer[] {
  const { files, path, row, line, inputPaths } = given;
  const file = files.find(one => one.path === path);
  const words = wordsBefore(line);
  const parents = words.slice(0, -1);
  if (/(^|\s)#/.test(line.replaceAll(/"(?:[^"\\]|\\.)*"/g, '""'))) return [];
  if (parents[0] === 'input') return membersOf(parents.join('.'), inputPaths);
  if (/^\s*import\s/.test(line)) return packages(files, parents);
  if (parents[0] === 'data')
    return [...packages(files, parents), ...rulesOf(files, parents.slice(1).join('.'))];
  if (parents.length > 0) {
    const alias = file?.imports.find(one => one.alias === parents[0]);
    if (alias !== undefined && parents.length === 1) return rulesOf(files, alias.path.slice(1).join('.'));
    const start = `${parents.join('.')}.`;
    return functions()
      .filter(({ label }) => label.startsWith(start))
      .map(one => ({ ...one, insert: one.label.slice(start.length) }));
  }
  const rule = file?.rules.find(one => one.row <= row && row <= one.endRow);
  const variables = file === undefined || rule === undefined ? [] : [...variablesOf(file, rule).keys()];
  return [
    ...variables.map(
      (label): Offer => ({
        kind: 'variable',
        label,
        insert: label,
        detail: 'variable of this rule',
        about: '',
      }),
    ),
    ...(file === undefined ? [] : rulesOf(files, file.package)),
    ...(file?.imports ?? []).map(
      (one): Offer => ({
        kind: 'package',
        label: one.alias,
        insert: one.alias,
        detail: one.path.join('.'),
        about: '',
      }),
    ),
    ...functions(),
    {
      kind: 'input',
      label: 'input',
      insert: 'input',
      detail: 'the call',
      about: 'What is asked to be decided.',
    },
    ...keywords.map((label): Offer => ({ kind: 'keyword', label, insert: label, detail: '', about: '' })),
  ];
}

const functions = (): Offer[] =>
  builtins.map(({ name, signature, about }) => ({
    kind: 'function',
    label: name,
    insert: name,
    detail: signature,
    about,
  }));

function membersOf(parent: string, paths: readonly InputPath[]): Offer[] {
  const known = parent.replaceAll(/\[[^\]]*\]/g, '[_]');
  const offers = new Map<string, Offer>();
  for (const { path, types, count } of paths) {
    if (!path.startsWith(`${known}.`)) continue;
    const label = path.slice(known.length + 1).split(/[.[]/)[0] as string;
    const own = path === `${known}.${label}`;
    if (offers.has(label) && !own) continue;
    const kinds = own ? Object.keys(types).join(' or ') : 'object';
    const about = count > 0 ? `In ${count} of the recorded decisions looked at.` : 'Of the documented input.';
    offers.set(label, { kind: 'input', label, insert: label, detail: kinds, about });
  }
  return [...offers.values()];
}

function rulesOf(files: readonly Scanned[], name: string): Offer[] {
  const offers = new Map<string, Offer>();
  for (const file of files.filter(one => one.package === name)) {
    for (const rule of file.rules) {
      const detail = `${file.path}:${rule.row}`;
      if (!offers.has(rule.name))
        offers.set(rule.name, {
          kind: 'rule',
          label: rule.name,
          insert: rule.name,
          detail,
          about: headOf(file, rule.nameAt),
        });
    }
  }
  return [...offers.values()];
}

/** The line on which a rule begins, for a hover. */
export function headOf(file: Scanned, nameAt: number): string {
  const { row } = file.tokens[nameAt] ?? { row: 0 };
  return file.tokens
    .filter(token => token.row === row)
    .map(({ text }) => text)
    .join(' ')
    .slice(0, 200);
}

function packages(files: readonly Scanned[], parents: readonly string[]): Offer[] {
  const start = parents.length === 0 ? '' : `${parents.join('.')}.`;
  const names = new Set(files.map(one => `data.${one.package}`));
  return [...names]
    .filter(name => name.startsWith(start) && name !== start)
    .map(name => ({
      kind: 'package',
      label: name,
      insert: name.slice(start.length),
      detail: 'package of this draft',
      about: '',
    }));
}

export { pathAt };
