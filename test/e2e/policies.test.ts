/** The workbench of policies: from an empty draft to a policy in force, tests from decisions, shadow, impact, the form, roles. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as bench from './bench.ts';
import {
  caretIn,
  draftMenu,
  emptyDraft,
  openBenchApp,
  paste,
  RULES,
  savedSet,
  tab,
  testsOf,
} from './bench.ts';
import { ANEW, type App, openBrowser, type Watched } from './browser.ts';
import { focused } from './keyboard.ts';
import type { PageApi } from './page_api.ts';

let browser: Browser;
let app: App;
let api: PageApi;
let decide: Awaited<ReturnType<typeof openBenchApp>>['decide'];
beforeAll(async () => {
  browser = await openBrowser();
  ({ app, api, decide } = await openBenchApp());
});
afterAll(async () => {
  await browser?.close();
  await app?.close();
});

const openBench = (path?: string): Promise<Watched> => bench.openBench(browser, app, path);

async function saveAs(page: Page, message: string): Promise<void> {
  await page.getByRole('button', { name: 'Save as a set' }).click();
  const dialog = page.getByRole('dialog', { name: 'Save as a policy set' });
  await dialog.getByLabel('What changes, and why').fill(message);
  await dialog.getByRole('button', { name: 'Save the set' }).click();
  await dialog.waitFor({ state: 'detached' });
  await savedSet(page, message).waitFor();
}

async function more(page: Page, of: string, item: string): Promise<void> {
  await savedSet(page, of)
    .getByRole('button', { name: /^More for/ })
    .click();
  await page.getByRole('menuitem', { name: item }).click();
}

const inForce = async (): Promise<{ hash: string; version: number }> =>
  (await api.call('policyEnvironments')).items.find(place => place.name === 'prod')!.active!;

/** The set that the tests below work on, saved by the API; the same files again are the same set. */
async function stricterSet(): Promise<string> {
  const shipped = await api.call('policySet', { params: { hash: await shippedSet() } });
  const decision = shipped.files.find(file => file.path === 'decision.rego')!.text;
  const files = [
    { path: 'decision.rego', text: decision },
    { path: 'rules.rego', text: RULES },
    { path: 'rules_test.rego', text: testsOf('99') },
  ];
  return (await api.call('savePolicySet', { input: { files, message: 'Made for trying' } })).hash;
}

async function activate(hash: string): Promise<void> {
  const { hash: replaces } = await inForce();
  if (hash !== replaces)
    await api.call('activatePolicySet', { params: { environment: 'prod' }, input: { hash, replaces } });
}

const shippedSet = async (): Promise<string> =>
  (await api.call('policySets')).items.find(one => one.built_in)!.hash;

