/** Operations on policies: the toolchain, saved sets, environments, shadow, impact (docs/spec/policy.md). */
import Type from 'typebox';
import { Int, listOf, MiB, Opt, op, Page, page, Str } from './operation.ts';
import {
  DecisionRow,
  Environment,
  EnvironmentView,
  FileCoverage,
  ImpactDecision,
  ImpactFilter,
  ImpactView,
  POLICY_LIMITS,
  PolicyDiagnostic,
  PolicyFile,
  PolicySetView,
  PolicyTest,
  PolicyVersionView,
  PolicyWord,
  RuleReportView,
  ShadowDifference,
  TestCounts,
  TraceStep,
  UnfaithfulReason,
} from './policy_views.ts';

const Files = Type.Array(PolicyFile, { minItems: 1, maxItems: POLICY_LIMITS.files });
const Hash = Type.String({ pattern: '^[0-9a-f]{64}$' });
const Message = Type.String({ maxLength: 500 });
const Signature = Type.String({ maxLength: 88, description: 'base64 of 64 bytes' });
const Query = Type.String({ minLength: 1, maxLength: 4096 });
const Diagnostics = Type.Array(PolicyDiagnostic);

/** docs/spec/policy.md, "Statement". Absent while nobody is enrolled. */
const PolicyStatementInput = Type.Object(
  {
    act: Type.Enum(['save', 'activate']),
    at: Str,
    by: Str,
    by_key_id: Str,
    environment: Type.String({ maxLength: 16 }),
    ledger_id: Str,
    message: Message,
    policy_hash: Hash,
    replaces: Type.String({ maxLength: 64 }),
    sources_sha256: Hash,
    tenant_id: Str,
  },
  { additionalProperties: false },
);
const ImpactStatementInput = Type.Object(
  { at: Str, by: Str, by_key_id: Str, ledger_id: Str, report_sha256: Hash, tenant_id: Str },
  { additionalProperties: false },
);

const toolErrors = ['input_invalid', 'busy', 'toolchain_missing', 'toolchain_timeout'] as const;
const signErrors = [
  'statement_invalid',
  'signature_missing',
  'signature_invalid',
  'person_key_unknown',
] as const;
/** A file as `opa build -t wasm` writes it. */
const BundleInput = {
  bundle: Type.String({ maxLength: 12 * MiB, description: 'base64 of the .tar.gz' }),
  key: Opt(
    Type.String({
      maxLength: 16_384,
      description:
        'what checks its signature: a public key in PEM, or the shared secret of HS256, HS384, HS512',
    }),
  ),
  scope: Opt(Type.String({ maxLength: 256, description: 'what the scope of its signature must be' })),
};
const BundleOrigin = Type.Object({
  /** Hex, of the .tar.gz. */
  sha256: Str,
  /** Checked; absent where the bundle is not signed. key_sha256: of the public key (SubjectPublicKeyInfo, DER). */
  signature: Opt(Type.Object({ alg: Str, key_id: Opt(Str), issuer: Opt(Str), key_sha256: Opt(Str) })),
});
const tool = { callers: page, method: 'POST', limit: 4 * MiB } as const;
const InEnvironment = Type.Object({ environment: Environment });

