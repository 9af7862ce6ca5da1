/**
 * Signature checks in batches, several under way at once, so that a host may spread them over threads. Bounded: who
 * pushes must `await room()` where `full` says so.
 */
import type { VerifyEd25519 } from '../proof/hash.ts';
import type { FindingCode, Findings } from './findings.ts';

export type SignatureJob = {
  readonly publicKey: Uint8Array;
  readonly message: Uint8Array;
  /** 64 bytes */
  readonly signature: Uint8Array;
};

/** Answers one truth value for each job, in order. */
export type VerifyBatch = (jobs: readonly SignatureJob[]) => Promise<readonly boolean[]>;

/** A batch checker for hosts that have only a single check. */
export const oneByOne =
  (verify: VerifyEd25519): VerifyBatch =>
  async jobs => {
    const results: boolean[] = [];
    for (const { publicKey, message, signature } of jobs)
      results.push(await verify(publicKey, message, signature));
    return results;
  };

const BATCH = 256;
const UNDER_WAY = 16;

type Job = SignatureJob & { readonly code: FindingCode; readonly where: string };

export class SignatureQueue {
  readonly #verify: VerifyBatch;
  readonly #findings: Findings;
  #batch: Job[] = [];
  readonly #running = new Set<Promise<void>>();
  #failure: { error: unknown } | undefined;

  constructor(verify: VerifyBatch, findings: Findings) {
    this.#verify = verify;
    this.#findings = findings;
  }

  /** A signature that does not verify becomes the finding `code` at `where`. */
  push(job: Job): void {
    this.#batch.push(job);
    if (this.#batch.length >= BATCH) this.#send();
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
    if (this.#batch.length > 0) this.#send();
    await Promise.all(this.#running);
    this.#throw();
  }

  #throw(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  #send(): void {
    const jobs = this.#batch;
    this.#batch = [];
    const run = this.#verify(jobs)
      .then(results => {
        for (const [i, job] of jobs.entries()) {
          if (results[i] !== true) this.#findings.add(job.code, job.where);
        }
      })
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => this.#running.delete(run));
    this.#running.add(run);
  }
}
