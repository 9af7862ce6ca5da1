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
  return {
    preview: request => previewScope(ledgerSource(ledger), request),
    run: (request, out, by, signal, onProgress) =>
      exportPack({ ledger, vault, clock, version: VERSION }, { request, out, by, signal, onProgress }),
    trust: () => trustFiles(vault, ledger),
    verifyLedger: () => verifyLedger(ledger, vault),
    async heldElsewhere() {
      const [last] = await ledger.read.query<{ size: number; at: string }>('evidence.lastExport');
      return last === undefined
        ? undefined
        : { size: last.size, at: last.at, how: 'an exported evidence pack' };
    },
  };
}
