/**
 * Everything that stands on an open ledger, opened in order and closed in the opposite one: ledger, settings, keys,
 * policy, gate, evidence. What was opened is closed again when a later part refuses.
 */

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TrailmixError } from '../core/api/errors.ts';
import type { OutputOf } from '../core/api/operations.ts';
import { validateEvent } from '../core/event/validate.ts';
import type { JsonObject } from '../core/proof/jcs.ts';
import { LEDGER_APP } from '../core/proof/record.ts';
import { createApprovalDesk } from './approvals/desk.ts';
import { createGate } from './approvals/gate.ts';
import { openEvidence } from './evidence/desk.ts';
import type { OpenServices } from './http/services.ts';
import type { TenantSessions } from './http/sessions.ts';
import { openApiKeys } from './keys/api-keys.ts';
import { type OpenVault, openVault } from './keys/vault.ts';
import { openLedger } from './ledger/open.ts';
import { prepareEvents } from './ledger/prepare.ts';
import type { Log } from './logging.ts';
import { openPeople } from './people/desk.ts';
import { createBundleImports } from './policy/bundle_import.ts';
import { openPolicy } from './policy/desk.ts';
import { createImpactDesk } from './policy/impact.ts';
import { recordedDecisions } from './policy/recorded.ts';
import { sessionHistory } from './policy/session_history.ts';
import { createSessionStates, type SessionStates } from './policy/session_state.ts';
import { createPolicySets } from './policy/sets.ts';
import { createPolicyWorkshop, type PolicyWorkshop } from './policy/workshop.ts';
import type { Clock, Ids } from './ports.ts';
import { loadSamples } from './samples.ts';
import { openSettings } from './settings.ts';
import { sha256 } from './sha256.ts';

export type Services = OpenServices & { vault: OpenVault; close(): Promise<void> };

export type ServiceOptions = {
  /** The tenant's own. The caller holds the data folder's lock. */
  folder: string;
  tenantId: string;
  /** Where vault.json is: the data folder. */
  vaultFolder: string;
  /** As this tenant uses it (OpenVault.forTenant). */
  vault: OpenVault;
  /** Whether a new ledger may be made here. */
  create: boolean;
  /** More members of its record 0 then. */
  members?: JsonObject;
  clock: Clock;
  ids: Ids;
  log: Log;
  /** Folder of the built policy bundle. */
  policies: string;
  /** Folder of the built Rego toolchain, and that of the policies' sources with capabilities.json. */
  toolchain: string;
  policySources: string;
  /** The script of the sample runs (resources/samples/runs.json); may be absent. */
  samples: string;
  /** Those of this tenant's people. */
  sessions: TenantSessions;
  /** The toolchain, where another tenant has it running; default one of its own. */
  workshop?: PolicyWorkshop;
  /** The whole installation's. */
  backup: OpenServices['backup'];
  onWaiting?: (count: number) => void;
};

type Closable = () => Promise<unknown> | unknown;

