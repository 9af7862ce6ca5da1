/**
 * Signature checks in batches, several under way at once, so that a host may spread them over threads. Bounded: who
 * pushes must `await room()` where `full` says so.
 * Rule: what is pushed is copied into its batch at once, so that a million checks leave a few thousand buffers behind,
 * not millions, and a thread takes the batch as it is.
 */
import type { VerifyEd25519 } from '../proof/hash.ts';
import type { FindingCode, Findings } from './findings.ts';

export type SignatureJob = {
  /** 32 bytes */
  readonly publicKey: Uint8Array;
  readonly message: Uint8Array;
  /** 64 bytes */
  readonly signature: Uint8Array;
};

/** Checks end to end in `bytes`: key (32), signature (64), length of the message (4, LE), message. */
export type SignatureBatch = { readonly count: number; readonly bytes: Uint8Array<ArrayBuffer> };

/** Answers one truth value for each check, in order. The batch is the callee's. */
export type VerifyBatch = (batch: SignatureBatch) => Promise<ArrayLike<boolean>>;

const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
const FIXED = KEY_BYTES + SIGNATURE_BYTES + 4;

/** The checks of a batch, as views of its bytes. */
export function* jobsOf({ count, bytes }: SignatureBatch): Generator<SignatureJob> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let i = 0, at = 0; i < count; i++) {
    const end = at + FIXED + view.getUint32(at + KEY_BYTES + SIGNATURE_BYTES, true);
    yield {
      publicKey: bytes.subarray(at, at + KEY_BYTES),
      signature: bytes.subarray(at + KEY_BYTES, at + KEY_BYTES + SIGNATURE_BYTES),
      message: bytes.subarray(at + FIXED, end),
    };
    at = end;
  }
}

/** A batch checker for hosts that have only a single check. */
export const oneByOne =
  (verify: VerifyEd25519): VerifyBatch =>
  async batch => {
    const results: boolean[] = [];
    for (const { publicKey, message, signature } of jobsOf(batch))
      results.push(await verify(publicKey, message, signature));
    return results;
  };

const BATCH = 256;
const UNDER_WAY = 16;
/** Bytes that a batch begins with: those of records need no more. */
const BATCH_BYTES = BATCH * 192;

type Told = { readonly code: FindingCode; readonly where: string };

export class SignatureQueue {
  readonly #verify: VerifyBatch;
  readonly #findings: Findings;
  /** What a check that fails is told as, for each of the batch. */
  #told: Told[] = [];
  #bytes = new Uint8Array(BATCH_BYTES);
  #view = new DataView(this.#bytes.buffer);
  #at = 0;
  readonly #running = new Set<Promise<void>>();
  #failure: { error: unknown } | undefined;

  constructor(verify: VerifyBatch, findings: Findings) {
    this.#verify = verify;
    this.#findings = findings;
  }

  /** A signature that does not verify becomes the finding `code` at `where`. Its bytes are copied. */
  push({ publicKey, message, signature, code, where }: SignatureJob & Told): void {
    if (publicKey.length !== KEY_BYTES || signature.length !== SIGNATURE_BYTES) {
      this.#findings.add(code, where);
      return;
    }
    this.#fit(FIXED + message.length);
    this.#bytes.set(publicKey, this.#at);
    this.#bytes.set(signature, this.#at + KEY_BYTES);
    this.#view.setUint32(this.#at + KEY_BYTES + SIGNATURE_BYTES, message.length, true);
    this.#bytes.set(message, this.#at + FIXED);
    this.#at += FIXED + message.length;
    this.#told.push({ code, where });
    if (this.#told.length >= BATCH) this.#send();
  }

  get full(): boolean {
    return this.#running.size >= UNDER_WAY;
  }

  async room(): Promise<void> {
    while (this.full) await Promise.race(this.#running);
    this.#throw();
  }

  /** Resolves when every check is done. */
  async drain(): Promise<void> {
    if (this.#told.length > 0) this.#send();
    await Promise.all(this.#running);
    this.#throw();
  }

  #throw(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  #fit(more: number): void {
    if (this.#at + more <= this.#bytes.length) return;
    const larger = new Uint8Array(2 * this.#bytes.length + more);
    larger.set(this.#bytes);
    this.#hold(larger);
  }

  #hold(bytes: Uint8Array<ArrayBuffer>): void {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }

  #send(): void {
    const told = this.#told;
    const batch = { count: told.length, bytes: this.#bytes.subarray(0, this.#at) };
    this.#told = [];
    this.#hold(new Uint8Array(BATCH_BYTES));
    this.#at = 0;
    const run = this.#verify(batch)
      .then(results => {
        for (const [i, { code, where }] of told.entries()) {
          if (results[i] !== true) this.#findings.add(code, where);
        }
      })
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => this.#running.delete(run));
    this.#running.add(run);
  }
}
