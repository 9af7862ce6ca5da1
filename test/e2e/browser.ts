/**
 * A real browser against a real collector, for the flows of the page. One Chromium per test file; each page notes
 * console errors, failed requests and violations of the CSP, and `quiet()` asserts that there were none.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import chromiumPack from '@sparticuz/chromium';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { expect } from 'vitest';
import { type Collector, type CollectorOptions, startCollector } from '../../collector/compose.ts';
import { builtPage } from './page_build.ts';

/** Milliseconds for one step of a page: a machine with two busy cores takes its time, a page that hangs takes all of it. */
const STEP_MS = 60_000;

/**
 * For a test that opens pages of its own and leaves nothing that a second try would trip over: it may be tried twice.
 * `npm test` says RETRIED of each that needed it, and that is a defect to be found.
 */
export const ANEW = { retry: 1 };

const axePath = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
/** Of the packed Chromium's arguments, those that weaken what is tested. */
const dropped = [
  '--single-process',
  '--no-zygote',
  '--disable-web-security',
  '--allow-running-insecure-content',
  '--disable-site-isolation-trials',
];

/** Where an installed Chrome or Chromium is looked for, after TRAILMIX_CHROME. */
const installed = [
  '/usr/bin/google-chrome',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
];

/** An installed browser, else the one that @sparticuz/chromium ships inside its package. */
async function launchOptions(): Promise<{ executablePath: string; args: string[]; headless: true }> {
  const named = process.env.TRAILMIX_CHROME;
  const found = named ?? installed.find(path => existsSync(path));
  if (found !== undefined) {
    // In a container Chromium's own sandbox needs rights that root there does not have.
    const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
    return { executablePath: found, args, headless: true };
  }
  return {
    executablePath: await chromiumPack.executablePath(),
    args: chromiumPack.args.filter(arg => !dropped.some(name => arg.startsWith(name))),
    headless: true,
  };
}

/** A request that a route holds while its page closes would end in an error that nobody catches: it is let go first. */
async function closeContext(context: BrowserContext): Promise<void> {
  for (const page of context.pages()) await page.unrouteAll({ behavior: 'ignoreErrors' });
  await context.close();
}

export async function openBrowser(): Promise<Browser> {
  const browser = await chromium.launch(await launchOptions());
  const close = browser.close.bind(browser);
  browser.close = async () => {
    // A test that failed has left its pages open.
    await Promise.all(browser.contexts().map(closeContext));
    await close();
  };
  return browser;
}

/** Where pages are opened: a browser, or one with a profile of its own. */
export type Pages = Pick<Browser, 'newContext' | 'close'>;

/** A browser with a profile on disk for each context: private ones, as `openBrowser` gives, keep no handles of folders. */
export async function openProfiles(): Promise<Pages> {
  const launch = await launchOptions();
  const opened: { context: BrowserContext; folder: string }[] = [];
  return {
    async newContext(options = {}) {
      const folder = await mkdtemp(join(tmpdir(), 'trailmix-profile-'));
      const context = await chromium.launchPersistentContext(folder, { ...launch, ...options });
      opened.push({ context, folder });
      return context;
    },
    async close() {
      for (const { context, folder } of opened.splice(0)) {
        await context.close();
        await rm(folder, { recursive: true, force: true });
      }
    },
  };
}

export type App = { collector: Collector; folder: string; close(): Promise<void> };

