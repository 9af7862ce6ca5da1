/**
 * Signs records as the writer hashes them: Ed25519 is the dearest step, so it has a thread and overlaps the inserts.
 * Both sides share one block of memory (layout in signer.ts); this side only ever writes signatures, `done`
 * and `failed`. Sleeps in Atomics.wait when there is nothing to sign.
 */
import { createPrivateKey, sign } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import { PREFIX } from '../../core/proof/hash.ts';
import { DONE, FAILED, layout, PUBLISHED, type SignerData, SLOTS } from './signer.ts';

const { memory, privateKey, failAt } = workerData as SignerData;
const { control, hashes, signatures } = layout(memory);
const key = createPrivateKey({ key: Buffer.from(privateKey), format: 'der', type: 'pkcs8' });
const prefix = Buffer.from(PREFIX.event);
const message = Buffer.alloc(prefix.length + 64);
message.set(prefix);

parentPort?.postMessage('ready');
let done = Atomics.load(control, DONE);
let signed = 0;
for (;;) {
  const published = Atomics.load(control, PUBLISHED);
  if (published === done) {
    Atomics.wait(control, PUBLISHED, published);
    continue;
  }
  const slot = (done >>> 0) % SLOTS;
  try {
    if (++signed === failAt) throw new Error('fault injected in the signer');
    message.write(
      Buffer.from(hashes.buffer, hashes.byteOffset + slot * 32, 32).toString('hex'),
      prefix.length,
      'latin1',
    );
    signatures.set(sign(null, message, key), slot * 64);
  } catch {
    Atomics.store(control, FAILED, 1);
  }
  done = (done + 1) | 0;
  Atomics.store(control, DONE, done);
  Atomics.notify(control, DONE);
}
