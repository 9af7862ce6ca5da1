/** What the form writes, held to the real compiler, lint and tests: it compiles, nothing is found, every line is covered. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createPolicyWorkshop, type PolicyWorkshop } from '../../collector/policy/workshop.ts';
import { formFaults, type RuleForm, withRule } from '../../renderer/features/policies/form/rule_form.ts';

let workshop: PolicyWorkshop;
const decision = readFileSync('policies/decision.rego', 'utf8');
beforeAll(() => {
  workshop = createPolicyWorkshop({
    toolchain: 'resources/generated/toolchain',
    capabilities: 'policies/capabilities.json',
    decision: 'policies/decision.rego',
  });
});
afterAll(async () => workshop?.close());

const forms: RuleForm[] = [
  {
    kind: 'threshold',
    name: 'plain',
    title: 'Refunds: "by" amount',
    actions: ['issue_refund'],
    field: 'payload.amount',
    limit: 500,
    people: 1,
    roles: [],
  },
  {
    kind: 'threshold',
    name: 'strict',
    title: 'Wires',
    actions: ['send_wire', 'send_cheque', 'something_else'],
    field: 'payload.order.total',
    limit: 0.5,
    ceiling: 10_000,
    people: 2,
    roles: ['treasurer', 'cfo'],
  },
  {
    kind: 'list',
    name: 'blocked',
    title: 'Blocked countries',
    actions: ['send_wire'],
    field: 'payload.country',
    values: ['KP', 'IR'],
    when: 'in',
    answer: 'deny',
  },
  {
    kind: 'list',
    name: 'known',
    title: 'Known vendors',
    actions: ['send_wire'],
    field: 'context.vendor',
    values: ['a"b'],
    when: 'not_in',
    answer: 'approve',
  },
  {
    kind: 'region',
    name: 'pii',
    title: 'PII',
    actions: ['llm_call'],
    regions: ['EU', 'CH'],
    personalData: true,
    answer: 'deny',
  },
  {
    kind: 'region',
    name: 'region',
    title: 'Region',
    actions: ['llm_call'],
    regions: ['EU'],
    personalData: false,
    answer: 'approve',
  },
  { kind: 'roles', name: 'people', title: 'Deleting', actions: ['delete_user'], people: 2, roles: ['admin'] },
];

test.each(forms)('$name ($kind) compiles, is tested line by line, and lint finds nothing', async form => {
  expect(formFaults(form, [])).toEqual({});
  const files = withRule([], form, decision);
  const own = (path: string | undefined) => path?.startsWith(form.name);
  const checked = await workshop.check({ files });
  expect(checked.diagnostics.filter(one => one.severity === 'error' || own(one.path))).toEqual([]);
  const tested = await workshop.test({ files });
  expect(tested.tests.filter(one => one.outcome !== 'pass')).toEqual([]);
  expect(
    tested.coverage.filter(({ path }) => own(path)).map(({ path, not_covered }) => [path, not_covered]),
  ).toEqual([
    [`${form.name}.rego`, []],
    [`${form.name}_test.rego`, []],
  ]);
  const formatted = await workshop.format({ files });
  expect(formatted.files.filter(({ path, changed }) => changed && own(path))).toEqual([]);
});

test('rules of several forms merge, and people are asked for', async () => {
  const files = forms.reduce<{ path: string; text: string }[]>(
    (held, form) => withRule(held, form, decision),
    [],
  );
  const decide = async (input: unknown) => (await workshop.evaluate({ files, input })).result;
  const call = (action: string, payload: object, context: object = {}) => ({ action, payload, context });
  expect(await decide(call('issue_refund', { amount: 501 }))).toMatchObject({
    result: 'approve',
    rules: ['plain.above_limit'],
  });
  expect(await decide(call('issue_refund', { amount: 500 }))).toMatchObject({ result: 'allow' });
  expect(await decide(call('send_cheque', { order: { total: 600 } }))).toMatchObject({
    result: 'approve',
    required: { k: 2, roles: ['cfo', 'treasurer'] },
  });
  expect(await decide(call('send_wire', { country: 'KP', order: { total: 0 } }))).toMatchObject({
    result: 'deny',
    reasons: expect.arrayContaining(['payload.country is on the list']),
  });
});

test('what is missing is named', () => {
  expect(
    formFaults(
      {
        kind: 'threshold',
        name: 'A b',
        title: ' ',
        actions: [],
        field: 'amount',
        limit: Number.NaN,
        ceiling: 1,
        people: 0,
        roles: [],
      },
      [],
    ),
  ).toEqual({
    name: expect.any(String),
    title: expect.any(String),
    actions: expect.any(String),
    field: expect.any(String),
    limit: expect.any(String),
    ceiling: expect.any(String),
    people: expect.any(String),
  });
  expect(formFaults(forms[0]!, [{ path: 'data.json', text: 'no' }]).name).toContain('data.json');
});