export const policyOperations = {
  // The toolchain, over files that come with the request
  checkPolicy: op({
    ...tool,
    path: '/api/policies/tool/check',
    summary: 'Faults of the strict compiler and findings of our lint, each at its place',
    errors: toolErrors,
    input: Type.Object(
      {
        files: Files,
        /** Default true. */
        lint: Opt(Type.Boolean()),
        /** Default true: lint runs the tests, to know which rules none of them makes fire. Without, it answers sooner. */
        tests: Opt(Type.Boolean()),
      },
      { additionalProperties: false },
    ),
    output: Type.Object({
      ok: Type.Boolean({ description: 'no error; warnings and notes may be there' }),
      diagnostics: Diagnostics,
      /** Files that are Rego v0: `repairPolicy` brings them over. */
      rego_v0: Type.Array(Str),
    }),
  }),
  formatPolicy: op({
    ...tool,
    path: '/api/policies/tool/format',
    summary: 'The files as `opa fmt` writes them',
    errors: toolErrors,
    input: Type.Object({ files: Files }, { additionalProperties: false }),
    output: Type.Object({
      ok: Type.Boolean(),
      diagnostics: Diagnostics,
      files: Type.Array(Type.Object({ path: Str, text: Type.String(), changed: Type.Boolean() })),
    }),
  }),
  testPolicy: op({
    ...tool,
    path: '/api/policies/tool/test',
    summary: 'Runs the tests; coverage by file',
    errors: toolErrors,
    input: Type.Object(
      {
        files: Files,
        /** Only tests whose name matches (RE2). */
        run: Opt(Type.String({ maxLength: 512 })),
      },
      { additionalProperties: false },
    ),
    output: Type.Object({
      ok: Type.Boolean({ description: 'there are tests, and none failed' }),
      diagnostics: Diagnostics,
      tests: Type.Array(PolicyTest),
      counts: TestCounts,
      coverage: Type.Array(FileCoverage),
    }),
  }),
  evaluatePolicy: op({
    ...tool,
    path: '/api/policies/tool/evaluate',
    summary: 'The value of a query, with what `print` wrote and, if asked for, the trace',
    errors: toolErrors,
    input: Type.Object(
      {
        files: Files,
        /** Default data.trailmix.decision. */
        query: Opt(Query),
        input: Opt(Type.Unknown()),
        trace: Opt(Type.Integer({ minimum: 1, maximum: 10_000, description: 'steps at most' })),
      },
      { additionalProperties: false },
    ),
    output: Type.Object({
      ok: Type.Boolean(),
      diagnostics: Diagnostics,
      defined: Type.Boolean(),
      result: Opt(Type.Unknown()),
      printed: Type.Array(Type.Object({ text: Type.String(), path: Opt(Str), row: Opt(Int) })),
      /** Functions that failed on the way, hence were undefined. */
      faults: Diagnostics,
      trace: Type.Array(TraceStep),
      trace_cut: Type.Boolean(),
    }),
  }),
  explainPolicy: op({
    ...tool,
    path: '/api/policies/tool/why',
    summary:
      'For each definition of a rule: fired, or the condition where it stopped, with the values it read',
    errors: toolErrors,
    input: Type.Object(
      {
        files: Files,
        /** Default data.trailmix.decision. */
        rule: Opt(Query),
        input: Opt(Type.Unknown()),
      },
      { additionalProperties: false },
    ),
    output: Type.Object({
      ok: Type.Boolean(),
      diagnostics: Diagnostics,
      defined: Type.Boolean(),
      result: Opt(Type.Unknown()),
      rules: Type.Array(RuleReportView),
    }),
  }),
  repairPolicy: op({
    ...tool,
    path: '/api/policies/tool/repair',
    summary: 'Rego v0 as v1 and other mends, each with its meaning and inputs decided differently',
    errors: toolErrors,
    input: Type.Object(
      {
        files: Files,
        /** Adds decision.rego of this app where none is there, and turns decisions into reasons that it merges. */
        merge: Opt(Type.Boolean()),
      },
      { additionalProperties: false },
    ),
    output: Type.Object({
      ok: Type.Boolean(),
      diagnostics: Diagnostics,
      files: Type.Array(Type.Object({ path: Str, text: Type.String(), changed: Type.Boolean() })),
      /** `faults`: what the compiler says of the text as the syntax that it is in, v0 or v1. */
      found: Type.Array(
        Type.Object({ path: Str, rego_v0: Type.Boolean(), faults: Type.Array(PolicyDiagnostic) }),
      ),
      changes: Type.Array(
        Type.Object({
          id: Str,
          path: Str,
          row: Opt(Int),
          before: Opt(Type.String()),
          after: Opt(Type.String()),
          what: Type.String(),
          meaning: Type.Enum(['same', 'mended', 'changed']),
        }),
      ),
      pairs: Type.Array(Type.Object({ a: Str, b: Str, apart: Opt(Type.String()) })),
      examples: Type.Array(
        Type.Object({ input: Type.Unknown(), before: Opt(Type.Unknown()), after: Opt(Type.Unknown()) }),
      ),
      tried: Int,
      remaining: Diagnostics,
    }),
  }),

  // Saved sets
  policySets: op({
    method: 'GET',
    path: '/api/policies/sets',
    summary: 'Saved policy sets, newest first',
    callers: page,
    errors: ['input_invalid'],
    query: Type.Object({ ...Page }),
    output: listOf(PolicySetView),
  }),
  policySet: op({
    method: 'GET',
    path: '/api/policies/sets/:hash',
    summary: 'One saved set with its files and its signed statement',
    callers: page,
    errors: ['policy_unknown'],
    params: Type.Object({ hash: Hash }),
    output: Type.Object({
      set: PolicySetView,
      entrypoint: Str,
      files: Type.Array(Type.Object({ path: Str, sha256: Str, text: Type.String() })),
      statement: Opt(Type.Record(Type.String(), Type.Unknown())),
      signature: Opt(Str),
    }),
  }),
  preparePolicySet: op({
    ...tool,
    path: '/api/policies/sets/prepare',
    summary: 'Checks, tests and builds files, and answers what saving them signs; saves nothing',
    errors: toolErrors,
    input: Type.Object({ files: Files }, { additionalProperties: false }),
    output: Type.Object({
      ok: Type.Boolean({ description: 'it can be saved: it compiles within the capabilities' }),
      diagnostics: Diagnostics,
      policy_hash: Opt(Str),
      /** Hex SHA-256(JCS([{path, sha256}] by path)). */
      sources_sha256: Str,
      tests: Type.Array(PolicyTest),
      counts: TestCounts,
    }),
  }),
  savePolicySet: op({
    ...tool,
    path: '/api/policies/sets',
    summary: 'Saves a set for good; each is an event. The same files again answer the set that is there',
    errors: [...toolErrors, ...signErrors, 'policy_invalid', 'sign_in_needed', 'disk_full'],
    status: 201,
    input: Type.Object(
      { files: Files, message: Message, statement: Opt(PolicyStatementInput), signature: Opt(Signature) },
      { additionalProperties: false },
    ),
    output: PolicySetView,
  }),

  preparePolicyBundle: op({
    ...tool,
    limit: 16 * MiB,
    path: '/api/policies/bundles/prepare',
    summary:
      "Reads a bundle of someone's own `opa build -t wasm`, checks its signature, loads its module and runs the tests in it; saves nothing",
    errors: ['input_invalid', 'policy_invalid'],
    input: Type.Object(BundleInput, { additionalProperties: false }),
    output: Type.Object({
      policy_hash: Str,
      sources_sha256: Str,
      /** As they are in the bundle: OPA leaves out the rules that it compiled. */
      files: Type.Array(Type.Object({ path: Str, text: Type.String() })),
      bundle: BundleOrigin,
      /** `test_...` rules that are entrypoints of the module, run by it. */
      tests: Type.Array(Type.Object({ name: Str, outcome: Type.Enum(['pass', 'fail', 'error']) })),
      counts: TestCounts,
    }),
  }),
  importPolicyBundle: op({
    ...tool,
    limit: 16 * MiB,
    path: '/api/policies/bundles',
    summary: 'Saves such a bundle as a set, with its own module; an event, signed like every saved set',
    errors: ['input_invalid', 'policy_invalid', ...signErrors, 'sign_in_needed', 'disk_full', 'busy'],
    status: 201,
    input: Type.Object(
      { ...BundleInput, message: Message, statement: Opt(PolicyStatementInput), signature: Opt(Signature) },
      { additionalProperties: false },
    ),
    output: Type.Object({ set: PolicySetView, bundle: BundleOrigin }),
  }),

  // Environments
  policyEnvironments: op({
    method: 'GET',
    path: '/api/policies/environments',
    summary: 'dev, staging and prod: what is in force, in shadow and pending',
    callers: page,
    errors: [],
    output: Type.Object({ items: Type.Array(EnvironmentView) }),
  }),
  activatePolicySet: op({
    method: 'POST',
    path: '/api/policies/environments/:environment/activate',
    summary:
      'Puts a saved set in force (also an earlier one: a revert). With four-eyes the first signature makes it pending',
    callers: page,
    errors: [
      'policy_unknown',
      'policy_untested',
      'policy_invalid',
      'policy_stale',
      'policy_own_request',
      'policy_no_second',
      ...signErrors,
      'sign_in_needed',
      'input_invalid',
      'busy',
      'disk_full',
    ],
    params: InEnvironment,
    input: Type.Object(
      {
        hash: Hash,
        message: Opt(Message),
        /** The hash that it replaces, as the caller knows it; another one in force is `policy_stale`. Empty: none. */
        replaces: Opt(Type.String({ maxLength: 64 })),
        statement: Opt(PolicyStatementInput),
        signature: Opt(Signature),
      },
      { additionalProperties: false },
    ),
    output: Type.Object({ state: Type.Enum(['active', 'pending']), environment: EnvironmentView }),
  }),
  withdrawActivation: op({
    method: 'DELETE',
    path: '/api/policies/environments/:environment/pending',
    summary: 'Takes back an activation that waits for a second signature',
    callers: page,
    errors: ['policy_unknown'],
    params: InEnvironment,
    output: EnvironmentView,
  }),
  setCandidate: op({
    method: 'POST',
    path: '/api/policies/environments/:environment/candidate',
    summary: 'Evaluates a saved set beside the active one on live decisions; never enforced',
    callers: page,
    errors: ['policy_unknown', 'policy_invalid', 'input_invalid', 'busy', 'disk_full'],
    params: InEnvironment,
    input: Type.Object({ hash: Hash }, { additionalProperties: false }),
    output: EnvironmentView,
  }),
  clearCandidate: op({
    method: 'DELETE',
    path: '/api/policies/environments/:environment/candidate',
    summary: 'Ends the shadow run; its counts become an event',
    callers: page,
    errors: ['policy_unknown', 'busy', 'disk_full'],
    params: InEnvironment,
    output: EnvironmentView,
  }),
  shadowDifferences: op({
    method: 'GET',
    path: '/api/policies/environments/:environment/candidate/differences',
    summary: 'Counts of the candidate in shadow, and the newest decisions that differ (1,000 are kept)',
    callers: page,
    errors: ['policy_unknown', 'input_invalid'],
    params: InEnvironment,
    query: Type.Object({ ...Page }),
    output: Type.Object({
      hash: Str,
      compared: Int,
      differing: Int,
      dropped: Int,
      items: Type.Array(ShadowDifference),
      total: Int,
      next: Opt(Str),
    }),
  }),
  changePolicySettings: op({
    method: 'POST',
    path: '/api/policies/settings',
    summary: 'In which environments an activation needs two people; each change is an event',
    callers: page,
    errors: ['input_invalid'],
    input: Type.Object(
      { four_eyes: Type.Array(Environment, { maxItems: 3 }) },
      { additionalProperties: false },
    ),
    output: Type.Object({ four_eyes: Type.Array(Environment) }),
  }),
  policyVersions: op({
    method: 'GET',
    path: '/api/policies/versions',
    summary: 'Activations, newest first',
    callers: page,
    errors: ['input_invalid'],
    query: Type.Object({ environment: Opt(Environment), ...Page }),
    output: listOf(PolicyVersionView),
  }),
  policyAt: op({
    method: 'GET',
    path: '/api/policies/at',
    summary: 'What was in force at a seq (of a decision: what it cites) or a time',
    callers: page,
    errors: ['policy_unknown', 'input_invalid'],
    query: Type.Object({ seq: Opt(Int), time: Opt(Str), environment: Opt(Environment) }),
    output: PolicyVersionView,
  }),

  // Recorded decisions
  policyDecisions: op({
    method: 'GET',
    path: '/api/policies/decisions',
    summary: 'Recorded decisions to pick inputs from, newest first',
    callers: page,
    errors: ['input_invalid'],
    query: Type.Object({
      app: Opt(Str),
      action: Opt(Str),
      result: Opt(PolicyWord),
      session: Opt(Str),
      ...Page,
    }),
    output: Type.Object({ items: Type.Array(DecisionRow), next: Opt(Str) }),
  }),
  policyDecisionInput: op({
    method: 'GET',
    path: '/api/policies/decisions/:id/input',
    summary: 'The input that a policy was given for a recorded decision, rebuilt from its record',
    callers: page,
    errors: ['decision_unknown'],
    params: Type.Object({ id: Str }),
    output: Type.Object({
      decision: DecisionRow,
      /** Absent where it cannot be rebuilt: `missing` says why. */
      input: Opt(Type.Unknown()),
      missing: Opt(UnfaithfulReason),
      /** The policy was given neither session nor time: a policy that reads them sees none here. */
      without: Type.Array(Type.Enum(['session', 'now'])),
      policy: Type.Object({ version: Int, hash: Str }),
      rules: Opt(Type.Array(Str)),
    }),
  }),
  policyInputPaths: op({
    method: 'GET',
    path: '/api/policies/input-paths',
    summary: 'Paths of `input` in the newest recorded decisions, with types and counts; no values',
    callers: page,
    errors: ['input_invalid'],
    query: Type.Object({
      app: Opt(Str),
      action: Opt(Str),
      /** Decisions looked at; default 500. */
      sample: Opt(Type.Integer({ minimum: 1, maximum: 2000 })),
    }),
    output: Type.Object({
      sampled: Int,
      /** By path; `[_]` stands for any place of a list. At most 1,000. */
      paths: Type.Array(Type.Object({ path: Str, count: Int, types: Type.Record(Str, Int) })),
      cut: Type.Boolean(),
    }),
  }),

  // Impact
  startImpact: op({
    ...tool,
    path: '/api/policies/impact',
    summary: 'Decides recorded decisions again under a saved set or a draft, in the background',
    errors: [...toolErrors, 'policy_unknown', 'policy_invalid', 'ts_invalid'],
    status: 202,
    input: Type.Object(
      { hash: Opt(Hash), files: Opt(Files), filter: Opt(ImpactFilter) },
      { additionalProperties: false },
    ),
    output: ImpactView,
  }),
  impacts: op({
    method: 'GET',
    path: '/api/policies/impact',
    summary: 'Impact jobs of this run of the collector (the newest 20), newest first',
    callers: page,
    errors: [],
    output: listOf(ImpactView),
  }),
  impact: op({
    method: 'GET',
    path: '/api/policies/impact/:id',
    summary: 'Progress and flip table of one job',
    callers: page,
    errors: ['impact_unknown'],
    params: Type.Object({ id: Str }),
    output: ImpactView,
  }),
  cancelImpact: op({
    method: 'DELETE',
    path: '/api/policies/impact/:id',
    summary: 'Cancels a job; what was counted stays',
    callers: page,
    errors: ['impact_unknown'],
    params: Type.Object({ id: Str }),
    output: ImpactView,
  }),
  impactDecisions: op({
    method: 'GET',
    path: '/api/policies/impact/:id/decisions',
    summary: 'The decisions behind a cell, newest first (10,000 are kept of each cell that flips)',
    callers: page,
    errors: ['impact_unknown', 'input_invalid'],
    params: Type.Object({ id: Str }),
    query: Type.Object({ from: PolicyWord, to: PolicyWord, ...Page }),
    output: listOf(ImpactDecision),
  }),
  explainImpact: op({
    method: 'GET',
    path: '/api/policies/impact/:id/decisions/:decision',
    summary:
      "One decision decided again, with the rules that fired, by file and line, from a re-run with OPA's trace",
    callers: page,
    errors: ['impact_unknown', 'decision_unknown', 'busy', 'toolchain_missing', 'toolchain_timeout'],
    params: Type.Object({ id: Str, decision: Str }),
    output: Type.Object({
      decision: DecisionRow,
      /** Always: these lines are of a second evaluation, not of the recorded one. */
      rerun: Type.Literal(true),
      result: Opt(Type.Unknown()),
      /** Definitions that fired and that the decision rests on; the entrypoint first. */
      fired: Type.Array(Type.Object({ rule: Str, path: Str, row: Int, head: Str })),
      diagnostics: Diagnostics,
    }),
  }),
  saveImpact: op({
    method: 'POST',
    path: '/api/policies/impact/:id/save',
    summary: 'Records the result of a finished job, signed: evidence that the change was tried',
    callers: page,
    errors: ['impact_unknown', 'impact_unfinished', ...signErrors, 'sign_in_needed', 'disk_full', 'busy'],
    params: Type.Object({ id: Str }),
    input: Type.Object(
      { message: Opt(Message), statement: Opt(ImpactStatementInput), signature: Opt(Signature) },
      { additionalProperties: false },
    ),
    output: ImpactView,
  }),
} as const;
