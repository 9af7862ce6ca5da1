/** What the policy tests share: the toolchain as built, and bundles made from Rego text in the test. */
import { readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ENTRYPOINT, makeBundle, type PolicyBundle } from '../../collector/policy/bundle.ts';
import type { RegoFile, Toolchain } from '../../collector/policy/toolchain.ts';
import type { JsonObject } from '../../core/proof/jcs.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
export const toolchainDir = join(root, 'resources/generated/toolchain');
export const policiesDir = join(root, 'resources/generated/policies');
export const capabilities = readFileSync(join(root, 'policies/capabilities.json'), 'utf8');

/** The two policies as the project's first description printed them. */
export const SEED_REFUNDS = `package trailmix

default decision := {"result": "allow", "reasons": []}

high_value_refund {
  input.action == "issue_refund"
  input.payload.amount > 500
}

decision := {"result": "approve", "reasons": ["refund > 500"]} { high_value_refund }
`;
export const SEED_PII = `package trailmix

deny_pii_eu {
  input.action == "llm_call"
  input.context.region == "EU"
  some p
  p := input.payload.contains_pii
}

decision := {"result": "deny", "reasons": ["PII cannot exit EU"]} { deny_pii_eu }
`;

/** The Rego files of policies/, tests included. */
export async function shippedFiles(): Promise<RegoFile[]> {
  const dir = join(root, 'policies');
  const names = (await readdir(dir)).filter(name => name.endsWith('.rego')).sort();
  return Promise.all(names.map(async path => ({ path, text: await readFile(join(dir, path), 'utf8') })));
}

export async function bundleOf(
  toolchain: Toolchain,
  files: RegoFile[],
  version = 1,
  entrypoint = ENTRYPOINT,
): Promise<PolicyBundle> {
  const built = await toolchain.build(files, entrypoint);
  if (!built.ok) throw new Error(JSON.stringify(built.errors));
  return makeBundle({
    version,
    entrypoint,
    capabilities,
    wasm: built.wasm,
    files: files.filter(({ path }) => !path.endsWith('_test.rego')),
  });
}

/** An input as the collector makes it, with an action, a payload and a context. */
export const call = (action: string, payload: JsonObject, context: JsonObject = {}): JsonObject => ({
  action,
  risk: 'high',
  actor: { type: 'agent', id: 'agent-1' },
  payload,
  context,
  session_id: 'session-1',
  app_id: 'support-bot',
});
