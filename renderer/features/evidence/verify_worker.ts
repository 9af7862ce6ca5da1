/**
 * Verifies a pack off the main thread, with core's verifier. Reads the file in slices.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import type { Given } from '../../../core/pack/host.ts';
import { checkpointOfPack } from '../../../core/pack/older.ts';
import { trustFrom } from '../../../core/pack/trust.ts';
import { verifyPack } from '../../../core/pack/verify.ts';
import { browserHost, sourceOf } from './browser_host.ts';
import type { TrustFiles } from './given_files.ts';
import type { VerifyAsk, VerifyTell } from './verify_messages.ts';

const thread = globalThis as unknown as {
  onmessage: ((event: MessageEvent<VerifyAsk>) => void) | null;
  postMessage(message: VerifyTell): void;
};

async function trustOf(files: TrustFiles<Blob>): Promise<NonNullable<Given['trust']>> {
  const read = new Map<string, Uint8Array>();
  for (const [name, blob] of files) read.set(name, new Uint8Array(await blob.arrayBuffer()));
  return trustFrom(sha256, read);
}

async function run({ pack, trust, since }: VerifyAsk): Promise<VerifyTell> {
  const started = performance.now();
  const { host, engine } = await browserHost();
  let told = 0;
  const onProgress = (done: number, total: number): void => {
    if (performance.now() - told < 100) return;
    told = performance.now();
    thread.postMessage({ kind: 'progress', done, total });
  };
  let what: Extract<VerifyTell, { kind: 'refused' }>['what'] = 'trust';
  try {
    const trusted = trust === undefined ? {} : { trust: await trustOf(trust) };
    what = 'since';
    const older = since === undefined ? {} : { since: await checkpointOfPack(sourceOf(since), host) };
    what = 'pack';
    const report = await verifyPack(sourceOf(pack), { ...host, onProgress }, { ...trusted, ...older });
    return { kind: 'report', report, ms: performance.now() - started, engine };
  } catch (error) {
    const message = error instanceof Error ? error.message : 'The file could not be read.';
    return { kind: 'refused', what, message };
  }
}

thread.onmessage = event => void run(event.data).then(answer => thread.postMessage(answer));
