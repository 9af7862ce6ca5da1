/**
 * The evidence room's door: preview, export, trust, and the verdicts over the live ledger. What makes and checks packs
 * is loaded when it is asked for, and in threads: an idle collector does without, and nobody waits while it loads.
 */
import { TrailmixError } from '../../core/api/errors.ts';
import { LEDGER_APP } from '../../core/proof/record.ts';
import type { EvidenceDesk, Pack } from '../http/services.ts';
import type { OpenVault } from '../keys/vault.ts';
import { openErasure } from '../ledger/erasing.ts';
import type { Clock, Ids, KeyVault, Ledger } from '../ports.ts';
import { VERSION } from '../version.ts';
import { openAnchors } from './anchors.ts';
import { watchClock } from './clock_watch.ts';
import type { EpochProof } from './epoch.ts';
import { checkRequest, exportPack } from './export.ts';
import { openOwnWitness } from './own_witness.ts';
import { countInThread } from './pack-job.ts';
import { trustFiles } from './trust.ts';
import { windowOf } from './window.ts';
import { openWitnesses } from './witnesses.ts';

export type EvidenceParts = {
  readonly ledger: Ledger;
  readonly vault: KeyVault & Partial<Pick<OpenVault, 'deriveEpoch'>>;
  readonly clock: Clock;
  readonly ids?: Ids;
  /** Where epochs/ lies, if the ledger was restored. */
  readonly folder?: string;
  /** Hears of a scheduled stamp that failed. */
  readonly onError?: (error: unknown) => void;
};

/** Records that are counted without a thread of their own, which would take longer to start. */
const SMALL = 2000;

type Exported = { size: number; at: string };

/** What the ledger keeps of a pack that was made. In the ledger's own sequence: no pack of the app carries it. */
const completed = (appId: string, by: string, pack: Pack) => ({
  appId: LEDGER_APP,
  eventType: 'export.completed',
  members: {
    name: 'Evidence pack made',
    export: {
      app_id: appId,
      by,
      pack_id: pack.pack_id,
      sha256: pack.sha256,
      bytes: pack.bytes,
      events: pack.events,
      checkpoint: { ...pack.checkpoint },
    },
  },
});

export function openEvidence({ ledger, vault, clock, folder, onError }: EvidenceParts): EvidenceDesk {
  const anchors = openAnchors({ ledger, clock, ...(onError === undefined ? {} : { onError }) });
  const erasure = openErasure({ ledger, clock, ...(onError === undefined ? {} : { onError }) });
  const watch = watchClock({ ledger, clock, onError: onError ?? (() => {}) });
  /** Asked by every look at the status: read once, then only finished exports change it. */
  let exported: Promise<Exported | undefined> | undefined;
  const readExported = (): Promise<Exported | undefined> => {
    exported ??= ledger.read
      .query<Exported>('evidence.lastExport', { tenant: ledger.tenantId })
      .then(rows => rows[0])
      .catch(error => {
        exported = undefined;
        throw error;
      });
    return exported;
  };
  const proofsOfEpochs = async (appId: string): Promise<readonly EpochProof[]> => {
    const { deriveEpoch } = vault;
    if (folder === undefined || deriveEpoch === undefined) return [];
    const { epochProofs } = await import('./epoch.ts');
    return epochProofs({ ledger, vault: { deriveEpoch }, folder, warn: onError ?? (() => {}) }, appId);
  };
  return {
    async check(request) {
      await checkRequest(ledger, windowOf(request), request.at);
    },
    async preview(request) {
      const window = windowOf(request);
      const { appId } = window;
      const scope = await ledger.read.scope(appId, window.from, window.to, request.at);
      if (scope === undefined) throw new TrailmixError('app_unknown', { where: '/app_id' });
      if (scope.count > SMALL) return countInThread(ledger, { appId, scope });
      const { countScope } = await import('./preview.ts');
      const { ledgerId, tenantId, read } = ledger;
      return countScope(appId, { ledgerId, tenantId, scope, lines: read.packLines });
    },
    async run(request, out, by, signal, onProgress) {
      const before = await readExported();
      const epochs = await proofsOfEpochs(request.app_id);
      const pack = await exportPack(
        { ledger, vault, clock, version: VERSION },
        { request, out, by, signal, onProgress, epochs },
      );
      await ledger.write.run('record', completed(request.app_id, by, pack));
      const now = { size: pack.checkpoint.size, at: new Date(clock.now()).toISOString() };
      if (now.size >= (before?.size ?? 0)) exported = Promise.resolve(now);
      return pack;
    },
    anchors,
    erasure,
    witnesses: openWitnesses({ ledger, vault, clock }),
    ownWitness: openOwnWitness({ ledger, vault, clock }),
    clock: { state: () => watch.state(anchors.offset()), close: () => watch.close() },
    trust: () => trustFiles(vault, ledger),
    verifyLedger: async () => (await import('./verify-ledger.ts')).verifyLedger(ledger, vault),
    exported: readExported,
  };
}
