/**
 * Argon2id of a passphrase, as docs/spec/people.md, "Sign-in" (NFKC, UTF-8, 32 bytes). Runs in `stretch_worker.ts`, never on the
 * page's own thread: it takes 0.2 s and more. Pure JavaScript, since the page's CSP has no wasm-unsafe-eval.
 */
import { argon2id } from '@noble/hashes/argon2.js';
import type { SignInKdf } from '../../core/api/views.ts';
import { fromBase64, utf8 } from '../../core/proof/bytes.ts';

export type Stretch = (passphrase: string, kdf: SignInKdf) => Uint8Array | Promise<Uint8Array>;

export function stretch(passphrase: string, kdf: SignInKdf): Uint8Array {
  const { salt, m, t, p } = kdf;
  return argon2id(utf8(passphrase.normalize('NFKC')), fromBase64(salt), { m, t, p, dkLen: 32 });
}

export type StretchAsk = { passphrase: string; kdf: SignInKdf };
export type StretchTell = { bytes: Uint8Array } | { fault: string };
