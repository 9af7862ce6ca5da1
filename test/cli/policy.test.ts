/** `trailmix policy`, verb by verb, and the examples of docs/policies.md. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SEED_PII, SEED_REFUNDS } from '../policy/workshop.ts';
import { trailmix } from './trailmix.ts';

const LONG = 120_000;
let place: string;
beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), 'trailmix-policy-cli-'));
});
afterAll(() => rm(place, { recursive: true }));

const folderOf = async (name: string, files: Record<string, string>): Promise<string> => {
  const folder = join(place, name);
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  return folder;
};
const policy = async (
  ...words: string[]
): Promise<{ code: number | null; json: Record<string, unknown>; out: string }> => {
  const { code, json, out, err } = await trailmix(['policy', ...words, '--json']);
  if (json === undefined) throw new Error(err || out);
  return { code, json, out };
};

const RULES =
  'package trailmix\n\nimport data.limits\n\ndecision := {"result": "deny", "reasons": []} if {\n\tprint("seen", input.payload)\n\tinput.payload.n > limits.most\n}\n';
const TESTS =
  'package trailmix_test\n\nimport data.trailmix\n\ntest_over if trailmix.decision.result == "deny" with input as {"payload": {"n": 6}}\n';

describe('trailmix policy', () => {
  test(
    'check, fmt and lint',
    async () => {
      const folder = await folderOf('a', {
        'p.rego': 'package trailmix\ndecision := {"result":"allow","reasons":[]} if input.amuont == 1\n',
      });
      expect(await policy('check', folder)).toMatchObject({
        code: 1,
        json: { ok: false, errors: [{ message: 'undefined ref: input.amuont', row: 2 }] },
      });
      expect(await policy('fmt', folder)).toMatchObject({
        code: 1,
        json: { ok: false, written: false, files: [{ changed: true }] },
      });
      expect(await policy('fmt', folder, '--write')).toMatchObject({
        code: 0,
        json: { ok: true, written: true },
      });
      expect(await policy('fmt', folder)).toMatchObject({
        code: 0,
        json: { ok: true, files: [{ changed: false }] },
      });
      expect(await readFile(join(folder, 'p.rego'), 'utf8')).toBe(
        'package trailmix\n\ndecision := {"result": "allow", "reasons": []} if input.amuont == 1\n',
      );
      const linted = await policy(
        'lint',
        await folderOf('b', {
          'p.rego': RULES.replaceAll('limits.most', '5').replace('import data.limits\n\n', ''),
        }),
      );
      expect(linted).toMatchObject({ code: 1, json: { ok: false } });
      expect(linted.json.findings).toContainEqual(
        expect.objectContaining({ rule: 'untyped-comparison', level: 'warning', row: 5 }),
      );
    },
    LONG,
  );

  test(
    'test, with data.json, coverage and a failing case',
    async () => {
      const files = { 'p.rego': RULES, 'p_test.rego': TESTS, 'data.json': '{"limits": {"most": 5}}' };
      const folder = await folderOf('c', files);
      expect(await policy('test', folder)).toMatchObject({
        code: 0,
        json: {
          ok: true,
          tests: [{ name: 'test_over', outcome: 'pass', output: 'seen {"n": 6}\n' }],
          coverage: { coverage: 100 },
        },
      });
      await writeFile(join(folder, 'data.json'), '{"limits": {"most": 50}}');
      const said = await trailmix(['policy', 'test', folder, '--coverage']);
      expect(said.code).toBe(1);
      expect(said.out).toMatch(/FAIL {2}\S*p_test\.rego:5 test_over/);
      expect(said.out).toMatch(/not covered {2}\S*p\.rego:5/);
      expect(await policy('test', folder, '--run', 'nothing_like_it')).toMatchObject({
        code: 1,
        json: { ok: false },
      });
    },
    LONG,
  );

  test(
    'eval and why, from a file and from stdin',
    async () => {
      const folder = await folderOf('d', { 'p.rego': RULES, 'data.json': '{"limits": {"most": 5}}' });
      const input = join(place, 'input.json');
      await writeFile(input, '{"payload": {"n": 6}}');
      expect(await policy('eval', folder, '--input', input, '--trace')).toMatchObject({
        code: 0,
        json: {
          ok: true,
          query: 'data.trailmix.decision',
          result: { result: 'deny', reasons: [] },
          printed: [{ text: 'seen {"n": 6}', row: 6 }],
          trace: expect.arrayContaining([expect.objectContaining({ op: 'Exit' })]),
        },
      });
      const none = await trailmix(
        ['policy', 'eval', folder, '--input', '-', '--json'],
        {},
        '{"payload": {"n": 4}}',
      );
      expect([none.code, none.json]).toEqual([1, expect.objectContaining({ ok: false })]);
      const why = await trailmix(['policy', 'why', folder, '--input', '-'], {}, '{"payload": {"n": 4}}');
      expect(why.code).toBe(0);
      expect(why.out).toMatch(/line 7: input\.payload\.n > limits\.most {2}is false/);
      expect(why.out).toContain('input.payload.n = 4');
      expect(await policy('why', folder, '--rule', 'data.trailmix.nothing')).toMatchObject({
        code: 1,
        json: { ok: false },
      });
      const broken = await trailmix(['policy', 'eval', folder, '--input', '-'], {}, '{');
      expect([broken.code, broken.err]).toEqual([2, expect.stringContaining('stdin is no JSON')]);
    },
    LONG,
  );

  test(
    'repair of the printed policies, written only when asked',
    async () => {
      const folder = await folderOf('e', { 'refunds.rego': SEED_REFUNDS, 'pii.rego': SEED_PII });
      expect(await policy('check', folder)).toMatchObject({
        code: 1,
        json: { rego_v0: [expect.stringContaining('pii.rego'), expect.stringContaining('refunds.rego')] },
      });
      const shown = await policy('repair', folder, '--merge');
      expect(shown).toMatchObject({ code: 0, json: { ok: true, written: false } });
      expect(await readFile(join(folder, 'pii.rego'), 'utf8')).toBe(SEED_PII);
      expect(await policy('repair', folder, '--merge', '--write')).toMatchObject({
        code: 0,
        json: { written: true },
      });
      expect(await policy('check', folder)).toMatchObject({ code: 0, json: { files: { length: 3 } } });
    },
    LONG,
  );

  test(
    'build writes the module',
    async () => {
      const folder = await folderOf('f', {
        'p.rego': 'package trailmix\n\ndecision := {"result": "allow", "reasons": []}\n',
      });
      const out = join(place, 'p.wasm');
      expect(await policy('build', folder, '--out', out)).toMatchObject({ code: 0, json: { ok: true, out } });
      expect((await readFile(out)).subarray(0, 4).toString('latin1')).toBe('\0asm');
    },
    LONG,
  );
});

/** A block of docs/policies.md is run when the line above it is `<!-- file: NAME -->` or `<!-- run: WORDS -> CODE -->`. */
describe('docs/policies.md', () => {
  test(
    'its examples do what it says',
    async () => {
      const doc = await readFile(new URL('../../docs/policies.md', import.meta.url), 'utf8');
      const steps = [...doc.matchAll(/<!-- (file|run): (.+?) -->\n```\w*\n([\s\S]*?)```/g)];
      const folder = await folderOf('doc', {});
      await mkdir(folder, { recursive: true });
      const at = process.cwd();
      let ran = 0;
      try {
        process.chdir(folder);
        for (const [, kind, what = '', body = ''] of steps) {
          if (kind === 'file') {
            await mkdir(dirname(what), { recursive: true });
            await writeFile(what, body);
            continue;
          }
          const [line = '', said = ''] = [body.split('\n')[0], body.slice(body.indexOf('\n') + 1).trimEnd()];
          expect(line).toMatch(/^\$ trailmix policy /);
          const { code, out, err } = await trailmix(line.slice('$ trailmix '.length).split(' '));
          expect({ line, code: `${code}`, out: out.trimEnd() + err }).toEqual({
            line,
            code: what,
            out: said,
          });
          ran++;
        }
      } finally {
        process.chdir(at);
      }
      expect(ran).toBeGreaterThanOrEqual(6);
    },
    LONG,
  );
});
