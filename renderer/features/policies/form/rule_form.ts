/**
 * Writes Rego for who does not write Rego: a threshold, a list, a region, or who must approve, each a package of its own in
 * the style of policies/library, with tests for every line, named in data.json. Pure.
 */
import type { PolicyFile } from '../../../../core/api/policy_views.ts';
import { textOf, withFiles } from '../drafts.ts';
import { regoOf } from '../make_test.ts';

export type Answer = 'approve' | 'deny';
type Common = { name: string; title: string; actions: string[] };
export type RuleForm =
  | (Common & {
      kind: 'threshold';
      field: string;
      limit: number;
      ceiling?: number;
      people: number;
      roles: string[];
    })
  | (Common & { kind: 'list'; field: string; values: string[]; when: 'in' | 'not_in'; answer: Answer })
  | (Common & { kind: 'region'; regions: string[]; personalData: boolean; answer: Answer })
  | (Common & { kind: 'roles'; people: number; roles: string[] });

const SLUG = /^[a-z][a-z0-9_]{0,39}$/;
const FIELD = /^(payload|context)(\.[A-Za-z_][A-Za-z0-9_]*)+$/;

/** What is missing or wrong, by member; empty when it can be written. */
export function formFaults(form: RuleForm, files: readonly PolicyFile[]): Record<string, string> {
  const faults: Record<string, string> = {};
  if (!SLUG.test(form.name)) faults.name = 'Small letters, digits and _, beginning with a letter.';
  else if (files.some(file => file.path === `${form.name}.rego`))
    faults.name = 'A file of that name is already there.';
  if (form.title.trim() === '') faults.title = 'Say in a few words what it is for.';
  if (form.actions.length === 0) faults.actions = 'At least one.';
  if ('field' in form && !FIELD.test(form.field))
    faults.field = 'Begins with payload. or context., for example payload.amount.';
  if (form.kind === 'threshold' && !Number.isFinite(form.limit)) faults.limit = 'A number.';
  if (form.kind === 'threshold' && form.ceiling !== undefined && !(form.ceiling > form.limit))
    faults.ceiling = 'Above the limit.';
  if (form.kind === 'list' && form.values.length === 0) faults.values = 'At least one.';
  if (form.kind === 'region' && form.regions.length === 0) faults.regions = 'At least one.';
  if (form.kind === 'roles' && form.roles.length === 0) faults.roles = 'At least one.';
  if ('people' in form && !(Number.isInteger(form.people) && form.people >= 1 && form.people <= 16))
    faults.people = '1 to 16.';
  if (files.some(file => file.path === 'data.json') && settingsOf(files) === undefined)
    faults.name = 'data.json of this draft is no JSON object: mend it first.';
  return faults;
}

const set = (values: readonly string[]): string =>
  `{${[...new Set(values)].map(value => JSON.stringify(value)).join(', ')}}`;
const list = (values: readonly string[]): string =>
  `[${[...new Set(values)].map(value => JSON.stringify(value)).join(', ')}]`;
const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').trim();

type Rule = { answer: Answer; id: string; title: string; reason: string; required?: string; body: string[] };
type Case = { name: string; rules: string[]; call: string; of: Answer };

const requiredOf = (people: number, roles: readonly string[]): string | undefined =>
  people > 1 || roles.length > 0 ? `{"k": ${people}, "roles": ${list(roles)}}` : undefined;

/** A call as a test writes it: an action, and one value at a path. */
function callOf(action: string, path: string | undefined, value: unknown): string {
  const call: Record<string, unknown> = { action, payload: {}, context: {} };
  if (path !== undefined) {
    const parts = path.split('.');
    let at = call;
    for (const part of parts.slice(0, -1)) {
      at[part] ??= {};
      at = at[part] as Record<string, unknown>;
    }
    at[parts.at(-1) as string] = value;
  }
  return `{${Object.entries(call)
    .map(([key, one]) => `${JSON.stringify(key)}: ${flat(one)}`)
    .join(', ')}}`;
}
const flat = (value: unknown): string => regoOf(value).replaceAll(/\s*\n\s*/g, ' ');

