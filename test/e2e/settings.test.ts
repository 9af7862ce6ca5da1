/** Settings in the page: keys, custody, network, data, general, about; each section has an address. */
import { readFile } from 'node:fs/promises';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ANEW, type App, openApp, openBrowser, openPage } from './browser.ts';
import { focused } from './keyboard.ts';
import { apiOf, type PageApi } from './page_api.ts';

let browser: Browser;
let app: App;
let api: PageApi;
beforeAll(async () => {
  browser = await openBrowser();
  app = await openApp();
  api = await apiOf(app);
});
afterAll(async () => {
  await browser?.close();
  await app?.close();
});

const sending = (key: string): Promise<Response> =>
  fetch(`${app.collector.url}/api/events`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${key.split('.').slice(0, 3).join('.')}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({
      event_id: 'settings-1',
      session_id: 's',
      ts: '2026-11-22T10:00:00Z',
      actor_type: 'agent',
      app_id: 'support-bot',
    }),
  });

test('a key is made by keyboard, shown once, works, and stops working when revoked', async () => {
  const watched = await openPage(browser, app, '/settings?tab=keys');
  const { page } = watched;
  await page.getByRole('heading', { name: 'No key yet' }).waitFor();
  await watched.accessibleInBothThemes();
  await page.getByRole('button', { name: 'New key' }).focus();
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog');
  await focused(dialog.getByRole('textbox', { name: 'App' }));
  await page.keyboard.type('Support Bot');
  await dialog.getByText('Start with a small letter').waitFor();
  await watched.accessibleInBothThemes();
  await dialog.getByRole('textbox', { name: 'App' }).fill('support-bot');
  await page.keyboard.press('Enter');
  await dialog.getByText('shown only this once').waitFor();
  await watched.accessibleInBothThemes();
  const key = (await dialog.locator('.code-block pre').first().textContent())!;
  expect((await sending(key)).status).toBe(201);
  await dialog.getByRole('button', { name: 'I have copied it' }).click();
  await dialog.waitFor({ state: 'detached' });

  const [made] = (await api.call('keys')).items;
  expect(await page.content()).not.toContain(key.split('.')[2]!);
  await page.getByRole('button', { name: `Revoke the key ${made!.id} of support-bot` }).click();
  await dialog.getByText('stops working at once').waitFor();
  await watched.accessibleInBothThemes();
  await dialog.getByRole('button', { name: 'Revoke' }).click();
  await page.getByText('1 revoked key').waitFor();
  expect((await sending(key)).status).toBe(401);
  watched.quiet();
  await watched.close();
});

test.each(['connect', 'custody', 'network', 'data', 'general', 'about'])(
  '%s has an address, and axe finds nothing serious in either theme',
  ANEW,
  async tab => {
    const watched = await openPage(browser, app, `/settings?tab=${tab}`);
    await watched.page.locator('.settings-page').waitFor();
    if (tab === 'about') {
      await watched.page.getByRole('button', { name: 'Show the licences' }).click();
      await watched.page.getByLabel('Third-party licences').waitFor();
      await watched.page.getByRole('button', { name: 'Open the glossary' }).click();
      await watched.page.getByRole('dialog').getByText('Checkpoint', { exact: true }).waitFor();
      await watched.page.keyboard.press('Escape');
      await watched.page.getByRole('dialog').waitFor({ state: 'detached' });
    }
    await watched.accessibleInBothThemes();
    watched.quiet();
    await watched.close();
  },
);

test('OTLP without a key is turned off, and the change is recorded', async () => {
  const watched = await openPage(browser, app, '/settings?tab=network');
  const { page } = watched;
  const post = (): Promise<Response> =>
    fetch(`${app.collector.url}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ resourceSpans: [] }),
    });
  expect((await post()).status).toBe(200);
  await page.getByRole('switch', { name: 'Accept OpenTelemetry without a key' }).click();
  await page.getByText('Changed and recorded.').waitFor();
  await expect.poll(async () => (await post()).status).toBe(401);
  await page.getByText('Refused', { exact: true }).waitFor();
  watched.quiet();
  await watched.close();
});

test('time zone: every time follows it', async () => {
  const watched = await openPage(browser, app, '/settings?tab=general');
  const { page } = watched;
  const zone = page
    .getByRole('combobox', { name: 'Time zone' })
    .or(page.getByLabel('Time zone', { exact: true }))
    .first();
  await zone.click();
  await zone.fill('Tokyo');
  await page.getByRole('option', { name: 'Asia/Tokyo' }).click();
  await page.getByText('Changed and recorded.').waitFor();
  expect((await api.call('settings')).time_zone).toBe('Asia/Tokyo');
  await page.getByRole('tab', { name: 'API keys' }).click();
  await page.getByText('1 revoked key').click();
  await page.locator('time', { hasText: 'Tokyo' }).first().waitFor();
  watched.quiet();
  await watched.close();
});

test('diagnostics, backup and the SDK are saved', ANEW, async () => {
  const watched = await openPage(browser, app, '/settings?tab=about');
  const { page } = watched;
  const saved = async (press: string): Promise<Buffer> => {
    const button = page.getByRole('button', { name: press });
    const [download] = await Promise.all([page.waitForEvent('download'), button.click()]);
    return readFile((await download.path())!);
  };
  const diagnostics = JSON.parse((await saved('Save diagnostics')).toString()) as { version: string };
  expect(diagnostics.version).toBe((await api.call('status')).version);
  await page.getByRole('tab', { name: 'Custody and backup' }).click();
  expect((await saved('Save a backup')).length).toBeGreaterThan(10_000);
  await page.getByRole('tab', { name: 'Connect' }).click();
  const tarball = await saved('Save the TypeScript SDK');
  expect([tarball[0], tarball[1]]).toEqual([0x1f, 0x8b]);
  watched.quiet();
  await watched.close();
});

test('the whole ledger is verified on request, and the verdicts are told', ANEW, async () => {
  const watched = await openPage(browser, app, '/settings?tab=data');
  const { page } = watched;
  await page.getByRole('button', { name: 'Verify the whole ledger' }).click();
  const verdicts = page.locator('.settings-verdicts');
  await verdicts.getByText('Integrity: Shown').waitFor();
  await verdicts.getByText('Time: Not shown').waitFor();
  await watched.accessibleInBothThemes();
  watched.quiet();
  await watched.close();
});

test('moving to a passphrase: refused while weak, then the custody says so', async () => {
  const watched = await openPage(browser, app, '/settings?tab=custody');
  const { page } = watched;
  await page.getByRole('heading', { name: 'Key: Key file outside the data folder' }).waitFor();
  await page.getByLabel('New passphrase').fill('short');
  await page.getByRole('button', { name: 'Use a passphrase' }).click();
  await page.getByText('7 more').waitFor();
  await page.getByLabel('New passphrase').fill('correct horse battery');
  await page.getByLabel('The same again').fill('correct horse battery');
  await page.getByRole('button', { name: 'Use a passphrase' }).click();
  await page.getByRole('heading', { name: 'Key: Passphrase, typed at each start' }).waitFor();
  expect(app.collector.custody()?.kind).toBe('passphrase');
  await page.getByRole('heading', { name: 'Change the passphrase' }).waitFor();
  await watched.accessibleInBothThemes();
  watched.quiet();
  await watched.close();
});
