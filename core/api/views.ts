/**
 * What the API answers, as TypeBox schemas: one description for routes, OpenAPI, CLI and page.
 * Times are RFC 3339 UTC text as recorded; durations are microseconds unless the name says otherwise.
 */
import Type from 'typebox';
import { Environment } from './policy_views.ts';

const Str = Type.String();
const Int = Type.Integer();
const Hex64 = Type.String({ pattern: '^[0-9a-f]{64}$' });
const Opt = Type.Optional;
export const Risk = Type.Enum(['low', 'medium', 'high', 'critical']);
export const DecisionWord = Type.Enum(['allow', 'deny', 'approve']);
/** How a page shows a decision: sign, word and colour (UI, decisions). */
export const DecisionState = Type.Enum([
  'allowed',
  'denied',
  'waiting',
  'approved',
  'refused',
  'expired',
  'failed',
  'consumed',
  'cancelled',
]);
export const Scope = Type.Enum(['ingest', 'decide', 'read', 'export']);

/** A full record: head and body members flat, with hash_self, signature, key_id (docs/spec/ledger.md). */
export const RecordView = Type.Unsafe<{
  seq: number;
  app_id: string;
  app_seq: number;
  event_type: string;
  ts: string;
  received_at: string;
  hash_self: string;
  [member: string]: unknown;
}>(
  Type.Object(
    { seq: Int, app_id: Str, app_seq: Int, event_type: Str, ts: Str, received_at: Str, hash_self: Hex64 },
    { additionalProperties: true },
  ),
);

export const Accepted = Type.Object({
  event_id: Str,
  seq: Int,
  hash_self: Hex64,
  duplicate: Opt(Type.Literal(true)),
});

/** One run: all events of one session of one app. */
export const TraceSummary = Type.Object({
  run_id: Str,
  app_id: Str,
  session_id: Str,
  title: Str,
  first_ts: Str,
  last_ts: Str,
  duration_us: Int,
  events: Int,
  first_seq: Int,
  last_seq: Int,
  risk: Opt(Risk),
  status: Type.Enum(['ok', 'error', 'unset']),
  tokens: Int,
  cost: Type.Number(),
  allowed: Int,
  denied: Int,
  asked: Int,
  failed: Int,
  waiting: Int,
  sample: Type.Boolean(),
  unverified: Type.Boolean({ description: 'arrived by OTLP without a key' }),
});

/** Spans as columns: 100,000 of them parse in about 15 ms. All arrays have the same length; by start time. */
export const SpanColumns = Type.Object({
  seq: Type.Array(Int),
  parent: Type.Array(Int, { description: 'index of the parent row, -1 for a root' }),
  event_id: Type.Array(Str),
  event_type: Type.Array(Str),
  name: Type.Array(Str),
  kind: Type.Array(Type.Enum(['user', 'llm', 'tool', 'agent', 'decision', 'approval', 'outcome', 'other'])),
  start_us: Type.Array(Type.Number(), { description: 'microseconds since first_ts' }),
  duration_us: Type.Array(Type.Number()),
  risk: Type.Array(Str, { description: 'empty when none' }),
  status: Type.Array(Str, { description: 'ok, error or empty' }),
  decision: Type.Array(Str, { description: 'a DecisionState, or empty' }),
  tokens: Type.Array(Type.Number()),
  cost: Type.Array(Type.Number()),
});

export const ApprovalView = Type.Object({
  id: Str,
  decision_id: Str,
  decision_seq: Int,
  app_id: Str,
  session_id: Str,
  run_id: Str,
  actor_id: Str,
  action: Str,
  risk: Risk,
  payload: Type.Unknown(),
  context: Opt(Type.Unknown()),
  reasons: Type.Array(Str),
  status: Type.Enum(['waiting', 'approved', 'denied', 'expired', 'consumed', 'cancelled']),
  /** Who has to approve: k people, each with one of the roles. Absent in rows older than people. */
  required: Opt(Type.Object({ k: Int, roles: Type.Array(Str) })),
  /** People who have approved so far; it is given at required.k, or at one while four-eyes is not in force. */
  approved_by: Opt(Int),
  four_eyes: Opt(Type.Boolean()),
  answers: Opt(
    Type.Array(
      Type.Object({
        by: Str,
        name: Opt(Str),
        role: Opt(Str),
        verdict: Type.Enum(['approve', 'deny']),
        at: Str,
        seconds: Opt(Type.Number({ description: "between opening and answer, by the collector's clock" })),
        comment: Opt(Str),
        signed_in: Type.Enum(['none', 'page', 'collector']),
        on_behalf_of: Opt(Str),
        seq: Opt(Int),
      }),
    ),
  ),
  asked_at: Str,
  expires_at: Str,
  answered_at: Opt(Str),
  answered_by: Opt(Str),
  comment: Opt(Str),
  signed_in: Opt(Type.Enum(['none', 'page', 'collector'])),
  outcome: Opt(Type.Enum(['ok', 'error', 'unknown'])),
  policy: Type.Object({ version: Int, hash: Hex64 }),
});

