/**
 * The Rego toolchain for pages and the socket: check with lint, format, test, evaluate, why, repair, over files that
 * come with the request. Rules: nothing is kept; what the author did wrong is an answer with diagnostics, never an
 * error; a request has the toolchain's deadline, and at most its queue may wait (busy); what runs tests has a worker of its own.
 * Format: docs/spec/policy.md.
 */
import { readFile } from 'node:fs/promises';
import { TrailmixError } from '../../core/api/errors.ts';
import type { InputOf, OutputOf } from '../../core/api/operations.ts';
import {
  type FileCoverage,
  POLICY_LIMITS,
  type PolicyDiagnostic,
  type PolicyFile,
  type TestCounts,
} from '../../core/api/policy_views.ts';
import { policyInputSchema } from '../../core/policy/input_schema.ts';
import { lintRule } from '../../core/policy/lint_rules.ts';
import { DATA_PATH, ENTRYPOINT } from './bundle.ts';
import { createToolchain, type Toolchain } from './toolchain.ts';
import type { Coverage, Diagnostic, Faulty, Finding, RegoTest } from './toolchain_answers.ts';

export const ENTRY_QUERY = `data.${ENTRYPOINT.split('/').join('.')}`;
const DECISION_FILE = 'decision.rego';

/** The files of one request, told apart. */
export type Texts = { rego: PolicyFile[]; data?: unknown };

export type PolicyWorkshop = {
  check(input: InputOf<'checkPolicy'>): Promise<OutputOf<'checkPolicy'>>;
  format(input: InputOf<'formatPolicy'>): Promise<OutputOf<'formatPolicy'>>;
  test(input: InputOf<'testPolicy'>): Promise<OutputOf<'testPolicy'>>;
  evaluate(input: InputOf<'evaluatePolicy'>): Promise<OutputOf<'evaluatePolicy'>>;
  explain(input: InputOf<'explainPolicy'>): Promise<OutputOf<'explainPolicy'>>;
  repair(input: InputOf<'repairPolicy'>): Promise<OutputOf<'repairPolicy'>>;
  /** The toolchain itself and the capabilities that it compiles under. Throws toolchain_missing. */
  toolchain(): Promise<{ tools: Toolchain; capabilities: string }>;
  close(): Promise<void>;
};

export type WorkshopOptions = {
  /** Folder of the built toolchain (resources/generated/toolchain). */
  toolchain: string;
  /** Text of the capabilities: policies/capabilities.json. */
  capabilities: string;
  /** policies/decision.rego: what `repair` adds. */
  decision: string;
};

const invalid = (where: string, message: string): TrailmixError =>
  new TrailmixError('input_invalid', { where, message });

/** Bounds and form of the files of one request. Throws input_invalid; a data.json that is no JSON is a diagnostic. */
export function textsOf(files: readonly PolicyFile[]): Texts | { fault: PolicyDiagnostic } {
  const seen = new Set<string>();
  let characters = 0;
  for (const [n, { path, text }] of files.entries()) {
    if (seen.has(path)) throw invalid(`/files/${n}/path`, `${path} is there twice`);
    seen.add(path);
    characters += text.length;
    if (path.endsWith('.json') && path !== DATA_PATH)
      throw invalid(`/files/${n}/path`, `${path}: the only JSON file of a set is ${DATA_PATH}, at its top`);
  }
  if (characters > POLICY_LIMITS.all)
    throw invalid('/files', `The texts have ${characters} characters; at most ${POLICY_LIMITS.all}`);
  const rego = files.filter(({ path }) => path.endsWith('.rego'));
  if (rego.length === 0) throw invalid('/files', 'There is no .rego file');
  const data = files.find(({ path }) => path === DATA_PATH);
  if (data === undefined) return { rego };
  try {
    return { rego, data: JSON.parse(data.text) as unknown };
  } catch (error) {
    const message = `${DATA_PATH} is no JSON: ${(error as Error).message}`;
    return { fault: { path: DATA_PATH, row: 1, col: 1, code: 'json', severity: 'error', message } };
  }
}

