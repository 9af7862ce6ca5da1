/**
 * What the API answers about policies: texts and what the toolchain says of them, saved sets, environments, impact
 * (docs/spec/policy.md). The toolchain's shapes are those of collector/policy/toolchain_answers.ts; rows and columns
 * count from 1.
 */
import Type from 'typebox';

const Str = Type.String();
const Int = Type.Integer();
const Hex64 = Type.String({ pattern: '^[0-9a-f]{64}$' });
const Opt = Type.Optional;

/** An API key decides under the policy of its environment. */
export const environments = ['dev', 'staging', 'prod'] as const;
export const Environment = Type.Enum([...environments]);
export type Environment = (typeof environments)[number];

/** Bounds of a policy set: files, characters of one path, characters of one text, characters of all texts. */
export const POLICY_LIMITS = { files: 200, path: 128, text: 262_144, all: 1_048_576 } as const;

/** Rego, its tests (`*_test.rego`) and at most one data.json. */
export const PolicyFile = Type.Object(
  {
    path: Type.String({
      minLength: 1,
      maxLength: POLICY_LIMITS.path,
      pattern: '^[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*\\.(rego|json)$',
    }),
    text: Type.String({ maxLength: POLICY_LIMITS.text }),
  },
  { additionalProperties: false },
);

/** A fault or a finding at its place; `end_col` is behind the last character. No place: it is about all files. */
export const PolicyDiagnostic = Type.Object({
  path: Opt(Str),
  row: Opt(Int),
  col: Opt(Int),
  end_row: Opt(Int),
  end_col: Opt(Int),
  /** OPA's, `builtin_refused`, or the id of a lint rule (docs/policy-lint.md). */
  code: Str,
  severity: Type.Enum(['error', 'warning', 'note']),
  message: Str,
  builtin: Opt(Str),
});

export const PolicyTest = Type.Object({
  package: Str,
  name: Str,
  outcome: Type.Enum(['pass', 'fail', 'error', 'skip']),
  message: Opt(Str),
  output: Opt(Str),
  path: Opt(Str),
  row: Opt(Int),
  duration_ns: Int,
  cases: Opt(Type.Array(Type.Object({ name: Str, failed: Opt(Type.Boolean()) }))),
});

const Lines = Type.Array(Type.Object({ start: Int, end: Int }));
export const FileCoverage = Type.Object({
  path: Str,
  percent: Type.Number(),
  /** Rows, both ends included. */
  covered: Lines,
  not_covered: Lines,
});

/** What our runner said of a set when it was saved. `percent` of lines. */
export const TestCounts = Type.Object({
  passed: Int,
  failed: Int,
  skipped: Int,
  percent: Type.Number(),
});

export const TraceStep = Type.Object({
  op: Str,
  node: Str,
  path: Opt(Str),
  row: Opt(Int),
  col: Opt(Int),
  query: Int,
  parent: Int,
  message: Opt(Str),
});

export const RuleReportView = Type.Object({
  rule: Str,
  path: Str,
  row: Int,
  head: Str,
  default: Opt(Type.Boolean()),
  asked: Type.Boolean(),
  fired: Int,
  stopped: Opt(
    Type.Array(
      Type.Object({
        path: Str,
        row: Int,
        col: Int,
        text: Str,
        kind: Type.Enum(['false', 'undefined', 'negated']),
        times: Int,
        reads: Opt(
          Type.Array(Type.Object({ name: Str, value: Opt(Type.Unknown()), defined: Type.Boolean() })),
        ),
      }),
    ),
  ),
  uses: Opt(Type.Array(Str)),
});

export const SignedIn = Type.Enum(['none', 'page', 'collector']);

/** A saved set. `hash` is its policy_hash, over all of its files, tests included. */
export const PolicySetView = Type.Object({
  hash: Hex64,
  saved_at: Str,
  by: Str,
  message: Str,
  signed_in: SignedIn,
  tests: TestCounts,
  files: Int,
  /** Of its policy.saved record; absent for the policy that the app ships with. */
  seq: Opt(Int),
  built_in: Opt(Type.Boolean()),
  /** Where it is in force now. */
  active: Type.Array(Environment),
  candidate: Type.Array(Environment),
});

export const ShadowView = Type.Object({
  hash: Hex64,
  since: Str,
  by: Str,
  /** Decisions that were evaluated under both. */
  compared: Int,
  differing: Int,
  /** Not compared: its queue was full. */
  dropped: Int,
  /** `allow>deny`: how many, by both words; `failed` is one of them. */
  cells: Type.Record(Str, Int),
});

export const PendingActivation = Type.Object({
  hash: Hex64,
  by: Str,
  at: Str,
  message: Str,
});

