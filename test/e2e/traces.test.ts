/** Traces and one run in a real browser against a real collector: list, search, keys, proof, what was altered. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Ask } from '../http/collector.ts';
import { ask, bearer } from '../http/collector.ts';
import { ANEW, type App, openApp, openBrowser, openPage, type Watched } from './browser.ts';
import { goBy } from './keyboard.ts';

const RUNS = 260;
let browser: Browser;
let app: App;

const at = (second: number): string => new Date(Date.UTC(2026, 10, 22, 9, 0, second)).toISOString();

/** A conversation with a turn, a model call, a tool, and one call that asks the policy. */
function conversation(session: string): object[] {
  const base = { session_id: session, app_id: 'support-bot', actor_type: 'agent', actor_id: 'support-agent' };
  return [
    {
      ...base,
      event_id: `${session}-1`,
      event_type: 'user.message',
      actor_type: 'user',
      actor_id: 'c-9917',
      ts: at(0),
      name: 'My espresso machine arrived cracked',
      input: { text: 'My espresso machine arrived with a cracked tank. I want a refund.' },
    },
    {
      ...base,
      event_id: `${session}-2`,
      event_type: 'agent.turn',
      ts: at(1),
      ts_end: at(40),
      name: 'assistant turn 1',
    },
    {
      ...base,
      event_id: `${session}-3`,
      parent_id: `${session}-2`,
      event_type: 'llm.chat',
      ts: at(2),
      ts_end: at(5),
      name: 'chat gpt-4o',
      input: { messages: [{ role: 'user', content: 'Where is the receipt?' }] },
      output: { model_output: 'Let me look up your latest order.' },
      model: {
        name: 'gpt-4o',
        provider: 'openai',
        cost: 0.0042,
        params: { usage: { input_tokens: 612, output_tokens: 41 } },
      },
      evals: [{ name: 'groundedness', score: 0.92, threshold: 0.8 }],
      status: 'ok',
    },
    {
      ...base,
      event_id: `${session}-4`,
      parent_id: `${session}-2`,
      event_type: 'tool.call',
      ts: at(6),
      ts_end: at(7),
      name: 'find_orders',
      input: { customer_id: 'c-9917' },
      output: { orders: [{ order_id: 'o-55120', note: 'zanzibar warehouse' }] },
      tools_invoked: [{ name: 'find_orders', args: { customer_id: 'c-9917' }, latency_ms: 940 }],
      status: 'ok',
    },
  ];
}

beforeAll(async () => {
  [browser, app] = await Promise.all([openBrowser(), openApp()]);
  const { url, socket } = app.collector;
  const key = async (app_id: string): Promise<Record<string, string>> => {
    const made = await ask(`${url}/api/keys`, { body: { app_id, scopes: ['ingest', 'decide'] }, socket });
    return bearer((made.json as { api_key: string }).api_key);
  };
  const post = async (path: string, given: Ask): Promise<never> => {
    const answer = await ask(url + path, given);
    if (answer.status >= 300) throw new Error(answer.text);
    return answer.json;
  };
  const [bulk, support] = [await key('bulk-bot'), await key('support-bot')];
  const events = Array.from({ length: RUNS }, (_, i) => ({
    event_id: `bulk-${i}`,
    session_id: `job-${i}`,
    app_id: 'bulk-bot',
    actor_type: 'service',
    ts: at(-1000 - i),
    ts_end: at(-999 - i),
    name: `nightly job ${i}`,
    status: i % 50 === 7 ? 'error' : 'ok',
  }));
  await post('/api/events', { body: { events }, headers: bulk });
  await post('/api/events', { body: { events: conversation('ticket-1') }, headers: support });
  await post('/api/decisions', {
    headers: support,
    body: {
      action: 'send_wire',
      risk: 'high',
      actor: { type: 'agent', id: 'support-agent' },
      payload: { amount: 12_000, iban: 'DE00' },
      session_id: 'ticket-1',
      app_id: 'support-bot',
      parent_id: 'ticket-1-2',
    },
  });
});

afterAll(async () => {
  await browser?.close();
  await app?.close();
});

const within = async (
  path: string,
  run: (watched: Watched) => Promise<void>,
  noise?: RegExp,
): Promise<void> => {
  const watched = await openPage(browser, app, path, noise === undefined ? {} : { expectNoise: noise });
  try {
    await run(watched);
    watched.quiet();
  } finally {
    await watched.close();
  }
};
const grid = '[role=grid][aria-label=Runs]';

