/** Approvals by people in real browsers: two answer, one by keyboard alone; held back, refused, delegated, looked at only. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { openedBy, send, startTeam, statementFor, type Team } from '../approvals/team.ts';
import { addPerson, expectJson, type Person } from '../people/person.ts';
import { ANEW, type App, openBrowser, type Watched } from './browser.ts';
import { focused } from './keyboard.ts';
import { builtPage } from './page_build.ts';
import { answersTo, approve, approveByKey, call, codeIn, reviewPage, toOpen } from './reviewing.ts';

let browser: Browser;
let team: Team;
let app: App;
let auditor: Person;
const pages: Watched[] = [];

beforeAll(async () => {
  browser = await openBrowser();
  team = await startTeam({ uiDir: await builtPage() });
  app = { collector: team.tm.collector, folder: team.tm.folder, close: () => team.stop() };
  auditor = await addPerson(team.tm, team.ada, { id: 'olga', roles: ['auditor'] });
});
afterEach(async () => {
  for (const watched of pages.splice(0)) await watched.close();
  await team.settings({});
});
afterAll(async () => {
  await browser?.close();
  await team?.stop();
});

/** A browser of this person's own, signed in, on Approvals; closed after the test. */
async function pageOf(person: Person, at?: string): Promise<Watched> {
  const watched = await reviewPage(browser, app, person, at);
  pages.push(watched);
  return watched;
}

const chosen = (page: Page, id: string): Promise<void> =>
  page.locator(`[data-approval="${id}"][aria-current]`).waitFor();
const answersOf = (id: string) => answersTo(team, id);

test('two people approve: one by mouse, one by keyboard alone; signed, and shown as recorded', async () => {
  const other = await team.agent.ask({ action: 'one', payload: { amount: 1 } });
  const decided = await team.agent.ask({
    action: 'money',
    payload: { amount: 48_000, iban: 'DE02', note: 'invoice 7' },
  });
  const { id } = decided.approval;
  const bob = await pageOf(team.bob, `/approvals?id=${id}`);
  await chosen(bob.page, id);
  await call(bob.page).getByText('Waits for 2 people with the role cfo or treasurer').waitFor();
  // Closed until it is opened: no arguments, and no answer.
  expect(await call(bob.page).getByText('invoice 7').count()).toBe(0);
  await bob.accessibleInBothThemes();
  await bob.page.getByRole('button', { name: 'Open for review' }).click();
  await call(bob.page).getByText('invoice 7').waitFor();
  await bob.accessibleInBothThemes();
  await approve(bob.page);
  const dialog = bob.page.getByRole('dialog');
  await dialog.getByLabel('Comment (optional)').fill('Invoice checked.');
  await bob.accessibleInBothThemes();
  await dialog.getByRole('button', { name: 'Approve this call' }).click();
  await call(bob.page).getByText('Waits for one more person').waitFor();
  await call(bob.page).getByText('signed with their own key').waitFor();
  await bob.accessibleInBothThemes();

  const cyd = await pageOf(team.cyd);
  const { page } = cyd;
  await chosen(page, other.approval.id);
  await page.keyboard.press('/');
  await focused(page.getByLabel('Search approvals'));
  await page.keyboard.type('money');
  await page.keyboard.press('Enter');
  await chosen(page, id);
  await toOpen(page).waitFor();
  await page.keyboard.press('c');
  await focused(page.getByLabel('Comment, without answering'));
  await page.keyboard.type('Called the vendor.');
  await page.keyboard.press('Control+Enter');
  await call(page).getByText('Called the vendor.').waitFor();
  await page.keyboard.press('Escape');
  await toOpen(page).waitFor();
  await page.keyboard.press('o');
  await call(page).getByText('invoice 7').waitFor();
  await approveByKey(page);
  await page.keyboard.press('Control+Enter');
  await call(page).getByText('Approved by Name of bob and Name of cyd').waitFor();
  expect(await answersOf(id)).toMatchObject([
    { by: 'bob', verdict: 'approve', signed_in: 'page', four_eyes: true, comment: 'Invoice checked.' },
    { by: 'cyd', verdict: 'approve', signed_in: 'page', four_eyes: true },
  ]);
  const [first] = await answersOf(id);
  expect(first).toMatchObject({
    statement: {
      role: 'treasurer',
      review: { client: { focused_seconds: expect.any(Number), scrolled_to_end: true } },
    },
  });
  const used = { action: 'money', payload: { amount: 48_000, iban: 'DE02', note: 'invoice 7' } };
  expectJson(await team.agent.consume(decided, used), 200);
  await call(page).getByText('What came of the call was not reported').waitFor();
  expectJson(await team.agent.outcome(decided), 200);
  await call(page).getByText('ran and reported success').waitFor();

  // The next of its kind is compared with it.
  const next = await team.agent.ask({
    action: 'money',
    payload: { amount: 52_000, iban: 'DE02', cc: 'x' },
  });
  await page.goto(new URL(`/approvals?id=${next.approval.id}`, app.collector.url).href);
  await page.getByRole('button', { name: 'Open for review' }).click();
  await call(page).getByText('1 changed, 1 new, 1 gone').waitFor();
  await call(page).getByText('was 48000').waitFor();
  await cyd.accessibleInBothThemes();

  // One's own history.
  await page.getByText('My answers', { exact: true }).click();
  await page.locator(`[data-approval="${id}"]`).waitFor();
  bob.quiet();
  cyd.quiet();
});

