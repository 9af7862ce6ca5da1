/**
 * `npm run screenshots`: the pictures of the README and docs, in light and dark, of the real app with the sample runs.
 * Written to docs/images, or to the folder named as the first word.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { openApp, openBrowser } from './browser.ts';

const out = process.argv[2] ?? join(import.meta.dirname, '../../docs/images');
mkdirSync(out, { recursive: true });

const screens: [name: string, path: string, ready: string][] = [
  ['overview', '/overview', 'main'],
  ['traces', '/traces', 'role=grid'],
  ['approvals', '/approvals', 'main'],
  ['evidence', '/evidence', 'main'],
  ['settings', '/settings', 'main'],
];

const app = await openApp();
const browser = await openBrowser();
try {
  for (const scheme of ['light', 'dark'] as const) {
    const context = await browser.newContext({
      viewport: { width: 1440, height: 860 },
      colorScheme: scheme,
      timezoneId: 'Europe/Berlin',
      locale: 'en-GB',
      reducedMotion: 'reduce',
    });
    const page = await context.newPage();
    await page.goto(app.collector.uiUrl());
    await page.waitForURL(url => !url.hash);
    const call = (method: string, path: string) =>
      page.evaluate(
        async ([m, p]) => {
          const session = Object.values(sessionStorage).find(
            value => value.startsWith('tms1.') || value.includes('tms1.'),
          );
          const token = /tms1\.[\w.-]+/.exec(session ?? '')?.[0];
          return (await fetch(p!, { method: m!, headers: { authorization: `Bearer ${token}` } })).json();
        },
        [method, path],
      );
    await call('POST', '/api/samples');
    for (const [name, path, ready] of screens) {
      await page.goto(new URL(path, page.url()).href);
      await page.locator(ready).first().waitFor();
      await page.waitForTimeout(800);
      await page.screenshot({ path: join(out, `${name}-${scheme}.png`) });
    }
    const { items } = (await call('GET', '/api/traces')) as { items: { run_id: string; title: string }[] };
    const run = items.find(item => item.title.startsWith('Supplier payment')) ?? items[0]!;
    await page.goto(new URL(`/traces/${run.run_id}`, page.url()).href);
    await page.getByRole('treegrid').waitFor();
    await page.screenshot({ path: '/tmp/shots/dbg.png' });
    await page
      .getByRole('row', { name: /send_wire/ })
      .first()
      .click();
    await page.waitForTimeout(800);
    await page.screenshot({ path: join(out, `trace-${scheme}.png`) });
    await page.getByRole('tab', { name: 'Proof' }).click();
    await page.waitForTimeout(800);
    await page.screenshot({ path: join(out, `proof-${scheme}.png`) });
    await context.close();
  }
} finally {
  await browser.close();
  await app.close();
}
process.exit(0);
