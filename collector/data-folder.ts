/**
 * Where an installation keeps its data, and where its CLI socket is. Rules: the folder is the user's own (0700); a
 * socket's path has at most 103 bytes on macOS and 107 on Linux, so a deep folder gets its socket in a 0700 folder
 * under the temporary one, and the lock says where.
 */
import { createHash } from 'node:crypto';
import { chmod, lstat, mkdir } from 'node:fs/promises';
import { homedir, tmpdir, userInfo } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { TrailmixError } from '../core/api/errors.ts';

type Environment = { readonly [name: string]: string | undefined };

/** The platform's place for a user's data; TRAILMIX_DATA overrides it. */
export function defaultDataFolder(
  env: Environment = process.env,
  platform: NodeJS.Platform = process.platform,
  home: string = homedir(),
): string {
  const named = env.TRAILMIX_DATA;
  if (named !== undefined && named !== '') return resolve(named);
  if (platform === 'win32') return join(env.LOCALAPPDATA ?? join(home, 'AppData', 'Local'), 'Audit TrailMix');
  if (platform === 'darwin') return join(home, 'Library', 'Application Support', 'Audit TrailMix');
  const xdg = env.XDG_DATA_HOME;
  return join(xdg !== undefined && isAbsolute(xdg) ? xdg : join(home, '.local', 'share'), 'trailmix');
}

/** Makes the folder 0700 where it is missing. Throws usage when something else stands there. */
export async function makeDataFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new TrailmixError('usage', {
      where: '--data',
      message: `The data folder ${folder} cannot be made: ${(error as NodeJS.ErrnoException).code ?? 'unknown'}`,
    });
  }
}

const SOCKET_BYTES = 100;

/** Path of the CLI's socket (named pipe on Windows) for a data folder; its own folder is made 0700 where needed. */
export async function socketPath(folder: string): Promise<string> {
  const id = createHash('sha256').update(resolve(folder)).digest('hex').slice(0, 24);
  if (process.platform === 'win32') return `\\\\.\\pipe\\trailmix-${id}`;
  const near = join(resolve(folder), 'socket');
  if (Buffer.byteLength(near) <= SOCKET_BYTES) return near;
  const uid = process.getuid?.() ?? 0;
  const place = join(tmpdir(), `trailmix-${uid}`);
  await mkdir(place, { recursive: true, mode: 0o700 });
  const stat = await lstat(place);
  if (!stat.isDirectory() || stat.uid !== uid) {
    throw new TrailmixError('usage', { where: place, message: `${place} belongs to another user` });
  }
  await chmod(place, 0o700);
  return join(place, id);
}

/** The name of the OS user, for the first person of a ledger. */
export function osUserName(): string {
  try {
    return userInfo().username || 'owner';
  } catch {
    return 'owner';
  }
}