describe('the list of runs', ANEW, () => {
  test('says how many there are and reaches the last of them', () =>
    within('/traces', async ({ page }) => {
      await page.getByText(`${RUNS + 1} runs`).waitFor();
      await expect.poll(() => page.getAttribute(grid, 'aria-rowcount')).toBe(String(RUNS + 2));
      await page.locator('.runs-scroll').evaluate(element => element.scrollTo({ top: element.scrollHeight }));
      await page.getByText('nightly job 0', { exact: true }).waitFor();
    }));

  test('facets and words narrow it, and the address holds them', () =>
    within('/traces', async ({ page }) => {
      await page.getByRole('button', { name: /^support-bot/ }).click();
      await page.getByText('1 run matches').waitFor();
      await expect.poll(() => new URL(page.url()).searchParams.get('app')).toBe('support-bot');
      await page.getByRole('button', { name: /^support-bot/ }).click();
      await page.getByText(`${RUNS + 1} runs`).waitFor();
      await page.keyboard.press('/');
      await page.keyboard.type('zanzibar');
      await page.getByText('1 run matches').waitFor();
      await expect.poll(() => new URL(page.url()).searchParams.get('q')).toBe('zanzibar');
      await page.reload();
      await page.getByText('1 run matches').waitFor();
      await expect.poll(() => page.getByLabel('Search runs').inputValue()).toBe('zanzibar');
      await page.getByLabel('Search runs').fill('nothing holds this word');
      await page.getByText('No run matches').waitFor();
      await page.getByRole('button', { name: 'Clear query and filters' }).click();
      await page.getByText(`${RUNS + 1} runs`).waitFor();
    }));

  test('by keyboard: arrows choose, Enter opens; back returns to the row', () =>
    within('/traces?q=zanzibar', async ({ page }) => {
      await page.getByText('1 run matches').waitFor();
      await page.locator(grid).focus();
      await page.keyboard.press('ArrowDown');
      await page.locator('[role=row][aria-selected=true]').waitFor();
      await page.keyboard.press('Enter');
      await page.waitForURL(/\/traces\/[0-9a-f]{16}/);
      await page.getByRole('treegrid').waitFor();
      await page.goBack();
      await page.locator('[role=row][aria-selected=true]').waitFor();
    }));

  test('runs without a risk are a facet, and a word of the query', () =>
    within('/traces', async ({ page }) => {
      const none = page.locator('.facet', { hasText: 'None' });
      const count = await none.locator('.facet-count').textContent();
      await none.focus();
      await page.keyboard.press('Enter');
      await page.waitForURL(/risk=none/);
      await page.getByText(`${count} runs match`).waitFor();
      await expect.poll(() => page.locator('.run .risk').count()).toBe(0);
      await page.goto(new URL('/traces?q=risk:none', page.url()).href);
      await page.getByText(`${count} runs match`).waitFor();
    }));

  test('sorts by column', () =>
    within('/traces', async ({ page }) => {
      await page.getByRole('columnheader', { name: 'Events' }).getByRole('button').click();

      await page.locator('[role=columnheader][aria-sort=descending]', { hasText: 'Events' }).waitFor();
      await expect.poll(() => page.locator('.run').first().textContent()).toContain('espresso');
    }));

  test('is accessible in both themes', () =>
    within('/traces', async ({ page, accessibleInBothThemes }) => {
      await page.locator('.run').first().waitFor();
      await accessibleInBothThemes();
    }));

  let live = 0;
  test('follows the ledger', () => {
    const name = `live-bot-${live++}`;
    return within(`/traces?app=${name}`, async ({ page }) => {
      await page.getByText('No run matches').waitFor();
      const { url, socket } = app.collector;
      const made = await ask(`${url}/api/keys`, { body: { app_id: name, scopes: ['ingest'] }, socket });
      await ask(`${url}/api/events`, {
        headers: bearer((made.json as { api_key: string }).api_key),
        body: {
          event_id: name,
          session_id: 's',
          app_id: name,
          actor_type: 'agent',
          ts: at(100),
          name: 'fresh run',
        },
      });
      await page.getByText('fresh run').waitFor();
    });
  });
});

const open = async ({ page }: Watched): Promise<void> => {
  await page.locator('.run', { hasText: 'espresso' }).click();
  await page.getByRole('treegrid').waitFor();
};

