/**
 * The tenants of an installation: a chain of records each, with people, keys, policies and settings of its own, over one vault.
 * Rules: `default` is opened first and keeps the list; the others are opened one after the other behind it, and one whose ledger is
 * refused stops no other; a request waits for its tenant alone. At most 16. Design: docs/adr/0007-tenants.md.
 */
import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { errorTable, TrailmixError } from '../../core/api/errors.ts';
import type { TenantView } from '../../core/api/views.ts';
import type { JsonObject } from '../../core/proof/jcs.ts';
import { DEFAULT_TENANT } from '../../core/proof/record.ts';
import type { TenantDoor } from '../http/services.ts';
import { parseApiKey } from '../keys/api-keys.ts';
import type { TenantParts } from '../keys/backup.ts';
import type { Log } from '../logging.ts';
import type { Services } from '../services.ts';
import { checkTenantId } from './tenant_id.ts';

export const MOST_TENANTS = 16;
/** In the data folder; each tenant but the default one has a folder of its own in it. */
export const TENANTS_FOLDER = 'tenants';

export const tenantFolder = (folder: string, tenantId: string): string =>
  tenantId === DEFAULT_TENANT ? folder : join(folder, TENANTS_FOLDER, tenantId);

/** `members` of record 0 where a new ledger may be made. */
export type OpenTenant = (tenantId: string, members?: JsonObject) => Promise<Services>;

type Entry = {
  id: string;
  name: string;
  createdAt?: string;
  /** Settles when it is open or refused; never rejects. */
  ready: Promise<void>;
  services?: Services;
  refusal?: TrailmixError;
};

type Row = { tenant_id: string; name: string; created_at: string };

export class Tenants implements TenantDoor {
  readonly #folder: string;
  readonly #open: OpenTenant;
  readonly #asError: (error: unknown) => TrailmixError;
  readonly #log: Log;
  /** The default one first. */
  readonly #known = new Map<string, Entry>();
  /** Tenants are opened and made one at a time. */
  #last: Promise<unknown> = Promise.resolve();
  #closing = false;

  constructor(options: {
    /** The data folder. */
    folder: string;
    open: OpenTenant;
    asError: (error: unknown) => TrailmixError;
    log: Log;
  }) {
    this.#folder = options.folder;
    this.#open = options.open;
    this.#asError = options.asError;
    this.#log = options.log;
  }

