/** Files in and out of the page, as a person does it: by the file dialog, by a download. */
import { readFile } from 'node:fs/promises';
import type { Locator, Page } from 'playwright-core';

export type TestFile = { name: string; bytes: Buffer };

/** Presses a button that opens the file dialog, and chooses these. */
export async function choose(page: Page, button: Locator, files: readonly TestFile[]): Promise<void> {
  await button.waitFor();
  const [chooser] = await Promise.all([page.waitForEvent('filechooser'), button.click()]);
  await chooser.setFiles(
    files.map(({ name, bytes }) => ({ name, mimeType: 'application/octet-stream', buffer: bytes })),
  );
}

/** Presses a button that saves a file, and reads it. */
export async function saved(page: Page, button: Locator): Promise<TestFile> {
  await button.waitFor();
  const [download] = await Promise.all([page.waitForEvent('download'), button.click()]);
  return { name: download.suggestedFilename(), bytes: await readFile(await download.path()) };
}
