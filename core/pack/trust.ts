/**
 * trust.json, what a verifier gets apart from the pack: {ledger_id, tenant_id, v: 1, vkeys: [...]}, canonical. Every
 * vkey is a C2SP verifier key of a checkpoint key. Format: docs/spec/pack.md, "Trust".
 */

import type { Sha256 } from '../proof/hash.ts';
import { type JsonValue, jcs } from '../proof/jcs.ts';
import { parseVkey } from '../proof/note.ts';
import { ManifestError, parseCanonical } from './manifest.ts';

export type TrustFile = {
  readonly v: 1;
  readonly ledger_id: string;
  readonly tenant_id: string;
  readonly vkeys: readonly string[];
};

export const trustText = (trust: TrustFile): string => jcs(trust as unknown as JsonValue);

/** Reads trust.json and every vkey in it. Throws ManifestError or NoteError. */
export function parseTrust(sha256: Sha256, bytes: Uint8Array): TrustFile {
  const value = parseCanonical(bytes) as Partial<TrustFile> | null;
  const whole =
    typeof value === 'object' &&
    value !== null &&
    Object.keys(value).join() === 'ledger_id,tenant_id,v,vkeys' &&
    value.v === 1 &&
    typeof value.ledger_id === 'string' &&
    typeof value.tenant_id === 'string' &&
    Array.isArray(value.vkeys);
  if (!whole) throw new ManifestError('trust.json must be {ledger_id, tenant_id, v: 1, vkeys}');
  for (const vkey of value.vkeys as string[]) parseVkey(sha256, vkey);
  return value as TrustFile;
}
