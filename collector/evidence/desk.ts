/**
 * The evidence room's door: preview, export, trust, and the verdicts over the live ledger. What makes and checks packs
 * is loaded when it is asked for: an idle collector does without.
 */
import { LEDGER_APP } from '../../core/proof/record.ts';
import type { EvidenceDesk, Pack } from '../http/services.ts';
import { openErasure } from '../ledger/erasing.ts';
import type { Clock, Ids, KeyVault, Ledger } from '../ports.ts';
import { VERSION } from '../version.ts';
import { openAnchors } from './anchors.ts';
import { previewScope } from './preview.ts';
import { ledgerSource } from './source.ts';
import { trustFiles } from './trust.ts';
import { openWitnesses } from './witnesses.ts';

export type EvidenceParts = {
  readonly ledger: Ledger;
  readonly vault: KeyVault;
  readonly clock: Clock;
  readonly ids?: Ids;
  readonly folder?: string;
  /** Hears of a scheduled stamp that failed. */
  readonly onError?: (error: unknown) => void;
};

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

export function openEvidence({ ledger, vault, clock, onError }: EvidenceParts): EvidenceDesk {
  const anchors = openAnchors({ ledger, clock, ...(onError === undefined ? {} : { onError }) });
  const erasure = openErasure({ ledger, clock, ...(onError === undefined ? {} : { onError }) });
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
  return {
    preview: request => previewScope(ledgerSource(ledger), request),
    async run(request, out, by, signal, onProgress) {
      const { exportPack } = await import('./export.ts');
      const before = await readExported();
      const pack = await exportPack(
        { ledger, vault, clock, version: VERSION },
        { request, out, by, signal, onProgress },
      );
      await ledger.write.run('record', completed(request.app_id, by, pack));
      const now = { size: pack.checkpoint.size, at: new Date(clock.now()).toISOString() };
      if (now.size >= (before?.size ?? 0)) exported = Promise.resolve(now);
      return pack;
    },
    anchors,
    erasure,
    witnesses: openWitnesses({ ledger, vault, clock }),
    trust: () => trustFiles(vault, ledger),
    verifyLedger: async () => (await import('./verify-ledger.ts')).verifyLedger(ledger, vault),
    exported: readExported,
  };
}