/** A collector on a new data folder: at its first start, or set up with a key file. */
export async function openApp(
  given: { setUp?: boolean } & Partial<Omit<CollectorOptions, 'folder'>> = {},
): Promise<App> {
  const { setUp = true, ...options } = given;
  const folder = await mkdtemp(join(tmpdir(), 'trailmix-e2e-'));
  // Key files go beside the data folder, never into the home of who runs the tests.
  process.env.XDG_CONFIG_HOME = join(folder, 'config');
  const collector = await startCollector({
    folder: join(folder, 'data'),
    port: 0,
    uiDir: await builtPage(),
    ...options,
  });
  if (setUp)
    await collector.initialise({ kind: 'key_file', file: join(folder, 'ledger.key') }, 'Maria Keller');
  return {
    collector,
    folder,
    async close() {
      await collector.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export type Watched = {
  page: Page;
  context: BrowserContext;
  /** Fails if anything was said on the console, refused by the CSP, or thrown. */
  quiet(): void;
  /** Fails on any serious or critical finding of axe, or on more than `moderate` said by name. */
  accessible(): Promise<void>;
  /** axe in both colour schemes. */
  accessibleInBothThemes(): Promise<void>;
  theme(scheme: 'light' | 'dark'): Promise<void>;
  close(): Promise<void>;
};

/** A signed-in page at a path of the app. `expectNoise`: texts of console errors that the test provokes. */
export async function openPage(
  browser: Pages,
  app: App,
  path = '/',
  given: { scheme?: 'light' | 'dark'; width?: number; height?: number; expectNoise?: RegExp } = {},
): Promise<Watched> {
  const { scheme = 'light', width = 1440, height = 860, expectNoise } = given;
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: scheme,
    timezoneId: 'Europe/Berlin',
    locale: 'en-GB',
    reducedMotion: 'reduce',
    acceptDownloads: true,
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  context.setDefaultTimeout(STEP_MS);
  const page = await context.newPage();
  const noise: string[] = [];
  page.on('console', message => {
    const text = message.text();
    if (message.type() !== 'error' && message.type() !== 'warning') return;
    if (expectNoise?.test(text)) return;
    noise.push(`${message.type()}: ${text}`);
  });
  page.on('pageerror', error => noise.push(`thrown: ${error.message}`));
  await page.addInitScript(() => {
    addEventListener('securitypolicyviolation', event =>
      console.error(`CSP: ${event.violatedDirective} ${event.blockedURI}`),
    );
  });
  const link = new URL(app.collector.uiUrl());
  await page.goto(`${link.origin}${path}${link.hash}`);
  // Leaving while the one-time link is being exchanged would lose the session: it is kept, or the page says why not.
  await page.waitForFunction(
    () =>
      sessionStorage.getItem('trailmix-session') !== null ||
      document.querySelector('#root :is(h1, h2)') !== null,
  );
  const accessible = async (): Promise<void> => {
    await settled(page);
    const serious = await seriousFindings(page);
    expect(serious).toEqual([]);
  };
  return {
    page,
    context,
    quiet: () => expect(noise).toEqual([]),
    accessible,
    async accessibleInBothThemes() {
      await accessible();
      await page.emulateMedia({
        colorScheme: scheme === 'light' ? 'dark' : 'light',
        reducedMotion: 'reduce',
      });
      await accessible();
      await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
    },
    theme: next => page.emulateMedia({ colorScheme: next, reducedMotion: 'reduce' }),
    close: () => closeContext(context),
  };
}

/** Nothing is on its way any more, neither a place nor a colour: axe would measure what nobody sees. */
const settled = (page: Page): Promise<void> =>
  page.evaluate(async () => {
    const frame = () => new Promise(done => requestAnimationFrame(done));
    await frame();
    await frame();
    const finite = document
      .getAnimations()
      .filter(one => one.playState === 'running' && one.effect?.getComputedTiming().endTime !== Infinity);
    await Promise.all(finite.map(one => one.finished.catch(() => undefined)));
  });

type AxeFinding = {
  id: string;
  impact: string | null;
  nodes: { target: unknown; failureSummary?: string }[];
};

/** Serious and critical findings of axe (WCAG 2.2 AA and best practices), readable. */
export async function seriousFindings(page: Page): Promise<string[]> {
  // The strict CSP refuses injected script elements; evaluation through the debugger is not one.
  const { readFile } = await import('node:fs/promises');
  await page.evaluate(await readFile(axePath, 'utf8'));
  const violations = (await page.evaluate(async () => {
    const axe = (globalThis as unknown as { axe: { run(o: unknown): Promise<{ violations: unknown[] }> } })
      .axe;
    return (await axe.run({ resultTypes: ['violations'] })).violations;
  })) as AxeFinding[];
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(
      ({ id, nodes }) =>
        `${id}: ${nodes
          .slice(0, 5)
          .map(node => `${JSON.stringify(node.target)} ${node.failureSummary ?? ''}`)
          .join(' | ')}`,
    );
}
