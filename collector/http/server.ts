/**
 * The HTTP server: one set of routes, derived from the operation table, behind up to three doors: 127.0.0.1 and ::1
 * on one port, and a 0700 socket (named pipe on Windows) for the CLI of the same user.
 * Rules: every answer that is not a page or a download is JSON, errors included; nothing here knows the ledger.
 */
import { chmod, rm } from 'node:fs/promises';
import type { IncomingMessage, RequestListener, Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo, Socket } from 'node:net';
import { fastifyStatic } from '@fastify/static';
import { type FastifyInstance, fastify } from 'fastify';
import { problemDocument, TrailmixError } from '../../core/api/errors.ts';
import { type OperationName, operations } from '../../core/api/operations.ts';
import { type Address, checkDoors, hostNames } from './access.ts';
import { sendProblem } from './answer.ts';
import { Intake } from './body.ts';
import { asTrailmixError, Dispatcher, type Doors } from './dispatch.ts';
import type { Handlers } from './handler.ts';
import { isNavigation, sendPage } from './page.ts';
import type { Host } from './services.ts';

// Required, because an import of node:http looks at each of its exports, WebSocket among them, and so loads all of
// Node's fetch: about 1 MB that an idle collector keeps.
const node = createRequire(import.meta.url);
const { createServer } = node('node:http') as typeof import('node:http');
const { createServer: createTlsServer } = node('node:https') as typeof import('node:https');

export type ListenOptions = {
  /** 0 takes a free port. */
  port: number;
  /** Default 127.0.0.1, which also listens on ::1 where there is one. */
  host: string;
  /** Path of the socket or pipe; absent: none. */
  socket?: string;
  /** Needed for a host beyond loopback. */
  tls?: { cert: string; key: string };
};

export type HttpServer = {
  readonly address: Address;
  /** Takes no more requests, lets those under way end (long polls at once), at most `graceMs`. */
  close(graceMs?: number): Promise<void>;
};

const MOST_CONNECTIONS = 4_096;

const ofTable = new Map<string, string[]>();
const pathPatterns = Object.values(operations).map(row => {
  const list = ofTable.get(row.path) ?? [];
  list.push(row.method);
  ofTable.set(row.path, list);
  return {
    path: row.path,
    pattern: new RegExp(`^${row.path.replaceAll('.', '\\.').replaceAll(/:[a-z0-9_]+/g, '[^/]+')}$`),
  };
});

/** The methods of an address of the table; undefined where the address is not in it. */
const methodsAt = (path: string): string[] | undefined => {
  const methods = pathPatterns
    .filter(row => row.pattern.test(path))
    .flatMap(row => ofTable.get(row.path) ?? []);
  return methods.length === 0 ? undefined : [...new Set(methods)];
};

const isApi = (path: string): boolean => /^\/(api|v1)(\/|$)/.test(path);

const noSchemas = (): never => {
  throw new Error('schemas are held by check.ts');
};

async function routes(host: Host, dispatcher: Dispatcher, doors: () => Doors): Promise<FastifyInstance> {
  const app = fastify({
    logger: false,
    exposeHeadRoutes: false,
    return503OnClosing: false,
    routerOptions: { maxParamLength: 512 },
    // No route gives Fastify a schema (check.ts holds requests to the table): its compilers need not be loaded.
    schemaController: { compilersFactory: { buildValidator: noSchemas, buildSerializer: noSchemas } },
    frameworkErrors: (_error, request, reply) =>
      sendProblem(
        request,
        reply,
        new TrailmixError('not_found', { message: 'The address cannot be read' }),
      ) as never,
  });
  // Bodies are read by the dispatcher, behind the doors and with the operation's own bounds.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null, undefined));
  await app.register(fastifyStatic, {
    root: host.folders.ui,
    serve: false,
    wildcard: false,
    allowedPath: () => true,
    suppressMissingFolderWarning: true,
  } as never);

  for (const name of Object.keys(operations) as OperationName[]) {
    const row = operations[name];
    app.route({
      method: row.method,
      url: row.path,
      handler: (request, reply) => dispatcher.serve(name, request, reply),
    });
  }
  app.setNotFoundHandler(async (request, reply) => {
    const path = (request.raw.url ?? '/').split('?', 1)[0]!;
    const { address, hosts, isLocal } = doors();
    checkDoors(request.raw, {
      local: isLocal(request),
      address,
      hosts,
      navigation: !isApi(path) && isNavigation(request),
    });
    const methods = methodsAt(path);
    if (methods !== undefined) {
      reply.header('allow', methods.join(', '));
      throw new TrailmixError('method_not_allowed', { message: `${path} takes ${methods.join(', ')}` });
    }
    if (isApi(path)) throw new TrailmixError('not_found', { where: path.slice(0, 200) });
    if (request.method !== 'GET') {
      reply.header('allow', 'GET');
      throw new TrailmixError('method_not_allowed');
    }
    return sendPage(request, reply, host.folders.ui);
  });
  app.setErrorHandler((error, request, reply) => {
    const status = (error as { statusCode?: number }).statusCode;
    let found: TrailmixError;
    if (error instanceof TrailmixError) found = error;
    else if (status === 415) found = new TrailmixError('media_type', { where: 'content-type' });
    else if (status === 413) found = new TrailmixError('body_too_large');
    else if (status === 404) found = new TrailmixError('not_found');
    else if (status === 400) found = new TrailmixError('input_invalid');
    else found = asTrailmixError(host, error, 'http');
    sendProblem(request, reply, found);
  });
  await app.ready();
  return app;
}

