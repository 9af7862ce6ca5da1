/** Policy sets as the ledger keeps them: to and from bundles. What is loaded gives its hash, or is refused. */

import { TrailmixError } from '../../core/api/errors.ts';
import { policyHash } from '../../core/proof/binding.ts';
import { hex, utf8 } from '../../core/proof/bytes.ts';
import { sourcesSha256 } from '../../core/proof/policy.ts';
import type { Ledger } from '../ports.ts';
import { sha256 } from '../sha256.ts';
import { DATA_PATH, type PolicyBundle, type PolicySource } from './bundle.ts';
import type { SetParts } from './command_types.ts';

export const setParts = (bundle: PolicyBundle): SetParts => ({
  hash: bundle.hash,
  entrypoint: bundle.entrypoint,
  capabilitiesSha256: bundle.capabilities_sha256,
  wasmSha256: bundle.wasm_sha256,
  sourcesSha256: sourcesSha256(sha256, bundle.sources),
  files: bundle.sources,
  wasm: bundle.wasm,
});

type Row = {
  entrypoint: string;
  capabilities_sha256: string;
  wasm_sha256: string;
  files: string;
  wasm: Uint8Array;
  built_in: number;
};

/** `version` is 0: the activation gives it. Throws policy_unknown, policy_invalid. */
export async function loadSet(
  ledger: Pick<Ledger, 'read'>,
  hash: string,
): Promise<{ bundle: PolicyBundle; builtIn: boolean }> {
  const [row] = await ledger.read.query<Row>('policy.module', { hash });
  if (row === undefined) throw new TrailmixError('policy_unknown', { where: '/hash' });
  const sources = JSON.parse(row.files) as PolicySource[];
  const { entrypoint, capabilities_sha256, wasm_sha256 } = row;
  const wasm = new Uint8Array(row.wasm);
  const right =
    hex(sha256(wasm)) === wasm_sha256 &&
    sources.every(({ text, sha256: stated }) => hex(sha256(utf8(text))) === stated) &&
    policyHash(sha256, { entrypoint, capabilities_sha256, wasm_sha256, files: sources }) === hash;
  if (!right) {
    throw new TrailmixError('policy_invalid', {
      message: `The stored set ${hash.slice(0, 12)} is damaged: its parts do not give its hash`,
    });
  }
  const data = sources.find(({ path }) => path === DATA_PATH)?.text ?? '{}';
  return {
    bundle: { version: 0, hash, entrypoint, capabilities_sha256, wasm_sha256, sources, wasm, data },
    builtIn: row.built_in === 1,
  };
}
