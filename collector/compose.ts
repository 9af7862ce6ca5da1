/**
 * Wires the collector together; the only place that does. Phases: `setup` (no vault) and `locked` (a passphrase is
 * needed) become `open`; `refused` stays and says why. The folder's lock is held in every phase, so that two
 * collectors never share one. Closing drains, signs a checkpoint and syncs.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { TrailmixError } from '../core/api/errors.ts';
import type { InputOf, OutputOf } from '../core/api/operations.ts';
import type { Custody, Phase } from '../core/api/views.ts';
import type { JsonObject } from '../core/proof/jcs.ts';
import { DEFAULT_TENANT } from '../core/proof/record.ts';
import { systemClock, systemIds } from './clock.ts';
import { makeDataFolder, socketPath } from './data-folder.ts';
import { asTrailmixError } from './http/dispatch.ts';
import { baseUrl, uiUrl } from './http/handlers/host.ts';
import { handlersOf } from './http/handlers.ts';
import { type HttpServer, isLoopbackHost, startServer } from './http/server.ts';
import type { Host, OpenServices } from './http/services.ts';
import { Sessions } from './http/sessions.ts';
import { backupStream } from './keys/backup.ts';
import { checkAppId } from './keys/commands.ts';
import type { CustodyChoice, SafeStorage } from './keys/custody.ts';
import { createVault, describeVault, type OpenVault, openVault, type VaultSecret } from './keys/vault.ts';
import { VAULT_FILE } from './keys/vault-file.ts';
import { lockFolder, placesOf } from './ledger/folder.ts';
import { fileLog, type Log } from './logging.ts';
import type { Clock, Ids } from './ports.ts';
import { openServices, type Services } from './services.ts';
import { diagnosticsOf, logFolder, type StatusParts, statusView } from './status.ts';
import { Tenants, tenantFolder } from './tenants/tenants.ts';
import { VERSION } from './version.ts';

const RESOURCES = join(import.meta.dirname, '..', 'resources');

export type CollectorOptions = {
  folder: string;
  /** 0 takes a free one. */
  port: number;
  /** Default 127.0.0.1, with ::1. Beyond loopback `tls` (PEM texts) is needed. */
  host?: string;
  tls?: { cert: string; key: string };
  /** Where the vault's key file is; default: where the vault says. */
  keyFile?: string;
  passphrase?: string;
  safeStorage?: SafeStorage;
  /** The built page; default resources/generated/ui. */
  uiDir?: string;
  /** Folder of the built policy bundle that is in force; default resources/generated/policies. */
  policies?: string;
  /** Default: rotating files in <folder>/logs. */
  log?: Log;
  clock?: Clock;
  ids?: Ids;
  /** Called with the number of waiting approvals when it changes. */
  onWaiting?: (count: number) => void;
};

export type Collector = {
  readonly url: string;
  readonly port: number;
  readonly folder: string;
  readonly socket: string;
  phase(): Phase;
  refusal(): TrailmixError | undefined;
  custody(): Custody | undefined;
  /** A fresh one-time address that signs the page in. */
  uiUrl(): string;
  /** The first start without a page: vault and ledger, no API key. Throws setup_done and what the vault throws. */
  initialise(custody: CustodyChoice, person: string): Promise<{ recoveryPhrase: string }>;
  /** Drains, checkpoints, closes. Idempotent. */
  close(): Promise<void>;
};

/**
 * Resolves once the address answers, in whatever phase. Throws ledger_in_use (who holds the folder), port_busy, usage.
 */
