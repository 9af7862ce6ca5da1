/**
 * A bundle that someone's own `opa build -t wasm` wrote, saved as a policy set. Rules: what is saved is the bundle's own module with the
 * files that came with it, named by their policy_hash; its signature is checked with the key that the person names; what it
 * asks of its host, and its tests, are judged by loading and running it (module_tests.ts); the record says that it was imported and
 * by which key it was signed. Format: docs/spec/policy.md, "Imported bundles".
 */
import { Check } from 'typebox/schema';
import { TrailmixError } from '../../core/api/errors.ts';
import type { InputOf, OutputOf } from '../../core/api/operations.ts';
import { POLICY_LIMITS, PolicyFile } from '../../core/api/policy_views.ts';
import { fromBase64, hex } from '../../core/proof/bytes.ts';
import type { PolicyStatement } from '../../core/proof/policy.ts';
import type { Ledger, Source } from '../ports.ts';
import { sha256 } from '../sha256.ts';
import { ENTRYPOINT } from './bundle.ts';
import type { ImportedBundle, SetParts } from './command_types.ts';
import { runModuleTests } from './module_tests.ts';
import { readOpaBundle } from './opa_bundle.ts';
import { MOST_WASM, type PolicySets } from './sets.ts';
import type { Signing } from './signing.ts';
import { setParts } from './stored_set.ts';

type Input = InputOf<'preparePolicyBundle'>;
type Prepared = { set: SetParts; bundle: ImportedBundle; tests: OutputOf<'preparePolicyBundle'>['tests'] };

export type BundleImports = {
  /** Throws policy_invalid, input_invalid. Saves nothing. */
  prepare(input: Input): Promise<OutputOf<'preparePolicyBundle'>>;
  save(
    input: Signing<PolicyStatement> & Input & { message: string; source: Source },
  ): Promise<OutputOf<'importPolicyBundle'>>;
};

const invalid = (what: string): TrailmixError =>
  new TrailmixError('policy_invalid', { message: `The bundle cannot be used: ${what}` });

/** The bounds of a set (docs/spec/policy.md). */
function checkBounds({ files, wasm }: SetParts): void {
  if (wasm.length > MOST_WASM) throw invalid(`its module has ${wasm.length} bytes; at most ${MOST_WASM}`);
  if (files.length > POLICY_LIMITS.files)
    throw invalid(`it holds ${files.length} files; a set at most ${POLICY_LIMITS.files}`);
  for (const { path, text } of files) {
    const named: boolean = Check(PolicyFile.properties.path, path);
    if (!named)
      throw invalid(`a set cannot hold a file named ${JSON.stringify(path.slice(0, POLICY_LIMITS.path))}`);
    if (text.length > POLICY_LIMITS.text)
      throw invalid(`${path} has ${text.length} characters; at most ${POLICY_LIMITS.text}`);
  }
  if (files.reduce((sum, { text }) => sum + text.length, 0) > POLICY_LIMITS.all)
    throw invalid(`its texts have more than ${POLICY_LIMITS.all} characters`);
}

const countsOf = (tests: Prepared['tests']) => ({
  passed: tests.filter(({ outcome }) => outcome === 'pass').length,
  failed: tests.filter(({ outcome }) => outcome !== 'pass').length,
  skipped: 0,
  // No line of it can be watched.
  percent: 0,
});

export function createBundleImports(options: {
  ledger: Pick<Ledger, 'write'>;
  /** Text of policies/capabilities.json. */
  capabilities: () => Promise<string>;
  sets: Pick<PolicySets, 'one'>;
}): BundleImports {
  const { ledger, capabilities, sets } = options;

  const prepared = async ({ bundle: text, key, scope }: Input): Promise<Prepared> => {
    let bytes: Uint8Array;
    try {
      bytes = fromBase64(text);
    } catch {
      throw new TrailmixError('input_invalid', { where: '/bundle', message: 'bundle must be base64' });
    }
    const { bundle, signature } = readOpaBundle(bytes, {
      capabilities: await capabilities(),
      version: 0,
      entrypoint: ENTRYPOINT,
      ...(key === undefined ? {} : { key }),
      ...(scope === undefined ? {} : { scope }),
    });
    const set = setParts(bundle);
    checkBounds(set);
    const tests = await runModuleTests(bundle);
    const { alg, keyId, issuer, keySha256 } = signature ?? {};
    return {
      set,
      tests,
      bundle: {
        sha256: hex(sha256(bytes)),
        ...(alg === undefined
          ? {}
          : {
              signature: {
                alg,
                ...(keyId === undefined ? {} : { key_id: keyId }),
                ...(issuer === undefined ? {} : { issuer }),
                ...(keySha256 === undefined ? {} : { key_sha256: keySha256 }),
              },
            }),
      },
    };
  };

  return {
    async prepare(input) {
      const { set, bundle, tests } = await prepared(input);
      return {
        policy_hash: set.hash,
        sources_sha256: set.sourcesSha256,
        files: set.files.map(({ path, text }) => ({ path, text })),
        bundle,
        tests,
        counts: countsOf(tests),
      };
    },
    async save({ bundle: text, key, scope, ...signing }) {
      const { set, bundle, tests } = await prepared({
        bundle: text,
        ...(key === undefined ? {} : { key }),
        ...(scope === undefined ? {} : { scope }),
      });
      await ledger.write.run('savePolicySet', { ...signing, set, tests: countsOf(tests), bundle });
      return { set: (await sets.one(set.hash)).set, bundle };
    },
  };
}
