/**
 * A page that was tampered with, in a real browser with a real person's key: what it shows that it should not, and what it sends, is refused
 * with its own code, and nothing is recorded.
 */
import { createHash } from 'node:crypto';
import type { Browser, Page, Route } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { OutputOf } from '../../core/api/operations.ts';
import { shownDigest } from '../../core/proof/binding.ts';
import { startTeam, type Team } from '../approvals/team.ts';
import { addPerson, expectJson, type Person } from '../people/person.ts';
import { ANEW, type App, openBrowser, type Watched } from './browser.ts';
import { builtPage } from './page_build.ts';
import { answersTo, approve, call, codeIn, reviewPage, toOpen } from './reviewing.ts';

let browser: Browser;
let team: Team;
let app: App;
const pages: Watched[] = [];

beforeAll(async () => {
  browser = await openBrowser();
  team = await startTeam({ uiDir: await builtPage() });
  app = { collector: team.tm.collector, folder: team.tm.folder, close: () => team.stop() };
});
afterEach(async () => {
  for (const watched of pages.splice(0)) await watched.close();
  await team.settings({});
});
afterAll(async () => {
  await browser?.close();
  await team?.stop();
});

async function pageOf(person: Person, at: string): Promise<Watched> {
  const watched = await reviewPage(browser, app, person, at);
  pages.push(watched);
  return watched;
}
const answersOf = (id: string) => answersTo(team, id);

/** What the collector answers to this path, changed on its way to the page. */
const changed = <T>(page: Page, path: string, change: (answer: T) => void): Promise<unknown> =>
  page.route(path, async (route: Route) => {
    const answer = await route.fetch();
    const said = (await answer.json()) as T;
    if (answer.ok()) change(said);
    await route.fulfill({ response: answer, json: said });
  });
type Opened = OutputOf<'openApproval'> & { shown: { payload: { amount: number } } };
type Detail = OutputOf<'approvalDetail'>;

/** The page believes that its person may answer, in this role. */
const mayAnswer = (page: Page, role: string): Promise<unknown> =>
  changed<Detail>(page, '**/api/approvals/*/detail', detail => {
    detail.may = { answer: true, roles: [role] } as Detail['may'];
  });

test(
  'arguments altered on their way to the page: it shows none of them and signs nothing',
  ANEW,
  async () => {
    const { approval } = await team.agent.ask();
    const { page } = await pageOf(team.bob, `/approvals?id=${approval.id}`);
    await changed<Opened>(page, '**/open', opened => {
      opened.shown.payload.amount = 12;
    });
    await page.getByRole('button', { name: 'Open for review' }).click();
    await codeIn(page, 'shown_mismatch');
    expect(await call(page).getByText('With exactly these arguments').count()).toBe(0);
    expect(await page.getByRole('button', { name: /^Approve/ }).count()).toBe(0);
    expect(await answersOf(approval.id)).toEqual([]);
  },
);

test('arguments and their digest altered together: the collector refuses what was signed', ANEW, async () => {
  const { approval } = await team.agent.ask();
  const { page } = await pageOf(team.bob, `/approvals?id=${approval.id}`);
  await changed<Opened>(page, '**/open', opened => {
    opened.shown.payload.amount = 12;
    opened.shown_digest = shownDigest(
      data => createHash('sha256').update(data).digest(),
      opened.shown as never,
    );
  });
  await page.getByRole('button', { name: 'Open for review' }).click();
  await approve(page);
  await page.getByRole('button', { name: 'Approve this call' }).click();
  await codeIn(page, 'shown_mismatch');
  expect(await answersOf(approval.id)).toEqual([]);
});

test('a refusal turned into an approval after it was signed is refused', ANEW, async () => {
  const { approval } = await team.agent.ask();
  const { page } = await pageOf(team.bob, `/approvals?id=${approval.id}`);
  await page.route('**/answer', async route => {
    const input = route.request().postDataJSON() as { verdict: string; statement: { verdict: string } };
    input.verdict = 'approve';
    input.statement.verdict = 'approve';
    await route.continue({ postData: JSON.stringify(input) });
  });
  await toOpen(page).waitFor();
  await page.keyboard.press('d');
  await page.getByRole('dialog').getByText('Refuse one?').waitFor();
  await page.getByRole('button', { name: 'Refuse this call' }).click();
  await page.getByRole('alert').getByText('signature_invalid', { exact: true }).waitFor();
  expect(await answersOf(approval.id)).toEqual([]);
});

test('a countdown taken out of the page: the collector’s own clock holds the answer back', ANEW, async () => {
  await team.settings({ high: { min_seconds: 600, challenge: 'confirm' } });
  const { approval } = await team.agent.ask();
  const { page } = await pageOf(team.bob, `/approvals?id=${approval.id}`);
  await changed<Opened>(page, '**/open', opened => {
    opened.not_before = opened.now;
  });
  await toOpen(page).click();
  await approve(page);
  await page.getByRole('button', { name: 'Approve this call' }).click();
  await codeIn(page, 'review_too_short');
  expect(await answersOf(approval.id)).toEqual([]);
});

test.each<[string, { action: string; actor?: string }, 'bob' | 'cyd', string, string]>([
  ['one without the role', { action: 'treasurer' }, 'cyd', 'treasurer', 'approval_role_missing'],
  [
    'the one who asked',
    { action: 'one', actor: 'bob@example.org' },
    'bob',
    'approver',
    'approval_own_request',
  ],
])('a page that offers the answer to %s: nothing is opened', async (_, question, who, role, code) => {
  const { approval } = await team.agent.ask(question);
  const { page } = await pageOf(team[who], '/approvals');
  await mayAnswer(page, role);
  await page.goto(new URL(`/approvals?id=${approval.id}`, app.collector.url).href);
  await toOpen(page).click();
  await codeIn(page, code);
  expect(await call(page).getByText('With exactly these arguments').count()).toBe(0);
  expect(await answersOf(approval.id)).toEqual([]);
});

test('a page that offers one person to answer twice: counted once', async () => {
  const { approval } = await team.agent.ask({ action: 'two' });
  expectJson(await team.bob.approve(approval.id), 200);
  const { page } = await pageOf(team.bob, '/approvals');
  await mayAnswer(page, 'approver');
  await page.goto(new URL(`/approvals?id=${approval.id}`, app.collector.url).href);
  // Opened it may be again: who approved can still refuse.
  await toOpen(page).click();
  await approve(page);
  await page.getByRole('button', { name: 'Approve this call' }).click();
  // The page was loaded anew: its key is locked.
  await page.getByLabel('Passphrase of bob').fill(team.bob.passphrase);
  await page.keyboard.press('Enter');
  await codeIn(page, 'approval_answered');
  expect(await answersOf(approval.id)).toMatchObject([{ by: 'bob', verdict: 'approve' }]);
});

test('an auditor whose page was told of another role: refused by the collector', ANEW, async () => {
  const olga = await addPerson(team.tm, team.ada, { id: 'olga', roles: ['auditor'] });
  const { approval } = await team.agent.ask();
  const { page } = await pageOf(olga, '/approvals');
  await changed<OutputOf<'whoAmI'>>(page, '**/api/session', me => {
    me.roles = ['approver'];
  });
  await mayAnswer(page, 'approver');
  await page.goto(new URL(`/approvals?id=${approval.id}`, app.collector.url).href);
  await toOpen(page).click();
  await codeIn(page, 'role_missing');
  expect(await answersOf(approval.id)).toEqual([]);
});
