-- name: insertRecord
INSERT INTO record (seq, app, app_seq, run, event_type, ts, received_us, hash_self, body_hash, body)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
-- name: insertBlobRecord
INSERT INTO blob_record (seq) VALUES (?)
-- name: insertSpan
INSERT INTO span (run, seq, event_id, parent_id, event_type, name, kind, start_us, end_us, risk, status, decision, tokens, cost)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
-- name: insertSeal
INSERT INTO seal (first_seq, key_id, signatures) VALUES (?, ?, ?)
-- name: insertOnce
INSERT INTO once (first_seq, macs) VALUES (?, ?)
-- name: insertTree
INSERT INTO tree (level, position, hash) VALUES (?, ?, ?)
-- name: insertCheckpoint
INSERT OR IGNORE INTO checkpoint (size, root, at, note) VALUES (?, ?, ?, ?)
-- name: lastCheckpoint
SELECT size, root, at, note FROM checkpoint ORDER BY size DESC LIMIT 1
-- name: insertApp
INSERT INTO app (tenant_id, app_id) VALUES (?, ?)
-- name: apps
SELECT app.app, app_id, coalesce((SELECT max(app_seq) FROM record WHERE record.app = app.app), 0) AS last
FROM app WHERE tenant_id = ?
-- name: lastRecord
SELECT seq, hash_self, received_us FROM record ORDER BY seq DESC LIMIT 1
-- name: lastRun
SELECT coalesce(max(run), 0) AS run FROM run
-- name: runById
SELECT * FROM run WHERE run_id = ?
-- name: insertRun
INSERT INTO run (run, run_id, app, session_id, title, first_us, last_us, events, first_seq, last_seq, risk, status,
  tokens, cost, allowed, denied, asked, failed, sample, unverified)
VALUES (:run, :run_id, :app, :session_id, :title, :first_us, :last_us, :events, :first_seq, :last_seq, :risk, :status,
  :tokens, :cost, :allowed, :denied, :asked, :failed, :sample, :unverified)
-- name: updateRun
UPDATE run SET title = :title, first_us = :first_us, last_us = :last_us, events = :events, last_seq = :last_seq,
  risk = :risk, status = :status, tokens = :tokens, cost = :cost, allowed = :allowed, denied = :denied,
  asked = :asked, failed = :failed, sample = :sample, unverified = :unverified
WHERE run = :run
-- name: addHour
INSERT INTO hour (hour_us, app, events, allow, deny, approve, failed, unverified)
VALUES (:hour_us, :app, :events, :allow, :deny, :approve, :failed, :unverified)
ON CONFLICT DO UPDATE SET events = events + excluded.events, allow = allow + excluded.allow, deny = deny + excluded.deny,
  approve = approve + excluded.approve, failed = failed + excluded.failed, unverified = unverified + excluded.unverified
-- name: addAttribute
INSERT INTO attribute (name, count) VALUES (?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count
-- name: attributeCount
SELECT count(*) AS n FROM attribute
-- name: stream
SELECT key_id, last_n FROM stream WHERE stream_id = ?
-- name: putStream
INSERT INTO stream (stream_id, key_id, last_n) VALUES (?, ?, ?)
ON CONFLICT DO UPDATE SET last_n = max(last_n, excluded.last_n)
-- name: onceAt
SELECT first_seq, macs FROM once WHERE first_seq <= ? ORDER BY first_seq DESC LIMIT 1
-- name: onceFrom
SELECT first_seq, macs FROM once WHERE first_seq >= ? ORDER BY first_seq
-- name: onceNext
SELECT first_seq + length(macs) / 32 AS next FROM once ORDER BY first_seq DESC LIMIT 1
-- name: sealAt
SELECT first_seq, key_id, signatures FROM seal WHERE first_seq <= ? ORDER BY first_seq DESC LIMIT 1
-- name: hashesFrom
SELECT hash_self FROM record WHERE seq >= ? AND seq < ? ORDER BY seq
-- name: hashSelf
SELECT hash_self FROM record WHERE seq = ?
-- name: treeNode
SELECT hash FROM tree WHERE level = ? AND position = ?
-- name: putUpload
INSERT OR IGNORE INTO blob_upload (tenant_id, sha256, key_id) VALUES (?, ?, ?)
