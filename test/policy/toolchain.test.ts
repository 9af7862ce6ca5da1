import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  createToolchain,
  MAX_WAITING,
  type RegoFile,
  type Toolchain,
} from '../../collector/policy/toolchain.ts';
import { capabilities, SEED_PII, SEED_REFUNDS, shippedFiles, toolchainDir } from './workshop.ts';

let toolchain: Toolchain;
beforeAll(async () => {
  toolchain = await createToolchain({ dir: toolchainDir, capabilities, deadlineMs: 60_000 });
});
afterAll(() => toolchain.close());

const one = (text: string, path = 'p.rego'): RegoFile[] => [{ path, text }];

describe('check', () => {
  test('what ships compiles strictly and is formatted', async () => {
    const files = await shippedFiles();
    expect(await toolchain.check(files)).toEqual({ ok: true });
    const formatted = await toolchain.format(files);
    expect(formatted).toEqual({ ok: true, files });
  });

  test('every syntax error of every file has its place', async () => {
    const answer = await toolchain.check([
      { path: 'a.rego', text: 'package a\n\nx := ]\n' },
      { path: 'b.rego', text: 'package b\n\nrule {\n  true\n}\n' },
    ]);
    expect(answer).toMatchObject({ ok: false });
    if (answer.ok) return;
    expect(answer.errors).toContainEqual(
      expect.objectContaining({ path: 'a.rego', row: 3, code: 'rego_parse_error' }),
    );
    expect(answer.errors).toContainEqual(expect.objectContaining({ path: 'b.rego', row: 3 }));
  });

  test('the printed text is refused with what is wrong', async () => {
    const answer = await toolchain.check(one(SEED_REFUNDS, 'refunds.rego'));
    expect(answer).toMatchObject({ ok: false });
    if (answer.ok) return;
    const said = answer.errors.map(({ message, path, row }) => `${path}:${row} ${message}`).join('\n');
    expect(said).toContain('refunds.rego:5');
    expect(said).toContain('`if` keyword is required before rule body');
  });

  test.each([
    'http.send({"method": "get", "url": "http://x"})',
    'time.now_ns()',
    'rand.intn("x", 2)',
    'opa.runtime()',
    'net.lookup_ip_addr("x")',
    'sprintf("%d", [1])',
    'uuid.rfc4122("")',
  ])('%s does not exist for a policy', async expression => {
    const answer = await toolchain.check(one(`package p\n\nx := ${expression}\n`));
    const builtin = expression.slice(0, expression.indexOf('('));
    expect(answer).toMatchObject({
      ok: false,
      errors: [{ code: 'builtin_refused', builtin, path: 'p.rego', row: 3, col: 6 }],
    });
    if (!answer.ok) expect(answer.errors[0]?.message).toContain(`${builtin} is not there for policies: `);
  });

  test('unused imports and variables are errors', async () => {
    const answer = await toolchain.check(one('package p\n\nimport data.q\n\nx if {\n\ty := 1\n}\n'));
    expect(answer).toMatchObject({ ok: false });
    if (!answer.ok) expect(answer.errors.map(({ row }) => row).sort()).toEqual([3, 6]);
  });
});

describe('rewrite', () => {
  test('Rego v0 becomes v1, and the refund policy means the same', async () => {
    const answer = await toolchain.rewrite(one(SEED_REFUNDS));
    expect(answer).toMatchObject({ ok: true, files: [{ path: 'p.rego', changed: true }] });
    if (!answer.ok) return;
    expect(answer.files[0]?.text).toContain('high_value_refund if {');
    expect(await toolchain.check(answer.files)).toEqual({ ok: true });
    for (const [amount, result] of [
      [750, 'approve'],
      [500, 'allow'],
    ] as const) {
      const input = { action: 'issue_refund', payload: { amount } };
      expect(
        await toolchain.evaluate(answer.files, { query: 'data.trailmix.decision', input }),
      ).toMatchObject({ result: { result } });
    }
  });

  test('the PII policy as printed declares p twice, in either syntax', async () => {
    const rewritten = await toolchain.rewrite(one(SEED_PII));
    const answer = rewritten.ok ? await toolchain.check(rewritten.files) : rewritten;
    expect(answer).toMatchObject({ ok: false });
    if (!answer.ok)
      expect(answer.errors.map(({ message }) => message).join()).toContain('var p declared above');
  });

  test('without `some p` it denies even where there is no PII, hence `== true`', async () => {
    // `p == p` uses the variable, which strict mode would else refuse as unused.
    const text = SEED_PII.replace('  some p\n', '').replace('contains_pii\n', 'contains_pii\n  p == p\n');
    const rewritten = await toolchain.rewrite(one(text));
    if (!rewritten.ok) throw new Error(JSON.stringify(rewritten.errors));
    const input = { action: 'llm_call', context: { region: 'EU' }, payload: { contains_pii: false } };
    expect(
      await toolchain.evaluate(rewritten.files, { query: 'data.trailmix.decision', input }),
    ).toMatchObject({ ok: true, result: { result: 'deny' } });
  });
});

