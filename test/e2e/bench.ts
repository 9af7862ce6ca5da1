/** The workbench of policies, for tests of its flows: opened, written in, its lists. Not a test itself. */
import type { Locator, Page } from 'playwright-core';
import { expect } from 'vitest';
import { type App, openApp, openPage, type Pages, type Watched } from './browser.ts';
import { apiOf, type PageApi } from './page_api.ts';

export const editor = (page: Page): Locator => page.locator('.policy-monaco .view-lines').first();
export const tab = (page: Page, name: string): Locator =>
  page.getByRole('tab', { name: new RegExp(`^${name}`) });
export const savedSet = (page: Page, name: string): Locator =>
  page.getByRole('list', { name: 'Saved sets' }).getByRole('listitem').filter({ hasText: name });
export const line = (page: Page, text: string): Locator =>
  page.locator('.view-line', { hasText: text }).first();
export const file = (page: Page, path: string): Locator =>
  page.getByRole('navigation', { name: 'Files' }).getByRole('button', { name: path, exact: true });

/** The caret of the editor stands in the line with this text. */
export async function caretIn(page: Page, text: string): Promise<void> {
  const caret = page.locator('.policy-monaco .cursors-layer .cursor').first();
  const top = async (of: Locator): Promise<number> => (await of.boundingBox())?.y ?? Number.NaN;
  await expect.poll(async () => Math.abs((await top(caret)) - (await top(line(page, text))))).toBeLessThan(5);
}

/** The whole text of the open file becomes this one, as a person would paste it. */
export async function paste(page: Page, text: string): Promise<void> {
  await page.evaluate(given => navigator.clipboard.writeText(given), text);
  await editor(page).click();
  await page.keyboard.press('Control+A');
  await page.keyboard.press('Control+V');
}

export async function draftMenu(page: Page, item: string): Promise<void> {
  await page.locator('.policy-draft-menu button').click();
  await page.getByRole('menuitem', { name: item }).click();
}

/** In a draft, once its first file is shown. */
export async function emptyDraft(page: Page): Promise<void> {
  await draftMenu(page, 'Empty, with one example rule');
  await page.getByText('draft, in this browser').waitFor();
  await file(page, 'rules.rego').click();
  await line(page, 'package trailmix').waitFor();
}

export async function openBench(
  browser: Pages,
  app: App,
  path = '/policies',
  expectNoise = /status of 409/,
): Promise<Watched> {
  const watched = await openPage(browser, app, path, {
    width: 1280,
    height: 800,
    expectNoise,
  });
  await editor(watched.page).waitFor();
  return watched;
}

/** An app with a key, its API as the page uses it, and who asks for decisions with that key. */
export async function openBenchApp(): Promise<{ app: App; api: PageApi; decide: ReturnType<typeof asker> }> {
  const app = await openApp();
  const api = await apiOf(app);
  const { api_key } = await api.call('createKey', { input: { app_id: 'finance-bot' } });
  return { app, api, decide: asker(app, api_key, 'finance-bot') };
}

/** Asks as the SDK does, each call in a session of its own; answers the recorded word. */
export function asker(
  app: App,
  key: string,
  appId: string,
): (action: string, payload: object) => Promise<string> {
  let asked = 0;
  return async (action, payload) => {
    const answer = await fetch(`${app.collector.url}/api/decisions`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${key.split('.').slice(0, 3).join('.')}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify({
        action,
        risk: 'high',
        actor: { type: 'agent', id: 'helper' },
        payload,
        session_id: `s-${asked++}`,
        app_id: appId,
      }),
    });
    const body = (await answer.json()) as { decision?: string };
    if (!answer.ok) throw new Error(JSON.stringify(body));
    return String(body.decision);
  };
}

export const RULES = `package trailmix

approve contains "refund > 100" if {
	input.action == "issue_refund"
	is_number(input.payload.amount)
	input.payload.amount > 100
}
`;
export const testsOf = (small: string): string => `package trailmix_test

import data.trailmix

call(amount) := {"action": "issue_refund", "payload": {"amount": amount}, "context": {}}

test_150_asks if trailmix.decision.reasons == ["refund > 100"] with input as call(150)

test_small_is_allowed if trailmix.decision.result == "allow" with input as call(${small})
`;