describe('one run', ANEW, () => {
  test('reads as sentences, tree and inspector', () =>
    within('/traces?q=zanzibar', async watched => {
      const { page, accessibleInBothThemes } = watched;
      await open(watched);
      await page.getByText(/1 call asked the policy: it wanted a person for 1/).waitFor();
      await page.getByRole('button', { name: 'Clear the search' }).click();
      await page.getByRole('row', { name: /send_wire/ }).click();
      await page.getByText('The policy wanted a person to agree first.').waitFor();
      await page.getByText('Nobody has answered yet: the call waits.').waitFor();
      await page.getByText('Unchanged since it was recorded').waitFor();
      await accessibleInBothThemes();
      await page.getByRole('tab', { name: 'Policy' }).click();
      await page.getByRole('button', { name: 'Show the sources' }).click();
      await page.getByText('wires.rego').first().waitFor();
      await expect.poll(() => new URL(page.url()).searchParams.get('tab')).toBe('policy');
      await page.getByRole('row', { name: /chat gpt-4o/ }).click();
      for (const name of ['Summary', 'Input', 'Output', 'Model', 'Evals', 'Raw']) {
        await page.getByRole('tab', { name }).click();
        await page.getByRole('tabpanel').waitFor();
      }
      await page.reload();
      await page.getByRole('tab', { name: 'Raw', selected: true }).waitFor();
    }));

  test('by keyboard: arrows, folding, search with n, zoom', () =>
    within('/traces?q=zanzibar', async watched => {
      const { page } = watched;
      await open(watched);
      // The words of the list are kept for the search inside.
      await expect.poll(() => page.getByLabel('Search inside this run').inputValue()).toBe('zanzibar');
      await page.getByText('1 match', { exact: true }).waitFor();
      await page.getByRole('treegrid').focus();
      await page.keyboard.press('n');
      await page.getByRole('row', { name: /find_orders/, selected: true }).waitFor();
      // Only the match and what holds it are left.
      await expect.poll(() => page.getByRole('treegrid').getByRole('row').count()).toBe(2);
      await page.getByRole('button', { name: 'Clear the search' }).click();
      await page.getByRole('treegrid').focus();
      await page.keyboard.press('Home');
      await page.getByRole('row', { name: /My espresso machine/, selected: true }).waitFor();
      await page.keyboard.press('ArrowDown');
      await page.getByRole('row', { name: /assistant turn 1/, selected: true, expanded: true }).waitFor();
      await page.keyboard.press('ArrowLeft');
      await page.getByRole('row', { name: /assistant turn 1/, expanded: false }).waitFor();
      await page.keyboard.press('ArrowRight');
      await page.keyboard.press('+');
      await page.waitForURL(/from=\d+&to=\d+/);
      await page.keyboard.press('0');
      await expect.poll(() => page.url()).not.toContain('from=');
      await page.keyboard.press('Enter');
      await expect.poll(() => page.evaluate(() => document.activeElement?.getAttribute('role'))).toBe('tab');
    }));

  test('Enter goes to the inspector, also while its event is still on its way', () =>
    within('/traces?q=zanzibar', async watched => {
      const { page } = watched;
      await open(watched);
      const { promise: held, resolve: letGo } = Promise.withResolvers<void>();
      await page.route(/\/api\/events\/\d+$/, async route => {
        await held;
        await route.continue();
      });
      await page.getByRole('treegrid').focus();
      await page.keyboard.press('Home');
      await page.getByRole('row', { selected: true }).waitFor();
      await page.keyboard.press('Enter');
      letGo();
      await expect.poll(() => page.evaluate(() => document.activeElement?.getAttribute('role'))).toBe('tab');
    }));

  test('the proof is recomputed in the page and passes', () =>
    within('/traces?q=zanzibar', async watched => {
      const { page, accessibleInBothThemes } = watched;
      await open(watched);
      await page.getByRole('row', { name: /find_orders/ }).click();
      await page.getByRole('tab', { name: 'Proof' }).click();
      await page
        .getByText(/Unchanged since it was recorded; checked on this computer at \d\d:\d\d:\d\d [A-Z]\w+/)
        .waitFor();
      await expect
        .poll(() =>
          page
            .locator('.proof-step')
            .evaluateAll(steps => steps.map(step => step.getAttribute('data-result'))),
        )
        .toEqual(Array(8).fill('pass'));
      await page.getByRole('button', { name: 'Details' }).click();
      await page.getByText('recorded body_hash').waitFor();
      await accessibleInBothThemes();
    }));

  test.each([
    ['one hash of the chain', 'hash_prev', 'before'],
    ['the fingerprint of the content', 'body_hash', 'content'],
    ['the record’s own hash', 'hash_self', 'head'],
  ])('%s altered on the way: the tab says so', (_, member, step) =>
    within('/traces?q=zanzibar', async watched => {
      const { page } = watched;
      await page.route('**/api/events/*/proof', async route => {
        const answer = await route.fetch();
        const reply = (await answer.json()) as { record: Record<string, string> };
        const hash = reply.record[member]!;
        reply.record[member] = (hash[0] === '0' ? '1' : '0') + hash.slice(1);
        await route.fulfill({ response: answer, json: reply });
      });
      await open(watched);
      await page.getByRole('row', { name: /find_orders/ }).click();
      await page.getByText('This does not match what was recorded').waitFor();
      await page.getByRole('tab', { name: 'Proof' }).click();
      await page.getByText('This does not match what was recorded.').waitFor();
      await expect
        .poll(() => page.locator(`.proof-step[data-step=${step}]`).getAttribute('data-result'))
        .toBe('fail');
      expect(await page.getByText('Unchanged since it was recorded').count()).toBe(0);
    }),
  );

  test('a content altered under the page is not the one that was checked', () =>
    within('/traces?q=zanzibar', async watched => {
      const { page } = watched;
      await page.route(/\/api\/events\/\d+$/, async route => {
        const answer = await route.fetch();
        const record = (await answer.json()) as { output?: unknown };
        record.output = { orders: [] };
        await route.fulfill({ response: answer, json: record });
      });
      await open(watched);
      await page.getByRole('row', { name: /find_orders/ }).click();
      await page.getByRole('tab', { name: 'Proof' }).click();
      await page.getByText('What this panel shows is not the record that was checked.').first().waitFor();
    }));
});

