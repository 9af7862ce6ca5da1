-- Named read queries of this room, for ReadLedger.query.
-- name: settings.all
SELECT name, value FROM setting
-- name: policies.all
SELECT version, hash, environment, entrypoint, files, activated_at FROM policy_version ORDER BY version
-- name: sessions.calls
-- $run: run_id. Newest first.
SELECT d.id AS decision_id, a.id AS approval_id, d.action AS action, d.result AS result, d.outcome AS outcome,
  coalesce(a.status = 'consumed', 0) AS used, rec.body AS body
FROM run r JOIN span s ON s.run = r.run JOIN decision d ON d.id = s.event_id JOIN record rec ON rec.seq = s.seq
  LEFT JOIN approval a ON a.decision_id = d.id
WHERE r.run_id = $run AND s.event_type = 'decision.recorded' ORDER BY s.seq DESC LIMIT $limit
-- name: sessions.turns
-- $run: run_id. Producers' events of actor_type user among the newest $limit; of a sample run the script's.
SELECT count(*) AS turns FROM (
  SELECT rec.body AS body, s.event_type AS event_type FROM run r JOIN span s ON s.run = r.run JOIN record rec ON rec.seq = s.seq
  WHERE r.run_id = $run AND s.event_type <> 'decision.recorded' ORDER BY s.seq DESC LIMIT $limit
) WHERE body IS NOT NULL AND json_extract(body, '$.actor_type') = 'user' AND (json_extract(body, '$.source.auth') = 'key'
  OR event_type = 'user.message' AND json_extract(body, '$.source.via') = 'sample')
-- name: overview.hours
-- $from: microseconds since 1970
SELECT hour_us, sum(events) AS events, sum(allow) AS allow, sum(deny) AS deny, sum(approve) AS approve,
  sum(failed) AS failed, sum(unverified) AS unverified
FROM hour WHERE hour_us + 3600000000 > $from GROUP BY hour_us ORDER BY hour_us
-- name: overview.apps
-- last_us is when the newest record was received, as the exceptions' times are
SELECT a.app_id AS app_id, sum(h.events) AS events, 
  (SELECT rec.received_us FROM record rec WHERE rec.app = h.app ORDER BY rec.app_seq DESC LIMIT 1) AS last_us,
  (SELECT count(*) FROM run r WHERE r.app = h.app AND r.last_us >= $from) AS runs
FROM hour h JOIN app a ON a.app = h.app
WHERE h.hour_us + 3600000000 > $from AND a.app_id <> '_ledger'
GROUP BY h.app ORDER BY events DESC LIMIT 200
-- name: overview.approvals
-- $from: RFC 3339 text; waiting ones count whenever they were asked
SELECT status, count(*) AS count FROM approval WHERE asked_at >= $from OR status = 'waiting' GROUP BY status
-- name: overview.exceptions
SELECT s.seq AS seq, r.run_id AS run_id, a.app_id AS app_id, s.name AS name, s.decision AS decision,
  rec.received_us AS at_us, rec.body AS body
FROM span s JOIN run r ON r.run = s.run JOIN app a ON a.app = r.app JOIN record rec ON rec.seq = s.seq
WHERE s.decision IN ('deny', 'approve', 'failed') AND rec.received_us >= $from
ORDER BY s.seq DESC LIMIT 20
-- name: overview.attributes
SELECT name, count FROM attribute ORDER BY count DESC, name LIMIT 50