test('from an empty draft to a policy in force, with a failing test on the way', async () => {
  expect(await decide('issue_refund', { amount: 150 })).toBe('allow');
  expect(await decide('issue_refund', { amount: 750 })).toBe('approve');
  const watched = await openBench();
  const { page } = watched;
  await page.getByRole('heading', { name: 'The policy that ships' }).waitFor();
  await watched.accessibleInBothThemes();

  await draftMenu(page, 'Empty, with one example rule');
  await page.getByText('draft, in this browser').waitFor();
  // What the compiler says stands in the text and in a list that a screen reader can use.
  await paste(page, RULES.replace('input.payload.amount > 100', 'input.amuont > 100'));
  await tab(page, 'Problems').click();
  const problem = page
    .getByRole('list', { name: 'Problems' })
    .getByRole('button', { name: /undefined ref: input.amuont/ });
  await problem.waitFor();
  await page.locator('.squiggly-error').first().waitFor();
  await watched.accessibleInBothThemes();
  await paste(page, RULES);
  await problem.waitFor({ state: 'detached' });
  // A finding of our own lint, with its explanation.
  await page
    .getByRole('button', { name: /^untested-rule/ })
    .first()
    .click();
  await page.getByRole('dialog', { name: 'A rule that no test makes fire' }).waitFor();
  await page.keyboard.press('Escape');

  await page.getByRole('button', { name: 'New file' }).click();
  await page.getByRole('menuitem', { name: 'Test' }).click();
  await page
    .getByRole('dialog', { name: 'New test file' })
    .getByRole('button', { name: 'Make the file' })
    .click();
  await page.getByRole('button', { name: 'rules_test.rego', exact: true }).waitFor();
  await page.locator('.view-line', { hasText: 'package trailmix_test' }).waitFor();
  await paste(page, testsOf('150'));
  await page.keyboard.press('Control+S');
  await page.getByText('1 of 2 tests failed').waitFor();
  const list = page.getByRole('list', { name: 'Tests', exact: true });
  await list.getByRole('button', { name: 'test_small_is_allowed failed' }).waitFor();
  await page.locator('.policy-cover.covered').first().waitFor();
  await page.getByRole('button', { name: 'Why? test_small_is_allowed' }).click();
  await page.getByRole('list', { name: 'Definitions' }).getByText('Did not fire').first().waitFor();
  await watched.accessibleInBothThemes();

  // It is saved, but does not come into force.
  await saveAs(page, 'Stricter, not right yet');
  await savedSet(page, 'Stricter, not right yet')
    .getByRole('button', { name: /^More for/ })
    .click();
  await page.getByRole('menuitem', { name: 'Not in force before its tests pass' }).waitFor();
  await page.keyboard.press('Escape');

  await paste(page, testsOf('100'));
  await page.keyboard.press('Control+S');
  await page.getByText('2 tests passed', { exact: true }).waitFor();
  await saveAs(page, 'Refunds above 100 ask');
  await more(page, 'Refunds above 100 ask', 'Put in force in prod');
  const dialog = page.getByRole('dialog', { name: 'Put this set in force' });
  await dialog.getByLabel('Why').fill('The board asked for it.');
  await watched.accessibleInBothThemes();
  await dialog.getByRole('button', { name: 'Put in force in prod' }).click();
  await dialog.waitFor({ state: 'detached' });
  await savedSet(page, 'Refunds above 100 ask').getByText('prod', { exact: true }).waitFor();
  expect(await decide('issue_refund', { amount: 150 })).toBe('approve');
  expect(await decide('issue_refund', { amount: 100 })).toBe('allow');
  watched.quiet();
  await watched.close();
});

test('a draft stays in this browser over a reload', ANEW, async () => {
  const watched = await openBench(`/policies?set=${await stricterSet()}`);
  const { page } = watched;
  await page.getByRole('button', { name: 'Edit as a draft' }).click();
  await page.getByText('draft, in this browser').waitFor();
  await page.getByRole('button', { name: 'rules.rego', exact: true }).click();
  await paste(page, `${RULES}\n# kept over a reload\n`);
  await page.locator('.view-line', { hasText: 'kept over a reload' }).waitFor();
  await page.reload();
  await page.locator('.view-line', { hasText: 'kept over a reload' }).waitFor();
  watched.quiet();
  await watched.close();
});

