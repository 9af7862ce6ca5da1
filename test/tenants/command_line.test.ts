/** Tenants from a terminal, with the app running or not; and a backup of all of them, restored. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startCollector } from '../../collector/compose.ts';
import { trailmix } from '../cli/trailmix.ts';
import { bearer, event, startTestCollector } from '../http/collector.ts';
import { inTenant } from './installation.ts';

it('makes tenants, keys and backups of them, and restores each with its own old checkpoint cited', async () => {
  const place = await mkdtemp(join(tmpdir(), 'tm-cli-tenants-'));
  const keyFile = join(place, 'v.key');
  const data = join(place, 'data');
  const first = await startCollector({ folder: data, port: 0 });
  const { recoveryPhrase } = await first.initialise({ kind: 'key_file', file: keyFile }, 'Ada');
  await first.close();
  const run = (...words: string[]) => trailmix([...words, '--data', data, '--json']);
  const made = await run('tenants', 'create', 'acme', '--name', 'Acme Ltd');
  expect([made.code, made.json]).toMatchObject([0, { tenant_id: 'acme', state: 'open' }]);
  const key = await run('keys', 'create', '--app', 'bot', '--tenant', 'acme');
  expect(key.json).toMatchObject({ tenant_id: 'acme' });
  expect((await run('keys', 'list', '--tenant', 'acme')).json).toMatchObject({ keys: [{ app_id: 'bot' }] });
  expect((await run('keys', 'list')).json).toMatchObject({ keys: [] });
  expect((await run('keys', 'list', '--tenant', 'none')).json).toMatchObject({
    error: { code: 'tenant_unknown' },
  });

  const tm = await startTestCollector({ folder: data, keyFile });
  const headers = bearer((key.json as { api_key: string }).api_key);
  expect((await tm.ask('/api/events', { body: event('bot', { name: 'kept' }), headers })).status).toBe(201);
  const verified = await run('verify', '--ledger', '--tenant', 'acme');
  expect(verified.json).toMatchObject({
    origin: { tenant_id: 'acme' },
    verdicts: { integrity: { result: 'pass' } },
  });
  const file = join(place, 'all.backup');
  expect((await run('backup', file)).code).toBe(0);
  expect((await run('backup', join(place, 'b'), '--tenant', 'acme')).code).toBe(0);
  await tm.collector.close();

  const to = join(place, 'restored');
  const restored = await trailmix(
    ['restore', file, '--accept-head', '--data', to, '--key-file', join(place, 'r.key'), '--json'],
    { TRAILMIX_RECOVERY_PHRASE: recoveryPhrase },
  );
  expect([restored.code, restored.json]).toMatchObject([
    0,
    {
      restored_from: { tenant_id: 'default' },
      tenants: [
        {
          tenant_id: 'acme',
          restored_from: { tenant_id: 'acme', head: { received_at: expect.any(String) } },
        },
      ],
    },
  ]);
  const again = await startTestCollector({ folder: to, keyFile: join(place, 'r.key') });
  const opened = await inTenant(again, 'acme', '/api/events/0');
  expect(opened.json).toMatchObject({
    tenant_id: 'acme',
    restored_from: { tenant_id: 'acme' },
    tenant: { name: 'Acme Ltd' },
  });
  await again.collector.close();
  await rm(place, { recursive: true, force: true });
}, 120_000);
