/**
 * The one error table. A code crosses every boundary (HTTP, CLI, SDK, page, worker); docs/errors.md is
 * generated from it and a test checks both directions. `next` says what the reader should do.
 * `retry`: never = the same request will fail again; later = wait and repeat; after_fix = change something first.
 */
type Row = { status: number; retry: 'never' | 'later' | 'after_fix'; title: string; next: string };

const row = (status: number, retry: Row['retry'], title: string, next: string): Row => ({
  status,
  retry,
  title,
  next,
});

export const errorTable = {
  // JSON text (docs/spec/event.md, Strict I-JSON)
  json_invalid: row(400, 'after_fix', 'The body is not JSON', 'Send one JSON text in UTF-8.'),
  json_utf8: row(400, 'after_fix', 'The body is not valid UTF-8', 'Encode the body as UTF-8.'),
  json_bom: row(400, 'after_fix', 'The body starts with a byte order mark', 'Send UTF-8 without a BOM.'),
  json_duplicate_key: row(400, 'after_fix', 'An object names the same key twice', 'Name each key once.'),
  json_surrogate: row(400, 'after_fix', 'A string holds half of a surrogate pair', 'Send whole characters.'),
  json_depth: row(400, 'after_fix', 'The value is nested too deep', 'Keep an event within 64 levels.'),
  json_number: row(
    400,
    'after_fix',
    'A number cannot be kept exactly',
    'Send large or precise numbers as strings.',
  ),
  // Event
  event_invalid: row(
    422,
    'after_fix',
    'An event was refused',
    'Mend the members named in errors and send all again.',
  ),
  field_unknown: row(422, 'after_fix', 'An unknown member', 'Put unknown data into labels or input.'),
  field_missing: row(422, 'after_fix', 'A required member is missing', 'Add it.'),
  field_null: row(422, 'after_fix', 'A member is null', 'Leave the member out: absent is the only absence.'),
  field_type: row(
    422,
    'after_fix',
    'A member has the wrong type or value',
    'See docs/spec/event.md for its form.',
  ),
  field_too_long: row(
    422,
    'after_fix',
    'A member is too long',
    'Ids and names in the head hold at most 256 UTF-8 bytes.',
  ),
  key_dollar: row(422, 'after_fix', 'A key starts with $', 'Rename it: keys starting with $ are reserved.'),
  ts_invalid: row(
    422,
    'after_fix',
    'A time is not valid',
    'Use YYYY-MM-DDTHH:MM:SS[.1-9 digits]Z, a real date.',
  ),
  event_type_reserved: row(
    422,
    'after_fix',
    'This event type belongs to the collector',
    'Choose another event_type.',
  ),
  event_conflict: row(
    409,
    'never',
    'This event_id is taken by other content',
    'Use a new event_id for a new event.',
  ),
  blob_unknown: row(
    422,
    'after_fix',
    'The $blob was not uploaded with this key',
    'POST it to /api/blobs first.',
  ),
  app_mismatch: row(
    403,
    'after_fix',
    "app_id is not the key's app",
    'Use the app_id that the API key was made for.',
  ),
  stream_conflict: row(
    409,
    'never',
    'This stream belongs to another key, or n was used',
    'Start a new stream id.',
  ),
  // Access
  key_missing: row(401, 'after_fix', 'No credential', 'Send Authorization: Bearer <API key>, or sign in.'),
  key_invalid: row(
    401,
    'after_fix',
    'The API key is not known here',
    'Make one: trailmix keys create --app APP.',
  ),
  key_revoked: row(
    401,
    'never',
    'The API key was revoked',
    'Make a new one: trailmix keys create --app APP.',
  ),
  scope_missing: row(
    403,
    'after_fix',
    'The API key lacks the scope',
    'Make a key with the scope that is named.',
  ),
  session_invalid: row(
    401,
    'after_fix',
    'The page is not signed in, or no longer',
    'Open the app from `trailmix start` again.',
  ),
  ticket_invalid: row(
    401,
    'never',
    'The one-time link was used or is too old',
    'Run `trailmix start` or `trailmix doctor` for a new link.',
  ),
  forbidden: row(
    403,
    'never',
    'This credential may not do that',
    'Use a signed-in page or the CLI on this machine.',
  ),
  host_forbidden: row(
    421,
    'never',
    'The Host header names another host',
    'Use the address the collector printed.',
  ),
  origin_forbidden: row(
    403,
    'never',
    'The request comes from another web origin',
    'Call from a program, or from the app itself.',
  ),
  fetch_site_forbidden: row(
    403,
    'never',
    'A browser sent this from another site',
    'Call from a program, or from the app itself.',
  ),
  otlp_unkeyed_off: row(
    401,
    'after_fix',
    'OTLP without a key is turned off here',
    'Add an API key, or turn it on in Settings.',
  ),
  // Request
  not_found: row(404, 'never', 'Nothing is here', 'Check the id or the address.'),
  app_unknown: row(
    404,
    'never',
    'No such app in this ledger',
    'See Traces for the apps that have recorded anything.',
  ),
  method_not_allowed: row(405, 'never', 'The address does not take this method', 'See /api/openapi.json.'),
  media_type: row(
    415,
    'after_fix',
    'The content type or coding is not accepted',
    'Send application/json, plain or gzip.',
  ),
  body_too_large: row(
    413,
    'after_fix',
    'The body is too large',
    'Send smaller batches; large values go to /api/blobs.',
  ),
  input_invalid: row(
    422,
    'after_fix',
    'The request is not in the form expected',
    'Mend what `where` names; see /api/openapi.json.',
  ),
  batch_too_large: row(
    422,
    'after_fix',
    'Too many events in one batch',
    'Send at most 1,000 events at once.',
  ),
  otlp_invalid: row(
    400,
    'after_fix',
    'The OTLP message cannot be read',
    'Send an OTLP/HTTP export request, protobuf or JSON.',
  ),
  busy: row(
    429,
    'later',
    'The collector is full',
    'Wait as Retry-After says and send again; nothing was recorded.',
  ),
  // Decision and approval (FORMATS, Decision and approval)
  policy_failed: row(
    200,
    'never',
    'The policy could not be evaluated, so the answer is deny',
    'See the reasons, then mend or activate a policy.',
  ),
  policy_invalid: row(
    422,
    'after_fix',
    'The policy cannot be used',
    'Mend what the message names, then `trailmix policy check`; the policy in force stays.',
  ),
  toolchain_missing: row(
    503,
    'after_fix',
    'The policy toolchain is not built here',
    'Install Go 1.26 and run `npm run prepare`; everything but policy authoring and the gate works without.',
  ),
  toolchain_timeout: row(
    503,
    'after_fix',
    'The policy toolchain did not finish in time',
    'Look for an endless rule or test, or try again on a less busy machine.',
  ),
  policy_unknown: row(404, 'never', 'No such policy set', 'See `trailmix policy list` for what is saved.'),
  policy_untested: row(
    409,
    'after_fix',
    'The policy set has not passed tests',
    'Add tests (rules named test_... in files *_test.rego) until all pass, save it again, then activate.',
  ),
  policy_stale: row(
    409,
    'after_fix',
    'Another policy has come into force meanwhile',
    'Look at what is in force now, then activate again.',
  ),
  policy_no_second: row(
    409,
    'after_fix',
    'Nobody could give the second signature',
    'This environment needs two people. Enrol another policy author who did not write the set, or let its author propose it and sign second yourself.',
  ),
  policy_own_request: row(
    403,
    'never',
    'Nobody activates alone here',
    'This environment needs two people: the second to sign is neither the one who proposed nor the author of the set. Ask another policy author, or withdraw it and let its author propose.',
  ),
  impact_unknown: row(
    404,
    'never',
    'No such impact job',
    'Jobs live as long as this run of the collector; saved ones are events of type policy.impact.',
  ),
  impact_unfinished: row(409, 'later', 'The impact job is not done', 'Wait for it, or start it again.'),
  decision_unknown: row(404, 'never', 'No such decision', 'Ask for a decision first.'),
  approval_unknown: row(404, 'never', 'No such approval', 'Ask for a decision first.'),
  approval_not_approved: row(
    409,
    'later',
    'The approval is not given',
    'Wait for it: GET /api/approvals/ID?wait=30.',
  ),
  approval_denied: row(
    409,
    'never',
    'The approval was refused',
    'Do not run the action; ask again if it changed.',
  ),
  approval_expired: row(409, 'never', 'The approval expired', 'Ask again.'),
  approval_consumed: row(
    409,
    'never',
    'The approval was already used',
    'Ask again: one approval runs one action once.',
  ),
  approval_closed: row(409, 'never', 'The approval was already answered', 'Nothing more to do.'),
  binding_mismatch: row(
    409,
    'never',
    'The call is not the one that was approved',
    'Ask again for the call as it is now.',
  ),
  policy_changed: row(
    409,
    'never',
    'The policy changed since the approval was asked',
    'Ask again under the policy in force.',
  ),
  outcome_conflict: row(409, 'never', 'Another outcome was already recorded', 'Nothing more to do.'),
  grant_expired: row(409, 'never', 'The grant to run ended', 'Ask again.'),
  collector_unavailable: row(
    503,
    'later',
    'The collector did not answer, or could not prove that it was the collector',
    'Start it, or check what listens on the port; gated calls are refused meanwhile.',
  ),
  policy_denied: row(403, 'never', 'The policy refused this call', 'See the reasons.'),
  args_not_json: row(
    422,
    'after_fix',
    'The arguments are not plain JSON',
    'Pass plain objects, arrays, strings, numbers, booleans and null.',
  ),
  // Tenants (docs/adr/0007-tenants.md)
  tenant_unknown: row(404, 'never', 'No such tenant', 'See `trailmix tenants list`.'),
  tenant_exists: row(409, 'never', 'There is such a tenant already', 'Choose another id.'),
  tenant_limit: row(
    409,
    'never',
    'This installation has all the tenants it takes',
    'Use another data folder.',
  ),
  default_tenant_only: row(
    403,
    'never',
    'This concerns the whole installation',
    'An admin of the default tenant does it, or the command line on this machine.',
  ),
  // People (docs/spec/people.md) and answers (docs/spec/gate.md, Answers)
  role_missing: row(403, 'never', 'Your role may not do that', 'Ask an admin of this ledger for the role.'),
  sign_in_needed: row(
    401,
    'after_fix',
    'A person must sign in for this',
    'Sign in by name and passphrase; the one-time link alone is not enough once people are enrolled.',
  ),
  sign_in_failed: row(
    401,
    'after_fix',
    'The name or the passphrase is wrong',
    'Try again; an admin can reset a forgotten sign-in.',
  ),
  sign_in_locked: row(429, 'later', 'Too many wrong attempts', 'Wait as Retry-After says and try again.'),
  person_unknown: row(404, 'never', 'No such person', 'See `trailmix people list`.'),
  person_exists: row(409, 'never', 'This sign-in name was given already', 'Choose another name.'),
  person_left: row(409, 'never', 'This person has left', 'Invite them under a new sign-in name.'),
  people_enrolled: row(
    409,
    'never',
    'Somebody is enrolled already',
    'Ask an admin for an invitation: only the first person enrols alone.',
  ),
  invite_invalid: row(
    401,
    'never',
    'The invitation was used, replaced or is too old',
    'Ask the admin for a new one.',
  ),
  last_admin: row(
    409,
    'after_fix',
    'The last admin cannot leave or lose the role',
    'Give another person the role admin first.',
  ),
  statement_invalid: row(
    422,
    'after_fix',
    'The signed statement does not say what the request asks',
    'Sign exactly the members that docs/spec names for it, over what stands in the request.',
  ),
  signature_invalid: row(
    422,
    'never',
    'The signature does not verify',
    'Sign with your own key, over exactly what is asked.',
  ),
  signature_missing: row(
    422,
    'after_fix',
    'This needs a signature by a person',
    'Sign in and do it in the page, or by the command: `trailmix approvals`, or --as NAME.',
  ),
  person_key_unknown: row(
    403,
    'never',
    'The key is not in force for this person',
    'Sign with the key that is enrolled for you now.',
  ),
  delegation_invalid: row(
    422,
    'after_fix',
    'The delegation cannot be made',
    'Delegate roles of your own, to another approver, for at most 90 days.',
  ),
  approval_own_request: row(
    403,
    'never',
    'Nobody approves what they asked for',
    'Another person has to answer.',
  ),
  approval_role_missing: row(
    403,
    'never',
    'The rule asks for another role',
    'A person with one of the roles named has to answer.',
  ),
  approval_answered: row(
    409,
    'never',
    'You have answered this already',
    'Another person has to answer; a person counts once.',
  ),
  approval_cancelled: row(409, 'never', 'The agent took its question back', 'Nothing more to do.'),
  review_unknown: row(
    409,
    'after_fix',
    'You have not opened this approval, or the review ended',
    'Open it again, look at it, then answer.',
  ),
  review_too_short: row(
    409,
    'later',
    'Answered before it can have been read',
    'Wait as Retry-After says; refusing is possible at any time.',
  ),
  challenge_failed: row(
    409,
    'after_fix',
    'The answer to the question about the action is wrong',
    'Look at the arguments again.',
  ),
  shown_mismatch: row(
    409,
    'after_fix',
    'What was shown is not what the collector has',
    'Reload the page and open the approval again.',
  ),
  // Vault, ledger, custody
  setup_needed: row(
    503,
    'after_fix',
    'This data folder has no vault yet',
    'Open the app and finish the first start, or run `trailmix start --key-file FILE`.',
  ),
  setup_done: row(409, 'never', 'This data folder already has a vault', 'Nothing to set up.'),
  vault_locked: row(
    503,
    'after_fix',
    'The vault is locked',
    'Unlock it in the app, or start with --key-file.',
  ),
  vault_secret_wrong: row(
    403,
    'after_fix',
    'The passphrase, key file or recovery phrase does not open this vault',
    'Try again with the right one; nothing was changed.',
  ),
  vault_key_missing: row(
    503,
    'after_fix',
    'The key file of this vault is not there',
    'Put it back, name it with --key-file, or start the app and unlock with the recovery phrase.',
  ),
  vault_key_exposed: row(
    503,
    'after_fix',
    'The key file can be read by others, or lies inside the data folder',
    'chmod 600 it and keep it outside the data folder.',
  ),
  vault_damaged: row(
    503,
    'never',
    'vault.json cannot be read',
    'Restore it from a backup with `trailmix restore`.',
  ),
  passphrase_weak: row(422, 'after_fix', 'The passphrase is too short', 'Use at least 12 characters.'),
  ledger_refused: row(
    503,
    'never',
    'The ledger was refused at open',
    'Read the reason with `trailmix doctor`.',
  ),
  ledger_rolled_back: row(
    503,
    'never',
    'The database is older than its head file says',
    'Put the newer database back, or run `trailmix restore` with a backup and --accept-head.',
  ),
  ledger_damaged: row(
    503,
    'never',
    'The ledger does not verify',
    'Keep a copy of the data folder, then run `trailmix verify --ledger`.',
  ),
  ledger_newer: row(
    503,
    'never',
    'The ledger was written by a newer version',
    'Start that version, or restore a backup made by this one.',
  ),
  ledger_in_use: row(
    503,
    'later',
    'Another process holds this data folder',
    'Use the app that runs already, or stop it.',
  ),
  disk_full: row(
    507,
    'later',
    'The disk is full: nothing was recorded',
    'Free some space; recording goes on by itself.',
  ),
  disk_low: row(200, 'later', 'Little disk space is left', 'Free some space before recording stops.'),
  // Evidence
  scope_empty: row(422, 'after_fix', 'The scope ends before it begins', 'Choose from before to.'),
  certificate_invalid: row(
    422,
    'after_fix',
    'The certificate cannot sign packs here',
    'Mend what the message names; docs/evidence_packs.md, "Who signs", tells what is wanted.',
  ),
  timestamp_invalid: row(
    422,
    'after_fix',
    'The time-stamp does not fit, or is not right',
    'Make a new request and ask the authority again.',
  ),
  timestamp_unavailable: row(
    503,
    'later',
    'No time-stamping authority answered well',
    'Try again, name another (Settings > Signing and time, or `trailmix timestamp authorities`), or carry the request by file.',
  ),
  witness_invalid: row(
    422,
    'after_fix',
    "A witness's file is not right",
    'Make a new request and ask the witness again; nothing was recorded or signed.',
  ),
  witness_unknown: row(
    422,
    'after_fix',
    'The witness, or the log it is asked about, is not known',
    'Name a witness under Settings > Witnesses or by `trailmix witness add VKEY`; give a witness the trust.json of the log at its first signing.',
  ),
  witness_behind: row(
    409,
    'after_fix',
    'The proof does not begin where the witness stopped',
    'Ask again with --old and the size that the message names.',
  ),
  witness_smaller: row(
    409,
    'never',
    'The checkpoint is smaller than one that was cosigned before',
    'Ask with the newest checkpoint. If this is the newest, the ledger was rolled back: look into it.',
  ),
  witness_inconsistent: row(
    409,
    'never',
    'The checkpoint does not continue what was cosigned before',
    'Keep both files: together they show that the ledger was rewritten.',
  ),
  erase_refused: row(
    409,
    'never',
    'This cannot be erased',
    'Choose other records: those of the ledger itself, of keys, people, erasures and exports stay, and open approvals first end.',
  ),
  export_cancelled: row(409, 'never', 'The export was cancelled', 'Start it again; nothing was kept.'),
  export_unknown: row(404, 'never', 'No such export', 'It may have been cleaned up: export again.'),
  at_beyond: row(
    422,
    'after_fix',
    'The pinned checkpoint is beyond the ledger',
    'Choose a size the ledger has reached.',
  ),
  at_before_erasure: row(
    409,
    'never',
    'A body in the scope was erased since that checkpoint',
    'Export without --at.',
  ),
  pack_unreadable: row(
    422,
    'never',
    'The file is not an evidence pack that can be read',
    'Check that it is the .zip as exported.',
  ),
  backup_unreadable: row(
    422,
    'never',
    'The file is not a backup that can be read',
    'Check that it is the file as written.',
  ),
  restore_refused: row(
    409,
    'after_fix',
    'A restore must be accepted as such',
    'Add --accept-head: the restore is recorded and every later pack shows it.',
  ),
  folder_not_empty: row(409, 'after_fix', 'The data folder is not empty', 'Choose an empty folder.'),
  // Host
  http_invalid: row(400, 'after_fix', 'This is not HTTP/1.1', 'Send a well-formed HTTP request.'),
  headers_too_large: row(431, 'after_fix', 'The headers are too large', 'Send at most 16 KiB of headers.'),
  port_busy: row(503, 'after_fix', 'The port is taken', 'Stop what holds it, or choose another with --port.'),
  usage: row(400, 'after_fix', 'The command line is not right', 'See --help.'),
  internal: row(
    500,
    'later',
    'Something went wrong inside the collector',
    'See the log named by `trailmix doctor`, and tell us.',
  ),
} as const satisfies Record<string, Row>;

