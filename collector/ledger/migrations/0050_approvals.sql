-- Approvals by people (collector/approvals): who has to answer, one row for each answer, review and comment, and `cancelled`.
-- A CHECK cannot be changed: the table is made anew. What filters read comes first, the arguments last: a row's first page is
-- all that a filter touches.
CREATE TABLE approval_new (
  id TEXT PRIMARY KEY, -- event_id of approval.asked
  decision_id TEXT NOT NULL UNIQUE REFERENCES decision (id),
  tenant_id TEXT NOT NULL,
  app_id TEXT NOT NULL,
  key_id TEXT NOT NULL,
  session_id TEXT NOT NULL,
  actor_id TEXT NOT NULL,
  action TEXT NOT NULL,
  risk TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('waiting', 'approved', 'denied', 'expired', 'consumed', 'cancelled')),
  required_k INTEGER NOT NULL,
  required_roles TEXT NOT NULL, -- JSON array, sorted: any one qualifies
  asked_seq INTEGER NOT NULL,
  asked_at TEXT NOT NULL,
  expires_at TEXT NOT NULL,
  answered_at TEXT, -- of the answer that settled it
  answered_by TEXT,
  comment TEXT,
  signed_in TEXT CHECK (signed_in IN ('none', 'page', 'collector')),
  intent_id TEXT, -- event_id of intent.recorded
  grant_expires_at TEXT,
  policy_version INTEGER NOT NULL,
  policy_hash TEXT NOT NULL,
  args_digest TEXT NOT NULL,
  nonce TEXT NOT NULL,
  binding_hash TEXT NOT NULL,
  reasons TEXT NOT NULL, -- JSON
  rules TEXT, -- JSON, names of the rules that asked, where they have names
  payload TEXT NOT NULL, -- JSON, for the page that asks the person
  context TEXT -- JSON
) STRICT, WITHOUT ROWID;

-- Of older rows the binding, and so who had to answer, stands in the record of the question alone.
INSERT INTO approval_new
  SELECT a.id, a.decision_id, a.tenant_id, a.app_id, a.key_id, a.session_id, a.actor_id, a.action, a.risk, a.status,
    coalesce(json_extract(r.body, '$.approval.binding.required.k'), 1),
    coalesce(json_extract(r.body, '$.approval.binding.required.roles'), '["approver"]'),
    a.asked_seq, a.asked_at, a.expires_at, a.answered_at, a.answered_by, a.comment, a.signed_in, a.intent_id,
    a.grant_expires_at, a.policy_version, a.policy_hash, a.args_digest, a.nonce, a.binding_hash, a.reasons, NULL,
    a.payload, a.context
  FROM approval a LEFT JOIN record r ON r.seq = a.asked_seq;
DROP TABLE approval;
ALTER TABLE approval_new RENAME TO approval;

-- The queue oldest first, with what its filters ask for; the rest newest first; what the expiry timer looks for; the last
-- one of the same kind that was given.
CREATE INDEX approval_waiting ON approval (tenant_id, asked_seq, risk, app_id, action, actor_id, required_roles,
  session_id)
  WHERE status = 'waiting';
CREATE INDEX approval_answered ON approval (tenant_id, asked_seq) WHERE status <> 'waiting';
CREATE INDEX approval_open ON approval (expires_at) WHERE status IN ('waiting', 'approved');
CREATE INDEX approval_given ON approval (tenant_id, app_id, action, asked_seq) WHERE status IN ('approved', 'consumed');

-- One row for each approval.answered. Times of the review are by the collector's clock; none where nobody opened one.
CREATE TABLE approval_answer (
  seq INTEGER PRIMARY KEY,
  tenant_id TEXT NOT NULL,
  approval_id TEXT NOT NULL REFERENCES approval (id),
  by TEXT NOT NULL, -- person_id; the name given at setup while nobody is enrolled
  name TEXT,
  role TEXT,
  verdict TEXT NOT NULL CHECK (verdict IN ('approve', 'deny')),
  at TEXT NOT NULL,
  signed_in TEXT NOT NULL CHECK (signed_in IN ('none', 'page', 'collector')),
  four_eyes INTEGER NOT NULL CHECK (four_eyes IN (0, 1)),
  seconds REAL,
  min_met INTEGER CHECK (min_met IN (0, 1)),
  challenge TEXT,
  attempts INTEGER, -- wrong answers to the challenge before this one
  shown_characters INTEGER, -- what there was to read
  on_behalf_of TEXT,
  comment TEXT
) STRICT;
CREATE INDEX approval_answer_of ON approval_answer (approval_id);
CREATE INDEX approval_answer_by ON approval_answer (tenant_id, by, approval_id);
CREATE INDEX approval_answer_at ON approval_answer (tenant_id, at);

INSERT INTO approval_answer (seq, tenant_id, approval_id, by, verdict, at, signed_in, four_eyes, comment)
  SELECT r.seq, a.tenant_id, a.id, coalesce(json_extract(r.body, '$.approval.by'), ''),
    json_extract(r.body, '$.approval.verdict'), json_extract(r.body, '$.approval.decided_at'),
    coalesce(json_extract(r.body, '$.approval.signed_in'), 'none'), 0, json_extract(r.body, '$.approval.comment')
  FROM record r JOIN approval a ON a.id = json_extract(r.body, '$.approval.id')
  WHERE r.event_type = 'approval.answered' AND r.body IS NOT NULL;

-- A person has an approval before them. Ended: answered, or three wrong answers to the challenge.
CREATE TABLE approval_review (
  id TEXT PRIMARY KEY,
  tenant_id TEXT NOT NULL,
  approval_id TEXT NOT NULL REFERENCES approval (id),
  by TEXT NOT NULL,
  seq INTEGER NOT NULL,
  opened_at TEXT NOT NULL,
  not_before TEXT NOT NULL,
  min_seconds INTEGER NOT NULL,
  challenge TEXT NOT NULL, -- JSON {kind, prompt?, path?}
  attempts INTEGER NOT NULL DEFAULT 0,
  shown_digest TEXT NOT NULL,
  shown_characters INTEGER NOT NULL,
  ended INTEGER NOT NULL DEFAULT 0 CHECK (ended IN (0, 1))
) STRICT, WITHOUT ROWID;
CREATE INDEX approval_review_of ON approval_review (approval_id, by);

CREATE TABLE approval_comment (
  seq INTEGER PRIMARY KEY,
  approval_id TEXT NOT NULL REFERENCES approval (id),
  by TEXT NOT NULL,
  at TEXT NOT NULL,
  text TEXT NOT NULL
) STRICT;
CREATE INDEX approval_comment_of ON approval_comment (approval_id);
