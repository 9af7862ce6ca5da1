/** Pictures of the workbench for `npm run screenshots`: a draft with its tests and its impact, why a rule fired, the form. */
import type { Browser, Page } from 'playwright-core';
import { asker, draftMenu, file, paste, tab } from './bench.ts';
import { openApp, openPage } from './browser.ts';
import { apiOf } from './page_api.ts';

const REFUNDS = `# Refunds: what the support agent may pay back by itself.
package trailmix

limit := 200

approve contains $"refund above {limit}" if {
	input.action == "issue_refund"
	is_number(input.payload.amount)
	input.payload.amount > limit
}

# A refund on a ticket that the agent changed first.
approve contains "the ticket was changed before" if {
	input.action == "issue_refund"
	input.payload.ticket_changed == true
}

deny contains "nobody is refunded twice" if {
	input.action == "issue_refund"
	input.payload.refunded_before == true
}
`;
const TESTS = `package trailmix_test

import data.trailmix

refund(payload) := {"action": "issue_refund", "payload": payload, "context": {}}

test_250_asks if trailmix.decision.reasons == ["refund above 200"] with input as refund({"amount": 250})

test_200_is_allowed if trailmix.decision.result == "allow" with input as refund({"amount": 200})

test_a_changed_ticket_asks if {
	trailmix.decision.result == "approve" with input as refund({"amount": 10, "ticket_changed": true})
}
`;

/** `shoot` takes one picture by its name. */
export async function shootPolicies(
  browser: Browser,
  scheme: 'light' | 'dark',
  size: { width: number; height: number },
  shoot: (page: Page, name: string) => Promise<void>,
): Promise<void> {
  const app = await openApp();
  const api = await apiOf(app);
  const { api_key } = await api.call('createKey', { input: { app_id: 'support-bot' } });
  const decide = asker(app, api_key, 'support-bot');
  for (let n = 0; n < 120; n++) {
    const amount = 20 + ((n * 37) % 600);
    await decide('issue_refund', {
      amount,
      ...(n % 17 === 0 ? { refunded_before: true } : {}),
      ...(n % 23 === 0 ? { ticket_changed: true } : {}),
    });
  }
  const { page, close } = await openPage(browser, app, '/policies', { scheme, ...size });
  page.setDefaultTimeout(60_000);
  await page.locator('.policy-monaco .view-lines').first().waitFor();
  await draftMenu(page, 'Empty, with one example rule');
  await page.getByText('draft, in this browser').waitFor();
  await file(page, 'rules.rego').click();
  await paste(page, REFUNDS);
  await page.getByRole('button', { name: 'New file' }).click();
  await page.getByRole('menuitem', { name: 'Test' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Make the file' }).click();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await paste(page, TESTS);
  await page.keyboard.press('Control+S');
  await page.getByText('3 tests passed', { exact: true }).waitFor();
  await file(page, 'rules.rego').click();
  await page.locator('.policy-cover.missed').first().waitFor();
  await tab(page, 'Impact').click();
  await page.getByRole('button', { name: 'Run on recorded decisions' }).click();
  await page.locator('[data-cell="allow>approve"] button').click();
  const behind = page.getByRole('region', { name: 'Allowed to Needs approval' });
  await behind.getByRole('button', { name: 'issue_refund' }).first().waitFor();
  await shoot(page, 'policies');

  await behind.getByRole('button', { name: 'issue_refund' }).first().click();
  await page.getByRole('button', { name: 'choose a decision…' }).click();
  const picker = page.getByRole('dialog', { name: 'Choose a recorded decision' });
  await picker
    .getByRole('row', { name: /Allowed/ })
    .first()
    .getByRole('button')
    .click();
  await page.getByText('recorded as').waitFor();
  await page.getByRole('button', { name: 'Evaluate', exact: true }).click();
  await page.locator('.policy-result .decision, .policy-result b').first().waitFor();
  await tab(page, 'Explain').click();
  await page
    .getByRole('button', { name: /^Explain/ })
    .first()
    .click();
  await page.getByRole('list', { name: 'Definitions' }).getByRole('listitem').first().waitFor();
  await shoot(page, 'policies_why');

  await page.getByRole('button', { name: 'Add a rule by form' }).click();
  const form = page.getByRole('dialog', { name: 'A rule without writing Rego' });
  await form.getByRole('combobox', { name: 'Actions' }).fill('send_wire');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  await form.getByText('package trailmix.policies', { exact: false }).first().waitFor();
  await shoot(page, 'policies_form');
  await close();
  await app.close();
}