/** OPA names where a fault begins: it ends where the word there ends, or the character. */
function spanOf(
  files: readonly PolicyFile[],
  at: { path?: string; row?: number; col?: number },
): Pick<PolicyDiagnostic, 'end_row' | 'end_col'> {
  const { path, row, col } = at;
  if (path === undefined || row === undefined || col === undefined) return {};
  const line = files.find(file => file.path === path)?.text.split('\n')[row - 1] ?? '';
  const word = /^(?:[A-Za-z0-9_]+(?:\.[A-Za-z0-9_]+)*|.)/u.exec(line.slice(col - 1))?.[0] ?? ' ';
  return { end_row: row, end_col: col + word.length };
}

const diagnosticOf = (files: readonly PolicyFile[], one: Diagnostic): PolicyDiagnostic => ({
  ...(one.path === undefined || one.path === '' ? {} : { path: one.path }),
  ...(one.row === undefined ? {} : { row: one.row }),
  ...(one.col === undefined ? {} : { col: one.col }),
  ...spanOf(files, one),
  code: one.code,
  severity: 'error',
  message: one.message,
  ...(one.builtin === undefined ? {} : { builtin: one.builtin }),
});

const findingOf = (files: readonly PolicyFile[], one: Finding): PolicyDiagnostic => ({
  path: one.path,
  row: one.row,
  col: one.col,
  ...spanOf(files, one),
  code: one.rule,
  severity: lintRule(one.rule)?.level ?? 'warning',
  message: one.message,
});

export const faultsOf = (files: readonly PolicyFile[], faulty: Faulty): PolicyDiagnostic[] =>
  faulty.errors.map(error => diagnosticOf(files, error));

export const countsOf = (tests: readonly RegoTest[], percent: number): TestCounts => {
  const of = (...outcomes: RegoTest['outcome'][]): number =>
    tests.filter(({ outcome }) => outcomes.includes(outcome)).length;
  return { passed: of('pass'), failed: of('fail', 'error'), skipped: of('skip'), percent };
};

export const NO_TESTS: TestCounts = { passed: 0, failed: 0, skipped: 0, percent: 0 };

const coverageOf = ({ files }: Coverage): FileCoverage[] =>
  Object.entries(files)
    .map(([path, { coverage = 0, covered = [], not_covered = [] }]) => ({
      path,
      percent: coverage,
      covered: covered.map(({ start, end }) => ({ start: start.row, end: end.row })),
      not_covered: not_covered.map(({ start, end }) => ({ start: start.row, end: end.row })),
    }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));

const dataOf = (texts: Texts): { data?: unknown } => ('data' in texts ? { data: texts.data } : {});
const changed = ({ path, text, changed = false }: { path: string; text: string; changed?: boolean }) => ({
  path,
  text,
  changed,
});