export const EnvironmentView = Type.Object({
  name: Environment,
  /** Absent before the first activation in this environment: then the policy that ships comes into force with its first API key. */
  active: Opt(
    Type.Object({
      hash: Hex64,
      version: Int,
      since: Str,
      by: Str,
      signed_in: SignedIn,
      message: Str,
      seq: Int,
    }),
  ),
  candidate: Opt(ShadowView),
  /** Waits for another person's signature. */
  pending: Opt(PendingActivation),
  four_eyes: Type.Boolean(),
});

export const PolicyVersionView = Type.Object({
  environment: Environment,
  version: Int,
  hash: Hex64,
  since: Str,
  by: Str,
  seq: Int,
});

/** What a decision said, or would say: `failed` is the deny of a policy that failed. */
export const PolicyWord = Type.Enum(['allow', 'deny', 'approve', 'failed']);

export const ShadowDifference = Type.Object({
  seq: Int,
  decision_id: Str,
  run_id: Str,
  app_id: Str,
  action: Str,
  at: Str,
  active: PolicyWord,
  candidate: PolicyWord,
  reasons: Type.Array(Str),
});

export const DecisionRow = Type.Object({
  decision_id: Str,
  seq: Int,
  run_id: Str,
  app_id: Str,
  session_id: Str,
  action: Str,
  risk: Str,
  result: PolicyWord,
  at: Str,
  reasons: Type.Array(Str),
});

/** Why a recorded decision cannot be made again as it was. */
export const UnfaithfulReason = Type.Enum([
  'erased',
  'sealed',
  'blob_missing',
  'session_absent',
  'now_absent',
  'older_schema',
]);
export type UnfaithfulReason = Type.Static<typeof UnfaithfulReason>;

export const ImpactFilter = Type.Object(
  {
    app: Opt(Type.String({ maxLength: 256 })),
    /** RFC 3339; both ends are included. */
    from: Opt(Type.String({ maxLength: 40 })),
    to: Opt(Type.String({ maxLength: 40 })),
    /** The newest N of what remains; default 40,000. */
    last: Opt(Type.Integer({ minimum: 1, maximum: 10_000_000 })),
  },
  { additionalProperties: false },
);

export const ImpactCell = Type.Object({ from: PolicyWord, to: PolicyWord, decisions: Int, runs: Int });

export const ImpactView = Type.Object({
  id: Str,
  state: Type.Enum(['running', 'done', 'failed', 'cancelled']),
  /** policy_hash of what was tried; a draft has one too. */
  hash: Str,
  saved_set: Type.Boolean(),
  filter: ImpactFilter,
  by: Str,
  started_at: Str,
  finished_at: Opt(Str),
  /** Recorded decisions looked at, of `total`. */
  done: Int,
  total: Int,
  /** By both words, sorted; also those that stay the same. */
  cells: Type.Array(ImpactCell),
  /** Decided again. */
  decided: Int,
  flipped: Int,
  /** Not decided again, by reason. */
  skipped: Type.Record(Str, Int),
  /** Seqs of the first and last decision looked at. */
  first_seq: Opt(Int),
  last_seq: Opt(Int),
  error: Opt(Type.Object({ code: Str, message: Str })),
  /** seq of its policy.impact record. */
  saved_seq: Opt(Int),
  /** Hex SHA-256(JCS(report)), what `saveImpact` signs; once it is done. */
  report_sha256: Opt(Hex64),
});

export const ImpactDecision = Type.Object({
  decision_id: Str,
  seq: Int,
  run_id: Str,
  app_id: Str,
  action: Str,
  at: Str,
  from: PolicyWord,
  to: PolicyWord,
});

export type PolicyFile = Type.Static<typeof PolicyFile>;
export type PolicyDiagnostic = Type.Static<typeof PolicyDiagnostic>;
export type FileCoverage = Type.Static<typeof FileCoverage>;
export type TestCounts = Type.Static<typeof TestCounts>;
export type PolicySetView = Type.Static<typeof PolicySetView>;
export type EnvironmentView = Type.Static<typeof EnvironmentView>;
export type ShadowView = Type.Static<typeof ShadowView>;
export type PolicyVersionView = Type.Static<typeof PolicyVersionView>;
export type PolicyWord = Type.Static<typeof PolicyWord>;
export type ShadowDifference = Type.Static<typeof ShadowDifference>;
export type DecisionRow = Type.Static<typeof DecisionRow>;
export type ImpactFilter = Type.Static<typeof ImpactFilter>;
export type ImpactView = Type.Static<typeof ImpactView>;
export type ImpactDecision = Type.Static<typeof ImpactDecision>;
