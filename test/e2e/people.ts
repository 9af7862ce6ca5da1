/** People in the page, for tests of its flows: a browser for each, signing in, making and signing a key. */
import type { Browser, Page } from 'playwright-core';
import { type App, openPage, type Watched } from './browser.ts';

/** Refusals that these flows provoke; the browser notes each on the console. */
export const REFUSALS = /status of (401|403|409|429)/;

/** A browser of one's own, without a sign-in: opened at the form, or at an invitation. */
export async function openFor(browser: Browser, app: App, at = '/'): Promise<Watched> {
  const watched = await openPage(browser, app, '/', { expectNoise: REFUSALS });
  await watched.page.getByRole('heading', { name: 'Sign in' }).waitFor();
  if (at !== '/') {
    await watched.page.goto('about:blank');
    await watched.page.goto(at.startsWith('http') ? at : new URL(at, app.collector.url).href);
  }
  return watched;
}

export async function signIn(page: Page, name: string, passphrase: string): Promise<void> {
  await page.getByLabel('Sign-in name').fill(name);
  await page.getByLabel('Passphrase', { exact: true }).fill(passphrase);
  // Enter does nothing while the button is still disabled, as on a busy machine it may be.
  await page.locator('button[type=submit]:enabled').first().waitFor();
  await page.keyboard.press('Enter');
}

/** The rail says who is signed in. */
export const signedInAs = (page: Page, name: string): Promise<void> =>
  page.getByRole('button', { name: `Signed in as ${name}` }).waitFor();

/** Makes the first admin in Settings > People of a page that works alone. */
export async function enrolFirst(page: Page, app: App, passphrase: string): Promise<void> {
  await page.goto(new URL('/settings?tab=people', app.collector.url).href);
  await page.getByRole('heading', { name: 'You work alone' }).waitFor();
  await page.getByLabel('Passphrase', { exact: true }).fill(passphrase);
  await page.getByLabel('The same again').fill(passphrase);
  await page.getByRole('button', { name: 'Make my sign-in' }).click();
  await page.getByRole('button', { name: 'Invite' }).waitFor();
}

/** The words of the fingerprint on a page, in order. */
export async function fingerprintOf(page: Page): Promise<string[]> {
  const words = page.getByRole('region', { name: 'Fingerprint of the key' }).last().locator('b');
  await words.last().waitFor();
  return words.allTextContents();
}

/** The new person's part: opens the link, chooses the passphrase, makes the key. Answers the words to read out. */
export async function makeKey(page: Page, passphrase: string): Promise<string[]> {
  await page.getByLabel('Passphrase', { exact: true }).fill(passphrase);
  await page.getByLabel('The same again').fill(passphrase);
  await page.getByRole('button', { name: 'Make my key' }).click();
  await page.getByRole('heading', { name: 'Your key is made' }).waitFor();
  return fingerprintOf(page);
}

/** The admin's part in the dialog that compares and signs. Answers the words that the admin saw. */
export async function signKey(page: Page): Promise<string[]> {
  const dialog = page.getByRole('dialog', { name: /^Is this the key of/ });
  await dialog.waitFor();
  const words = await fingerprintOf(page);
  await dialog.getByRole('checkbox').check();
  await dialog.getByRole('button', { name: 'Sign the key' }).click();
  await dialog.waitFor({ state: 'detached' });
  return words;
}
