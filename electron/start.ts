/**
 * `npm start`: the desktop app where Electron's runtime is in node_modules, else the browser host. Looks
 * only, never downloads. Arguments go on unchanged; `--no-open`, `--json` or no display mean the browser host.
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const electron = join(root, 'node_modules', 'electron');

/** The executable of the runtime, or undefined. */
export const runtime = (folder = electron): string | undefined => {
  const pointer = join(folder, 'path.txt');
  if (!existsSync(pointer)) return undefined;
  const file = join(folder, 'dist', readFileSync(pointer, 'utf8').trim());
  return existsSync(file) ? file : undefined;
};

const headless = (args: string[]) =>
  args.some(arg => ['--no-open', '--json', '--help'].includes(arg)) ||
  (process.platform === 'linux' && !process.env.DISPLAY && !process.env.WAYLAND_DISPLAY);

if (import.meta.main) {
  const args = process.argv.slice(2);
  const shell = headless(args) ? undefined : runtime();
  if (!shell && !headless(args))
    console.error(
      'The desktop runtime is not installed (npm run electron:fetch); starting in your browser instead.',
    );
  const child = shell
    ? spawn(shell, [join(root, 'build/app/electron/main.js'), ...args], { stdio: 'inherit' })
    : spawn(process.execPath, [join(root, 'cli/main.ts'), 'start', ...args], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  child.once('exit', code => {
    process.exitCode = code ?? 1;
  });
}
