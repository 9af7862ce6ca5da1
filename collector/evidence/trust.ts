/** What a verifier must get apart from the pack (`trailmix keys trust`): trust.json, org.pem, log-<id>.pem. */
import { publicKeyPem } from '../../core/pack/keys.ts';
import { trustText } from '../../core/pack/trust.ts';
import { base64 } from '../../core/proof/bytes.ts';
import { originOf } from '../../core/proof/checkpoint.ts';
import { formatVkey, noteKey } from '../../core/proof/note.ts';
import type { KeyVault } from '../ports.ts';
import { sha256 } from './verifier-host.ts';

/** {file name: text}. */
export async function trustFiles(
  vault: Pick<KeyVault, 'checkpointKey' | 'packSigner'>,
  ids: { readonly ledgerId: string; readonly tenantId: string },
): Promise<Record<string, string>> {
  const { publicKey } = vault.checkpointKey;
  const key = noteKey(sha256, originOf(ids.ledgerId, ids.tenantId), publicKey);
  const { certificatePem } = await vault.packSigner();
  return {
    'trust.json': trustText({
      v: 1,
      ledger_id: ids.ledgerId,
      tenant_id: ids.tenantId,
      vkeys: [formatVkey(key)],
    }),
    'org.pem': certificatePem,
    [`log-${key.id}.pem`]: publicKeyPem(base64(publicKey)),
  };
}
