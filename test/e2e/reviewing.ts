/** One approval in the page of a person, for tests of its flows. */
import type { Browser, Locator, Page } from 'playwright-core';
import type { Team } from '../approvals/team.ts';
import type { Person } from '../people/person.ts';
import type { App, Watched } from './browser.ts';
import { focused } from './keyboard.ts';
import { openFor, signedInAs, signIn } from './people.ts';

/** A browser of this person's own, signed in, on Approvals. */
export async function reviewPage(
  browser: Browser,
  app: App,
  person: Person,
  at = '/approvals',
): Promise<Watched> {
  const watched = await openFor(browser, app, at);
  await signIn(watched.page, person.id, person.passphrase);
  await signedInAs(watched.page, person.name);
  return watched;
}

export const call = (page: Page): Locator => page.getByRole('region', { name: 'The call' });
export const toOpen = (page: Page): Locator => page.getByRole('button', { name: 'Open for review' });
/** The button at the foot of the call; there once the call can be approved. */
export const approveButton = (page: Page): Locator =>
  page.locator('.approval-foot').getByRole('button', { name: 'Approve', exact: true });
export const approve = (page: Page): Promise<void> => approveButton(page).click();
/** Opens the dialog by its key, and waits until it takes what is typed. */
export async function approveByKey(page: Page): Promise<void> {
  await approveButton(page).waitFor();
  await page.keyboard.press('a');
  await focused(page.getByRole('dialog'));
}
/** A refusal with this code is shown. */
export const codeIn = (page: Page, code: string): Promise<void> =>
  page.getByRole('alert').getByText(code, { exact: true }).waitFor();

/** What is recorded of answers to this one, in their order. */
export async function answersTo(team: Team, id: string) {
  const answered = await team.records('approval.answered');
  return answered
    .map(record => record.approval as { id: string; by: string; verdict: string; [name: string]: unknown })
    .filter(approval => approval.id === id);
}
