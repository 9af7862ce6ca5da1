/** The library: tested, explained, merged as said, and decided by the engine as by the official evaluator. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeBundle } from '../../collector/policy/bundle.ts';
import { createPolicyEngine } from '../../collector/policy/engine.ts';
import { createToolchain, type RegoFile, type Toolchain } from '../../collector/policy/toolchain.ts';
import { policyInputSchema } from '../../core/policy/input_schema.ts';
import { generated } from './generated_inputs.ts';
import { call, capabilities, shippedFiles, toolchainDir } from './workshop.ts';

let toolchain: Toolchain;
let files: RegoFile[];
beforeAll(async () => {
  toolchain = await createToolchain({
    dir: toolchainDir,
    capabilities,
    inputSchema: policyInputSchema,
    deadlineMs: 60_000,
  });
  files = [...(await shippedFiles()), ...(await libraryFiles())];
});
afterAll(() => toolchain.close());

async function libraryFiles(): Promise<RegoFile[]> {
  const dir = join(import.meta.dirname, '../../policies/library');
  const names = (await readdir(dir)).filter(name => name.endsWith('.rego')).sort();
  return Promise.all(
    names.map(async name => ({ path: `library/${name}`, text: await readFile(join(dir, name), 'utf8') })),
  );
}

const POLICIES = [
  'destructive',
  'evals_floor',
  'injection_tripwires',
  'off_hours',
  'payments',
  'pii_region',
  'refunds',
  'session_budget',
  'tool_allowlist',
  'wires',
];

describe('every policy of the library', () => {
  test('is there, passes strictly, is formatted, and has no lint finding', async () => {
    const packages = files.flatMap(
      ({ text }) => /^package trailmix\.policies\.(\w+?)(?<!_test)$/m.exec(text)?.[1] ?? [],
    );
    expect(packages.sort()).toEqual(POLICIES);
    expect(await toolchain.check(files)).toEqual({ ok: true });
    expect(await toolchain.format(files)).toEqual({ ok: true, files });
    expect(await toolchain.lint(files, { entrypoint: 'trailmix/decision' })).toEqual({
      ok: true,
      findings: [],
    });
  });

  test('has tests that all pass and cover every line', async () => {
    const answer = await toolchain.test(files);
    if (!answer.ok) throw new Error(JSON.stringify(answer.errors));
    expect(answer.tests.filter(({ outcome }) => outcome !== 'pass')).toEqual([]);
    expect(answer.coverage).toMatchObject({ coverage: 100, not_covered_lines: 0 });
    for (const name of POLICIES) {
      expect(answer.tests.some(one => one.package === `data.trailmix.policies.${name}_test`)).toBe(true);
    }
  });

  test('says in plain words what it does, as a whole and rule by rule', async () => {
    const answer = await toolchain.describe(files);
    if (!answer.ok) throw new Error(JSON.stringify(answer.errors));
    const own = answer.described.filter(one => one.tests !== true && one.path.startsWith('library/'));
    const bare = own.filter(
      ({ rule, title, description }) =>
        (rule === undefined || rule === 'deny' || rule === 'approve') && !(title && description),
    );
    expect(bare).toEqual([]);
    const tripwires = own.find(one => one.package === 'data.trailmix.policies.injection_tripwires');
    expect(tripwires?.description).toContain('A tripwire, not a protection');
  });
});

const DATA = {
  settings: {
    policies: POLICIES,
    tool_allowlist: { apps: { 'support-bot': ['*'] } },
    wires: { blocked_countries: ['KP'] },
  },
};

const engineWith = async (data: unknown) => {
  const built = await toolchain.build(files, 'trailmix/decision');
  if (!built.ok) throw new Error(JSON.stringify(built.errors));
  const bundle = makeBundle({
    version: 1,
    entrypoint: 'trailmix/decision',
    capabilities,
    wasm: built.wasm,
    files: [
      ...files.filter(({ path }) => !path.endsWith('_test.rego')),
      { path: 'data.json', text: JSON.stringify(data) },
    ],
  });
  return createPolicyEngine({ bundle });
};

describe('in the engine', () => {
  test('nothing of the library counts until data.settings.policies names it', async () => {
    const engine = await engineWith({});
    try {
      const outcome = await engine.decide(call('delete_user', { path: '*' }));
      expect(outcome).toMatchObject({ result: 'allow', reasons: [] });
      expect(outcome).not.toHaveProperty('rules');
    } finally {
      await engine.close();
    }
  });

  test('reasons merge, rule names are kept, and two people are asked for', async () => {
    const engine = await engineWith({ settings: { policies: ['payments', 'destructive'] } });
    try {
      expect(await engine.decide(call('pay_vendor', { amount: 30_000 }))).toMatchObject({
        result: 'approve',
        reasons: ['payment > 1000', 'payment > 25000'],
        rules: ['payments.above_limit', 'payments.two_people'],
        required: { k: 2, roles: [] },
      });
      expect(await engine.decide(call('delete_rows', { sql: 'delete from users', amount: 1 }))).toMatchObject(
        {
          result: 'deny',
          reasons: ['it would destroy everything', 'delete_rows destroys something'],
          rules: ['destructive.everything', 'destructive.destroys'],
        },
      );
    } finally {
      await engine.close();
    }
  });

  test('a misspelt name denies', async () => {
    const engine = await engineWith({ settings: { policies: ['refunds', 'wiers'] } });
    try {
      expect(await engine.decide(call('read', {}))).toMatchObject({
        result: 'deny',
        reasons: ['policy wiers is not there'],
        rules: ['settings.policies'],
      });
    } finally {
      await engine.close();
    }
  });

  test('decides as the official evaluator does on 1,000 generated inputs, all policies on', async () => {
    const inputs = generated(1000);
    const official = await toolchain.evaluate(files, {
      query: '[d | some i in data.inputs; d := data.trailmix.decision with input as i]',
      data: { ...DATA, inputs },
    });
    if (!official.ok) throw new Error(JSON.stringify(official.errors));
    const expected = official.result as { result: string; reasons: string[]; rules?: string[] }[];
    expect(expected).toHaveLength(inputs.length);
    expect(new Set(expected.map(({ result }) => result)).size).toBe(3);
    const engine = await engineWith(DATA);
    try {
      for (const [index, input] of inputs.entries()) {
        const { result, reasons, rules, failed } = await engine.decide(input);
        const wanted = expected[index]!;
        expect({ input, failed, result, reasons, rules: rules ?? [] }).toEqual({
          input,
          failed: undefined,
          result: wanted.result,
          reasons: wanted.reasons,
          rules: wanted.rules ?? [],
        });
      }
    } finally {
      await engine.close();
    }
  });
});