/** What is not HTTP at all still gets a problem document, then the connection is closed. */
function onClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const code = error.code === 'HPE_HEADER_OVERFLOW' ? 'headers_too_large' : 'http_invalid';
  const document = problemDocument(new TrailmixError(code));
  const body = JSON.stringify(document);
  socket.end(
    `HTTP/1.1 ${document.status} Refused\r\ncontent-type: application/problem+json; charset=utf-8\r\nx-content-type-options: nosniff\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}

const listen = (server: Server, where: { port: number; host: string } | { path: string }): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(where, () => {
      server.off('error', reject);
      resolve();
    });
  });

const LOOPBACK = new Set(['127.0.0.1', '::1', 'localhost']);
export const isLoopbackHost = (host: string): boolean => LOOPBACK.has(host) || /^127\./.test(host);

/** How often another free port is tried when ::1 has not the one that 127.0.0.1 gave. */
const FREE_PORT_TRIES = 5;

/** Throws port_busy; `usage` for a host beyond loopback without TLS. */
export async function startServer(
  host: Host,
  handlers: Handlers,
  options: ListenOptions,
): Promise<HttpServer> {
  for (let tries = 1; ; tries++) {
    try {
      return await startOnce(host, handlers, options);
    } catch (error) {
      const busy = error instanceof TrailmixError && error.code === 'port_busy';
      if (!busy || options.port !== 0 || tries >= FREE_PORT_TRIES) throw error;
    }
  }
}

async function startOnce(host: Host, handlers: Handlers, options: ListenOptions): Promise<HttpServer> {
  if (!isLoopbackHost(options.host) && options.tls === undefined) {
    throw new TrailmixError('usage', {
      where: '--host',
      message: 'A host beyond this machine needs --tls-cert and --tls-key',
    });
  }
  const closing = new AbortController();
  const localSockets = new WeakSet<object>();
  const address: Address = { host: options.host, port: options.port, tls: options.tls !== undefined };
  let hosts: ReadonlySet<string> = new Set();
  const doors = (): Doors => ({ address, hosts, isLocal: request => localSockets.has(request.raw.socket) });
  const dispatcher = new Dispatcher(host, handlers, new Intake(), doors, closing.signal);
  const app = await routes(host, dispatcher, doors);
  const servers: Server[] = [];

  const make = (tls?: { cert: string; key: string }): Server => {
    const listener: RequestListener = (request: IncomingMessage, response) =>
      app.routing(request as never, response as never);
    const limits = {
      requestTimeout: 300_000,
      headersTimeout: 30_000,
      keepAliveTimeout: 20_000,
      maxHeaderSize: 16_384,
    };
    const server =
      tls === undefined ? createServer(limits, listener) : createTlsServer({ ...limits, ...tls }, listener);
    server.maxConnections = MOST_CONNECTIONS;
    server.on('clientError', onClientError);
    servers.push(server);
    return server;
  };

  const shut = async (graceMs: number): Promise<void> => {
    closing.abort();
    const ends = servers.map(
      server => new Promise<void>(resolve => (server.listening ? server.close(() => resolve()) : resolve())),
    );
    for (const server of servers) server.closeIdleConnections();
    const timer = setTimeout(() => {
      for (const server of servers) server.closeAllConnections();
    }, graceMs);
    await Promise.all(ends);
    clearTimeout(timer);
    await app.close();
    if (options.socket !== undefined && process.platform !== 'win32')
      await rm(options.socket, { force: true });
  };

  try {
    const first = make(options.tls);
    await listen(first, {
      port: options.port,
      host: options.host === 'localhost' ? '127.0.0.1' : options.host,
    });
    address.port = (first.address() as AddressInfo).port;
    if (options.host === '127.0.0.1' || options.host === 'localhost')
      await listenAlso6(() => make(options.tls), address.port, servers);
    hosts = hostNames(address);
    if (options.socket !== undefined) {
      if (process.platform !== 'win32') await rm(options.socket, { force: true });
      const local = make();
      local.on('connection', socket => localSockets.add(socket));
      // The folder is 0700 already; the mask closes the moment between bind and chmod.
      const mask = process.platform === 'win32' ? undefined : process.umask(0o177);
      try {
        await listen(local, { path: options.socket });
      } finally {
        if (mask !== undefined) process.umask(mask);
      }
      if (process.platform !== 'win32') await chmod(options.socket, 0o700);
    }
  } catch (error) {
    await shut(0);
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') {
      throw new TrailmixError('port_busy', { where: `${options.host}:${options.port}` });
    }
    throw error;
  }
  return { address, close: (graceMs = 10_000) => shut(graceMs) };
}

/** The same port on ::1, where the host has IPv6; a program of another user there must not answer for us unseen. */
async function listenAlso6(make: () => Server, port: number, servers: Server[]): Promise<void> {
  const server = make();
  try {
    await listen(server, { port, host: '::1' });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== 'EADDRNOTAVAIL' && code !== 'EAFNOSUPPORT') throw error;
    servers.splice(servers.indexOf(server), 1);
  }
}
