/** What a verifier must get apart from the pack (`trailmix keys trust`): trust.json, org.pem, log-<id>.pem, tsa-root.pem. */
import { publicKeyPem } from '../../core/pack/keys.ts';
import { trustText } from '../../core/pack/trust.ts';
import { base64 } from '../../core/proof/bytes.ts';
import { originOf } from '../../core/proof/checkpoint.ts';
import { formatVkey, noteKey } from '../../core/proof/note.ts';
import type { KeyVault, Ledger } from '../ports.ts';
import { sha256 } from '../sha256.ts';

/** {file name: text}. */
export async function trustFiles(
  vault: Pick<KeyVault, 'checkpointKey' | 'packSigner'>,
  ledger: Pick<Ledger, 'ledgerId' | 'tenantId' | 'read'>,
): Promise<Record<string, string>> {
  const tenant = ledger.tenantId;
  const [root] = await ledger.read.query<{ key_id: string; public_key: Uint8Array }>('people.root', {
    tenant,
  });
  const settings = await ledger.read.query<{ name: string; value: string }>('settings.all');
  const tsaRoots = settings.find(({ name }) => name === 'tsa_roots')?.value;
  const { publicKey } = vault.checkpointKey;
  const key = noteKey(sha256, originOf(ledger.ledgerId, ledger.tenantId), publicKey);
  const { rootsPem } = await vault.packSigner();
  return {
    'trust.json': trustText({
      v: 1,
      ledger_id: ledger.ledgerId,
      tenant_id: ledger.tenantId,
      ...(root === undefined
        ? {}
        : { people_root: { key_id: root.key_id, public_key: base64(root.public_key) } }),
      vkeys: [formatVkey(key)],
    }),
    'org.pem': rootsPem,
    ...(tsaRoots === undefined || tsaRoots === '""'
      ? {}
      : { 'tsa-root.pem': JSON.parse(tsaRoots) as string }),
    [`log-${key.id}.pem`]: publicKeyPem(base64(publicKey)),
  };
}