export function createPolicyWorkshop(options: WorkshopOptions): PolicyWorkshop {
  type Held = { tools: Toolchain; capabilities: string };
  const opening = (): (() => Promise<Held>) & { held(): Promise<Held | undefined> } => {
    let made: Promise<Held> | undefined;
    const open = (): Promise<Held> => {
      made ??= (async () => {
        const capabilities = await readFile(options.capabilities, 'utf8');
        const dir = options.toolchain;
        return {
          tools: await createToolchain({ dir, capabilities, inputSchema: policyInputSchema }),
          capabilities,
        };
      })().catch(error => {
        made = undefined;
        throw (error as NodeJS.ErrnoException).code === 'ENOENT'
          ? new TrailmixError('toolchain_missing')
          : error;
      });
      return made;
    };
    return Object.assign(open, { held: async () => made?.catch(() => undefined) });
  };
  const toolchain = opening();
  // Running tests takes seconds, and the compiler's word on what is being typed must not wait for it: a worker of its own.
  const running = opening();
  const tools = async (): Promise<Toolchain> => (await toolchain()).tools;

  return {
    toolchain,

    async check({ files, lint = true, tests = true }) {
      const texts = textsOf(files);
      if ('fault' in texts) return { ok: false, diagnostics: [texts.fault], rego_v0: [] };
      const tool = await tools();
      const checked = await tool.check(texts.rego);
      if (!checked.ok)
        return { ok: false, diagnostics: faultsOf(files, checked), rego_v0: checked.rego_v0 ?? [] };
      if (!lint) return { ok: true, diagnostics: [], rego_v0: [] };
      const linter = tests ? (await running()).tools : tool;
      const linted = await linter.lint(texts.rego, { entrypoint: ENTRYPOINT, tests, ...dataOf(texts) });
      return {
        ok: linted.ok,
        diagnostics: linted.ok ? linted.findings.map(one => findingOf(files, one)) : faultsOf(files, linted),
        rego_v0: [],
      };
    },

    async format({ files }) {
      const texts = textsOf(files);
      if ('fault' in texts) return { ok: false, diagnostics: [texts.fault], files: [] };
      const formatted = await (await tools()).format(texts.rego);
      if (!formatted.ok) return { ok: false, diagnostics: faultsOf(files, formatted), files: [] };
      return { ok: true, diagnostics: [], files: formatted.files.map(changed) };
    },

    async test({ files, run }) {
      const texts = textsOf(files);
      const none = { ok: false, tests: [], counts: NO_TESTS, coverage: [] };
      if ('fault' in texts) return { ...none, diagnostics: [texts.fault] };
      const tested = await (await running()).tools.test(texts.rego, {
        ...dataOf(texts),
        ...(run === undefined ? {} : { run }),
      });
      if (!tested.ok) return { ...none, diagnostics: faultsOf(files, tested) };
      const counts = countsOf(tested.tests, tested.coverage.coverage);
      return {
        ok: counts.passed > 0 && counts.failed === 0,
        diagnostics: [],
        tests: tested.tests,
        counts,
        coverage: coverageOf(tested.coverage),
      };
    },

    async evaluate({ files, query = ENTRY_QUERY, trace, ...rest }) {
      const texts = textsOf(files);
      const none = { ok: false, defined: false, printed: [], faults: [], trace: [], trace_cut: false };
      if ('fault' in texts) return { ...none, diagnostics: [texts.fault] };
      const answer = await (await tools()).evaluate(texts.rego, {
        query,
        ...('input' in rest ? { input: rest.input } : {}),
        ...dataOf(texts),
        ...(trace === undefined ? {} : { trace }),
      });
      if (!answer.ok) return { ...none, diagnostics: faultsOf(files, answer) };
      const { result, printed, faults, trace: steps, trace_cut } = answer;
      return {
        ok: true,
        diagnostics: [],
        defined: 'result' in answer,
        ...('result' in answer ? { result } : {}),
        printed,
        faults: faults.map(one => diagnosticOf(files, one)),
        trace: steps,
        trace_cut,
      };
    },

    async explain({ files, rule = ENTRY_QUERY, ...rest }) {
      const texts = textsOf(files);
      if ('fault' in texts) return { ok: false, diagnostics: [texts.fault], defined: false, rules: [] };
      const answer = await (await tools()).why(texts.rego, {
        rule,
        ...('input' in rest ? { input: rest.input } : {}),
        ...dataOf(texts),
      });
      if (!answer.ok) return { ok: false, diagnostics: faultsOf(files, answer), defined: false, rules: [] };
      const defined = 'result' in answer;
      return {
        ok: true,
        diagnostics: [],
        defined,
        ...(defined ? { result: answer.result } : {}),
        rules: answer.rules,
      };
    },

    async repair({ files, merge = false }) {
      const texts = textsOf(files);
      const none = {
        ok: false,
        files: [],
        found: [],
        changes: [],
        pairs: [],
        examples: [],
        tried: 0,
        remaining: [],
      };
      if ('fault' in texts) return { ...none, diagnostics: [texts.fault] };
      const adds = merge && !files.some(({ path }) => path.split('/').at(-1) === DECISION_FILE);
      const rego = adds
        ? [...texts.rego, { path: DECISION_FILE, text: await readFile(options.decision, 'utf8') }]
        : texts.rego;
      const answer = await (await tools()).repair(rego);
      if (!answer.ok) return { ...none, diagnostics: faultsOf(files, answer) };
      const { repair } = answer;
      return {
        ok: true,
        diagnostics: [],
        files: answer.files.map(file => ({
          ...changed(file),
          ...(adds && file.path === DECISION_FILE ? { changed: true } : {}),
        })),
        found: repair.found.map(({ path, rego_v0, as_v0 = [], as_v1 = [] }) => ({
          path,
          rego_v0,
          faults: (rego_v0 ? as_v0 : as_v1).map(one => diagnosticOf(files, one)),
        })),
        changes: repair.changes,
        pairs: repair.pairs,
        examples: repair.examples.map(example => ({ ...example, input: example.input })),
        tried: repair.tried,
        remaining: (repair.remaining ?? []).map(one => diagnosticOf(files, one)),
      };
    },

    async close() {
      for (const one of [toolchain, running]) await (await one.held())?.tools.close();
    },
  };
}
