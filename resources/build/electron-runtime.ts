/**
 * Fetches Electron's runtime, once, bounded and allowed to fail: without it the app starts in the browser
 * host. `npm run electron:fetch` tries again by hand and says why it failed.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

const limitMs = 120_000;
const electron = join(import.meta.dirname, '../../node_modules/electron');

/** The executable in node_modules, or undefined; never downloads. */
export const electronInstalled = (): boolean =>
  existsSync(join(electron, 'path.txt')) && existsSync(join(electron, 'dist'));

export const buildElectronRuntime = async (say = false): Promise<void> => {
  if (electronInstalled() || !existsSync(join(electron, 'install.js'))) return;
  const code = await new Promise<number | null>(done => {
    const child = spawn(process.execPath, [join(electron, 'install.js')], {
      stdio: say ? 'inherit' : 'ignore',
      timeout: limitMs,
      cwd: dirname(electron),
    });
    child.once('exit', done);
    child.once('error', () => done(null));
  });
  if (code !== 0) {
    console.error(
      'Electron runtime: could not be fetched here. The app starts in the browser instead; `npm run electron:fetch` tries again.',
    );
    if (say) process.exitCode = 1;
  }
};

if (import.meta.main) await buildElectronRuntime(true);
