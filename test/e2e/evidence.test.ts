/** Evidence in the page: scope, export, save, and verifying by dropping a file; altered packs are caught. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { verifyPackFile } from '../../cli/verify_pack.ts';
import { ANEW, type App, openApp, openBrowser, openPage } from './browser.ts';
import { apiOf, type PageApi } from './page_api.ts';

/** Events of an export that is still running when it is cancelled. */
const LONG = 20_000;
let browser: Browser;
let app: App;
let api: PageApi;
let pack: Buffer;
beforeAll(async () => {
  browser = await openBrowser();
  app = await openApp();
  api = await apiOf(app);
});
afterAll(async () => {
  await browser?.close();
  await app?.close();
});

/** Drops files on the whole window, as a person does from the desktop. */
async function drop(page: Page, files: { name: string; bytes: Buffer; type: string }[]): Promise<void> {
  const given = files.map(file => ({ ...file, bytes: file.bytes.toString('base64') }));
  const transfer = await page.evaluateHandle(list => {
    const held = new DataTransfer();
    for (const { name, bytes, type } of list) {
      const data = Uint8Array.from(atob(bytes), letter => letter.charCodeAt(0));
      held.items.add(new File([data], name, { type }));
    }
    return held;
  }, given);
  const target = page.locator('.drop-all .drop-all-inner');
  await target.waitFor();
  await page.dispatchEvent('body', 'dragenter', { dataTransfer: transfer });
  await target.dispatchEvent('dragover', { dataTransfer: transfer });
  await target.dispatchEvent('drop', { dataTransfer: transfer });
}

const results = async (page: Page): Promise<Record<string, string>> => {
  await page.locator('.verdict').first().waitFor();
  return Object.fromEntries(
    await page
      .locator('.verdict')
      .evaluateAll(all => all.map(one => [one.getAttribute('aria-label'), one.getAttribute('data-result')])),
  );
};

test('with nothing recorded, the screen says what a pack is', async () => {
  const watched = await openPage(browser, app, '/evidence');
  await watched.page.getByRole('heading', { name: 'Nothing to export yet' }).waitFor();
  await watched.accessibleInBothThemes();
  await watched.page.getByRole('button', { name: 'Load sample runs' }).click();
  await watched.page.getByText('Which question must the pack answer?').waitFor();
  watched.quiet();
  await watched.close();
});

test('the scope is in the address, the preview counts it, the pack is exported and saved', ANEW, async () => {
  const watched = await openPage(browser, app, '/evidence');
  const { page } = watched;
  await page.getByRole('radio', { name: 'Were the rules followed?' }).check();
  await page.getByRole('radio', { name: 'What did this app do, and who allowed it?' }).check();
  await page
    .getByRole('combobox', { name: 'App' })
    .or(page.getByLabel('App', { exact: true }))
    .first()
    .click();
  await page.getByRole('option', { name: 'finance-bot' }).click();
  await page.getByRole('button', { name: 'Last 24 hours' }).click();
  await expect.poll(() => new URL(page.url()).search).toContain('app=finance-bot');
  const scope = new URL(page.url()).searchParams;
  const preview = page.getByLabel('What the pack would hold');
  const counted = await api.call('previewEvidence', {
    input: {
      app_id: 'finance-bot',
      time_from: JSON.parse(
        scope.get('from')!.startsWith('"') ? scope.get('from')! : `"${scope.get('from')}"`,
      ),
      time_to: JSON.parse(scope.get('to')!.startsWith('"') ? scope.get('to')! : `"${scope.get('to')}"`),
    },
  });
  expect(counted.events).toBeGreaterThan(20);
  await preview.getByText(String(counted.events), { exact: true }).waitFor();
  await watched.accessibleInBothThemes();

  await page.getByRole('button', { name: 'Export the pack' }).click();
  const save = page.getByRole('button', { name: 'Save', exact: true });
  await save.waitFor();
  const [download] = await Promise.all([page.waitForEvent('download'), save.click()]);
  expect(download.suggestedFilename()).toMatch(/^trailmix-finance-bot-.*\.zip$/);
  const file = join(app.folder, 'saved.zip');
  await download.saveAs(file);
  pack = await readFile(file);
  expect(pack.subarray(0, 2).toString()).toBe('PK');
  watched.quiet();
  await watched.close();
});

