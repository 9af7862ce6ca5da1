/**
 * People and approvals by keyboard alone, in a browser each: the first admin, a second person, two who approve, an answer that is held back,
 * a delegation made and used, an auditor who looks. No mouse is used, and every stop of Tab must show the focus.
 */
import { rm } from 'node:fs/promises';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ReviewSettings } from '../../core/api/approval_operations.ts';
import { Agent, policyFolder, QUICK } from '../approvals/team.ts';
import { ask, type TestCollector } from '../http/collector.ts';
import { type App, openApp, openBrowser, openPage, type Watched } from './browser.ts';
import { focused, goBy, palette, pressOn, stopsOf, toggle, typeInto } from './keyboard.ts';
import { fingerprintOf, openFor, REFUSALS, signedInAs } from './people.ts';

const MARIA = 'violet planet under seven trees';
const BRUNO = 'cold river beneath an old bridge';
const OLGA = 'lantern walks behind the orchard';

let browser: Browser;
let policies: string;
let app: App;
let agent: Agent;
let maria: Watched;
let bruno: Watched;
let olga: Watched;
beforeAll(async () => {
  browser = await openBrowser();
  policies = await policyFolder();
  app = await openApp({ setUp: false, policies });
  maria = await openPage(browser, app, '/', { expectNoise: REFUSALS, width: 1280, height: 800 });
});
afterAll(async () => {
  for (const watched of [maria, bruno, olga]) await watched?.close();
  await browser?.close();
  await app?.close();
  if (policies !== undefined) await rm(policies, { recursive: true, force: true });
});

const pane = ({ page }: Watched) => page.getByRole('region', { name: 'The call' });

/** Goes down the queue to this one. */
async function choose(watched: Watched, id: string): Promise<void> {
  const { page } = watched;
  const chosen = page.locator(`[data-approval="${id}"][aria-current]`);
  const current = page.locator('[data-approval][aria-current]');
  await current.waitFor();
  await page.locator(`[data-approval="${id}"]`).waitFor();
  for (let i = 0; i < 10 && (await chosen.count()) === 0; i++) {
    const before = await current.getAttribute('data-approval');
    await page.keyboard.press('j');
    await expect.poll(() => current.getAttribute('data-approval')).not.toBe(before);
  }
  await chosen.waitFor();
}

/** The admin's own page, past what it shows: the times to read stand in another test. */
async function review(settings: Partial<ReviewSettings>): Promise<void> {
  const status = await maria.page.evaluate(
    async body => {
      const headers = {
        authorization: `Bearer ${sessionStorage.getItem('trailmix-session')}`,
        'content-type': 'application/json',
      };
      return (await fetch('/api/settings/review', { method: 'POST', headers, body })).status;
    },
    JSON.stringify({ ...QUICK, ...settings }),
  );
  expect(status).toBe(200);
}

/** Invites, makes the key in the other's browser, compares and signs; the other signs in. */
async function enrol(name: string, id: string, passphrase: string, fields: () => Promise<void>) {
  const { page } = maria;
  await palette(maria.page, 'Invite a person');
  const invite = page.getByRole('dialog', { name: 'Invite a person' });
  await typeInto(page, invite.getByLabel('Name', { exact: true }), name);
  await fields();
  await pressOn(page, invite.getByRole('button', { name: 'Make the link' }));
  const made = page.getByRole('dialog', { name: `Link for ${name}` });
  const link = (await made.locator('.code-block pre').textContent())!;
  await pressOn(page, made.getByRole('button', { name: 'Done' }));
  await made.waitFor({ state: 'detached' });

  const theirs = await openFor(browser, app, link);
  await theirs.page.getByRole('heading', { name: `Welcome, ${name}` }).waitFor();
  await typeInto(theirs.page, theirs.page.getByLabel('Passphrase', { exact: true }), passphrase);
  await typeInto(theirs.page, theirs.page.getByLabel('The same again'), passphrase);
  await pressOn(theirs.page, theirs.page.getByRole('button', { name: 'Make my key' }));
  await theirs.page.getByRole('heading', { name: 'Your key is made' }).waitFor();
  const read = await fingerprintOf(theirs.page);

  await pressOn(page, page.getByRole('button', { name: 'Compare and sign' }));
  const signing = page.getByRole('dialog', { name: `Is this the key of ${name}?` });
  expect(await fingerprintOf(page)).toEqual(read);
  await toggle(page, signing.getByRole('checkbox'));
  await pressOn(page, signing.getByRole('button', { name: 'Sign the key' }));
  await signing.waitFor({ state: 'detached' });

  await theirs.page.getByRole('heading', { name: 'Your key is signed' }).waitFor();
  await pressOn(theirs.page, theirs.page.getByRole('button', { name: 'Sign in' }));
  const field = theirs.page.getByLabel('Passphrase', { exact: true });
  await field.waitFor();
  await expect.poll(() => theirs.page.getByLabel('Sign-in name').inputValue()).toBe(id);
  await typeInto(theirs.page, field, passphrase);
  await pressOn(theirs.page, theirs.page.getByRole('button', { name: 'Sign in' }));
  await signedInAs(theirs.page, name);
  return theirs;
}

