/** Thread that checks Ed25519 signatures. A message is {id, jobs}; the answer {id, results}: one byte for each job. */
import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { parentPort } from 'node:worker_threads';

/** Layout of `jobs`, for each: key (32), signature (64), length of the message (4, LE), message. */
export type SignatureRequest = { id: number; count: number; jobs: Uint8Array };
export type SignatureAnswer = { id: number; results: Uint8Array };

const SPKI = Buffer.from('302a300506032b6570032100', 'hex');
const keys = new Map<string, KeyObject>();

function keyOf(raw: Buffer): KeyObject {
  const name = raw.toString('latin1');
  let key = keys.get(name);
  if (key === undefined) {
    key = createPublicKey({ key: Buffer.concat([SPKI, raw]), format: 'der', type: 'spki' });
    if (keys.size < 1000) keys.set(name, key);
  }
  return key;
}

parentPort?.on('message', ({ id, count, jobs }: SignatureRequest) => {
  const bytes = Buffer.from(jobs.buffer, jobs.byteOffset, jobs.byteLength);
  const results = new Uint8Array(count);
  for (let i = 0, at = 0; i < count; i++) {
    const length = bytes.readUInt32LE(at + 96);
    const message = bytes.subarray(at + 100, at + 100 + length);
    try {
      results[i] = verify(null, message, keyOf(bytes.subarray(at, at + 32)), bytes.subarray(at + 32, at + 96))
        ? 1
        : 0;
    } catch {
      results[i] = 0;
    }
    at += 100 + length;
  }
  parentPort?.postMessage({ id, results } satisfies SignatureAnswer);
});
