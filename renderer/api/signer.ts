/**
 * The signing key of who is signed in: unwrapped by their passphrase to a WebCrypto key that cannot be read out, held in this page's
 * memory for ten minutes after its last use, dropped on sign-out (docs/spec/people.md, "Sign-in").
 *
 *   if (!(await ensureUnlocked('To sign your answer.'))) return;   // asks the passphrase when needed; false: the reader cancelled
 *   const signature = await signer.sign(approvalMessage(statement));
 */
import { useSyncExternalStore } from 'react';
import { call } from './client.ts';
import { refusal } from './problem.ts';
import { session } from './session.ts';
import { deriveSecrets, signWith, unwrapKey } from './sign_in.ts';
import { stretchHere } from './stretch_here.ts';

export const HELD_MS = 10 * 60_000;

type Held = { key: CryptoKey; keyId: string; token: string; until: number };
export type SignerState = { unlocked: boolean; keyId: string | undefined };

let held: Held | undefined;
let state: SignerState = { unlocked: false, keyId: undefined };
let timer: ReturnType<typeof setTimeout> | undefined;
let asked: { why: string; answer: (unlocked: boolean) => void } | undefined;
const listeners = new Set<() => void>();

function become(next: Held | undefined): void {
  clearTimeout(timer);
  held = next;
  if (next !== undefined) timer = setTimeout(drop, next.until - Date.now());
  if (state.unlocked === (next !== undefined) && state.keyId === next?.keyId) return;
  state = { unlocked: next !== undefined, keyId: next?.keyId };
  tell();
}

function tell(): void {
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** A computer that slept may wake long after: the time is looked at, not only the timer. */
function valid(): Held | undefined {
  if (held !== undefined && (Date.now() >= held.until || held.token !== session.token())) drop();
  return held;
}

function drop(): void {
  become(undefined);
}

session.subscribe(() => {
  if (held !== undefined && held.token !== session.token()) drop();
  if (session.token() === undefined) answer(false);
});

export const signer = {
  unlocked: (): boolean => valid() !== undefined,

  /** Hex id of the key that is unlocked; throws `sign_in_needed` when none is. */
  keyId(): string {
    const now = valid();
    if (now === undefined) throw refusal('sign_in_needed', 'Your signing key is locked.');
    return now.keyId;
  },

  /** Throws `sign_in_failed` on another passphrase, which the collector counts as a wrong sign-in, and `sign_in_locked`. */
  async unlock(passphrase: string): Promise<void> {
    const token = session.token();
    const person = session.person();
    if (token === undefined || person === undefined) throw refusal('sign_in_needed');
    const { kdf } = await call('startSignIn', { input: { person_id: person } });
    const { auth, wrap } = await deriveSecrets(passphrase, kdf, stretchHere);
    const mine = await call('myKey', { input: { auth } });
    const key = await unwrapKey(mine.wrapped_key, person, wrap).catch(() => {
      throw refusal('sign_in_failed', 'The passphrase is wrong.');
    });
    signer.hold(key, mine.key_id, token);
  },

  /** A key that was unwrapped on signing in, for the session of that token. */
  hold(key: CryptoKey, keyId: string, token: string): void {
    become({ key, keyId, token, until: Date.now() + HELD_MS });
  },

  /** base64 of the Ed25519 signature; throws `sign_in_needed` when the key is locked. */
  async sign(message: Uint8Array): Promise<string> {
    const now = valid();
    if (now === undefined) throw refusal('sign_in_needed', 'Your signing key is locked.');
    become({ ...now, until: Date.now() + HELD_MS });
    return signWith(now.key, message);
  },

  lock: drop,
};

function answer(unlocked: boolean): void {
  const ask = asked;
  asked = undefined;
  ask?.answer(unlocked);
  if (ask !== undefined) tell();
}

/**
 * True when the key can sign: at once, or after the passphrase was typed into the dialog of the shell (shell/UnlockDialog).
 * `why` is shown there, a short sentence. False when the reader cancelled or signed out meanwhile.
 */
export function ensureUnlocked(why: string): Promise<boolean> {
  if (signer.unlocked()) return Promise.resolve(true);
  if (session.person() === undefined) return Promise.resolve(false);
  answer(false);
  return new Promise(resolve => {
    asked = { why, answer: resolve };
    tell();
  });
}

/** What the dialog shows; `done` closes it with an answer. */
export const unlockAsk = {
  subscribe,
  get: (): string | undefined => asked?.why,
  done: answer,
};

/** Whether the key can sign now, and its id: rendered again when that changes. Sign with `signer.sign`. */
export function useSigner(): SignerState {
  return useSyncExternalStore(subscribe, () => state);
}
