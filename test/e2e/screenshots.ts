/**
 * `npm run screenshots`: the pictures of the README and docs, in light and dark, of the real app with the sample runs.
 * Written to docs/images, or to the folder named as the first word.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { type App, openApp, openBrowser, openPage } from './browser.ts';
import { apiOf } from './page_api.ts';
import { enrolFirst, makeKey, openFor } from './people.ts';

const out = process.argv[2] ?? join(import.meta.dirname, '../../docs/images');
mkdirSync(out, { recursive: true });
const SIZE = { width: 1440, height: 860 };
type Scheme = 'light' | 'dark';

const browser = await openBrowser();
try {
  for (const scheme of ['light', 'dark'] as const) {
    await firstStart(scheme);
    await people(scheme);
    const app = await openApp();
    try {
      await everyScreen(app, scheme);
    } finally {
      await app.close();
    }
  }
} finally {
  await browser.close();
}
process.exit(0);

async function shoot(page: Page, name: string, scheme: Scheme): Promise<void> {
  // No caret, no hover, no focus of the way here.
  await page.mouse.move(0, 0);
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  await page.waitForTimeout(600);
  await page.screenshot({ path: join(out, `${name}-${scheme}.png`) });
}

async function firstStart(scheme: Scheme): Promise<void> {
  const app = await openApp({ setUp: false });
  const { page, close } = await openPage(browser, app, '/', { scheme, ...SIZE });
  await page.getByLabel('Your name').fill('Maria Keller');
  await page.getByLabel('First app to record').fill('finance-bot');
  await shoot(page, 'setup', scheme);
  await close();
  await app.close();
}

/** A second person has made a key, and the admin compares its words. */
async function people(scheme: Scheme): Promise<void> {
  const app = await openApp();
  const { page, close } = await openPage(browser, app, '/', { scheme, ...SIZE });
  await enrolFirst(page, app, 'violet planet under seven trees');
  await page.getByRole('button', { name: 'Invite' }).click();
  await page.getByRole('dialog').getByLabel('Name', { exact: true }).fill('Bruno Weiß');
  await page.getByRole('dialog').getByLabel('Other roles that approvals may ask for').fill('treasurer');
  await page.getByRole('button', { name: 'Make the link' }).click();
  const link = (await page.getByRole('dialog').locator('.code-block pre').textContent())!;
  await page.getByRole('button', { name: 'Done' }).click();
  const second = await openFor(browser, app, link);
  await makeKey(second.page, 'cold river beneath an old bridge');
  await second.theme(scheme);
  await shoot(second.page, 'key_made', scheme);
  await page.getByRole('button', { name: 'Compare and sign' }).waitFor();
  await shoot(page, 'people', scheme);
  await second.close();
  await close();
  await app.close();
}

async function everyScreen(app: App, scheme: Scheme): Promise<void> {
  const api = await apiOf(app);
  await api.call('loadSamples');
  const { page, close } = await openPage(browser, app, '/traces', { scheme, ...SIZE });
  const go = async (path: string): Promise<void> => {
    await page.goto(new URL(path, app.collector.url).href);
    await page.locator('h1').first().waitFor();
  };
  // The status bar as it stands after a minute: verified, with a checkpoint.
  await page.locator('[data-status="ledger"]', { hasText: 'Verified to' }).waitFor({ timeout: 30_000 });
  await page.locator('[data-status="checkpoint"] b').waitFor({ timeout: 30_000 });

  await go('/evidence?app=finance-bot');
  await page.getByRole('button', { name: 'Export the pack' }).click();
  await page.getByRole('button', { name: 'Save', exact: true }).waitFor();
  await page.locator('[data-status="exported"]', { hasText: 'Exported to' }).waitFor();
  await shoot(page, 'evidence', scheme);
  await page.getByRole('button', { name: 'Verify here' }).click();
  await page.locator('.verdict').first().waitFor();
  // The trust file, as it would come by another way than the pack.
  const { files } = await api.call('trust');
  const [name, text] = Object.entries(files).find(([path]) => path.endsWith('trust.json'))!;
  const [chooser] = await Promise.all([
    page.waitForEvent('filechooser'),
    page.getByRole('button', { name: 'Compare with a trust.json' }).click(),
  ]);
  await chooser.setFiles({ name, mimeType: 'application/json', buffer: Buffer.from(text) });
  await page.getByText('signed by the key you trust').waitFor();
  await shoot(page, 'verify', scheme);

  for (const screen of ['overview', 'traces', 'approvals', 'settings']) {
    await go(`/${screen}`);
    if (screen === 'approvals') await page.getByText('With exactly these arguments').waitFor();
    await shoot(page, screen, scheme);
  }

  const { items } = await api.call('traces', { query: { q: 'app:finance-bot' } });
  const run = items.find(item => item.title.startsWith('Supplier payment'))!;
  await go(`/traces/${run.run_id}`);
  await page.locator('.span', { hasText: 'send_wire' }).first().click();
  await page.getByText('Unchanged since it was recorded').waitFor();
  await shoot(page, 'trace', scheme);
  await page.getByRole('tab', { name: 'Proof' }).click();
  await page.getByText('What was checked').waitFor();
  await shoot(page, 'proof', scheme);
  await close();
}
