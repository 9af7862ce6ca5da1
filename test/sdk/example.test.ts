/** examples/node_agent against the real collector: one wire passes, one waits for a person, one mail asks for none. */
import { execFile, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Collector } from './collector.ts';
import { buildSdk } from './install.ts';

const agent = fileURLToPath(new URL('../../examples/node_agent/agent.ts', import.meta.url));
const tsc = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url));
let collector: Collector;
beforeAll(async () => {
  await buildSdk();
  collector = await Collector.start();
});
afterAll(() => collector?.remove());

async function runAgent(apiKey: string, verdict: 'approve' | 'deny'): Promise<string> {
  const child = spawn(process.execPath, [agent], {
    env: { ...process.env, TRAILMIX_API_KEY: apiKey, TRAILMIX_ENDPOINT: collector.url },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', chunk => {
      said += String(chunk);
    });
  }
  const ended = new Promise<number | null>(resolve => child.on('close', code => resolve(code)));
  const { id } = await collector.waiting();
  await collector.answer(id, { verdict });
  expect(await ended, said).toBe(0);
  return said;
}

test('type-checks', async () => {
  const flags = ['--ignoreConfig', '--noEmit', '--strict', '--target', 'es2023', '--module', 'nodenext'];
  const args = [tsc, ...flags, '--allowImportingTsExtensions', '--types', 'node', agent];
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
  }).catch((error: { stdout: string }) => error);
  expect(stdout).toBe('');
});

test('pays what may be paid', async () => {
  const apiKey = await collector.createKey('finance-bot');
  const approved = await runAgent(apiKey, 'approve');
  expect(approved).toContain('paid 250 EUR');
  expect(approved).toContain('waiting for approval');
  expect(approved).toContain('paid 12000 EUR');
  expect(approved).toContain('37750 EUR left');
  const denied = await runAgent(apiKey, 'deny');
  expect(denied).toContain('not paid: send_wire: ');
  expect(denied).toContain('49750 EUR left');
  const { records } = await collector.records({ app: 'finance-bot' });
  expect(new Set(records.map(record => record.session_id)).size).toBe(6);
});
