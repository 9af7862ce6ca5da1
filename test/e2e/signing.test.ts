/** Signing and time in the page, with a real authority and a real time-stamping authority by openssl: identity, stamps, packs. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { verifyPackFile } from '../../cli/verify_pack.ts';
import { Authority, opensslIn, TSA } from '../pack/authority.ts';
import { type App, openApp, openBrowser, openPage } from './browser.ts';
import { choose, saved } from './files.ts';
import { apiOf, type PageApi } from './page_api.ts';

let browser: Browser;
let app: App;
let api: PageApi;
let authority: Authority;
let server: Server;
let tsa: string;
/** An address at which nobody listens. */
let nobody: string;

/** The collector's refusals of what these tests give it. */
const REFUSED = /status of (422|503)/;

beforeAll(async () => {
  browser = await openBrowser();
  app = await openApp();
  api = await apiOf(app);
  await api.call('loadSamples');
  const folder = join(app.folder, 'ca');
  await mkdir(folder);
  authority = new Authority(folder, 'Good');
  authority.issue('tsa', 'P-256', TSA);
  authority.issue('file', 'P-256');
  server = createServer(async (incoming, outgoing) => {
    const parts: Buffer[] = [];
    for await (const part of incoming) parts.push(part as Buffer);
    outgoing.end(authority.stamp('tsa', Buffer.concat(parts)));
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  tsa = `http://127.0.0.1:${port}/`;
  const closed = createServer();
  await new Promise<void>(resolve => closed.listen(0, '127.0.0.1', resolve));
  nobody = `http://127.0.0.1:${(closed.address() as AddressInfo).port}/`;
  await new Promise(resolve => closed.close(resolve));
}, 120_000);
afterAll(async () => {
  await browser?.close();
  server?.closeAllConnections();
  server?.close();
  await app?.close();
});

const opened = (path: string) => openPage(browser, app, path, { expectNoise: REFUSED });
const button = (place: Page | Locator, name: string | RegExp) =>
  place.getByRole('button', { name, exact: typeof name === 'string' });

test('an identity is made here, asked of an authority, imported, checked for revocation, and switched', async () => {
  const watched = await opened('/settings?tab=signing');
  const { page } = watched;
  await page.getByText('nobody else vouches for the name on it').waitFor();
  await page.getByText('Not used yet.').waitFor();
  await watched.accessibleInBothThemes();

  // Self-made, by keyboard.
  await button(page, 'Make one here').focus();
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name on it').waitFor();
  await watched.accessibleInBothThemes();
  await page.keyboard.type('Example Ltd');
  await page.keyboard.press('Enter');
  await dialog.waitFor({ state: 'detached' });
  await page.getByText('CN=Example Ltd', { exact: false }).first().waitFor();

  // A request goes out, the leaf alone is refused in words, the whole answer is taken.
  await button(page, 'Ask an authority for one').click();
  await button(dialog, 'Make the request').click();
  await dialog.getByText('The authority wants a name.').waitFor();
  await dialog.getByRole('textbox', { name: 'Name' }).fill('Evidence');
  await dialog.getByLabel('Organisation').fill('Example Ltd');
  await dialog.getByLabel('Country').fill('de');
  await watched.accessibleInBothThemes();
  const request = await saved(page, button(dialog, 'Make the request'));
  expect(request.name).toBe('signing-request.csr.pem');
  await page.getByText('A request waits for its certificate').waitFor();
  await writeFile(join(authority.folder, 'org.csr'), request.bytes);
  authority.sign('org');
  await button(page, 'Import the answer').click();
  await choose(page, button(dialog, 'Choose the files'), [
    { name: 'org.pem', bytes: Buffer.from(authority.read('org.pem')) },
  ]);
  await button(dialog, 'Import and sign with it').click();
  await dialog.getByText('its root certificate is missing').waitFor();
  await watched.accessibleInBothThemes();
  await choose(page, button(dialog, 'Choose other files'), [
    { name: 'org.pem', bytes: Buffer.from(authority.read('org.pem')) },
    { name: 'chain.pem', bytes: Buffer.from(authority.read('Good-ca.pem') + authority.root) },
  ]);
  await button(dialog, 'Import and sign with it').click();
  await dialog.waitFor({ state: 'detached' });
  await page.getByText('O=Good, CN=Good Issuing vouches for this name.').waitFor();
  await page.getByText('A request waits for its certificate').waitFor({ state: 'detached' });

  // Revocation by a list from a file; then the certificate is on it.
  await page.getByText('not checked: read a revocation list').waitFor();
  await choose(page, button(page, 'Check a revocation list'), [
    { name: 'good.crl', bytes: Buffer.from(authority.crl()) },
  ]);
  await page.getByText('not revoked, by the list that was read').waitFor();
  await choose(page, button(page, 'Check a revocation list'), [
    { name: 'revoked.crl', bytes: Buffer.from(authority.crl('org')) },
  ]);
  await page.getByText('Its authority has revoked it.').waitFor();
  await watched.accessibleInBothThemes();

  // Key and certificate from a PKCS#12 file: a wrong password changes nothing.
  await writeFile(join(authority.folder, 'chain.pem'), authority.read('Good-ca.pem') + authority.root);
  opensslIn(authority.folder)(
    ...['pkcs12', '-export', '-in', 'file.pem', '-inkey', 'file.key', '-certfile', 'chain.pem'],
    ...['-passout', 'pass:geheim', '-out', 'file.p12'],
  );
  await button(page, 'Import a certificate').click();
  await choose(page, button(dialog, 'Choose the files'), [
    { name: 'file.p12', bytes: await readFile(join(authority.folder, 'file.p12')) },
  ]);
  await dialog.getByLabel('Password of the .p12 file').fill('falsch');
  await page.keyboard.press('Enter');
  await dialog.getByRole('alert').waitFor();
  expect(await api.call('certificate')).toMatchObject({ subject: 'C=DE, O=Example Ltd, CN=Evidence' });
  await dialog.getByLabel('Password of the .p12 file').fill('geheim');
  await page.keyboard.press('Enter');
  await dialog.waitFor({ state: 'detached' });
  await page.getByText('O=Good, CN=file').first().waitFor();
  await page.getByRole('cell', { name: /^Certificate imported: O=Good, CN=file/ }).waitFor();
  watched.quiet();
  await watched.close();
});

test('authorities are named, ordered and asked; a checkpoint is stamped now and by file', async () => {
  const watched = await opened('/settings?tab=signing');
  const { page } = watched;
  await page.getByText('No authority is named: nothing is sent anywhere.').waitFor();
  await page.getByText('No checkpoint was stamped yet').waitFor();
  const add = async (url: string) => {
    await page.getByLabel('Another authority').fill(url);
    await page.keyboard.press('Enter');
  };
  await add('tsa.example.org');
  await page.getByText('Give the whole address').waitFor();
  for (const url of [nobody, tsa]) {
    await add(url);
    await page.locator('.authority-list').getByText(url).waitFor();
  }
  await choose(page, button(page, 'Choose root certificates'), [
    { name: 'tsa-root.pem', bytes: Buffer.from(authority.root) },
  ]);
  await page.getByText('1 root certificate: stamps that lead to no other are refused').waitFor();

  await button(page, 'Stamp a checkpoint now').click();
  const rows = page.getByRole('row', { name: /O=Good, CN=tsa/ });
  await rows.first().waitFor();
  await page
    .locator('.authority-list')
    .getByText(/^failed/)
    .waitFor();
  await page
    .locator('.authority-list')
    .getByText(/^answered well/)
    .waitFor();
  await page.getByText(/^right to within|^\d.* known to within/).waitFor();
  await watched.accessibleInBothThemes();
  await button(page, `Ask ${tsa} earlier`).click();
  await expect.poll(async () => (await api.call('timestampAuthorities')).urls).toEqual([tsa, nobody]);
  await button(page, `Remove ${nobody}`).click();
  await expect.poll(async () => (await api.call('timestampAuthorities')).urls).toEqual([tsa]);

  const request = await saved(page, button(page, 'Save a request (.tsq)'));
  expect(request.name).toMatch(/^checkpoint-\d+\.tsq$/);
  const reply = { name: 'checkpoint.tsr', bytes: authority.stamp('tsa', request.bytes) };
  const importing = button(page, 'Import a reply (.tsr with its .tsq)');
  await choose(page, importing, [reply]);
  await page.getByText('Choose the .tsq file too').waitFor();
  await choose(page, importing, [reply, request]);
  await expect.poll(() => rows.count()).toBe(2);
  await watched.accessibleInBothThemes();
  watched.quiet();
  await watched.close();
});

test('an exported pack is stamped afterwards, at once and by file; page and command line agree on it', async () => {
  const watched = await opened('/evidence?app=finance-bot');
  const { page } = watched;
  await button(page, 'Export the pack').click();
  const stamp = page.getByRole('button', { name: /^Stamp trailmix-finance-bot/ });
  await stamp.first().waitFor();
  await stamp.first().click();
  const dialog = page.getByRole('dialog');
  await button(dialog, 'Ask the authorities now').waitFor();
  await watched.accessibleInBothThemes();
  await button(dialog, 'Ask the authorities now').click();
  await dialog.getByText('Its signature, there by').waitFor();
  await dialog.getByText('The whole pack, there by').waitFor();
  await watched.accessibleInBothThemes();
  await button(dialog, 'Done').click();
  const stamped = await saved(page, button(page, 'Save'));
  const pack = join(app.folder, 'stamped.zip');
  await writeFile(pack, stamped.bytes);
  const trust = join(app.folder, 'trust');
  await mkdir(trust);
  const { files } = await api.call('trust');
  for (const [name, text] of Object.entries(files)) await writeFile(join(trust, name), text);
  const { verdicts } = await verifyPackFile(pack, { trust });
  expect(verdicts.time.result).toBe('pass');

  // The page says the same, from the same files.
  await button(page, 'Verify here').click();
  await page.locator('.verdict').first().waitFor();
  await choose(
    page,
    button(page, 'Compare with trust files'),
    Object.entries(files).map(([name, text]) => ({ name, bytes: Buffer.from(text) })),
  );
  await page.getByText('against trust.json').waitFor();
  for (const [name, { result, findings }] of Object.entries(verdicts)) {
    const shown = page.locator(`.verdict[aria-label="${name[0]!.toUpperCase()}${name.slice(1)}"]`);
    await expect.poll(() => shown.getAttribute('data-result'), { message: name }).toBe(result);
    const codes = await shown.locator('.finding-where').allTextContents();
    expect(codes.map(text => text.split(' · ')[0]).sort(), name).toEqual(
      findings.map(({ code }) => code).sort(),
    );
  }

  // A pack of an earlier day comes back, and is stamped by file.
  await page.getByRole('tab', { name: 'Export a pack' }).click();
  await choose(page, button(page, 'Bring a pack back to stamp it'), [
    { name: 'an old one.txt', bytes: Buffer.from('nothing') },
  ]);
  await page.getByText('pack_unreadable').waitFor();
  await choose(page, button(page, 'Bring a pack back to stamp it'), [
    { name: 'march.zip', bytes: stamped.bytes },
  ]);
  await button(page, 'Stamp march.zip').click();
  const request = await saved(page, button(dialog, 'Save a request'));
  const reply = { name: 'march.tsr', bytes: authority.stamp('tsa', request.bytes) };
  await choose(page, button(dialog, 'Import a reply'), [request, reply]);
  await dialog.getByText('The whole pack, there by').waitFor();
  watched.quiet();
  await watched.close();
});
