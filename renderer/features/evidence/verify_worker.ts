/**
 * Verifies a pack off the main thread, with core's verifier and nothing from the collector. Tools: the browser's own
 * inflate and Ed25519 where it has them, @noble for hashing and as the fallback. Reads the file in slices.
 */
import { ed25519 } from '@noble/curves/ed25519.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { TrailmixError } from '../../../core/api/errors.ts';
import type { Trust } from '../../../core/pack/host.ts';
import { parseTrust } from '../../../core/pack/trust.ts';
import { type VerifyHost, verifyPack } from '../../../core/pack/verify.ts';
import type { RandomAccess } from '../../../core/pack/zip.ts';
import { hex } from '../../../core/proof/bytes.ts';
import type { VerifyAsk, VerifyTell } from './verify_messages.ts';

const thread = globalThis as unknown as {
  onmessage: ((event: MessageEvent<VerifyAsk>) => void) | null;
  postMessage(message: VerifyTell): void;
};

const sourceOf = (blob: Blob): RandomAccess => ({
  size: blob.size,
  read: async (offset, length) => new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer()),
});

/** Throws on a cut or damaged stream and on bytes after its end, as DecompressionStream does. */
async function* inflateRaw(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
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
}

/** The browser's Ed25519, if it has one; keys are imported once. */
async function webCryptoVerify(): Promise<VerifyHost['verifyEd25519'] | undefined> {
  const subtle = globalThis.crypto?.subtle;
  if (subtle === undefined) return undefined;
  try {
    await subtle.importKey('raw', ed25519.getPublicKey(new Uint8Array(32)), 'Ed25519', false, ['verify']);
  } catch {
    return undefined;
  }
  const keys = new Map<string, Promise<CryptoKey | undefined>>();
  return async (publicKey, message, signature) => {
    const id = hex(publicKey);
    let key = keys.get(id);
    if (key === undefined) {
      key = subtle
        .importKey('raw', publicKey as Uint8Array<ArrayBuffer>, 'Ed25519', false, ['verify'])
        .catch(() => undefined);
      keys.set(id, key);
    }
    const usable = await key;
    if (usable === undefined) return false;
    return subtle.verify(
      'Ed25519',
      usable,
      signature as Uint8Array<ArrayBuffer>,
      message as Uint8Array<ArrayBuffer>,
    );
  };
}

const nobleVerify: VerifyHost['verifyEd25519'] = (publicKey, message, signature) => {
  try {
    return ed25519.verify(signature, message, publicKey, { zip215: false });
  } catch {
    return false;
  }
};

async function run({ pack, trust }: VerifyAsk): Promise<VerifyTell> {
  const started = performance.now();
  let given: Trust | undefined;
  if (trust !== undefined) {
    try {
      const { vkeys, people_root } = parseTrust(sha256, new Uint8Array(await trust.arrayBuffer()));
      given = { vkeys, ...(people_root === undefined ? {} : { peopleRoot: people_root }) };
    } catch (error) {
      return {
        kind: 'refused',
        what: 'trust',
        message: error instanceof Error ? error.message : String(error),
      };
    }
  }
  const fast = await webCryptoVerify();
  const verify = fast ?? nobleVerify;
  let told = 0;
  try {
    const report = await verifyPack(
      sourceOf(pack),
      {
        sha256,
        sha256Stream: () => sha256.create(),
        verifyEd25519: verify,
        verifyBatch: jobs => Promise.all(jobs.map(job => verify(job.publicKey, job.message, job.signature))),
        inflateRaw,
        onProgress: (done, total) => {
          if (performance.now() - told < 100) return;
          told = performance.now();
          thread.postMessage({ kind: 'progress', done, total });
        },
      },
      given === undefined ? {} : { trust: given },
    );
    return {
      kind: 'report',
      report,
      ms: performance.now() - started,
      engine: fast === undefined ? 'noble' : 'webcrypto',
    };
  } catch (error) {
    const message =
      error instanceof TrailmixError || error instanceof Error
        ? error.message
        : 'The file could not be read.';
    return { kind: 'refused', what: 'pack', message };
  }
}

thread.onmessage = event => void run(event.data).then(answer => thread.postMessage(answer));
