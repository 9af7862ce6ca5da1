/**
 * Who may call: the doors that every request passes, in this order, before its body is read.
 * 1. Host names an address of ours (DNS rebinding); 2. no foreign Origin; 3. Sec-Fetch-Site none or same-origin;
 * 4. the credential; 5. the `callers` column of the operation table. No cookies, no CORS headers anywhere.
 * Loopback is no trust: other users of the host are on it. The 0700 socket is trusted as `local`.
 */
import type { IncomingMessage } from 'node:http';
import { hostname, networkInterfaces } from 'node:os';
import { TrailmixError } from '../../core/api/errors.ts';
import { type Caller, type OperationName, operations } from '../../core/api/operations.ts';
import { localMayCall, mayCall, ofInstallation, type PersonOperation } from '../../core/api/permissions.ts';
import type { Scope } from '../../core/api/views.ts';
import { DEFAULT_TENANT } from '../../core/proof/record.ts';
import type { ApiKeys } from '../keys/api-keys.ts';
import type { Principal } from '../ports.ts';
import { SESSION_PREFIX, type Sessions } from './sessions.ts';

/** The addresses that the collector answers to. */
export type Address = { host: string; port: number; tls: boolean };

const scheme = (address: Address): string => (address.tls ? 'https' : 'http');

const bracketed = (host: string): string => (host.includes(':') ? `[${host}]` : host);

export const isWildcard = (host: string): boolean => host === '0.0.0.0' || host === '::';

/** Every `host:port` a Host header may name. Listening everywhere, these are the addresses and the name of this host. */
export function hostNames(address: Address): Set<string> {
  const everywhere = isWildcard(address.host)
    ? [
        hostname(),
        ...Object.values(networkInterfaces()).flatMap(list =>
          (list ?? []).map(one => bracketed(one.address)),
        ),
      ]
    : [];
  const names = ['127.0.0.1', 'localhost', '[::1]', bracketed(address.host), ...everywhere].map(name =>
    name.toLowerCase(),
  );
  const usual = address.tls ? 443 : 80;
  return new Set(
    names.flatMap(name => [`${name}:${address.port}`, ...(address.port === usual ? [name] : [])]),
  );
}

export type DoorOptions = {
  /** Arrived over the 0700 socket: no Host, Origin or site to check. */
  local: boolean;
  address: Address;
  hosts: ReadonlySet<string>;
  /** A person opening the page by a link from elsewhere: allowed for HTML navigation only. */
  navigation?: boolean;
};

/** Doors 1 to 3. Throws host_forbidden, origin_forbidden, fetch_site_forbidden. */
export function checkDoors(request: IncomingMessage, options: DoorOptions): void {
  if (options.local) return;
  const headers = request.headers;
  const host = headers.host?.toLowerCase();
  if (host === undefined || !options.hosts.has(host)) {
    throw new TrailmixError('host_forbidden', { where: 'host' });
  }
  const origin = headers.origin;
  if (origin !== undefined && origin !== `${scheme(options.address)}://${host}`) {
    throw new TrailmixError('origin_forbidden', { where: 'origin' });
  }
  const site = headers['sec-fetch-site'];
  const known = site === undefined || site === 'none' || site === 'same-origin';
  if (!known && options.navigation !== true) {
    throw new TrailmixError('fetch_site_forbidden', { where: 'sec-fetch-site' });
  }
}

const BEARER = /^Bearer +([A-Za-z0-9._~+/=-]{1,512})$/i;

export type Credentials = {
  local: boolean;
  sessions: Sessions;
  /** Absent while the vault is closed. */
  findKey?: ApiKeys['find'];
  person: () => string;
  unkeyedAllowed: () => boolean;
};

/** `tenantId`: where the request is answered. It comes from the credential; only the socket may name it. */
export type Authenticated = { principal: Principal; tenantId: string; mac?: () => Uint8Array };

/** Names the tenant of a request over the socket; not read elsewhere. */
export const TENANT_HEADER = 'x-trailmix-tenant';

const callersOf = (name: OperationName): readonly Caller[] => operations[name].callers;

