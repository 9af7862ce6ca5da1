/**
 * A person at the terminal: the passphrase is typed here, the signing key is unwrapped here, and what goes to the
 * collector is what a page would send (docs/spec/people.md, "Sign-in"). Rules: the passphrase comes from the
 * environment, a pipe or the keyboard, never from the command line; the session ends with the command.
 */
import {
  argon2,
  createCipheriv,
  createDecipheriv,
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
  randomBytes,
  sign,
} from 'node:crypto';
import { promisify } from 'node:util';
import { TrailmixError } from '../core/api/errors.ts';
import type { InputOf, OperationName, OutputOf } from '../core/api/operations.ts';
import type { PersonView, SignInKdf } from '../core/api/views.ts';
import { possessionMessage } from '../core/proof/person.ts';
import type { Call } from './client.ts';
import type { Caller } from './collector_for.ts';
import { secretFrom } from './secret_prompt.ts';

const derive = promisify(argon2);

/** docs/spec/people.md, "Sign-in". */
const KDF = { m: 19_456, t: 2, p: 1 } as const;
const LEAST_CHARACTERS = 12;

export type SignedIn = {
  person: PersonView;
  keyId: string;
  ledgerId: string;
  tenantId: string;
  /** Base64 Ed25519 of the message by the person's key. */
  sign(message: Uint8Array): string;
  call<N extends OperationName>(name: N, options?: Call<N>): Promise<OutputOf<N>>;
};

type Secrets = { auth: string; wrap: Uint8Array };

async function secretsOf(passphrase: string, kdf: SignInKdf): Promise<Secrets> {
  const master = await derive('argon2id', {
    message: Buffer.from(passphrase.normalize('NFKC'), 'utf8'),
    nonce: Buffer.from(kdf.salt, 'base64'),
    memory: kdf.m,
    passes: kdf.t,
    parallelism: kdf.p,
    tagLength: 32,
  });
  const part = (what: 'auth' | 'wrap'): Buffer =>
    Buffer.from(hkdfSync('sha256', master, '', `trailmix/sign-in/v1/${what}`, 32));
  return { auth: part('auth').toString('base64'), wrap: part('wrap') };
}

function unwrap(wrapped: string, wrap: Uint8Array, personId: string): KeyObject {
  const bytes = Buffer.from(wrapped, 'base64');
  const open = createDecipheriv('aes-256-gcm', wrap, bytes.subarray(0, 12));
  open.setAAD(Buffer.from(personId, 'utf8'));
  open.setAuthTag(bytes.subarray(-16));
  const key = Buffer.concat([open.update(bytes.subarray(12, -16)), open.final()]);
  return createPrivateKey({ key, format: 'der', type: 'pkcs8' });
}

function wrapKey(key: KeyObject, wrap: Uint8Array, personId: string): string {
  const iv = randomBytes(12);
  const close = createCipheriv('aes-256-gcm', wrap, iv);
  close.setAAD(Buffer.from(personId, 'utf8'));
  const sealed = [close.update(key.export({ format: 'der', type: 'pkcs8' })), close.final()];
  return Buffer.concat([iv, ...sealed, close.getAuthTag()]).toString('base64');
}

/** Raw 32 bytes of an Ed25519 public key. */
const rawPublic = (key: KeyObject): Buffer =>
  createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32);

/** What the vectors (test/vectors/sign_in.json) hold this file to: `auth`, and the key_id of what is unwrapped. */
export async function deriveForTerminal(
  passphrase: string,
  kdf: SignInKdf,
): Promise<{ auth: string; unwrap(wrappedKey: string, personId: string): string }> {
  const { auth, wrap } = await secretsOf(passphrase, kdf);
  return {
    auth,
    unwrap: (wrapped, personId) =>
      createHash('sha256')
        .update(rawPublic(unwrap(wrapped, wrap, personId)))
        .digest('hex'),
  };
}

const signer =
  (key: KeyObject) =>
  (message: Uint8Array): string =>
    sign(null, message, key).toString('base64');

export type NewSignIn = {
  publicKey: string;
  keyId: string;
  possession: string;
  signIn: InputOf<'enrolFirst'>['sign_in'];
  sign(message: Uint8Array): string;
};

/** A new key and what the collector keeps of it. `variable`: where a program gives the passphrase. Throws passphrase_weak. */
export async function newSignIn(
  personId: string,
  ledger: { ledgerId: string; tenantId: string },
  variable: string,
): Promise<NewSignIn> {
  const passphrase = await secretFrom(variable, `New passphrase of ${personId}`);
  if ([...passphrase.normalize('NFKC')].length < LEAST_CHARACTERS) throw new TrailmixError('passphrase_weak');
  const kdf: SignInKdf = { salt: randomBytes(16).toString('base64'), ...KDF };
  const { auth, wrap } = await secretsOf(passphrase, kdf);
  const { privateKey } = generateKeyPairSync('ed25519');
  const raw = rawPublic(privateKey);
  const publicKey = raw.toString('base64');
  const message = possessionMessage({
    ledger_id: ledger.ledgerId,
    tenant_id: ledger.tenantId,
    person_id: personId,
    public_key: publicKey,
  });
  return {
    publicKey,
    keyId: createHash('sha256').update(raw).digest('hex'),
    possession: signer(privateKey)(message),
    signIn: { kdf, auth, wrapped_key: wrapKey(privateKey, wrap, personId) },
    sign: signer(privateKey),
  };
}

/**
 * Signs in, does the work as that person, signs out. The passphrase: TRAILMIX_SIGN_IN, a pipe, or typed.
 * Throws sign_in_failed, sign_in_locked, and what the work throws.
 */
export async function asPerson<T>(
  caller: Caller,
  personId: string,
  work: (person: SignedIn) => Promise<T>,
): Promise<T> {
  const passphrase = await secretFrom('TRAILMIX_SIGN_IN', `Passphrase of ${personId}`);
  const start = await caller.call('startSignIn', { input: { person_id: personId } });
  const { auth, wrap } = await secretsOf(passphrase, start.kdf);
  const held = await caller.call('signIn', { input: { person_id: personId, auth } });
  const { session } = held;
  try {
    const key = unwrap(held.wrapped_key, wrap, personId);
    return await work({
      person: held.person,
      keyId: held.key_id,
      ledgerId: start.ledger_id,
      tenantId: start.tenant_id,
      sign: signer(key),
      call: (name, options) => caller.call(name, { ...options, session } as never),
    });
  } finally {
    // The work may have ended the session by itself, as leaving does.
    await caller.call('signOut', { session }).catch(() => undefined);
  }
}
