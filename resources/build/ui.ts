/**
 * Builds the page into resources/generated/ui. Runs alone (`node resources/build/ui.ts`) or from `prepare`.
 * Answers the folder and its total size in bytes; throws with Vite's own message when the build fails.
 */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

export async function buildUi(): Promise<{ folder: string; bytes: number }> {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  await build({ configFile: join(root, 'vite.config.ts'), root: join(root, 'renderer'), logLevel: 'warn' });
  const folder = join(root, 'resources/generated/ui');
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  const sizes = await Promise.all(
    names
      .filter(entry => entry.isFile())
      .map(async entry => (await stat(join(entry.parentPath, entry.name))).size),
  );
  return { folder, bytes: sizes.reduce((sum, size) => sum + size, 0) };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { bytes } = await buildUi();
  console.log(`page built: ${(bytes / 1024 / 1024).toFixed(1)} MiB in resources/generated/ui`);
}
