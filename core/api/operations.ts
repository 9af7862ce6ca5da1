/**
 * The one table of operations. HTTP routes, the page's client, the CLI's socket client and
 * /api/openapi.json are derived from it; a test checks that every row has a route and no route lacks a row.
 * `callers`: who may call (trust table in docs/security.md). `key:<scope>` = an API key with that scope,
 * `person` = a signed-in page, `local` = the CLI over the 0700 socket, `anyone` = no credential,
 * `unkeyed_otlp` = no credential, from this machine, if the setting allows it.
 * `phases`: in which phases of the collector it answers (default: open only).
 */
import Type from 'typebox';
import type { ErrorCode } from './errors.ts';
import {
  Accepted,
  ApprovalView,
  CheckpointView,
  DecisionWord,
  ExportJob,
  KeyView,
  LedgerReport,
  PackCounts,
  type Phase,
  RecordView,
  Risk,
  Scope,
  SpanColumns,
  StatusView,
  TraceSummary,
} from './views.ts';

export type Caller = `key:${Scope}` | 'person' | 'local' | 'anyone' | 'unkeyed_otlp';
type Body = 'json' | 'events' | 'raw' | 'otlp' | 'none';

type Shape = {
  method: 'GET' | 'POST' | 'DELETE';
  path: string;
  summary: string;
  callers: readonly Caller[];
  errors: readonly ErrorCode[];
  /** `events`: strict I-JSON read by core/event; `raw`: a stream; default json for POST with input. */
  body?: Body;
  /** Path and query members come as text; integers are coerced. */
  params?: Type.TObject;
  query?: Type.TObject;
  input?: Type.TSchema;
  output: Type.TSchema;
  status?: number;
  phases?: readonly Phase[];
  /** Body limit in bytes after decompression; default 1 MiB. */
  limit?: number;
  /** The answer is not JSON. */
  media?: string;
};

const op = <const T extends Shape>(shape: T): T => shape;
const Str = Type.String({ maxLength: 1024 });
const Int = Type.Integer({ minimum: 0 });
const Opt = Type.Optional;
const Page = { cursor: Opt(Str), limit: Opt(Type.Integer({ minimum: 1, maximum: 1000 })) };
const listOf = <T extends Type.TSchema>(item: T) =>
  Type.Object({ items: Type.Array(item), total: Int, next: Opt(Str) });
const any = ['setup', 'locked', 'open', 'refused'] as const;
const MiB = 1024 * 1024;
const page = ['person', 'local'] as const;

const ExportBody = Type.Object(
  {
    app_id: Str,
    time_from: Str,
    time_to: Str,
    include: Opt(Type.Array(Type.Enum(['traces', 'policies', 'evals', 'approvals']))),
    at: Opt(Int),
  },
  { additionalProperties: false },
);