test('a rushed answer is held back by the button, and by the collector when it is forged', ANEW, async () => {
  await team.settings({ high: { min_seconds: 600, challenge: 'confirm' } });
  const { approval } = await team.agent.ask();
  const { page } = await pageOf(team.bob, `/approvals?id=${approval.id}`);
  await toOpen(page).click();
  await page
    .getByRole('button', { name: /^Approve in / })
    .and(page.locator(':disabled'))
    .waitFor();
  await page.keyboard.press('a');
  await expect.poll(() => page.getByRole('dialog').count()).toBe(0);
  await call(page).getByText('Refusing is possible at any time').waitFor();
  const opened = await openedBy(team.bob, approval.id);
  const forged = await send(team.bob, approval.id, statementFor(team.bob, opened));
  expect(forged.json).toMatchObject({ code: 'review_too_short' });

  // The same button lets go once the time is over.
  await team.settings({ high: { min_seconds: 4, challenge: 'confirm' } });
  const soon = await team.agent.ask();
  await page.locator(`[data-approval="${soon.approval.id}"]`).click();
  await chosen(page, soon.approval.id);
  await toOpen(page).click();
  await approveByKey(page);
  await page.keyboard.press('Control+Enter');
  await call(page).getByText('Approved by Name of bob').waitFor();
});

test(
  'a challenge: the wrong value is refused and said, the right one taken; the arguments do not stand beside a question',
  ANEW,
  async () => {
    await team.settings({ high: { min_seconds: 0, challenge: 'question' } });
    const { approval } = await team.agent.ask({ payload: { amount: 7_310, iban: 'DE05' } });
    const { page } = await pageOf(team.bob, `/approvals?id=${approval.id}`);
    await toOpen(page).waitFor();
    await page.keyboard.press('o');
    await call(page).getByText('7310').waitFor();
    await approveByKey(page);
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('What is the amount?').fill('7311');
    expect(await dialog.getByText('7310').count()).toBe(0);
    await dialog.getByRole('button', { name: 'Approve this call' }).click();
    await codeIn(page, 'challenge_failed');
    await dialog.getByText('1 of 3').waitFor();
    await dialog.getByLabel('What is the amount?').fill('7,310');
    await page.keyboard.press('Control+Enter');
    await call(page).getByText('Approved by Name of bob').waitFor();
  },
);

test('a refusal is at once, by keyboard, also before the time to read is over', ANEW, async () => {
  await team.settings({ high: { min_seconds: 600, challenge: 'question' } });
  const { approval } = await team.agent.ask();
  const { page } = await pageOf(team.cyd, `/approvals?id=${approval.id}`);
  await toOpen(page).waitFor();
  await page.keyboard.press('d');
  await page.getByRole('dialog').getByText('Refuse one?').waitFor();
  await focused(page.getByRole('dialog').getByRole('textbox'));
  await page.keyboard.type('unknown account');
  await page.keyboard.press('Control+Enter');
  await call(page).getByText('Refused by Name of cyd').waitFor();
  expect(await answersOf(approval.id)).toMatchObject([
    { by: 'cyd', verdict: 'deny', comment: 'unknown account' },
  ]);
});

test('a delegation is used: chosen in the dialog, signed, and shown', async () => {
  const { approval } = await team.agent.ask({ action: 'treasurer' });
  const { page } = await pageOf(team.cyd, `/approvals?id=${approval.id}`);
  await call(page).getByText('It needs a role that you do not have').waitFor();
  await expect.poll(() => page.getByRole('button', { name: 'Open for review' }).count()).toBe(0);
  expectJson(
    await team.bob.call('/api/delegations', { body: team.bob.delegation('cyd', { roles: ['treasurer'] }) }),
    201,
  );
  await page.getByRole('button', { name: 'Open for review' }).click();
  await approve(page);
  const as = page.getByRole('dialog').getByLabel('You answer as').first();
  await expect.poll(() => as.inputValue()).toBe('treasurer, for Name of bob');
  await page.getByRole('button', { name: 'Approve this call' }).click();
  await call(page).getByText('on behalf of Name of bob').waitFor();
  expect(await answersOf(approval.id)).toMatchObject([
    { by: 'cyd', statement: { role: 'treasurer', review: { on_behalf_of: 'bob' } } },
  ]);
});

