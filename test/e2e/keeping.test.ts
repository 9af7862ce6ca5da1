/** Witnesses, retention, erasing and withholding in the page: two collectors and their files; what is told is what is recorded. */
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type App, openApp, openBrowser, openPage } from './browser.ts';
import { choose, saved } from './files.ts';
import { apiOf, type PageApi } from './page_api.ts';

let browser: Browser;
let app: App;
let other: App;
let api: PageApi;

/** The collector's refusals of what these tests give it. */
const REFUSED = /status of (404|409|422)/;

beforeAll(async () => {
  browser = await openBrowser();
  app = await openApp();
  other = await openApp();
  api = await apiOf(app);
  await api.call('loadSamples');
});
afterAll(async () => {
  await browser?.close();
  await app?.close();
  await other?.close();
});

const button = (place: Page | Locator, name: string | RegExp) =>
  place.getByRole('button', { name, exact: typeof name === 'string' });

test('another TrailMix witnesses this one, by files carried both ways, and catches a changed history', async () => {
  const ours = await openPage(browser, app, '/settings?tab=witnesses', { expectNoise: REFUSED });
  const theirs = await openPage(browser, other, '/settings?tab=witnesses', { expectNoise: REFUSED });
  await ours.page.getByRole('heading', { name: 'No witness yet' }).waitFor();
  await ours.accessibleInBothThemes();

  // Over there: a name, and the line to give away.
  await theirs.page.getByLabel('Name as a witness').fill('my audit');
  await theirs.page.keyboard.press('Enter');
  await theirs.page.getByText('A name has no blanks').waitFor();
  await theirs.page.getByLabel('Name as a witness').fill('audit.example');
  await theirs.page.keyboard.press('Enter');
  const line = theirs.page.getByRole('region', { name: 'line of this witness' });
  await line.waitFor();
  const vkey = (await line.textContent())!;

  // Here: added by keyboard; a checkpoint for the stick.
  await button(ours.page, 'Add a witness').focus();
  await ours.page.keyboard.press('Enter');
  const dialog = ours.page.getByRole('dialog');
  await dialog.getByLabel('Its line').waitFor();
  await ours.page.keyboard.type('audit.example');
  await ours.page.keyboard.press('Enter');
  await dialog.getByText('Paste the whole line').waitFor();
  await ours.accessibleInBothThemes();
  await dialog.getByLabel('Its line').fill(vkey);
  await ours.page.keyboard.press('Enter');
  await dialog.waitFor({ state: 'detached' });
  await ours.page.getByText('Has cosigned nothing yet.').waitFor();
  const asked = await saved(ours.page, button(ours.page, 'Save a checkpoint for audit.example'));
  expect(asked.name).toMatch(/^audit\.example-\d+\.ask$/);

  // Over there: without knowing the log's key nothing is signed; with trust.json it is, and noted.
  await choose(theirs.page, button(theirs.page, 'Cosign a checkpoint'), [asked]);
  await theirs.page.getByText('witness_unknown').waitFor();
  const { files } = await api.call('trust');
  const trust = { name: 'trust.json', bytes: Buffer.from(files['trust.json']!) };
  const cosign = async (given: { name: string; bytes: Buffer }[]) => {
    const [download] = await Promise.all([
      theirs.page.waitForEvent('download'),
      choose(theirs.page, button(theirs.page, 'Cosign a checkpoint'), given),
    ]);
    return { name: download.suggestedFilename(), path: await download.path() };
  };
  const note = await cosign([asked, trust]);
  expect(note.name).toMatch(/\.note$/);
  await theirs.page.getByText(/the first time that this witness sees them/).waitFor();
  await theirs.accessibleInBothThemes();

  // And back.
  const [chooser] = await Promise.all([
    ours.page.waitForEvent('filechooser'),
    button(ours.page, 'Import a cosigned checkpoint').click(),
  ]);
  await chooser.setFiles(note.path);
  await ours.page.getByText(/^Cosigned the first \d+ records/).waitFor();
  await ours.accessibleInBothThemes();

  // The next one continues it, without trust.json; the first file again is smaller than what was signed.
  const next = await saved(ours.page, button(ours.page, 'Save a checkpoint for audit.example'));
  await cosign([next]);
  await theirs.page.getByText(/which continue the/).waitFor();
  await choose(theirs.page, button(theirs.page, 'Cosign a checkpoint'), [asked]);
  await theirs.page.getByText('witness_smaller').waitFor();

  await button(ours.page, 'Remove the witness audit.example').click();
  await button(dialog, 'Remove').click();
  await ours.page.getByRole('heading', { name: 'No witness yet' }).waitFor();
  for (const watched of [ours, theirs]) {
    watched.quiet();
    await watched.close();
  }
});

