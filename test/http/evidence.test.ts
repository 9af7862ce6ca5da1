/** Evidence over HTTP: preview, export at once and as a job, cancel, download, trust, and what a key may export. */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Value } from 'typebox/value';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { verifyPackFile } from '../../cli/verify_pack.ts';
import { operations } from '../../core/api/operations.ts';
import type { ExportJob } from '../../core/api/views.ts';
import { bearer, event, startTestCollector, type TestCollector } from './collector.ts';

// A pack is some seconds of work, and many more where others work too.
vi.setConfig({ testTimeout: 300_000 });

let tm: TestCollector;
let page: Record<string, string>;
let auth: Record<string, string>;
let place: string;
const hour = 3_600_000;
const scope = (app = 'bot') => ({
  app_id: app,
  time_from: new Date(Date.now() - hour).toISOString(),
  time_to: new Date(Date.now() + hour).toISOString(),
});
beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), 'tm-packs-'));
  tm = await startTestCollector();
  page = await tm.signIn();
  auth = bearer((await tm.key('bot', ['ingest', 'export'])).apiKey);
  const events = Array.from({ length: 20 }, (_, i) => event('bot', { name: `step ${i}` }));
  expect((await tm.ask('/api/events', { body: { events }, headers: auth })).status).toBe(201);
}, 60_000);
afterAll(async () => {
  await tm?.stop();
  await rm(place, { recursive: true, force: true });
});
const code = (answer: { json: never }): string => (answer.json as { code: string }).code;

const download = async (
  path: string,
  init: { method?: string; body?: string; headers: Record<string, string> },
) => {
  const answer = await fetch(tm.url + path, init);
  return { answer, bytes: Buffer.from(await answer.arrayBuffer()) };
};

test('preview counts the scope, and refuses what is none', async () => {
  const preview = await tm.ask('/api/evidence/preview', { body: scope(), headers: page });
  expect(preview.json).toMatchObject({ events: 20, sessions: 1 });
  const ask = (body: object) => tm.ask('/api/evidence/preview', { body, headers: page });
  expect(code(await ask(scope('nobody')))).toBe('app_unknown');
  expect(code(await ask({ ...scope(), time_from: 'soon' }))).toBe('ts_invalid');
  expect(code(await ask({ ...scope(), time_to: '2020-01-01T00:00:00Z' }))).toBe('scope_empty');
});

test('a zip is streamed, and verifies against keys got apart from it', async () => {
  const { answer, bytes } = await download('/api/evidence/export', {
    method: 'POST',
    body: JSON.stringify(scope()),
    headers: { ...auth, 'content-type': 'application/json', accept: 'application/zip' },
  });
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/zip']);
  expect(answer.headers.get('content-disposition')).toMatch(
    /^attachment; filename="trailmix-bot-[0-9-]+\.zip"$/,
  );
  const file = join(place, 'pack.zip');
  await writeFile(file, bytes);
  const trust = join(place, 'trust');
  const { files } = (await tm.ask('/api/trust', { headers: page })).json as { files: Record<string, string> };
  await mkdir(trust);
  for (const [name, text] of Object.entries(files)) await writeFile(join(trust, name), text);
  const { verdicts, counts } = await verifyPackFile(file, { trust });
  expect(counts.events).toBeGreaterThanOrEqual(20);
  expect([verdicts.integrity.result, verdicts.completeness.result]).toEqual(['pass', 'pass']);
});

test("a key exports its own app's pack only; the page's status then says how far packs reach", async () => {
  const other = bearer((await tm.key('other', ['export'])).apiKey);
  const refused = await tm.ask('/api/evidence/export', { body: scope('bot'), headers: other });
  expect([refused.status, code(refused)]).toEqual([403, 'app_mismatch']);
  const status = (await tm.ask('/api/status', { headers: page })).json as {
    ledger: { exported?: object };
  };
  expect(status.ledger.exported).toMatchObject({ size: expect.any(Number) });
});

