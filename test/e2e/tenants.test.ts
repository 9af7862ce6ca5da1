/** Two tenants in the page: made, entered, its first admin enrolled, then the switch between them; the name always stands there. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type App, openApp, openBrowser, openPage } from './browser.ts';
import { enrolFirst, REFUSALS, signedInAs, signIn } from './people.ts';

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

test('a tenant is made, entered, and switched to', async () => {
  const watched = await openPage(browser, app, '/overview', { expectNoise: REFUSALS });
  const { page } = watched;
  await enrolFirst(page, app, 'nine quiet rivers run');
  await expect.poll(() => page.locator('.rail-tenant').count()).toBe(0);

  await page.getByRole('tab', { name: 'Tenants' }).click();
  await page.getByLabel('Name', { exact: true }).fill('Acme Ltd');
  await page.getByRole('button', { name: 'Make the tenant' }).click();
  await page.getByText('Acme Ltd').first().waitFor();
  await page.locator('.rail-tenant').getByText('default').waitFor();
  await watched.accessible();

  await page.getByRole('button', { name: 'Enrol the first admin of Acme Ltd' }).click();
  await page.locator('.rail-tenant').getByText('Acme Ltd').waitFor();
  await page.getByRole('heading', { name: 'You work alone' }).waitFor();
  await page.getByLabel('Your name').fill('Zoe Zebra');
  await page.getByLabel('Passphrase', { exact: true }).fill('ten loud rivers run');
  await page.getByLabel('The same again').fill('ten loud rivers run');
  await page.getByRole('button', { name: 'Make my sign-in' }).click();
  await signedInAs(page, 'Zoe Zebra');
  // Neither the other tenant's people nor the installation's own tab are there.
  await expect.poll(() => page.getByText('Maria Keller').count()).toBe(0);
  await expect.poll(() => page.getByRole('tab', { name: 'Tenants' }).count()).toBe(0);

  await page.getByRole('button', { name: 'Signed in as Zoe Zebra' }).click();
  await page.getByRole('menuitem', { name: 'Sign in to another tenant' }).click();
  await page.getByRole('textbox', { name: 'Tenant' }).fill('default');
  await signIn(page, 'maria.keller', 'nine quiet rivers run');
  await signedInAs(page, 'Maria Keller');
  await page.locator('.rail-tenant').getByText('default').waitFor();

  await page.getByRole('button', { name: 'Signed in as Maria Keller' }).click();
  await page.getByRole('menuitem', { name: 'Sign in to acme-ltd' }).click();
  await expect.poll(() => page.getByRole('textbox', { name: 'Tenant' }).inputValue()).toBe('acme-ltd');
  await watched.accessible();
  await signIn(page, 'zoe.zebra', 'ten loud rivers run');
  await signedInAs(page, 'Zoe Zebra');
  await page.locator('.rail-tenant').getByText('Acme Ltd').waitFor();
  watched.quiet();
});