function parts(form: RuleForm): { about: string; helpers: string[]; rules: Rule[]; cases: Case[] } {
  const action = form.actions[0] ?? '';
  const other = form.actions.includes('something_else') ? 'something_else_again' : 'something_else';
  const applies = `applies if input.action in ${set(form.actions)}`;
  const names = form.actions.join(', ');
  if (form.kind === 'roles') {
    const required = `{"k": ${form.people}, "roles": ${list(form.roles)}}`;
    return {
      about: `${names}: ${form.people} of ${form.roles.join(', ')} must approve.`,
      helpers: [applies],
      rules: [
        {
          answer: 'approve',
          id: 'asks_people',
          title: 'People must approve',
          reason: `${form.title} needs approval`,
          required,
          body: ['applies'],
        },
      ],
      cases: [
        { name: 'it_asks', rules: ['asks_people'], call: callOf(action, undefined, 0), of: 'approve' },
        { name: 'another_action_passes', rules: [], call: callOf(other, undefined, 0), of: 'approve' },
      ],
    };
  }
  const field = form.kind === 'region' ? 'context.region' : form.field;
  const path = field
    .split('.')
    .map(part => JSON.stringify(part))
    .join(', ');
  // In a list of one, so that a missing value is null and no rule falls silent.
  const found = `found := object.get(input, [${path}], null)`;
  if (form.kind === 'threshold') {
    const required = requiredOf(form.people, form.roles);
    const { limit, ceiling } = form;
    const word = field.split('.').at(-1);
    return {
      about: `${names}: ${field} above ${limit} needs approval${ceiling === undefined ? '' : `, above ${ceiling} is denied`}; without a number it needs approval.`,
      helpers: [applies, found],
      rules: [
        ...(ceiling === undefined
          ? []
          : [
              {
                answer: 'deny' as const,
                id: 'above_ceiling',
                title: 'Above the ceiling',
                reason: `${word} > ${ceiling}`,
                body: ['applies', 'is_number(found)', `found > ${ceiling}`],
              },
            ]),
        {
          answer: 'approve',
          id: 'above_limit',
          title: 'Above the limit',
          reason: `${word} > ${limit}`,
          ...(required === undefined ? {} : { required }),
          body: ['applies', 'is_number(found)', `found > ${limit}`],
        },
        {
          answer: 'approve',
          id: 'unreadable',
          title: 'No number',
          reason: `${word} is no number`,
          ...(required === undefined ? {} : { required }),
          body: ['applies', 'type_name(found) != "number"'],
        },
      ],
      cases: [
        {
          name: 'above_the_limit_asks',
          rules: ['above_limit'],
          call: callOf(action, field, limit + 0.01),
          of: 'approve',
        },
        { name: 'the_limit_itself_passes', rules: [], call: callOf(action, field, limit), of: 'approve' },
        {
          name: 'a_missing_number_asks',
          rules: ['unreadable'],
          call: callOf(action, undefined, 0),
          of: 'approve',
        },
        {
          name: 'a_number_in_words_asks',
          rules: ['unreadable'],
          call: callOf(action, field, '20'),
          of: 'approve',
        },
        { name: 'another_action_passes', rules: [], call: callOf(other, field, limit + 1), of: 'approve' },
        ...(ceiling === undefined
          ? []
          : [
              {
                name: 'above_the_ceiling_is_denied',
                rules: ['above_ceiling'],
                call: callOf(action, field, ceiling + 0.01),
                of: 'deny' as const,
              },
              {
                name: 'the_ceiling_itself_is_not_denied',
                rules: [],
                call: callOf(action, field, ceiling),
                of: 'deny' as const,
              },
            ]),
      ],
    };
  }
  if (form.kind === 'list') {
    const inside = form.when === 'in';
    const id = inside ? 'listed' : 'not_listed';
    const outside = 'none of these';
    const member = form.values[0] ?? '';
    return {
      about: `${names}: ${form.answer === 'deny' ? 'denied' : 'needs approval'} where ${field} is ${inside ? '' : 'not '}one of ${form.values.join(', ')}${inside ? '' : ', or missing'}.`,
      helpers: [applies, found, `listed if found in ${set(form.values)}`],
      rules: [
        {
          answer: form.answer,
          id,
          title: inside ? 'On the list' : 'Not on the list',
          reason: `${field} is ${inside ? '' : 'not '}on the list`,
          body: ['applies', inside ? 'listed' : 'not listed'],
        },
      ],
      cases: [
        {
          name: 'on_the_list',
          rules: inside ? [id] : [],
          call: callOf(action, field, member),
          of: form.answer,
        },
        {
          name: 'not_on_the_list',
          rules: inside ? [] : [id],
          call: callOf(action, field, outside),
          of: form.answer,
        },
        { name: 'missing', rules: inside ? [] : [id], call: callOf(action, undefined, 0), of: form.answer },
        {
          name: 'another_action_passes',
          rules: [],
          call: callOf(other, field, inside ? member : outside),
          of: form.answer,
        },
      ],
    };
  }
  const region = form.regions[0] ?? '';
  const pii = form.personalData;
  const call = (where: string, holds: unknown): string =>
    `{"action": ${JSON.stringify(action)}, "payload": {${holds === undefined ? '' : `"contains_pii": ${JSON.stringify(holds)}`}}, "context": {"region": ${JSON.stringify(where)}}}`;
  return {
    about: `${names} from ${form.regions.join(', ')}${pii ? ' with personal data, or where that is not said' : ''}: ${form.answer === 'deny' ? 'denied' : 'needs approval'}.`,
    helpers: [
      applies,
      found,
      ...(pii ? ['contains_pii := object.get(input, ["payload", "contains_pii"], null)'] : []),
    ],
    rules: [
      {
        answer: form.answer,
        id: 'from_region',
        title: 'From a protected region',
        reason: pii ? 'personal data of a protected region' : 'from a protected region',
        body: ['applies', `found in ${set(form.regions)}`, ...(pii ? ['contains_pii != false'] : [])],
      },
    ],
    cases: [
      {
        name: 'from_the_region',
        rules: ['from_region'],
        call: call(region, pii ? true : undefined),
        of: form.answer,
      },
      ...(pii
        ? [
            {
              name: 'not_said_counts_as_personal',
              rules: ['from_region'],
              call: call(region, undefined),
              of: form.answer,
            },
            { name: 'without_personal_data_passes', rules: [], call: call(region, false), of: form.answer },
          ]
        : []),
      {
        name: 'from_elsewhere_passes',
        rules: [],
        call: call('elsewhere', pii ? true : undefined),
        of: form.answer,
      },
      {
        name: 'another_action_passes',
        rules: [],
        call: call(region, true).replace(JSON.stringify(action), JSON.stringify(other)),
        of: form.answer,
      },
    ],
  };
}

