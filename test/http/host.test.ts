/** What the page asks of the installation: status, settings, policies, overview, samples, diagnostics, downloads; TLS. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hostNames } from '../../collector/http/access.ts';
import { bearer, event, startTestCollector, type TestCollector } from './collector.ts';

let tm: TestCollector;
let page: Record<string, string>;
let apiKey: string;
beforeAll(async () => {
  tm = await startTestCollector();
  page = await tm.signIn();
  ({ apiKey } = await tm.key('bot'));
}, 60_000);
afterAll(() => tm?.stop());
const code = (answer: { json: never }): string => (answer.json as { code: string }).code;
const read = async (path: string): Promise<never> => (await tm.ask(path, { headers: page })).json;

test('status says who, where, how it is kept, and which policy is in force', async () => {
  expect(await read('/api/status')).toMatchObject({
    phase: 'open',
    person: { name: 'Ada' },
    custody: { kind: 'key_file', protects: expect.any(Array), does_not_protect: expect.any(Array) },
    address: { url: tm.url, host: '127.0.0.1', beyond_loopback: false },
    data: { folder: tm.folder, disk_low: false },
    ledger: { tenant_id: 'default', waiting_approvals: 0 },
    otlp_unkeyed: true,
    policy: { version: 1, ready: true },
  });
});

test('settings are checked, and each change is an event', async () => {
  const change = (body: object) => tm.ask('/api/settings', { body, headers: page });
  const before = await tm.size();
  expect((await change({ time_zone: 'Nowhere/City' })).json).toMatchObject({
    code: 'input_invalid',
    where: '/time_zone',
  });
  expect((await change({ otlp_unkeyed: 'yes' })).json).toMatchObject({
    code: 'input_invalid',
    where: '/otlp_unkeyed',
  });
  expect((await change({ person: '  ' })).json).toMatchObject({ where: '/person' });
  expect(await tm.size()).toBe(before);
  expect((await change({ time_zone: 'Europe/Paris' })).json).toMatchObject({
    time_zone: 'Europe/Paris',
    person: 'Ada',
  });
  expect(await tm.size()).toBe(before + 1);
  expect(await read(`/api/events/${before}`)).toMatchObject({ event_type: 'ledger.settings', by: 'Ada' });
  expect((await change({ time_zone: 'Europe/Paris' })).status).toBe(200);
  expect(await tm.size()).toBe(before + 1);
});

test('the policy in force, with its sources; one that never was is not found', async () => {
  const policy = (await read('/api/policies')) as { hash: string; files: { path: string; text: string }[] };
  expect(policy).toMatchObject({ version: 1, ready: true, entrypoint: 'trailmix/decision' });
  expect(policy.files.map(file => file.path)).toContain('wires.rego');
  expect(await read(`/api/policies?hash=${policy.hash}`)).toEqual(policy);
  expect(code(await tm.ask(`/api/policies?hash=${'0'.repeat(64)}`, { headers: page }))).toBe('not_found');
});

test('overview counts what was recorded', async () => {
  const sent = await tm.ask('/api/events', {
    body: { events: [event('bot'), event('bot')] },
    headers: bearer(apiKey),
  });
  expect(sent.status).toBe(201);
  const now = new Date().toISOString();
  const decision = {
    action: 'send_wire',
    risk: 'high',
    actor: { type: 'agent', id: 'a' },
    payload: { amount: 20_000 },
  };
  await tm.ask('/api/decisions', {
    body: { ...decision, session_id: 'run-1', app_id: 'bot' },
    headers: bearer(apiKey),
  });
  const overview = (await read('/api/overview?days=1')) as {
    by_app: { app_id: string; events: number }[];
    latest_exceptions: object[];
  };
  expect(overview).toMatchObject({
    decisions: { approve: 1 },
    approvals: { waiting: 1 },
    unverified_events: 0,
  });
  expect(overview.by_app.find(app => app.app_id === 'bot')).toMatchObject({ events: 4 });
  expect(overview.latest_exceptions[0]).toMatchObject({
    name: 'send_wire',
    state: 'waiting',
    reasons: ['wire > 10,000'],
  });
  expect(String((overview.latest_exceptions[0] as { at: string }).at) >= now.slice(0, 13)).toBe(true);
});

test('samples are loaded once, and say so', async () => {
  const load = () => tm.ask('/api/samples', { method: 'POST', headers: page });
  const first = await load();
  expect(first.json).toMatchObject({ already: false });
  expect((await load()).json).toMatchObject({ events: 0, already: true });
  const runs = (await read('/api/traces?limit=100')) as { items: { sample: boolean }[] };
  expect(runs.items.filter(run => run.sample)).toHaveLength((first.json as { runs: number }).runs);
});

test('diagnostics hold no payload and no secret', async () => {
  await tm.ask('/api/events', {
    body: event('bot', { input: 'very private words' }),
    headers: bearer(apiKey),
  });
  const { text } = await tm.ask('/api/diagnostics', { headers: page });
  expect(JSON.parse(text)).toMatchObject({
    version: expect.any(String),
    status: { phase: 'open' },
    log: expect.any(Array),
  });
  for (const secret of ['very private', apiKey, page.authorization!.slice(7)])
    expect(text).not.toContain(secret);
});

test('licences and the SDK to install', async () => {
  expect(((await read('/api/licences')) as { text: string }).text.length).toBeGreaterThan(20);
  const tarball = await fetch(`${tm.url}/api/sdk/trailmix-ts.tgz`);
  expect([200, 404]).toContain(tarball.status);
  if (tarball.status === 200) {
    const bytes = new Uint8Array(await tarball.arrayBuffer());
    expect([bytes[0], bytes[1]]).toEqual([0x1f, 0x8b]);
  }
});

describe('beyond this machine', () => {
  test('listening everywhere answers to the names of this host alone', () => {
    const names = hostNames({ host: '0.0.0.0', port: 4318, tls: true });
    expect(names.has('127.0.0.1:4318')).toBe(true);
    expect(names.has('evil.example:4318')).toBe(false);
  });

  test('TLS', async () => {
    const place = await mkdtemp(join(tmpdir(), 'tm-tls-'));
    const files = { cert: join(place, 'cert.pem'), key: join(place, 'key.pem') };
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'];
    const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
    execFileSync(
      'openssl',
      ['req', '-x509', ...kind, '-nodes', '-keyout', files.key, '-out', files.cert, ...subject],
      {
        stdio: 'ignore',
      },
    );
    const [cert, key] = await Promise.all([readFile(files.cert, 'utf8'), readFile(files.key, 'utf8')]);
    const secure = await startTestCollector({ tls: { cert, key }, open: false });
    try {
      expect(secure.url).toMatch(/^https:/);
      const status = await new Promise((resolve, reject) => {
        get(`${secure.url}/api/health`, { ca: cert }, answer => {
          answer.resume();
          resolve(answer.statusCode);
        }).on('error', reject);
      });
      expect(status).toBe(200);
    } finally {
      await secure.stop();
      await rm(place, { recursive: true, force: true });
    }
  }, 60_000);
});
