-- Policy sets, environments and shadow runs (collector/policy; docs/spec/policy.md). The records are the evidence.
ALTER TABLE policy_version ADD COLUMN environment TEXT NOT NULL DEFAULT 'prod';
ALTER TABLE policy_version ADD COLUMN message TEXT NOT NULL DEFAULT '';
ALTER TABLE policy_version ADD COLUMN signed_in TEXT NOT NULL DEFAULT 'none';
ALTER TABLE api_key ADD COLUMN environment TEXT NOT NULL DEFAULT 'prod';

CREATE TABLE policy_set (
  hash TEXT PRIMARY KEY, -- policy_hash
  entrypoint TEXT NOT NULL,
  capabilities_sha256 TEXT NOT NULL,
  wasm_sha256 TEXT NOT NULL,
  sources_sha256 TEXT NOT NULL,
  files TEXT NOT NULL, -- JSON [{path, sha256, text}], tests included
  wasm BLOB NOT NULL,
  tests TEXT NOT NULL, -- JSON {passed, failed, skipped, percent}
  message TEXT NOT NULL,
  saved_at TEXT NOT NULL,
  saved_by TEXT NOT NULL,
  signed TEXT, -- JSON {statement, signature, signed_in}
  seq INTEGER NOT NULL, -- of policy.saved; of the first policy.activated for what the app ships with
  built_in INTEGER NOT NULL
) STRICT;
CREATE INDEX policy_set_seq ON policy_set (seq);

CREATE TABLE policy_environment (
  name TEXT PRIMARY KEY,
  version INTEGER NOT NULL,
  hash TEXT NOT NULL,
  pending TEXT, -- JSON {hash, by, at, message, replaces, signed}
  candidate TEXT -- JSON {hash, since, by, against, compared, differing, dropped, cells, told}
) STRICT;
INSERT INTO policy_environment (name, version, hash)
  SELECT 'prod', version, hash FROM policy_version ORDER BY version DESC LIMIT 1;

CREATE TABLE policy_difference (
  id INTEGER PRIMARY KEY,
  environment TEXT NOT NULL,
  decision_id TEXT NOT NULL,
  seq INTEGER NOT NULL,
  run_id TEXT NOT NULL,
  app_id TEXT NOT NULL,
  action TEXT NOT NULL,
  at TEXT NOT NULL,
  active TEXT NOT NULL,
  candidate TEXT NOT NULL,
  reasons TEXT NOT NULL -- JSON, of the candidate
) STRICT;
CREATE INDEX policy_difference_of ON policy_difference (environment, id);

-- Recorded decisions in their order, for whoever decides them again.
CREATE INDEX decision_seq ON decision (seq, app_id, action);
