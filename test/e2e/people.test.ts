/**
 * People in the page: the first admin enrols at the first start, a second person is invited into a browser of their own,
 * roles change, a sign-in is reset, wrong passphrases lock, an auditor sees and cannot touch. By keyboard where it counts.
 */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type App, openApp, openBrowser, openPage, type Watched } from './browser.ts';
import { focused, palette, tabTo } from './keyboard.ts';
import { fingerprintOf, makeKey, openFor, REFUSALS, signedInAs, signIn, signKey } from './people.ts';

const MARIA = 'violet planet under seven trees';
const BRUNO = 'cold river beneath an old bridge';
const BRUNO_NEW = 'quiet morning over the wide harbour';

let browser: Browser;
let app: App;
let maria: Watched;
let bruno: Watched;
/** What the page of the first admin has sent. */
const sent: string[] = [];
beforeAll(async () => {
  browser = await openBrowser();
  app = await openApp({ setUp: false });
  maria = await openPage(browser, app, '/', { expectNoise: REFUSALS, width: 1280, height: 800 });
  maria.page.on('request', request => sent.push(`${request.url()} ${request.postData() ?? ''}`));
});
afterAll(async () => {
  await maria?.close();
  await bruno?.close();
  await browser?.close();
  await app?.close();
});

const settings = (watched: Watched, tab: string) =>
  watched.page.goto(new URL(`/settings?tab=${tab}`, app.collector.url).href);

test('the first admin makes a sign-in at the first start, by keyboard', async () => {
  const { page } = maria;
  await page.getByLabel('Your name').fill('Maria Keller');
  await page.getByRole('button', { name: 'Create the ledger' }).click();
  await page.getByRole('heading', { name: 'Write down your recovery phrase' }).waitFor();
  const words = await page.locator('.phrase b').allTextContents();
  await page.getByRole('button', { name: 'I have written it down' }).click();
  for (const field of await page.getByLabel(/^Word \d+$/).all()) {
    const label = await field.evaluate(input => (input as HTMLInputElement).labels?.[0]?.textContent ?? '');
    await field.fill(words[Number(label.replaceAll(/\D/g, '')) - 1]!);
  }
  await page.keyboard.press('Enter');

  await page.getByRole('heading', { name: 'Your sign-in' }).waitFor();
  await maria.accessibleInBothThemes();
  await expect.poll(() => page.getByLabel('Sign-in name').inputValue()).toBe('maria.keller');
  await tabTo(page, page.getByLabel('Passphrase', { exact: true }));
  await page.keyboard.type('maria keller 1');
  await page.getByText('Easy to guess').waitFor();
  await page.getByLabel('Passphrase', { exact: true }).fill('');
  await page.keyboard.type(MARIA);
  await page.getByText('Hard to guess').waitFor();
  await page.keyboard.press('Enter');
  await page.getByText('The two are not the same.').waitFor();
  await tabTo(page, page.getByLabel('The same again'));
  await page.keyboard.type(MARIA);
  await page.keyboard.press('Enter');

  await page.getByText('Waiting for the first event').waitFor();
  await page.getByRole('button', { name: 'Load sample runs' }).click();
  await page.getByText('9 sample runs loaded').waitFor();
  await page.getByRole('button', { name: 'See it in Traces' }).click();
  await signedInAs(page, 'Maria Keller');
  await page.locator('[data-status="people"]', { hasText: 'Four-eyes not in force' }).waitFor();
  maria.quiet();
});

test('the passphrase is in no request and in no storage', async () => {
  const { page } = maria;
  const held = await page.evaluate(() => JSON.stringify({ ...sessionStorage, ...localStorage }));
  expect(held).not.toContain(MARIA);
  expect(sent.some(request => request.includes('/api/people/first'))).toBe(true);
  expect(sent.filter(request => request.includes(MARIA))).toEqual([]);
});

