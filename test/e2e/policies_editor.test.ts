/** The editor of the workbench: hover, references, evaluating a selection, coverage, problems and tests for a screen reader, impact stopped. */
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  editor,
  emptyDraft,
  file,
  line,
  openBench,
  openBenchApp,
  paste,
  RULES,
  tab,
  testsOf,
} from './bench.ts';
import { ANEW, type App, openBrowser } from './browser.ts';
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

/** Puts the caret behind these many words of a line, by keyboard. */
async function caretAt(page: Page, row: number, words = 0): Promise<void> {
  await editor(page).click();
  await page.keyboard.press('Control+Home');
  for (let n = 1; n < row; n++) await page.keyboard.press('ArrowDown');
  for (let n = 0; n < words; n++) await page.keyboard.press('Control+ArrowRight');
}

/** Presses keys until what they show is there: on a busy machine a chord can run out of its time. */
async function pressFor(page: Page, keys: readonly string[], shown: Locator): Promise<void> {
  await expect
    .poll(
      async () => {
        for (const key of keys) await page.keyboard.press(key);
        return shown.waitFor({ timeout: 10_000 }).then(
          () => true,
          () => false,
        );
      },
      { timeout: 60_000 },
    )
    .toBe(true);
}

async function newFile(page: Page, kind: string, path: string, text: string): Promise<void> {
  await page.getByRole('button', { name: 'New file' }).click();
  await page.getByRole('menuitem', { name: kind }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('File name').fill(path);
  await dialog.getByRole('button', { name: 'Make the file' }).click();
  await dialog.waitFor({ state: 'detached' });
  await page.getByRole('region', { name: `Editor: ${path}` }).waitFor();
  await line(page, 'package').waitFor();
  await paste(page, text);
}

test(
  'hover says what a function takes and does; references of a rule are listed over files; a selection is evaluated; format',
  ANEW,
  async () => {
    const watched = await openBench(browser, app);
    const { page } = watched;
    await emptyDraft(page);
    await paste(
      page,
      'package trailmix\n\nlimit := 2\n\ndeny contains "long" if {\n\tcount(input.payload.items) > limit\n}\n',
    );
    await newFile(
      page,
      'Policy',
      'more.rego',
      'package trailmix\n\napprove contains "most" if input.payload.n == limit\n',
    );
    await file(page, 'rules.rego').click();
    await line(page, 'limit := 2').waitFor();

    await caretAt(page, 6, 1);
    const hover = page.locator('.monaco-hover:visible');
    const signature = hover.getByText('count(of: string, array, object or set)');
    await pressFor(page, ['Control+k', 'Control+i'], signature);
    await hover.getByText('How many members, or characters.').waitFor();
    await watched.accessibleInBothThemes();
    await page.keyboard.press('Escape');

    await caretAt(page, 3);
    await page.keyboard.press('Shift+F12');
    const peek = page.locator('.peekview-widget');
    await peek.getByText('more.rego').first().waitFor();
    await peek.getByText('rules.rego').first().waitFor();
    await page.keyboard.press('Escape');
    await peek.waitFor({ state: 'detached' });

    // The name of the rule is selected: its value.
    await caretAt(page, 3);
    await page.keyboard.press('Control+Shift+ArrowRight');
    await page.getByRole('button', { name: 'Evaluate selection' }).waitFor();
    await page.keyboard.press('Control+Enter');
    await page.locator('.policy-result').getByText('2', { exact: true }).waitFor();
    await expect.poll(() => page.getByLabel('What to evaluate').inputValue()).toBe('data.trailmix.limit');

    await paste(
      page,
      'package trailmix\n\nlimit:=2\n\ndeny contains "long" if {\n count(input.payload.items)>limit\n}\n',
    );
    await line(page, 'limit:=2').waitFor();
    await pressFor(page, ['Shift+Alt+F'], line(page, 'limit := 2'));
    await line(page, 'count(input.payload.items) > limit').waitFor();
    watched.quiet();
    await watched.close();
  },
);

test(
  'coverage: lines that a test ran and lines that none ran, also in words; problems and tests as a screen reader has them',
  ANEW,
  async () => {
    const watched = await openBench(browser, app);
    const { page } = watched;
    await emptyDraft(page);
    await paste(page, `${RULES}\ndeny contains "never tried" if input.action == "wipe"\n`);
    await newFile(page, 'Test', 'rules_test.rego', testsOf('100'));
    await page.keyboard.press('Control+S');
    await page.getByText('2 tests passed', { exact: true }).waitFor();
    await file(page, 'rules.rego').click();
    await page.locator('.policy-cover.covered').first().waitFor();
    await page.locator('.policy-cover.missed').first().waitFor();
    const missed = page.getByRole('list', { name: 'Lines that no test ran' });
    await missed.getByRole('button', { name: 'rules.rego:9', exact: true }).click();
    await expect.poll(() => focusIn(page, '.policy-monaco')).toBe(true);

    const panel = page.getByRole('tabpanel', { name: /^Tests/ });
    await expect
      .poll(() => panel.getByRole('status').textContent())
      .toMatch(/2 tests passed, \d+ % of lines covered/);
    const tests = panel.getByRole('list', { name: 'Tests' }).getByRole('listitem');
    await expect
      .poll(() => tests.getByRole('button').evaluateAll(all => all.map(one => one.textContent)))
      .toEqual(['test_150_asks passed', 'test_small_is_allowed passed']);

    await file(page, 'rules.rego').click();
    await paste(page, RULES.replace('input.payload.amount > 100', 'input.amuont > 100'));
    await tab(page, 'Problems').click();
    const problems = page.getByRole('tabpanel', { name: /^Problems/ });
    const problem = problems
      .getByRole('list', { name: 'Problems' })
      .getByRole('listitem')
      .getByRole('button', { name: /^error: .*undefined ref: input\.amuont.*rules\.rego:6/ });
    await problem.waitFor();
    await expect.poll(() => problems.getByRole('status').textContent()).toMatch(/^1 error/);
    await problem.focus();
    await page.keyboard.press('Enter');
    await expect.poll(() => focusIn(page, '.policy-monaco')).toBe(true);
    // The editor names its file, and that Tab can be let through.
    const named = page.getByRole('textbox', { name: /^rules\.rego\. Press Control M/ });
    await named.waitFor({ state: 'attached' });
    await watched.accessibleInBothThemes();
    watched.quiet();
    await watched.close();
  },
);

const focusIn = (page: Page, selector: string): Promise<boolean> =>
  page.evaluate(of => document.activeElement?.closest(of) !== null, selector);

test('an impact run shows how far it is, and stops when it is cancelled', async () => {
  for (let n = 0; n < 60; n++) await decide('issue_refund', { amount: n });
  const watched = await openBench(browser, app);
  const { page } = watched;
  await emptyDraft(page);
  // Each decision lasts until its deadline: no machine is through before the click.
  await paste(
    page,
    'package trailmix\n\ndeny contains "slow" if count([1 | some a in numbers.range(1, 4000); some b in numbers.range(1, 4000); a * b == -1]) > 0\n',
  );
  await tab(page, 'Impact').click();
  await page.getByRole('button', { name: 'Run on recorded decisions' }).click();
  const impact = page.getByRole('region', { name: 'Impact' });
  await impact.getByRole('progressbar', { name: /^\d+ of 60 decisions$/ }).waitFor({ state: 'attached' });
  await impact.getByRole('button', { name: 'Cancel' }).click();
  await impact.getByText(/^Cancelled: these are the first \d+\.$/).waitFor();
  await watched.accessibleInBothThemes();
  expect((await api.call('impacts')).items[0]).toMatchObject({ state: 'cancelled', total: 60 });
  await expect.poll(() => page.getByLabel('Keep the result as evidence').count()).toBe(0);
  // What was asked meanwhile was decided as ever.
  expect(await decide('issue_refund', { amount: 750 })).toBe('approve');
  watched.quiet();
  await watched.close();
});

test('from any event of a run to the policy that was in force then', ANEW, async () => {
  await decide('issue_refund', { amount: 750 });
  await api.call('loadSamples');
  const { items } = await api.call('traces', { query: { q: 'app:finance-bot' } });
  const run = items.find(item => item.title.startsWith('Supplier payment'))!;
  const watched = await openBench(browser, app);
  const { page } = watched;
  await page.goto(new URL(`/traces/${run.run_id}`, app.collector.url).href);
  const then = await api.call('policyAt', { query: { seq: run.last_seq } });
  await page.locator('.span').first().click();
  await page.getByRole('tab', { name: 'Policy' }).click();
  await page.getByRole('heading', { name: 'In force when it was recorded' }).waitFor();
  await watched.accessibleInBothThemes();
  await page.getByRole('button', { name: 'Open in the workbench' }).click();
  await editor(page).waitFor();
  await expect.poll(() => new URL(page.url()).searchParams.get('set')).toContain(then.hash);
  watched.quiet();
  await watched.close();
});