export async function startCollector(options: CollectorOptions): Promise<Collector> {
  const { folder, clock = systemClock, ids = systemIds } = options;
  await makeDataFolder(folder);
  const lock = lockFolder(folder, clock.now());
  const files = options.log === undefined ? fileLog(logFolder(folder)) : undefined;
  const log: Log = options.log ?? files!;

  const sessions = new Sessions(clock, ids);
  let phase: Phase = 'setup';
  let refusal: TrailmixError | undefined;
  /** Why the vault stayed locked: a wrong passphrase given at start, or no key file. The page can still unlock. */
  let unopened: TrailmixError | undefined;
  let custody: Custody | undefined;
  let services: Services | undefined;
  let server: HttpServer | undefined;
  /** Setup and unlock happen once at a time. */
  let changing = false;

  const refuse = (error: unknown, what: string): void => {
    refusal = asTrailmixError({ log }, error, what);
    phase = 'refused';
    log.error({ code: refusal.code, reason: refusal.message }, 'refused');
  };

  const waiting = new Map<string, number>();
  const openTenant = (
    vault: OpenVault,
    tenantId: string,
    making: { create: boolean; members?: JsonObject },
  ): Promise<Services> => {
    const { onWaiting } = options;
    return openServices({
      folder: tenantFolder(folder, tenantId),
      tenantId,
      vaultFolder: folder,
      vault: vault.forTenant(tenantId),
      ...making,
      clock,
      ids,
      log,
      policies: options.policies ?? join(RESOURCES, 'generated', 'policies'),
      toolchain: join(RESOURCES, 'generated', 'toolchain'),
      policySources: join(RESOURCES, '..', 'policies'),
      samples: join(RESOURCES, 'samples', 'runs.json'),
      sessions: sessions.of(tenantId),
      ...(services === undefined ? {} : { workshop: services.workshop }),
      backup: () => backupStream({ vault, folder, clock, tenants: tenants.held() }),
      ...(onWaiting === undefined
        ? {}
        : {
            onWaiting(count: number) {
              waiting.set(tenantId, count);
              onWaiting([...waiting.values()].reduce((sum, one) => sum + one, 0));
            },
          }),
    });
  };

  const tenants = new Tenants({
    folder,
    open: (tenantId, members) =>
      openTenant(
        opened().vault,
        tenantId,
        members === undefined ? { create: false } : { create: true, members },
      ),
    asError: error => asTrailmixError({ log }, error, 'open'),
    log,
  });

  const openWith = async (vault: OpenVault, create: boolean): Promise<void> => {
    try {
      services = await openTenant(vault, DEFAULT_TENANT, { create });
      await tenants.start(services);
      phase = 'open';
      custody = vault.custody;
      log.info({ ledger: vault.ledgerId, custody: custody.kind }, 'open');
    } catch (error) {
      refuse(error, 'open');
    }
  };

  /** What the folder's vault allows without asking anyone. */
  const openByItself = async (): Promise<void> => {
    const state = await describeVault(folder);
    if (state.kind === 'missing') {
      if (!existsSync(placesOf(folder).ledger)) return;
      const message = 'There is a ledger here, but its vault.json is gone';
      return refuse(new TrailmixError('vault_damaged', { where: folder, message }), 'vault');
    }
    if (state.kind === 'damaged') return refuse(state.error, 'vault');
    custody = state.custody;
    phase = 'locked';
    try {
      if (state.kind === 'key_file') {
        const file = options.keyFile ?? state.keyFile;
        await openWith(await openVault({ folder, secret: { kind: 'key_file', file } }), false);
      } else if (state.kind === 'safe_storage') {
        if (options.safeStorage === undefined) {
          throw new TrailmixError('vault_locked', {
            message: "This vault is kept by the desktop's keystore: open it with the desktop app",
          });
        }
        const secret = { kind: 'safe_storage', storage: options.safeStorage } as const;
        await openWith(await openVault({ folder, secret }), false);
      } else if (options.passphrase !== undefined) {
        const secret = { kind: 'passphrase', passphrase: options.passphrase } as const;
        await openWith(await openVault({ folder, secret }), false);
      }
    } catch (error) {
      if (!(error instanceof TrailmixError) || !unlockable(error, state.kind)) return refuse(error, 'vault');
      unopened = error;
      log.warn({ code: error.code, reason: error.message }, 'locked');
    }
  };

  /** The place of the key file, where it was not there at start and is still what opens the vault. */
  const keyMissing = (): string | undefined =>
    unopened?.code === 'vault_key_missing' && (services?.vault.custody ?? custody)?.kind === 'key_file'
      ? unopened.where
      : undefined;

  const once = async <T>(work: () => Promise<T>): Promise<T> => {
    if (changing) throw new TrailmixError('busy', { message: 'This is being done already', retryAfter: 1 });
    changing = true;
    try {
      return await work();
    } finally {
      changing = false;
    }
  };

  const opened = (): Services => {
    if (services === undefined) throw refusal ?? new TrailmixError('ledger_refused');
    return services;
  };

  const initialise = (choice: CustodyChoice, person: string): Promise<{ recoveryPhrase: string }> =>
    once(async () => {
      if (phase !== 'setup') throw new TrailmixError('setup_done');
      const { vault, recoveryPhrase } = await createVault({ folder, custody: choice });
      await openWith(vault, true);
      if (services === undefined) {
        // The phrase was not shown: a vault that nobody can recover must not stay. All of it was made just now.
        await removeLedger(folder);
        const why = refusal;
        refusal = undefined;
        custody = undefined;
        phase = 'setup';
        throw why ?? new TrailmixError('ledger_refused');
      }
      await services.settings.change({ person }, person);
      return { recoveryPhrase: recoveryPhrase.reveal() };
    });

  const choiceOf = (input: InputOf<'setup'>): CustodyChoice => {
    switch (input.custody) {
      case 'passphrase':
        return { kind: 'passphrase', passphrase: input.passphrase ?? '' };
      case 'safe_storage':
        if (options.safeStorage === undefined) {
          throw new TrailmixError('input_invalid', {
            where: '/custody',
            message: 'Only the desktop app has a keystore',
          });
        }
        return { kind: 'safe_storage', storage: options.safeStorage };
      default: {
        const file = input.key_file ?? options.keyFile;
        return { kind: 'key_file', ...(file === undefined ? {} : { file }) };
      }
    }
  };

  const setup = async (input: InputOf<'setup'>): Promise<OutputOf<'setup'>> => {
    checkAppId(input.app_id);
    const { recoveryPhrase } = await initialise(choiceOf(input), input.person.trim());
    const { keys, vault } = opened();
    const scopes = ['ingest', 'decide', 'read', 'export'] as const;
    const { view, apiKey } = await keys.create({
      appId: input.app_id,
      scopes: [...scopes],
      by: input.person.trim(),
    });
    return {
      recovery_phrase: recoveryPhrase,
      api_key: apiKey,
      key_id: view.id,
      app_id: view.app_id,
      ...(vault.keyFile === undefined ? {} : { key_file: vault.keyFile }),
    };
  };

  const unlock = (passphrase: string): Promise<void> =>
    once(async () => {
      // A wrong passphrase leaves the phase as it is. Without its key file a vault opens by the recovery phrase alone.
      const secret: VaultSecret =
        keyMissing() === undefined
          ? { kind: 'passphrase', passphrase }
          : { kind: 'recovery_phrase', phrase: passphrase };
      const vault = await openVault({ folder, secret });
      await openWith(vault, false);
      if (refusal !== undefined) throw refusal;
    });

  const parts = (open: OpenServices | undefined = services, withTenants = true): StatusParts => ({
    phase,
    version: VERSION,
    folder,
    url: url(),
    address: host.address(),
    beyondLoopback: !isLoopbackHost(host.address().host),
    refusal,
    keyMissing: keyMissing(),
    custody: services?.vault.custody ?? custody,
    open,
    tenants: withTenants && tenants.several ? tenants.list() : undefined,
    now: clock.now(),
  });

  const host: Host = {
    version: VERSION,
    clock,
    ids,
    log,
    sessions,
    folders: {
      ui: options.uiDir ?? join(RESOURCES, 'generated', 'ui'),
      sdk: join(RESOURCES, 'generated', 'sdk'),
      verifier: join(RESOURCES, 'generated', 'verify'),
      licences: join(RESOURCES, 'generated', 'licences.txt'),
      exports: exportsFolder(folder),
    },
    phase: () => phase,
    refusal: () => refusal,
    open: (): OpenServices | undefined => services,
    tenants,
    address: () => server?.address ?? { host: options.host ?? '127.0.0.1', port: options.port, tls: false },
    person: () => services?.settings.read().person ?? '',
    status: (open, withTenants) => statusView(parts(open, withTenants)),
    setup,
    unlock,
    diagnostics: () => diagnosticsOf(parts()),
  };
  const url = (): string => baseUrl(host);
  const { handlers, cancelJobs } = handlersOf(host);
  const socket = await socketPath(folder);

  const closeAll = async (): Promise<void> => {
    cancelJobs();
    await server?.close();
    await tenants.close();
    await services?.close();
    await removeExports(folder);
    files?.close();
    lock.release();
  };

  try {
    await removeExports(folder);
    await openByItself();
    server = await startServer(host, handlers, {
      port: options.port,
      host: options.host ?? '127.0.0.1',
      socket,
      ...(options.tls === undefined ? {} : { tls: options.tls }),
    });
  } catch (error) {
    await closeAll();
    throw error;
  }
  writeLockInfo(folder, {
    url: url(),
    port: server.address.port,
    socket,
    since: new Date(clock.now()).toISOString(),
  });
  log.info({ port: server.address.port, phase, version: VERSION }, 'listening');

  let closing: Promise<void> | undefined;
  return {
    url: url(),
    port: server.address.port,
    folder,
    socket,
    phase: () => phase,
    refusal: () => refusal ?? (phase === 'locked' ? unopened : undefined),
    custody: () => services?.vault.custody ?? custody,
    uiUrl: () => uiUrl(host).ui_url,
    initialise,
    close() {
      closing ??= closeAll();
      return closing;
    },
  };
}