describe('getting around', ANEW, () => {
  test('palette to an event by number, letters to places, glossary by ?', () =>
    within('/overview', async ({ page, accessible }) => {
      await page.getByRole('link', { name: 'Traces' }).waitFor();
      await goBy(page, 't', '/traces');
      await page.keyboard.press('?');
      await page.getByRole('dialog').getByText('Inclusion proof').waitFor();
      await accessible();
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'hidden' });
      await page.keyboard.press('Control+k');
      await page.getByPlaceholder(/Go to/).fill('bulk-3');
      await page.getByRole('button', { name: /Open the event with id bulk-3/ }).click();
      await page.waitForURL(/\/traces\/[0-9a-f]{16}\?seq=\d+/);
      await page.getByRole('row', { name: /nightly job 3/, selected: true }).waitFor();
    }));

  test('the status bar explains itself', () =>
    within('/traces', async ({ page, accessible }) => {
      const item = page.locator('[data-status=ledger]');
      await expect.poll(() => item.textContent()).toMatch(/Verified to/);
      await item.click();
      await page.getByText(/Hash, chain and signature of every record/).waitFor();
      await accessible();
    }));

  test('a record that does not verify turns the bar red and is read out', () =>
    within('/overview', async ({ page, accessible }) => {
      await page.route('**/api/status', async route => {
        const answer = await route.fetch();
        const reply = (await answer.json()) as { ledger: object };
        const fault = {
          seq: 17,
          code: 'hash_wrong',
          message: 'The content of this record does not give its hash.',
        };
        await route.fulfill({ response: answer, json: { ...reply, ledger: { ...reply.ledger, fault } } });
      });
      await page.getByRole('button', { name: 'Record #17 does not verify' }).waitFor();
      await page
        .getByRole('status')
        .filter({ hasText: 'Record #17 does not verify' })
        .waitFor({ state: 'attached' });
      await accessible();
    }));

  test('a link works once; the page then says how to get back in', () =>
    within(
      '/traces#token=used-or-wrong',
      async ({ page, accessible }) => {
        await page.evaluate(() => sessionStorage.clear());
        await page.goto(`${app.collector.url}/traces#token=wrong`);
        await page.getByRole('heading', { name: 'This link no longer works' }).waitFor();
        await expect.poll(() => page.url()).not.toContain('token');
        await page.getByText('trailmix start').waitFor();
        await accessible();
      },
      /401/,
    ));

  test.each([
    ['1280x800', 1280, 800],
    ['1440x860 at 200 per cent', 720, 430],
  ])('everything can be reached at %s', async (_, width, height) => {
    const watched = await openPage(browser, app, '/traces?q=zanzibar', { width, height });
    const { page } = watched;
    await open(watched);
    await page.getByRole('row', { name: /find_orders/ }).click();
    await page.getByRole('tab', { name: 'Proof' }).click();
    await page.getByText(/Unchanged since it was recorded;/).waitFor();
    await expect
      .poll(() => page.evaluate(() => document.documentElement.scrollWidth - innerWidth))
      .toBeLessThanOrEqual(0);
    watched.quiet();
    await watched.close();
  });
});

test('a new ledger teaches the first step and loads samples', ANEW, async () => {
  const fresh = await openApp();
  try {
    const { page, quiet, accessibleInBothThemes, close } = await openPage(browser, fresh, '/traces');
    await page.getByRole('heading', { name: 'No run yet' }).waitFor();
    await accessibleInBothThemes();
    await page.getByRole('button', { name: 'Load sample runs' }).click();
    await page.locator('.run').first().waitFor();
    await page.getByText('sample', { exact: true }).first().waitFor();
    quiet();
    await close();
  } finally {
    await fresh.close();
  }
});