test('a job: progress, done, downloaded as recorded', async () => {
  const started = await tm.ask('/api/evidence/jobs', { body: scope(), headers: page });
  expect(started.status).toBe(202);
  let job = started.json as ExportJob;
  while (job.state === 'running') {
    await new Promise(resolve => setTimeout(resolve, 50));
    job = (await tm.ask(`/api/evidence/jobs/${job.id}`, { headers: page })).json;
  }
  expect(job).toMatchObject({ state: 'done', pack: { events: expect.any(Number) } });
  const { answer, bytes } = await download(`/api/evidence/jobs/${job.id}/pack`, { headers: page });
  expect(answer.status).toBe(200);
  expect(createHash('sha256').update(bytes).digest('hex')).toBe(job.pack?.sha256);
  const listed = (await tm.ask('/api/evidence/jobs', { headers: page })).json as { items: ExportJob[] };
  expect(listed.items.map(one => one.id)).toContain(job.id);
});

test('packs that were made for download do not outlive the collector', async () => {
  const short = await startTestCollector({ open: true });
  const { apiKey } = await short.key('bot', ['ingest', 'export']);
  await short.ask('/api/events', { body: event('bot'), headers: bearer(apiKey) });
  const made = await short.ask('/api/evidence/export', { body: scope(), headers: bearer(apiKey) });
  const { pack } = made.json as { pack: string };
  expect((await stat(pack)).mode & 0o077).toBe(0);
  await short.collector.close();
  await expect(stat(pack)).rejects.toMatchObject({ code: 'ENOENT' });
  await short.stop();
}, 60_000);

test('a job that is cancelled keeps nothing; an unknown one is not found', async () => {
  const started = await tm.ask('/api/evidence/jobs', { body: scope(), headers: page });
  const { id } = started.json as ExportJob;
  const cancelled = await tm.ask(`/api/evidence/jobs/${id}`, { method: 'DELETE', headers: page });
  expect(cancelled.json).toMatchObject({ state: 'cancelled' });
  const pack = await tm.ask(`/api/evidence/jobs/${id}/pack`, { headers: page });
  expect([pack.status, code(pack)]).toEqual([404, 'export_unknown']);
  expect(code(await tm.ask('/api/evidence/jobs/none', { headers: page }))).toBe('export_unknown');
});

test('proof of one record, with what its check needs', async () => {
  const proof = (await tm.ask('/api/events/8/proof', { headers: page })).json as {
    inclusion: { size: number; index: number; hashes: string[] };
    checkpoint: { size: number; note: string };
    vkeys: string[];
    keys: { key_id: string; public_key: string }[];
    record: { key_id: string };
  };
  expect(proof.inclusion).toMatchObject({ index: 8, size: proof.checkpoint.size });
  expect(proof.keys.map(key => key.key_id)).toContain(proof.record.key_id);
  expect(proof.vkeys[0]).toMatch(/^trailmix\.invalid\//);
  expect(proof.checkpoint.note.split('\n')[0]).toBe(proof.vkeys[0]?.split('+')[0]);
});

test('the whole live ledger, and a backup that only the phrase opens', async () => {
  const report = (await tm.ask('/api/ledger/verify', { method: 'POST', headers: page })).json as {
    verdicts: Record<string, { result: string }>;
  };
  expect(report.verdicts.integrity?.result).toBe('pass');
  expect(Value.Check(operations.verifyLedger.output, report)).toBe(true);
  const { answer, bytes } = await download('/api/backup', { method: 'POST', headers: page });
  expect(answer.status).toBe(200);
  expect(bytes.includes(Buffer.from('step 1'))).toBe(false);
  expect(bytes.length).toBeGreaterThan(10_000);
});

test('nothing of the events is in clear in the data folder, and no secret in the logs', async () => {
  const files = await readdir(tm.folder, { recursive: true, withFileTypes: true });
  const clear: string[] = [];
  for (const file of files.filter(one => one.isFile())) {
    const bytes = await readFile(join(file.parentPath, file.name));
    if (bytes.includes(Buffer.from('step 7'))) clear.push(file.name);
  }
  expect(files.map(file => file.name)).toEqual(expect.arrayContaining(['ledger.db', 'search.db']));
  expect(clear).toEqual([]);
  const log = await readFile(join(tm.folder, 'logs', 'collector.log'), 'utf8');
  expect(log).not.toContain(auth.authorization!.slice(7));
});
