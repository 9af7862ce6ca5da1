import { createHash, hash } from 'node:crypto';
import type { HashStream } from '../core/pack/files.ts';

/** SHA-256 as core wants it given; 32 bytes. One-shot: a Hash object costs several times as much on what is small. */
export const sha256 = (data: Uint8Array): Uint8Array => hash('sha256', data, 'buffer');

/** The same of what comes in parts. */
export const sha256Stream = (): HashStream => {
  const stream = createHash('sha256');
  return { update: bytes => void stream.update(bytes), digest: () => stream.digest() };
};
