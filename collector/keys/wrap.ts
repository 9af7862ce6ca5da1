/**
 * The vault's cryptography, all of it from node:crypto: AES-256-GCM wraps, HKDF-SHA256 labels, scrypt.
 * scrypt and not Argon2id: a vault must open in both hosts, and Electron's BoringSSL has no Argon2.
 * Format: docs/security.md, "The vault's file".
 */
import {
  createCipheriv,
  createDecipheriv,
  hkdfSync,
  randomBytes,
  type ScryptOptions,
  scrypt,
} from 'node:crypto';
import { concat, utf8 } from '../../core/proof/bytes.ts';
import { SecretBytes } from './secret.ts';

const NONCE = 12;
const TAG = 16;
export const KEY_BYTES = 32;

/** 32 bytes by HKDF-SHA256; `salt` separates ledgers, `label` purposes. */
export function deriveKey(secret: Uint8Array, salt: Uint8Array, label: string): SecretBytes {
  return SecretBytes.copy(new Uint8Array(hkdfSync('sha256', secret, salt, utf8(label), KEY_BYTES)));
}

/** nonce (12 random bytes) || ciphertext || tag (16). `context` is authenticated: a wrap opens only where it belongs. */
export function wrap(key: Uint8Array, plain: Uint8Array, context: string): Uint8Array {
  const nonce = randomBytes(NONCE);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  cipher.setAAD(utf8(context));
  return concat(nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag());
}

/** The plain bytes, or undefined where key, context or a byte of the wrap is wrong: the three cannot be told apart. */
export function unwrap(key: Uint8Array, wrapped: Uint8Array, context: string): SecretBytes | undefined {
  if (wrapped.length < NONCE + TAG) return undefined;
  const decipher = createDecipheriv('aes-256-gcm', key, wrapped.subarray(0, NONCE), { authTagLength: TAG });
  decipher.setAAD(utf8(context));
  decipher.setAuthTag(wrapped.subarray(wrapped.length - TAG));
  try {
    const body = decipher.update(wrapped.subarray(NONCE, wrapped.length - TAG));
    decipher.final();
    return SecretBytes.copy(body);
  } catch {
    return undefined;
  }
}

export type Scrypt = { name: 'scrypt'; n: number; r: number; p: number; salt: string };

/** 128 MiB and about half a second: OWASP's first choice for scrypt. */
export const SCRYPT = { name: 'scrypt', n: 2 ** 17, r: 8, p: 1 } as const;

/** Whether stored parameters are ours or stronger, and affordable: a changed file must not exhaust the machine. */
export const scryptAffordable = ({ n, r, p }: Scrypt): boolean =>
  Number.isInteger(Math.log2(n)) && n >= 2 ** 14 && n <= 2 ** 20 && r === 8 && p >= 1 && p <= 4;

/** The key of a passphrase. Unicode NFKC first, so that one passphrase typed on two keyboards is the same. */
export function passphraseKey(passphrase: string, salt: Uint8Array, kdf: Scrypt): Promise<SecretBytes> {
  const { n, r, p } = kdf;
  const options: ScryptOptions = { N: n, r, p, maxmem: 128 * n * r + 16 * 1024 * 1024 * p };
  return new Promise((resolve, reject) => {
    scrypt(utf8(passphrase.normalize('NFKC')), salt, KEY_BYTES, options, (error, key) =>
      error === null ? resolve(SecretBytes.copy(key)) : reject(error),
    );
  });
}
