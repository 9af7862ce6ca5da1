/**
 * The page as the sources are now, built once for all test files: a folder in the system's temporary place named by the
 * newest source. Two files that build at once both succeed, the later one keeps the earlier one's folder.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildUi } from '../../resources/build/ui.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
let built: Promise<string> | undefined;

export function builtPage(): Promise<string> {
  built ??= build();
  return built;
}

async function build(): Promise<string> {
  const folder = join(tmpdir(), `trailmix-page-${await stateOfSources()}`);
  if (existsSync(join(folder, 'index.html'))) return folder;
  const fresh = await mkdtemp(join(tmpdir(), 'trailmix-page-new-'));
  await buildUi(fresh);
  try {
    await rename(fresh, folder);
  } catch {
    await rm(fresh, { recursive: true, force: true });
  }
  return folder;
}

async function stateOfSources(): Promise<string> {
  const hash = createHash('sha256').update(root);
  for (const place of ['renderer', 'core', 'collector/evidence', 'vite.config.ts', 'package-lock.json']) {
    const at = join(root, place);
    const names = (await stat(at)).isDirectory()
      ? (await readdir(at, { recursive: true, withFileTypes: true }))
          .filter(entry => entry.isFile())
          .map(entry => join(entry.parentPath, entry.name))
          .sort()
      : [at];
    for (const name of names) hash.update(`${name}\0${(await stat(name)).mtimeMs}\n`);
  }
  return hash.digest('hex').slice(0, 16);
}