test('a pack dropped anywhere is verified in the page, with four verdicts', ANEW, async () => {
  const watched = await openPage(browser, app, '/overview');
  const { page } = watched;
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  const asked: string[] = [];
  page.on('request', request => {
    if (request.method() !== 'GET') asked.push(request.url());
  });
  await drop(page, [{ name: 'a pack.zip', bytes: pack, type: 'application/zip' }]);
  await expect
    .poll(() => results(page))
    .toEqual({ Integrity: 'not_shown', Completeness: 'pass', Time: 'not_shown', Identity: 'not_shown' });
  await page.getByText('Nothing fails.').waitFor();
  expect(asked).toEqual([]);
  await page
    .getByText(/finding/)
    .first()
    .click();
  await watched.accessibleInBothThemes();

  // With the trust files, got apart from the pack, the keys are no longer in doubt: the page says what the command line says.
  const { files } = await api.call('trust');
  const trust = Object.entries(files).map(([name, text]) => ({
    name,
    bytes: Buffer.from(text),
    type: name.endsWith('.json') ? 'application/json' : 'application/x-pem-file',
  }));
  await drop(page, trust);
  await page.getByText('against trust.json and org.pem').waitFor();
  await page.getByText('Unchanged and complete').waitFor();
  const folder = join(app.folder, 'trust');
  await mkdir(folder);
  for (const { name, bytes } of trust) await writeFile(join(folder, name), bytes);
  const { verdicts } = await verifyPackFile(join(app.folder, 'saved.zip'), { trust: folder });
  await expect
    .poll(() => results(page))
    .toEqual({
      Integrity: 'pass',
      Completeness: verdicts.completeness.result,
      Time: verdicts.time.result,
      Identity: verdicts.identity.result,
    });
  watched.quiet();
  await watched.close();
});

test('one flipped byte fails, by name; what is no pack is refused', ANEW, async () => {
  const watched = await openPage(browser, app, '/evidence?tab=verify');
  const { page } = watched;
  await page.getByRole('heading', { name: 'Drop an evidence pack here' }).waitFor();
  await watched.accessibleInBothThemes();
  // A stored or deflated byte in the middle of the first large file: its CRC no longer fits.
  const flipped = Buffer.from(pack);
  const at = flipped.indexOf('events.jsonl') + 400;
  flipped[at] = flipped[at]! ^ 1;
  const file = join(app.folder, 'flipped.zip');
  await writeFile(file, flipped);
  const [chooser] = await Promise.all([
    page.waitForEvent('filechooser'),
    page.getByRole('button', { name: 'Choose a file' }).click(),
  ]);
  await chooser.setFiles(file);
  await expect.poll(async () => (await results(page)).Integrity).toBe('fail');
  await page.getByText('This pack fails').waitFor();
  await page.locator('[data-level="fail"]').first().waitFor();
  await watched.accessibleInBothThemes();

  await page.getByRole('button', { name: 'Verify another pack' }).click();
  await drop(page, [
    { name: 'holiday.zip', bytes: Buffer.from('not a zip at all'), type: 'application/zip' },
  ]);
  await page.getByText('holiday.zip cannot be read as an evidence pack').waitFor();
  await watched.accessibleInBothThemes();
  watched.quiet();
  await watched.close();
});

test('a running export is cancelled: nothing of it is left, and nothing is said to be exported by it', async () => {
  const { api_key: key } = await api.call('createKey', { input: { app_id: 'long-bot' } });
  for (let from = 0; from < LONG; from += 1000) {
    const events = Array.from({ length: 1000 }, (_, i) => ({
      event_id: `long-${from + i}`,
      session_id: `s-${from}`,
      app_id: 'long-bot',
      actor_type: 'agent',
      ts: '2026-11-22T10:00:00Z',
      input: { text: `step ${from + i} `.repeat(40) },
    }));
    const sent = await fetch(`${app.collector.url}/api/events`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${key.split('.').slice(0, 3).join('.')}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify({ events }),
    });
    expect(sent.status).toBe(201);
  }
  const exported = (await api.call('status')).ledger?.exported;
  const exports = join(app.collector.folder, 'exports');
  const kept = await readdir(exports);

  const watched = await openPage(browser, app, '/evidence?app=long-bot');
  const { page } = watched;
  await page.getByLabel('What the pack would hold').getByText('20,000', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Export the pack' }).focus();
  await page.keyboard.press('Enter');
  const job = page.locator('.export[data-state="running"]');
  await job.getByRole('progressbar').waitFor();
  await watched.accessible();
  await job.getByRole('button', { name: 'Cancel' }).press('Enter');
  await page.getByText('Cancelled; nothing was kept.').waitFor();
  // The writer notices between two blocks, and removes its own file.
  await expect.poll(() => readdir(exports)).toEqual(kept);
  expect((await api.call('exportJobs')).items[0]).toMatchObject({ app_id: 'long-bot', state: 'cancelled' });
  expect((await api.call('status')).ledger?.exported).toEqual(exported);
  watched.quiet();
  await watched.close();
});
