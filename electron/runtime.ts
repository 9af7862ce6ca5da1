/** Where Electron's runtime is, if it is: looks in node_modules only, never downloads. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The executable below a folder like node_modules/electron, or undefined. */
export const runtime = (folder: string): string | undefined => {
  const pointer = join(folder, 'path.txt');
  if (!existsSync(pointer)) return undefined;
  const file = join(folder, 'dist', readFileSync(pointer, 'utf8').trim());
  return existsSync(file) ? file : undefined;
};

/** Arguments and surroundings that ask for the browser host even where the runtime is. */
export const wantsBrowserHost = (
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
  platform: string,
): boolean =>
  args.some(arg =>
    ['--no-open', '--json', '--help', '--port', '--host', '--data', '--key-file'].includes(arg),
  ) ||
  (platform === 'linux' && !environment.DISPLAY && !environment.WAYLAND_DISPLAY);