test('a second person is invited, makes a key in their own browser, and the admin signs it', async () => {
  const { page } = maria;
  await palette(maria.page, 'Invite a person');
  const dialog = page.getByRole('dialog');
  await focused(dialog.getByLabel('Name', { exact: true }));
  await page.keyboard.type('Bruno Weiß');
  await maria.accessibleInBothThemes();
  await expect.poll(() => dialog.getByLabel('Sign-in name').inputValue()).toBe('bruno.weiss');
  await dialog.getByLabel('Other roles that approvals may ask for').fill('treasurer');
  await dialog.getByLabel('Also acts as').fill('bruno@example.org');
  await page.keyboard.press('Enter');
  await dialog.getByText('shown only now').waitFor();
  await maria.accessibleInBothThemes();
  const link = (await dialog.locator('.code-block pre').textContent())!;
  await dialog.getByRole('button', { name: 'Done' }).click();
  await page.getByText('Invited', { exact: true }).waitFor();

  bruno = await openFor(browser, app, link);
  await bruno.page.getByRole('heading', { name: 'Welcome, Bruno Weiß' }).waitFor();
  await bruno.page.getByText('Maria Keller invites you').waitFor();
  await bruno.page.getByText('treasurer').waitFor();
  await expect.poll(() => new URL(bruno.page.url()).hash).toBe('');
  await bruno.accessibleInBothThemes();
  const read = await makeKey(bruno.page, BRUNO);
  expect(read).toHaveLength(8);
  await bruno.accessibleInBothThemes();
  // A reload does not lose them.
  await bruno.page.reload();
  expect(await fingerprintOf(bruno.page)).toEqual(read);

  await page.getByText('Bruno Weiß has made a key').waitFor();
  await maria.accessibleInBothThemes();
  await page.getByRole('button', { name: 'Compare and sign' }).click();
  await maria.accessibleInBothThemes();
  expect(await signKey(page)).toEqual(read);
  await page.getByText('Four-eyes is in force: 2 approvers').waitFor();

  // The page is told, and says so.
  await bruno.page.getByRole('heading', { name: 'Your key is signed' }).waitFor();
  await bruno.page.getByRole('button', { name: 'Sign in' }).click();
  await bruno.accessibleInBothThemes();
  await expect.poll(() => bruno.page.getByLabel('Sign-in name').inputValue()).toBe('bruno.weiss');
  await bruno.page.getByLabel('Passphrase', { exact: true }).fill(BRUNO);
  await bruno.page.keyboard.press('Enter');
  await signedInAs(bruno.page, 'Bruno Weiß');
  await bruno.page.locator('[data-status="people"]', { hasText: 'Four-eyes in force' }).waitFor();
  maria.quiet();
  bruno.quiet();
});

test('an approver is offered neither keys nor people to change, and makes a delegation', async () => {
  const { page } = bruno;
  await settings(bruno, 'people');
  await page.getByText('Four-eyes is in force').waitFor();
  await expect.poll(() => page.getByRole('tab', { name: 'API keys' }).count()).toBe(0);
  await expect.poll(() => page.getByRole('button', { name: 'Invite' }).count()).toBe(0);
  await page.getByRole('button', { name: 'Maria Keller' }).click();
  await page.getByRole('dialog').getByText('by themselves').waitFor();
  expect(await page.getByRole('dialog').getByRole('button', { name: 'Change name or roles' }).count()).toBe(
    0,
  );
  await page.keyboard.press('Escape');

  // The key was dropped with the page that had it: its passphrase is asked for.
  await palette(bruno.page, 'Delegate, or out of office');
  const dialog = page.getByRole('dialog', { name: 'Delegate, or out of office' });
  await dialog
    .getByText('Maria Keller')
    .or(dialog.getByLabel('To', { exact: true }))
    .first()
    .waitFor();
  await dialog.getByLabel('Reason (optional)').fill('Two weeks of holidays');
  await bruno.accessibleInBothThemes();
  await page.keyboard.press('Enter');
  const unlock = page.getByRole('dialog', { name: 'Your passphrase' });
  await unlock.waitFor();
  await bruno.accessibleInBothThemes();
  await page.keyboard.press('Escape');
  await unlock.waitFor({ state: 'detached' });
  await expect.poll(() => dialog.count()).toBe(1);
  await dialog.getByRole('button', { name: 'Sign the delegation' }).click();
  await unlock.getByLabel('Passphrase of bruno.weiss').fill('another passphrase of his');
  await page.keyboard.press('Enter');
  await unlock.getByText('This is not your passphrase').waitFor();
  await unlock.getByLabel('Passphrase of bruno.weiss').fill(BRUNO);
  await page.keyboard.press('Enter');
  await dialog.waitFor({ state: 'detached' });
  await page.getByText('Maria Keller answers for Bruno Weiß').waitFor();
  await page.getByText('Two weeks of holidays').waitFor();
  await bruno.accessibleInBothThemes();
  await page.getByRole('button', { name: /^End the delegation/ }).click();
  await page.getByText('1 ended delegation').waitFor();
  // One's own sign-ins, the wrong guess in the open session among them.
  await page.getByRole('row').filter({ hasText: 'Wrong passphrase' }).first().waitFor();
  bruno.quiet();
});

