/** The page and the installation: sign-in, status, setup, keys, settings, custody, diagnostics, downloads. */
import { createReadStream } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { TrailmixError } from '../../../core/api/errors.ts';
import type { OutputOf } from '../../../core/api/operations.ts';
import type { StatusView } from '../../../core/api/views.ts';
import { isWildcard } from '../access.ts';
import { attachment, Raw } from '../answer.ts';
import type { Handlers } from '../handler.ts';
import { openApiDocument } from '../openapi.ts';
import type { Host, OpenServices } from '../services.ts';
import { who } from './evidence.ts';
import { tenantsFor } from './tenants.ts';

/** The address that a person opens. */
export const baseUrl = (host: Host): string => {
  const { host: listening, port, tls } = host.address();
  const named = isWildcard(listening) ? hostname() : listening === 'localhost' ? '127.0.0.1' : listening;
  return `${tls ? 'https' : 'http'}://${named.includes(':') ? `[${named}]` : named}:${port}`;
};

export const uiUrl = (host: Host): { ui_url: string; expires_at: string } => {
  const { token, expiresAt } = host.sessions.ticket();
  return { ui_url: `${baseUrl(host)}/#token=${token}`, expires_at: expiresAt.toISOString() };
};

async function health(host: Host, open: OpenServices | undefined): Promise<OutputOf<'health'>> {
  const phase = host.phase();
  if (open === undefined) return { status: phase, version: host.version };
  const { ledger } = open;
  const [head, checkpoint] = await Promise.all([ledger.read.head(), ledger.read.checkpointAt()]);
  return {
    status: 'ok',
    ledger: {
      head_seq: head.seq,
      verified_to: ledger.verifier().verifiedTo,
      ...(checkpoint === undefined
        ? {}
        : { last_checkpoint: { size: checkpoint.size, root: checkpoint.root } }),
    },
    version: host.version,
  };
}

type Names =
  | 'health'
  | 'openapi'
  | 'exchange'
  | 'newTicket'
  | 'status'
  | 'setup'
  | 'unlock'
  | 'keys'
  | 'createKey'
  | 'revokeKey'
  | 'policies'
  | 'loadSamples'
  | 'settings'
  | 'changeSettings'
  | 'changePassphrase'
  | 'backup'
  | 'diagnostics'
  | 'licences'
  | 'sdkTarball';

/** Tenants that a backup does not hold, for their ledgers are not open. */
export const LEFT_OUT_HEADER = 'x-trailmix-left-out';

export const hostHandlers: Pick<Handlers, Names> = {
  health: ({ host, open }) => health(host, open),
  openapi: async ({ host }) => openApiDocument(host.version, baseUrl(host)),

  async exchange({ host }, { input }) {
    const { session, expiresAt } = host.sessions.exchange(input.token);
    return { session, expires_at: expiresAt.toISOString() };
  },
  newTicket: async ({ host }) => uiUrl(host),

  status: ({ host, open, principal }) =>
    host.status(open, open !== undefined && tenantsFor({ host, open, principal }).length > 1),
  setup: ({ host }, { input }) => host.setup(input),
  async unlock({ host }, { input }): Promise<StatusView> {
    await host.unlock(input.passphrase);
    return host.status();
  },

  async keys({ open }) {
    const items = open.keys.list();
    return { items, total: items.length };
  },
  async createKey({ host, open: own, principal }, { input }) {
    const { tenant_id = own.ledger.tenantId } = input;
    // Only the socket reaches another tenant than its own; to a page, no other exists.
    if (tenant_id !== own.ledger.tenantId && principal.kind !== 'local')
      throw new TrailmixError('tenant_unknown', { where: '/tenant_id' });
    const open = await host.tenants.of(tenant_id);
    // Before the key can ask anything, its environment has a policy.
    if (input.environment !== undefined) await open.policy.ensure(input.environment);
    const { view, apiKey } = await open.keys.create({
      appId: input.app_id,
      ...(input.environment === undefined ? {} : { environment: input.environment }),
      by: who(principal),
      ...(input.scopes === undefined ? {} : { scopes: input.scopes }),
    });
    return {
      id: view.id,
      api_key: apiKey,
      app_id: view.app_id,
      tenant_id: view.tenant_id,
      scopes: view.scopes,
      ...(view.environment === undefined ? {} : { environment: view.environment }),
    };
  },
  revokeKey: ({ open, principal }, { params }) => open.keys.revoke(params.id, who(principal)),

  policies: ({ open }, { query }) => open.policy.show(query.hash),

  async loadSamples({ open }) {
    if (open.samples === undefined) {
      throw new TrailmixError('not_found', { message: 'The sample runs are not part of this installation' });
    }
    return open.samples();
  },

  settings: async ({ open }) => open.settings.read(),
  changeSettings: ({ open, principal }, { input }) => open.settings.change(input as never, who(principal)),
  async changePassphrase({ host, open }, { input }) {
    await open.changePassphrase(input);
    return host.status(open);
  },

  async backup({ open }) {
    const { stream, name, leftOut } = await open.backup();
    return new Raw(stream, {
      'content-type': 'application/octet-stream',
      'content-disposition': attachment(name),
      ...(leftOut.length === 0 ? {} : { [LEFT_OUT_HEADER]: leftOut.join(' ') }),
    });
  },

  diagnostics: ({ host }) => host.diagnostics(),

  async licences({ host }) {
    try {
      return { text: await readFile(host.folders.licences, 'utf8') };
    } catch {
      return { text: 'The list of third-party licences is made by `npm run prepare` and is not here yet.' };
    }
  },

  async sdkTarball({ host }) {
    const names = await readdir(host.folders.sdk).catch(() => []);
    const name = names
      .filter(file => file.endsWith('.tgz'))
      .sort()
      .at(-1);
    if (name === undefined) {
      throw new TrailmixError('not_found', { message: 'The SDK is not built here: run `npm run prepare`' });
    }
    return new Raw(createReadStream(join(host.folders.sdk, name)), {
      'content-type': 'application/gzip',
      'content-disposition': attachment(name),
    });
  },
};
