/** The command line as a contract: exit codes, --json alone on stdout, no stack traces, work with and without the app. */
import { access, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ask, bearer, event } from '../http/collector.ts';
import { type Place, type Started, startApp, temporaryPlace, trailmix } from './trailmix.ts';

const LONG = 120_000;
let place: Place;
let app: Started;
let phrase: string;

beforeAll(async () => {
  place = await temporaryPlace();
  app = await startApp(['--data', place.data, '--key-file', place.keyFile]);
  phrase = app
    .err()
    .split('\n')
    .filter(line => /^ {2}[a-z]+( [a-z]+){5}$/.test(line))
    .join(' ')
    .trim()
    .replaceAll(/\s+/g, ' ');
}, LONG);
afterAll(async () => {
  await app?.stop();
  await place?.remove();
}, LONG);

const data = (): string[] => ['--data', place.data];

describe('start', () => {
  test('says everything in one document; the recovery phrase stands on stderr alone', async () => {
    expect(app.ready).toEqual({
      url: `http://127.0.0.1:${app.ready.port}`,
      port: expect.any(Number),
      ui_url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/#token=[A-Za-z0-9_-]{43}$/),
      data: place.data,
      custody: 'key_file',
      pid: app.child.pid,
    });
    expect(phrase.split(' ')).toHaveLength(24);
    expect((await stat(place.keyFile)).mode & 0o777).toBe(0o600);
    expect((await stat(place.data)).mode & 0o777).toBe(0o700);
    expect((await ask(`${app.ready.url}/api/health`)).json).toMatchObject({ status: 'ok' });
    const log = await readFile(join(place.data, 'logs', 'collector.log'), 'utf8');
    for (const word of [phrase, app.ready.ui_url.split('=')[1]!]) expect(log).not.toContain(word);
  });

  test(
    'a second one on the same folder: refused, with who holds it and where it answers',
    async () => {
      const second = await trailmix(['start', '--no-open', '--json', '--port', '0', ...data()]);
      expect(second.code).toBe(1);
      expect(second.json).toMatchObject({
        error: { code: 'ledger_in_use', detail: expect.stringContaining(String(app.ready.pid)) },
      });
      expect(second.err).toContain(app.ready.url);
    },
    LONG,
  );

  test(
    'a busy port: says who holds it, and offers another',
    async () => {
      const other = await temporaryPlace();
      try {
        const ours = await trailmix([
          'start',
          '--no-open',
          '--port',
          String(app.ready.port),
          '--data',
          other.data,
        ]);
        expect(ours.code).toBe(1);
        expect(ours.err).toMatch(/held by another TrailMix \(\d.*\); \d+ is free: --port \d+/);
        const server = createServer((_request, answer) => answer.end('hello'));
        await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
        const { port } = server.address() as AddressInfo;
        const foreign = await trailmix(['start', '--no-open', '--port', String(port), '--data', other.data]);
        server.close();
        expect(foreign.err).toContain('held by another program');
      } finally {
        await other.remove();
      }
    },
    LONG,
  );

  test.each(['SIGTERM', 'SIGINT'] as const)(
    '%s: finishes what is under way, exit 0, everything is there again',
    async signal => {
      const other = await temporaryPlace();
      try {
        const words = ['--data', other.data, '--key-file', other.keyFile];
        const first = await startApp(words);
        const key = await trailmix(['keys', 'create', '--app', 'bot', '--json', '--data', other.data]);
        const { api_key } = key.json as { api_key: string };
        const sent = await ask(`${first.ready.url}/api/events`, {
          body: event('bot'),
          headers: bearer(api_key),
        });
        expect(sent.status).toBe(201);
        expect(await first.stop(signal)).toBe(0);
        await expect(access(join(other.data, 'socket'))).rejects.toThrow();
        const second = await startApp(words);
        expect(second.err()).not.toContain('Recovery phrase');
        const health = (await ask(`${second.ready.url}/api/health`)).json as { ledger: { head_seq: number } };
        expect(health.ledger.head_seq).toBeGreaterThanOrEqual(
          (sent.json as { accepted: { seq: number }[] }).accepted[0]!.seq,
        );
        expect(await second.stop()).toBe(0);
      } finally {
        await other.remove();
      }
    },
    LONG,
  );

  test(
    'a data folder too deep for a socket still has a CLI',
    async () => {
      const other = await temporaryPlace();
      const deep = join(other.folder, 'd'.repeat(90), 'data');
      try {
        const started = await startApp(['--data', deep, '--key-file', other.keyFile]);
        const listed = await trailmix(['keys', 'list', '--json', '--data', deep]);
        expect(listed.json).toEqual({ keys: [] });
        expect(await started.stop()).toBe(0);
      } finally {
        await other.remove();
      }
    },
    LONG,
  );
});

