-- The ledger's own tables. Times `*_us` are microseconds since 1970, UTC. Hashes are 32 raw bytes.
-- One ledger, one tenant for now: rows reach their tenant through app, and tenant_id stands wherever formats have it.
PRAGMA application_id = 0x544d4c31;

CREATE TABLE ledger (
  ledger_id TEXT NOT NULL,
  tenant_id TEXT NOT NULL,
  PRIMARY KEY (ledger_id, tenant_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE app (
  app INTEGER PRIMARY KEY,
  tenant_id TEXT NOT NULL,
  app_id TEXT NOT NULL,
  UNIQUE (tenant_id, app_id)
) STRICT;

-- hash_prev is the previous row's hash_self; the signature is in `seal`. body is JCS text, null once erased.
-- body comes last: what filters reads only the row's first page.
CREATE TABLE record (
  seq INTEGER PRIMARY KEY,
  app INTEGER NOT NULL,
  app_seq INTEGER NOT NULL,
  run INTEGER,
  event_type TEXT NOT NULL,
  ts TEXT NOT NULL,
  received_us INTEGER NOT NULL,
  hash_self BLOB NOT NULL,
  body_hash BLOB NOT NULL,
  body TEXT
) STRICT;
CREATE UNIQUE INDEX record_app ON record (app, app_seq);

-- One row per group commit: 64 bytes for each seq from first_seq on.
CREATE TABLE seal (
  first_seq INTEGER PRIMARY KEY,
  key_id BLOB NOT NULL,
  signatures BLOB NOT NULL
) STRICT;

-- One row per group commit: 32 bytes for each seq, keyed hashes of (tenant, app, event_id) and of the content, 16 each.
-- Outlives erasure.
CREATE TABLE once (
  first_seq INTEGER PRIMARY KEY,
  macs BLOB NOT NULL
) STRICT;

-- Full subtrees of RFC 9162 from level 8 (256 leaves) up; what is below is recomputed from hash_self.
CREATE TABLE tree (
  level INTEGER NOT NULL,
  position INTEGER NOT NULL,
  hash BLOB NOT NULL,
  PRIMARY KEY (level, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE checkpoint (
  size INTEGER PRIMARY KEY,
  root BLOB NOT NULL,
  at TEXT NOT NULL,
  note TEXT NOT NULL
) STRICT;

CREATE TABLE stream (
  stream_id TEXT NOT NULL,
  key_id TEXT NOT NULL,
  last_n INTEGER NOT NULL,
  PRIMARY KEY (stream_id)
) STRICT, WITHOUT ROWID;

-- Projections, kept in the same transaction as the records; the verifier compares them with the bodies.
-- A run is one session of one app. risk: 0 none, 1 low .. 4 critical. status: 0 unset, 1 ok, 2 error.
CREATE TABLE run (
  run INTEGER PRIMARY KEY,
  run_id TEXT NOT NULL UNIQUE,
  app INTEGER NOT NULL,
  session_id TEXT NOT NULL,
  title TEXT NOT NULL,
  first_us INTEGER NOT NULL,
  last_us INTEGER NOT NULL,
  events INTEGER NOT NULL,
  first_seq INTEGER NOT NULL,
  last_seq INTEGER NOT NULL,
  risk INTEGER NOT NULL,
  status INTEGER NOT NULL,
  tokens INTEGER NOT NULL,
  cost REAL NOT NULL,
  allowed INTEGER NOT NULL,
  denied INTEGER NOT NULL,
  asked INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  sample INTEGER NOT NULL,
  unverified INTEGER NOT NULL
) STRICT;
CREATE INDEX run_last ON run (last_seq);

CREATE TABLE span (
  run INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  event_id TEXT NOT NULL,
  parent_id TEXT,
  event_type TEXT NOT NULL,
  name TEXT,
  kind TEXT NOT NULL,
  start_us INTEGER NOT NULL,
  end_us INTEGER,
  risk INTEGER NOT NULL,
  status INTEGER NOT NULL,
  decision TEXT,
  tokens INTEGER,
  cost REAL,
  PRIMARY KEY (run, seq)
) STRICT, WITHOUT ROWID;

-- Counts by hour of received_at.
CREATE TABLE hour (
  hour_us INTEGER NOT NULL,
  app INTEGER NOT NULL,
  events INTEGER NOT NULL,
  allow INTEGER NOT NULL,
  deny INTEGER NOT NULL,
  approve INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  unverified INTEGER NOT NULL,
  PRIMARY KEY (hour_us, app)
) STRICT, WITHOUT ROWID;

-- Attributes that no mapping knows, counted as they come in.
CREATE TABLE attribute (
  name TEXT PRIMARY KEY,
  count INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Which API key uploaded which blob: a $blob in an event must be that key's own.
CREATE TABLE blob_upload (
  tenant_id TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  key_id TEXT NOT NULL,
  PRIMARY KEY (tenant_id, sha256, key_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE policy_version (
  version INTEGER PRIMARY KEY,
  hash TEXT NOT NULL,
  entrypoint TEXT NOT NULL,
  capabilities_sha256 TEXT NOT NULL,
  wasm_sha256 TEXT NOT NULL,
  files TEXT NOT NULL,
  activated_at TEXT NOT NULL,
  activated_by TEXT NOT NULL,
  seq INTEGER NOT NULL
) STRICT;

CREATE TABLE setting (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
