/**
 * policies.json: which policies were in force, whether their parts give the hash that decisions cite, and whether
 * each was recorded as activated before it decided. Format: docs/spec/pack.md, "policies.json".
 */
import { policyHash } from '../proof/binding.ts';
import type { Sha256 } from '../proof/hash.ts';
import { isPlain, type JsonObject, type JsonValue } from '../proof/jcs.ts';
import type { Findings } from './findings.ts';
import { type Manifest, ManifestError, parseCanonical } from './manifest.ts';

export type PackPolicy = {
  readonly hash: string;
  readonly entrypoint: string;
  readonly capabilities_sha256: string;
  readonly wasm_sha256: string;
  /** `path` is the original one; `file` where the text lies in the pack. */
  readonly files: readonly { readonly path: string; readonly sha256: string; readonly file: string }[];
  /** The activations in the pack. */
  readonly versions: readonly { readonly version: number; readonly seq: number }[];
};

const HASH = /^[0-9a-f]{64}$/;

/** Path of source `n` of a policy in the pack. */
export const policyFile = (hash: string, n: number, path: string): string =>
  `policies/${hash}/${n}.${path.endsWith('.json') ? 'json' : 'rego'}`;

/** Reads policies.json: {v: 1, policies: [...] by hash}. Throws ManifestError. */
export function parsePolicies(bytes: Uint8Array): PackPolicy[] {
  const top = object(parseCanonical(bytes), ['policies', 'v']);
  if (top.v !== 1 || !Array.isArray(top.policies))
    throw new ManifestError('it must be {v: 1, policies: [...]}');
  const list = top.policies.map(item => {
    const policy = object(item, [
      'capabilities_sha256',
      'entrypoint',
      'files',
      'hash',
      'versions',
      'wasm_sha256',
    ]);
    const hashes = [policy.hash, policy.capabilities_sha256, policy.wasm_sha256];
    if (!hashes.every(isHash) || typeof policy.entrypoint !== 'string')
      throw new ManifestError('a policy has a bad hash');
    for (const file of array(policy.files)) {
      const { path, sha256, file: place } = object(file, ['file', 'path', 'sha256']);
      if (typeof path !== 'string' || !isHash(sha256) || typeof place !== 'string') {
        throw new ManifestError('a policy has a bad file');
      }
    }
    for (const version of array(policy.versions)) {
      const { seq, version: number } = object(version, ['seq', 'version']);
      if (!Number.isSafeInteger(seq) || !Number.isSafeInteger(number))
        throw new ManifestError('a policy has a bad version');
    }
    return policy as unknown as PackPolicy;
  });
  if (list.some((policy, i) => i > 0 && list[i - 1]!.hash >= policy.hash))
    throw new ManifestError('policies come by hash');
  return list;
}

function object(value: JsonValue, names: readonly string[]): { [name: string]: JsonValue } {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || !isPlain(value)) {
    throw new ManifestError('an object is missing');
  }
  if (Object.keys(value).sort().join() !== names.join())
    throw new ManifestError(`not the members ${names.join(', ')}`);
  return value as { [name: string]: JsonValue };
}

function array(value: JsonValue | undefined): readonly JsonValue[] {
  if (!Array.isArray(value)) throw new ManifestError('an array is missing');
  return value;
}

const isHash = (value: JsonValue | undefined): boolean => typeof value === 'string' && HASH.test(value);

/** Watches activations and decisions pass by rising seq, then compares them with policies.json. */
export class PolicyWatch {
  /** By environment; absent in a record: prod. */
  readonly #active = new Map<string, { hash: string; version: number }>();
  readonly #activations = new Map<number, { hash: string; version: number }>();
  readonly #used = new Set<string>();

  /** Takes any record that has its body. `inScope`: it stands in events.jsonl. */
  take(record: JsonObject, inScope: boolean, where: string, findings: Findings): void {
    if (record.event_type === 'policy.activated') {
      const policy = member(record.policy);
      const { hash, version } = policy;
      if (typeof hash !== 'string' || typeof version !== 'number') {
        findings.add('policy_unrecorded', where, 'The activation names no policy.');
        return;
      }
      this.#active.set(environmentOf(policy), { hash, version });
      this.#activations.set(record.seq as number, { hash, version });
    } else if (record.event_type === 'decision.recorded' && inScope) {
      const decision = member(record.decision);
      const policy = member(decision.policy);
      // Without any policy the gate denies, and says that it failed.
      if (decision.failed !== undefined && !isHash(policy.hash)) return;
      this.#used.add(String(policy.hash));
      const active = this.#active.get(environmentOf(policy));
      if (active?.hash !== policy.hash || active?.version !== policy.version) {
        findings.add('policy_unrecorded', where, 'The decision cites a policy that was not in force.');
      }
    }
  }

  finish(sha256: Sha256, policies: readonly PackPolicy[], manifest: Manifest, findings: Findings): void {
    const files = new Map(manifest.files.map(file => [file.path, file]));
    const named = new Set<string>();
    for (const policy of policies) {
      const where = `policies.json:${policy.hash.slice(0, 12)}`;
      if (policyHash(sha256, policy) !== policy.hash) findings.add('policy_hash_wrong', where);
      for (const [n, { path, sha256: hash, file }] of policy.files.entries()) {
        named.add(file);
        const entry = files.get(file);
        if (file !== policyFile(policy.hash, n, path))
          findings.add('policy_form', where, `${path} lies elsewhere.`);
        else if (entry === undefined) findings.add('policy_missing', file);
        else if (entry.sha256 !== hash) findings.add('policy_hash_wrong', file);
      }
      for (const { version, seq } of policy.versions) {
        const record = this.#activations.get(seq);
        if (record?.hash !== policy.hash || record.version !== version)
          findings.add('policy_unrecorded', where);
      }
      if (policy.versions.length === 0) findings.add('policy_unrecorded', where);
    }
    for (const file of manifest.files) {
      if (file.role === 'policy' && !named.has(file.path))
        findings.add('policy_form', file.path, 'Nothing names it.');
    }
    const shown = new Set(policies.map(({ hash }) => hash));
    for (const hash of this.#used) {
      if (shown.has(hash)) continue;
      const included = manifest.include.includes('policies');
      findings.add(included ? 'policy_missing' : 'policy_files_absent', 'policies.json', hash);
    }
  }
}

const environmentOf = ({ environment }: JsonObject): string =>
  typeof environment === 'string' ? environment : 'prod';

const member = (value: JsonValue | undefined): JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
