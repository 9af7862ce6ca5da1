/** trailmix-verify.html in a real browser, from disk and without a network. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { builtVerifier } from '../../resources/build/verifier.ts';
import { openBrowser } from '../e2e/browser.ts';
import { askPage, openVerifierPage, trustFolder } from './harness_verifiers.ts';
import { busyLedger, makePack, trustOf } from './packs.ts';

let folder: string;
let browser: Browser;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'page-'));
  browser = await openBrowser();
});
afterAll(async () => {
  await browser.close();
  await rm(folder, { recursive: true, force: true });
});

const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

test('four verdicts from disk, without a network, in both schemes, accessible', async () => {
  const ledger = busyLedger();
  const pack = join(folder, 'good.zip');
  await writeFile(pack, await makePack(ledger));
  const trust = await trustFolder(folder, trustOf(ledger));
  const files = (await readdir(trust)).map(name => join(trust, name));
  const { page, noise } = await openVerifierPage(browser);
  expect(await askPage(page, pack, { trust: files })).toEqual({
    verdicts: { integrity: 'pass', completeness: 'pass', time: 'not_shown', identity: 'not_shown' },
    codes: ['approval_unsigned', 'certificate_self_made', 'time_not_shown'],
  });
  expect(await page.textContent('#conclusion')).toMatch(/^Unchanged and complete/);
  expect(await page.locator('.verdict h3').allTextContents()).toEqual([
    'Integrity: Was anything changed?',
    'Completeness: Is anything left out?',
    'Time: Does someone outside vouch for when?',
    'Identity: Who sent, and who approved?',
  ]);
  // The older pack may be itself; a stranger's trust fails in words.
  await page.setInputFiles('#since', pack);
  await expect.poll(() => page.textContent('#json')).toContain('"integrity"');
  expect(noise).toEqual([]);
  // axe itself is no part of the page: what the policy says to it is not the page's noise.
  const bare = await browser.newContext({ bypassCSP: true });
  const seen = await bare.newPage();
  await seen.goto(page.url());
  await askPage(seen, pack, { trust: files });
  await seen.addScriptTag({ path: axe });
  for (const colorScheme of ['light', 'dark'] as const) {
    await seen.emulateMedia({ colorScheme });
    const found = await seen.evaluate(
      'axe.run(document).then(({ violations }) => violations.map(({ id, help }) => id + help))',
    );
    expect(found).toEqual([]);
  }
});

test('what is dropped is taken by its name; a file that is no pack is said to be none', async () => {
  const { page, noise } = await openVerifierPage(browser);
  const drop = (names: string[]) =>
    page.evaluate(given => {
      const data = new DataTransfer();
      for (const name of given) data.items.add(new File(['nothing that is a pack, or trusted'], name));
      dispatchEvent(new DragEvent('drop', { dataTransfer: data, cancelable: true }));
    }, names);
  await drop(['trust.json']);
  await expect.poll(() => page.textContent('#status')).toBe('Now the pack.');
  await drop(['november.zip']);
  await expect.poll(() => page.textContent('#status')).toMatch(/not canonical JSON|Not an evidence pack/);
  expect(await page.isVisible('#report')).toBe(false);
  expect(noise).toEqual([]);
});

test('it allows its own script and style alone, and asks for nothing', async () => {
  const text = await readFile((await builtVerifier()).page, 'utf8');
  const [, policy] = /Content-Security-Policy"\s+content="([^"]+)"/.exec(text) ?? [];
  expect(policy).toMatch(
    /^default-src 'none'; script-src 'sha256-[^' ]+'; style-src 'sha256-[^' ]+'; base-uri 'none'; form-action 'none'$/,
  );
  expect(text).toContain('Contains: @noble/curves');
  expect(text).toContain('Permission is hereby granted');
});
