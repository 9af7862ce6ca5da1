/** Pages that stand alone: a lost key file, a refused ledger, and a collector that goes away and comes back. */
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startCollector } from '../../collector/compose.ts';
import { ANEW, type App, openApp, openBrowser, openPage } from './browser.ts';
import { apiOf } from './page_api.ts';
import { builtPage } from './page_build.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser?.close());

/** The same data folder, held by a new collector. */
const again = async (app: App, port = 0): Promise<App> => {
  const collector = await startCollector({ folder: app.collector.folder, port, uiDir: await builtPage() });
  return {
    ...app,
    collector,
    async close() {
      await collector.close();
      await rm(app.folder, { recursive: true, force: true });
    },
  };
};

test(
  'a lost key file: said with its place, unlocked by the phrase, then replaced by a passphrase',
  ANEW,
  async () => {
    const app = await openApp({ setUp: false });
    const keyFile = join(app.folder, 'ledger.key');
    const { recoveryPhrase } = await app.collector.initialise(
      { kind: 'key_file', file: keyFile },
      'Maria Keller',
    );
    await app.collector.close();
    await rm(keyFile);

    const locked = await again(app);
    const watched = await openPage(browser, locked, '/', { expectNoise: /403|503/ });
    const { page } = watched;
    await page.getByRole('heading', { name: 'The key file is missing' }).waitFor();
    await page.getByText(keyFile).waitFor();
    await watched.accessibleInBothThemes();
    const field = page.getByLabel('Recovery phrase');
    await field.fill('not these words');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').getByText('not the 24 words').waitFor();
    await field.fill(recoveryPhrase);
    await page.keyboard.press('Enter');

    // It leads to where the lost file is replaced, and keeps saying so until it is.
    await page.locator('.settings-page').getByText('The key file is missing').waitFor();
    await page.locator('[data-status="custody"]', { hasText: 'Key file missing' }).waitFor();
    await watched.accessibleInBothThemes();
    await page.getByLabel('New passphrase').fill('correct horse battery');
    await page.getByLabel('The same again').fill('correct horse battery');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Key: Passphrase, typed at each start' }).waitFor();
    await page.getByText('The key file is missing').waitFor({ state: 'detached' });
    watched.quiet();
    await watched.close();
    await locked.close();
  },
);

test('a rolled-back database is refused: the page says why and what to do', ANEW, async () => {
  const app = await openApp();
  const data = app.collector.folder;
  await app.collector.close();
  const files = ['ledger.db', 'ledger.db-wal', 'ledger.db-shm'];
  for (const name of files) await cp(join(data, name), join(app.folder, name)).catch(() => {});
  const newer = await again(app);
  await (await apiOf(newer)).call('loadSamples');
  await newer.collector.close();
  for (const name of files) {
    await rm(join(data, name), { force: true });
    await cp(join(app.folder, name), join(data, name)).catch(() => {});
  }

  const refused = await again(app);
  const watched = await openPage(browser, refused, '/traces', { expectNoise: /503/ });
  const { page } = watched;
  await page.getByRole('heading', { name: 'The ledger was refused' }).waitFor();
  const reason = page.locator('.callout');
  const said = refused.collector.refusal()!;
  expect(said.code).toBe('ledger_rolled_back');
  await reason.getByText(said.message).waitFor();
  await reason.getByText('ledger_rolled_back').waitFor();
  await page.getByText('trailmix doctor').waitFor();
  await watched.accessibleInBothThemes();
  watched.quiet();
  await watched.close();
  await refused.close();
});

test('the collector goes away and comes back: the page says so, and how to sign in again', ANEW, async () => {
  const app = await openApp();
  const port = app.collector.port;
  const watched = await openPage(browser, app, '/overview', {
    expectNoise: /ERR_CONNECTION|401|Failed to load/,
  });
  const { page } = watched;
  await page.getByRole('heading', { name: 'Nothing is recorded yet' }).waitFor();
  await app.collector.close();
  await page.getByRole('button', { name: 'Collector not reachable' }).waitFor();
  await page.getByRole('button', { name: 'Collector not reachable' }).click();
  await page.getByText('trailmix start').first().waitFor();

  const back = await again(app, port);
  // Sign-ins live as long as one run of the collector.
  await page.getByRole('heading', { name: 'Your sign-in has ended' }).waitFor();
  await watched.accessibleInBothThemes();
  const link = new URL(back.collector.uiUrl());
  await page.goto(link.href);
  await page.getByRole('heading', { name: 'Nothing is recorded yet' }).waitFor();
  await page.getByRole('button', { name: /Collector not reachable/ }).waitFor({ state: 'detached' });
  watched.quiet();
  await watched.close();
  await back.close();
});