describe('build', () => {
  test('the same files give the same bytes, in any order, tests left out', async () => {
    const files = await shippedFiles();
    const first = await toolchain.build(files, 'trailmix/decision');
    const second = await toolchain.build(
      files.filter(({ path }) => !path.endsWith('_test.rego')).reverse(),
      'trailmix/decision',
    );
    expect(first.ok && second.ok && Buffer.compare(first.wasm, second.wasm)).toBe(0);
  });

  test('an entrypoint that is not there is an error', async () => {
    expect(await toolchain.build(await shippedFiles(), 'trailmix/nothing')).toMatchObject({ ok: false });
  });
});

describe('test', () => {
  test('what ships passes with every line covered', async () => {
    const answer = await toolchain.test(await shippedFiles());
    if (!answer.ok) throw new Error(JSON.stringify(answer.errors));
    expect(answer.tests.length).toBeGreaterThan(10);
    expect(answer.tests.filter(({ outcome }) => outcome !== 'pass')).toEqual([]);
    expect(answer.coverage).toMatchObject({ coverage: 100, not_covered_lines: 0 });
  });

  test('failing, broken and skipped tests, print and bare lines are told apart', async () => {
    const answer = await toolchain.test([
      { path: 'p.rego', text: 'package p\n\na := 1 if input.x\n\nb := 2 if {\n\tinput.y\n\tinput.z\n}\n' },
      {
        path: 'p_test.rego',
        text: [
          'package p_test',
          'import data.p',
          'test_good if { print("hello"); p.a == 1 with input as {"x": true} }',
          'test_bad if { p.a == 2 with input as {"x": true} }',
          'todo_test_later if { p.b == 2 }',
        ].join('\n\n'),
      },
    ]);
    if (!answer.ok) throw new Error(JSON.stringify(answer.errors));
    expect(answer.tests).toMatchObject([
      { name: 'test_good', outcome: 'pass', output: 'hello\n', path: 'p_test.rego', row: 5 },
      { name: 'test_bad', outcome: 'fail', row: 7 },
      { name: 'todo_test_later', outcome: 'skip' },
    ]);
    expect(answer.coverage.coverage).toBeLessThan(100);
    expect(answer.coverage.files['p.rego']?.not_covered?.[0]?.start.row).toBe(5);
    const chosen = await toolchain.test(await shippedFiles(), { run: 'test_pii' });
    expect(chosen.ok && chosen.tests.map(({ name }) => name)).toEqual([
      'test_pii_in_the_eu_is_denied',
      'test_pii_elsewhere_is_allowed',
    ]);
  });
});

describe('evaluate', () => {
  test('a value, undefined, and a trace that names the lines', async () => {
    const files = await shippedFiles();
    const input = { action: 'send_wire', payload: { amount: 12_000 } };
    const answer = await toolchain.evaluate(files, { query: 'data.trailmix.decision', input, trace: 500 });
    if (!answer.ok) throw new Error(JSON.stringify(answer.errors));
    expect(answer.result).toEqual({ result: 'approve', reasons: ['wire > 10,000'] });
    const lines = answer.trace.filter(({ op, path }) => op === 'Exit' && path === 'wires.rego');
    expect(lines.length).toBeGreaterThan(0);
    expect(answer.trace_cut).toBe(false);

    const cut = await toolchain.evaluate(files, { query: 'data.trailmix.decision', input, trace: 3 });
    expect(cut).toMatchObject({ trace_cut: true });
    if (cut.ok) expect(cut.trace).toHaveLength(3);

    const nothing = await toolchain.evaluate(files, { query: 'data.trailmix.nothing', input });
    expect(nothing).toEqual({ ok: true, printed: [], faults: [], trace: [], trace_cut: false });
    const no = await toolchain.evaluate(one('package p\n\nx := input.big == 12345678901234567890\n'), {
      query: 'data.p.x',
      input: { big: 1 },
    });
    expect(no).toMatchObject({ ok: true, result: false });
  });

  test('data is there', async () => {
    const answer = await toolchain.evaluate(one('package p\n\nx := data.limits.wire\n'), {
      query: 'data.p.x',
      data: { limits: { wire: 7 } },
    });
    expect(answer).toMatchObject({ result: 7 });
  });
});