test('a rule shows what it would take before it is set; one event is erased from its panel', async () => {
  const watched = await openPage(browser, app, '/settings?tab=retention', { expectNoise: REFUSED });
  const { page } = watched;
  await page.getByRole('heading', { name: 'Everything is kept' }).waitFor();
  await watched.accessibleInBothThemes();
  await button(page, 'Add a rule').focus();
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('App').fill('finance-bot');
  await dialog.getByLabel('Days that bodies are kept').fill('0');
  await dialog.getByText('A number of days, from 1 to 36,500.').waitFor();
  await dialog.getByLabel('Days that bodies are kept').fill('365');
  await dialog.getByText('Nothing to erase.').waitFor();
  await watched.accessibleInBothThemes();
  await button(dialog, 'Set the rule').click();
  await dialog.waitFor({ state: 'detached' });
  await page.getByRole('row', { name: /finance-bot 1 year nothing/ }).waitFor();
  expect((await api.call('retention')).days).toEqual({ 'finance-bot': 365 });
  await button(page, 'Do now what is due').click();
  await page.getByText('Nothing was due').waitFor();
  await watched.accessibleInBothThemes();

  // Once, before a day: the second look is the app's name.
  await button(page, 'Erase bodies of an app').click();
  await dialog.getByLabel('App', { exact: true }).fill('support-bot');
  await dialog.getByLabel('Received before').fill('2001-01-01');
  await dialog.getByText('Nothing to erase.').waitFor();
  await expect.poll(() => button(dialog, 'Erase for good').isDisabled()).toBe(true);
  await watched.accessibleInBothThemes();
  await button(dialog, 'Cancel').click();

  const [record] = (
    await api.call('events', { query: { q: 'app:finance-bot type:decision.made', limit: 1 } })
  ).items;
  const [some] =
    record === undefined
      ? (await api.call('events', { query: { q: 'app:finance-bot', limit: 1 } })).items
      : [record];
  const seq = some!.seq;
  await page.goto(new URL(`/events/${seq}`, app.collector.url).href);
  await page.getByRole('tab', { name: 'Raw' }).click();
  await button(page, 'Erase what this event says…').click();
  await expect.poll(() => button(dialog, 'Erase for good').isDisabled()).toBe(true);
  await dialog.getByLabel('Reason').fill('Request of the person concerned, case 17');
  await dialog.getByRole('checkbox').check();
  await watched.accessibleInBothThemes();
  await button(dialog, 'Erase for good').click();
  await dialog.waitFor({ state: 'detached' });
  await expect
    .poll(async () => (await api.call('event', { params: { seq: String(seq) } })) as Record<string, unknown>)
    .not.toHaveProperty('source');
  await page.getByRole('tab', { name: 'Summary' }).click();
  await page.getByText('What this event said was erased').waitFor();
  await watched.accessibleInBothThemes();
  watched.quiet();
  await watched.close();
});

test('a pack leaves out the bodies that are named, with the reason', async () => {
  const watched = await openPage(browser, app, '/evidence?app=finance-bot', { expectNoise: REFUSED });
  const { page } = watched;
  const items = (await api.call('events', { query: { q: 'app:finance-bot', limit: 50 } })).items;
  const seqs = items
    .filter(record => (record as { source?: unknown }).source !== undefined)
    .slice(0, 2)
    .map(({ seq }) => seq);
  await page.getByLabel('Leave out the bodies of some events').check();
  await page.getByLabel('Event numbers').fill('none');
  await page.getByText('is no event number').waitFor();
  await expect.poll(() => button(page, 'Export the pack').isDisabled()).toBe(true);
  await page.getByLabel('Event numbers').fill(seqs.map(seq => `#${seq}`).join(', '));
  await page.getByText('2 bodies left out').waitFor();
  await page.getByLabel('Reason').fill('Trade secret of a third party');
  await watched.accessibleInBothThemes();
  await button(page, 'Export the pack').click();
  await button(page, 'Verify here').waitFor();
  await button(page, 'Verify here').click();
  await page.locator('.verdict').first().waitFor();
  await page
    .getByText(/body_withheld/)
    .first()
    .waitFor({ state: 'attached' });
  watched.quiet();
  await watched.close();
});
