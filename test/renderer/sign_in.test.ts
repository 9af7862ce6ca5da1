/** The page's sign-in against vectors that node:crypto made, without the project's code (docs/spec/people.md, "Sign-in"). */
import { createHash, createPublicKey, verify } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { deriveSecrets, makeSignIn, rewrap, signWith, unwrapKey } from '../../renderer/api/sign_in.ts';
import { stretch } from '../../renderer/api/stretch.ts';

type Case = {
  name: string;
  person_id: string;
  passphrase: string;
  kdf: { salt: string; m: number; t: number; p: number };
  master_hex: string;
  auth: string;
  public_key: string;
  key_id: string;
  wrapped_key: string;
  message: string;
  signature: string;
};
type Rejected = Partial<Case> & { name: string; of: string };
const file = new URL('../vectors/sign_in.json', import.meta.url);
const vectors = JSON.parse(await readFile(file, 'utf8')) as { unwraps: Case[]; rejected: Rejected[] };

/** Whether OpenSSL takes the signature for one of that key. */
function signedBy(publicKey: string, message: string, signature: string): boolean {
  const key = createPublicKey({
    key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(publicKey, 'base64').toString('base64url') },
    format: 'jwk',
  });
  return verify(null, Buffer.from(message), key, Buffer.from(signature, 'base64'));
}

describe('vectors', () => {
  test.each(vectors.unwraps)('$name', async given => {
    expect(Buffer.from(await stretch(given.passphrase, given.kdf)).toString('hex')).toBe(given.master_hex);
    const { auth, wrap } = await deriveSecrets(given.passphrase, given.kdf, stretch);
    expect(auth).toBe(given.auth);
    const key = await unwrapKey(given.wrapped_key, given.person_id, wrap);
    expect(await signWith(key, Buffer.from(given.message))).toBe(given.signature);
    await expect(crypto.subtle.exportKey('pkcs8', key)).rejects.toThrow();
  });

  test.each(vectors.rejected)('does not unwrap: $name', async ({ of, ...changed }) => {
    const given = { ...vectors.unwraps.find(({ name }) => name === of)!, ...changed };
    const { wrap } = await deriveSecrets(given.passphrase, given.kdf, stretch);
    await expect(unwrapKey(given.wrapped_key, given.person_id, wrap)).rejects.toThrow();
  });
});

describe('a new sign-in', () => {
  test('its key signs, its id is the hash of the public key, and it comes back by the passphrase alone', async () => {
    const { signing, signIn } = await makeSignIn('maria', 'a passphrase of hers', stretch);
    expect(signing.keyId).toBe(
      createHash('sha256').update(Buffer.from(signing.publicKey, 'base64')).digest('hex'),
    );
    const signature = await signWith(signing.key, Buffer.from('hello'));
    expect(signedBy(signing.publicKey, 'hello', signature)).toBe(true);
    expect(signedBy(signing.publicKey, 'hallo', signature)).toBe(false);
    const { wrap, auth } = await deriveSecrets('a passphrase of hers', signIn.kdf, stretch);
    expect(auth).toBe(signIn.auth);
    const again = await unwrapKey(signIn.wrapped_key, 'maria', wrap);
    expect(await signWith(again, Buffer.from('hello'))).toBe(signature);
    await expect(crypto.subtle.exportKey('pkcs8', signing.key)).rejects.toThrow();
  });

  test('two sign-ins share nothing, also with the same passphrase', async () => {
    const one = await makeSignIn('maria', 'a passphrase of hers', stretch);
    const two = await makeSignIn('maria', 'a passphrase of hers', stretch);
    expect(one.signIn.kdf.salt).not.toBe(two.signIn.kdf.salt);
    expect(one.signIn.auth).not.toBe(two.signIn.auth);
    expect(one.signing.keyId).not.toBe(two.signing.keyId);
  });

  test('a new passphrase wraps the same key anew; the old one opens nothing more', async () => {
    const { signing, signIn } = await makeSignIn('maria', 'the first passphrase', stretch);
    const { current_auth, sign_in } = await rewrap(
      signIn,
      'maria',
      'the first passphrase',
      'the second passphrase',
      stretch,
    );
    expect(current_auth).toBe(signIn.auth);
    const next = await deriveSecrets('the second passphrase', sign_in.kdf, stretch);
    const key = await unwrapKey(sign_in.wrapped_key, 'maria', next.wrap);
    expect(signedBy(signing.publicKey, 'x', await signWith(key, Buffer.from('x')))).toBe(true);
    const old = await deriveSecrets('the first passphrase', sign_in.kdf, stretch);
    await expect(unwrapKey(sign_in.wrapped_key, 'maria', old.wrap)).rejects.toThrow();
    await expect(rewrap(signIn, 'maria', 'a wrong one', 'another', stretch)).rejects.toThrow();
  });
});
