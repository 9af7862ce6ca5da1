/**
 * The desktop app for real. Runs where Electron's runtime is installed (`npm run electron:fetch`); elsewhere
 * it is skipped, and `npm test` says so loudly: the only skip allowed.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { _electron } from 'playwright-core';
import { expect, test } from 'vitest';
import { runtime } from '../../electron/runtime.ts';
import { buildAppTree } from '../../resources/build/app-tree.ts';

const executablePath = runtime(join(import.meta.dirname, '../../node_modules/electron'));

test.skipIf(!executablePath)(
  'the desktop app opens on its collector (needs the Electron runtime)',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'trailmix-desktop-'));
    const out = join(folder, 'app');
    buildAppTree(out);
    const shell = await _electron.launch({
      executablePath: executablePath!,
      args: [join(out, 'electron/main.js')],
      env: { ...process.env, TRAILMIX_DATA: join(folder, 'data') } as Record<string, string>,
    });
    try {
      const page = await shell.firstWindow();
      await page.getByRole('heading', { level: 1 }).waitFor();
      expect(await page.evaluate(() => 'require' in globalThis || 'process' in globalThis)).toBe(false);
      expect(
        await page.evaluate(() =>
          Object.keys((globalThis as { trailmixDesktop?: object }).trailmixDesktop ?? {}),
        ),
      ).toEqual(expect.arrayContaining(['choosePack', 'onOpenPack']));
    } finally {
      await shell.close();
      rmSync(folder, { recursive: true, force: true });
    }
  },
);
