/** Files of the workbench: a folder that is imported, one that is watched for changes, drafts of two tabs. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { createToolchain } from '../../collector/policy/toolchain.ts';
import { refundSet } from '../policy/authored.ts';
import { tarGz } from '../policy/tar.ts';
import { capabilities, SEED_PII, SEED_REFUNDS, toolchainDir } from '../policy/workshop.ts';
import { draftMenu, editor, emptyDraft, file, line, openBench, paste, RULES, tab, testsOf } from './bench.ts';
import { ANEW, type App, openApp, openBrowser, openProfiles } from './browser.ts';

let browser: Browser;
let app: App;
beforeAll(async () => {
  browser = await openBrowser();
  app = await openApp();
});
afterAll(async () => {
  await browser?.close();
  await app?.close();
});

/** Chooses a folder of this machine, as the reader does in the browser's own dialog. */
async function importFolder(page: Page, folder: string): Promise<void> {
  const [chooser] = await Promise.all([page.waitForEvent('filechooser'), draftMenu(page, 'Import a folder')]);
  await chooser.setFiles(folder);
}

test(
  'the two policies as printed: a folder is imported, and brought over in one click with the meaning of each change',
  ANEW,
  async () => {
    const place = await mkdtemp(join(tmpdir(), 'trailmix-import-'));
    const folder = join(place, 'seed');
    await mkdir(join(folder, '.git'), { recursive: true });
    await writeFile(join(folder, '.git', 'hidden.rego'), 'not rego');
    await writeFile(join(folder, 'README.md'), '# not part of a set');
    await writeFile(join(folder, 'refunds.rego'), SEED_REFUNDS);
    await writeFile(join(folder, 'pii.rego'), SEED_PII);
    const watched = await openBench(browser, app);
    const { page } = watched;
    await importFolder(page, folder);
    await page.getByRole('heading', { name: 'seed', exact: true }).waitFor();
    await file(page, 'pii.rego').waitFor();
    await file(page, 'refunds.rego').waitFor();
    await expect
      .poll(() => page.getByRole('navigation', { name: 'Files' }).getByText('hidden').count())
      .toBe(0);
    await tab(page, 'Problems').click();
    const note = page.getByText(/Rego of an older OPA \(v0\)/);
    await note.waitFor();
    await expect.poll(() => note.textContent()).toMatch(/pii\.rego, refunds\.rego|refunds\.rego, pii\.rego/);
    await page.getByRole('button', { name: 'Show the repair' }).click();
    const dialog = page.getByRole('dialog', { name: 'Bring it over to Rego v1' });
    // The exact compile error of the PII policy.
    await dialog.getByText('pii.rego:7 as Rego v0: var p declared above').waitFor();
    await dialog.getByText('changes the meaning').first().waitFor();
    await dialog.getByText('means the same').first().waitFor();
    await dialog.getByText(/\d+ changes; of \d+ inputs tried, [1-9]\d* decided differently/).waitFor();
    await watched.accessibleInBothThemes();
    await dialog.getByRole('button', { name: 'Make these changes' }).click();
    await dialog.waitFor({ state: 'detached' });
    await file(page, 'decision.rego').waitFor();
    await note.waitFor({ state: 'detached' });
    await page
      .getByRole('list', { name: 'Problems' })
      .getByRole('button', { name: /^error/ })
      .first()
      .waitFor({ state: 'detached' });
    await file(page, 'pii.rego').click();
    await line(page, 'input.payload.contains_pii == true').waitFor();
    const [download] = await Promise.all([page.waitForEvent('download'), draftMenu(page, 'Export as a zip')]);
    expect(download.suggestedFilename()).toBe('seed.zip');
    watched.quiet();
    await watched.close();
    await rm(place, { recursive: true, force: true });
  },
);

/** A real directory of this origin, given where the browser's own dialog would be. */
async function giveFolder(page: Page): Promise<void> {
  await page.addInitScript(() => {
    (globalThis as { showDirectoryPicker?: unknown }).showDirectoryPicker = async () =>
      (await navigator.storage.getDirectory()).getDirectoryHandle('policies', { create: true });
  });
  await page.reload();
  await editor(page).waitFor();
}

