/**
 * What the page makes of a passphrase (docs/spec/people.md, "Sign-in"): the secret that is sent, and the key that wraps the signing
 * key and stays. Held to test/vectors/sign_in.json, as the trailmix command is.
 * Rules: the passphrase and the wrapping key leave this page never; a key that signs is never extractable.
 */
import type { SignInKdf } from '../../core/api/views.ts';
import { base64, concat, fromBase64, hex, utf8 } from '../../core/proof/bytes.ts';
import type { Stretch } from './stretch.ts';

const KEY = 'Ed25519';
const IV_BYTES = 12;
const AUTH = 'trailmix/sign-in/v1/auth';
const WRAP = 'trailmix/sign-in/v1/wrap';

/** The parameters of every new sign-in; each person keeps those theirs was made with. */
export const NEW_KDF = { m: 19456, t: 2, p: 1 } as const;

export type Secrets = {
  /** base64 of 32 bytes, for the collector, which keeps its SHA-256 */
  auth: string;
  /** wraps and unwraps the signing key; not extractable */
  wrap: CryptoKey;
};

export type SigningKey = {
  key: CryptoKey;
  /** base64 of 32 bytes */
  publicKey: string;
  /** lowercase hex SHA-256 of the public key */
  keyId: string;
};

/** What goes to the collector of a new sign-in or a new passphrase. */
export type SignInParts = { kdf: SignInKdf; auth: string; wrapped_key: string };

const random = (bytes: number): Uint8Array<ArrayBuffer> => crypto.getRandomValues(new Uint8Array(bytes));

export const newKdf = (): SignInKdf => ({ salt: base64(random(16)), ...NEW_KDF });

export async function deriveSecrets(passphrase: string, kdf: SignInKdf, stretch: Stretch): Promise<Secrets> {
  const stretched = new Uint8Array(await stretch(passphrase, kdf));
  const master = await crypto.subtle.importKey('raw', stretched, 'HKDF', false, ['deriveBits', 'deriveKey']);
  stretched.fill(0);
  const hkdf = (info: string) => ({
    name: 'HKDF',
    hash: 'SHA-256',
    salt: new Uint8Array(),
    info: utf8(info),
  });
  const auth = await crypto.subtle.deriveBits(hkdf(AUTH), master, 256);
  const wrap = await crypto.subtle.deriveKey(hkdf(WRAP), master, { name: 'AES-GCM', length: 256 }, false, [
    'wrapKey',
    'unwrapKey',
  ]);
  return { auth: base64(new Uint8Array(auth)), wrap };
}

const gcm = (iv: Uint8Array<ArrayBuffer>, personId: string) => ({
  name: 'AES-GCM',
  iv,
  additionalData: utf8(personId),
});

async function wrapped(key: CryptoKey, personId: string, wrap: CryptoKey): Promise<string> {
  const iv = random(IV_BYTES);
  const sealed = await crypto.subtle.wrapKey('pkcs8', key, wrap, gcm(iv, personId));
  return base64(concat(iv, new Uint8Array(sealed)));
}

/** Rejects when the passphrase was another, the wrapped key was changed, or it is another person's. */
export function unwrapKey(
  wrappedKey: string,
  personId: string,
  wrap: CryptoKey,
  extractable = false,
): Promise<CryptoKey> {
  const bytes = fromBase64(wrappedKey);
  return crypto.subtle.unwrapKey(
    'pkcs8',
    bytes.slice(IV_BYTES),
    wrap,
    gcm(bytes.slice(0, IV_BYTES), personId),
    KEY,
    extractable,
    ['sign'],
  );
}

/** A new signing key, and the sign-in that wraps it. The key that is answered cannot be read out again. */
export async function makeSignIn(
  personId: string,
  passphrase: string,
  stretch: Stretch,
): Promise<{ signing: SigningKey; signIn: SignInParts }> {
  const kdf = newKdf();
  const { auth, wrap } = await deriveSecrets(passphrase, kdf, stretch);
  const pair = (await crypto.subtle.generateKey(KEY, true, ['sign', 'verify'])) as CryptoKeyPair;
  const publicKey = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey));
  const keyId = hex(new Uint8Array(await crypto.subtle.digest('SHA-256', publicKey)));
  const wrapped_key = await wrapped(pair.privateKey, personId, wrap);
  const key = await unwrapKey(wrapped_key, personId, wrap);
  return {
    signing: { key, publicKey: base64(publicKey), keyId },
    signIn: { kdf, auth, wrapped_key },
  };
}

/** The same key under a new passphrase, and the secret that shows the old one was known. */
export async function rewrap(
  held: { kdf: SignInKdf; wrapped_key: string },
  personId: string,
  current: string,
  next: string,
  stretch: Stretch,
): Promise<{ current_auth: string; sign_in: SignInParts }> {
  const old = await deriveSecrets(current, held.kdf, stretch);
  const key = await unwrapKey(held.wrapped_key, personId, old.wrap, true);
  const kdf = newKdf();
  const { auth, wrap } = await deriveSecrets(next, kdf, stretch);
  return {
    current_auth: old.auth,
    sign_in: { kdf, auth, wrapped_key: await wrapped(key, personId, wrap) },
  };
}

/** base64 of the 64-byte signature. */
export async function signWith(key: CryptoKey, message: Uint8Array): Promise<string> {
  return base64(new Uint8Array(await crypto.subtle.sign(KEY, key, new Uint8Array(message))));
}