/** The five roles that permissions are about; any other role only qualifies for approvals that name it. */
export const SystemRole = Type.Enum(['admin', 'policy_author', 'approver', 'analyst', 'auditor']);

export const PersonView = Type.Object({
  id: Str,
  name: Str,
  roles: Type.Array(Str),
  aliases: Type.Array(Str),
  state: Type.Enum(['invited', 'pending', 'active', 'left'], {
    description: 'pending: the key is made, an admin has to sign the enrolment',
  }),
  key_id: Opt(Hex64),
  /** base64, 32 bytes; of a pending person the key to be enrolled. */
  public_key: Opt(Str),
  /** base64; of a pending person: goes into the enrolment's record. */
  possession: Opt(Str),
  enrolled_at: Opt(Str),
  enrolled_by: Opt(Str),
  left_at: Opt(Str),
  last_sign_in_at: Opt(Str),
  locked_until: Opt(Str),
  invite_expires_at: Opt(Str),
  /** A reset is pending: the old key stays in force until an admin signs the new one. */
  resetting: Opt(Type.Boolean()),
});

export const DelegationView = Type.Object({
  id: Str,
  from: Str,
  to: Str,
  roles: Type.Array(Str),
  starts_at: Str,
  ends_at: Str,
  reason: Str,
  state: Type.Enum(['planned', 'active', 'ended']),
});

/** The kdf parameters of one person's sign-in (docs/spec/people.md, Sign-in). */
export const SignInKdf = Type.Object({
  salt: Type.String({ description: 'base64, 16 bytes', minLength: 24, maxLength: 24 }),
  m: Type.Integer({ minimum: 8192, maximum: 1048576, description: 'KiB' }),
  t: Type.Integer({ minimum: 1, maximum: 16 }),
  p: Type.Integer({ minimum: 1, maximum: 4 }),
});

/** Who is signed in; `person` is absent while nobody is enrolled. */
export const TenantView = Type.Object({
  tenant_id: Str,
  name: Str,
  state: Type.Enum(['opening', 'open', 'refused']),
  /** Absent for the default tenant. */
  created_at: Opt(Str),
  /** Why its ledger is refused; the other tenants go on. */
  refused: Opt(Type.Object({ code: Str, message: Str, next: Str })),
});

export const SessionView = Type.Object({
  person: Opt(PersonView),
  /** What this session may do; all of them while nobody is enrolled. */
  roles: Type.Array(Str),
  alone: Type.Boolean({ description: 'nobody is enrolled: answers are unsigned' }),
  four_eyes: Type.Boolean({ description: 'at least two approvers are enrolled' }),
  tenant_id: Str,
  tenant_name: Str,
  /** This one; for who sees to the installation (core/api/permissions.ts, ofInstallation) all of them. */
  tenants: Type.Array(Str),
  several: Type.Boolean({ description: 'this installation has more than one tenant' }),
  ledger_id: Str,
  expires_at: Str,
});

export const KeyView = Type.Object({
  id: Str,
  app_id: Str,
  tenant_id: Str,
  scopes: Type.Array(Scope),
  /** Whose policy decides for this key; absent: prod. */
  environment: Opt(Environment),
  created_at: Str,
  revoked_at: Opt(Str),
  last_used_at: Opt(Str),
});

export const CheckpointView = Type.Object({ size: Int, root: Hex64, at: Str, note: Str });

export const Custody = Type.Object({
  kind: Type.Enum(['passphrase', 'key_file', 'safe_storage', 'basic_text']),
  label: Str,
  protects: Type.Array(Str),
  does_not_protect: Type.Array(Str),
});

export const Phase = Type.Enum(['setup', 'locked', 'open', 'refused']);

