/** Someone changes the ledger's file while the app runs: the status bar says so within one pass, with the record. */
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openVault } from '../../collector/keys/vault.ts';
import { openWritable } from '../../collector/ledger/database.ts';
import { ANEW, type App, openApp, openBrowser, openPage } from './browser.ts';
import { apiOf } from './page_api.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());

const withSamples = async (run: (app: App) => Promise<void>): Promise<void> => {
  const app = await openApp();
  try {
    await (await apiOf(app)).call('loadSamples');
    await run(app);
  } finally {
    await app.close();
  }
};

const redWithin = async (app: App, name: RegExp): Promise<void> => {
  const { page, close } = await openPage(browser, app, '/traces', { expectNoise: /./ });
  try {
    await page.getByRole('button', { name }).waitFor();
  } finally {
    await close();
  }
};

test('one byte of a body, changed by someone who has the key', ANEW, () =>
  withSamples(async app => {
    const vault = await openVault({
      folder: join(app.folder, 'data'),
      secret: { kind: 'key_file', file: join(app.folder, 'ledger.key') },
    });
    const db = openWritable(join(app.folder, 'data/ledger.db'), vault.derive('database'), {
      cacheKiB: 1024,
      durable: true,
    });
    db.prepare(
      "UPDATE record SET body = replace(body, 'espresso', 'espressO') WHERE seq = (SELECT min(seq) FROM record WHERE body LIKE '%espresso%')",
    ).run();
    const { seq } = db.prepare("SELECT min(seq) AS seq FROM record WHERE body LIKE '%espressO%'").get() as {
      seq: number;
    };
    db.close();
    expect(seq).toBeGreaterThan(0);
    await redWithin(app, new RegExp(`Record #${seq} does not verify`));
  }),
);

test('one byte of the file, changed by someone who has not', ANEW, () =>
  withSamples(async app => {
    const file = join(app.folder, 'data/ledger.db');
    // What was written last stands in the log until it is folded in: fold it, as a longer life would.
    const vault = await openVault({
      folder: join(app.folder, 'data'),
      secret: { kind: 'key_file', file: join(app.folder, 'ledger.key') },
    });
    const db = openWritable(file, vault.derive('database'), { cacheKiB: 1024, durable: true });
    db.pragma('wal_checkpoint(TRUNCATE)');
    const { page } = db
      .prepare(
        "SELECT pageno AS page FROM dbstat WHERE name = 'record' AND pagetype = 'leaf' ORDER BY pageno LIMIT 1",
      )
      .get() as { page: number };
    db.close();
    const bytes = await readFile(file);
    const handle = await open(file, 'r+');
    await handle.write(Buffer.from([bytes[(page - 1) * 8192 + 4000]! ^ 1]), 0, 1, (page - 1) * 8192 + 4000);
    await handle.close();
    await redWithin(app, /does not verify|cannot be read/);
  }),
);
