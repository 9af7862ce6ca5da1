/**
 * What signs packs: a private key that is never given away again, only used, with its certificate.
 * The certificates themselves are made and read in certificates.ts, which is loaded when it is needed.
 */
import { createPrivateKey, type KeyObject, sign } from 'node:crypto';
import { inspect } from 'node:util';
import type { PackSigner as Port } from '../ports.ts';

export class PackSigner implements Port {
  readonly #key: KeyObject;
  readonly certificatePem: string;
  readonly chainPem: string;
  readonly rootsPem: string;

  /** `pkcs8`: PEM. */
  constructor(pkcs8: string, certificatePem: string, chainPem: string, rootsPem: string) {
    this.#key = createPrivateKey(pkcs8);
    this.certificatePem = certificatePem;
    this.chainPem = chainPem;
    this.rootsPem = rootsPem;
  }

  sign(bytes: Uint8Array): Uint8Array {
    return sign('sha256', bytes, this.#key);
  }

  toJSON(): object {
    return { key: '[secret]', certificatePem: this.certificatePem, chainPem: this.chainPem };
  }

  [inspect.custom](): string {
    return 'PackSigner { key: [secret] }';
  }
}