export type ErrorCode = keyof typeof errorTable;

export const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(errorTable, code);

/** One refusal inside a larger one: `where` is a JSON Pointer into the request body. */
export type Problem = { code: ErrorCode; where: string; message: string };

export type ErrorDetail = {
  /** JSON Pointer into the request, a path, a header or a command-line word. */
  where?: string;
  /** What is wrong, in one sentence, without secrets or payloads. Default: the table's title. */
  message?: string;
  /** Seconds after which a repeat may succeed. */
  retryAfter?: number;
  errors?: Problem[];
};

/** The one error class that crosses rooms. Its message never holds a secret or a payload. */
export class TrailmixError extends Error {
  readonly code: ErrorCode;
  readonly where: string | undefined;
  readonly retryAfter: number | undefined;
  readonly errors: Problem[] | undefined;

  constructor(code: ErrorCode, detail: ErrorDetail = {}) {
    super(detail.message ?? errorTable[code].title);
    this.name = 'TrailmixError';
    this.code = code;
    this.where = detail.where;
    this.retryAfter = detail.retryAfter;
    this.errors = detail.errors;
  }
}

/** RFC 9457 problem details with our members `code`, `where`, `next`, `retry`, `errors`. */
export type ProblemDocument = {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: ErrorCode;
  next: string;
  retry: Row['retry'];
  where?: string;
  errors?: Problem[];
};

export const problemDocument = (error: TrailmixError): ProblemDocument => {
  const entry: Row = errorTable[error.code];
  return {
    type: `urn:trailmix:error:${error.code}`,
    title: entry.title,
    status: entry.status,
    detail: error.message,
    code: error.code,
    next: entry.next,
    retry: entry.retry,
    ...(error.where === undefined ? {} : { where: error.where }),
    ...(error.errors === undefined ? {} : { errors: error.errors }),
  };
};