test('a test is made from a recorded decision; the trace folds', ANEW, async () => {
  await activate(await shippedSet());
  expect(await decide('issue_refund', { amount: 750 })).toBe('approve');
  const watched = await openBench(`/policies?set=${await stricterSet()}`);
  const { page } = watched;
  await page.getByRole('button', { name: 'Edit as a draft' }).click();
  await page.getByText('draft, in this browser').waitFor();
  await page.getByRole('button', { name: 'choose a decision…' }).click();
  const picker = page.getByRole('dialog', { name: 'Choose a recorded decision' });
  await picker
    .getByRole('row', { name: /issue_refund.*Needs approval/ })
    .first()
    .waitFor();
  await watched.accessibleInBothThemes();
  await picker
    .getByRole('row', { name: /refund > 500/ })
    .first()
    .getByRole('button')
    .click();
  await page.getByText('recorded as').waitFor();
  await page.getByRole('button', { name: 'Evaluate', exact: true }).click();
  await page.locator('.policy-result').getByText('refund > 100').first().waitFor();
  await watched.accessibleInBothThemes();

  await tab(page, 'Trace').click();
  await page.getByRole('button', { name: 'Trace the evaluation' }).click();
  const tree = page.getByRole('tree', { name: 'Steps of the evaluation' });
  const first = tree.getByRole('treeitem').first();
  await first.waitFor();
  const all = await tree.getByRole('treeitem').count();
  await first.focus();
  await page.keyboard.press('ArrowLeft');
  await expect.poll(() => tree.getByRole('treeitem').count()).toBeLessThan(all);
  await page.keyboard.press('ArrowRight');
  await expect.poll(() => tree.getByRole('treeitem').count()).toBe(all);
  await watched.accessibleInBothThemes();

  await tab(page, 'Evaluation').click();
  await page.getByRole('button', { name: 'Make a test from this decision' }).click();
  await page
    .getByRole('list', { name: 'Tests', exact: true })
    .getByRole('button', { name: 'test_issue_refund_needs_approval passed' })
    .waitFor();
  await page.getByRole('button', { name: 'recorded_test.rego', exact: true }).waitFor();
  watched.quiet();
  await watched.close();
});

test('compared side by side and as lines, then back to the earlier set', ANEW, async () => {
  await activate(await stricterSet());
  const before = await inForce();
  const watched = await openBench();
  const { page } = watched;
  await savedSet(page, 'The policy that ships').getByRole('button', { name: 'Compare' }).click();
  await page.getByText(/files differ from set/).waitFor();
  await page.locator('.monaco-diff-editor .view-lines').first().waitFor();
  await watched.accessibleInBothThemes();
  await page.getByText('Changed lines', { exact: true }).click();
  await page.getByRole('region', { name: 'Changed lines' }).getByRole('listitem').first().waitFor();
  await watched.accessibleInBothThemes();
  await page.getByRole('button', { name: 'Close', exact: true }).click();

  await more(page, 'The policy that ships', 'Go back to it in prod');
  const dialog = page.getByRole('dialog', { name: 'Go back to this set' });
  await dialog.getByLabel('Why').fill('Too strict after all.');
  await dialog.getByRole('button', { name: 'Put in force in prod' }).click();
  await dialog.waitFor({ state: 'detached' });
  await expect.poll(async () => (await inForce()).version).toBe(before.version + 1);
  expect(await decide('issue_refund', { amount: 150 })).toBe('allow');
  watched.quiet();
  await watched.close();
});

test('a candidate in shadow: differences are counted and shown, and nothing is enforced', async () => {
  await activate(await shippedSet());
  await stricterSet();
  const watched = await openBench();
  const { page } = watched;
  await more(page, 'Made for trying', 'Shadow in prod');
  const shadow = page.getByRole('region', { name: 'Shadow in prod' });
  await shadow.waitFor();
  expect(await decide('issue_refund', { amount: 150 })).toBe('allow');
  expect(await decide('issue_refund', { amount: 50 })).toBe('allow');
  await shadow
    .getByRole('list', { name: 'Decisions that differ' })
    .getByText('issue_refund')
    .first()
    .waitFor();
  await shadow.getByText(/of 2 decisions would have been/).waitFor();
  await watched.accessibleInBothThemes();
  await shadow.getByRole('button', { name: 'End the shadow run' }).click();
  await shadow.waitFor({ state: 'detached' });
  watched.quiet();
  await watched.close();
});