  /** Resolves when the others are known; they are opened behind. */
  async start(home: Services): Promise<void> {
    this.#known.set(DEFAULT_TENANT, {
      id: DEFAULT_TENANT,
      name: DEFAULT_TENANT,
      ready: Promise.resolve(),
      services: home,
    });
    for (const row of await home.ledger.read.query<Row>('tenants.all')) {
      const entry: Entry = {
        id: row.tenant_id,
        name: row.name,
        createdAt: row.created_at,
        ready: Promise.resolve(),
      };
      this.#known.set(entry.id, entry);
      entry.ready = this.#inTurn(() => this.#openOne(entry));
    }
  }

  async #openOne(entry: Entry): Promise<void> {
    if (this.#closing) return;
    try {
      entry.services = await this.#open(entry.id);
    } catch (error) {
      entry.refusal = this.#asError(error);
      this.#log.error(
        { tenant: entry.id, code: entry.refusal.code, reason: entry.refusal.message },
        'refused',
      );
    }
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(work);
    this.#last = mine.catch(() => {});
    return mine;
  }

  get several(): boolean {
    return this.#known.size > 1;
  }

  /** Those that are open now, the default one first. */
  open(): Services[] {
    return [...this.#known.values()].flatMap(({ services }) => (services === undefined ? [] : [services]));
  }

  nameOf(tenantId: string): string {
    return this.#known.get(tenantId)?.name ?? tenantId;
  }

  async of(tenantId: string): Promise<Services> {
    const entry = this.#known.get(tenantId);
    if (entry === undefined) throw new TrailmixError('tenant_unknown', { where: 'tenant' });
    if (entry.services === undefined) await entry.ready;
    if (entry.services === undefined) throw entry.refusal ?? new TrailmixError('ledger_refused');
    return entry.services;
  }

  async findKey(token: string): ReturnType<TenantDoor['findKey']> {
    const home = await this.of(DEFAULT_TENANT);
    if (!this.several) return home.keys.find(token);
    const parsed = parseApiKey(token);
    const holder = parsed && (await this.#first(async ({ keys }) => keys.has(parsed.id)));
    return (holder ?? home).keys.find(token);
  }

  async ofInvitation(token: string): Promise<Services> {
    const home = await this.of(DEFAULT_TENANT);
    if (!this.several) return home;
    return (await this.#first(({ people }) => people.knowsInvitation(token))) ?? home;
  }

  /** The first that it holds for; waits for those that are still being opened only where none of the others does. */
  async #first(holds: (services: Services) => Promise<boolean>): Promise<Services | undefined> {
    for (const services of this.open()) if (await holds(services)) return services;
    const late = [...this.#known.values()].filter(entry => entry.services === undefined && !entry.refusal);
    for (const entry of late) {
      await entry.ready;
      if (entry.services !== undefined && (await holds(entry.services))) return entry.services;
    }
    return undefined;
  }

  /** For a backup: each tenant with its ledger, where that is open. */
  held(): TenantParts[] {
    return [...this.#known.values()].map(({ id, name, services }) => ({
      tenantId: id,
      name,
      folder: tenantFolder(this.#folder, id),
      ...(services === undefined ? {} : { ledger: services.ledger }),
    }));
  }

  list(): TenantView[] {
    return [...this.#known.values()].map(viewOf);
  }

  create(tenantId: string, name: string, by: string): Promise<TenantView> {
    checkTenantId(tenantId);
    return this.#inTurn(async () => {
      if (this.#closing) throw new TrailmixError('collector_unavailable');
      if (this.#known.has(tenantId)) throw new TrailmixError('tenant_exists', { where: '/tenant_id' });
      if (this.#known.size >= MOST_TENANTS) {
        throw new TrailmixError('tenant_limit', { message: `An installation takes ${MOST_TENANTS} tenants` });
      }
      const home = await this.of(DEFAULT_TENANT);
      const folder = tenantFolder(this.#folder, tenantId);
      // A folder that a crash left before the tenant was recorded is taken over: it opens with this vault, or is refused.
      const there = existsSync(folder);
      await mkdir(folder, { recursive: true, mode: 0o700 });
      let services: Services | undefined;
      try {
        services = await this.#open(tenantId, { tenant: { id: tenantId, name }, by });
        const first = await services.ledger.read.record(0);
        const opened = String(first?.hash_self);
        const { createdAt } = await home.ledger.write.run('createTenant', { tenantId, name, opened, by });
        const entry = { id: tenantId, name, createdAt, ready: Promise.resolve(), services };
        this.#known.set(tenantId, entry);
        return viewOf(entry);
      } catch (error) {
        await services?.close();
        if (!there) await rm(folder, { recursive: true, force: true });
        throw error;
      }
    });
  }

  /** All but the default one, the newest first. */
  async close(): Promise<void> {
    this.#closing = true;
    await this.#last;
    for (const entry of [...this.#known.values()].reverse()) {
      if (entry.id !== DEFAULT_TENANT) await entry.services?.close();
    }
  }
}

function viewOf({ id, name, createdAt, services, refusal }: Entry): TenantView {
  return {
    tenant_id: id,
    name,
    state: services !== undefined ? 'open' : refusal === undefined ? 'opening' : 'refused',
    ...(createdAt === undefined ? {} : { created_at: createdAt }),
    ...(refusal === undefined
      ? {}
      : { refused: { code: refusal.code, message: refusal.message, next: errorTable[refusal.code].next } }),
  };
}
