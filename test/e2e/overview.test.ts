/** The overview: teaches when empty, then says what needs a person, and links into traces and approvals. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ANEW, type App, openApp, openBrowser, openPage } from './browser.ts';

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

test('empty, it teaches; the samples fill it', async () => {
  const watched = await openPage(browser, app, '/');
  const { page } = watched;
  await page.getByRole('heading', { name: 'Nothing is recorded yet' }).waitFor();
  await watched.accessibleInBothThemes();
  await page.getByRole('tab', { name: 'curl' }).click();
  await page.getByText('/api/events').waitFor();
  await page.getByRole('button', { name: 'Load sample runs' }).click();
  await page.getByText('1 call waits for a person').waitFor();
  await page.getByText('9 runs of 3 apps').waitFor();
  watched.quiet();
  await watched.close();
});

test('window in the address, exceptions lead into the run, bars as a table too', ANEW, async () => {
  const watched = await openPage(browser, app, '/overview');
  const { page } = watched;
  await page.getByText('9 runs of 3 apps').waitFor();
  await watched.accessibleInBothThemes();
  // Apps were last seen when their newest record came in, as the exceptions were.
  const times = page.locator('.overview-apps time, .exceptions time');
  await expect.poll(() => times.count()).toBeGreaterThan(3);
  const seenAt = await times.allTextContents();
  for (const seen of seenAt) expect(seen).toMatch(/just now|\d+ (s|min) ago/);
  await page.getByText('30 days', { exact: true }).click();
  await expect.poll(() => page.url()).toContain('days=30');
  await page.reload();
  await page.getByText('in the last 30 days').waitFor();
  await page
    .getByRole('table', { name: /Decisions/ })
    .getByRole('row')
    .nth(1)
    .waitFor({ state: 'attached' });
  await page.locator('.exceptions a').first().click();
  await expect.poll(() => new URL(page.url()).pathname).toMatch(/^\/traces\/[0-9a-f]{16}$/);
  await expect.poll(() => page.url()).toContain('seq=');
  await page.goBack();
  await page.getByRole('link', { name: 'Open approvals' }).click();
  await page.getByRole('button', { name: /^Approve/ }).waitFor();
  watched.quiet();
  await watched.close();
});

test('1280 by 800 is enough, also at twice the text', ANEW, async () => {
  const watched = await openPage(browser, app, '/overview', { width: 1280, height: 800, scheme: 'dark' });
  const { page } = watched;
  const sideways = (): Promise<boolean> =>
    page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
  for (const path of ['/overview', '/approvals', '/evidence', '/evidence?tab=verify', '/settings?tab=keys']) {
    await page.goto(new URL(path, app.collector.url).href);
    await page.locator('h1').waitFor();
    await page.setViewportSize({ width: 1280, height: 800 });
    await expect.poll(sideways).toBe(false);
    await page.setViewportSize({ width: 640, height: 400 });
    await expect.poll(sideways).toBe(false);
  }
  watched.quiet();
  await watched.close();
});
