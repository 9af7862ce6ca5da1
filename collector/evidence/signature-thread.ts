/** Thread that checks Ed25519 signatures, a batch (core/pack/signatures.ts) at a time. The answer has one byte for each check. */
import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { parentPort } from 'node:worker_threads';
import { jobsOf, type SignatureBatch } from '../../core/pack/signatures.ts';

export type SignatureRequest = SignatureBatch & { readonly id: number };
export type SignatureAnswer = { id: number; results: Uint8Array };

const SPKI = Buffer.from('302a300506032b6570032100', 'hex');
const keys = new Map<string, KeyObject>();

function keyOf(publicKey: Uint8Array): KeyObject {
  const raw = Buffer.from(publicKey.buffer, publicKey.byteOffset, publicKey.length);
  const name = raw.toString('latin1');
  let key = keys.get(name);
  if (key === undefined) {
    key = createPublicKey({ key: Buffer.concat([SPKI, raw]), format: 'der', type: 'spki' });
    if (keys.size < 1000) keys.set(name, key);
  }
  return key;
}

parentPort?.on('message', ({ id, ...batch }: SignatureRequest) => {
  const results = new Uint8Array(batch.count);
  let i = 0;
  for (const { publicKey, message, signature } of jobsOf(batch)) {
    try {
      results[i] = verify(null, message, keyOf(publicKey), signature) ? 1 : 0;
    } catch {
      results[i] = 0;
    }
    i++;
  }
  parentPort?.postMessage({ id, results } satisfies SignatureAnswer);
});
