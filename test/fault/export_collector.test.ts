/** An export by a whole collector that is killed, and one that meets the end of the disk: nothing looks finished, the next works. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { copyFile, readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { verifyPackFile } from '../../cli/verify_pack.ts';
import { startApp, temporaryPlace, trailmix } from '../cli/trailmix.ts';
import { ask, bearer } from '../http/collector.ts';
import { append, event, openTest, temporaryFolder } from '../ledger/ledger.fixture.ts';
import { memoryVault } from '../ledger/vault.fixture.ts';
import { testSigner } from '../pack/packs.ts';

const scope = { app_id: 'bot', time_from: '2026-01-01T00:00:00Z', time_to: '2099-01-01T00:00:00Z' };
const names = (folder: string): Promise<string[]> => readdir(folder).catch(() => []);

test('kill -9 of the collector during an export: no pack, what it left goes with the next start, and the next export works', async () => {
  const place = await temporaryPlace();
  const words = ['--data', place.data, '--key-file', place.keyFile];
  const exports = join(place.data, 'exports');
  try {
    const first = await startApp(words);
    const made = await trailmix([
      'keys',
      'create',
      '--app',
      'bot',
      '--json',
      '--data',
      place.data,
      '--scopes',
      'ingest,export',
    ]);
    const headers = bearer((made.json as { api_key: string }).api_key.split('.').slice(0, 3).join('.'));
    const events = Array.from({ length: 400 }, (_, i) => ({
      event_id: `e-${i}`,
      session_id: 's',
      ts: '2026-11-22T10:00:00Z',
      app_id: 'bot',
      actor_type: 'agent',
      actor_id: 'a',
      input: { text: randomBytes(1500).toString('base64') },
    }));
    expect((await ask(`${first.ready.url}/api/events`, { body: { events }, headers })).status).toBe(201);
    const answer = ask(`${first.ready.url}/api/evidence/export`, { body: scope, headers }).then(
      ({ status }) => status,
      () => 'gone',
    );
    while (!(await names(exports)).some(name => name.includes('.partial-'))) await new Promise(setImmediate);
    await first.stop('SIGKILL');
    expect(await answer).toBe('gone');
    const left = await names(exports);
    expect(left.length).toBeGreaterThan(0);
    for (const name of left) expect(name).toMatch(/\.zip\.partial-\d+-\d+$/);

    const second = await startApp(words);
    expect(await names(exports)).toEqual([]);
    const again = await ask(`${second.ready.url}/api/evidence/export`, { body: scope, headers });
    expect(again.status).toBe(200);
    const { pack, events: count } = again.json as { pack: string; events: number };
    // The export that was killed is recorded, too.
    expect(count).toBe(401);
    const kept = join(place.folder, 'pack.zip');
    await copyFile(pack, kept);
    expect(await second.stop()).toBe(0);
    const { verdicts } = await verifyPackFile(kept, {});
    expect(verdicts.integrity.findings.map(({ code }) => code)).toEqual(['keys_untrusted']);
    const whole = await trailmix(['verify', '--ledger', '--json', ...words]);
    expect((whole.json as { verdicts: typeof verdicts }).verdicts.integrity).toEqual({
      result: 'pass',
      findings: [],
    });
  } finally {
    await place.remove();
  }
}, 600_000);

test.runIf(process.platform !== 'win32')(
  'where the file system takes no more bytes the export says so and leaves no file',
  async () => {
    const folder = temporaryFolder();
    const vault = { ...memoryVault(), packSigner: async () => testSigner() };
    const { ledger } = await openTest({ vault, folder });
    // Large values lie in files of their own: the database stays below the limit, the pack does not.
    const text = () => randomBytes(600_000).toString('base64');
    await append(
      ledger,
      Array.from({ length: 6 }, () => event({ input: { text: text() } })),
    );
    await ledger.close();
    const out = join(temporaryFolder(), 'pack.zip');
    const script = fileURLToPath(new URL('./exporter.ts', import.meta.url));
    const argument = JSON.stringify({ folder, out });
    const limited = 'ulimit -f 4096 && exec "$0" "$@"';
    const child = spawn('sh', ['-c', limited, process.execPath, script, argument], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.on('data', part => {
      said += part;
    });
    const [code] = await once(child, 'close');
    expect(said).toContain("code: 'disk_full'");
    expect(code).not.toBe(0);
    expect(await readdir(dirname(out))).toEqual([]);
    const free = spawn(process.execPath, [script, argument], { stdio: 'inherit' });
    expect(await once(free, 'exit')).toEqual([0, null]);
    expect((await stat(out)).size).toBeGreaterThan(4096 * 1024);
  },
  600_000,
);
