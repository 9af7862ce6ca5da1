/** An installation with two tenants, each with an admin of its own. Not a test itself. */
import type { OutputOf } from '../../core/api/operations.ts';
import type { Scope } from '../../core/api/views.ts';
import { type Answer, type Ask, bearer, type TestCollector } from '../http/collector.ts';
import { enrolFirstAdmin, expectJson, type Person } from '../people/person.ts';

export const codeOf = (answer: Answer): string | undefined =>
  (answer.json as { code?: string } | undefined)?.code;

/** Over the socket, in a tenant. */
export const inTenant = (
  tm: TestCollector,
  tenant: string,
  path: string,
  options: Ask = {},
): Promise<Answer> =>
  tm.ask(path, {
    ...options,
    headers: { 'x-trailmix-tenant': tenant, ...options.headers },
    socket: tm.collector.socket,
  });

export async function createTenant(admin: Person, id: string, name = id): Promise<void> {
  expectJson(await admin.call('/api/tenants', { body: { tenant_id: id, name } }), 201);
}

/** Headers of a page that entered the tenant. */
export async function enter(tm: TestCollector, admin: Person, id: string): Promise<Record<string, string>> {
  const answer = await admin.call(`/api/tenants/${id}/enter`, { method: 'POST' });
  return { ...bearer(expectJson<OutputOf<'enterTenant'>>(answer, 200).session), origin: tm.url };
}

/** Enters the tenant and enrols its first admin, who is signed in. */
export async function firstAdminOf(
  tm: TestCollector,
  by: Person,
  tenant_id: string,
  given: { id: string; name?: string; roles?: string[] },
): Promise<Person> {
  const headers = await enter(tm, by, tenant_id);
  return enrolFirstAdmin(tm, { ...given, entered: { tenant_id, headers } });
}

/** A new key of the tenant, by its socket. */
export async function keyIn(
  tm: TestCollector,
  tenant: string,
  app: string,
  scopes?: Scope[],
): Promise<{ id: string; headers: Record<string, string> }> {
  const body = { app_id: app, tenant_id: tenant, ...(scopes === undefined ? {} : { scopes }) };
  const answer = await tm.ask('/api/keys', { body, socket: tm.collector.socket });
  const { id, api_key, tenant_id } = expectJson<OutputOf<'createKey'>>(answer, 201);
  if (tenant_id !== tenant) throw new Error(`the key is of ${tenant_id}`);
  return { id, headers: bearer(api_key) };
}

export { enrolFirstAdmin };