test(
  'impact on recorded decisions: a flip table, what stands behind a cell, saved as evidence',
  ANEW,
  async () => {
    await activate(await shippedSet());
    await stricterSet();
    await decide('issue_refund', { amount: 150 });
    const watched = await openBench();
    const { page } = watched;
    await savedSet(page, 'Made for trying')
      .getByRole('button', { name: 'Made for trying', exact: true })
      .click();
    await page.getByRole('heading', { name: 'Made for trying' }).waitFor();
    await tab(page, 'Impact').click();
    await page.getByRole('button', { name: 'Run on recorded decisions' }).click();
    const cell = page.locator('[data-cell="allow>approve"] button');
    await cell.waitFor();
    const recorded = (await api.call('policyDecisions', { query: { limit: 100 } })).items;
    const impact = (await api.call('impacts')).items[0]!;
    expect(impact.decided).toBe(recorded.length);
    await cell.click();
    const behind = page.getByRole('region', { name: 'Allowed to Needs approval' });
    await behind.getByRole('button', { name: 'issue_refund' }).first().click();
    await behind.getByRole('button', { name: 'rules.rego:3' }).waitFor();
    await watched.accessibleInBothThemes();
    await page.getByLabel('Keep the result as evidence').fill('Tried before the board met.');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByText(/saved as evidence #/).waitFor();
    await behind
      .getByRole('button', { name: /open its run/ })
      .first()
      .click();
    await page.getByRole('button', { name: 'Open in the workbench' }).waitFor();
    await page.getByRole('button', { name: 'Open in the workbench' }).click();
    await page.getByText('recorded as').waitFor();
    watched.quiet();
    await watched.close();
  },
);

test('the form writes Rego with tests, by keyboard, and shows it', ANEW, async () => {
  const watched = await openBench();
  const { page } = watched;
  await draftMenu(page, 'A rule from a form');
  const dialog = page.getByRole('dialog', { name: 'A rule without writing Rego' });
  await dialog.getByLabel('Short name').fill('wire_limit');
  await dialog.getByLabel('What it is for').fill('Wires by amount');
  await dialog.getByRole('combobox', { name: 'Actions' }).fill('send_wire');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  await dialog.getByLabel('Above this it needs approval').fill('250');
  await dialog.getByText('package trailmix.policies.wire_limit', { exact: false }).first().waitFor();
  await watched.accessibleInBothThemes();
  await dialog.getByRole('button', { name: 'Begin a draft with it' }).click();
  await page.getByText('5 tests passed', { exact: true }).waitFor();
  await page.locator('.view-line', { hasText: 'package trailmix.policies.wire_limit' }).waitFor();
  await page.getByRole('button', { name: 'data.json', exact: true }).waitFor();
  watched.quiet();
  await watched.close();
});

test('the editor knows the input, rules and functions: completion, definition, rename', ANEW, async () => {
  const watched = await openBench();
  const { page } = watched;
  await emptyDraft(page);
  await paste(page, 'package trailmix\n\nlimit := 5\n\nbig if input.payload.amount > limit\n\nbigger if ');
  await page.keyboard.type('input.payload.am');
  await page.keyboard.press('Control+Space');
  await page.locator('.suggest-widget .monaco-list-row.focused', { hasText: 'amount' }).waitFor();
  await page.keyboard.press('Enter');
  await page.locator('.view-line', { hasText: 'bigger if input.payload.amount' }).waitFor();
  await page.keyboard.type(' > limit');
  await page.keyboard.press('Escape');
  await page.keyboard.press('F2');
  // The box is there before it has the focus: what is typed until then goes into the text.
  await focused(page.locator('.rename-box input'));
  await page.keyboard.press('Control+A');
  await page.keyboard.type('ceiling');
  await page.keyboard.press('Enter');
  await page.locator('.view-line', { hasText: 'ceiling := 5' }).waitFor();
  await page.locator('.view-line', { hasText: 'amount > ceiling' }).first().waitFor();
  await page.keyboard.press('F12');
  await caretIn(page, 'ceiling := 5');
  await page.keyboard.press('End');
  await page.keyboard.type('00');
  await page.locator('.view-line', { hasText: 'ceiling := 500' }).waitFor();
  watched.quiet();
  await watched.close();
});
