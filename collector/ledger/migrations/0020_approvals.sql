-- Decisions and approvals (collector/approvals). The records are the evidence; these rows are their working state
-- and can be rebuilt from them. Times are received_at of the record that made the change.
CREATE TABLE decision (
  id TEXT PRIMARY KEY, -- event_id of decision.recorded
  tenant_id TEXT NOT NULL,
  app_id TEXT NOT NULL,
  key_id TEXT NOT NULL,
  session_id TEXT NOT NULL,
  action TEXT NOT NULL,
  risk TEXT NOT NULL,
  seq INTEGER NOT NULL,
  result TEXT NOT NULL CHECK (result IN ('allow', 'deny', 'approve')),
  outcome TEXT CHECK (outcome IN ('ok', 'error')),
  outcome_hash TEXT, -- SHA-256 of what was reported: the same again gets the same answer
  outcome_event_id TEXT,
  outcome_seq INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE approval (
  id TEXT PRIMARY KEY, -- event_id of approval.asked
  decision_id TEXT NOT NULL UNIQUE REFERENCES decision (id),
  tenant_id TEXT NOT NULL,
  app_id TEXT NOT NULL,
  key_id TEXT NOT NULL,
  session_id TEXT NOT NULL,
  actor_id TEXT NOT NULL,
  action TEXT NOT NULL,
  risk TEXT NOT NULL,
  payload TEXT NOT NULL, -- JSON, for the page that asks the person
  context TEXT, -- JSON
  reasons TEXT NOT NULL, -- JSON
  policy_version INTEGER NOT NULL,
  policy_hash TEXT NOT NULL,
  args_digest TEXT NOT NULL,
  nonce TEXT NOT NULL,
  binding_hash TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('waiting', 'approved', 'denied', 'expired', 'consumed')),
  asked_seq INTEGER NOT NULL,
  asked_at TEXT NOT NULL,
  expires_at TEXT NOT NULL,
  answered_at TEXT,
  answered_by TEXT,
  comment TEXT,
  signed_in TEXT CHECK (signed_in IN ('none', 'page', 'collector')),
  intent_id TEXT, -- event_id of intent.recorded
  grant_expires_at TEXT
) STRICT, WITHOUT ROWID;

-- The queue oldest first, the answered newest first, and what the expiry timer looks for.
CREATE INDEX approval_by_time ON approval (tenant_id, status, asked_at, id);
CREATE INDEX approval_open ON approval (expires_at) WHERE status IN ('waiting', 'approved');
