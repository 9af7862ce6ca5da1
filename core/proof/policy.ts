/**
 * What is signed about policies: saving and activating a set, and the result of trying one on recorded decisions.
 * Format: docs/spec/policy.md. Rules: nothing here reads a clock or holds a key; the messages are exact bytes.
 */
import { hex, utf8 } from './bytes.ts';
import { PREFIX, type Sha256 } from './hash.ts';
import { type JsonObject, jcs } from './jcs.ts';

export interface PolicyStatement {
  readonly act: 'save' | 'activate';
  readonly at: string;
  readonly by: string;
  readonly by_key_id: string;
  /** Empty for `save`. */
  readonly environment: string;
  readonly ledger_id: string;
  readonly message: string;
  readonly policy_hash: string;
  /** The hash in force before, for `activate`; empty where there was none, and for `save`. */
  readonly replaces: string;
  readonly sources_sha256: string;
  readonly tenant_id: string;
}

export interface ImpactStatement {
  readonly at: string;
  readonly by: string;
  readonly by_key_id: string;
  readonly ledger_id: string;
  readonly report_sha256: string;
  readonly tenant_id: string;
}

/** Hex SHA-256(JCS([{path, sha256}...])), by path in UTF-16 code units. */
export function sourcesSha256(
  sha256: Sha256,
  files: readonly { readonly path: string; readonly sha256: string }[],
): string {
  const list = files
    .map(({ path, sha256: digest }) => ({ path, sha256: digest }))
    .sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  return hex(sha256(utf8(jcs(list))));
}

/** The bytes that an author signs. */
export function policyMessage(statement: PolicyStatement): Uint8Array {
  const { act, at, by, by_key_id, environment, ledger_id, message } = statement;
  const { policy_hash, replaces, sources_sha256, tenant_id } = statement;
  return utf8(
    PREFIX.policy +
      jcs({
        act,
        at,
        by,
        by_key_id,
        environment,
        ledger_id,
        message,
        policy_hash,
        replaces,
        sources_sha256,
        tenant_id,
      }),
  );
}

/** Hex SHA-256(JCS(report)): what is signed of an impact report. */
export const reportSha256 = (sha256: Sha256, report: JsonObject): string => hex(sha256(utf8(jcs(report))));

/** The bytes that the one who saves an impact report signs. */
export function impactMessage(statement: ImpactStatement): Uint8Array {
  const { at, by, by_key_id, ledger_id, report_sha256, tenant_id } = statement;
  return utf8(PREFIX.impact + jcs({ at, by, by_key_id, ledger_id, report_sha256, tenant_id }));
}
