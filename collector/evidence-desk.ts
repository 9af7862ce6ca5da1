/** Evidence as the HTTP room asks for it, by collector/evidence. */
import { createHash } from 'node:crypto';
import { TrailmixError } from '../core/api/errors.ts';
import { trustText } from '../core/pack/trust.ts';
import { originOf } from '../core/proof/checkpoint.ts';
import { formatVkey, noteKey } from '../core/proof/note.ts';
import type { EvidenceDesk } from './http/services.ts';
import type { KeyVault, Ledger } from './ports.ts';

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();

export function openEvidence({ ledger, vault }: { ledger: Ledger; vault: KeyVault }): EvidenceDesk {
  const notYet = async (): Promise<never> => {
    throw new TrailmixError('internal', { message: 'not wired' });
  };
  return {
    preview: notYet,
    run: notYet,
    verifyLedger: notYet,
    async trust() {
      const name = originOf(ledger.ledgerId, ledger.tenantId);
      const vkeys = [formatVkey(noteKey(sha256, name, vault.checkpointKey.publicKey))];
      return {
        'trust.json': trustText({ v: 1, ledger_id: ledger.ledgerId, tenant_id: ledger.tenantId, vkeys }),
      };
    },
    async heldElsewhere() {
      const [row] = await ledger.read.query<{ seq: number; at_us: number; body: string | null }>(
        'exports.last',
      );
      if (row === undefined) return undefined;
      return { size: row.seq, at: new Date(row.at_us / 1000).toISOString(), how: 'export' };
    },
  };
}
