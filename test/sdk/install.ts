/** Builds and packs the SDK, and installs the tarball into a project, without a network. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const script = fileURLToPath(new URL('../../resources/build/sdk.ts', import.meta.url));

export async function installSdk(project: string): Promise<void> {
  const { stdout } = await run(process.execPath, [script]);
  const quiet = ['--offline', '--no-audit', '--no-fund', '--cache', join(project, '.cache')];
  await run('npm', ['install', stdout.trim(), ...quiet], {
    cwd: project,
    shell: process.platform === 'win32',
  });
}
