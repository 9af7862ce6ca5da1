-- Named read queries of this room, for ReadLedger.query. Lists take $limit + 1 rows: one more says that there is more.
-- name: policy.sets
-- Newest first, below $before.
SELECT s.hash AS hash, s.saved_at AS saved_at, s.saved_by AS saved_by, s.message AS message, s.tests AS tests,
  s.signed AS signed, s.seq AS seq, s.built_in AS built_in, json_array_length(s.files) AS files, s.rowid AS n
FROM policy_set s WHERE s.rowid < $before ORDER BY s.rowid DESC LIMIT $limit
-- name: policy.count
SELECT count(*) AS total FROM policy_set
-- name: policy.set
SELECT hash, saved_at, saved_by, message, tests, signed, seq, built_in, json_array_length(files) AS files, files AS texts,
  entrypoint, capabilities_sha256, wasm_sha256, sources_sha256, rowid AS n
FROM policy_set WHERE hash = $hash
-- name: policy.module
SELECT entrypoint, capabilities_sha256, wasm_sha256, files, wasm, built_in FROM policy_set WHERE hash = $hash
-- name: policy.environments
-- Where a first policy waits for its second signature, nothing is in force: hash is empty, and all of the version is null.
SELECT e.name AS name, e.version AS version, e.hash AS hash, e.pending AS pending, e.candidate AS candidate,
  v.activated_at AS since, v.activated_by AS by, v.signed_in AS signed_in, v.message AS message, v.seq AS seq
FROM policy_environment e LEFT JOIN policy_version v ON v.version = e.version ORDER BY e.name
-- name: policy.versions
-- $environment: null for all. Newest first, below $before.
SELECT version, hash, environment, activated_at, activated_by, seq FROM policy_version
WHERE ($environment IS NULL OR environment = $environment) AND version < $before ORDER BY version DESC LIMIT $limit
-- name: policy.versionCount
SELECT count(*) AS total FROM policy_version WHERE ($environment IS NULL OR environment = $environment)
-- name: policy.atSeq
SELECT version, hash, environment, activated_at, activated_by, seq FROM policy_version
WHERE environment = $environment AND seq < $seq ORDER BY version DESC LIMIT 1
-- name: policy.atTime
SELECT version, hash, environment, activated_at, activated_by, seq FROM policy_version
WHERE environment = $environment AND activated_at <= $time ORDER BY version DESC LIMIT 1
-- name: policy.byVersion
SELECT version, hash, environment, activated_at, activated_by, seq FROM policy_version WHERE version = $version
-- name: policy.cited
-- The version that a decision cites.
SELECT json_extract(body, '$.decision.policy.version') AS version FROM record
WHERE seq = $seq AND event_type = 'decision.recorded'
-- name: policy.fourEyes
SELECT value FROM setting WHERE name = 'policy_four_eyes'
-- name: policy.differences
SELECT id, decision_id, seq, run_id, app_id, action, at, active, candidate, reasons FROM policy_difference
WHERE environment = $environment AND id < $before ORDER BY id DESC LIMIT $limit
-- name: policy.differenceCount
SELECT count(*) AS total FROM policy_difference WHERE environment = $environment
-- name: policy.decisions
-- Newest first, below $before; $app, $action, $result, $session null for all. `failed` is a deny that says so.
SELECT d.id AS decision_id, d.seq AS seq, d.app_id AS app_id, d.session_id AS session_id, d.action AS action,
  d.risk AS risk, s.decision AS word, r.run_id AS run_id, rec.received_us AS at_us, rec.body AS body
FROM decision d INDEXED BY decision_seq JOIN record rec ON rec.seq = d.seq JOIN run r ON r.run = rec.run
  JOIN span s ON s.run = rec.run AND s.seq = d.seq
WHERE d.seq < $before AND ($app IS NULL OR d.app_id = $app) AND ($action IS NULL OR d.action = $action)
  AND ($session IS NULL OR d.session_id = $session) AND ($result IS NULL OR s.decision = $result)
ORDER BY d.seq DESC LIMIT $limit
-- name: policy.decision
SELECT d.id AS decision_id, d.seq AS seq, d.app_id AS app_id, d.session_id AS session_id, d.action AS action,
  d.risk AS risk, s.decision AS word, r.run_id AS run_id, rec.received_us AS at_us, rec.body AS body
FROM decision d JOIN record rec ON rec.seq = d.seq JOIN run r ON r.run = rec.run
  JOIN span s ON s.run = rec.run AND s.seq = d.seq
WHERE d.id = $id
-- name: policy.decisionsAt
-- $seqs: JSON array.
SELECT d.id AS decision_id, d.seq AS seq, d.app_id AS app_id, d.session_id AS session_id, d.action AS action,
  d.risk AS risk, s.decision AS word, r.run_id AS run_id, rec.received_us AS at_us, rec.body AS body
FROM json_each($seqs) j JOIN decision d ON d.seq = j.value JOIN record rec ON rec.seq = d.seq JOIN run r ON r.run = rec.run
  JOIN span s ON s.run = rec.run AND s.seq = d.seq
ORDER BY d.seq DESC
-- name: policy.runOf
SELECT run FROM record WHERE seq = $seq