/** Door 4: the credential of a request, for an operation. */
export async function authenticate(
  request: IncomingMessage,
  name: OperationName,
  given: Credentials,
): Promise<Authenticated> {
  const callers = callersOf(name);
  const header = request.headers.authorization;
  const inDefault = (principal: Principal): Authenticated => ({ principal, tenantId: DEFAULT_TENANT });
  if (given.local) {
    const token = header === undefined ? undefined : BEARER.exec(header)?.[1];
    const named = request.headers[TENANT_HEADER] as string | undefined;
    if (token?.startsWith(SESSION_PREFIX) !== true)
      return { principal: { kind: 'local' }, tenantId: named ?? DEFAULT_TENANT };
    const person = personOf(request, token, given);
    if (named !== undefined && named !== person.tenantId)
      throw new TrailmixError('session_invalid', { where: 'authorization' });
    return person;
  }
  if (callers.includes('anyone')) return inDefault({ kind: 'nobody' });
  if (header === undefined) {
    if (!callers.includes('unkeyed_otlp')) return inDefault({ kind: 'nobody' });
    if (!given.unkeyedAllowed() || !isLoopback(request)) throw new TrailmixError('otlp_unkeyed_off');
    return inDefault({ kind: 'unkeyed' });
  }
  const token = BEARER.exec(header)?.[1];
  if (token === undefined) throw new TrailmixError('key_invalid', { where: 'authorization' });
  if (token.startsWith(SESSION_PREFIX)) return personOf(request, token, given);
  if (given.findKey === undefined) throw new TrailmixError('key_invalid', { where: 'authorization' });
  const { principal, mac } = await given.findKey(token);
  return { principal, mac, tenantId: principal.tenantId };
}

/** A session's principal: a person who signed in, or whoever opened the page by a one-time link. */
function personOf(request: IncomingMessage, token: string, given: Credentials): Authenticated {
  const { id, tenantId, expiresAt, person, name: entered } = given.sessions.find(token, isActive(request));
  const via = given.local ? 'cli' : 'page';
  const common = { kind: 'person', session: id, via, expiresAt } as const;
  if (person === undefined)
    return { principal: { ...common, name: entered ?? given.person(), roles: [] }, tenantId };
  const { id: personId, name, roles } = person;
  return { principal: { ...common, name, personId, roles }, tenantId };
}

/** Whether a person did something: a change, or what the page says was read by a hand and not by itself. */
const isActive = (request: IncomingMessage): boolean =>
  request.method !== 'GET' || request.headers['x-trailmix-active'] === '1';

const isLoopback = (request: IncomingMessage): boolean => {
  const address = request.socket.remoteAddress ?? '';
  return address === '::1' || /^(::ffff:)?127\./.test(address);
};

/**
 * Door 5: the one place that reads the `callers` column and, for people and the socket, the table of permissions. `enrolled`:
 * somebody is. Throws key_missing, scope_missing, forbidden, role_missing, sign_in_needed.
 */
export function admit(name: OperationName, principal: Principal, enrolled: boolean): void {
  const callers = callersOf(name);
  if (callers.includes('anyone')) return;
  switch (principal.kind) {
    case 'nobody':
      throw new TrailmixError('key_missing', { where: 'authorization' });
    case 'unkeyed':
      if (!callers.includes('unkeyed_otlp'))
        throw new TrailmixError('key_missing', { where: 'authorization' });
      return;
    case 'person':
      if (!callers.includes('person') && !callers.includes('local')) throw new TrailmixError('forbidden');
      admitPerson(name, principal, enrolled);
      return;
    case 'local':
      if (callers.includes('local') && (!enrolled || localMayCall(name as PersonOperation))) return;
      if (!callers.includes('local') && !callers.includes('person')) throw new TrailmixError('forbidden');
      throw new TrailmixError('sign_in_needed');
    case 'key': {
      const scopes = callers
        .filter(caller => caller.startsWith('key:'))
        .map(caller => caller.slice(4) as Scope);
      if (scopes.length === 0) throw new TrailmixError('forbidden');
      if (!scopes.some(scope => principal.scopes.includes(scope))) {
        throw new TrailmixError('scope_missing', {
          message: `The API key lacks the scope ${scopes.join(' or ')}`,
        });
      }
    }
  }
}

/** What concerns every tenant is done in the default one. Throws default_tenant_only. */
export function checkInstallation(name: OperationName, tenantId: string): void {
  if (tenantId !== DEFAULT_TENANT && ofInstallation.has(name)) throw new TrailmixError('default_tenant_only');
}

/** While nobody is enrolled, whoever opened the page may do everything; then only people, by their roles. */
function admitPerson(
  name: OperationName,
  principal: Extract<Principal, { kind: 'person' }>,
  enrolled: boolean,
): void {
  const person = callersOf(name).includes('person');
  if (!enrolled) {
    if (!person) throw new TrailmixError('forbidden');
    return;
  }
  if (principal.personId === undefined) throw new TrailmixError('sign_in_needed');
  if (!person || !mayCall(name as PersonOperation, principal.roles)) throw new TrailmixError('role_missing');
}

/** A page may change things only from its own origin, said by the browser itself. The socket has no browser. */
export function checkChange(request: IncomingMessage, principal: Principal, local: boolean): void {
  if (local || principal.kind !== 'person' || request.method === 'GET') return;
  if (request.headers.origin === undefined) throw new TrailmixError('origin_forbidden', { where: 'origin' });
}
