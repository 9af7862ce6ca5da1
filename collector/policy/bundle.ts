/**
 * A policy bundle: the Wasm module, its data, and the sources and capabilities that it was built from.
 * Rules: `hash` (FORMATS, Decision and approval: policy_hash) names all of it and is computed from the bytes that
 * are here, never believed from the manifest; a bundle whose bytes do not give the hashes it states is refused.
 * On disk (resources/generated/policies): manifest.json, policy.wasm, data.json, capabilities.json.
 */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TrailmixError } from '../../core/api/errors.ts';
import { policyHash } from '../../core/proof/binding.ts';
import { hex, utf8 } from '../../core/proof/bytes.ts';
import { sha256 } from '../sha256.ts';

/** What the default bundle and every later one is asked. */
export const ENTRYPOINT = 'trailmix/decision';
/** Path, among the sources, of the data that rules read as `data.*`. */
export const DATA_PATH = 'data.json';

export type PolicySource = { path: string; sha256: string; text: string };

export type PolicyBundle = {
  /** Counts activations; 1 is the policy that the app ships with. */
  version: number;
  /** policy_hash: 64 hex. */
  hash: string;
  entrypoint: string;
  capabilities_sha256: string;
  wasm_sha256: string;
  /** By path. Tests are no part of a policy in force. */
  sources: PolicySource[];
  wasm: Uint8Array<ArrayBuffer>;
  /** JSON text of `data`: that of the source data.json, or `{}` without one. */
  data: string;
};

const sha256Hex = (bytes: Uint8Array): string => hex(sha256(bytes));

export type BundleParts = {
  version: number;
  entrypoint: string;
  /** Text of the capabilities that it was compiled under. */
  capabilities: string;
  wasm: Uint8Array;
  /** Rego files without tests, and data.json where there is one. */
  files: { path: string; text: string }[];
};

/** Assembles a bundle; every hash is made here, from the parts. */
export function makeBundle(parts: BundleParts): PolicyBundle {
  const sources = parts.files
    .map(({ path, text }) => ({ path, text, sha256: sha256Hex(utf8(text)) }))
    .sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
  const capabilities_sha256 = sha256Hex(utf8(parts.capabilities));
  const wasm_sha256 = sha256Hex(parts.wasm);
  const files = sources.map(({ path, sha256 }) => ({ path, sha256 }));
  return {
    version: parts.version,
    hash: policyHash(sha256, { entrypoint: parts.entrypoint, capabilities_sha256, wasm_sha256, files }),
    entrypoint: parts.entrypoint,
    capabilities_sha256,
    wasm_sha256,
    sources,
    wasm: new Uint8Array(parts.wasm),
    data: sources.find(({ path }) => path === DATA_PATH)?.text ?? '{}',
  };
}

/** manifest.json of a bundle folder. */
export const manifestOf = (bundle: PolicyBundle): string =>
  `${JSON.stringify(
    {
      v: 1,
      version: bundle.version,
      policy_hash: bundle.hash,
      entrypoint: bundle.entrypoint,
      capabilities_sha256: bundle.capabilities_sha256,
      wasm_sha256: bundle.wasm_sha256,
      files: bundle.sources,
    },
    null,
    2,
  )}\n`;

/** Reads a bundle folder; null where none was built. Throws `policy_invalid` when it is damaged. */
export async function readBundle(dir: string): Promise<PolicyBundle | null> {
  let manifestText: string;
  try {
    manifestText = await readFile(join(dir, 'manifest.json'), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  const damaged = (what: string): TrailmixError =>
    new TrailmixError('policy_invalid', { where: dir, message: `The built policy is damaged: ${what}` });
  let manifest: { version: number; policy_hash: string; entrypoint: string; files: PolicySource[] };
  let parts: [Buffer, string, string];
  try {
    manifest = JSON.parse(manifestText);
    parts = await Promise.all([
      readFile(join(dir, 'policy.wasm')),
      readFile(join(dir, 'data.json'), 'utf8'),
      readFile(join(dir, 'capabilities.json'), 'utf8'),
    ]);
  } catch (error) {
    throw damaged(String(error));
  }
  const [wasm, data, capabilities] = parts;
  if (!Number.isInteger(manifest.version) || !Array.isArray(manifest.files)) throw damaged('manifest.json');
  const bundle = makeBundle({
    version: manifest.version,
    entrypoint: String(manifest.entrypoint),
    capabilities,
    wasm,
    files: manifest.files.map(({ path, text }) => ({ path: String(path), text: String(text) })),
  });
  if (bundle.hash !== manifest.policy_hash) throw damaged('its files do not give its policy_hash');
  if (bundle.data !== data) throw damaged('data.json is not the one among its sources');
  return bundle;
}
