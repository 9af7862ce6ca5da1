/** What each verb of `trailmix policy` does with the toolchain, and how it says it to a person and to a program. */
import { writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { RegoFile, Toolchain } from '../collector/policy/toolchain.ts';
import type { Coverage, Faulty, RegoTest, RuleReport } from '../collector/policy/toolchain_answers.ts';
import { lintRule } from '../core/policy/lint_rules.ts';
import type { ExitCode, Output } from './command.ts';
import { type PolicyFiles, writeFiles } from './policy_files.ts';

export type VerbOptions = {
  run?: string | undefined;
  out?: string | undefined;
  entrypoint: string;
  query?: string | undefined;
  rule?: string | undefined;
  /** Already read; `given` tells an absent input from a null one. */
  input: { given: boolean; value?: unknown };
  trace: boolean;
  write: boolean;
  coverage: boolean;
  /** Text of decision.rego, to be added where none is there. */
  merge?: string | undefined;
};

export type Verb = (
  toolchain: Toolchain,
  policy: PolicyFiles,
  out: Output,
  options: VerbOptions,
) => Promise<ExitCode>;

const place = (at: { path?: string; row?: number; col?: number }): string =>
  [at.path ?? '', at.row ?? '', at.col ?? ''].filter(part => part !== '').join(':');
const plural = (n: number, word: string): string => `${n} ${word}${n === 1 ? '' : 's'}`;
const short = (value: unknown): string => {
  const text = JSON.stringify(value) ?? 'undefined';
  return text.length > 200 ? `${text.slice(0, 199)}…` : text;
};
const dataOf = ({ data }: PolicyFiles): { data?: unknown } => (data === undefined ? {} : { data });

export function sayFaults(out: Output, { errors, rego_v0 }: Faulty): ExitCode {
  out.json({ ok: false, errors, ...(rego_v0 === undefined ? {} : { rego_v0 }) });
  for (const error of errors) out.say(`${place(error)}  ${error.code}: ${error.message}`);
  if (rego_v0 !== undefined) {
    out.say(`${rego_v0.join(', ')}: this is Rego v0. \`trailmix policy repair\` says what would change.`);
  }
  return 1;
}

const check: Verb = async (toolchain, { files }, out) => {
  const checked = await toolchain.check(files);
  if (!checked.ok) return sayFaults(out, checked);
  out.json({ ok: true, files: files.map(file => file.path) });
  out.say(`${plural(files.length, 'file')}: no fault found.`);
  return 0;
};

const lint: Verb = async (toolchain, policy, out, { entrypoint }) => {
  const answer = await toolchain.lint(policy.files, { entrypoint, ...dataOf(policy) });
  if (!answer.ok) return sayFaults(out, answer);
  const findings = answer.findings.map(one => ({ ...one, level: lintRule(one.rule)?.level ?? 'warning' }));
  out.json({ ok: findings.length === 0, findings });
  for (const one of findings) out.say(`${place(one)}  ${one.level} ${one.rule}: ${one.message}`);
  out.say(
    findings.length === 0
      ? 'Nothing found.'
      : `${plural(findings.length, 'finding')}; each is explained in docs/policy-lint.md.`,
  );
  return findings.length === 0 ? 0 : 1;
};

const fmt: Verb = async (toolchain, { files }, out, { write }) => {
  const answer = await toolchain.format(files);
  if (!answer.ok) return sayFaults(out, answer);
  const changed = answer.files.filter(file => file.changed);
  if (write) await writeFiles(changed);
  out.json({
    ok: write || changed.length === 0,
    written: write,
    files: answer.files.map(({ path, text, changed = false }) => ({
      path,
      changed,
      ...(changed ? { text } : {}),
    })),
  });
  for (const { path } of changed) out.say(write ? `${path} written` : `${path} would change`);
  if (changed.length === 0) out.say(`${plural(files.length, 'file')}: formatted as opa fmt writes.`);
  else if (!write) out.say('With --write the files are changed.');
  return write || changed.length === 0 ? 0 : 1;
};

const repair: Verb = async (toolchain, { files }, out, { write, merge }) => {
  const has = files.some(({ path }) => path === 'decision.rego' || path.endsWith('/decision.rego'));
  const folder = dirname(files[0]!.path);
  const added: RegoFile[] =
    merge === undefined || has
      ? []
      : [{ path: folder === '.' ? 'decision.rego' : `${folder}/decision.rego`, text: merge }];
  const answer = await toolchain.repair([...files, ...added]);
  if (!answer.ok) return sayFaults(out, answer);
  const { found, changes, pairs, examples, tried, remaining } = answer.repair;
  const changed = answer.files.filter(file => file.changed || added.some(({ path }) => path === file.path));
  const ok = remaining === undefined;
  if (write && ok) await writeFiles(changed);
  out.json({
    ok,
    written: write && ok,
    files: changed.map(({ path, text }) => ({ path, text })),
    ...answer.repair,
  });
  for (const { path, as_v1 = [], as_v0 = [] } of found) {
    for (const fault of as_v0.length > 0 ? as_v0 : as_v1) {
      out.say(`found    ${path}:${fault.row}  ${as_v0.length > 0 ? 'as Rego v0: ' : ''}${fault.message}`);
    }
  }
  for (const { path, row, what, meaning, before, after } of changes) {
    out.say(`changed  ${path}${row === undefined ? '' : `:${row}`}  ${what}  [meaning: ${meaning}]`);
    if (before !== undefined) out.say(`           - ${before.split('\n').join('\n             ')}`);
    if (after !== undefined) out.say(`           + ${after.split('\n').join('\n             ')}`);
  }
  for (const { a, b, apart } of pairs) {
    out.say(
      `pair     ${a} and ${b} ${apart === undefined ? 'may both hold: an evaluation error' : `can never both hold: ${apart}`}`,
    );
  }
  for (const { input, before, after } of examples) {
    out.say(`differs  ${short(input)}\n           - ${short(before)}\n           + ${short(after)}`);
  }
  out.say(
    `${plural(changes.length, 'change')}; of ${plural(tried, 'input')} tried, ${examples.length} decided differently.`,
  );
  for (const fault of remaining ?? []) out.say(`remains  ${place(fault)}  ${fault.message}`);
  if (!ok) out.say('Nothing is written while this remains.');
  else if (changed.length > 0)
    out.say(
      write ? `${changed.map(({ path }) => path).join(', ')} written` : 'With --write the files are changed.',
    );
  return ok ? 0 : 1;
};

const uncovered = (coverage: Coverage): string[] =>
  Object.entries(coverage.files).flatMap(([path, { not_covered = [] }]) =>
    not_covered.map(({ start, end }) => `${path}:${start.row}${end.row === start.row ? '' : `-${end.row}`}`),
  );

const test: Verb = async (toolchain, policy, out, { run, coverage }) => {
  const tested = await toolchain.test(policy.files, {
    ...dataOf(policy),
    ...(run === undefined ? {} : { run }),
  });
  if (!tested.ok) return sayFaults(out, tested);
  const wrong = (one: RegoTest): boolean => one.outcome === 'fail' || one.outcome === 'error';
  const failed = tested.tests.filter(wrong);
  const ok = failed.length === 0 && tested.tests.length > 0;
  out.json({ ok, tests: tested.tests, coverage: tested.coverage });
  for (const one of failed) {
    out.say(`${one.outcome.toUpperCase()}  ${place(one)} ${one.name} ${one.message ?? ''}`.trimEnd());
    for (const { name } of one.cases?.filter(({ failed }) => failed) ?? []) out.say(`      case ${name}`);
    for (const line of one.output?.trimEnd().split('\n') ?? []) out.say(`      ${line}`);
  }
  for (const one of tested.tests.filter(({ outcome }) => outcome === 'skip'))
    out.say(`SKIP  ${place(one)} ${one.name}`);
  if (coverage) for (const line of uncovered(tested.coverage)) out.say(`not covered  ${line}`);
  const passed = tested.tests.filter(({ outcome }) => outcome === 'pass').length;
  out.say(
    tested.tests.length === 0
      ? 'There are no tests: rules named test_... in files *_test.rego.'
      : `${passed} of ${tested.tests.length} tests passed; ${tested.coverage.coverage} % of lines covered.`,
  );
  return ok ? 0 : 1;
};

const build: Verb = async (toolchain, { files }, out, { out: to = 'policy.wasm', entrypoint }) => {
  const built = await toolchain.build(files, entrypoint);
  if (!built.ok) return sayFaults(out, built);
  await writeFile(to, built.wasm);
  out.json({ ok: true, out: resolve(to), bytes: built.wasm.length, entrypoint });
  out.say(`Wrote ${to} (${built.wasm.length} bytes), entrypoint ${entrypoint}.`);
  return 0;
};

const inputOf = ({ input }: VerbOptions): { input?: unknown } => (input.given ? { input: input.value } : {});
const queryOf = ({ query, entrypoint }: VerbOptions): string =>
  query ?? `data.${entrypoint.split('/').join('.')}`;
/** Events of a trace that are answered at most. */
const MOST_TRACE = 10_000;

const evaluate: Verb = async (toolchain, policy, out, options) => {
  const query = queryOf(options);
  const answer = await toolchain.evaluate(policy.files, {
    query,
    ...inputOf(options),
    ...dataOf(policy),
    ...(options.trace ? { trace: MOST_TRACE } : {}),
  });
  if (!answer.ok) return sayFaults(out, answer);
  const { result, printed, faults, trace, trace_cut } = answer;
  const defined = 'result' in answer;
  out.json({
    ok: defined,
    query,
    ...(defined ? { result } : {}),
    printed,
    faults,
    ...(options.trace ? { trace, trace_cut } : {}),
  });
  for (const line of printed) out.say(`print  ${place(line)}  ${line.text}`);
  for (const fault of faults) out.say(`fault  ${place(fault)}  ${fault.message}`);
  for (const event of trace) out.say(`${event.op.padEnd(8)} ${place(event)}  ${event.node.split('\n')[0]}`);
  if (trace_cut) out.say(`(the trace goes on beyond ${MOST_TRACE} events)`);
  out.say(
    defined
      ? JSON.stringify(result, null, 2)
      : `${query} is undefined. \`trailmix policy why\` says where its rules stopped.`,
  );
  return defined ? 0 : 1;
};

function sayRule(out: Output, { rule, path, row, head, fired, asked, stopped = [] }: RuleReport): void {
  const state = fired > 0 ? 'fired' : asked ? 'did not fire' : 'was not asked for';
  out.say(`${path}:${row}  ${rule}  ${state}`);
  out.say(`    ${head}`);
  if (fired > 0) return;
  for (const { row: at, text, kind, times, reads = [] } of stopped) {
    const why = kind === 'negated' ? 'what is negated holds' : kind;
    out.say(`    line ${at}: ${text}  is ${why}${times > 1 ? ` (${times} times)` : ''}`);
    for (const { name, value, defined } of reads) {
      out.say(`        ${name} ${defined ? `= ${short(value)}` : 'is not there'}`);
    }
  }
}

const why: Verb = async (toolchain, policy, out, options) => {
  const rule = options.rule ?? queryOf(options);
  const answer = await toolchain.why(policy.files, { rule, ...inputOf(options), ...dataOf(policy) });
  if (!answer.ok) return sayFaults(out, answer);
  const known = answer.rules.some(one => one.rule === rule);
  out.json({
    ok: known,
    rule,
    ...('result' in answer ? { result: answer.result } : {}),
    rules: answer.rules,
  });
  if (!known) out.say(`There is no rule ${rule}.`);
  else {
    out.say(`${rule} = ${'result' in answer ? short(answer.result) : 'undefined'}`);
    for (const one of answer.rules) if (!one.default) sayRule(out, one);
  }
  return known ? 0 : 1;
};

export const verbs: Readonly<Record<string, Verb>> = {
  check,
  lint,
  fmt,
  repair,
  test,
  build,
  eval: evaluate,
  why,
};
