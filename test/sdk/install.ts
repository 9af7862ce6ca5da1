/** Builds and packs the SDK, and installs the tarball into a project, without a network. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const script = fileURLToPath(new URL('../../resources/build/sdk.ts', import.meta.url));

/** Path of the tarball. */
export async function buildSdk(): Promise<string> {
  const { stdout } = await run(process.execPath, [script]);
  return stdout.trim();
}

export async function installSdk(project: string): Promise<void> {
  const quiet = ['--offline', '--no-audit', '--no-fund', '--cache', join(project, '.cache')];
  await run('npm', ['install', await buildSdk(), ...quiet], {
    cwd: project,
    shell: process.platform === 'win32',
  });
}
