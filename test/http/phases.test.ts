/** What answers in which phase, the first start, unlocking, and refusals that keep their page. */
import { chmod, cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { startCollector } from '../../collector/compose.ts';
import { bearer, event, startTestCollector, type TestCollector } from './collector.ts';

const running: TestCollector[] = [];
const folders: string[] = [];
const start = async (...options: Parameters<typeof startTestCollector>): Promise<TestCollector> => {
  const tm = await startTestCollector(...options);
  running.push(tm);
  return tm;
};
const temporary = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'tm-'));
  folders.push(folder);
  return folder;
};
afterEach(async () => {
  for (const tm of running.splice(0)) await tm.stop();
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});
const code = (answer: { json: never }): string => (answer.json as { code: string }).code;
const phase = async (tm: TestCollector): Promise<string> =>
  ((await tm.ask('/api/status', { headers: await tm.signIn() })).json as { phase: string }).phase;

describe('setup', () => {
  test('only health, status, setup and the page answer; then everything does', async () => {
    const tm = await start({ open: false });
    expect((await tm.ask('/api/health')).json).toMatchObject({ status: 'setup' });
    const page = await tm.signIn();
    expect(await phase(tm)).toBe('setup');
    const early = await tm.ask('/api/events', { body: event('bot') });
    expect([early.status, code(early)]).toEqual([503, 'setup_needed']);
    expect(early.headers['retry-after']).toBeUndefined();
    expect(code(await tm.ask('/api/overview', { headers: page }))).toBe('setup_needed');

    const weak = await tm.ask('/api/setup', {
      body: { custody: 'passphrase', passphrase: 'short', person: 'Ada', app_id: 'bot' },
      headers: page,
    });
    expect([weak.status, code(weak)]).toEqual([422, 'passphrase_weak']);
    expect(await phase(tm)).toBe('setup');
    const inside = await tm.ask('/api/setup', {
      body: { custody: 'key_file', key_file: join(tm.folder, 'inside.key'), person: 'Ada', app_id: 'bot' },
      headers: page,
    });
    expect([inside.status, code(inside)]).toEqual([503, 'vault_key_exposed']);

    const body = { custody: 'passphrase', passphrase: 'correct horse battery', person: 'Ada', app_id: 'bot' };
    const done = await tm.ask('/api/setup', { body, headers: page });
    expect(done.status).toBe(200);
    const made = done.json as { recovery_phrase: string; api_key: string; app_id: string };
    expect(made.recovery_phrase.split(' ')).toHaveLength(24);
    const sent = await tm.ask('/api/events', { body: event('bot'), headers: bearer(made.api_key) });
    expect(sent.status).toBe(201);
    const status = (await tm.ask('/api/status', { headers: page })).json as object;
    expect(status).toMatchObject({ phase: 'open', person: { name: 'Ada' }, custody: { kind: 'passphrase' } });
    const again = await tm.ask('/api/setup', { body, headers: page });
    expect([again.status, code(again)]).toEqual([409, 'setup_done']);
  }, 60_000);
});

