import { ERASABLE, OPEN } from '../ledger/erasure_commands.ts';

/** Named read queries of this room, for ReadLedger.query: parameters by name. The reader thread registers them. */
export const evidenceQueries = {
  /** Records of the ledger itself that packs carry: openings, keys (but not their uses), policy activations, people, erasures. $size */
  'evidence.ledger': `SELECT r.seq AS seq, r.event_type AS event_type FROM record r JOIN app a ON a.app = r.app
    WHERE a.tenant_id = $tenant AND a.app_id = '_ledger' AND r.seq < $size AND r.event_type <> 'key.used'
      AND (r.event_type GLOB 'ledger.*' OR r.event_type GLOB 'key.*' OR r.event_type GLOB 'policy.*'
        OR r.event_type IN ('person.enrolled', 'person.changed', 'person.reset', 'person.left', 'person.delegated',
          'person.delegation_ended')
        OR r.event_type GLOB 'erasure.*' OR r.event_type GLOB 'restore.*')
    ORDER BY r.seq`,
  /** Records on policies but activations, with the set that each is about. $tenant, $size */
  'evidence.policyRecords': `SELECT r.seq AS seq, r.event_type AS event_type,
      coalesce(json_extract(r.body, '$.policy.hash'), json_extract(r.body, '$.shadow.hash'),
        json_extract(r.body, '$.impact.report.policy_hash')) AS hash
    FROM record r JOIN app a ON a.app = r.app
    WHERE a.tenant_id = $tenant AND a.app_id = '_ledger' AND r.seq < $size AND r.event_type GLOB 'policy.*'
      AND r.event_type <> 'policy.activated'
    ORDER BY r.seq`,
  /** Seqs of everything that belongs to one decision: itself, its approval, intent and outcome. $decision, $size */
  'evidence.decision': `SELECT s.seq AS seq FROM span s
    WHERE s.run = (SELECT r.run FROM decision d JOIN record r ON r.seq = d.seq WHERE d.id = $decision)
      AND (s.event_id = $decision OR s.parent_id = $decision) AND s.seq < $size
      AND (s.event_type GLOB 'decision.*' OR s.event_type GLOB 'approval.*' OR s.event_type GLOB 'intent.*'
        OR s.event_type GLOB 'outcome.*')
    ORDER BY s.seq`,
  /** Stamps of checkpoints before $size, newest first. */
  'evidence.anchors': `SELECT r.seq AS seq FROM record r JOIN app a ON a.app = r.app
    WHERE a.tenant_id = $tenant AND a.app_id = '_ledger' AND r.seq < $size AND r.event_type = 'timestamp.anchored'
    ORDER BY r.seq DESC LIMIT 200`,
  /** Cosigned checkpoints, recorded before $size, newest first. */
  'evidence.cosigned': `SELECT r.seq AS seq FROM record r JOIN app a ON a.app = r.app
    WHERE a.tenant_id = $tenant AND a.app_id = '_ledger' AND r.seq < $size AND r.event_type = 'witness.cosigned'
    ORDER BY r.seq DESC LIMIT 200`,
  /** What this ledger signed as a witness, the last of each log, newest first. */
  'evidence.witnessed': `SELECT max(r.seq) AS seq FROM record r JOIN app a ON a.app = r.app
    WHERE a.tenant_id = $tenant AND a.app_id = '_ledger' AND r.event_type = 'witness.signed'
    GROUP BY json_extract(r.body, '$.witnessed.origin') ORDER BY seq DESC LIMIT 100`,
  /** The last of one log. $origin */
  'evidence.witnessedOf': `SELECT r.seq AS seq FROM record r JOIN app a ON a.app = r.app
    WHERE a.tenant_id = $tenant AND a.app_id = '_ledger' AND r.event_type = 'witness.signed'
      AND json_extract(r.body, '$.witnessed.origin') = $origin
    ORDER BY r.seq DESC LIMIT 1`,
  'evidence.anchorCount': `SELECT count(*) AS total FROM record r JOIN app a ON a.app = r.app
    WHERE a.tenant_id = $tenant AND a.app_id = '_ledger' AND r.event_type = 'timestamp.anchored'`,
  /** Jumps of the clock, newest first. */
  'evidence.clock': `SELECT r.seq AS seq, count(*) OVER () AS total FROM record r JOIN app a ON a.app = r.app
    WHERE a.tenant_id = $tenant AND a.app_id = '_ledger' AND r.event_type IN ('clock.stepped', 'clock.jumped')
    ORDER BY r.seq DESC LIMIT 20`,
  /** What an erasure of an app's bodies would take. $app, $before (microseconds) */
  'erasure.preview': `SELECT count(*) FILTER (WHERE NOT open) AS bodies, count(*) FILTER (WHERE open) AS held,
      min(received_us) FILTER (WHERE NOT open) AS oldest, max(received_us) FILTER (WHERE NOT open) AS newest
    FROM (SELECT r.received_us AS received_us, ${OPEN} AS open FROM record r
      WHERE r.app = $app AND r.received_us < $before AND r.body IS NOT NULL AND ${ERASABLE}
        AND NOT EXISTS (SELECT 1 FROM erasure e WHERE e.seq = r.seq))`,
  'erasure.app': 'SELECT app FROM app WHERE tenant_id = $tenant AND app_id = $app',
  'erasure.blobs': 'SELECT sha256, type FROM erasure_blob ORDER BY sha256',
  /** Records from $from on that may name blobs. */
  'erasure.naming': 'SELECT seq FROM blob_record WHERE seq >= $from ORDER BY seq LIMIT 500',
  'erasure.unindexed': 'SELECT count(*) AS count FROM erasure WHERE state = 1',
  'evidence.lastAnchor': `SELECT r.seq AS seq FROM record r JOIN app a ON a.app = r.app
    WHERE a.tenant_id = $tenant AND a.app_id = '_ledger' AND r.event_type = 'timestamp.anchored'
    ORDER BY r.seq DESC LIMIT 1`,
  /** The newest checkpoints with their notes. $most */
  'evidence.checkpoints': `SELECT size, lower(hex(root)) AS root, note FROM checkpoint ORDER BY size DESC LIMIT $most`,
  /** Policy versions that were activated before $size. */
  'evidence.policies': `SELECT version, environment, hash, entrypoint, capabilities_sha256, wasm_sha256, files, activated_at, seq
    FROM policy_version WHERE seq < $size ORDER BY version`,
  /** Each export of an app, with the first checkpoint that covers it. $app */
  'evidence.exports': `SELECT r.seq AS seq, (SELECT min(c.size) FROM checkpoint c WHERE c.size > r.seq) AS size
    FROM app a JOIN record r INDEXED BY record_export ON r.app = a.app
    WHERE a.tenant_id = $tenant AND a.app_id = $app AND r.event_type = 'export.recorded' ORDER BY r.seq DESC LIMIT 200`,
  /** The finished export that covers most. An export that says nothing of its checkpoint does not count. */
  'evidence.lastExport': `SELECT json_extract(r.body, '$.export.checkpoint.size') AS size, r.ts AS at
    FROM app a JOIN record r ON r.app = a.app
    WHERE a.tenant_id = $tenant AND a.app_id = '_ledger' AND r.event_type = 'export.completed' AND size IS NOT NULL
    ORDER BY size DESC, r.seq DESC LIMIT 1`,
} as const;