test('why the policy asked stands in the queue, and leads to the version that asked', ANEW, async () => {
  const { approval } = await team.agent.ask();
  const watched = await pageOf(team.bob, `/approvals?id=${approval.id}`);
  const { page } = watched;
  await page.locator(`[data-approval="${approval.id}"]`, { hasText: 'one is watched' }).waitFor();
  await call(page).getByText('one is watched').waitFor();
  await call(page)
    .getByRole('link', { name: /^Policy version \d+$/ })
    .click();
  await page.getByText('in force in prod').waitFor();
  const { policy } = await team.agent.view({ approval } as Parameters<typeof team.agent.view>[0]);
  await expect.poll(() => new URL(page.url()).searchParams.get('set')).toBe(policy.hash);
  await page.goBack();
  await call(page).getByRole('link', { name: 'How it was decided' }).click();
  await page.getByRole('tab', { name: 'Policy', selected: true }).waitFor();
  watched.quiet();
});

test('nobody answers what they asked for, under any of their ids', ANEW, async () => {
  const { approval } = await team.agent.ask({ actor: 'bob@example.org' });
  const { page } = await pageOf(team.bob, `/approvals?id=${approval.id}`);
  await call(page).getByText('You asked for this yourself').waitFor();
  await expect.poll(() => page.locator('.approval-foot button').count()).toBe(0);
  // Nor does it count as waiting for this person.
  await page.getByRole('switch', { name: 'For me' }).click({ force: true });
  await page.locator('[data-approval]').first().waitFor();
  await expect.poll(() => page.locator(`[data-approval="${approval.id}"]`).count()).toBe(0);
});

test('an auditor sees all of it, the report too, and no button that answers', ANEW, async () => {
  const { approval } = await team.agent.ask({ payload: { amount: 5, secret_note: 'seen by the auditor' } });
  const watched = await pageOf(auditor, `/approvals?id=${approval.id}`);
  const { page } = watched;
  await call(page).getByText('seen by the auditor').waitFor();
  await call(page).getByText('answering takes the role Approver').waitFor();
  await expect.poll(() => page.locator('.approval-foot button').count()).toBe(0);
  await expect.poll(() => page.getByLabel('Comment, without answering').count()).toBe(0);
  for (const key of ['a', 'd', 'o', 'c']) await page.keyboard.press(key);
  await expect.poll(() => page.getByRole('dialog').count()).toBe(0);
  await watched.accessibleInBothThemes();
  await page.getByText('Reviews', { exact: true }).click();
  await page.getByRole('row').filter({ hasText: 'Name of bob' }).first().waitFor();
  await watched.accessibleInBothThemes();
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Export as CSV' }).click(),
  ]);
  expect(download.suggestedFilename()).toMatch(/^reviews-.*\.csv$/);
  await page.goto(new URL('/settings?tab=reviews', app.collector.url).href);
  await page.getByText('An admin changes these.').waitFor();
  await watched.accessibleInBothThemes();
  watched.quiet();
});

test(
  '200% zoom at 1280x800: queue and review scroll in one direction, and nothing that acts is cut',
  ANEW,
  async () => {
    const { approval } = await team.agent.ask({ payload: { amount: 9, note: 'word '.repeat(60) } });
    const { page } = await pageOf(team.bob, '/approvals');
    await page.setViewportSize({ width: 640, height: 400 });
    const fits = async (): Promise<void> => {
      const cut = () =>
        page.evaluate(() => {
          const root = document.documentElement;
          const over = [...document.querySelectorAll('main button, main a, main input')]
            .map(element => ({
              box: element.getBoundingClientRect(),
              name: element.textContent || element.ariaLabel,
            }))
            .filter(({ box }) => box.width > 0 && (box.left < 0 || box.right > root.clientWidth + 1));
          return { sideways: root.scrollWidth - root.clientWidth, over: over.map(({ name }) => name) };
        });
      await expect.poll(cut).toEqual({ sideways: 0, over: [] });
    };
    await page.locator('[data-approval]').first().waitFor();
    await fits();
    await page.goto(new URL(`/approvals?id=${approval.id}`, app.collector.url).href);
    await toOpen(page).waitFor();
    await fits();
    await toOpen(page).click();
    await call(page).getByText('With exactly these arguments').waitFor();
    await fits();
    await page.locator('.approval-foot').getByRole('button', { name: 'Approve', exact: true }).waitFor();
  },
);

test('something new is said on any screen, as a number alone, and counted in the title', ANEW, async () => {
  const watched = await pageOf(team.cyd, '/overview');
  const { page } = watched;
  await page.waitForFunction(() => /^\(\d+\) /.test(document.title));
  await team.agent.ask({ payload: { secret: 'not in a notice' } });
  const notice = page.locator('.mantine-Notification-root', { hasText: /\d+ actions? waits? for approval/ });
  await notice.waitFor();
  expect(await notice.textContent()).not.toMatch(/secret|one|planner/);
  await notice.getByRole('button', { name: 'Go to Approvals' }).click();
  await page.getByRole('heading', { name: 'Approvals', level: 1 }).waitFor();
  watched.quiet();
});