describe('locked', () => {
  test('a wrong passphrase changes nothing; the right one opens; a new one counts from then on', async () => {
    const folder = join(await temporary(), 'data');
    const first = await start({ open: false, folder });
    const made = await first.ask('/api/setup', {
      body: { custody: 'passphrase', passphrase: 'correct horse battery', person: 'Ada', app_id: 'bot' },
      headers: await first.signIn(),
    });
    const { api_key } = made.json as { api_key: string };
    await first.collector.close();

    const tm = await start({ open: false, folder });
    expect(await phase(tm)).toBe('locked');
    const early = await tm.ask('/api/events', { body: event('bot'), headers: bearer(api_key) });
    expect([early.status, code(early)]).toEqual([503, 'vault_locked']);
    const page = await tm.signIn();
    const wrong = await tm.ask('/api/unlock', { body: { passphrase: 'wrong horse battery' }, headers: page });
    expect([wrong.status, code(wrong)]).toEqual([403, 'vault_secret_wrong']);
    expect(await phase(tm)).toBe('locked');
    const right = await tm.ask('/api/unlock', {
      body: { passphrase: 'correct horse battery' },
      headers: page,
    });
    expect(right.json).toMatchObject({ phase: 'open' });
    expect((await tm.ask('/api/events', { body: event('bot'), headers: bearer(api_key) })).status).toBe(201);

    const change = (input: object) => tm.ask('/api/custody/passphrase', { body: input, headers: page });
    expect(code(await change({ current: 'no', passphrase: 'another long phrase' }))).toBe(
      'vault_secret_wrong',
    );
    expect(
      (await change({ current: 'correct horse battery', passphrase: 'another long phrase' })).status,
    ).toBe(200);
    await tm.collector.close();
    const later = await start({ open: false, folder, passphrase: 'another long phrase' });
    expect(later.collector.phase()).toBe('open');
    await later.collector.close();
    const mistaken = await start({ open: false, folder, passphrase: 'not the phrase at all' });
    expect([mistaken.collector.phase(), mistaken.collector.refusal()?.code]).toEqual([
      'locked',
      'vault_secret_wrong',
    ]);
    const unlocked = await mistaken.ask('/api/unlock', {
      body: { passphrase: (made.json as { recovery_phrase: string }).recovery_phrase },
      headers: await mistaken.signIn(),
    });
    expect(unlocked.json).toMatchObject({ phase: 'open' });
    expect(mistaken.collector.refusal()).toBeUndefined();
  }, 60_000);
});

describe('a lost key file', () => {
  test('is said with its place; the recovery phrase opens, and a passphrase can take its place', async () => {
    const place = await temporary();
    const folder = join(place, 'data');
    const keyFile = join(place, 'test.key');
    const first = await start({ open: false, folder });
    const made = await first.ask('/api/setup', {
      body: { custody: 'key_file', key_file: keyFile, person: 'Ada', app_id: 'bot' },
      headers: await first.signIn(),
    });
    const { recovery_phrase, api_key } = made.json as { recovery_phrase: string; api_key: string };
    await first.collector.close();
    await rm(keyFile);

    const tm = await start({ open: false, folder });
    const page = await tm.signIn();
    const status = async () => (await tm.ask('/api/status', { headers: page })).json as object;
    expect(await status()).toMatchObject({ phase: 'locked', key_missing: { file: keyFile } });
    expect(tm.collector.refusal()?.code).toBe('vault_key_missing');
    const early = await tm.ask('/api/events', { body: event('bot'), headers: bearer(api_key) });
    expect([early.status, code(early)]).toEqual([503, 'vault_locked']);
    const unlock = (passphrase: string) => tm.ask('/api/unlock', { body: { passphrase }, headers: page });
    const wrong = await unlock(recovery_phrase.split(' ').toReversed().join(' '));
    expect([wrong.status, code(wrong)]).toEqual([403, 'vault_secret_wrong']);
    expect(await status()).toMatchObject({ phase: 'locked' });
    expect((await unlock(recovery_phrase)).json).toMatchObject({
      phase: 'open',
      key_missing: { file: keyFile },
    });
    expect((await tm.ask('/api/events', { body: event('bot'), headers: bearer(api_key) })).status).toBe(201);

    const changed = await tm.ask('/api/custody/passphrase', {
      body: { passphrase: 'correct horse battery' },
      headers: page,
    });
    expect(changed.json).toMatchObject({ custody: { kind: 'passphrase' } });
    expect(await status()).not.toHaveProperty('key_missing');
    await tm.collector.close();
    const later = await start({ open: false, folder, passphrase: 'correct horse battery' });
    expect(later.collector.phase()).toBe('open');
  }, 60_000);
});