/** The status bar: the truth, nothing more. `verified_to` is -1 before the first pass. */
export const StatusView = Type.Object({
  phase: Phase,
  version: Str,
  refused: Opt(Type.Object({ code: Str, message: Str, next: Str })),
  ledger: Opt(
    Type.Object({
      ledger_id: Str,
      tenant_id: Str,
      head_seq: Int,
      verified_to: Int,
      verified_at: Opt(Str),
      fault: Opt(Type.Object({ seq: Int, code: Str, message: Str })),
      last_checkpoint: Opt(CheckpointView),
      /** The checkpoint of the newest pack that was exported. Whether anyone was given it, the collector cannot know. */
      exported: Opt(Type.Object({ size: Int, at: Str })),
      waiting_approvals: Int,
      events_per_second: Type.Number(),
    }),
  ),
  custody: Opt(Custody),
  /** The key file was not there at start: the recovery phrase unlocks, and the next start will need it again. */
  key_missing: Opt(Type.Object({ file: Str })),
  address: Type.Object({ url: Str, host: Str, port: Int, beyond_loopback: Type.Boolean() }),
  data: Opt(
    Type.Object({
      folder: Str,
      ledger_bytes: Int,
      blob_bytes: Int,
      log_bytes: Int,
      free_bytes: Int,
      disk_low: Type.Boolean(),
    }),
  ),
  person: Opt(Type.Object({ name: Str })),
  otlp_unkeyed: Opt(Type.Boolean()),
  policy: Opt(Type.Object({ version: Int, hash: Str, ready: Type.Boolean() })),
  /** In the default tenant, where there are several. */
  tenants: Opt(Type.Array(TenantView)),
  now: Str,
});

export const PackCounts = Type.Object({
  events: Int,
  sessions: Int,
  decisions: Type.Object({ allow: Int, deny: Int, approve: Int, failed: Int }),
  approvals: Type.Object({
    approved: Int,
    denied: Int,
    expired: Int,
    waiting: Int,
    consumed: Int,
    cancelled: Int,
  }),
  evals: Int,
  blobs: Int,
  unverified: Int,
});

const VerdictView = Type.Object({
  result: Type.Enum(['pass', 'fail', 'not_shown']),
  findings: Type.Array(
    Type.Object({ code: Str, level: Type.Enum(['fail', 'not_shown', 'warning']), where: Str, message: Str }),
  ),
});

/** The verifier's report over the live ledger; `code` is one of core/pack/findings.ts. */
export const LedgerReport = Type.Object({
  verdicts: Type.Object({
    integrity: VerdictView,
    completeness: VerdictView,
    time: VerdictView,
    identity: VerdictView,
  }),
  places: Type.Array(
    Type.Object({
      where: Str,
      codes: Type.Array(Str),
      records: Type.Array(
        Type.Object({
          where: Str,
          failing: Type.Boolean(),
          seq: Opt(Int),
          app_seq: Opt(Int),
          type: Opt(Str),
          name: Opt(Str),
          received_at: Opt(Str),
          ts: Opt(Str),
          who: Opt(Str),
          session_id: Opt(Str),
        }),
      ),
    }),
    { description: 'records that the first failures point at, with their neighbours' },
  ),
  counts: Type.Object({ records: Int, erased: Int, apps: Int }),
  origin: Type.Object({
    ledger_id: Str,
    tenant_id: Str,
    checkpoint: Opt(Type.Object({ size: Int, root: Str })),
  }),
});

export const ExportJob = Type.Object({
  id: Str,
  app_id: Str,
  state: Type.Enum(['running', 'done', 'failed', 'cancelled']),
  step: Str,
  done: Int,
  total: Int,
  pack: Opt(
    Type.Object({
      file: Str,
      pack_id: Hex64,
      sha256: Hex64,
      bytes: Int,
      events: Int,
      checkpoint: Type.Object({ size: Int, root: Hex64 }),
    }),
  ),
  /** Made before, and brought back to be stamped. */
  brought: Opt(Type.Boolean()),
  /** Stamps that were put into it here. */
  stamps: Opt(Type.Array(Type.Object({ over: Type.Enum(['pack', 'signature']), time: Str, authority: Str }))),
  error: Opt(Type.Object({ code: Str, message: Str })),
});

export type RecordView = Type.Static<typeof RecordView>;
export type Accepted = Type.Static<typeof Accepted>;
export type TraceSummary = Type.Static<typeof TraceSummary>;
export type SpanColumns = Type.Static<typeof SpanColumns>;
export type ApprovalView = Type.Static<typeof ApprovalView>;
export type PersonView = Type.Static<typeof PersonView>;
export type DelegationView = Type.Static<typeof DelegationView>;
export type SignInKdf = Type.Static<typeof SignInKdf>;
export type TenantView = Type.Static<typeof TenantView>;
export type SessionView = Type.Static<typeof SessionView>;
export type SystemRole = Type.Static<typeof SystemRole>;
export type KeyView = Type.Static<typeof KeyView>;
export type CheckpointView = Type.Static<typeof CheckpointView>;
export type Custody = Type.Static<typeof Custody>;
export type Phase = Type.Static<typeof Phase>;
export type StatusView = Type.Static<typeof StatusView>;
export type PackCounts = Type.Static<typeof PackCounts>;
export type ExportJob = Type.Static<typeof ExportJob>;
export type Scope = Type.Static<typeof Scope>;
export type DecisionState = Type.Static<typeof DecisionState>;