/** Another program writes or removes a file of the folder. */
const outside = (page: Page, name: string, text: string | undefined): Promise<void> =>
  page.evaluate(
    async given => {
      const top = await navigator.storage.getDirectory();
      const folder = await top.getDirectoryHandle('policies', { create: true });
      if (given.text === undefined) return folder.removeEntry(given.name);
      const handle = await folder.getFileHandle(given.name, { create: true });
      const writable = await handle.createWritable();
      await writable.write(given.text);
      await writable.close();
    },
    { name, text },
  );
const textOutside = (page: Page, name: string): Promise<string> =>
  page.evaluate(async given => {
    const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle('policies');
    return (await (await folder.getFileHandle(given)).getFile()).text();
  }, name);

test(
  'a watched folder: changes are shown and taken, both sides are never written over unseen',
  ANEW,
  async () => {
    const profiles = await openProfiles();
    onTestFinished(() => profiles.close());
    const watched = await openBench(profiles, app);
    const { page } = watched;
    await giveFolder(page);
    await outside(page, 'rules.rego', RULES);
    await outside(page, 'rules_test.rego', testsOf('99'));
    await draftMenu(page, 'Watch a folder');
    await page.getByRole('heading', { name: 'policies', exact: true }).waitFor();
    const part = page.getByRole('region', { name: 'Watched folder' });
    await part.getByText('The same as the draft.').waitFor();
    await watched.accessibleInBothThemes();

    // Another program changes a file: shown line by line, taken on request, not before.
    await outside(page, 'rules.rego', RULES.replaceAll('100', '200'));
    await part.getByText('1 file changed there').waitFor();
    await line(page, 'amount > 100').waitFor();
    await part.getByRole('button', { name: 'Show changes' }).click();
    const dialog = page.getByRole('dialog', { name: 'The folder “policies” and the draft' });
    const shut = async (): Promise<void> => {
      await page.keyboard.press('Escape');
      await dialog.waitFor({ state: 'detached' });
    };
    const lines = dialog.getByRole('region', { name: 'Changed lines of rules.rego' });
    await lines.getByText('input.payload.amount > 200').waitFor();
    await watched.accessibleInBothThemes();
    await dialog.getByRole('button', { name: 'Take 1 file into the draft' }).click();
    await dialog.getByText('Both are the same.').waitFor();
    await shut();
    await line(page, 'amount > 200').waitFor();

    // The draft changes, and the page is opened anew: the folder is still beside it, and is written on request.
    await file(page, 'rules.rego').click();
    await paste(page, RULES.replaceAll('100', '300'));
    await part.getByText('1 changed here').waitFor();
    await page.reload();
    await part.getByText('1 changed here').waitFor();
    await part.getByRole('button', { name: 'Show changes' }).click();
    await dialog.getByRole('button', { name: 'Write 1 file into the folder' }).click();
    await dialog.getByText('Both are the same.').waitFor();
    await shut();
    await expect.poll(() => textOutside(page, 'rules.rego')).toBe(RULES.replaceAll('100', '300'));

    // Both change: nothing is settled before the reader says whose text counts.
    await outside(page, 'rules.rego', RULES.replaceAll('100', '400'));
    await file(page, 'rules.rego').click();
    await paste(page, RULES.replaceAll('100', '500'));
    await part.getByText('1 on both sides').waitFor();
    await part.getByRole('button', { name: 'Show changes' }).click();
    await dialog.getByText('changed on both sides').waitFor();
    await expect
      .poll(() => dialog.getByRole('button', { name: 'Take 0 files into the draft' }).isDisabled())
      .toBe(true);
    await watched.accessibleInBothThemes();
    await dialog.getByText('The draft’s', { exact: true }).click();
    await dialog.getByRole('button', { name: 'Write 1 file into the folder' }).click();
    await dialog.getByText('Both are the same.').waitFor();
    await expect.poll(() => textOutside(page, 'rules.rego')).toBe(RULES.replaceAll('100', '500'));
    await shut();

    // A file that goes is a change too.
    await outside(page, 'rules_test.rego', undefined);
    await part.getByText('1 file changed there').waitFor();
    await part.getByRole('button', { name: 'Show changes' }).click();
    await dialog.getByText('not in the folder').waitFor();
    await dialog.getByRole('button', { name: 'Take 1 file into the draft' }).click();
    await shut();
    await file(page, 'rules_test.rego').waitFor({ state: 'detached' });
    await part.getByRole('button', { name: 'Stop watching' }).click();
    await part.waitFor({ state: 'detached' });
    watched.quiet();
    await watched.close();
  },
);