describe('refused', () => {
  test('an exposed key file: a clear refusal, and all is well when it is mended', async () => {
    const place = await temporary();
    const folder = join(place, 'data');
    const keyFile = join(place, 'test.key');
    const first = await start({ folder, keyFile });
    await first.collector.close();
    await chmod(keyFile, 0o644);
    const exposed = await start({ open: false, folder, keyFile });
    expect(exposed.collector.refusal()?.code).toBe('vault_key_exposed');
    const status = (await exposed.ask('/api/status', { headers: await exposed.signIn() })).json as object;
    expect(status).toMatchObject({ phase: 'refused', refused: { code: 'vault_key_exposed' } });
    const refused = await exposed.ask('/api/events', { body: event('bot') });
    expect([refused.status, code(refused)]).toEqual([503, 'vault_key_exposed']);
    await exposed.collector.close();
    await chmod(keyFile, 0o600);
    expect((await start({ folder, keyFile })).collector.phase()).toBe('open');
  }, 60_000);

  test('an older copy of the database is refused, loudly', async () => {
    const place = await temporary();
    const folder = join(place, 'data');
    const keyFile = join(place, 'test.key');
    const first = await start({ folder, keyFile });
    await first.collector.close();
    for (const name of ['ledger.db', 'ledger.db-wal', 'ledger.db-shm']) {
      await cp(join(folder, name), join(place, name)).catch(() => {});
    }
    const second = await start({ folder, keyFile });
    const auth = bearer((await second.key('bot')).apiKey);
    await second.ask('/api/events', { body: event('bot'), headers: auth });
    await second.collector.close();
    for (const name of ['ledger.db', 'ledger.db-wal', 'ledger.db-shm']) {
      await rm(join(folder, name), { force: true });
      await cp(join(place, name), join(folder, name)).catch(() => {});
    }
    const third = await start({ open: false, folder, keyFile });
    expect(third.collector.refusal()?.code).toBe('ledger_rolled_back');
    expect((await third.ask('/api/health')).json).toMatchObject({ status: 'refused' });
  }, 60_000);

  test('a second collector on the same folder says who holds it', async () => {
    const tm = await start();
    await expect(startCollector({ folder: tm.folder, port: 0 })).rejects.toMatchObject({
      code: 'ledger_in_use',
      message: expect.stringContaining(String(process.pid)),
    });
    expect((await tm.ask('/api/health')).status).toBe(200);
  }, 60_000);

  test('a busy port is refused and the folder is free again', async () => {
    const tm = await start();
    const folder = join(await temporary(), 'data');
    const port = tm.collector.port;
    await expect(startCollector({ folder, port })).rejects.toMatchObject({ code: 'port_busy' });
    expect((await start({ open: false, folder })).collector.phase()).toBe('setup');
  }, 60_000);

  test('a damaged vault.json is refused', async () => {
    const folder = join(await temporary(), 'data');
    const tm = await start({ open: false, folder });
    await tm.collector.close();
    await writeFile(join(folder, 'vault.json'), '{"v":1}');
    expect((await start({ open: false, folder })).collector.refusal()?.code).toBe('vault_damaged');
  }, 60_000);

  test('a ledger without its vault is refused, and setup cannot begin over it', async () => {
    const place = await temporary();
    const folder = join(place, 'data');
    const first = await start({ folder, keyFile: join(place, 'test.key') });
    await first.collector.close();
    await rm(join(folder, 'vault.json'));
    const tm = await start({ open: false, folder });
    expect(tm.collector.refusal()).toMatchObject({
      code: 'vault_damaged',
      message: expect.stringContaining('vault.json is gone'),
    });
    const body = { custody: 'key_file', person: 'Eve', app_id: 'bot' };
    expect((await tm.ask('/api/setup', { body, headers: await tm.signIn() })).status).toBe(409);
  }, 60_000);

  test('a first start that fails leaves nothing: the next one begins anew', async () => {
    const place = await temporary();
    const folder = join(place, 'data');
    const tm = await start({ open: false, folder, keyFile: join(place, 'test.key') });
    // A file stands where the blobs' folder has to be.
    await writeFile(join(folder, 'blobs'), '');
    const choice = { kind: 'key_file', file: join(place, 'test.key') } as const;
    await expect(tm.collector.initialise(choice, 'Ada')).rejects.toThrow();
    expect(await phase(tm)).toBe('setup');
    await rm(join(folder, 'blobs'));
    await tm.collector.initialise(choice, 'Ada');
    expect(await phase(tm)).toBe('open');
  }, 60_000);

  test('a host beyond this machine needs TLS', async () => {
    const folder = join(await temporary(), 'data');
    await expect(startCollector({ folder, port: 0, host: '0.0.0.0' })).rejects.toMatchObject({
      code: 'usage',
    });
  });
});
