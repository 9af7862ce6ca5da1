/**
 * What time does to who is signed in: the signing key locks ten minutes after its last use, the session ends an hour after its
 * person did something. The page's clock and the collector's are moved; nobody waits.
 */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { OutputOf } from '../../core/api/operations.ts';
import { startTeam, type Team } from '../approvals/team.ts';
import { expectJson } from '../people/person.ts';
import { type App, openBrowser, type Watched } from './browser.ts';
import { builtPage } from './page_build.ts';
import { openFor, signedInAs, signIn } from './people.ts';

const MINUTE = 60_000;
const skew = { ms: 0 };

let browser: Browser;
let team: Team;
let app: App;
let watched: Watched;
let page: Page;
beforeAll(async () => {
  browser = await openBrowser();
  team = await startTeam({ uiDir: await builtPage(), clock: { now: () => Date.now() + skew.ms } });
  app = { collector: team.tm.collector, folder: team.tm.folder, close: () => team.stop() };
});
afterAll(async () => {
  await browser?.close();
  await team?.stop();
});

const signInHere = async (): Promise<void> => {
  await signIn(page, team.bob.id, team.bob.passphrase);
  await signedInAs(page, team.bob.name);
};

beforeEach(async () => {
  await watched?.close();
  watched = await openFor(browser, app);
  page = watched.page;
  // Both clocks show the same: what the page shows of times left hangs on it.
  await page.clock.install({ time: Date.now() + skew.ms });
  await page.goto(new URL('/approvals', app.collector.url).href);
  await signInHere();
});

const isActive = (request: { headers(): Record<string, string> }): boolean =>
  request.headers()['x-trailmix-active'] === '1';

/** Nobody touches the page while both clocks go on. */
async function pass(minutes: number): Promise<void> {
  await page.clock.fastForward(minutes * MINUTE);
  // The page no longer says that somebody is there; only then the collector's hour goes on.
  await page.waitForResponse(answer => !isActive(answer.request()) && answer.url().includes('/api/'));
  skew.ms += minutes * MINUTE;
}

/** Without a reload, which would drop the key. */
async function approve(asked: 'passphrase' | 'nothing'): Promise<void> {
  const { approval } = await team.agent.ask();
  const row = page.locator(`[data-approval="${approval.id}"]`);
  await row.waitFor();
  // A click on the one that is chosen already would open it.
  if ((await row.getAttribute('aria-current')) === null) await row.click();
  await page.getByRole('button', { name: 'Open for review' }).click();
  await page.locator('.approval-foot').getByRole('button', { name: 'Approve', exact: true }).click();
  await page.getByRole('button', { name: 'Approve this call' }).click();
  const field = page.getByLabel('Passphrase of bob');
  const done = page.getByRole('region', { name: 'The call' }).getByText('Approved by Name of bob');
  await field.or(done).first().waitFor();
  expect(await field.count()).toBe(asked === 'passphrase' ? 1 : 0);
  if (asked === 'passphrase') {
    await field.fill(team.bob.passphrase);
    await page.keyboard.press('Enter');
  }
  await done.waitFor();
}

test('the signing key locks ten minutes after its last use, and each use begins them anew', async () => {
  await pass(8);
  await approve('nothing');
  await pass(8);
  await approve('nothing');
  await pass(10.1);
  await approve('passphrase');
  await approve('nothing');
  watched.quiet();
});

test('the session ends an hour after a hand on the page, says so, and leads back to the same place', async () => {
  await pass(50);
  await Promise.all([
    page.waitForResponse(answer => isActive(answer.request()) && answer.url().includes('/api/')),
    page.keyboard.press('j'),
  ]);
  await pass(50);
  await page.waitForResponse(answer => answer.url().includes('/api/') && answer.status() === 200);
  await signedInAs(page, team.bob.name);
  await pass(61);
  await page.getByRole('heading', { name: 'Your session has ended' }).waitFor();
  await watched.accessibleInBothThemes();
  await expect.poll(() => page.evaluate(() => sessionStorage.getItem('trailmix-session'))).toBeNull();
  await expect.poll(() => page.getByLabel('Sign-in name').inputValue()).toBe('bob');
  await signInHere();
  await expect.poll(() => new URL(page.url()).pathname).toBe('/approvals');
  await team.ada.signIn();
  const seen = await team.ada.call('/api/people/bob/sign-ins');
  expect(expectJson<OutputOf<'signIns'>>(seen, 200).items.map(({ what }) => what)).toContain(
    'session_ended idle',
  );
  watched.quiet();
});