test('a change of roles is signed, ends the session, and leads back to the same place', async () => {
  const { page } = maria;
  await settings(maria, 'people');
  await page.getByRole('button', { name: 'Bruno Weiß' }).click();
  await page.getByRole('button', { name: 'Change name or roles' }).click();
  const dialog = page.getByRole('dialog', { name: 'Change Bruno Weiß' });
  await dialog.getByLabel(/^Approver/).uncheck();
  await dialog.getByLabel(/^Auditor/).check();
  await dialog.getByRole('button', { name: 'Sign the change' }).click();
  await dialog.getByText('Other roles count for approvals only').waitFor();
  await dialog.getByLabel('Other roles that approvals may ask for').fill('');
  await maria.accessibleInBothThemes();
  await dialog.getByRole('button', { name: 'Sign the change' }).click();
  const unlock = page.getByRole('dialog', { name: 'Your passphrase' });
  await unlock.getByLabel('Passphrase of maria.keller').fill(MARIA);
  await page.keyboard.press('Enter');
  await dialog.waitFor({ state: 'detached' });
  await page.getByRole('dialog').getByText('Auditor').waitFor();
  await maria.accessibleInBothThemes();
  await page.keyboard.press('Escape');
  await page.getByText('Four-eyes is not in force').waitFor();

  await bruno.page.getByRole('heading', { name: 'Your session has ended' }).waitFor();
  await bruno.accessibleInBothThemes();
  await expect.poll(() => bruno.page.getByLabel('Sign-in name').inputValue()).toBe('bruno.weiss');
  await bruno.page.getByLabel('Passphrase', { exact: true }).fill(BRUNO);
  await bruno.page.keyboard.press('Enter');
  await signedInAs(bruno.page, 'Bruno Weiß');
  await expect.poll(() => new URL(bruno.page.url()).search).toContain('tab=you');
  maria.quiet();
  bruno.quiet();
});

test('an auditor sees everything readable, and no button that changes', async () => {
  const { page } = bruno;
  const changing =
    /^(New key|Revoke|Invite|Change name or roles|Reset sign-in|Has left|Compare and sign|Delegate|Approve|Refuse|Load sample runs|Save a backup|Use a passphrase|Save diagnostics)/;
  const seen: Record<string, string> = {
    overview: 'Decisions over time',
    traces: 'Supplier payment',
    approvals: 'send_wire',
    evidence: 'Export a pack',
    'settings?tab=keys': 'my-agent',
    'settings?tab=people': 'Maria Keller',
    'settings?tab=you': 'Delegation and out of office',
    'settings?tab=custody': 'What it protects',
    'settings?tab=network': 'Listening address',
    'settings?tab=data': 'Disk use',
    'settings?tab=general': 'Time zone',
    'settings?tab=about': 'Third-party licences',
  };
  for (const [place, text] of Object.entries(seen)) {
    await page.goto(new URL(`/${place}`, app.collector.url).href);
    await signedInAs(page, 'Bruno Weiß');
    await page.locator('main').getByText(text).first().waitFor();
    // What comes by a second question is there too.
    await page.waitForLoadState('networkidle');
    const buttons = await page.getByRole('button').allTextContents();
    expect(
      buttons.filter(text => changing.test(text.trim())),
      place,
    ).toEqual([]);
    await expect.poll(() => page.getByRole('alert').count(), { message: place }).toBe(0);
  }
  await settings(bruno, 'keys');
  await page.getByText('my-agent').first().waitFor();
  await bruno.accessibleInBothThemes();
  await page.goto(new URL('/evidence', app.collector.url).href);
  await page.getByRole('button', { name: 'Export the pack' }).waitFor();
  await palette(bruno.page, 'People');
  await page.getByText('Four-eyes is not in force').waitFor();

  // The page's own token, used past what the page shows.
  const refused = await page.evaluate(async () => {
    const headers = {
      authorization: `Bearer ${sessionStorage.getItem('trailmix-session')}`,
      'content-type': 'application/json',
    };
    const body = JSON.stringify({ app_id: 'sneaky', scopes: ['ingest'] });
    const answer = await fetch('/api/keys', { method: 'POST', headers, body });
    return { status: answer.status, code: ((await answer.json()) as { code: string }).code };
  });
  expect(refused).toEqual({ status: 403, code: 'role_missing' });
  bruno.quiet();
});

