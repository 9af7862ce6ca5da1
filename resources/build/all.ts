/**
 * Builds everything that is not committed: `prepare` runs it after `npm ci`. Order matters only for the
 * policy bundle (needs the toolchain). Each step says what it did; a step that needs Go says so plainly and
 * leaves the rest working. Nothing here runs at start; nothing is downloaded at run time, nor by the tests.
 */
import { buildAppTree } from './app-tree.ts';
import { buildElectronRuntime } from './electron-runtime.ts';
import { buildLicences } from './notice.ts';
import { fetchOpa } from './opa.ts';
import { buildPolicies } from './policies.ts';
import { buildSdk } from './sdk.ts';
import { buildToolchain } from './toolchain.ts';
import { buildUi } from './ui.ts';
import { buildVendor } from './vendor.ts';
import { buildVerifier } from './verifier.ts';

const steps: [name: string, build: () => Promise<unknown>][] = [
  ['policy toolchain', buildToolchain],
  ['default policies', buildPolicies],
  ['modules of the real opa, for the tests', fetchOpa],
  ['licences', buildLicences],
  ['TypeScript SDK', buildSdk],
  ['user interface', buildUi],
  ['single-file verifier', buildVerifier],
  ['vendored packages', buildVendor],
  ['app tree', async () => buildAppTree()],
  ['Electron runtime', buildElectronRuntime],
];

for (const [name, build] of steps) {
  const started = performance.now();
  await build();
  console.error(`built: ${name} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
}
