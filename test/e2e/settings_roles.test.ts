/** Settings > Signing and time, Witnesses, Retention by role: who sees what, who changes it and signs for it, also at twice the text. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type InputOf, type OperationName, type OutputOf, operations } from '../../core/api/operations.ts';
import { bearer, event, startTestCollector, type TestCollector } from '../http/collector.ts';
import { addPerson, enrolFirstAdmin, expectJson, type Person } from '../people/person.ts';
import { ANEW, type App, openBrowser, type Watched } from './browser.ts';
import { builtPage } from './page_build.ts';
import { openFor, signedInAs, signIn } from './people.ts';

const LONG_NAME = 'an-application-with-a-rather-long-name-and-next-to-no-records';
const LONG_URL = 'https://time-stamping-authority.example.org/a/rather/long/path/to/rfc3161/tsr';
const TABS = ['signing', 'witnesses', 'retention'] as const;

let browser: Browser;
let tm: TestCollector;
let app: App;
let ada: Person;
let olga: Person;
let otto: Person;
const pages: Watched[] = [];

/** Over the socket: before anyone is enrolled it may do everything. */
async function local<N extends OperationName>(name: N, input?: InputOf<N>): Promise<OutputOf<N>> {
  const { method, path } = operations[name];
  const body = input === undefined ? {} : { body: input };
  const answer = await tm.ask(path, { method, socket: tm.collector.socket, ...body });
  if (answer.status >= 300) throw new Error(`${name}: ${answer.text}`);
  return answer.json;
}

beforeAll(async () => {
  browser = await openBrowser();
  tm = await startTestCollector({ uiDir: await builtPage() });
  app = { collector: tm.collector, folder: tm.folder, close: () => tm.stop() };
  await local('loadSamples');
  const { apiKey } = await tm.key(LONG_NAME);
  await tm.ask('/api/events', { body: event(LONG_NAME), headers: bearer(apiKey) });
  await local('nameWitness', { name: 'example.org/department-of-internal-audit' });
  const { vkey } = await local('ownWitness');
  await local('changeWitnesses', { vkeys: [vkey!] });
  await local('changeTimestampAuthorities', { urls: [LONG_URL, 'https://tsa.example.org/tsr'] });
  await local('changeRetention', { days: { [LONG_NAME]: 30 } });
  ada = await enrolFirstAdmin(tm, { roles: ['admin'] });
  olga = await addPerson(tm, ada, { id: 'olga', roles: ['approver'] });
  otto = await addPerson(tm, ada, { id: 'otto', roles: ['auditor'] });
});
afterEach(async () => {
  for (const watched of pages.splice(0)) await watched.close();
});
afterAll(async () => {
  await browser?.close();
  await tm?.stop();
});

async function pageOf(person: Person): Promise<Watched> {
  const watched = await openFor(browser, app, '/settings');
  pages.push(watched);
  await watched.page.setViewportSize({ width: 1280, height: 800 });
  await signIn(watched.page, person.id, person.passphrase);
  await signedInAs(watched.page, person.name);
  return watched;
}

/** Changes of settings that somebody signed. */
const rulesSigned = async () =>
  expectJson<OutputOf<'events'>>(await ada.call('/api/events?q=type:ledger.settings'), 200).items.filter(
    ({ signed }) => signed !== undefined,
  );

const toTab = async (page: Page, tab: (typeof TABS)[number]): Promise<void> => {
  await page.goto(new URL(`/settings?tab=${tab}`, tm.url).href);
  await page.getByRole('heading', { name: 'Settings' }).waitFor();
};
const FIRST = {
  signing: 'The clock of this computer',
  witnesses: 'Be a witness for others',
  retention: 'How long bodies are kept',
} as const;
const there = (page: Page, tab: (typeof TABS)[number]): Promise<void> =>
  page.getByRole('heading', { name: FIRST[tab] }).waitFor();

/** What can be pressed in the chosen tab, by name, once `heading` is there. */
const pressable = (page: Page): Promise<string[]> =>
  page
    .getByRole('tabpanel')
    .locator('button:visible, input:visible, select:visible')
    .evaluateAll(all =>
      all
        .filter(one => (one as HTMLInputElement).type !== 'file')
        .map(
          one =>
            one.getAttribute('aria-label') ??
            (one.textContent || (one as HTMLInputElement).labels?.[0]?.textContent) ??
            '',
        ),
    );
const COPIES = /^Copy /;

test(
  'an auditor sees all of it, may stamp and carry files, and is told who changes the rest',
  ANEW,
  async () => {
    const watched = await pageOf(otto);
    const { page } = watched;
    await toTab(page, 'signing');
    await page.getByText('An admin changes the certificate.').waitFor();
    await page
      .getByText(/^A checkpoint is stamped .*No root certificate is kept.*An admin changes these\.$/)
      .waitFor();
    await there(page, 'signing');
    await expect
      .poll(async () => (await pressable(page)).filter(name => !COPIES.test(name)))
      .toEqual(['Stamp a checkpoint now', 'Save a request (.tsq)', 'Import a reply (.tsr with its .tsq)']);
    await watched.accessibleInBothThemes();

    await toTab(page, 'witnesses');
    await page.getByText('An admin adds and removes witnesses.').waitFor();
    await there(page, 'witnesses');
    await expect
      .poll(async () => (await pressable(page)).filter(name => !COPIES.test(name)))
      .toEqual([
        'Save a checkpoint for example.org/department-of-internal-audit',
        'Import a cosigned checkpoint',
      ]);
    await watched.accessibleInBothThemes();

    await toTab(page, 'retention');
    await page.getByText('An admin sets and removes rules, and erases bodies.').waitFor();
    await page.getByRole('cell', { name: LONG_NAME }).waitFor();
    expect(await pressable(page)).toEqual([]);
    await watched.accessibleInBothThemes();
    watched.quiet();
  },
);

