/** What page and verifying worker say to each other. */
import type { PackReport } from '../../../core/pack/verify.ts';

export type VerifyAsk = { pack: Blob; trust?: Blob };
export type VerifyTell =
  | { kind: 'progress'; done: number; total: number }
  | { kind: 'report'; report: PackReport; ms: number; engine: 'webcrypto' | 'noble' }
  | { kind: 'refused'; what: 'pack' | 'trust'; message: string };