describe('keys', () => {
  test(
    'are made, listed and revoked through the app that runs, and hold at once',
    async () => {
      const made = await trailmix([
        'keys',
        'create',
        '--app',
        'bot',
        '--scopes',
        'ingest,read',
        '--json',
        ...data(),
      ]);
      expect(made.code).toBe(0);
      const key = made.json as { id: string; api_key: string; scopes: string[] };
      expect(key).toMatchObject({ app_id: 'bot', tenant_id: 'default', scopes: ['ingest', 'read'] });
      const send = () =>
        ask(`${app.ready.url}/api/events`, { body: event('bot'), headers: bearer(key.api_key) });
      expect((await send()).status).toBe(201);
      const listed = await trailmix(['keys', 'list', '--json', ...data()]);
      expect((listed.json as { keys: { id: string }[] }).keys.map(one => one.id)).toContain(key.id);
      expect(listed.out).not.toContain(key.api_key.split('.')[2]);
      expect((await trailmix(['keys', 'revoke', key.id, ...data()])).code).toBe(0);
      expect((await send()).json).toMatchObject({ code: 'key_revoked' });
    },
    LONG,
  );

  test(
    'also while the app does not run',
    async () => {
      const other = await temporaryPlace();
      try {
        const words = ['--data', other.data, '--key-file', other.keyFile];
        await (await startApp(words)).stop();
        const made = await trailmix(['keys', 'create', '--app', 'bot', '--json', '--data', other.data]);
        expect([made.code, (made.json as { app_id: string }).app_id]).toEqual([0, 'bot']);
        const trust = join(other.folder, 'trust');
        const written = await trailmix(['keys', 'trust', '--out', trust, '--json', '--data', other.data]);
        expect((written.json as { files: string[] }).files).toEqual(
          expect.arrayContaining(['org.pem', 'trust.json', expect.stringMatching(/^log-[0-9a-f]{8}\.pem$/)]),
        );
        expect(JSON.parse(await readFile(join(trust, 'trust.json'), 'utf8'))).toMatchObject({ v: 1 });
      } finally {
        await other.remove();
      }
    },
    LONG,
  );
});

describe('samples, export, verify, backup, restore, doctor', () => {
  test(
    'the whole thread',
    async () => {
      const loaded = await trailmix(['sample', 'load', '--json', ...data()]);
      expect(loaded.json).toMatchObject({ already: false, runs: expect.any(Number) });
      expect((await trailmix(['sample', 'load', '--json', ...data()])).json).toMatchObject({ already: true });

      const trust = join(place.folder, 'trust');
      await trailmix(['keys', 'trust', '--out', trust, ...data()]);
      const pack = join(place.folder, 'pack.zip');
      const today = new Date().toISOString().slice(0, 10);
      const scope = ['--app', 'finance-bot', '--from', '2020-01-01', '--to', today];
      const made = await trailmix(['export', ...scope, '--out', pack, '--json', ...data()]);
      expect(made.json).toMatchObject({
        pack,
        pack_id: expect.stringMatching(/^[0-9a-f]{64}$/),
        checkpoint: { size: expect.any(Number) },
      });
      const again = await trailmix(['export', ...scope, '--out', pack, ...data()]);
      expect([again.code, again.err]).toEqual([2, expect.stringContaining('is there already')]);

      const verified = await trailmix(['verify', pack, '--trust', trust, '--json']);
      expect(verified.code).toBe(3);
      expect(verified.json).toMatchObject({
        verdicts: { integrity: { result: 'pass' }, completeness: { result: 'pass' } },
      });
      const spoken = await trailmix(['verify', pack]);
      expect([spoken.code, spoken.out]).toEqual([3, expect.stringMatching(/integrity +NOT SHOWN/)]);
      const bytes = await readFile(pack);
      bytes[Math.floor(bytes.length / 2)]! ^= 1;
      const broken = join(place.folder, 'broken.zip');
      await writeFile(broken, bytes);
      expect([1, 2]).toContain((await trailmix(['verify', broken, '--trust', trust])).code);
      const text = join(place.folder, 'text.zip');
      await writeFile(text, 'not a zip');
      expect((await trailmix(['verify', text, '--json'])).json).toMatchObject({
        error: { code: 'pack_unreadable' },
      });
      expect((await trailmix(['verify', join(place.folder, 'none.zip')])).code).toBe(2);

      const ledger = await trailmix(['verify', '--ledger', '--json', ...data()]);
      expect(ledger.json).toMatchObject({ verdicts: { integrity: { result: 'pass' } } });

      const file = join(place.folder, 'b.backup');
      expect((await trailmix(['backup', file, '--json', ...data()])).json).toMatchObject({ backup: file });
      expect((await stat(file)).mode & 0o777).toBe(0o600);
      const restored = join(place.folder, 'restored');
      const restore = (more: string[], env: Record<string, string> = {}, input = '') =>
        trailmix(
          [
            'restore',
            file,
            '--data',
            restored,
            '--key-file',
            join(place.folder, 'keys', 'new.key'),
            '--json',
            ...more,
          ],
          env,
          input,
        );
      expect((await restore([], { TRAILMIX_RECOVERY_PHRASE: phrase })).json).toMatchObject({
        error: { code: 'restore_refused' },
      });
      const wrong = await restore(['--accept-head'], {}, `${phrase.split(' ').reverse().join(' ')}\n`);
      expect([wrong.code, wrong.json]).toEqual([
        1,
        expect.objectContaining({ error: expect.objectContaining({ code: 'vault_secret_wrong' }) }),
      ]);
      const done = await restore(['--accept-head'], {}, `${phrase}\n`);
      expect(done.code).toBe(0);
      const opened = await trailmix(['verify', '--ledger', '--json', '--data', restored]);
      expect(opened.json).toMatchObject({ verdicts: { integrity: { result: 'pass' } } });

      const doctor = await trailmix(['doctor', '--json', ...data()]);
      expect(doctor.json).toMatchObject({
        checks: expect.any(Array),
        ui_url: expect.stringContaining('#token='),
      });
      const none = await trailmix(['doctor', '--json', '--data', join(place.folder, 'none')]);
      expect(none.code).toBe(1);
      expect(none.json).toMatchObject({ ok: false });
    },
    LONG,
  );
});