test('two tabs with one draft: each shows what the other wrote, and says so', ANEW, async () => {
  const watched = await openBench(browser, app);
  const { page, context } = watched;
  await emptyDraft(page);
  const other = await context.newPage();
  await other.goto(page.url());
  const session = await page.evaluate(() => sessionStorage.getItem('trailmix-session'));
  await other.evaluate(held => sessionStorage.setItem('trailmix-session', held ?? ''), session);
  await other.goto(page.url());
  await line(other, 'issue_refund').waitFor();
  await paste(other, `${RULES}\n# by the other tab\n`);
  await line(page, 'by the other tab').waitFor();
  await page.getByText('also written in another tab').waitFor();
  await watched.accessibleInBothThemes();
  await paste(page, `${RULES}\n# by this tab\n`);
  await line(other, 'by this tab').waitFor();
  await other.getByText('also written in another tab').waitFor();
  watched.quiet();
  await watched.close();
});

test('a bundle of someone’s own opa is read, what it holds is shown, and saved as a set', ANEW, async () => {
  const toolchain = await createToolchain({ dir: toolchainDir, capabilities, deadlineMs: 120_000 });
  const built = await toolchain.build([...refundSet(40)], 'trailmix/decision');
  await toolchain.close();
  if (!built.ok) throw new Error(JSON.stringify(built.errors));
  const manifest = '{"roots":[""],"wasm":[{"entrypoint":"trailmix/decision","module":"/policy.wasm"}]}';
  const whole = tarGz([
    { name: '/data.json', content: '{}' },
    { name: '/policy.wasm', content: built.wasm },
    { name: '/.manifest', content: manifest },
    { name: '/refunds.rego', content: 'package trailmix\n' },
  ]);
  const watched = await openBench(browser, app, '/policies', /status of 4(09|22)/);
  const { page } = watched;
  await draftMenu(page, 'Import an OPA bundle');
  const dialog = page.getByRole('dialog', { name: 'Import an OPA bundle' });
  const choose = async (label: string, name: string, buffer: Buffer): Promise<void> => {
    const [chooser] = await Promise.all([
      page.waitForEvent('filechooser'),
      dialog.getByRole('button', { name: label }).click(),
    ]);
    await chooser.setFiles({ name, mimeType: 'application/gzip', buffer });
  };
  await choose('Bundle', 'broken.tar.gz', whole.subarray(0, 100));
  await dialog
    .getByText(/cannot be used/)
    .first()
    .waitFor();
  await expect.poll(() => dialog.getByRole('button', { name: 'Save the set' }).isDisabled()).toBe(true);
  await watched.accessibleInBothThemes();
  await choose('Bundle', 'bundle.tar.gz', whole);
  await dialog.getByText('none in it').waitFor();
  await dialog.getByText('It has no tests.').waitFor();
  await watched.accessibleInBothThemes();
  await dialog.getByLabel('What it is, and why').fill('Release 7 of our pipeline');
  await dialog.getByRole('button', { name: 'Save the set' }).click();
  await dialog.waitFor({ state: 'detached' });
  await page.getByRole('heading', { name: 'Release 7 of our pipeline' }).waitFor();
  await file(page, 'refunds.rego').waitFor();
  watched.quiet();
  await watched.close();
});
