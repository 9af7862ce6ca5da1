/**
 * Lint rules for policies beside OPA's strict mode: ids, levels and the page of documentation of each. The rules
 * themselves run in the toolchain (policies/toolchain/lint.go), on OPA's own syntax tree; an id that is not here is a
 * fault of the toolchain. docs/policy-lint.md and the app's pages are made from this table, and tests run both
 * examples of every rule: `bad` must be found, `good` must not.
 */

export type LintRule = {
  readonly id: string;
  /** warning: probably not what was meant. note: worth knowing. */
  readonly level: 'warning' | 'note';
  readonly title: string;
  /** Why it matters and what to write instead; paragraphs of plain text with `code`. */
  readonly why: string;
  /** Whole files. */
  readonly bad: string;
  readonly good: string;
};

const file = (body: string): string => `package trailmix\n\n${body}`;
const decided = (condition: string): string =>
  file(`decision := {"result": "deny", "reasons": ["no"]} if {\n${condition}\n}\n`);

const rules = [
  {
    id: 'true-when-false',
    level: 'warning',
    title: 'A condition that is true when the value is false',
    why: 'Assigning is no test: `pii := input.payload.contains_pii` succeeds for every value that is there, `false` too. Compare with the value that you mean: `input.payload.contains_pii == true`.',
    bad: decided('\t_ = input.payload.contains_pii'),
    good: decided('\tinput.payload.contains_pii == true'),
  },
  {
    id: 'bare-input',
    level: 'warning',
    title: 'A value of the input as a condition',
    why: 'A reference alone holds for every value but `false`: `0`, `""`, `"no"`, `null` and `[]` all pass. The caller chooses the value, so say which one you mean: `== true`.',
    bad: decided('\tinput.payload.contains_pii'),
    good: decided('\tinput.payload.contains_pii == true'),
  },
  {
    id: 'not-on-input',
    level: 'warning',
    title: '`not` on a value of the input',
    why: '`not input.context.approved` holds when the value is `false` and also when it is missing, and does not hold for `"no"`. Where missing and false should be treated alike, say so: `object.get(input, ["context", "approved"], false) != true`. (The first argument is `input`, which is always there.)',
    bad: decided('\tnot input.context.approved'),
    good: decided('\tobject.get(input, ["context", "approved"], false) != true'),
  },
  {
    id: 'not-silent-when-missing',
    level: 'warning',
    title: '`not` before a call, silent when the argument is missing',
    why: 'OPA reads the argument before it applies `not`. In `not is_number(input.payload.amount)` a missing amount makes the whole condition undefined, so the rule stays silent exactly where it should speak. Read the value with a default: `not is_number(object.get(input, ["payload", "amount"], null))`.',
    bad: decided('\tnot is_number(input.payload.amount)'),
    good: decided('\tnot is_number(object.get(input, ["payload", "amount"], null))'),
  },
  {
    id: 'untyped-comparison',
    level: 'warning',
    title: 'A comparison with a number of a value that may be none',
    why: 'Rego orders all values: null < booleans < numbers < strings < lists < objects < sets. `"20" > 500` is true, `null > 500` is false, and a missing value makes the rule silent. Test with `is_number` in the same rule, and have another rule ask where the value is no number.',
    bad: decided('\tinput.payload.amount > 500'),
    good: decided('\tis_number(input.payload.amount)\n\tinput.payload.amount > 500'),
  },
  {
    id: 'unreachable-rule',
    level: 'warning',
    title: 'A rule that never fires',
    why: 'Its conditions exclude each other (a value cannot equal two constants, or be above 5 and below 3), one of them is `false`, or the `else` stands behind a branch that always holds. Conditions of helpers with one definition are counted in.',
    bad: decided('\tinput.action == "issue_refund"\n\tinput.action == "send_wire"'),
    good: decided('\tinput.action in {"issue_refund", "send_wire"}'),
  },
  {
    id: 'unused-rule',
    level: 'warning',
    title: 'A rule that no decision reads',
    why: 'Nothing on the way from the entrypoint (`trailmix/decision`) reads this rule; a test alone does not count. It is left over, or the rule that should use it names another one.',
    bad: file('decision := {"result": "allow", "reasons": []}\n\nlarge if input.action == "issue_refund"\n'),
    good: file(
      'decision := {"result": "allow", "reasons": []} if large\n\nlarge if input.action == "issue_refund"\n',
    ),
  },
  {
    id: 'untested-rule',
    level: 'warning',
    title: 'A rule that no test makes fire',
    why: 'All tests were run, and in none of them this definition had a value. A rule that never fired in a test may never fire at all. Add a test, in a file that ends in `_test.rego`, with an input that meets its conditions.',
    bad: decided('\tinput.action == "issue_refund"'),
    good: `${decided('\tinput.action == "issue_refund"')}\ntest_refund if decision.result == "deny" with input as {"action": "issue_refund"}\n`,
  },
  {
    id: 'conflicting-values',
    level: 'warning',
    title: 'A rule with two values that may hold together',
    why: 'A complete rule (`decision := ...`) must have one value. Where two definitions hold for one input, evaluation stops with an error, and an error denies. Add reasons to `deny` and `approve` instead, and let decision.rego merge them. Pairs whose conditions exclude each other are not reported.',
    bad: file(
      'decision := {"result": "deny", "reasons": []} if input.risk == "high"\n\ndecision := {"result": "allow", "reasons": []} if input.action == "read"\n',
    ),
    good: file(
      'decision := {"result": "deny", "reasons": []} if input.action == "wipe"\n\ndecision := {"result": "allow", "reasons": []} if input.action == "read"\n',
    ),
  },
  {
    id: 'non-deterministic',
    level: 'warning',
    title: 'A function whose answer depends on more than its arguments',
    why: 'A clock, randomness, the network or the host make a decision that cannot be made again from its record: no test and no auditor could tell whether it was right. Such functions are refused by `check` as well. A time comes as `input.now`, facts come as `data`.',
    bad: decided('\ttime.now_ns() > 0'),
    good: decided('\tinput.now > "2027-01-01T00:00:00Z"'),
  },
  {
    id: 'deprecated-builtin',
    level: 'warning',
    title: 'A deprecated function',
    why: 'OPA has taken these out of Rego v1: `any` and `all` become `some` and `every`, `re_match` becomes `regex.match`, `cast_*` become `is_*` or `to_number`.',
    bad: decided('\tre_match("^x", input.action)'),
    good: decided('\tregex.match("^x", input.action)'),
  },
  {
    id: 'shadowed-name',
    level: 'warning',
    title: 'A variable that hides a rule, an import or a function',
    why: 'Inside the rule the name means the variable; a reader takes it for the rule, import or built-in function of that name, and a later edit may use the wrong one. Give the variable a name of its own.',
    bad: file(
      'limit := 500\n\ndecision := {"result": "deny", "reasons": []} if {\n\tsome limit in [1, 2]\n\tlimit > 1\n}\n',
    ),
    good: file(
      'limit := 500\n\ndecision := {"result": "deny", "reasons": []} if {\n\tsome step in [1, 2]\n\tstep > limit\n}\n',
    ),
  },
] as const satisfies readonly LintRule[];

