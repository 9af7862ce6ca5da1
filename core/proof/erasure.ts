/**
 * What is signed about erasures: the records whose bodies go, and for how many days bodies are kept. Format: docs/spec/erasure.md.
 * Rules: nothing here reads a clock or holds a key; the messages are exact bytes.
 */
import { hex, utf8 } from './bytes.ts';
import { PREFIX, type Sha256 } from './hash.ts';
import { jcs } from './jcs.ts';

export interface ErasureStatement {
  readonly act: 'erase' | 'retain';
  readonly at: string;
  readonly by: string;
  readonly by_key_id: string;
  readonly digest: string;
  readonly ledger_id: string;
  /** Empty for `retain`. */
  readonly reason: string;
  readonly tenant_id: string;
}

/** Hex SHA-256 of a line for each record, which stand by rising seq: seq, a space, hash_self, newline. */
export const erasedDigest = (sha256: Sha256, seqs: readonly number[], hashes: readonly string[]): string =>
  hex(sha256(utf8(seqs.map((seq, i) => `${seq} ${hashes[i]}\n`).join(''))));

/** Days by app without those of 0: an app of which none is left keeps everything. */
export const rulesThatHold = (days: { readonly [app: string]: number }): Record<string, number> =>
  Object.fromEntries(Object.entries(days).filter(([, count]) => count > 0));

/** Hex SHA-256(JCS(days by app)): all rules that hold from then on. */
export const retentionDigest = (sha256: Sha256, days: { readonly [app: string]: number }): string =>
  hex(sha256(utf8(jcs(days))));

/** The bytes that a person signs. */
export function erasureMessage(statement: ErasureStatement): Uint8Array {
  const { act, at, by, by_key_id, digest, ledger_id, reason, tenant_id } = statement;
  return utf8(PREFIX.erasure + jcs({ act, at, by, by_key_id, digest, ledger_id, reason, tenant_id }));
}
