/**
 * How API keys are read: SQL for any read connection and the row -> KeyView mapping. No secret is selected but by
 * SELECT_KEYS, whose auth_hash and mac_sealed (hex) feed the live key table of the main thread.
 */
import type { Environment } from '../../core/api/policy_views.ts';
import type { KeyView, Scope } from '../../core/api/views.ts';

export type KeyRow = {
  id: string;
  tenant_id: string;
  app_id: string;
  scopes: string;
  environment: Environment;
  created_at: string;
  revoked_at: string | null;
};

/** A row of SELECT_KEYS: as KeyRow, with the hex of auth's SHA-256 and of the sealed mac. */
export type KeySecretRow = KeyRow & { auth_hash: string; mac_sealed: string };

const COLUMNS = 'id, tenant_id, app_id, scopes, environment, created_at, revoked_at';

/** Parameters: tenant_id, id. */
export const SELECT_KEY = `SELECT ${COLUMNS} FROM api_key WHERE tenant_id = ? AND id = ?`;
/** No parameters; oldest first, revoked ones included. */
export const SELECT_KEYS = `SELECT ${COLUMNS}, lower(hex(auth_hash)) AS auth_hash, lower(hex(mac_sealed)) AS mac_sealed
  FROM api_key ORDER BY created_seq`;

/** Named queries for ReadLedger.query: the reader thread registers them as they are. */
export const keyQueries = { 'keys.all': SELECT_KEYS } as const;

export function keyView(row: KeyRow): KeyView {
  return {
    id: row.id,
    app_id: row.app_id,
    tenant_id: row.tenant_id,
    scopes: JSON.parse(row.scopes) as Scope[],
    ...(row.environment === 'prod' ? {} : { environment: row.environment }),
    created_at: row.created_at,
    ...(row.revoked_at === null ? {} : { revoked_at: row.revoked_at }),
  };
}