export type LintRuleId = (typeof rules)[number]['id'];

export const lintRules: readonly LintRule[] = rules;

export const lintRule = (id: string): LintRule | undefined => lintRules.find(rule => rule.id === id);

/** The page of one rule, as Markdown. */
export function lintPage(rule: LintRule): string {
  return [
    `## ${rule.id}`,
    '',
    `**${rule.title}** (${rule.level})`,
    '',
    rule.why,
    '',
    'Found in:',
    '',
    '```rego',
    rule.bad.trimEnd(),
    '```',
    '',
    'Not found in:',
    '',
    '```rego',
    rule.good.trimEnd(),
    '```',
    '',
  ].join('\n');
}

/** docs/policy-lint.md. */
export function lintDocument(): string {
  return [
    '# Lint rules for policies',
    '',
    'Generated from core/policy/lint_rules.ts by resources/build/policy-docs.ts; do not edit.',
    '',
    "`trailmix policy lint` runs these beside the strict mode of OPA's compiler (`trailmix policy check`), on OPA's own",
    'syntax tree. A finding is legal Rego that probably does not mean what it says. Where it does, put',
    '`# trailmix-lint-ignore: rule-id` on the line or the one above.',
    '',
    ...lintRules.map(rule => `- [${rule.id}](#${rule.id}): ${rule.title.toLowerCase()}`),
    '',
    ...lintRules.map(lintPage),
  ].join('\n');
}
