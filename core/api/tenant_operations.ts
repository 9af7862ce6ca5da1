/** Operations on tenants: one chain of records, people, keys and policies each, in one installation (docs/adr/0007-tenants.md). */
import Type from 'typebox';
import { listOf, op, page, Str } from './operation.ts';
import { TenantView } from './views.ts';

const TenantId = Type.String({
  minLength: 1,
  maxLength: 64,
  description: '[a-z0-9][a-z0-9-]*, no name of a device of Windows',
});

export const tenantOperations = {
  tenants: op({
    method: 'GET',
    path: '/api/tenants',
    summary: 'The tenants of this installation, the default one first',
    callers: page,
    errors: ['default_tenant_only'],
    output: listOf(TenantView),
  }),
  createTenant: op({
    method: 'POST',
    path: '/api/tenants',
    summary: 'A new tenant: a ledger of its own, recorded in the default tenant and in its own record 0',
    callers: page,
    errors: ['tenant_exists', 'tenant_limit', 'default_tenant_only', 'input_invalid', 'busy', 'disk_full'],
    status: 201,
    input: Type.Object(
      { tenant_id: TenantId, name: Type.String({ minLength: 1, maxLength: 256 }) },
      { additionalProperties: false },
    ),
    output: TenantView,
  }),
  enterTenant: op({
    method: 'POST',
    path: '/api/tenants/:id/enter',
    summary:
      'A session of one hour in a tenant where nobody is enrolled yet, to enrol its first admin; recorded there',
    callers: ['person'],
    errors: ['tenant_unknown', 'people_enrolled', 'default_tenant_only', 'busy'],
    params: Type.Object({ id: Str }),
    output: Type.Object({ session: Str, expires_at: Str }),
  }),
} as const;
