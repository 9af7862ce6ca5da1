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
import type { Scope } from '../../core/api/views.ts';
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

export type Credentials = {
  local: boolean;
  sessions: Sessions;
  /** Absent while the vault is closed. */
  findKey?: ApiKeys['find'];
  person: () => string;
  unkeyedAllowed: () => boolean;
};

export type Authenticated = { principal: Principal; mac?: () => Uint8Array };

const callersOf = (name: OperationName): readonly Caller[] => operations[name].callers;

/** Door 4: the credential of a request, for an operation. */
export async function authenticate(
  request: IncomingMessage,
  name: OperationName,
  given: Credentials,
): Promise<Authenticated> {
  const callers = callersOf(name);
  if (given.local) return { principal: { kind: 'local' } };
  const header = request.headers.authorization;
  if (callers.includes('anyone')) return { principal: { kind: 'nobody' } };
  if (header === undefined) {
    if (!callers.includes('unkeyed_otlp')) return { principal: { kind: 'nobody' } };
    if (!given.unkeyedAllowed() || !isLoopback(request)) throw new TrailmixError('otlp_unkeyed_off');
    return { principal: { kind: 'unkeyed' } };
  }
  const token = /^Bearer +([A-Za-z0-9._~+/=-]{1,512})$/i.exec(header)?.[1];
  if (token === undefined) throw new TrailmixError('key_invalid', { where: 'authorization' });
  if (token.startsWith(SESSION_PREFIX)) {
    const session = given.sessions.find(token);
    return { principal: { kind: 'person', name: given.person(), session: session.id, roles: [] } };
  }
  if (given.findKey === undefined) throw new TrailmixError('key_invalid', { where: 'authorization' });
  return given.findKey(token);
}

const isLoopback = (request: IncomingMessage): boolean => {
  const address = request.socket.remoteAddress ?? '';
  return address === '::1' || /^(::ffff:)?127\./.test(address);
};

/** Door 5: the one place that reads the `callers` column. Throws key_missing, scope_missing, forbidden. */
export function admit(name: OperationName, principal: Principal): void {
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
    case 'local':
      if (!callers.includes(principal.kind)) throw new TrailmixError('forbidden');
      return;
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

/** A page may change things only from its own origin, said by the browser itself. */
export function checkChange(request: IncomingMessage, principal: Principal): void {
  if (principal.kind !== 'person' || request.method === 'GET') return;
  if (request.headers.origin === undefined) throw new TrailmixError('origin_forbidden', { where: 'origin' });
}