/** The two files that a form becomes. */
export function writeRule(form: RuleForm): { rego: PolicyFile; test: PolicyFile } {
  const { about, helpers, rules, cases } = parts(form);
  const metadata = (title: string, more: string[] = []): string =>
    ['# METADATA', ...more, `# title: ${JSON.stringify(oneLine(title))}`].join('\n');
  const rego = [
    [
      metadata(form.title, ['# scope: package']),
      `# description: ${JSON.stringify(oneLine(about))}`,
      `package trailmix.policies.${form.name}`,
    ].join('\n'),
    ...helpers,
    ...rules.map(({ answer, id, title, reason, required, body }) => {
      const entry = `{"rule": ${JSON.stringify(id)}, "reason": ${JSON.stringify(oneLine(reason))}${required === undefined ? '' : `, "required": ${required}`}}`;
      const one =
        body.length === 1 ? `if ${body[0]}` : `if {\n${body.map(line => `\t${line}`).join('\n')}\n}`;
      return `${metadata(title)}\n${answer} contains ${entry} ${one}`;
    }),
  ].join('\n\n');
  const test = [
    `package trailmix.policies.${form.name}_test`,
    `import data.trailmix.policies.${form.name}`,
    'rules(entries) := {entry.rule | some entry in entries}',
    ...cases.map(
      ({ name, rules: fired, call, of }) =>
        `test_${name} if {\n\trules(${form.name}.${of}) == ${fired.length === 0 ? 'set()' : set(fired)} with input as ${call}\n}`,
    ),
  ].join('\n\n');
  return {
    rego: { path: `${form.name}.rego`, text: `${rego}\n` },
    test: { path: `${form.name}_test.rego`, text: `${test}\n` },
  };
}

function settingsOf(files: readonly PolicyFile[]): Record<string, unknown> | undefined {
  try {
    const data = JSON.parse(textOf(files, 'data.json') ?? '{}') as unknown;
    return typeof data === 'object' && data !== null && !Array.isArray(data)
      ? (data as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

/** The draft with the rule in it: its two files, its name in data.json, and `decision` where no decision.rego is there. */
export function withRule(files: readonly PolicyFile[], form: RuleForm, decision: string): PolicyFile[] {
  const { rego, test } = writeRule(form);
  const data = settingsOf(files) ?? {};
  const settings = (
    typeof data.settings === 'object' && data.settings !== null ? data.settings : {}
  ) as Record<string, unknown>;
  const named = Array.isArray(settings.policies) ? settings.policies.map(String) : [];
  const next = { ...data, settings: { ...settings, policies: [...new Set([...named, form.name])] } };
  return withFiles(files, [
    ...(files.some(file => file.path === 'decision.rego') ? [] : [{ path: 'decision.rego', text: decision }]),
    { path: 'data.json', text: `${JSON.stringify(next, null, 2)}\n` },
    rego,
    test,
  ]);
}
