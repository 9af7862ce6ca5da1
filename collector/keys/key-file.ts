/**
 * The key file: 32 random bytes as 64 hex characters and a newline, mode 0600, outside the data folder, so that a copy
 * of the data folder alone opens nothing. KNOWN GAP: on Windows the mode is not checked (the profile's ACL holds).
 */
import { randomBytes } from 'node:crypto';
import { mkdir, open, realpath } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { TrailmixError } from '../../core/api/errors.ts';
import { fromHex, hex, utf8 } from '../../core/proof/bytes.ts';
import { createFile } from './durable.ts';
import { SecretBytes } from './secret.ts';
import { KEY_BYTES } from './wrap.ts';

/** What of the host decides where a key file stands. */
export type KeyFileHost = {
  platform: NodeJS.Platform;
  home: string;
  env: { readonly [name: string]: string | undefined };
};

/** `$XDG_CONFIG_HOME/trailmix/keys/<ledger_id>.key`, by default under ~/.config; `%APPDATA%\trailmix-keys` on Windows. */
export function defaultKeyFile(ledgerId: string, host: KeyFileHost): string {
  const name = `${ledgerId}.key`;
  if (host.platform === 'win32') {
    return join(host.env.APPDATA ?? join(host.home, 'AppData', 'Roaming'), 'trailmix-keys', name);
  }
  const xdg = host.env.XDG_CONFIG_HOME;
  const config = xdg !== undefined && isAbsolute(xdg) ? xdg : join(host.home, '.config');
  return join(config, 'trailmix', 'keys', name);
}

/**
 * The key in the file; makes the file (and its folder, 0700) where there is none. `made` tells which.
 * Throws vault_key_exposed, vault_secret_wrong for a file of another form.
 */
export async function makeKeyFile(
  file: string,
  dataFolder: string,
): Promise<{ key: SecretBytes; made: boolean }> {
  await refuseInside(file, dataFolder);
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const key = SecretBytes.copy(randomBytes(KEY_BYTES));
  const made = await createFile(file, utf8(`${hex(key)}\n`));
  return made ? { key, made } : { key: await readKeyFile(file, dataFolder), made };
}

/** Throws vault_key_missing, vault_key_exposed, vault_secret_wrong for a file of another form. */
export async function readKeyFile(file: string, dataFolder: string): Promise<SecretBytes> {
  const handle = await open(file, 'r').catch((error: NodeJS.ErrnoException) => {
    const message =
      error.code === 'ENOENT' ? `There is no key file ${file}.` : `The key file ${file} cannot be opened.`;
    throw new TrailmixError('vault_key_missing', { where: file, message });
  });
  try {
    await refuseInside(file, dataFolder);
    const stat = await handle.stat();
    if (!stat.isFile()) throw new TrailmixError('vault_key_missing', { where: file });
    if (process.platform !== 'win32') {
      const mode = (stat.mode & 0o777).toString(8).padStart(3, '0');
      if ((stat.mode & 0o077) !== 0) {
        throw new TrailmixError('vault_key_exposed', {
          where: file,
          message: `The key file ${file} can be read or changed by others: its mode is ${mode}, not 600.`,
        });
      }
      const me = process.getuid?.();
      if (stat.uid !== me && stat.uid !== 0) {
        throw new TrailmixError('vault_key_exposed', {
          where: file,
          message: `The key file ${file} belongs to another user.`,
        });
      }
    }
    const text = stat.size <= 66 ? (await handle.readFile('latin1')).trimEnd() : '';
    if (!/^[0-9a-f]{64}$/.test(text)) {
      throw new TrailmixError('vault_secret_wrong', {
        where: file,
        message: `${file} is not a key file: it must hold 64 hex characters.`,
      });
    }
    return SecretBytes.copy(fromHex(text));
  } finally {
    await handle.close();
  }
}

async function refuseInside(file: string, dataFolder: string): Promise<void> {
  const [inner, outer] = await Promise.all([realPlace(file), realPlace(dataFolder)]);
  const path = relative(outer, inner);
  if (path === '' || (path !== '..' && !path.startsWith(`..${sep}`) && !isAbsolute(path))) {
    throw new TrailmixError('vault_key_exposed', {
      where: file,
      message: `The key file ${file} lies inside the data folder: who copies the folder has the key.`,
    });
  }
}

/** The path without links, also where its last parts do not exist yet. */
async function realPlace(path: string): Promise<string> {
  const absolute = resolve(path);
  try {
    return await realpath(absolute);
  } catch {
    const parent = dirname(absolute);
    return parent === absolute ? absolute : join(await realPlace(parent), basename(absolute));
  }
}