test('the first admin makes the ledger and a sign-in', async () => {
  const { page } = maria;
  await typeInto(page, page.getByLabel('Your name'), 'Maria Keller');
  await typeInto(page, page.getByLabel('First app to record'), 'bot');
  await pressOn(page, page.getByRole('button', { name: 'Create the ledger' }));
  await page.getByRole('heading', { name: 'Write down your recovery phrase' }).waitFor();
  const words = await page.locator('.phrase b').allTextContents();
  await pressOn(page, page.getByRole('button', { name: 'I have written it down' }));
  await page
    .getByLabel(/^Word \d+$/)
    .first()
    .waitFor();
  for (const field of await page.getByLabel(/^Word \d+$/).all()) {
    const label = await field.evaluate(input => (input as HTMLInputElement).labels?.[0]?.textContent ?? '');
    await typeInto(page, field, words[Number(label.replaceAll(/\D/g, '')) - 1]!);
  }
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Your sign-in' }).waitFor();
  await typeInto(page, page.getByLabel('Passphrase', { exact: true }), MARIA);
  await typeInto(page, page.getByLabel('The same again'), MARIA);
  await page.keyboard.press('Enter');
  await page.getByText('Waiting for the first event').waitFor();
  const key = (await page.locator('.setup-key code').textContent())!;
  const http = { ask: (path: string, options: object) => ask(app.collector.url + path, options) };
  agent = new Agent(http as TestCollector, key);
  await pressOn(page, page.getByRole('button', { name: 'Go to the app' }));
  await signedInAs(page, 'Maria Keller');
  maria.quiet();
});

test('a second person is invited, makes a key, is compared and signed, and signs in', async () => {
  const { page } = maria;
  const invite = page.getByRole('dialog', { name: 'Invite a person' });
  bruno = await enrol('Bruno Weiß', 'bruno.weiss', BRUNO, async () => {
    await typeInto(page, invite.getByLabel('Other roles that approvals may ask for'), 'treasurer');
  });
  await bruno.page.locator('[data-status="people"]', { hasText: 'Four-eyes in force' }).waitFor();
  maria.quiet();
  bruno.quiet();
});

test('two people approve one call; the first is held back until it can have been read', async () => {
  await review({ high: { min_seconds: 600, challenge: 'confirm' } });
  const slow = await agent.ask({ payload: { amount: 1, note: 'to be read long' } });
  await goBy(maria.page, 'a', '/approvals');
  await choose(maria, slow.approval.id);
  await maria.page.getByRole('button', { name: 'Open for review' }).waitFor();
  await maria.page.keyboard.press('o');
  await pane(maria).getByText('to be read long').waitFor();
  await maria.page
    .getByRole('button', { name: /^Approve in / })
    .and(maria.page.locator(':disabled'))
    .waitFor();
  await maria.page.keyboard.press('a');
  expect(await maria.page.getByRole('dialog').count()).toBe(0);
  await maria.accessibleInBothThemes();

  await review({ high: { min_seconds: 4, challenge: 'confirm' } });
  const question = { action: 'two', payload: { amount: 48_000, note: 'invoice 7' } };
  const decided = await agent.ask(question);
  await choose(maria, decided.approval.id);
  await maria.page.getByRole('button', { name: 'Open for review' }).waitFor();
  await maria.page.keyboard.press('o');
  await pane(maria).getByText('invoice 7').waitFor();
  // The button is no stop before its time; afterwards it is one.
  const approve = pane(maria).getByRole('button', { name: 'Approve', exact: true });
  await approve.waitFor();
  await pressOn(maria.page, approve);
  const first = maria.page.getByRole('dialog', { name: 'Approve two?' });
  await typeInto(maria.page, first.getByLabel('Comment (optional)'), 'Invoice checked.');
  await maria.accessibleInBothThemes();
  await maria.page.keyboard.press('Control+Enter');
  await pane(maria).getByText('Waits for one more person').waitFor();
  expect((await agent.consume(decided, question)).json).toMatchObject({ code: 'approval_not_approved' });

  await review({});
  await goBy(bruno.page, 'a', '/approvals');
  await choose(bruno, decided.approval.id);
  await bruno.page.getByRole('button', { name: 'Open for review' }).waitFor();
  await bruno.page.keyboard.press('o');
  await pane(bruno).getByText('Invoice checked.').waitFor();
  await pane(bruno).getByRole('button', { name: 'Approve', exact: true }).waitFor();
  await bruno.page.keyboard.press('a');
  await focused(bruno.page.getByRole('dialog', { name: 'Approve two?' }));
  await bruno.page.keyboard.press('Control+Enter');
  await pane(bruno).getByText('Approved by Maria Keller and Bruno Weiß').waitFor();
  expect((await agent.consume(decided, question)).status).toBe(200);
  maria.quiet();
  bruno.quiet();
});

