/** The snippets that the page offers, run as they are pasted: curl in a shell, the SDK's tarball by npm, OTLP's header. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildSnippets } from '../../renderer/features/settings/snippets.ts';
import { type App, openApp } from './browser.ts';
import { apiOf, type PageApi } from './page_api.ts';

const run = promisify(execFile);
let app: App;
let api: PageApi;
let snippets: ReturnType<typeof buildSnippets>;
beforeAll(async () => {
  app = await openApp();
  api = await apiOf(app);
  const { api_key } = await api.call('createKey', { input: { app_id: 'my-agent' } });
  snippets = buildSnippets({ endpoint: app.collector.url, appId: 'my-agent', apiKey: api_key });
});
afterAll(() => app?.close());

const stepsOf = (id: string): string[] => snippets.find(tab => tab.id === id)!.steps.map(step => step.code);

test('curl records one event', async () => {
  const { stdout } = await run('bash', ['-c', stepsOf('curl')[0]!]);
  expect(JSON.parse(stdout)).toMatchObject({ accepted: [{ seq: expect.any(Number) }] });
});

test('TypeScript: installed from this collector, its span is recorded and its wire waits', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'trailmix-snippet-'));
  try {
    const [install, environment, program] = stepsOf('typescript');
    await writeFile(join(folder, 'package.json'), '{"type":"module","private":true}');
    await writeFile(join(folder, 'program.ts'), program!);
    await run('bash', ['-c', `${install} --no-audit --no-fund`], { cwd: folder });
    expect(await readFile(join(folder, 'package.json'), 'utf8')).toContain('@trailmix/ts');
    const running = run('bash', ['-c', `${environment}\n"$NODE" program.ts`], {
      cwd: folder,
      env: { ...process.env, NODE: process.execPath },
    });
    const waiting = () => api.call('approvals', { query: { status: 'waiting' } });
    await expect.poll(async () => (await waiting()).total).toBe(1);
    const { id } = (await waiting()).items[0]!;
    await api.call('answerApproval', { params: { id }, input: { verdict: 'approve' } });
    expect((await running).stdout).toContain('sent 12000');
    const spans = await api.call('events', { query: { q: 'draft_reply' } });
    expect(spans.total).toBe(1);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('OpenTelemetry: the header in the environment is a key that counts', async () => {
  const header = /HEADERS="Authorization=([^"]+)"/.exec(stepsOf('otel')[0]!)![1]!;
  const answer = await fetch(`${app.collector.url}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: decodeURIComponent(header) },
    body: JSON.stringify({ resourceSpans: [] }),
  });
  expect(answer.status).toBe(200);
});
