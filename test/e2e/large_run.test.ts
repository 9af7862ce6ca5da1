/** A long run stays quick: rows are virtual, the waterfall is one canvas, the minimap is buckets of pixels. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ask, bearer } from '../http/collector.ts';
import { ANEW, type App, openApp, openBrowser, openPage } from './browser.ts';

const SPANS = 20_000;
let browser: Awaited<ReturnType<typeof openBrowser>>;
let app: App;

beforeAll(async () => {
  [browser, app] = await Promise.all([openBrowser(), openApp()]);
  const { url, socket } = app.collector;
  const made = await ask(`${url}/api/keys`, { body: { app_id: 'long-bot', scopes: ['ingest'] }, socket });
  const headers = bearer((made.json as { api_key: string }).api_key);
  const at = (ms: number): string => new Date(Date.UTC(2026, 10, 22, 9) + ms).toISOString();
  for (let from = 0; from < SPANS; from += 1000) {
    const events = Array.from({ length: 1000 }, (_, n) => {
      const i = from + n;
      return {
        event_id: `s-${i}`,
        session_id: 'long',
        app_id: 'long-bot',
        actor_type: 'agent',
        ts: at(i * 5),
        ts_end: at(i * 5 + (i % 50 === 0 ? 250 : 4)),
        name: i % 50 === 0 ? `turn ${i / 50}` : `tool ${i}`,
        event_type: i % 50 === 0 ? 'agent.turn' : 'tool.call',
        ...(i % 50 === 0 ? {} : { parent_id: `s-${i - (i % 50)}` }),
      };
    });
    const answer = await ask(`${url}/api/events`, { body: { events }, headers });
    if (answer.status !== 201) throw new Error(answer.text);
  }
});

afterAll(async () => {
  await browser?.close();
  await app?.close();
});

test('20,000 spans open, scroll to the end, and are searched', ANEW, async () => {
  const { page, quiet, close } = await openPage(browser, app, '/traces');
  await page.locator('.run').first().waitFor();
  await page.locator('.run').first().click();
  await page.locator('.span').first().waitFor();
  await expect.poll(() => page.getByRole('treegrid').getAttribute('aria-rowcount')).toBe(String(SPANS));
  await expect.poll(() => page.locator('.span').count()).toBeLessThan(100);
  await page.getByRole('treegrid').focus();
  await page.keyboard.press('End');
  await page.getByRole('row', { name: 'tool 19999', selected: true }).waitFor();
  await expect.poll(() => page.locator('.span').count()).toBeLessThan(100);
  await page.keyboard.press('/');
  await page.keyboard.type('tool 12345');
  await page.getByText('1 match', { exact: true }).waitFor();
  await page.keyboard.press('Enter');
  await page.getByRole('row', { name: 'tool 12345', selected: true }).waitFor();
  await page.getByRole('row', { name: 'turn 246' }).waitFor();
  quiet();
  await close();
});
