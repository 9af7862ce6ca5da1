-- API keys (collector/keys). auth is kept as SHA-256, mac sealed by the vault: no row opens anything by itself.
CREATE TABLE api_key (
  id TEXT PRIMARY KEY,
  tenant_id TEXT NOT NULL,
  app_id TEXT NOT NULL,
  scopes TEXT NOT NULL, -- JSON array, sorted
  auth_hash BLOB NOT NULL CHECK (length(auth_hash) = 32),
  mac_sealed BLOB NOT NULL,
  created_at TEXT NOT NULL,
  created_by TEXT NOT NULL,
  created_seq INTEGER NOT NULL,
  revoked_at TEXT,
  revoked_by TEXT,
  revoked_seq INTEGER
) STRICT, WITHOUT ROWID;
