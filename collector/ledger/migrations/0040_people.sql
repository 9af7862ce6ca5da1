-- People (collector/people). The records are the evidence; these rows are their working state and can be rebuilt from them,
-- but for sign-in secrets and invitations. Times are received_at of the record that made the change. Roles and aliases are
-- JSON arrays, sorted. Nothing here opens anything by itself: auth is kept as SHA-256, wrapped keys sealed by the vault.
CREATE TABLE person (
  tenant_id TEXT NOT NULL,
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  roles TEXT NOT NULL,
  aliases TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('invited', 'pending', 'active', 'left')),
  key_id TEXT, -- of the key in force; of the last one where the person left
  statement_at TEXT, -- `at` of the newest statement about them
  enrolled_at TEXT,
  enrolled_by TEXT,
  left_at TEXT,
  last_sign_in_at TEXT,
  failures INTEGER NOT NULL DEFAULT 0, -- wrong attempts since the last right one
  locked_until TEXT,
  PRIMARY KEY (tenant_id, id)
) STRICT, WITHOUT ROWID;

-- Every key that was ever in force: after from_seq (its record) and up to until_seq (the record that ended it).
CREATE TABLE person_key (
  tenant_id TEXT NOT NULL,
  key_id TEXT NOT NULL,
  person_id TEXT NOT NULL,
  public_key BLOB NOT NULL CHECK (length(public_key) = 32),
  from_seq INTEGER NOT NULL,
  until_seq INTEGER,
  PRIMARY KEY (tenant_id, key_id)
) STRICT, WITHOUT ROWID;

-- Sign-in of the key in force (pending = 0), or of a key that an admin has yet to sign (pending = 1).
CREATE TABLE person_secret (
  tenant_id TEXT NOT NULL,
  person_id TEXT NOT NULL,
  pending INTEGER NOT NULL CHECK (pending IN (0, 1)),
  key_id TEXT NOT NULL,
  public_key BLOB NOT NULL CHECK (length(public_key) = 32),
  possession TEXT NOT NULL,
  kdf TEXT NOT NULL, -- JSON {m, p, salt, t}
  auth_hash BLOB NOT NULL CHECK (length(auth_hash) = 32),
  wrapped_key_sealed BLOB NOT NULL,
  PRIMARY KEY (tenant_id, person_id, pending)
) STRICT, WITHOUT ROWID;

-- At most one for each person; the token is kept as SHA-256.
CREATE TABLE person_invitation (
  tenant_id TEXT NOT NULL,
  person_id TEXT NOT NULL,
  token_hash BLOB NOT NULL UNIQUE CHECK (length(token_hash) = 32),
  kind TEXT NOT NULL CHECK (kind IN ('enrol', 'reset', 'recovery')),
  invited_by TEXT NOT NULL,
  invited_at TEXT NOT NULL,
  expires_at TEXT NOT NULL,
  PRIMARY KEY (tenant_id, person_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE delegation (
  tenant_id TEXT NOT NULL,
  id TEXT NOT NULL,
  from_id TEXT NOT NULL,
  to_id TEXT NOT NULL,
  roles TEXT NOT NULL,
  starts_at TEXT NOT NULL,
  ends_at TEXT NOT NULL,
  reason TEXT NOT NULL,
  seq INTEGER NOT NULL,
  ended_at TEXT,
  ended_by TEXT,
  PRIMARY KEY (tenant_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX delegation_to ON delegation (tenant_id, to_id, ends_at);

-- Sessions that run: those left over when the collector starts ended with its restart.
CREATE TABLE person_session (
  tenant_id TEXT NOT NULL,
  id TEXT NOT NULL,
  person_id TEXT NOT NULL,
  started_at TEXT NOT NULL,
  PRIMARY KEY (tenant_id, id)
) STRICT, WITHOUT ROWID;

-- Records about people are few among many.
CREATE INDEX record_person ON record (app, seq) WHERE event_type >= 'person.' AND event_type < 'person/';
