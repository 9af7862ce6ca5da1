/**
 * Builds policies/*.rego to resources/generated/policies/{policy.wasm,data.json,manifest.json,capabilities.json}.
 * Rules: runs the Rego tests first and fails when one fails or a line of the policies is not covered; does nothing
 * when no input changed; without the toolchain leaves nothing behind that could pass for a policy.
 * Run by itself: node resources/build/policies.ts
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DATA_PATH, ENTRYPOINT, makeBundle, manifestOf } from '../../collector/policy/bundle.ts';
import {
  createToolchain,
  type Diagnostic,
  type RegoFile,
  type Toolchain,
} from '../../collector/policy/toolchain.ts';
import { policyInputSchema } from '../../core/policy/input_schema.ts';
import { buildToolchain, TOOLCHAIN_DIR } from './toolchain.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const sourceDir = join(root, 'policies');
/** Starting points that a policy may take over; proved here, and in force only where they are named. */
const libraryDir = join(sourceDir, 'library');

export const POLICIES_DIR = join(root, 'resources/generated/policies');
/** The policy that the app ships with is the first activation. */
const FIRST_VERSION = 1;
/** Part of the stamp: raise it when this script writes something else from the same inputs. */
const LAYOUT = 2;

async function readSources(): Promise<{ files: RegoFile[]; library: RegoFile[]; capabilities: string }> {
  const names = (await readdir(sourceDir))
    .filter(name => name.endsWith('.rego') || name === DATA_PATH)
    .sort();
  const files = await Promise.all(
    names.map(async path => ({ path, text: await readFile(join(sourceDir, path), 'utf8') })),
  );
  const shelf = (await readdir(libraryDir)).filter(name => name.endsWith('.rego')).sort();
  const library = await Promise.all(
    shelf.map(async name => ({
      path: `library/${name}`,
      text: await readFile(join(libraryDir, name), 'utf8'),
    })),
  );
  return { files, library, capabilities: await readFile(join(sourceDir, 'capabilities.json'), 'utf8') };
}

const explain = (what: string, lines: string[]): Error =>
  new Error(`policies: ${what}\n${lines.map(line => `  ${line}`).join('\n')}`);
const place = (d: Diagnostic): string => `${d.path ?? 'policies'}:${d.row ?? 0}:${d.col ?? 0}: ${d.message}`;

/** Throws unless every test passes and every line of every file is covered. */
async function prove(toolchain: Toolchain, rego: RegoFile[], data: unknown): Promise<void> {
  const checked = await toolchain.check(rego);
  if (!checked.ok) throw explain('do not compile', checked.errors.map(place));
  const report = await toolchain.test(rego, { data });
  if (!report.ok) throw explain('the tests do not compile', report.errors.map(place));
  const failed = report.tests.filter(test => test.outcome !== 'pass');
  if (failed.length > 0 || report.tests.length === 0) {
    throw explain(
      'tests failed',
      failed.map(test => `${test.path}:${test.row} ${test.name}: ${test.outcome} ${test.message ?? ''}`),
    );
  }
  if (report.coverage.not_covered_lines > 0) {
    const bare = Object.entries(report.coverage.files).flatMap(([path, file]) =>
      (file.not_covered ?? []).map(
        ({ start, end }) => `${path}:${start.row}-${end.row} is covered by no test`,
      ),
    );
    throw explain(`coverage is ${report.coverage.coverage} %, 100 % is needed`, bare);
  }
  console.log(
    `policies: ${report.tests.length} tests passed, all ${report.coverage.covered_lines} lines covered`,
  );
}

/** Answers whether a policy is there afterwards. */
export async function buildPolicies(): Promise<boolean> {
  const stampPath = join(POLICIES_DIR, 'stamp');
  if (!(await buildToolchain())) {
    await rm(POLICIES_DIR, { recursive: true, force: true });
    return false;
  }
  const { files, library, capabilities } = await readSources();
  const compiler = await readFile(join(TOOLCHAIN_DIR, 'stamp'), 'utf8');
  const stamp = createHash('sha256')
    .update(JSON.stringify([LAYOUT, ENTRYPOINT, FIRST_VERSION, compiler, capabilities, files, library]))
    .digest('hex');
  if ((await readFile(stampPath, 'utf8').catch(() => '')) === stamp) return true;

  const toolchain = await createToolchain({
    dir: TOOLCHAIN_DIR,
    capabilities,
    inputSchema: policyInputSchema,
    deadlineMs: 60_000,
  });
  try {
    const rego = files.filter(({ path }) => path !== DATA_PATH);
    const dataText = files.find(({ path }) => path === DATA_PATH)?.text ?? '{}';
    await prove(toolchain, rego, JSON.parse(dataText));
    await prove(toolchain, [...rego, ...library], JSON.parse(dataText));
    const built = await toolchain.build(rego, ENTRYPOINT);
    if (!built.ok) throw explain('do not build', built.errors.map(place));
    const bundle = makeBundle({
      version: FIRST_VERSION,
      entrypoint: ENTRYPOINT,
      capabilities,
      wasm: built.wasm,
      files: files.filter(({ path }) => !path.endsWith('_test.rego')),
    });
    await rm(POLICIES_DIR, { recursive: true, force: true });
    await mkdir(POLICIES_DIR, { recursive: true });
    await Promise.all([
      writeFile(join(POLICIES_DIR, 'policy.wasm'), bundle.wasm),
      writeFile(join(POLICIES_DIR, 'data.json'), bundle.data),
      writeFile(join(POLICIES_DIR, 'capabilities.json'), capabilities),
    ]);
    await writeFile(join(POLICIES_DIR, 'manifest.json'), manifestOf(bundle));
    await writeFile(stampPath, stamp);
    console.log(`policies: built ${bundle.hash} (${bundle.wasm.length} bytes)`);
    return true;
  } finally {
    await toolchain.close();
  }
}

if (import.meta.main) await buildPolicies();