/** Whether what stopped the vault from opening by itself can be helped by typing a passphrase or the recovery phrase. */
const unlockable = (error: TrailmixError, custody: 'passphrase' | 'key_file' | 'safe_storage'): boolean =>
  error.code === 'vault_key_missing' || (error.code === 'vault_secret_wrong' && custody === 'passphrase');

const exportsFolder = (folder: string): string => join(folder, 'exports');

/** Only for a ledger that was made in this very call and never opened. */
async function removeLedger(folder: string): Promise<void> {
  const { ledger, search, headFile } = placesOf(folder);
  const files = [ledger, search].flatMap(file => [file, `${file}-wal`, `${file}-shm`]);
  for (const file of [join(folder, VAULT_FILE), ...files, headFile]) await rm(file, { force: true });
}

/** Packs that were made for a download hold events in clear: they live as long as this run of the collector. */
const removeExports = (folder: string): Promise<void> =>
  rm(exportsFolder(folder), { recursive: true, force: true });

/** Beside the lock: where its holder answers. */
function writeLockInfo(
  folder: string,
  info: { url: string; port: number; socket: string; since: string },
): void {
  writeFileSync(join(folder, 'lock.json'), `${JSON.stringify({ pid: process.pid, ...info })}\n`, {
    mode: 0o600,
  });
}
