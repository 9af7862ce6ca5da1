/** The first start as a newcomer lives it: names, custody, phrase, key, first event; then unlocking by passphrase. */

import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ANEW, type App, openApp, openBrowser, openPage } from './browser.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser?.close());

const shownWords = (page: Page): Promise<string[]> => page.locator('.phrase b').allTextContents();

async function retype(page: Page, words: string[]): Promise<void> {
  const fields = await page.getByLabel(/^Word \d+$/).all();
  expect(fields).toHaveLength(2);
  for (const field of fields) {
    const place = await field.evaluate(
      input => (input as HTMLInputElement).labels?.[0]?.textContent?.replace(/\D/g, '') ?? '',
    );
    await field.fill(words[Number(place) - 1]!);
  }
}

/** Nothing lies beside the window at 1280 x 800, nor with the text at twice its size. */
async function fits(page: Page): Promise<void> {
  const before = page.viewportSize()!;
  for (const size of [
    { width: 1280, height: 800 },
    { width: 640, height: 400 },
  ]) {
    await page.setViewportSize(size);
    await expect
      .poll(() => page.evaluate(() => document.documentElement.scrollWidth), { message: `at ${size.width}` })
      .toBeLessThanOrEqual(size.width);
  }
  await page.setViewportSize(before);
}

describe('with a key file', () => {
  let app: App;
  beforeAll(async () => {
    app = await openApp({ setUp: false });
  });
  afterAll(() => app?.close());

  test('four steps, one of them left out, then the first event turns the page live', async () => {
    const { page, quiet, accessibleInBothThemes, close } = await openPage(browser, app);
    await page.getByRole('heading', { name: 'Set up your ledger' }).waitFor();
    await expect.poll(() => new URL(page.url()).pathname).toBe('/setup');
    await expect.poll(() => new URL(page.url()).hash).toBe('');
    await accessibleInBothThemes();
    await fits(page);

    // Nothing is sent before a name is given.
    await page.getByRole('button', { name: 'Create the ledger' }).click();
    await page.getByText('Your name stands beside your approvals.').waitFor();
    expect(app.collector.phase()).toBe('setup');

    await page.getByLabel('Your name').fill('Maria Keller');
    await page.getByLabel('First app to record').fill('finance-bot');
    await page.getByRole('button', { name: 'Create the ledger' }).click();

    await page.getByRole('heading', { name: 'Write down your recovery phrase' }).waitFor();
    const words = await shownWords(page);
    expect(words).toHaveLength(24);
    await accessibleInBothThemes();
    await fits(page);
    await page.getByRole('button', { name: 'Copy' }).click();
    await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toContain(` 1. ${words[0]}`);
    await page.getByRole('button', { name: 'I have written it down' }).click();
    await retype(page, words.toReversed());
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByText('This is another word.').first().waitFor();
    await retype(page, words);
    await accessibleInBothThemes();
    await page.getByRole('button', { name: 'Continue' }).click();

    await page.getByRole('heading', { name: 'Your sign-in' }).waitFor();
    await accessibleInBothThemes();
    await fits(page);
    await page.getByRole('button', { name: 'I work alone for now' }).click();

    await page.getByText('Waiting for the first event').waitFor();
    await accessibleInBothThemes();
    await fits(page);
    const key = (await page.locator('.setup-key code').textContent())!;
    expect(key).toMatch(/^tm1\.[^.]+\.[^.]+\.[^.]+$/);
    const sent = await fetch(`${app.collector.url}/api/events`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${key.split('.').slice(0, 3).join('.')}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify({
        event_id: 'hello-1',
        session_id: 'first-steps',
        ts: '2026-11-22T10:00:00Z',
        actor_type: 'agent',
        app_id: 'finance-bot',
        name: 'hello',
      }),
    });
    expect(sent.status).toBe(201);
    await page.getByText('The first event has arrived').waitFor();
    await page.getByRole('button', { name: 'See it in Traces' }).click();
    await page.getByText('first-steps').or(page.getByText('hello')).first().waitFor();
    quiet();
    await close();
  });

  test('the phrase cannot be had again, and setup is over', async () => {
    const { page, close } = await openPage(browser, app, '/setup');
    await expect.poll(() => new URL(page.url()).pathname).toBe('/overview');
    await close();
  });
});

describe('with a passphrase, by keyboard', () => {
  test('chosen, set, and asked for at the next start', ANEW, async () => {
    const app = await openApp({ setUp: false });
    const first = await openPage(browser, app);
    const { page } = first;
    await page.getByRole('heading', { name: 'Set up your ledger' }).waitFor();
    await expect.poll(() => page.evaluate(() => document.activeElement?.tagName)).toBe('INPUT');
    await page.keyboard.type('Maria Keller');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Tab');
    await page.keyboard.type('correct horse battery');
    await page.keyboard.press('Tab');
    if ((await page.evaluate(() => document.activeElement?.tagName)) !== 'INPUT')
      await page.keyboard.press('Tab');
    await page.keyboard.type('correct horse battery');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Write down your recovery phrase' }).waitFor();
    first.quiet();
    await first.close();
    await app.collector.close();

    const { startCollector } = await import('../../collector/compose.ts');
    const again = { ...app, collector: await startCollector({ folder: app.collector.folder, port: 0 }) };
    expect(again.collector.phase()).toBe('locked');
    const second = await openPage(browser, again, '/', { expectNoise: /403|503/ });
    await second.page.getByRole('heading', { name: 'The vault is locked' }).waitFor();
    await second.accessibleInBothThemes();
    await fits(second.page);
    await second.page.getByLabel('Passphrase').fill('wrong horse battery');
    await second.page.keyboard.press('Enter');
    await second.page.getByRole('alert').getByText('does not open this vault').first().waitFor();
    await second.page.getByLabel('Passphrase').fill('correct horse battery');
    await second.page.keyboard.press('Enter');
    await second.page.getByText('Nothing is recorded yet').waitFor();
    second.quiet();
    await second.close();
    await again.close();
  });
});