/** Throws ledger_refused, ledger_rolled_back, ledger_damaged, ledger_newer, disk_full, vault_damaged. */
export async function openServices(options: ServiceOptions): Promise<Services> {
  const { folder, vault, clock, ids, log } = options;
  const closers: Closable[] = [];
  const closeAll = async (): Promise<void> => {
    for (const close of closers.reverse().splice(0)) {
      try {
        await close();
      } catch (error) {
        log.error({ err: error }, 'closing');
      }
    }
  };
  try {
    const ledger = await openLedger({
      folder,
      vault,
      clock,
      ids,
      log: {
        info: (message, detail) => log.info(detail ?? {}, message),
        warn: (message, detail) => log.warn(detail ?? {}, message),
      },
      locked: true,
      tenantId: options.tenantId,
      ...(options.create
        ? { create: options.members === undefined ? {} : { members: options.members } }
        : {}),
    });
    closers.push(() => ledger.close());
    const settings = await openSettings(ledger, {
      otlp_unkeyed: true,
      time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
      person: '',
    });
    const keys = await openApiKeys({ ledger, vault, clock, usedFile: join(folder, 'keys-used') });
    closers.push(() => keys.close());
    const people = await openPeople({
      ledger,
      vault,
      clock,
      ids,
      sessions: options.sessions,
      checkRecovery: async phrase => {
        await openVault({ folder: options.vaultFolder, secret: { kind: 'recovery_phrase', phrase } });
      },
      onError: error => log.error({ err: error }, 'people'),
    });
    closers.push(() => people.close());
    const policy = await openPolicy({
      ledger,
      clock,
      folder: options.policies,
      onEvent: event => log.info({ policy: event }, 'policy'),
      onError: error => log.error({ err: error }, 'policy'),
    });
    closers.push(() => policy.close());
    const workshop =
      options.workshop ??
      createPolicyWorkshop({
        toolchain: options.toolchain,
        capabilities: join(options.policySources, 'capabilities.json'),
        decision: join(options.policySources, 'decision.rego'),
      });
    if (options.workshop === undefined) closers.push(() => workshop.close());
    const policySets = createPolicySets({ ledger, workshop, desk: policy });
    const bundles = createBundleImports({
      ledger,
      sets: policySets,
      capabilities: () => readFile(join(options.policySources, 'capabilities.json'), 'utf8'),
    });
    const recorded = recordedDecisions(ledger);
    const impact = createImpactDesk({ ledger, recorded, sets: policySets, workshop, clock, ids });
    closers.push(() => impact.close());
    const calls = createSessionStates({ history: sessionHistory(ledger), fresh: options.create });
    const gate = createGate({
      ledger,
      policy,
      activePolicy: environment => policy.inForce(environment),
      sessions: calls,
      reads: environment => policy.reads(environment),
      enter: environment => policy.enter(environment),
      onDecided: (environment, call) => policy.decided(environment, call),
      clock,
      onError: error => log.error({ err: error }, 'approvals'),
    });
    closers.push(() => gate.close());
    const evidence = openEvidence({
      ledger,
      vault,
      clock,
      ids,
      folder,
      onError: error => log.warn({ err: error }, 'time-stamps'),
    });
    closers.push(() => evidence.anchors.close());
    closers.push(() => evidence.erasure.close());
    closers.push(() => evidence.clock.close());
    // What a crash interrupted: in the background, for it may have much to read.
    void evidence.erasure.finish().catch(error => log.warn({ err: error }, 'erasure'));

    if (options.onWaiting !== undefined) closers.push(countWaiting(ledger, options.onWaiting));
    const services: Services = {
      ledger,
      vault,
      keys,
      people,
      gate,
      approvals: createApprovalDesk({ ledger, clock }),
      policy,
      workshop,
      policySets,
      bundles,
      recorded,
      impact,
      settings,
      evidence,
      identity: () => vault.identity(),
      backup: options.backup,
      changePassphrase: async input => {
        await vault.changePassphrase(input);
        await ledger.write.run('record', {
          appId: LEDGER_APP,
          eventType: 'key.custody',
          members: { name: 'Passphrase changed', custody: vault.custody.kind },
        });
      },
      close: closeAll,
    };
    if (existsSync(options.samples)) services.samples = () => samplesOf(services, options, calls);
    return services;
  } catch (error) {
    await closeAll();
    throw error;
  }
}

/** Tells how many approvals wait, whenever that may have changed. */
function countWaiting(ledger: OpenServices['ledger'], tell: (count: number) => void): () => void {
  let last = -1;
  const look = async (): Promise<void> => {
    const { total } = await ledger.read.approvals({ status: 'waiting', limit: 1 });
    if (total !== last) tell(total);
    last = total;
  };
  const ignore = (): void => {};
  void look().catch(ignore);
  return ledger.write.onCommit(({ approvals }) => {
    if (approvals.length > 0) void look().catch(ignore);
  });
}

/** The sample runs, through the same checks as any producer's events. */
function samplesOf(
  services: OpenServices,
  options: ServiceOptions,
  sessions: SessionStates,
): Promise<OutputOf<'loadSamples'>> {
  const { ledger, policy } = services;
  return loadSamples({
    file: options.samples,
    clock: options.clock,
    policy,
    sessions,
    reads: () => policy.reads('prod'),
    activePolicyHash: () => policy.inForce().hash,
    enter: () => policy.enter('prod'),
    write: ledger.write,
    async append(appId, events) {
      const valid = events.map(event => {
        const result = validateEvent(event, { appId });
        if (result.ok) return result.event;
        throw new TrailmixError('event_invalid', { errors: result.errors });
      });
      const { ledgerId, tenantId } = ledger;
      const source = { via: 'sample', auth: 'self' } as const;
      return ledger.write.append(
        prepareEvents(valid, { ledgerId, tenantId, source, ids: options.ids, sha256 }),
      );
    },
    has: async (app, eventId) => (await ledger.read.search({ app, eventId, limit: 1 })).total > 0,
  });
}
