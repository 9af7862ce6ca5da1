/**
 * Builds the page into resources/generated/ui. Runs alone (`node resources/build/ui.ts`) or from `prepare`.
 * Answers the folder and its total size in bytes; throws with Vite's own message when the build fails.
 */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const GENERATED = join(ROOT, 'resources/generated/ui');

export async function buildUi(folder = GENERATED): Promise<{ folder: string; bytes: number }> {
  await build({
    configFile: join(ROOT, 'vite.config.ts'),
    root: join(ROOT, 'renderer'),
    logLevel: 'warn',
    build: { outDir: folder, emptyOutDir: true },
  });
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
