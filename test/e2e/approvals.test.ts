/** Giving and refusing approvals in the page, by mouse and by keyboard, against a real policy and the real SDK gate. */
import { createHash } from 'node:crypto';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { jcs } from '../../core/proof/jcs.ts';
import { shownObject } from '../../renderer/features/approvals/approval_view.ts';
import { ANEW, type App, openApp, openBrowser, openPage, type Watched } from './browser.ts';
import { focused } from './keyboard.ts';
import { apiOf, type PageApi } from './page_api.ts';

let browser: Browser;
let app: App;
let api: PageApi;
let key: string;
beforeAll(async () => {
  browser = await openBrowser();
  app = await openApp();
  api = await apiOf(app);
  key = (await api.call('createKey', { input: { app_id: 'finance-bot' } })).api_key;
});
afterAll(async () => {
  await browser?.close();
  await app?.close();
});

/** Asks as the SDK does; the shipped policy wants a person for a wire above 10,000. */
async function askForWire(amount: number, session: string, more: object = {}): Promise<string> {
  const answer = await fetch(`${app.collector.url}/api/decisions`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${key.split('.').slice(0, 3).join('.')}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({
      action: 'send_wire',
      risk: 'high',
      actor: { type: 'agent', id: 'payer' },
      payload: { amount, iban: 'DE89370400440532013000', ...more },
      session_id: session,
      app_id: 'finance-bot',
    }),
  });
  const body = (await answer.json()) as { decision: string; approval?: { id: string } };
  expect(body.decision).toBe('approve');
  return body.approval!.id;
}

const opened = async (page: Watched, id: string): Promise<void> => {
  await page.page.locator(`[data-approval="${id}"][aria-current]`).waitFor();
};

test('an empty queue teaches', ANEW, async () => {
  const watched = await openPage(browser, app, '/approvals');
  await watched.page.getByRole('heading', { name: 'Nothing waits for you' }).waitFor();
  await watched.accessibleInBothThemes();
  watched.quiet();
  await watched.close();
});

test('approve by mouse: exact arguments, a comment, recorded as unsigned with what was shown', async () => {
  const watched = await openPage(browser, app, '/approvals');
  const { page } = watched;
  // It comes in while the page is open.
  await page.getByRole('heading', { name: 'Nothing waits for you' }).waitFor();
  const note = `${'line of a long note '.repeat(40)}END`;
  const id = await askForWire(12_000, 'mouse', { note });
  await opened(watched, id);
  const call = page.getByRole('region', { name: 'The call' });
  await call.getByText(note).waitFor();
  await call.getByText('12000').waitFor();
  await call.getByText('identity is not shown until people are enrolled').waitFor();
  await watched.accessibleInBothThemes();

  const shown = await api.call('approval', { params: { id }, query: {} });
  await page.getByRole('button', { name: 'Approve', exact: false }).first().click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText(note).waitFor();
  await watched.accessibleInBothThemes();
  await dialog.getByLabel('Comment (optional)').fill('Checked with the vendor.');
  await dialog.getByRole('button', { name: 'Approve this call' }).click();
  await call.getByText('Approved by Maria Keller').waitFor();
  await call.getByText('recorded without a signature').waitFor();

  const records = await api.call('events', { query: { q: 'type:approval.answered', limit: 1 } });
  const answer = (records.items[0] as { approval?: Record<string, unknown> }).approval!;
  expect(answer).toMatchObject({
    id,
    verdict: 'approve',
    signed_in: 'none',
    by: 'Maria Keller',
    comment: 'Checked with the vendor.',
    shown_digest: createHash('sha256')
      .update(jcs(shownObject(shown)))
      .digest('hex'),
  });
  expect(Date.parse(String(answer.opened_at))).toBeLessThanOrEqual(Date.parse(String(answer.decided_at)));
  watched.quiet();
  await watched.close();
});

test('refuse by keyboard alone', async () => {
  const first = await askForWire(20_000, 'keys-1');
  const second = await askForWire(30_000, 'keys-2');
  const watched = await openPage(browser, app, '/approvals');
  const { page } = watched;
  await opened(watched, first);
  await page.keyboard.press('j');
  await opened(watched, second);
  await page.keyboard.press('k');
  await opened(watched, first);
  await page.keyboard.press('j');
  await opened(watched, second);

  await page.getByRole('button', { name: /^Refuse/ }).waitFor();
  await page.keyboard.press('r');
  await page.getByRole('dialog').getByText('Refuse send_wire?').waitFor();
  // Escape leaves it open; letters go into the comment, not to the queue.
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  expect((await api.call('approval', { params: { id: second }, query: {} })).status).toBe('waiting');
  await page.keyboard.press('r');
  await focused(page.getByRole('dialog').getByRole('textbox'));
  await page.keyboard.type('not a known account, kj');
  await page.keyboard.press('Control+Enter');
  await page.getByText('Refused by Maria Keller').waitFor();
  const refused = await api.call('approval', { params: { id: second }, query: {} });
  expect(refused).toMatchObject({ status: 'denied', comment: 'not a known account, kj' });
  expect((await api.call('approval', { params: { id: first }, query: {} })).status).toBe('waiting');

  // What was answered is kept, by word.
  await page.getByText('Answered', { exact: true }).click();
  await page.getByRole('region', { name: 'Answered' }).getByText('Refused').waitFor();
  await page.getByRole('region', { name: 'Answered' }).getByText('Approved').first().waitFor();
  await watched.accessibleInBothThemes();
  watched.quiet();
  await watched.close();
});

test('answered elsewhere meanwhile: the page says so and records nothing twice', ANEW, async () => {
  const id = await askForWire(40_000, 'race');
  const watched = await openPage(browser, app, `/approvals?id=${id}`, { expectNoise: /409/ });
  const { page } = watched;
  await opened(watched, id);
  await page.getByRole('button', { name: /^Approve/ }).waitFor();
  await page.keyboard.press('a');
  await focused(page.getByRole('dialog'));
  await api.call('answerApproval', { params: { id }, input: { verdict: 'deny' } });
  await page.keyboard.press('Control+Enter');
  await page.getByRole('dialog').getByRole('alert').getByText('already answered').first().waitFor();
  expect((await api.call('approval', { params: { id }, query: {} })).status).toBe('denied');
  watched.quiet();
  await watched.close();
});
