/** What the verifier borrows from its host, what it is given apart from the pack, and what it counts. */
import type { VerifyMlDsa44 } from '../proof/cosignature.ts';
import type { Sha256, VerifyEd25519 } from '../proof/hash.ts';
import type { CheckCms } from './cms.ts';
import type { Sha256Stream } from './files.ts';
import type { Since } from './older.ts';
import type { VerifyBatch } from './signatures.ts';
import type { CheckTimestamp } from './timestamp.ts';
import type { WitnessPolicy } from './witnesses.ts';
import type { Crc32, InflateRaw, ZipLimits } from './zip.ts';

export type VerifyHost = {
  readonly sha256: Sha256;
  readonly sha256Stream: Sha256Stream;
  readonly verifyEd25519: VerifyEd25519;
  /** Absent where the host has no ML-DSA. */
  readonly verifyMlDsa44?: VerifyMlDsa44;
  readonly inflateRaw: InflateRaw;
  /** Faster ways for the same, where the host has them. */
  readonly verifyBatch?: VerifyBatch;
  readonly crc32?: Crc32;
  /** Absent where the host reads no CMS (a browser): the verdict then says that it was not checked. */
  readonly checkCms?: CheckCms;
  /** Absent likewise. */
  readonly checkTimestamp?: CheckTimestamp;
  /** Milliseconds since 1970, to say whether a certificate has expired since; without it that is not judged. */
  readonly now?: () => number;
  readonly limits?: Partial<ZipLimits>;
  /** What records behind approvals may take together, in characters; beyond it the pack is refused. */
  readonly approvalLimit?: number;
  /** Bytes of events.jsonl read so far, of how many. */
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: { readonly aborted: boolean };
};

/** What the verifier was given apart from the pack. */
export type Trust = {
  /** C2SP vkeys of checkpoint keys. */
  readonly vkeys: readonly string[];
  /** Of trust.json: the key of the first person enrolled. */
  readonly peopleRoot?: { readonly key_id: string; readonly public_key: string };
  /** PEM certificates that may sign packs, or lead to those that do. */
  readonly certificates?: string;
  /** PEM revocation lists of their authorities. */
  readonly crls?: string;
  /** PEM root certificates of time-stamping authorities. */
  readonly tsaRoots?: string;
  /** Of witness_policy.json: whose cosignatures are asked for. */
  readonly witnesses?: WitnessPolicy;
};

export type ApprovalCounts = {
  approved: number;
  denied: number;
  expired: number;
  waiting: number;
  consumed: number;
  cancelled: number;
};

export type PackCounts = {
  events: number;
  sessions: number;
  decisions: { allow: number; deny: number; approve: number; failed: number };
  approvals: ApprovalCounts;
  evals: number;
  blobs: number;
  unverified: number;
};

/** `since`: the checkpoint of an older pack of the same app. */
export type Given = { readonly trust?: Trust; readonly since?: Since };

export const noCounts = (): PackCounts => ({
  events: 0,
  sessions: 0,
  decisions: { allow: 0, deny: 0, approve: 0, failed: 0 },
  approvals: { approved: 0, denied: 0, expired: 0, waiting: 0, consumed: 0, cancelled: 0 },
  evals: 0,
  blobs: 0,
  unverified: 0,
});
