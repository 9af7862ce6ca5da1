/**
 * Sign-in by name: what the page sends for it, and the signing key that it holds from then on (docs/spec/people.md). The passphrase
 * is an argument here and nowhere kept; what leaves the page is `auth`, a wrapped key and signatures.
 */
import type { OutputOf } from '../../core/api/operations.ts';
import { type PersonStatement, personMessage, possessionMessage } from '../../core/proof/person.ts';
import { call } from './client.ts';
import { refusal } from './problem.ts';
import { session } from './session.ts';
import { deriveSecrets, makeSignIn, rewrap, signWith, unwrapKey } from './sign_in.ts';
import { signer } from './signer.ts';
import { stretchHere } from './stretch_here.ts';

type Where = { ledger_id: string; tenant_id: string };

/** Throws sign_in_failed, sign_in_locked (with `retryAfter`), busy. */
export async function signInByName(personId: string, passphrase: string, tenantId?: string): Promise<void> {
  const tenant = tenantId === undefined ? {} : { tenant_id: tenantId };
  const { kdf } = await call('startSignIn', { input: { person_id: personId, ...tenant } });
  const { auth, wrap } = await deriveSecrets(passphrase, kdf, stretchHere);
  const held = await call('signIn', { input: { person_id: personId, auth, ...tenant } });
  const key = await unwrapKey(held.wrapped_key, personId, wrap).catch(() => {
    throw refusal('sign_in_failed', 'The key that came back does not open with this passphrase.');
  });
  session.begin(held.session, personId);
  signer.hold(key, held.key_id, held.session);
}

/** Also where the collector is away: then its session ends by itself, and this page forgets it now. */
export async function signOut(): Promise<void> {
  const token = session.token();
  await call('signOut', {}).catch(() => undefined);
  session.end(token, 'signed_out');
}

/** The statement of an enrolment whose key is only made here: everything but the key. */
export type FirstStatement = Omit<PersonStatement, 'key_id' | 'public_key' | 'by_key_id'>;

/** The first admin: makes the key, signs their own enrolment with it, and is signed in. */
export async function enrolFirst(given: FirstStatement, passphrase: string): Promise<void> {
  const { signing, signIn } = await makeSignIn(given.person_id, passphrase, stretchHere);
  const statement: PersonStatement = {
    ...given,
    by_key_id: signing.keyId,
    key_id: signing.keyId,
    public_key: signing.publicKey,
  };
  const answer = await call('enrolFirst', {
    input: {
      statement: { ...statement, aliases: [...statement.aliases], roles: [...statement.roles] },
      signature: await signWith(signing.key, personMessage(statement)),
      possession: await possessionOf(given, given.person_id, signing),
      sign_in: signIn,
    },
  });
  session.begin(answer.session, given.person_id);
  signer.hold(signing.key, signing.keyId, answer.session);
}

const possessionOf = (
  { ledger_id, tenant_id }: Where,
  person_id: string,
  signing: { key: CryptoKey; publicKey: string },
): Promise<string> =>
  signWith(
    signing.key,
    possessionMessage({ ledger_id, tenant_id, person_id, public_key: signing.publicKey }),
  );

export type Accepted = OutputOf<'acceptInvite'> & { keyId: string };

/** The one who was invited makes the key; nobody is signed in by it. */
export async function acceptInvite(
  token: string,
  invited: Where & { person_id: string },
  passphrase: string,
): Promise<Accepted> {
  const { signing, signIn } = await makeSignIn(invited.person_id, passphrase, stretchHere);
  const answer = await call('acceptInvite', {
    input: {
      token,
      public_key: signing.publicKey,
      possession: await possessionOf(invited, invited.person_id, signing),
      sign_in: signIn,
    },
  });
  return { ...answer, keyId: signing.keyId };
}

/** Throws sign_in_failed when `current` is not the passphrase now. */
export async function changePassphrase(current: string, next: string): Promise<void> {
  const person = session.person();
  if (person === undefined) throw refusal('sign_in_needed');
  const { kdf } = await call('startSignIn', { input: { person_id: person } });
  const { auth } = await deriveSecrets(current, kdf, stretchHere);
  const { wrapped_key } = await call('myKey', { input: { auth } });
  const input = await rewrap({ kdf, wrapped_key }, person, current, next, stretchHere).catch(() => {
    throw refusal('sign_in_failed', 'The passphrase now is wrong.');
  });
  await call('changeSecret', { input });
}
