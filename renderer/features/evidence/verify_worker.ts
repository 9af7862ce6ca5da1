/**
 * Verifies a pack off the main thread, with core's verifier and nothing from the collector. Reads the file in slices.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { TrailmixError } from '../../../core/api/errors.ts';
import type { Trust } from '../../../core/pack/host.ts';
import { parseTrust } from '../../../core/pack/trust.ts';
import { verifyPack } from '../../../core/pack/verify.ts';
import type { RandomAccess } from '../../../core/pack/zip.ts';
import { browserHost } from './browser_host.ts';
import type { VerifyAsk, VerifyTell } from './verify_messages.ts';

const thread = globalThis as unknown as {
  onmessage: ((event: MessageEvent<VerifyAsk>) => void) | null;
  postMessage(message: VerifyTell): void;
};

const sourceOf = (blob: Blob): RandomAccess => ({
  size: blob.size,
  read: async (offset, length) => new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer()),
});

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
  const { host, engine } = await browserHost();
  let told = 0;
  try {
    const report = await verifyPack(
      sourceOf(pack),
      {
        ...host,
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
      engine,
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
