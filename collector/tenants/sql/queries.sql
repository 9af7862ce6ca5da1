-- Named read queries of this room, for ReadLedger.query.
-- name: tenants.all
SELECT tenant_id, name, created_at FROM tenant ORDER BY seq