describe('policy', () => {
  test(
    'check and test say what is wrong and where',
    async () => {
      const folder = join(place.folder, 'rego');
      await mkdir(folder, { recursive: true });
      await writeFile(
        join(folder, 'good.rego'),
        'package trailmix\n\ndecision := {"result": "allow", "reasons": []}\n',
      );
      const good = await trailmix(['policy', 'check', folder, '--json']);
      expect([good.code, good.json]).toEqual([0, expect.objectContaining({ ok: true })]);
      await writeFile(join(folder, 'bad.rego'), 'package trailmix\n\nallow if { x }\n');
      const bad = await trailmix(['policy', 'check', folder, '--json']);
      expect(bad.code).toBe(1);
      expect(bad.json).toMatchObject({
        ok: false,
        errors: [{ path: expect.stringContaining('bad.rego'), row: 3 }],
      });
    },
    LONG,
  );
});

describe('usage', () => {
  const wrong: [words: string[], message: string][] = [
    [['nonsense'], 'There is no command nonsense'],
    [['start', '--colour', 'red'], "Unknown option '--colour'"],
    [['start', '--port', '99999'], '99999 is not a port'],
    [['start', '--host', '0.0.0.0', '--port', '0'], 'needs --tls-cert'],
    [['keys', 'create'], '--app is missing'],
    [['keys', 'create', '--app', 'bot', '--scopes', 'everything'], 'everything is no scope'],
    [['verify'], 'Name the pack'],
    [['policy', 'bless', 'x'], 'policy has no bless'],
    [['export', '--out', 'x.zip'], '--app is missing'],
  ];
  test.each(wrong)(
    '%j',
    async (words, message) => {
      const ran = await trailmix([...words, '--data', join(place.folder, 'usage')]);
      expect([ran.code, ran.out]).toEqual([2, '']);
      expect(ran.err).toContain(message);
      expect(ran.err).toContain('next:');
      expect(ran.err).not.toMatch(/\n\s+at /);
    },
    LONG,
  );

  test(
    'help of everything, each with an example',
    async () => {
      const all = await trailmix(['--help']);
      expect(all.code).toBe(0);
      const names = [...all.out.matchAll(/^ {2}([a-z]+) {2,}/gm)]
        .map(match => match[1]!)
        .filter(name => name !== 'trailmix');
      expect(names).toEqual(
        expect.arrayContaining([
          'start',
          'keys',
          'export',
          'verify',
          'backup',
          'restore',
          'doctor',
          'policy',
        ]),
      );
      for (const name of names) {
        const one = await trailmix([name, '--help']);
        expect([one.code, one.out]).toEqual([0, expect.stringMatching(/Examples?:\n {2}.*trailmix /)]);
      }
    },
    LONG,
  );

  test(
    'a folder without a vault: keys says what to do, and makes nothing',
    async () => {
      const nowhere = join(place.folder, 'empty');
      const ran = await trailmix(['keys', 'list', '--json', '--data', nowhere]);
      expect(ran.code).toBe(1);
      expect(ran.json).toMatchObject({ error: { code: 'setup_needed' } });
    },
    LONG,
  );
});