test('a reset: a new key by a link, compared and signed; the old passphrase is over', async () => {
  const { page } = maria;
  await settings(maria, 'people');
  await page.getByRole('button', { name: 'Bruno Weiß' }).click();
  const before = await fingerprintOf(page);
  await page.getByRole('button', { name: 'Reset sign-in' }).click();
  await page.getByRole('button', { name: 'Make the link' }).click();
  const dialog = page.getByRole('dialog', { name: 'Link for Bruno Weiß' });
  await dialog.getByText('shown only now').waitFor();
  await maria.accessibleInBothThemes();
  const link = (await dialog.locator('.code-block pre').textContent())!;
  await dialog.getByRole('button', { name: 'Done' }).click();

  await bruno.page.goto('about:blank');
  await bruno.page.goto(link);
  await bruno.page.getByRole('heading', { name: 'A new sign-in for Bruno Weiß' }).waitFor();
  const read = await makeKey(bruno.page, BRUNO_NEW);
  expect(read).not.toEqual(before);

  await page.getByRole('dialog').getByRole('button', { name: 'Compare and sign' }).click();
  const signing = page.getByRole('dialog', { name: 'Is this the key of Bruno Weiß?' });
  expect(await fingerprintOf(page)).toEqual(read);
  await signing.getByRole('checkbox').check();
  await signing.getByRole('button', { name: 'Sign the key' }).click();
  await page.getByLabel('Passphrase of maria.keller').fill(MARIA);
  await page.keyboard.press('Enter');
  await signing.waitFor({ state: 'detached' });
  await page.keyboard.press('Escape');

  // The page is told, and says so.
  await bruno.page.getByRole('heading', { name: 'Your key is signed' }).waitFor();
  await bruno.page.getByRole('button', { name: 'Sign in' }).click();
  await bruno.page.getByLabel('Sign-in name').waitFor();
  // Nothing is called wrong before anything was tried.
  expect(await bruno.page.getByText('is wrong.').count()).toBe(0);
  await signIn(bruno.page, 'bruno.weiss', BRUNO);
  await bruno.page.getByText('The name or the passphrase is wrong.').waitFor();
  await signIn(bruno.page, 'bruno.weiss', BRUNO_NEW);
  await signedInAs(bruno.page, 'Bruno Weiß');
  maria.quiet();
  bruno.quiet();
});

test('one’s own passphrase is changed, and one signs out', async () => {
  const { page } = bruno;
  await settings(bruno, 'you');
  await page.getByLabel('Passphrase now').fill(BRUNO);
  await page.getByLabel('New passphrase').fill(BRUNO);
  await page.getByLabel('The same again').fill(BRUNO);
  await page.keyboard.press('Enter');
  await page.getByText('This is not your passphrase.').waitFor();
  await page.getByLabel('Passphrase now').fill(BRUNO_NEW);
  await page.keyboard.press('Enter');
  await page.getByText('Passphrase changed').waitFor();
  await page.getByText('New passphrase', { exact: true }).first().waitFor();
  await bruno.accessibleInBothThemes();
  await palette(bruno.page, 'Sign out');
  await page.getByRole('heading', { name: 'You are signed out' }).waitFor();
  await expect.poll(() => page.evaluate(() => sessionStorage.getItem('trailmix-session'))).toBeNull();
  bruno.quiet();
});

test('five wrong passphrases lock the name; the page counts down, and the admin sees it', async () => {
  const { page } = bruno;
  for (let attempt = 0; attempt < 5; attempt++) {
    await signIn(page, 'bruno.weiss', `wrong passphrase ${attempt}`);
    await page.getByText('The name or the passphrase is wrong.').waitFor();
  }
  await signIn(page, 'bruno.weiss', BRUNO);
  await page.getByText('Too many wrong attempts').waitFor();
  await page.getByRole('button', { name: /^Try again in \d+ s$/ }).waitFor();
  await expect.poll(() => page.getByRole('button', { name: /^Try again/ }).isDisabled()).toBe(true);
  // At once: the lock lasts 30 seconds.
  await settings(maria, 'people');
  await maria.page.getByText('Locked for now').waitFor();
  await maria.page.getByRole('button', { name: 'Bruno Weiß' }).click();
  await maria.page.getByRole('dialog').getByText('Locked after wrong attempts').waitFor();
  await bruno.accessibleInBothThemes();
  await maria.accessibleInBothThemes();
  await maria.page.keyboard.press('Escape');
  maria.quiet();
  bruno.quiet();
});

test('somebody leaves: their sign-in is over, and the last admin cannot', async () => {
  const { page } = maria;
  await page.getByRole('button', { name: 'Maria Keller', exact: false }).first().waitFor();
  await settings(maria, 'people&person=maria.keller');
  await page.getByText('The last admin neither leaves').waitFor();
  await expect.poll(() => page.getByRole('button', { name: 'Has left' }).count()).toBe(0);
  await settings(maria, 'people&person=bruno.weiss');
  await page.getByRole('button', { name: 'Has left' }).click();
  await page.getByRole('button', { name: 'Sign that they left' }).click();
  await page.getByLabel('Passphrase of maria.keller').fill(MARIA);
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').getByText('Left', { exact: true }).first().waitFor();
  await page.keyboard.press('Escape');
  await page.getByText('1 person who left').click();
  await maria.accessibleInBothThemes();
  maria.quiet();
});
