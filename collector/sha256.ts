import { hash } from 'node:crypto';

/** SHA-256 as core wants it given; 32 bytes. One-shot: a Hash object costs several times as much on what is small. */
export const sha256 = (data: Uint8Array): Uint8Array => hash('sha256', data, 'buffer');