test('an approver sees when records were there, and nothing of the rest', ANEW, async () => {
  const watched = await pageOf(olga);
  const { page } = watched;
  await toTab(page, 'signing');
  await there(page, 'signing');
  await page.getByRole('heading', { name: 'How exactly it is known when' }).waitFor();
  for (const heading of ['Who signs packs', 'Who dates'])
    expect([heading, await page.getByRole('heading', { name: heading, exact: true }).count()]).toEqual([
      heading,
      0,
    ]);
  expect(await pressable(page)).toEqual([]);
  for (const [tab, label] of [
    ['witnesses', 'Witnesses'],
    ['retention', 'Retention'],
  ] as const) {
    await toTab(page, tab);
    await page.getByText(`${label} is not shown to your role.`).waitFor();
    expect(await page.getByRole('tab', { name: label }).count()).toBe(0);
    await page.getByRole('heading', { name: 'Send here' }).waitFor();
  }
  await watched.accessibleInBothThemes();
  watched.quiet();
});

/** Nothing lies beside the window, the chosen tab is seen, and nothing that acts or is read is cut off. */
const clipped = (page: Page) =>
  page.evaluate(() => {
    const root = document.documentElement;
    const beside = [...document.querySelectorAll('[role=tab][aria-selected=true], [role=tabpanel] *')]
      .filter(one => one.closest('.table-scroll, pre, .visually-hidden') === null)
      .map(one => ({
        box: one.getBoundingClientRect(),
        name: `${one.tagName} ${one.textContent?.slice(0, 40)}`,
      }))
      .filter(({ box }) => box.width > 1 && (box.left < 0 || box.right > root.clientWidth + 1));
    const panel = document.querySelector('[role=tabpanel]');
    const inside = panel === null ? 0 : panel.scrollWidth - panel.clientWidth;
    return { sideways: root.scrollWidth - root.clientWidth, inside, beside: beside.map(({ name }) => name) };
  });

test('1280x800 and 200% zoom of it: nothing is cut, in both colour schemes', ANEW, async () => {
  for (const person of [ada, otto]) {
    const watched = await pageOf(person);
    const { page } = watched;
    for (const tab of TABS) {
      await toTab(page, tab);
      await there(page, tab);
      for (const size of [
        { width: 1280, height: 800 },
        { width: 640, height: 400 },
      ]) {
        await page.setViewportSize(size);
        for (const scheme of ['light', 'dark'] as const) {
          await watched.theme(scheme);
          await expect
            .poll(() => clipped(page), { message: `${person.id}, ${tab}, ${size.width}, ${scheme}` })
            .toEqual({ sideways: 0, inside: 0, beside: [] });
        }
      }
    }
    watched.quiet();
  }
});

test('an admin signs a rule and an erasure in the page; cancelling the passphrase records nothing', async () => {
  const watched = await pageOf(ada);
  const { page } = watched;
  await toTab(page, 'retention');
  // The key is open since the sign-in, until the page was loaded anew: it asks.
  const rule = `app-of-${Date.now()}`;
  await page.getByRole('button', { name: 'Add a rule' }).click();
  const dialog = page.getByRole('dialog', { name: 'Add a retention rule' });
  await dialog.getByLabel('App').fill(rule);
  await dialog.getByRole('button', { name: 'Set the rule' }).click();
  const asked = page.getByLabel(`Passphrase of ${ada.id}`);
  await asked.waitFor();
  await page.keyboard.press('Escape');
  await asked.waitFor({ state: 'detached' });
  expect(await rulesSigned()).toEqual([]);
  await dialog.getByRole('button', { name: 'Set the rule' }).click();
  await asked.fill(ada.passphrase);
  await page.keyboard.press('Enter');
  await page.getByRole('cell', { name: rule, exact: true }).waitFor();

  expect(await rulesSigned()).toMatchObject([
    { by: 'ada', signed: [{ statement: { act: 'retain', by: 'ada' } }] },
  ]);
  await page.getByRole('button', { name: `Remove the rule of ${rule}` }).click();
  await page.getByRole('cell', { name: rule, exact: true }).waitFor({ state: 'detached' });

  const [spoken] = expectJson<OutputOf<'events'>>(
    await ada.call(`/api/events?q=app:${LONG_NAME}&limit=1`),
    200,
  ).items;
  await page.goto(new URL(`/events/${spoken!.seq}`, tm.url).href);
  await page.getByRole('tab', { name: 'Raw' }).click();
  await page.getByRole('button', { name: 'Erase what this event says…' }).click();
  const sure = page.getByRole('dialog', { name: /^Erase what event/ });
  await sure.getByLabel('Reason').fill('Request of the person concerned');
  await sure.getByRole('checkbox').check();
  await sure.getByRole('button', { name: 'Erase for good' }).click();
  await asked.fill(ada.passphrase);
  await page.keyboard.press('Enter');
  await page.getByText(/says nothing any more$/).waitFor();
  const erased = await ada.call('/api/events?q=type:erasure.recorded&limit=1');
  expect(expectJson<OutputOf<'events'>>(erased, 200).items[0]).toMatchObject({
    by: 'ada',
    erasure: { seqs: [spoken!.seq], hashes: [spoken!.hash_self] },
    signed: [{ statement: { act: 'erase', reason: 'Request of the person concerned' }, signed_in: 'page' }],
  });
});
