/**
 * trust.json, what a verifier gets apart from the pack: {ledger_id, people_root?, tenant_id, v: 1, vkeys: [...]}, canonical.
 * Every vkey is a C2SP verifier key of a checkpoint key; people_root is the key of the first enrolment, once there is one.
 * Format: docs/spec/pack.md, "Trust".
 */

import { fromBase64, fromUtf8 } from '../proof/bytes.ts';
import { keyId, type Sha256 } from '../proof/hash.ts';
import { type JsonValue, jcs } from '../proof/jcs.ts';
import { parseVkey } from '../proof/note.ts';
import type { Trust } from './host.ts';
import { ManifestError, parseCanonical } from './manifest.ts';
import { parseWitnessPolicy, WITNESS_POLICY } from './witnesses.ts';

export type TrustFile = {
  readonly v: 1;
  readonly ledger_id: string;
  readonly tenant_id: string;
  readonly vkeys: readonly string[];
  /** `public_key` is base64 of 32 bytes, `key_id` hex SHA-256 of them. */
  readonly people_root?: { readonly key_id: string; readonly public_key: string };
};

export const trustText = (trust: TrustFile): string => jcs(trust as unknown as JsonValue);

/** Reads trust.json and every vkey in it. Throws ManifestError or NoteError. */
export function parseTrust(sha256: Sha256, bytes: Uint8Array): TrustFile {
  const value = parseCanonical(bytes) as Partial<TrustFile> | null;
  const whole =
    typeof value === 'object' &&
    value !== null &&
    ['ledger_id,tenant_id,v,vkeys', 'ledger_id,people_root,tenant_id,v,vkeys'].includes(
      Object.keys(value).join(),
    ) &&
    value.v === 1 &&
    typeof value.ledger_id === 'string' &&
    typeof value.tenant_id === 'string' &&
    Array.isArray(value.vkeys);
  if (!whole) throw new ManifestError('trust.json must be {ledger_id, people_root?, tenant_id, v: 1, vkeys}');
  for (const vkey of value.vkeys as string[]) parseVkey(sha256, vkey);
  if (value.people_root !== undefined && !isRoot(sha256, value.people_root)) {
    throw new ManifestError('people_root must be {key_id, public_key}, and one be the hash of the other');
  }
  return value as TrustFile;
}

function isRoot(sha256: Sha256, root: Partial<TrustFile['people_root']>): boolean {
  if (typeof root !== 'object' || root === null || Object.keys(root).join() !== 'key_id,public_key')
    return false;
  try {
    return keyId(sha256, fromBase64(root.public_key ?? '')) === root.key_id;
  } catch {
    return false;
  }
}

/** Names of the trust folder that are read: the others (log-<id>.pem) are for stock tools. */
export const isTrustFile = (name: string): boolean =>
  ['trust.json', 'org.pem', 'tsa-root.pem', WITNESS_POLICY].includes(name) || name.endsWith('.crl.pem');

/** What a folder of `trailmix keys trust` says, by file name; `*.crl.pem` are what the reader put beside. Throws as parseTrust. */
export function trustFrom(sha256: Sha256, files: ReadonlyMap<string, Uint8Array>): Trust {
  const bytes = files.get('trust.json');
  if (bytes === undefined) throw new ManifestError('trust.json is missing');
  const { vkeys, people_root } = parseTrust(sha256, bytes);
  const text = (name: string): string | undefined => {
    const content = files.get(name);
    return content === undefined ? undefined : fromUtf8(content);
  };
  const certificates = text('org.pem');
  const tsaRoots = text('tsa-root.pem');
  const policy = files.get(WITNESS_POLICY);
  const lists = [...files.keys()].filter(name => name.endsWith('.crl.pem')).sort();
  return {
    vkeys,
    ...(people_root === undefined ? {} : { peopleRoot: people_root }),
    ...(certificates === undefined ? {} : { certificates }),
    ...(tsaRoots === undefined ? {} : { tsaRoots }),
    ...(policy === undefined ? {} : { witnesses: parseWitnessPolicy(sha256, policy) }),
    ...(lists.length === 0 ? {} : { crls: lists.map(name => text(name)).join('\n') }),
  };
}