describe('the worker', () => {
  const endless = one(
    'package p\n\nx := count([1 | xs := numbers.range(1, 1000); some a in xs; some b in xs; some c in xs; some d in xs; a + b + c == d * -1])\n',
  );

  test('is ended at the deadline, and a new one serves the next request', async () => {
    const impatient = await createToolchain({ dir: toolchainDir, capabilities, deadlineMs: 2500 });
    try {
      const [looping, waiting] = await Promise.allSettled([
        impatient.evaluate(endless, { query: 'data.p.x' }),
        impatient.check(await shippedFiles()),
      ]);
      expect(looping).toMatchObject({ status: 'rejected', reason: { code: 'toolchain_timeout' } });
      expect(waiting).toMatchObject({ status: 'fulfilled', value: { ok: true } });
    } finally {
      await impatient.close();
    }
  });

  test('takes a bounded number of requests', async () => {
    const files = one('package p\n\nx := 1\n');
    const asked = await Promise.allSettled(
      Array.from({ length: MAX_WAITING + 3 }, () => toolchain.check(files)),
    );
    expect(asked.filter(({ status }) => status === 'fulfilled')).toHaveLength(MAX_WAITING);
    expect(asked.at(-1)).toMatchObject({ status: 'rejected', reason: { code: 'busy' } });
  });

  test('shows the policy nothing of this host', async () => {
    process.env.TRAILMIX_TEST_SECRET = 'visible?';
    // Under OPA's own full set of functions, were it ever given: no environment, no network, no files.
    const wide = JSON.parse(capabilities);
    wide.builtins.push(
      {
        name: 'opa.runtime',
        decl: {
          type: 'function',
          result: { type: 'object', dynamic: { key: { type: 'string' }, value: { type: 'any' } } },
        },
      },
      {
        name: 'http.send',
        decl: {
          type: 'function',
          args: [{ type: 'object', dynamic: { key: { type: 'string' }, value: { type: 'any' } } }],
          result: { type: 'object', dynamic: { key: { type: 'any' }, value: { type: 'any' } } },
        },
      },
    );
    const open = await createToolchain({ dir: toolchainDir, capabilities: JSON.stringify(wide) });
    try {
      const runtime = await open.evaluate(one('package p\n\nx := opa.runtime()\n'), { query: 'data.p.x' });
      expect(JSON.stringify(runtime)).not.toContain('visible?');
      const sent = await open.evaluate(
        one(
          'package p\n\nx := http.send({"method": "get", "url": "http://127.0.0.1:4318/api/health", "raise_error": false})\n',
        ),
        { query: 'data.p.x' },
      );
      expect(JSON.stringify(sent)).not.toContain('"status_code":200');
      expect(JSON.stringify(sent)).toContain('error');
    } finally {
      delete process.env.TRAILMIX_TEST_SECRET;
      await open.close();
    }
  });

  test('where it was never built, says so', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'trailmix-no-go-'));
    await expect(createToolchain({ dir, capabilities })).rejects.toMatchObject({ code: 'toolchain_missing' });
  });
});

test('the stated capabilities hold no clock, randomness, network, host or environment', async () => {
  const names: string[] = JSON.parse(capabilities).builtins.map(({ name }: { name: string }) => name);
  expect(names.filter(name => /^(http|net|time|rand|opa|uuid|io|providers|crypto)\./.test(name))).toEqual([]);
  const doc = await readFile(new URL('../../docs/policies.md', import.meta.url), 'utf8');
  const listed = [...doc.matchAll(/`([a-z_0-9.]+)`/g)].map(([, name]) => name);
  const spoken = names.filter(name => !name.startsWith('internal.') && !['assign', 'eq'].includes(name));
  expect(spoken.filter(name => !listed.includes(name))).toEqual([]);
});
