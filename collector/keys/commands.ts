/**
 * Writer commands on API keys: the row and its `key.created` / `key.revoked` record are one transaction.
 * No secret passes through here: auth comes hashed, mac comes sealed. Format: docs/spec/gate.md, "API keys".
 */
import { TrailmixError } from '../../core/api/errors.ts';
import type { KeyView } from '../../core/api/views.ts';
import { LEDGER_APP } from '../../core/proof/record.ts';
import type { CommandTable } from '../ledger/tx.ts';
import { type KeyRow, keyView, SELECT_KEY } from './view.ts';

const APP_ID = /^[a-z0-9][a-z0-9._-]{0,63}$/;
const TENANT_ID = /^[a-z0-9-]{1,64}$/;
const KEY_ID = /^[a-z0-9]{4,64}$/;

/** Throws input_invalid. */
export function checkAppId(appId: string): void {
  if (APP_ID.test(appId)) return;
  throw new TrailmixError('input_invalid', {
    where: '/app_id',
    message: 'app_id must match [a-z0-9][a-z0-9._-]{0,63}',
  });
}

/** createKey throws input_invalid; revokeKey throws not_found. Revoking twice answers the first revocation again. */
export const keyCommands: Pick<CommandTable, 'createKey' | 'revokeKey'> = {
  createKey(tx, input): KeyView {
    checkAppId(input.appId);
    if (!TENANT_ID.test(input.tenantId) || input.tenantId !== tx.tenantId) {
      throw new TrailmixError('input_invalid', {
        where: '/tenant_id',
        message: `this ledger has one tenant: ${tx.tenantId}`,
      });
    }
    if (!KEY_ID.test(input.id) || input.authHash.length !== 32) {
      throw new TrailmixError('input_invalid', {
        message: 'the key id or its hash is not in the form expected',
      });
    }
    const scopes = [...new Set(input.scopes)].sort();
    if (scopes.length === 0) {
      throw new TrailmixError('input_invalid', {
        where: '/scopes',
        message: 'a key needs at least one scope',
      });
    }
    const { environment = 'prod' } = input;
    const named = environment === 'prod' ? {} : { environment };
    const { seq, receivedAt } = tx.append({
      appId: LEDGER_APP,
      eventType: 'key.created',
      members: {
        name: `API key for ${input.appId}`,
        key: { id: input.id, tenant_id: input.tenantId, app_id: input.appId, scopes, ...named },
        by: input.by,
      },
    });
    tx.db
      .prepare(
        `INSERT INTO api_key (id, tenant_id, app_id, scopes, auth_hash, mac_sealed, created_at, created_by, created_seq,
           environment)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(
        input.id,
        input.tenantId,
        input.appId,
        JSON.stringify(scopes),
        input.authHash,
        input.macSealed,
        receivedAt,
        input.by,
        seq,
        environment,
      );
    return {
      id: input.id,
      app_id: input.appId,
      tenant_id: input.tenantId,
      scopes,
      ...named,
      created_at: receivedAt,
    };
  },

  revokeKey(tx, { id, by }): KeyView {
    const row = tx.db.prepare<[string, string], KeyRow>(SELECT_KEY).get(tx.tenantId, id);
    if (row === undefined) throw new TrailmixError('not_found', { where: '/id', message: 'no such API key' });
    if (row.revoked_at !== null) return keyView(row);
    const { seq, receivedAt } = tx.append({
      appId: LEDGER_APP,
      eventType: 'key.revoked',
      members: { name: `API key for ${row.app_id} revoked`, key: { id, app_id: row.app_id }, by },
    });
    tx.db
      .prepare('UPDATE api_key SET revoked_at = ?, revoked_by = ?, revoked_seq = ? WHERE id = ?')
      .run(receivedAt, by, seq, id);
    return keyView({ ...row, revoked_at: receivedAt });
  },
};
