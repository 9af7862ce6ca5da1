/** The page's files: CSP with a nonce per request, caching, navigation, and what a browser from elsewhere may fetch. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestCollector, type TestCollector } from './collector.ts';

let tm: TestCollector;
let place: string;
beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), 'tm-ui-'));
  const uiDir = join(place, 'ui');
  await mkdir(join(uiDir, 'assets'), { recursive: true });
  await writeFile(
    join(uiDir, 'index.html'),
    '<!doctype html><meta name="csp-nonce" content="__CSP_NONCE__"><script src="/boot.js"></script>',
  );
  await writeFile(join(uiDir, 'boot.js'), 'boot()');
  await writeFile(join(uiDir, 'assets', 'index-AbCd1234.js'), 'app()');
  await writeFile(join(place, 'secret.txt'), 'classified');
  tm = await startTestCollector({ uiDir, open: false });
}, 60_000);
afterAll(async () => {
  await tm?.stop();
  await rm(place, { recursive: true, force: true });
});

test('index.html carries the nonce of its own policy, a new one each time', async () => {
  const nonces = new Set<string>();
  for (let i = 0; i < 2; i++) {
    const answer = await tm.ask('/');
    const nonce = /content="([^"]+)"/.exec(answer.text)?.[1] ?? '';
    expect(nonce).toMatch(/^[A-Za-z0-9_-]{24}$/);
    const policy = String(answer.headers['content-security-policy']);
    expect(policy).toContain(`style-src 'self' 'nonce-${nonce}'`);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain('unsafe-eval');
    expect(answer.headers).toMatchObject({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
    });
    nonces.add(nonce);
  }
  expect(nonces.size).toBe(2);
});

test("the page's own addresses show the page; unknown files and API addresses do not", async () => {
  const html = { accept: 'text/html' };
  expect((await tm.ask('/traces/abc?q=x', { headers: html })).status).toBe(200);
  expect((await tm.ask('/traces/abc')).status).toBe(404);
  expect((await tm.ask('/assets/none-AbCd1234.js')).status).toBe(404);
  expect((await tm.ask('/api/none', { headers: html })).headers['content-type']).toContain('problem+json');
  expect((await tm.ask('/', { method: 'POST', body: {} })).status).toBe(405);
});

test('hashed assets may be kept for ever, others not', async () => {
  const hashed = await tm.ask('/assets/index-AbCd1234.js');
  expect([hashed.status, hashed.text]).toEqual([200, 'app()']);
  expect(hashed.headers['cache-control']).toBe('public, max-age=31536000, immutable');
  expect(hashed.headers['content-type']).toContain('javascript');
  expect((await tm.ask('/boot.js')).headers['cache-control']).toBe('public, max-age=0');
});

test('nothing outside the folder is served', async () => {
  for (const path of [
    '/../secret.txt',
    '/..%2fsecret.txt',
    '/assets/../../secret.txt',
    '/%2e%2e/secret.txt',
    '/.hidden',
  ]) {
    const answer = await tm.ask(path);
    expect(answer.text).not.toContain('classified');
    expect(answer.status).toBe(404);
  }
});

test('a link from elsewhere opens the page; its scripts are not for other sites', async () => {
  const navigation = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', accept: 'text/html' };
  expect((await tm.ask('/', { headers: navigation })).status).toBe(200);
  const script = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' };
  expect((await tm.ask('/boot.js', { headers: script })).status).toBe(403);
  expect((await tm.ask('/api/health', { headers: navigation })).status).toBe(403);
  expect((await tm.ask('/', { headers: { host: 'evil.example' } })).status).toBe(421);
});

test('a page that is not built says so', async () => {
  const bare = await startTestCollector({ uiDir: join(place, 'none'), open: false });
  try {
    const answer = await bare.ask('/');
    expect([answer.status, answer.text]).toEqual([503, expect.stringContaining('npm run prepare')]);
  } finally {
    await bare.stop();
  }
});
