/** The workbench where people are enrolled: saved and activated with signatures, two people where it is set, reading only. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { OutputOf } from '../../core/api/operations.ts';
import { startTestCollector, type TestCollector } from '../http/collector.ts';
import { addPerson, enrolFirstAdmin, expectJson, type Person } from '../people/person.ts';
import { emptyDraft } from './bench.ts';
import { ANEW, type App, openBrowser, type Watched } from './browser.ts';
import { builtPage } from './page_build.ts';
import { openFor, signedInAs, signIn } from './people.ts';

let browser: Browser;
let tm: TestCollector;
let app: App;
let ada: Person;
let bea: Person;
let olga: Person;
const pages: Watched[] = [];

beforeAll(async () => {
  browser = await openBrowser();
  tm = await startTestCollector({ uiDir: await builtPage() });
  app = { collector: tm.collector, folder: tm.folder, close: () => tm.stop() };
  ada = await enrolFirstAdmin(tm, { roles: ['admin', 'policy_author'] });
  bea = await addPerson(tm, ada, { id: 'bea', roles: ['policy_author'] });
  olga = await addPerson(tm, ada, { id: 'olga', roles: ['approver'] });
  await tm.key('bot', ['ingest', 'decide']);
});
afterEach(async () => {
  for (const watched of pages.splice(0)) await watched.close();
});
afterAll(async () => {
  await browser?.close();
  await tm?.stop();
});

async function pageOf(person: Person): Promise<Watched> {
  const watched = await openFor(browser, app, '/policies');
  pages.push(watched);
  await watched.page.setViewportSize({ width: 1280, height: 800 });
  await signIn(watched.page, person.id, person.passphrase);
  await signedInAs(watched.page, person.name);
  await watched.page.locator('.policy-monaco .view-lines').first().waitFor();
  return watched;
}

/** The passphrase, where the page asks for it: the key may be open since the sign-in. */
async function unlock(page: Page, person: Person, done: Promise<void>): Promise<void> {
  const field = page.getByLabel(`Passphrase of ${person.id}`);
  const asked = field.waitFor().then(() => true);
  if (await Promise.race([asked, done.then(() => false)])) {
    await field.fill(person.passphrase);
    await page.keyboard.press('Enter');
  }
  asked.catch(() => undefined);
  await done;
}

const prod = async (): Promise<OutputOf<'policyEnvironments'>['items'][number]> =>
  expectJson<OutputOf<'policyEnvironments'>>(await ada.call('/api/policies/environments'), 200).items.find(
    place => place.name === 'prod',
  )!;

test('an approver reads: no button that saves, tries or activates', ANEW, async () => {
  const watched = await pageOf(olga);
  const { page } = watched;
  await page.getByRole('heading', { name: 'The policy that ships' }).waitFor();
  await page.getByRole('button', { name: 'Compare', exact: true }).first().waitFor();
  for (const name of ['Edit as a draft', 'Run the tests', 'Save as a set', 'More'])
    expect([name, await page.getByRole('button', { name }).count()]).toEqual([name, 0]);
  await page.getByRole('tab', { name: 'Impact' }).click();
  await page.getByText('No run yet.').waitFor();
  await expect.poll(() => page.getByRole('button', { name: 'Run on recorded decisions' }).count()).toBe(0);
  await watched.accessibleInBothThemes();
  watched.quiet();
});

test('saved and asked for with one signature, in force with the second', async () => {
  expectJson(await ada.call('/api/policies/settings', { body: { four_eyes: ['prod'] } }), 200);
  const first = await pageOf(ada);
  const { page } = first;
  await page.locator('.policy-draft-menu button').click();
  await page.getByRole('menuitem', { name: 'A rule from a form' }).click();
  const form = page.getByRole('dialog', { name: 'A rule without writing Rego' });
  await form.getByRole('combobox', { name: 'Actions' }).fill('issue_refund');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  await form.getByText('package trailmix.policies.refund_limit', { exact: false }).first().waitFor();
  await form.getByRole('button', { name: 'Begin a draft with it' }).click();
  await page.getByText('5 tests passed', { exact: true }).waitFor();

  await page.getByRole('button', { name: 'Save as a set' }).click();
  const save = page.getByRole('dialog', { name: 'Save as a policy set' });
  await save.getByLabel('What changes, and why').fill('Refunds by form');
  await save.getByRole('button', { name: 'Sign and save' }).click();
  await unlock(page, ada, save.waitFor({ state: 'detached' }));
  const set = page
    .getByRole('list', { name: 'Saved sets' })
    .getByRole('listitem')
    .filter({ hasText: 'Refunds by form' });
  await set.getByRole('button', { name: /^More for/ }).click();
  await page.getByRole('menuitem', { name: 'Put in force in prod' }).click();
  const activate = page.getByRole('dialog', { name: 'Put this set in force' });
  await activate.getByText('Two people are needed here.').waitFor();
  await activate.getByLabel('Why').fill('From the first of the month.');
  await activate.getByRole('button', { name: 'Sign and ask a second person' }).click();
  await unlock(page, ada, activate.waitFor({ state: 'detached' }));
  await page.getByText('asks to put Refunds by form in force', { exact: false }).waitFor();
  await expect.poll(() => page.getByRole('button', { name: 'Look and sign' }).count()).toBe(0);
  await first.accessibleInBothThemes();
  const before = await prod();
  expect(before.pending?.by).toBe('ada');

  const second = await pageOf(bea);
  await second.page.getByRole('button', { name: 'Look and sign' }).click();
  const agree = second.page.getByRole('dialog', { name: 'Put this set in force' });
  await agree.getByText('ada asked for it.').waitFor();
  await second.accessibleInBothThemes();
  await agree.getByRole('button', { name: 'Put in force in prod' }).click();
  await unlock(second.page, bea, agree.waitFor({ state: 'detached' }));
  await expect.poll(async () => (await prod()).active?.hash).toBe(before.pending?.hash);
  expect((await prod()).active?.signed_in).toBe('page');
  first.quiet();
  second.quiet();
});

test('drafts belong to a person: who signs in next in the same browser does not see them', ANEW, async () => {
  const watched = await pageOf(ada);
  const { page } = watched;
  await emptyDraft(page);
  await page.locator('.policy-draft-menu button').click();
  await page.getByRole('menuitem', { name: 'New policy draft' }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: `Signed in as ${ada.name}` }).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await signIn(page, bea.id, bea.passphrase);
  await signedInAs(page, bea.name);
  await page
    .getByRole('heading', { name: 'The policy that ships' })
    .or(page.getByText('in force in prod'))
    .first()
    .waitFor();
  await page.locator('.policy-draft-menu button').click();
  await page.getByRole('menuitem', { name: 'Empty, with one example rule' }).waitFor();
  expect(await page.getByRole('menuitem', { name: 'New policy draft' }).count()).toBe(0);
  watched.quiet();
});
