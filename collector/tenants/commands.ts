/** Commands of the writer on tenants: in the default tenant's ledger alone. */
import { TrailmixError } from '../../core/api/errors.ts';
import { DEFAULT_TENANT, LEDGER_APP } from '../../core/proof/record.ts';
import type { CommandTable } from '../ledger/tx.ts';

export const tenantCommands: Pick<CommandTable, 'createTenant'> = {
  createTenant(tx, { tenantId, name, opened, by }) {
    const there = tx.db.prepare('SELECT 1 FROM tenant WHERE tenant_id = ?').get(tenantId) !== undefined;
    if (there || tenantId === DEFAULT_TENANT || tx.tenantId !== DEFAULT_TENANT)
      throw new TrailmixError('tenant_exists', { where: '/tenant_id' });
    const { seq, receivedAt } = tx.append({
      appId: LEDGER_APP,
      eventType: 'ledger.tenant_created',
      members: { name: `Tenant ${tenantId} created`, tenant: { id: tenantId, name, opened }, by },
    });
    tx.db
      .prepare('INSERT INTO tenant (tenant_id, name, created_at, seq) VALUES (?, ?, ?, ?)')
      .run(tenantId, name, receivedAt, seq);
    return { createdAt: receivedAt };
  },
};
