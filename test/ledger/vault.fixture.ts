/** An unlocked vault in memory: real keys, no file. `seed` makes the same vault again. */
import { createHash, createPrivateKey, createPublicKey, hkdfSync } from 'node:crypto';
import type { KeyVault } from '../../collector/ports.ts';

const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

function signingKey(seed: Buffer) {
  const privateKey = Buffer.concat([PKCS8, seed]);
  const key = createPrivateKey({ key: privateKey, format: 'der', type: 'pkcs8' });
  const publicKey = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32);
  return { privateKey, publicKey, keyId: createHash('sha256').update(publicKey).digest('hex') };
}

export function memoryVault(seed = 'vault'): KeyVault {
  const derive = (label: string) => Buffer.from(hkdfSync('sha256', seed, 'fixture', label, 32));
  return {
    ledgerId: createHash('sha256').update(seed).digest('hex').slice(0, 32),
    custody: { kind: 'key_file', label: 'in memory', protects: [], does_not_protect: [] },
    derive,
    eventKey: signingKey(derive('event key')),
    checkpointKey: signingKey(derive('checkpoint key')),
    packSigner: () => Promise.reject(new Error('this vault signs no packs')),
    seal: secret => secret,
    unseal: sealed => sealed,
  };
}
