/** Tenants over HTTP (collector/tenants/tenants.ts does the work). Who may, and from where, is decided before (access.ts). */
import { TrailmixError } from '../../../core/api/errors.ts';
import { mayCall } from '../../../core/api/permissions.ts';
import type { tenantOperations } from '../../../core/api/tenant_operations.ts';
import { DEFAULT_TENANT, LEDGER_APP } from '../../../core/proof/record.ts';
import type { Handlers, OpenContext } from '../handler.ts';
import { who } from './evidence.ts';

/** The tenants that this session may be told of. */
export function tenantsFor({
  host,
  open,
  principal,
}: Pick<OpenContext, 'host' | 'open' | 'principal'>): string[] {
  const { tenantId } = open.ledger;
  const seesAll =
    open.people.enrolled() === 0 ||
    principal.kind === 'local' ||
    (principal.kind === 'person' && mayCall('tenants', principal.roles));
  return tenantId === DEFAULT_TENANT && seesAll ? host.tenants.list().map(one => one.tenant_id) : [tenantId];
}

export const tenantHandlers: Pick<Handlers, keyof typeof tenantOperations> = {
  async tenants({ host }) {
    const items = host.tenants.list();
    return { items, total: items.length };
  },
  createTenant: ({ host, principal }, { input }) =>
    host.tenants.create(input.tenant_id, input.name.trim() || input.tenant_id, who(principal)),
  async enterTenant({ host, principal }, { params }) {
    // The default tenant needs no entering: who is there is there already.
    const open = params.id === DEFAULT_TENANT ? undefined : await host.tenants.of(params.id);
    if (open === undefined) throw new TrailmixError('tenant_unknown', { where: '/id' });
    if (open.people.enrolled() > 0) throw new TrailmixError('people_enrolled');
    const signedIn = principal.kind === 'person' && principal.personId !== undefined;
    const by = `${DEFAULT_TENANT}/${who(principal)}`;
    const { id, session, expiresAt } = host.sessions.enter(
      params.id,
      by,
      signedIn ? principal.session : undefined,
    );
    await open.ledger.write.run('record', {
      appId: LEDGER_APP,
      eventType: 'ledger.tenant_entered',
      members: { name: 'Entered before anyone was enrolled', session: id, by },
    });
    return { session, expires_at: expiresAt.toISOString() };
  },
};
