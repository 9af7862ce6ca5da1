/**
 * `npm run screenshots`: the pictures of the README and docs, in light and dark, of the real app with the sample runs.
 * Written to docs/images, or to the folder named as the first word; the second names one part alone: setup, people, review,
 * policies or screens.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { startTeam } from '../approvals/team.ts';
import { type App, openApp, openBrowser, openPage } from './browser.ts';
import { apiOf } from './page_api.ts';
import { builtPage } from './page_build.ts';
import { enrolFirst, makeKey, openFor, signIn } from './people.ts';
import { shootPolicies } from './screenshots_policies.ts';

const out = process.argv[2] ?? join(import.meta.dirname, '../../docs/images');
mkdirSync(out, { recursive: true });
const SIZE = { width: 1440, height: 860 };
type Scheme = 'light' | 'dark';

const parts: Record<string, (scheme: Scheme) => Promise<void>> = {
  setup: firstStart,
  people,
  review: reviewing,
  policies: scheme => shootPolicies(browser, scheme, SIZE, (page, name) => shoot(page, name, scheme)),
  screens: everyScreen,
};
const only = process.argv[3];
const browser = await openBrowser();
try {
  for (const scheme of ['light', 'dark'] as const)
    for (const [name, take] of Object.entries(parts))
      if (only === undefined || only === name) await take(scheme);
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
  await page.getByRole('button', { name: 'Compare and sign' }).click();
  await page.getByRole('dialog', { name: /^Is this the key of/ }).waitFor();
  await shoot(page, 'compare', scheme);
  await second.close();
  await close();
  await app.close();
}

/** One approver of two has signed; the other reads, compares with the last one, and is asked a question. */
async function reviewing(scheme: Scheme): Promise<void> {
  const team = await startTeam({ uiDir: await builtPage() }, { bob: 'Bruno Weiß', cyd: 'Cynthia Okoye' });
  const app: App = { collector: team.tm.collector, folder: team.tm.folder, close: () => team.stop() };
  const wire = { iban: 'DE89 3704 0044 0532 0130 00', payee: 'Nordwind GmbH', reference: 'Invoice 2026-118' };
  const ask = (amount: number, more: object = {}) =>
    team.agent.ask({ action: 'money', session: 'supplier-run', payload: { ...wire, amount, ...more } });
  // Read for eight seconds each, but for one who does not.
  await team.settings({ high: { min_seconds: 8, challenge: 'question' } });
  const first = await ask(11_800);
  for (const person of [team.bob, team.cyd]) {
    await person.approve(first.approval.id, { role: person.id === 'bob' ? 'treasurer' : 'cfo' });
  }
  const decided = await ask(48_200, { reference: 'Invoice 2026-131', urgent: true });
  const refund = await team.agent.ask({
    action: 'two',
    risk: 'medium',
    payload: { ticket: 'refund 2231', amount: 640 },
  });
  await team.ada.approve(refund.approval.id);
  await team.agent.ask({ action: 'treasurer', payload: { limit: 90_000 } });
  await team.bob.approve(decided.approval.id, { role: 'treasurer', comment: 'Invoice checked.' });
  const { page, close, theme } = await openFor(browser, app, `/approvals?id=${decided.approval.id}`);
  await theme(scheme);
  await signIn(page, team.cyd.id, team.cyd.passphrase);
  await page.getByRole('button', { name: 'Open for review' }).click();
  await page.getByText('Against the last approved call').waitFor();
  await shoot(page, 'review', scheme);
  const approve = page.locator('.approval-foot').getByRole('button', { name: 'Approve', exact: true });
  await approve.click();
  await page.getByRole('dialog').waitFor();
  await shoot(page, 'answer', scheme);
  await page.keyboard.press('Escape');
  await close();
  const auditor = await openFor(browser, app, '/approvals?show=report');
  await auditor.theme(scheme);
  await signIn(auditor.page, team.ada.id, team.ada.passphrase);
  await auditor.page.getByRole('row').nth(1).waitFor();
  await shoot(auditor.page, 'reviews', scheme);
  await auditor.close();
  await app.close();
}

async function everyScreen(scheme: Scheme): Promise<void> {
  const app = await openApp();
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
  // The trust files, as they would come by another way than the pack.
  const { files } = await api.call('trust');
  const [chooser] = await Promise.all([
    page.waitForEvent('filechooser'),
    page.getByRole('button', { name: 'Compare with trust files' }).click(),
  ]);
  await chooser.setFiles(
    Object.entries(files).map(([name, text]) => ({
      name,
      mimeType: 'application/octet-stream',
      buffer: Buffer.from(text),
    })),
  );
  await page.getByText('against trust.json and org.pem').waitFor();
  await shoot(page, 'verify', scheme);

  // An identity of one's own, a checkpoint to stamp, a witness.
  await api.call('certificateSelf', { input: { key: 'p256', common_name: 'Evidence of Example Ltd' } });
  await api.call('changeTimestampAuthorities', {
    input: { urls: ['https://tsa.example.org/tsr', 'https://stamp.example.net/'], every_hours: 6 },
  });
  await go('/settings?tab=signing');
  await page.getByText('Signed a pack of finance-bot').waitFor();
  await shoot(page, 'signing', scheme);
  const { vkey } = await api.call('nameWitness', { input: { name: 'example.org/audit' } });
  await api.call('changeWitnesses', { input: { vkeys: [vkey!] } });
  await go('/settings?tab=witnesses');
  await page.getByText('Has cosigned nothing yet.').waitFor();
  await shoot(page, 'witnesses', scheme);

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
  await app.close();
}
