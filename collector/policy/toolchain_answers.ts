/** What the Rego toolchain answers: the shapes of policies/toolchain/message.go, why.go, lint.go and repair.go. */
import type { LintRuleId } from '../../core/policy/lint_rules.ts';

export type RegoFile = { path: string; text: string };
/** `changed`: the text differs from the one sent. */
export type RegoText = RegoFile & { changed?: boolean };

/** One fault in a policy's text; row and col count from 1 and are absent when the fault has no place. */
export type Diagnostic = {
  /** OPA's, or `builtin_refused` for a function of OPA that policies may not use, then with `builtin`. */
  code: string;
  message: string;
  path?: string;
  row?: number;
  col?: number;
  builtin?: string;
};

/** `rego_v0`: files that are Rego v0; `repair` brings them over. */
export type Faulty = { ok: false; errors: Diagnostic[]; rego_v0?: string[] };

export type RegoTest = {
  package: string;
  name: string;
  outcome: 'pass' | 'fail' | 'error' | 'skip';
  message?: string;
  /** What print() wrote. */
  output?: string;
  path?: string;
  row?: number;
  duration_ns: number;
  /** Of a rule that names cases (`test_x[name]`): each, by name. */
  cases?: { name: string; failed?: boolean }[];
};

type Lines = { start: { row: number }; end: { row: number } };
/** Line coverage as OPA reports it; `coverage` in percent. */
export type Coverage = {
  coverage: number;
  covered_lines: number;
  not_covered_lines: number;
  files: Record<string, { coverage?: number; covered?: Lines[]; not_covered?: Lines[] }>;
};

/** One step of an evaluation, in order. `op` is OPA's: Enter, Eval, Exit, Fail, Redo, Index, Note... */
export type TraceEvent = {
  op: string;
  node: string;
  path?: string;
  row?: number;
  col?: number;
  query: number;
  parent: number;
  message?: string;
};

export type Evaluation = {
  ok: true;
  /** Absent when undefined. */
  result?: unknown;
  /** What print() wrote: at most 1,000 lines of 2,000 characters. */
  printed: { text: string; path?: string; row?: number }[];
  /** Built-in functions that failed on the way, hence were undefined. */
  faults: Diagnostic[];
  trace: TraceEvent[];
  trace_cut: boolean;
};

/** A condition that did not hold. */
export type Stop = {
  path: string;
  row: number;
  col: number;
  text: string;
  /** `negated`: what stands after `not` holds. `undefined`: a value that it reads is not there. */
  kind: 'false' | 'undefined' | 'negated';
  times: number;
  /** Values that it read, as they were when it failed last. */
  reads?: { name: string; value?: unknown; defined: boolean }[];
};

/** One definition of a rule, for one input. */
export type RuleReport = {
  /** `data.package.name`. */
  rule: string;
  path: string;
  row: number;
  head: string;
  default?: boolean;
  /** Something asked for it. */
  asked: boolean;
  /** Number of times. */
  fired: number;
  /** The furthest first. */
  stopped?: Stop[];
  /** Rules that the furthest condition reads; they have reports of their own. */
  uses?: string[];
};

export type Finding = { rule: LintRuleId; message: string; path: string; row: number; col: number };

/** What was wrong with a text, what was changed, and for which inputs the decision now differs. */
export type RepairReport = {
  found: { path: string; rego_v0: boolean; as_v1?: Diagnostic[]; as_v0?: Diagnostic[] }[];
  changes: {
    id: 'rewrite_v1' | 'declared_twice' | 'assigned_not_tested' | 'default_dropped' | 'decision_to_reasons';
    path: string;
    row?: number;
    before?: string;
    after?: string;
    what: string;
    /** `mended`: as it was, it did not compile. */
    meaning: 'same' | 'mended' | 'changed';
  }[];
  /** Complete decisions with different values; `apart` says why they never hold together, absent where they may. */
  pairs: { a: string; b: string; apart?: string }[];
  /** Found by evaluating both texts (the old one with only `mended` changes) on `tried` inputs around its conditions. */
  examples: { input: unknown; before?: unknown; after?: unknown }[];
  tried: number;
  /** What still does not compile. */
  remaining?: Diagnostic[];
};

/** What METADATA comments say of a package (no `rule`) or of one definition of a rule. */
export type Description = {
  path: string;
  row: number;
  /** `data.a.b`. */
  package: string;
  rule?: string;
  /** There is METADATA. */
  documented: boolean;
  title?: string;
  description?: string;
  /** Stands in a file of tests. */
  tests?: boolean;
};
