/** The whole thread by keyboard alone: first start, a run and its proof, an approval, an export. No mouse is used. */
import { readFile } from 'node:fs/promises';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type App, openApp, openBrowser, openPage, type Watched } from './browser.ts';
import { focusOf, goBy, pressUntil, tabTo } from './keyboard.ts';

let browser: Browser;
let app: App;
let watched: Watched;
beforeAll(async () => {
  browser = await openBrowser();
  app = await openApp({ setUp: false });
  watched = await openPage(browser, app);
});
afterAll(async () => {
  await watched?.close();
  await browser?.close();
  await app?.close();
});

test('first start', async () => {
  const { page } = watched;
  await page.getByRole('heading', { name: 'Set up your ledger' }).waitFor();
  await tabTo(page, page.getByLabel('Your name'));
  await page.keyboard.type('Maria Keller');
  await tabTo(page, page.getByRole('radio', { name: 'Key file' }));
  await tabTo(page, page.getByRole('button', { name: 'Create the ledger' }));
  await page.keyboard.press('Enter');

  await page.getByRole('heading', { name: 'Write down your recovery phrase' }).waitFor();
  const words = await page.locator('.phrase b').allTextContents();
  await tabTo(page, page.getByRole('button', { name: 'I have written it down' }));
  expect(await focusOf(page)).toMatchObject({ shown: true });
  await page.keyboard.press('Enter');
  for (const field of await page.getByLabel(/^Word \d+$/).all()) {
    const label = await field.evaluate(input => (input as HTMLInputElement).labels?.[0]?.textContent ?? '');
    await tabTo(page, field);
    await page.keyboard.type(words[Number(label.replaceAll(/\D/g, '')) - 1]!);
  }
  await page.keyboard.press('Enter');

  await tabTo(page, page.getByRole('button', { name: 'I work alone for now' }));
  await page.keyboard.press('Enter');
  await tabTo(page, page.getByRole('button', { name: 'Load sample runs' }));
  await page.keyboard.press('Enter');
  await page.getByText('9 sample runs loaded').waitFor();
  await tabTo(page, page.getByRole('button', { name: 'See it in Traces' }));
  await page.keyboard.press('Enter');
  await page.getByRole('grid').waitFor();
  watched.quiet();
});

test('a run, one of its calls, and the proof', async () => {
  const { page } = watched;
  await tabTo(page, page.getByRole('grid'));
  await pressUntil(
    page,
    'ArrowDown',
    page.locator('[role=row][aria-selected=true]', { hasText: 'Supplier payment' }),
  );
  await page.keyboard.press('Enter');
  await page.getByRole('treegrid').waitFor();
  await tabTo(page, page.getByRole('treegrid'));
  await pressUntil(
    page,
    'ArrowDown',
    page.locator('[role=row][aria-selected=true]', { hasText: /^\s*send_wire/ }),
  );
  await page.keyboard.press('Enter');
  await expect.poll(() => page.evaluate(() => document.activeElement?.getAttribute('role'))).toBe('tab');
  expect(await focusOf(page)).toMatchObject({ shown: true });
  await pressUntil(page, 'ArrowRight', page.getByRole('tab', { name: 'Proof', selected: true }));
  await page.getByText('Unchanged since it was recorded; checked on this computer').waitFor();
  await tabTo(page, page.getByRole('button', { name: 'Details' }));
  await page.keyboard.press('Enter');
  await page.getByText('recorded body_hash').waitFor();
  watched.quiet();
});

test('approve', async () => {
  const { page } = watched;
  await goBy(page, 'a', '/approvals');
  await page.getByRole('button', { name: /^Approve/ }).waitFor();
  await tabTo(page, page.getByRole('button', { name: /^Approve/ }));
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog');
  await tabTo(page, dialog.getByLabel('Comment (optional)'));
  await page.keyboard.type('Bonus run checked with payroll.');
  await tabTo(page, dialog.getByRole('button', { name: 'Approve this call' }));
  await page.keyboard.press('Enter');
  await page.getByText('Approved by Maria Keller').waitFor();
  watched.quiet();
});

test('export, and save the pack', async () => {
  const { page } = watched;
  await goBy(page, 'e', '/evidence');
  await tabTo(page, page.getByRole('radio', { name: 'What did this app do, and who allowed it?' }));
  await page.keyboard.press('ArrowDown');
  await page.getByRole('radio', { name: 'Were the rules followed?', checked: true }).waitFor();
  await tabTo(page, page.getByRole('combobox', { name: 'App' }));
  await page.keyboard.press('Enter');
  await pressUntil(
    page,
    'ArrowDown',
    page.locator('[role=option][data-combobox-selected]', { hasText: 'finance-bot' }),
  );
  await page.keyboard.press('Enter');
  await expect.poll(() => new URL(page.url()).search).toContain('app=finance-bot');
  await tabTo(page, page.getByRole('button', { name: 'Last 24 hours' }));
  await page.keyboard.press('Enter');
  await tabTo(page, page.getByRole('button', { name: 'Export the pack' }));
  await page.keyboard.press('Enter');
  await tabTo(page, page.getByRole('button', { name: 'Save', exact: true }));
  const [download] = await Promise.all([page.waitForEvent('download'), page.keyboard.press('Enter')]);
  expect((await readFile((await download.path())!)).subarray(0, 2).toString()).toBe('PK');
  await page.locator('[data-status="exported"]', { hasText: 'Exported to' }).waitFor();
  watched.quiet();
});

test('Enter takes the option that is shown, also when the keys come before the list has settled', async () => {
  const { page } = watched;
  const list = page.getByRole('combobox', { name: 'App' });
  await expect.poll(() => list.inputValue()).toBe('finance-bot');
  // Keys of one task, as a busy browser hands them over: no timer of the list runs between them.
  await list.evaluate(async input => {
    for (const code of ['Enter', 'ArrowDown', 'ArrowDown']) {
      input.dispatchEvent(new KeyboardEvent('keydown', { key: code, code, bubbles: true, cancelable: true }));
      await null;
    }
  });
  const shown = page.locator('[role=option][data-combobox-selected]');
  await expect.poll(() => shown.textContent()).toBe('research-bot');
  // Timers of the list ran before this one.
  await page.evaluate(() => new Promise(done => setTimeout(done, 0)));
  await list.focus();
  await page.keyboard.press('Enter');
  await expect.poll(() => new URL(page.url()).search).toContain('app=research-bot');
  watched.quiet();
});
