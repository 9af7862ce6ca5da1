/** The evidence room's door: preview, export, trust, and the verdicts over the live ledger. */
import type { EvidenceDesk } from '../http/services.ts';
import type { Clock, Ids, KeyVault, Ledger } from '../ports.ts';
import { VERSION } from '../version.ts';
import { exportPack } from './export.ts';
import { previewScope } from './preview.ts';
import { ledgerSource } from './source.ts';
import { trustFiles } from './trust.ts';
import { verifyLedger } from './verify-ledger.ts';

export type EvidenceParts = {
  readonly ledger: Ledger;
  readonly vault: KeyVault;
  readonly clock: Clock;
  readonly ids?: Ids;
  readonly folder?: string;
};

export function openEvidence({ ledger, vault, clock }: EvidenceParts): EvidenceDesk {
  /** Asked by every look at the status: read once, then only exports change it. */
  let held: Promise<{ size: number; at: string } | undefined> | undefined;
  const lastExport = async (): Promise<{ size: number; at: string } | undefined> =>
    (await ledger.read.query<{ size: number; at: string }>('evidence.lastExport'))[0];
  return {
    preview: request => previewScope(ledgerSource(ledger), request),
    async run(request, out, by, signal, onProgress) {
      try {
        return await exportPack(
          { ledger, vault, clock, version: VERSION },
          { request, out, by, signal, onProgress },
        );
      } finally {
        held = undefined;
      }
    },
    trust: () => trustFiles(vault, ledger),
    verifyLedger: () => verifyLedger(ledger, vault),
    async heldElsewhere() {
      held ??= lastExport().catch(error => {
        held = undefined;
        throw error;
      });
      const last = await held;
      return last === undefined ? undefined : { ...last, how: 'an exported evidence pack' };
    },
  };
}
