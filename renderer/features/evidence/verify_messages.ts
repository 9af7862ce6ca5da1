/** What page and verifying worker say to each other. */
import type { PackReport } from '../../../core/pack/verify.ts';
import type { TrustFiles } from './given_files.ts';

/** `since`: an older pack, which this one must continue. */
export type VerifyAsk = { pack: Blob; trust?: TrustFiles<Blob>; since?: Blob };
export type VerifyTell =
  | { kind: 'progress'; done: number; total: number }
  | { kind: 'report'; report: PackReport; ms: number; engine: 'webcrypto' | 'noble' }
  | { kind: 'refused'; what: 'pack' | 'trust' | 'since'; message: string };
