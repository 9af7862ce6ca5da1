/** `npm run package`: the app tree, then electron-builder for this platform. Needs Electron's own downloads. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { buildAppTree } from './app-tree.ts';

const root = join(import.meta.dirname, '../..');
console.error(`build/app: ${buildAppTree()} files`);
const { status } = spawnSync(
  process.execPath,
  [join(root, 'node_modules/electron-builder/cli.js'), ...process.argv.slice(2)],
  { cwd: root, stdio: 'inherit' },
);
process.exitCode = status ?? 1;
