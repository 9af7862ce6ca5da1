/** Repair of what people bring along, why a rule did not fire, our lint rules, and the schema of `input`. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createToolchain, type RegoFile, type Toolchain } from '../../collector/policy/toolchain.ts';
import { policyInputSchema } from '../../core/policy/input_schema.ts';
import { lintRule, lintRules } from '../../core/policy/lint_rules.ts';
import { policyDocuments } from '../../resources/build/policy-docs.ts';
import { capabilities, SEED_PII, SEED_REFUNDS, shippedFiles, toolchainDir } from './workshop.ts';

let toolchain: Toolchain;
beforeAll(async () => {
  toolchain = await createToolchain({
    dir: toolchainDir,
    capabilities,
    inputSchema: policyInputSchema,
    deadlineMs: 60_000,
  });
});
afterAll(() => toolchain.close());

const one = (text: string, path = 'p.rego'): RegoFile[] => [{ path, text }];
const seed: RegoFile[] = [
  { path: 'refunds.rego', text: SEED_REFUNDS },
  { path: 'pii.rego', text: SEED_PII },
];
const merging = async (): Promise<RegoFile> =>
  (await shippedFiles()).find(({ path }) => path === 'decision.rego')!;

describe('the two policies as they were printed', () => {
  test('are recognised as Rego v0', async () => {
    expect(await toolchain.check(seed)).toMatchObject({ ok: false, rego_v0: ['refunds.rego', 'pii.rego'] });
    expect(await toolchain.check(one('package p\n\nx := ]\n'))).not.toHaveProperty('rego_v0');
  });

  test('are explained, the PII one with its exact compile error', async () => {
    const answer = await toolchain.repair(seed);
    if (!answer.ok) throw new Error(JSON.stringify(answer.errors));
    const [refunds, pii] = answer.repair.found;
    expect(refunds).toMatchObject({ rego_v0: true, as_v1: [{ row: 5 }, { row: 10 }] });
    expect(refunds).not.toHaveProperty('as_v0');
    expect(pii).toMatchObject({
      rego_v0: true,
      as_v0: [{ code: 'rego_compile_error', message: 'var p declared above', row: 7, col: 3 }],
    });
    expect(answer.repair.pairs).toEqual([
      {
        a: expect.stringMatching(/^pii\.rego:/),
        b: expect.stringMatching(/^refunds\.rego:/),
        apart: 'input.action is "llm_call" in one and is "issue_refund" in the other',
      },
    ]);
  });

  test('are repaired, and the change of meaning is shown', async () => {
    const answer = await toolchain.repair([...seed, await merging()]);
    if (!answer.ok) throw new Error(JSON.stringify(answer.errors));
    expect(answer.repair.remaining).toBeUndefined();
    expect(await toolchain.check(answer.files)).toEqual({ ok: true });
    expect(answer.repair.changes.map(({ id, path, meaning }) => `${path} ${id}: ${meaning}`)).toEqual([
      'refunds.rego rewrite_v1: same',
      'pii.rego rewrite_v1: same',
      'pii.rego declared_twice: mended',
      'pii.rego assigned_not_tested: changed',
      'refunds.rego default_dropped: same',
      'refunds.rego decision_to_reasons: same',
      'pii.rego decision_to_reasons: same',
    ]);
    expect(answer.files[1]?.text).toContain('\tinput.payload.contains_pii == true\n');
    expect(answer.files[1]?.text).toContain('deny contains "PII cannot exit EU" if {');
    expect(answer.files[2]).not.toHaveProperty('changed');
    // The decision differs where contains_pii is there and not true, and nowhere else among what was tried.
    expect(answer.repair.tried).toBeGreaterThan(30);
    const differing = answer.repair.examples.map(({ input }) => (input as { payload: object }).payload);
    expect(differing).toEqual([false, null, 'x', 0].map(contains_pii => ({ contains_pii })));
    for (const { before, after } of answer.repair.examples) {
      expect(before).toMatchObject({ result: 'deny' });
      expect(after).toMatchObject({ result: 'allow' });
    }
    for (const [action, payload, result] of [
      ['issue_refund', { amount: 750 }, 'approve'],
      ['issue_refund', { amount: 500 }, 'allow'],
      ['llm_call', { contains_pii: true }, 'deny'],
      ['llm_call', { contains_pii: false }, 'allow'],
    ] as const) {
      const input = { action, payload, context: { region: 'EU' } };
      expect(
        await toolchain.evaluate(answer.files, { query: 'data.trailmix.decision', input }),
      ).toMatchObject({ result: { result } });
    }
  });

  test('decisions that may hold together are said, and their merge is a change', async () => {
    const rule = (word: string, condition: string) =>
      `package trailmix\n\ndecision := {"result": "${word}", "reasons": ["${word}"]} if ${condition}\n`;
    const answer = await toolchain.repair([
      { path: 'a.rego', text: rule('deny', 'input.action == "x"') },
      { path: 'b.rego', text: rule('approve', 'input.risk == "high"') },
      await merging(),
    ]);
    if (!answer.ok) throw new Error(JSON.stringify(answer.errors));
    expect(answer.repair.pairs).toEqual([{ a: 'a.rego:3', b: 'b.rego:3' }]);
    expect(answer.repair.changes.map(({ meaning }) => meaning)).toEqual(['changed', 'changed']);
    expect(answer.repair.examples).toContainEqual({
      input: { action: 'x', risk: 'high' },
      before: { error: expect.stringContaining('eval_conflict_error') },
      after: { result: 'deny', reasons: ['deny', 'approve'] },
    });
  });

  test('what needs no repair stays as it is, and what cannot be repaired says why', async () => {
    const shipped = await shippedFiles();
    const answer = await toolchain.repair(shipped);
    expect(answer).toMatchObject({ ok: true, files: shipped, repair: { changes: [], examples: [] } });
    expect(await toolchain.repair(one('package p\n\nx := ]\n'))).toMatchObject({
      ok: false,
      errors: expect.arrayContaining([expect.objectContaining({ path: 'p.rego', row: 3 })]),
    });
    const left = await toolchain.repair(one('package p\n\nx if input.nothing_like_it\n'));
    expect(left).toMatchObject({
      ok: true,
      repair: { remaining: [{ message: 'undefined ref: input.nothing_like_it', row: 3 }] },
    });
  });
});

describe('why a rule did not fire', () => {
  const policy = one(
    [
      'package trailmix',
      'deny contains "dear item" if {',
      '\tinput.action == "buy"',
      '\tsome item in input.payload.items',
      '\titem.price > limit',
      '\tnot approved',
      '}',
      'limit := 10',
      'approved if input.context.approved == true',
      '',
    ].join('\n'),
  );
  const ask = async (input: object) => {
    const answer = await toolchain.why(policy, { rule: 'data.trailmix.deny', input });
    if (!answer.ok) throw new Error(JSON.stringify(answer.errors));
    return answer;
  };
  const item = (price: unknown) => ({ price });

  test('false, with the values', async () => {
    const { result, rules } = await ask({ action: 'buy', payload: { items: [item(3), item(7)] } });
    expect(result).toEqual([]);
    expect(rules[0]).toMatchObject({
      rule: 'data.trailmix.deny',
      path: 'p.rego',
      row: 2,
      asked: true,
      fired: 0,
    });
    expect(rules[0]?.stopped?.[0]).toEqual({
      path: 'p.rego',
      row: 5,
      col: 2,
      text: 'item.price > limit',
      kind: 'false',
      times: 2,
      reads: [
        { name: 'item.price', value: 7, defined: true },
        { name: 'data.trailmix.limit', value: 10, defined: true },
      ],
    });
    expect(rules[0]?.uses).toEqual(['data.trailmix.limit']);
  });

  test('undefined, by the name that is not there', async () => {
    const { rules } = await ask({ action: 'buy', payload: {} });
    expect(rules[0]?.stopped?.[0]).toMatchObject({
      row: 4,
      kind: 'undefined',
      reads: expect.arrayContaining([{ name: 'input.payload.items', defined: false }]),
    });
    const other = await ask({ action: 'sell' });
    expect(other.rules[0]?.stopped).toEqual([
      expect.objectContaining({
        row: 3,
        kind: 'false',
        reads: [{ name: 'input.action', value: 'sell', defined: true }],
      }),
    ]);
  });

  test('negated, with a report of the rule behind it', async () => {
    const { rules } = await ask({
      action: 'buy',
      payload: { items: [item(3), item(70)] },
      context: { approved: true },
    });
    expect(rules[0]?.stopped?.[0]).toMatchObject({ row: 6, text: 'not approved', kind: 'negated', times: 1 });
    expect(rules[0]?.uses).toEqual(['data.trailmix.approved']);
    expect(rules.find(({ rule }) => rule === 'data.trailmix.approved')).toMatchObject({ fired: 1, row: 9 });
  });

  test('a rule that fired says so, and one that nothing asked for', async () => {
    const { result, rules } = await ask({ action: 'buy', payload: { items: [item(70)] } });
    expect(result).toEqual(['dear item']);
    expect(rules[0]).toMatchObject({ fired: 1 });
    const shipped = await toolchain.why(await shippedFiles(), {
      rule: 'data.trailmix.approve',
      input: { action: 'send_wire', payload: { amount: 9_000 } },
    });
    if (!shipped.ok) throw new Error(JSON.stringify(shipped.errors));
    expect(shipped.rules.every(({ path }) => !path.endsWith('_test.rego'))).toBe(true);
    expect(
      shipped.rules.find(({ path, row }) => path === 'wires.rego' && row === 6)?.stopped?.[0],
    ).toMatchObject({
      row: 9,
      text: 'input.payload.amount > 10000',
      reads: [{ value: 9_000 }],
    });
  });
});

describe('lint', () => {
  const lint = async (files: RegoFile[]) => {
    const answer = await toolchain.lint(files, { entrypoint: 'trailmix/decision' });
    if (!answer.ok) throw new Error(JSON.stringify(answer.errors));
    return answer.findings;
  };

  test.each(lintRules)(
    '$id is found in its bad example and not in its good one',
    async ({ id, bad, good }) => {
      const found = await lint(one(bad));
      expect(found).toContainEqual(
        expect.objectContaining({ rule: id, path: 'p.rego', row: expect.any(Number) }),
      );
      for (const finding of found) expect(lintRule(finding.rule)).toBeDefined();
      expect((await lint(one(good))).filter(({ rule }) => rule === id)).toEqual([]);
    },
  );

  test('without running the tests, only what needs them is left out', async () => {
    const text = 'package trailmix\n\ndecision := {"result": "deny", "reasons": []} if input.payload.pii\n';
    const answer = await toolchain.lint(one(text), { entrypoint: 'trailmix/decision', tests: false });
    expect(answer.ok && answer.findings.map(({ rule }) => rule)).toEqual(['bare-input']);
    expect((await lint(one(text))).map(({ rule }) => rule)).toEqual(['untested-rule', 'bare-input']);
  });

  test('what ships has no finding', async () => {
    expect(await lint(await shippedFiles())).toEqual([]);
  });

  test('a comment takes a finding back, on its line or the one above, by name only', async () => {
    const rule = (comment: string) =>
      one(
        `package trailmix\n\n${comment}\ndecision := {"result": "deny", "reasons": []} if input.payload.pii\n`,
      );
    const of = async (comment: string) => (await lint(rule(comment))).map(({ rule }) => rule);
    expect(await of('#')).toContain('bare-input');
    expect(await of('# trailmix-lint-ignore: bare-input')).not.toContain('bare-input');
    expect(await of('# trailmix-lint-ignore: not-on-input')).toContain('bare-input');
  });

  test('more places: helpers, bounds, else, wildcards, self-comparison', async () => {
    const rules = async (text: string) =>
      (await lint(one(`package trailmix\n\n${text}\n`))).map(({ rule, row }) => `${rule}:${row}`);
    expect(await rules('a if {\n\tbig\n\tinput.payload.n < 3\n}\n\nbig if input.payload.n > 5')).toContain(
      'unreachable-rule:3',
    );
    expect(await rules('a := 1 if {\n\ttrue\n} else := 2')).toContain('unreachable-rule:5');
    expect(await rules('a if {\n\tp := input.payload.pii\n\tp == p\n}')).toContain('true-when-false:4');
    expect(await rules('a if {\n\tp := input.payload.pii\n\tp == true\n}')).not.toContain(
      'true-when-false:4',
    );
  });

  test.each(Object.entries(policyDocuments))('%s is current', (path, text) => {
    expect(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')).toBe(text);
  });
});

describe("the schema of input is given to OPA's type checker", () => {
  test('a name that is not there is an error, at its place', async () => {
    const answer = await toolchain.check(
      one('package p\n\nx if input.amuont > 5\n\ny if input.actor.nmae == "a"\n'),
    );
    expect(answer).toEqual({
      ok: false,
      errors: [
        { code: 'rego_type_error', message: 'undefined ref: input.amuont', path: 'p.rego', row: 3, col: 6 },
        {
          code: 'rego_type_error',
          message: 'undefined ref: input.actor.nmae',
          path: 'p.rego',
          row: 5,
          col: 6,
        },
      ],
    });
  });

  test('payload and context are open, the session is not', async () => {
    const text =
      'package p\n\nx if input.payload.anything.at.all > input.context.limit\n\ny if input.session.counts.by_action.wire > 3\n';
    expect(await toolchain.check(one(text))).toEqual({ ok: true });
    expect(await toolchain.check(one('package p\n\nx if input.session.spent > 5\n'))).toMatchObject({
      ok: false,
    });
  });
});

describe('what would never end or reach out', () => {
  test('print is kept by line, and a function that failed is said', async () => {
    const answer = await toolchain.evaluate(
      one(
        'package p\n\nx if {\n\tprint("amount", input.payload.amount)\n\tto_number(input.payload.amount) > 5\n}\n',
      ),
      { query: 'data.p.x', input: { payload: { amount: 'ten' } } },
    );
    expect(answer).toMatchObject({
      ok: true,
      printed: [{ text: 'amount ten', path: 'p.rego', row: 4 }],
      faults: [{ path: 'p.rego', row: 5 }],
    });
  });

  test.each([
    [
      'an endless comprehension',
      'x := count([1 | xs := numbers.range(1, 1000); some a in xs; some b in xs; some c in xs; a + b == c * -1])',
    ],
    [
      'a huge regex',
      'x := regex.match(concat("", ["^", concat("", [s | some _ in numbers.range(1, 200); s := "(a?){1000}"]), "$"]), concat("", [s | some _ in numbers.range(1, 200000); s := "a"]))',
    ],
    ['a call over the network', 'x := http.send({"method": "get", "url": "http://127.0.0.1:1/"})'],
  ])('%s is stopped or refused, and the next call works', async (_name, rule) => {
    const impatient = await createToolchain({ dir: toolchainDir, capabilities, deadlineMs: 2500 });
    try {
      const asked = impatient.evaluate(one(`package p\n\n${rule}\n`), { query: 'data.p.x' });
      const [settled] = await Promise.allSettled([asked]);
      if (settled.status === 'rejected') expect(settled.reason).toMatchObject({ code: 'toolchain_timeout' });
      else
        expect(settled.value.ok ? settled.value.faults.length : settled.value.errors.length).toBeGreaterThan(
          0,
        );
      expect(await impatient.check(one('package p\n\nx := 1\n'))).toEqual({ ok: true });
    } finally {
      await impatient.close();
    }
  });
});