test('a delegation is made, and used by the other', async () => {
  const { page } = bruno;
  await palette(bruno.page, 'Delegate, or out of office');
  const dialog = page.getByRole('dialog', { name: 'Delegate, or out of office' });
  await toggle(page, dialog.getByRole('checkbox', { name: 'treasurer' }));
  await typeInto(page, dialog.getByLabel('Reason (optional)'), 'Two weeks of holidays');
  await pressOn(page, dialog.getByRole('button', { name: 'Sign the delegation' }));
  await dialog.waitFor({ state: 'detached' });
  await page.getByText('Maria Keller answers for Bruno Weiß').waitFor();

  const { approval } = await agent.ask({ action: 'treasurer', payload: { limit: 90_000 } });
  await goBy(maria.page, 'a', '/approvals');
  await choose(maria, approval.id);
  await maria.page.getByRole('button', { name: 'Open for review' }).waitFor();
  await maria.page.keyboard.press('o');
  await pane(maria).getByRole('button', { name: 'Approve', exact: true }).waitFor();
  await maria.page.keyboard.press('a');
  const answer = maria.page.getByRole('dialog', { name: 'Approve treasurer?' });
  await expect
    .poll(() => answer.getByLabel('You answer as').first().inputValue())
    .toBe('treasurer, for Bruno Weiß');
  await maria.accessibleInBothThemes();
  await pressOn(maria.page, answer.getByRole('button', { name: 'Approve this call' }));
  await pane(maria).getByText('on behalf of Bruno Weiß').waitFor();
  maria.quiet();
  bruno.quiet();
});

test('an auditor looks, and no key and no stop changes anything', async () => {
  const { page } = maria;
  const invite = page.getByRole('dialog', { name: 'Invite a person' });
  olga = await enrol('Olga Ray', 'olga.ray', OLGA, async () => {
    await toggle(page, invite.getByRole('checkbox', { name: /^Approver/ }));
    await toggle(page, invite.getByRole('checkbox', { name: /^Auditor/ }));
  });
  const { approval } = await agent.ask({ payload: { amount: 5, note: 'seen by the auditor' } });
  await goBy(olga.page, 'a', '/approvals');
  await choose(olga, approval.id);
  await pane(olga).getByText('seen by the auditor').waitFor();
  for (const key of ['a', 'd', 'r', 'o', 'c']) await olga.page.keyboard.press(key);
  const approvals = await stopsOf(olga.page);
  expect(approvals.some(stop => stop.startsWith('button one'))).toBe(true);
  expect(approvals.filter(stop => /Approve|Refuse|Open for review|Comment/.test(stop))).toEqual([]);
  expect(await olga.page.getByRole('dialog').count()).toBe(0);
  await olga.accessibleInBothThemes();
  await palette(olga.page, 'People');
  await olga.page.getByText('Four-eyes is in force').waitFor();
  const people = await stopsOf(olga.page);
  expect(people.some(stop => stop.includes('Bruno Weiß'))).toBe(true);
  expect(people.filter(stop => /Invite|Compare and sign|Delegate|New key|Revoke/.test(stop))).toEqual([]);
  const waits = await agent.view({ approval } as Parameters<Agent['view']>[0]);
  expect(waits).toMatchObject({ status: 'waiting', approved_by: 0 });
  maria.quiet();
  olga.quiet();
});
