/** The pure parts of the workbench: reading Rego while it is typed, drafts, differences, tests made from decisions, flip tables. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { openZip } from '../../core/pack/zip.ts';
import { policyInputSchema } from '../../core/policy/input_schema.ts';
import { imported, pathFault, readDraft, sizeFault } from '../../renderer/features/policies/drafts.ts';
import { zipOf } from '../../renderer/features/policies/folder_files.ts';
import { buildFlipTable, cellOf, skippedOf } from '../../renderer/features/policies/impact_view.ts';
import { fileChanges, lineChanges } from '../../renderer/features/policies/line_diff.ts';
import { regoOf, withTest } from '../../renderer/features/policies/make_test.ts';
import { readPoliciesSearch } from '../../renderer/features/policies/policies_search.ts';
import { builtins } from '../../renderer/features/policies/rego/builtins.ts';
import { offersAt, schemaPaths } from '../../renderer/features/policies/rego/completion.ts';
import { scan, tokensOf } from '../../renderer/features/policies/rego/scan.ts';
import { selectionQuery } from '../../renderer/features/policies/rego/selection.ts';
import {
  definitionsOf,
  type Symbol as RegoSymbol,
  referencesOf,
  renameFault,
  symbolAt,
} from '../../renderer/features/policies/rego/symbols.ts';
import { canActivate } from '../../renderer/features/policies/sets_view.ts';
import { buildTraceTree, traceRows } from '../../renderer/features/policies/trace_tree.ts';

const rules = `# A comment with deny in it
package trailmix

import data.trailmix.lib.amount as sum

limit := 500

# METADATA
# title: Above
deny contains $"refund of {sum.value} > {limit}" if {
	input.action == "issue_refund"
	some item in input.payload.items
	item.price > limit
	total := item.price + limit
	total > 5
}

large(limit) if limit > 3

allowed if {
	not deny
} else if {
	large(input.payload.amount)
}
`;
const amount = `package trailmix.lib.amount

value := object.get(input, ["payload", "amount"], null)
`;
const files = [scan('rules.rego', rules), scan('lib/amount.rego', amount)];
const at = (row: number, text: string, nth = 0): RegoSymbol | undefined => {
  const line = rules.split('\n')[row - 1] as string;
  let col = -1;
  for (let n = 0; n <= nth; n++) col = line.indexOf(text, col + 1);
  return symbolAt(files, 'rules.rego', row, col + 2);
};

test('a text is read as tokens, rules and imports; names inside a template string count', () => {
  const [file] = files;
  expect(file!.package).toBe('trailmix');
  expect(file!.imports).toMatchObject([{ path: ['data', 'trailmix', 'lib', 'amount'], alias: 'sum' }]);
  expect(file!.rules.map(({ name, row, endRow }) => [name, row, endRow])).toEqual([
    ['limit', 6, 6],
    ['deny', 10, 16],
    ['large', 18, 18],
    ['allowed', 20, 24],
  ]);
  expect(tokensOf('$"a {b} c {f("x}")}"').map(({ kind, text }) => [kind, text])).toEqual([
    ['string', '$"a '],
    ['sign', '{'],
    ['name', 'b'],
    ['sign', '}'],
    ['string', ' c '],
    ['sign', '{'],
    ['name', 'f'],
    ['sign', '('],
    ['string', '"x}"'],
    ['sign', ')'],
    ['sign', '}'],
    ['string', '"'],
  ]);
  // While someone types: an open string ends with its line, an open brace swallows no rule.
  expect(
    scan('x.rego', 'package a\n\nb := "open\n\nc if {\n\nd := 1\n').rules.map(({ name }) => name),
  ).toEqual(['b', 'c', 'd']);
});

test('tokens cover the text: nothing but white space between them', () => {
  for (const text of [rules, amount, 'x := `raw\n{` + $`a {b}`\n', '"\\""', '$"{']) {
    let end = 0;
    for (const token of tokensOf(text)) {
      expect(text.slice(end, token.at).trim()).toBe('');
      expect(text.slice(token.at, token.at + token.text.length)).toBe(token.text);
      expect(text.slice(0, token.at).split('\n').length).toBe(token.row);
      end = token.at + token.text.length;
    }
    expect(text.slice(end).trim()).toBe('');
  }
});

test('a name is a rule, a variable of its rule, an import, a path of the input or a function', () => {
  expect(at(6, 'limit')).toEqual({ kind: 'rule', package: 'trailmix', name: 'limit' });
  expect(at(10, 'limit')).toEqual({ kind: 'rule', package: 'trailmix', name: 'limit' });
  expect(at(18, 'limit')).toMatchObject({ kind: 'variable', name: 'limit' });
  expect(at(13, 'item')).toMatchObject({ kind: 'variable', name: 'item' });
  expect(at(10, 'sum')).toMatchObject({ kind: 'alias' });
  expect(at(10, 'value')).toEqual({ kind: 'rule', package: 'trailmix.lib.amount', name: 'value' });
  expect(at(12, 'items')).toEqual({ kind: 'input', path: ['input', 'payload', 'items'] });
  expect(symbolAt(files, 'lib/amount.rego', 3, 12)).toEqual({ kind: 'builtin', name: 'object.get' });
  // A member of a value is no name of its own.
  expect(at(13, 'price')).toBeUndefined();
});

test('definition, references and rename follow the meaning, not the word', () => {
  const limit = at(6, 'limit')!;
  expect(definitionsOf(files, limit)).toEqual([{ path: 'rules.rego', row: 6, col: 1, endCol: 6 }]);
  expect(referencesOf(files, limit).map(({ row }) => row)).toEqual([6, 10, 13, 14]);
  const argument = at(18, 'limit')!;
  expect(referencesOf(files, argument).map(({ row }) => row)).toEqual([18, 18]);
  expect(definitionsOf(files, at(10, 'value')!)).toMatchObject([{ path: 'lib/amount.rego', row: 3 }]);
  expect(definitionsOf(files, at(10, 'sum')!)).toMatchObject([{ path: 'lib/amount.rego', row: 1 }]);
  expect(renameFault(files, limit, 'ceiling')).toBeUndefined();
  expect(renameFault(files, limit, 'deny')).toContain('already');
  expect(renameFault(files, limit, 'input')).toContain('meaning');
  expect(renameFault(files, limit, '2x')).toContain('digit');
  expect(renameFault(files, at(12, 'items')!, 'x')).toContain('Only rules');
});

test('completion offers what may stand there', () => {
  const paths = [
    { path: 'input.payload', types: { object: 3 }, count: 3 },
    { path: 'input.payload.amount', types: { number: 3 }, count: 3 },
    { path: 'input.payload.items[_].price', types: { number: 2 }, count: 2 },
    ...schemaPaths(policyInputSchema),
  ];
  const labels = (line: string, row = 13) =>
    offersAt({ files, path: 'rules.rego', row, line, inputPaths: paths }).map(({ label }) => label);
  expect(labels('\tinput.payload.')).toEqual(['amount', 'items']);
  expect(labels('\tinput.payload.items[0].')).toEqual(['price']);
  expect(labels('\tinput.')).toEqual(expect.arrayContaining(['action', 'payload', 'session', 'now']));
  expect(labels('\t')).toEqual(expect.arrayContaining(['item', 'total', 'limit', 'sum', 'count', 'some']));
  expect(labels('\t', 18)).not.toContain('item');
  expect(labels('\tsum.')).toEqual(['value']);
  expect(labels('\tobject.')).toEqual(expect.arrayContaining(['object.get']));
  expect(labels('import ')).toEqual(['data.trailmix', 'data.trailmix.lib.amount']);
  expect(labels('\t# inp')).toEqual([]);
});

test('the functions offered are those that a policy may call', () => {
  const { builtins: known } = JSON.parse(readFileSync('policies/capabilities.json', 'utf8')) as {
    builtins: { name: string; infix?: string; decl: { args?: unknown[] } }[];
  };
  const named = known.filter(
    ({ name, infix }) =>
      infix === undefined && !name.startsWith('internal.') && !['and', 'or'].includes(name),
  );
  expect(builtins.map(({ name }) => name).sort()).toEqual(named.map(({ name }) => name).sort());
  for (const { name, decl } of named) {
    if (name === 'print') continue;
    const { signature } = builtins.find(one => one.name === name)!;
    expect([name, signature.split(': ').length - 1]).toEqual([name, decl.args?.length ?? 0]);
  }
});

test('a draft takes what can be part of a set, and says what it left out', () => {
  const given = [
    { path: 'mine/rules.rego', text: 'package a\n' },
    { path: 'mine/lib/x.rego', text: 'package b\n' },
    { path: 'mine/data.json', text: '{}' },
    { path: 'mine/other/data.json', text: '{}' },
    { path: 'mine/a b.rego', text: '' },
  ];
  expect(imported(given)).toEqual({
    files: [given[2], given[1], given[0]].map(file => ({ ...file!, path: file!.path.slice(5) })),
    skipped: ['other/data.json', 'a b.rego'],
  });
  expect(pathFault([], '../x.rego')).toBeDefined();
  expect(pathFault([], 'x.txt')).toBeDefined();
  expect(pathFault([{ path: 'x.rego', text: '' }], 'x.rego')).toContain('already');
  expect(sizeFault([{ path: 'x.rego', text: 'x'.repeat(262_145) }])).toContain('x.rego');
  expect(readDraft('{"id":1}')).toBeUndefined();
  expect(readDraft('no')).toBeUndefined();
});

test('an export is a zip that our own reader reads', async () => {
  const given = [
    { path: 'a.rego', text: 'package a\n' },
    { path: 'lib/u.rego', text: 'package trailmix # é\n' },
  ];
  const bytes = zipOf(given);
  const zip = await openZip(
    { size: bytes.length, read: async (at, length) => bytes.slice(at, at + length) },
    () => {
      throw new Error('nothing is compressed');
    },
  );
  expect([...zip.entries.keys()]).toEqual(given.map(({ path }) => path));
  for (const { path, text } of given) {
    const parts: Uint8Array[] = [];
    for await (const part of zip.open(zip.entries.get(path)!)) parts.push(part);
    expect(Buffer.concat(parts).toString()).toBe(text);
  }
});

test('a test from a decision is appended under a name of its own', () => {
  const given = {
    input: { action: 'issue_refund', payload: { amount: 750 } },
    action: 'issue_refund',
    word: 'approve',
    reasons: ['refund > 500'],
    note: 'From #5',
  };
  const once = withTest([], given);
  expect(once).toMatchObject({ path: 'recorded_test.rego', name: 'test_issue_refund_needs_approval' });
  const twice = withTest(once.files, { ...given, word: 'deny', reasons: [] });
  const again = withTest(twice.files, given);
  expect(again.name).toBe('test_issue_refund_needs_approval_2');
  expect(scan(again.path, again.files[0]!.text).rules.map(({ name }) => name)).toEqual([
    'test_issue_refund_needs_approval',
    'test_issue_refund_is_denied',
    'test_issue_refund_needs_approval_2',
  ]);
  expect(regoOf({ b: [1, 'x', null], a: {} })).toBe('{"a": {}, "b": [1, "x", null]}');
});

test('changed lines, file by file', () => {
  expect(lineChanges('a\nb\nc', 'a\nx\nc\nd')).toEqual([
    { kind: 'removed', row: 2, text: 'b' },
    { kind: 'added', row: 2, text: 'x' },
    { kind: 'added', row: 4, text: 'd' },
  ]);
  expect(lineChanges('same', 'same')).toEqual([]);
  expect(lineChanges('', 'new')).toEqual([{ kind: 'added', row: 1, text: 'new' }]);
  expect(lineChanges('a\nb\nc\nd', 'e\nf\ng\nh', 3)).toBeUndefined();
  const kinds = fileChanges(
    [
      { path: 'a', text: '1' },
      { path: 'b', text: '1' },
    ],
    [
      { path: 'b', text: '2' },
      { path: 'c', text: '1' },
    ],
  ).map(({ path, kind }) => [path, kind]);
  expect(kinds).toEqual([
    ['a', 'removed'],
    ['b', 'changed'],
    ['c', 'added'],
  ]);
});

test('a flip table has every word that occurs', () => {
  const cells = [
    { from: 'allow', to: 'approve', decisions: 38, runs: 31 },
    { from: 'allow', to: 'allow', decisions: 9, runs: 3 },
  ] as const;
  const table = buildFlipTable({ cells: [...cells] });
  expect(table.words).toEqual(['allow', 'approve', 'deny']);
  expect(table.rows[0]!.cells.map(({ decisions }) => decisions)).toEqual([9, 38, 0]);
  expect(buildFlipTable({ cells: [{ from: 'deny', to: 'failed', decisions: 1, runs: 1 }] }).words).toContain(
    'failed',
  );
  expect(cellOf('allow>deny')).toEqual({ from: 'allow', to: 'deny' });
  expect(cellOf('allow>x')).toBeUndefined();
  expect(skippedOf({ skipped: { erased: 1, sealed: 4, now_absent: 0 } })).toEqual([
    { reason: 'sealed', count: 4 },
    { reason: 'erased', count: 1 },
  ]);
});

test('a set comes into force only with tests that passed; the one that ships is exempt', () => {
  const tests = (passed: number, failed: number) => ({ tests: { passed, failed, skipped: 0, percent: 0 } });
  expect(canActivate(tests(3, 0))).toBe(true);
  expect(canActivate(tests(3, 1))).toBe(false);
  expect(canActivate(tests(0, 0))).toBe(false);
  expect(canActivate({ ...tests(0, 0), built_in: true })).toBe(true);
});

test('steps of a trace hang under the query that asked them, and fold', () => {
  const step = (op: string, query: number, parent: number, node = '') => ({ op, node, query, parent });
  const roots = buildTraceTree([
    step('Enter', 0, 0, 'q'),
    step('Eval', 0, 0, 'data.x'),
    step('Unify', 0, 0),
    step('Enter', 1, 0, 'x if y'),
    step('Fail', 1, 0, 'y'),
    step('Exit', 0, 0, 'q'),
  ]);
  expect(traceRows(roots, new Set()).map(({ node, depth }) => [node.step.op, depth])).toEqual([
    ['Enter', 0],
    ['Eval', 1],
    ['Enter', 1],
    ['Fail', 2],
    ['Exit', 1],
  ]);
  expect(traceRows(roots, new Set([0]))).toHaveLength(1);
});

test('the URL keeps what it knows', () => {
  expect(readPoliciesSearch({ draft: 'a', set: 'no', row: '5', below: 'tests', x: 1 })).toEqual({
    draft: 'a',
    row: 5,
    below: 'tests',
  });
  expect(readPoliciesSearch({ against: 'a'.repeat(64), row: -1 })).toEqual({ against: 'a'.repeat(64) });
});

test('a selection is asked for with its rules and imports named in full; a selected rule is its value', () => {
  const text = `package trailmix

import data.lib.money
import data.lib.money.read as reading

limit := 100

approve contains "above" if {
	some item in input.payload.items
	money.amount(item) > limit
	reading.limit == input.limit
}
`;
  const lib = 'package lib.money\n\namount(x) := x.amount\n\nread := {"limit": 5}\n';
  const scanned = [scan('p.rego', text), scan('lib/money.rego', lib)];
  const query = (part: string): string => {
    const from = text.indexOf(part);
    return selectionQuery(scanned, 'p.rego', text, from, from + part.length);
  };
  expect(query('limit')).toBe('data.trailmix.limit');
  expect(query('limit := 100')).toBe('data.trailmix.limit');
  expect(query('approve contains "above" if {')).toBe('data.trailmix.approve');
  expect(query('money.amount(item) > limit')).toBe('data.lib.money.amount(item) > data.trailmix.limit');
  expect(query('reading.limit == input.limit')).toBe('data.lib.money.read.limit == input.limit');
  expect(query('input.payload.items')).toBe('input.payload.items');
  expect(query('"above"')).toBe('"above"');
});