export const operations = {
  health: op({
    method: 'GET',
    path: '/api/health',
    summary: 'Is the collector there, and how far is its ledger checked',
    callers: ['anyone'],
    errors: [],
    phases: any,
    output: Type.Object({
      status: Type.String({ description: 'ok, setup, locked or refused' }),
      ledger: Opt(
        Type.Object({
          head_seq: Type.Integer(),
          verified_to: Type.Integer(),
          last_checkpoint: Opt(Type.Object({ size: Int, root: Str })),
        }),
      ),
      version: Str,
    }),
  }),
  openapi: op({
    method: 'GET',
    path: '/api/openapi.json',
    summary: 'This table as OpenAPI 3.1',
    callers: ['anyone'],
    errors: [],
    phases: any,
    output: Type.Unknown(),
  }),

  // Programs: record
  appendEvents: op({
    method: 'POST',
    path: '/api/events',
    summary: 'Record one event or {events: [...]}, all or nothing; answers once durable',
    callers: ['key:ingest'],
    body: 'events',
    limit: 16 * MiB,
    status: 201,
    errors: [
      'json_invalid',
      'json_utf8',
      'json_bom',
      'json_duplicate_key',
      'json_surrogate',
      'json_depth',
      'json_number',
      'event_invalid',
      'event_conflict',
      'app_mismatch',
      'stream_conflict',
      'blob_unknown',
      'batch_too_large',
      'body_too_large',
      'busy',
      'disk_full',
    ],
    input: Type.Unknown(),
    output: Type.Object({ accepted: Type.Array(Accepted) }),
  }),
  uploadBlob: op({
    method: 'POST',
    path: '/api/blobs',
    summary: 'A large payload, streamed; answers the $blob to send in an event',
    callers: ['key:ingest'],
    body: 'raw',
    limit: 1024 * MiB,
    status: 201,
    errors: ['body_too_large', 'media_type', 'busy', 'disk_full'],
    output: Type.Object({ $blob: Type.Object({ sha256: Str, bytes: Int, type: Str }) }),
  }),
  otlpTraces: op({
    method: 'POST',
    path: '/v1/traces',
    summary: 'OTLP/HTTP traces',
    callers: ['key:ingest', 'unkeyed_otlp'],
    body: 'otlp',
    limit: 16 * MiB,
    errors: ['otlp_invalid', 'otlp_unkeyed_off', 'media_type', 'body_too_large', 'busy', 'disk_full'],
    output: Type.Unknown(),
  }),
  otlpLogs: op({
    method: 'POST',
    path: '/v1/logs',
    summary: 'OTLP/HTTP logs',
    callers: ['key:ingest', 'unkeyed_otlp'],
    body: 'otlp',
    limit: 16 * MiB,
    errors: ['otlp_invalid', 'otlp_unkeyed_off', 'media_type', 'body_too_large', 'busy', 'disk_full'],
    output: Type.Unknown(),
  }),

  // Programs: gate (FORMATS, Decision and approval)
  decide: op({
    method: 'POST',
    path: '/api/decisions',
    summary: 'May this action run? Recorded before it is answered',
    callers: ['key:decide'],
    body: 'events',
    errors: [
      'input_invalid',
      'app_mismatch',
      'key_dollar',
      'json_depth',
      'field_too_long',
      'busy',
      'disk_full',
    ],
    input: Type.Object(
      {
        action: Type.String({ minLength: 1, maxLength: 256 }),
        risk: Risk,
        actor: Type.Object(
          {
            type: Type.Enum(['user', 'agent', 'service']),
            id: Type.String({ minLength: 1, maxLength: 256 }),
          },
          { additionalProperties: false },
        ),
        payload: Type.Record(Type.String(), Type.Unknown()),
        context: Opt(Type.Record(Type.String(), Type.Unknown())),
        session_id: Type.String({ minLength: 1, maxLength: 256 }),
        app_id: Str,
        parent_id: Opt(Str),
        trace_id: Opt(Str),
      },
      { additionalProperties: false },
    ),
    output: Type.Object({
      decision: DecisionWord,
      code: Opt(Str),
      reasons: Type.Array(Str),
      decision_id: Str,
      policy: Type.Object({ version: Int, hash: Str }),
      args_salt: Type.String({ description: 'hex, 32 bytes' }),
      approval: Opt(Type.Object({ id: Str, status: Str, expires_at: Str, nonce: Str })),
    }),
  }),
  approval: op({
    method: 'GET',
    path: '/api/approvals/:id',
    summary: 'One approval; ?wait=seconds waits for its answer (long poll, at most 60)',
    callers: ['key:decide', 'person', 'local'],
    errors: ['approval_unknown', 'busy'],
    params: Type.Object({ id: Str }),
    query: Type.Object({ wait: Opt(Type.Integer({ minimum: 0, maximum: 60 })) }),
    output: ApprovalView,
  }),
  consumeApproval: op({
    method: 'POST',
    path: '/api/approvals/:id/consume',
    summary: 'Use an approval once, just before the call',
    callers: ['key:decide'],
    errors: [
      'approval_unknown',
      'approval_not_approved',
      'approval_denied',
      'approval_expired',
      'approval_consumed',
      'binding_mismatch',
      'policy_changed',
      'busy',
      'disk_full',
    ],
    params: Type.Object({ id: Str }),
    input: Type.Object(
      { args_digest: Str, action: Str, session_id: Str, nonce: Str },
      { additionalProperties: false },
    ),
    output: Type.Object({ intent_id: Str, grant: Type.Object({ expires_at: Str }) }),
  }),
  reportOutcome: op({
    method: 'POST',
    path: '/api/decisions/:id/outcome',
    summary: 'What came of the call that was decided',
    callers: ['key:decide'],
    body: 'events',
    errors: [
      'decision_unknown',
      'policy_denied',
      'approval_not_approved',
      'outcome_conflict',
      'input_invalid',
      'key_dollar',
      'json_depth',
      'busy',
      'disk_full',
    ],
    params: Type.Object({ id: Str }),
    input: Type.Object(
      {
        outcome: Type.Union([Type.Literal('ok'), Type.Literal('error')]),
        result: Opt(Type.Unknown()),
        error: Opt(Type.String({ maxLength: 4096 })),
        latency_ms: Opt(Type.Number({ minimum: 0 })),
      },
      { additionalProperties: false },
    ),
    output: Type.Object({ seq: Int, event_id: Str }),
  }),

  // Reading
  events: op({
    method: 'GET',
    path: '/api/events',
    summary: 'Search events: q (words, and app:, risk:, type:, decision:, session: terms), newest first',
    callers: ['key:read', ...page],
    errors: ['input_invalid'],
    query: Type.Object({
      q: Opt(Str),
      app: Opt(Str),
      event_id: Opt(Str),
      session: Opt(Str),
      from: Opt(Str),
      to: Opt(Str),
      ...Page,
    }),
    output: listOf(RecordView),
  }),
  event: op({
    method: 'GET',
    path: '/api/events/:seq',
    summary: 'One record, whole',
    callers: ['key:read', ...page],
    errors: ['not_found'],
    params: Type.Object({ seq: Int }),
    output: RecordView,
  }),
  eventProof: op({
    method: 'GET',
    path: '/api/events/:seq/proof',
    summary: 'What is needed to check one record: neighbours, inclusion proof, checkpoint, public keys',
    callers: ['key:read', ...page],
    errors: ['not_found'],
    params: Type.Object({ seq: Int }),
    output: Type.Object({
      record: RecordView,
      before: Opt(RecordView),
      after: Opt(RecordView),
      inclusion: Type.Object({
        size: Int,
        index: Int,
        hashes: Type.Array(Type.String({ description: 'base64' })),
      }),
      checkpoint: CheckpointView,
      vkeys: Type.Array(Str),
      keys: Type.Array(
        Type.Object({ key_id: Str, public_key: Type.String({ description: 'base64, 32 bytes' }) }),
      ),
    }),
  }),
  blob: op({
    method: 'GET',
    path: '/api/blobs/:sha256',
    summary: 'The bytes of a blob',
    callers: ['key:read', ...page],
    errors: ['not_found'],
    params: Type.Object({ sha256: Str }),
    output: Type.Unknown(),
    media: 'application/octet-stream',
  }),
  traces: op({
    method: 'GET',
    path: '/api/traces',
    summary: 'Runs, newest first; the same q as events, facets with counts',
    callers: ['key:read', ...page],
    errors: ['input_invalid'],
    query: Type.Object({
      q: Opt(Str),
      app: Opt(Str),
      risk: Opt(Str),
      decision: Opt(Str),
      sort: Opt(Str),
      from: Opt(Str),
      to: Opt(Str),
      ...Page,
    }),
    output: Type.Object({
      items: Type.Array(TraceSummary),
      total: Int,
      next: Opt(Str),
      facets: Type.Object({
        app: Type.Record(Str, Int),
        risk: Type.Record(Str, Int),
        decision: Type.Record(Str, Int),
      }),
    }),
  }),
  trace: op({
    method: 'GET',
    path: '/api/traces/:id',
    summary: 'One run with all its spans, never cut',
    callers: ['key:read', ...page],
    errors: ['not_found'],
    params: Type.Object({ id: Str }),
    query: Type.Object({ q: Opt(Str) }),
    output: Type.Object({
      trace: TraceSummary,
      spans: SpanColumns,
      matches: Opt(Type.Array(Int, { description: 'seqs that match q' })),
    }),
  }),

  // Evidence
  exportEvidence: op({
    method: 'POST',
    path: '/api/evidence/export',
    summary: 'An evidence pack; Accept: application/zip streams it, else its place is answered',
    callers: ['key:export', ...page],
    errors: [
      'app_unknown',
      'app_mismatch',
      'scope_empty',
      'ts_invalid',
      'at_beyond',
      'at_before_erasure',
      'busy',
      'disk_full',
    ],
    input: ExportBody,
    output: Type.Object({
      pack: Str,
      pack_id: Str,
      sha256: Str,
      bytes: Int,
      events: Int,
      checkpoint: Type.Object({ size: Int, root: Str }),
    }),
  }),
  previewEvidence: op({
    method: 'POST',
    path: '/api/evidence/preview',
    summary: 'What a scope holds',
    callers: page,
    errors: ['app_unknown', 'scope_empty', 'ts_invalid'],
    input: ExportBody,
    output: PackCounts,
  }),
  startExport: op({
    method: 'POST',
    path: '/api/evidence/jobs',
    summary: 'Start an export in the background',
    callers: page,
    errors: ['app_unknown', 'scope_empty', 'ts_invalid', 'busy'],
    input: ExportBody,
    output: ExportJob,
    status: 202,
  }),
  exportJobs: op({
    method: 'GET',
    path: '/api/evidence/jobs',
    summary: 'Exports of this run of the collector',
    callers: page,
    errors: [],
    output: listOf(ExportJob),
  }),
  exportJob: op({
    method: 'GET',
    path: '/api/evidence/jobs/:id',
    summary: 'Progress of one export',
    callers: page,
    errors: ['export_unknown'],
    params: Type.Object({ id: Str }),
    output: ExportJob,
  }),
  cancelExport: op({
    method: 'DELETE',
    path: '/api/evidence/jobs/:id',
    summary: 'Cancel an export',
    callers: page,
    errors: ['export_unknown'],
    params: Type.Object({ id: Str }),
    output: ExportJob,
  }),
  downloadExport: op({
    method: 'GET',
    path: '/api/evidence/jobs/:id/pack',
    summary: 'The pack of a finished export',
    callers: page,
    errors: ['export_unknown'],
    params: Type.Object({ id: Str }),
    output: Type.Unknown(),
    media: 'application/zip',
  }),
  trust: op({
    method: 'GET',
    path: '/api/trust',
    summary: 'What a verifier must get apart from the pack, as {path: text}',
    callers: page,
    errors: [],
    output: Type.Object({ files: Type.Record(Str, Type.String()) }),
  }),

  // The page
  exchange: op({
    method: 'POST',
    path: '/api/session',
    summary: 'Exchange the one-time token for a session token',
    callers: ['anyone'],
    errors: ['ticket_invalid'],
    phases: any,
    input: Type.Object({ token: Str }),
    output: Type.Object({ session: Str, expires_at: Str }),
  }),
  newTicket: op({
    method: 'POST',
    path: '/api/tickets',
    summary: 'A new one-time link for the page',
    callers: ['local'],
    errors: [],
    phases: any,
    output: Type.Object({ ui_url: Str, expires_at: Str }),
  }),
  status: op({
    method: 'GET',
    path: '/api/status',
    summary: 'The status bar: the truth, nothing more',
    callers: page,
    errors: [],
    phases: any,
    output: StatusView,
  }),
  setup: op({
    method: 'POST',
    path: '/api/setup',
    summary: 'First start: vault, recovery phrase, one person, a first key',
    callers: page,
    phases: ['setup'],
    errors: ['setup_done', 'passphrase_weak', 'vault_key_exposed', 'vault_secret_wrong'],
    input: Type.Object(
      {
        custody: Type.Enum(['key_file', 'passphrase', 'safe_storage']),
        passphrase: Opt(Str),
        key_file: Opt(Str),
        person: Type.String({ minLength: 1, maxLength: 256 }),
        app_id: Str,
      },
      { additionalProperties: false },
    ),
    output: Type.Object({ recovery_phrase: Str, api_key: Str, key_id: Str, app_id: Str, key_file: Opt(Str) }),
  }),
  unlock: op({
    method: 'POST',
    path: '/api/unlock',
    summary: 'Open a vault by its passphrase, or by the recovery phrase in its place',
    callers: page,
    phases: ['locked'],
    errors: ['vault_secret_wrong', 'ledger_refused', 'busy'],
    input: Type.Object({ passphrase: Str }),
    output: StatusView,
  }),
  overview: op({
    method: 'GET',
    path: '/api/overview',
    summary: 'Figures for a window of days, from recorded events',
    callers: page,
    errors: [],
    query: Type.Object({ days: Opt(Type.Integer({ minimum: 1, maximum: 3650 })) }),
    output: Type.Object({
      events: Int,
      runs: Int,
      apps: Int,
      decisions: Type.Object({ allow: Int, deny: Int, approve: Int, failed: Int }),
      approvals: Type.Object({ waiting: Int, approved: Int, denied: Int, expired: Int }),
      by_hour: Type.Array(
        Type.Object({ hour: Str, events: Int, allow: Int, deny: Int, approve: Int, failed: Int }),
      ),
      by_app: Type.Array(Type.Object({ app_id: Str, events: Int, runs: Int, last_at: Str })),
      latest_exceptions: Type.Array(
        Type.Object({
          seq: Int,
          run_id: Str,
          app_id: Str,
          name: Str,
          state: Str,
          at: Str,
          reasons: Type.Array(Str),
        }),
      ),
      unverified_events: Int,
      unknown_attributes: Type.Array(Type.Object({ name: Str, count: Int })),
    }),
  }),
  approvals: op({
    method: 'GET',
    path: '/api/approvals',
    summary: 'The queue, oldest first, or answered ones, newest first',
    callers: page,
    errors: [],
    query: Type.Object({
      status: Opt(Type.Enum(['waiting', 'answered', 'all'])),
      ...Page,
    }),
    output: listOf(ApprovalView),
  }),
  answerApproval: op({
    method: 'POST',
    path: '/api/approvals/:id/answer',
    summary: 'Give or refuse an approval (recorded as unsigned)',
    callers: page,
    errors: ['approval_unknown', 'approval_expired', 'approval_closed', 'input_invalid'],
    params: Type.Object({ id: Str }),
    input: Type.Object(
      {
        verdict: Type.Union([Type.Literal('approve'), Type.Literal('deny')]),
        comment: Opt(Type.String({ maxLength: 2000 })),
        shown_digest: Opt(Str),
        opened_at: Opt(Str),
      },
      { additionalProperties: false },
    ),
    output: ApprovalView,
  }),
  keys: op({
    method: 'GET',
    path: '/api/keys',
    summary: 'API keys, without their secrets',
    callers: page,
    errors: [],
    output: listOf(KeyView),
  }),
  createKey: op({
    method: 'POST',
    path: '/api/keys',
    summary: 'A new API key, shown once',
    callers: page,
    errors: ['input_invalid'],
    status: 201,
    input: Type.Object(
      { app_id: Str, tenant_id: Opt(Str), scopes: Opt(Type.Array(Scope)) },
      { additionalProperties: false },
    ),
    output: Type.Object({ id: Str, api_key: Str, app_id: Str, tenant_id: Str, scopes: Type.Array(Scope) }),
  }),
  revokeKey: op({
    method: 'DELETE',
    path: '/api/keys/:id',
    summary: 'Revoke an API key, at once',
    callers: page,
    errors: ['not_found'],
    params: Type.Object({ id: Str }),
    output: KeyView,
  }),
  policies: op({
    method: 'GET',
    path: '/api/policies',
    summary: 'The policy in force, with its sources',
    callers: page,
    errors: [],
    query: Type.Object({ hash: Opt(Str) }),
    output: Type.Object({
      version: Int,
      hash: Str,
      ready: Type.Boolean(),
      entrypoint: Str,
      activated_at: Opt(Str),
      files: Type.Array(Type.Object({ path: Str, sha256: Str, text: Type.String() })),
    }),
  }),
  loadSamples: op({
    method: 'POST',
    path: '/api/samples',
    summary: 'Load the sample runs, labelled as samples',
    callers: page,
    errors: ['busy', 'disk_full'],
    output: Type.Object({ events: Int, runs: Int, already: Type.Boolean() }),
  }),
  settings: op({
    method: 'GET',
    path: '/api/settings',
    summary: 'Settings',
    callers: page,
    errors: [],
    output: Type.Object({ otlp_unkeyed: Type.Boolean(), time_zone: Str, person: Str }),
  }),
  changeSettings: op({
    method: 'POST',
    path: '/api/settings',
    summary: 'Change settings; each change is an event',
    callers: page,
    errors: ['input_invalid'],
    input: Type.Object(
      { otlp_unkeyed: Opt(Type.Boolean()), time_zone: Opt(Str), person: Opt(Str) },
      { additionalProperties: false },
    ),
    output: Type.Object({ otlp_unkeyed: Type.Boolean(), time_zone: Str, person: Str }),
  }),
  changePassphrase: op({
    method: 'POST',
    path: '/api/custody/passphrase',
    summary: 'Change the passphrase, or move from key file to passphrase',
    callers: page,
    errors: ['vault_secret_wrong', 'passphrase_weak'],
    input: Type.Object({ current: Opt(Str), passphrase: Str }, { additionalProperties: false }),
    output: StatusView,
  }),
  backup: op({
    method: 'POST',
    path: '/api/backup',
    summary: 'An encrypted backup, opened by the recovery phrase',
    callers: page,
    errors: ['disk_full'],
    output: Type.Unknown(),
    media: 'application/octet-stream',
  }),
  diagnostics: op({
    method: 'GET',
    path: '/api/diagnostics',
    summary: 'Versions, sizes, settings and the last log lines; no payloads, no secrets',
    callers: page,
    errors: [],
    phases: any,
    output: Type.Unknown(),
  }),
  licences: op({
    method: 'GET',
    path: '/api/licences',
    summary: 'Third-party licences',
    callers: page,
    errors: [],
    phases: any,
    output: Type.Object({ text: Type.String() }),
  }),
  sdkTarball: op({
    method: 'GET',
    path: '/api/sdk/trailmix-ts.tgz',
    summary: 'The TypeScript SDK, to install with npm',
    callers: ['anyone'],
    errors: ['not_found'],
    phases: any,
    output: Type.Unknown(),
    media: 'application/gzip',
  }),
  verifyLedger: op({
    method: 'POST',
    path: '/api/ledger/verify',
    summary: 'The four verdicts over the whole live ledger',
    callers: page,
    errors: ['busy'],
    output: LedgerReport,
  }),
} as const;

export type Operations = typeof operations;
export type OperationName = keyof Operations;
type StaticOf<T> = T extends Type.TSchema ? Type.Static<T> : undefined;
export type InputOf<N extends OperationName> = Operations[N] extends { input: infer I }
  ? StaticOf<I>
  : undefined;
export type OutputOf<N extends OperationName> = StaticOf<Operations[N]['output']>;
export type QueryOf<N extends OperationName> = Operations[N] extends { query: infer Q }
  ? StaticOf<Q>
  : undefined;
export type ParamsOf<N extends OperationName> = Operations[N] extends { params: infer P }
  ? StaticOf<P>
  : undefined;
