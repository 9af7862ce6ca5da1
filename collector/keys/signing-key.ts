/**
 * Ed25519 keys as they stand in vault.json: random, never derived, PKCS#8 wrapped under the vault's wrapping key.
 */

import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { TrailmixError } from '../../core/api/errors.ts';
import { base64, fromBase64 } from '../../core/proof/bytes.ts';
import { keyId } from '../../core/proof/hash.ts';
import type { KeyVault } from '../ports.ts';
import { sha256 } from '../sha256.ts';
import { type VaultContent, vaultContext } from './vault-file.ts';
import { unwrap, wrap } from './wrap.ts';

type StoredKey = VaultContent['keys']['event'];
type KeyName = 'event' | 'checkpoint';

/** The last 32 bytes of an Ed25519 SubjectPublicKeyInfo are the key. */
const rawPublicKey = (spki: Uint8Array): Uint8Array => new Uint8Array(spki.subarray(spki.length - 32));

export const brokenKey = (name: string): TrailmixError =>
  new TrailmixError('vault_damaged', { message: `The ${name} key in vault.json cannot be opened.` });

export function makeSigningKey(wrapping: Uint8Array, ledgerId: string, name: KeyName): StoredKey {
  const pair = generateKeyPairSync('ed25519');
  const publicKey = rawPublicKey(pair.publicKey.export({ type: 'spki', format: 'der' }));
  const id = keyId(sha256, publicKey);
  const pkcs8 = pair.privateKey.export({ type: 'pkcs8', format: 'der' });
  const wrapped = wrap(wrapping, pkcs8, vaultContext(ledgerId, `key/${name}/${id}`));
  return { key_id: id, public_key: base64(publicKey), wrapped: base64(wrapped) };
}

/** Throws vault_damaged, also where the private key is not that of the public key beside it. */
export function openSigningKey(
  wrapping: Uint8Array,
  ledgerId: string,
  name: KeyName,
  stored: StoredKey,
): KeyVault['eventKey'] {
  const where = vaultContext(ledgerId, `key/${name}/${stored.key_id}`);
  const pkcs8 = unwrap(wrapping, fromBase64(stored.wrapped), where);
  if (pkcs8 === undefined) throw brokenKey(name);
  const key = createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' });
  const publicKey = rawPublicKey(createPublicKey(key).export({ type: 'spki', format: 'der' }));
  if (keyId(sha256, publicKey) !== stored.key_id || base64(publicKey) !== stored.public_key) {
    throw brokenKey(name);
  }
  return { privateKey: pkcs8, publicKey, keyId: stored.key_id };
}
