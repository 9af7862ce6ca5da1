/**
 * What core's verifier borrows from a browser, in the app's worker and in the page from disk alike: its own inflate, WebCrypto,
 * @noble for hashing and where WebCrypto has no Ed25519, and the host-neutral reading of CMS and RFC 3161. Asks for nothing over a network.
 */
import { ed25519 } from '@noble/curves/ed25519.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { checkCms } from '../../../collector/evidence/cms.ts';
import { checkTimestamp } from '../../../collector/evidence/timestamp.ts';
import { jobsOf } from '../../../core/pack/signatures.ts';
import type { VerifyHost } from '../../../core/pack/verify.ts';
import type { InflateRaw, RandomAccess } from '../../../core/pack/zip.ts';
import { hex } from '../../../core/proof/bytes.ts';

/** Throws on a cut or damaged stream and on bytes after its end, as DecompressionStream does. */
const inflateRaw: InflateRaw = async function* (source) {
  const stream = new DecompressionStream('deflate-raw');
  const writer = stream.writable.getWriter();
  const feeding = (async () => {
    try {
      for await (const chunk of source) await writer.write(chunk as Uint8Array<ArrayBuffer>);
      await writer.close();
    } catch (error) {
      await writer.abort(error).catch(() => {});
      throw error;
    }
  })();
  feeding.catch(() => {});
  const reader = stream.readable.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      yield value;
    }
    await feeding;
  } finally {
    await reader.cancel().catch(() => {});
  }
};

const nobleVerify: VerifyHost['verifyEd25519'] = (publicKey, message, signature) => {
  try {
    return ed25519.verify(signature, message, publicKey, { zip215: false });
  } catch {
    return false;
  }
};

/** The browser's Ed25519, if it has one; keys are imported once. */
async function ed25519Check(): Promise<VerifyHost['verifyEd25519']> {
  const subtle = globalThis.crypto?.subtle;
  if (subtle === undefined) return nobleVerify;
  const use = (key: Uint8Array) =>
    subtle.importKey('raw', key as Uint8Array<ArrayBuffer>, 'Ed25519', false, ['verify']);
  try {
    await use(ed25519.getPublicKey(new Uint8Array(32)));
  } catch {
    return nobleVerify;
  }
  const keys = new Map<string, Promise<CryptoKey | undefined>>();
  return async (publicKey, message, signature) => {
    const id = hex(publicKey);
    let key = keys.get(id);
    if (key === undefined) {
      key = use(publicKey).catch(() => undefined);
      keys.set(id, key);
    }
    const usable = await key;
    return (
      usable !== undefined &&
      subtle.verify(
        'Ed25519',
        usable,
        signature as Uint8Array<ArrayBuffer>,
        message as Uint8Array<ArrayBuffer>,
      )
    );
  };
}

/** A file that is read a slice at a time. */
export const sourceOf = (file: Blob): RandomAccess => ({
  size: file.size,
  read: async (offset, length) => new Uint8Array(await file.slice(offset, offset + length).arrayBuffer()),
});

/** `engine`: what checks Ed25519. */
export async function browserHost(): Promise<{ host: VerifyHost; engine: 'webcrypto' | 'noble' }> {
  const verify = await ed25519Check();
  const host: VerifyHost = {
    sha256,
    sha256Stream: () => sha256.create(),
    verifyEd25519: verify,
    verifyBatch: batch =>
      Promise.all(
        Array.from(jobsOf(batch), ({ publicKey, message, signature }) =>
          verify(publicKey, message, signature),
        ),
      ),
    inflateRaw,
    checkCms,
    checkTimestamp,
    now: () => Date.now(),
  };
  return { host, engine: verify === nobleVerify ? 'noble' : 'webcrypto' };
}
