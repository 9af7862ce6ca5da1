/** The tarball as a user meets it: installed without a network into an empty project, in both module systems. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { installSdk } from './install.ts';
import { Peer } from './peer.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const mac = randomBytes(32);
let project: string;
let peer: Peer;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'trailmix-install-'));
  peer = await Peer.start(mac);
  env = {
    ...process.env,
    TRAILMIX_API_KEY: `tm1.k1.auth.${mac.toString('base64url')}`,
    TRAILMIX_APP_ID: 'finance-bot',
    TRAILMIX_ENDPOINT: peer.url,
  };
  await writeFile(
    join(project, 'package.json'),
    JSON.stringify({ name: 'empty', private: true, version: '1.0.0' }),
  );
  await installSdk(project);
});
afterAll(async () => {
  await peer.close();
  await rm(project, { recursive: true, force: true });
});

/** Throws where a program has not ended by itself after thirty seconds. */
async function runFile(name: string, text: string): Promise<{ stdout: string; stderr: string }> {
  const file = join(project, name);
  await writeFile(file, text);
  return run(process.execPath, [file], { cwd: project, env, timeout: 30_000 });
}

describe('the installed package', () => {
  test('holds dist, README, LICENSE and package.json, and needs nothing', async () => {
    const installed = join(project, 'node_modules/@trailmix/ts');
    const { stdout } = await run('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
      cwd: installed,
      shell: process.platform === 'win32',
    });
    const listed = JSON.parse(stdout) as
      | { files: { path: string }[] }[]
      | Record<string, { files: { path: string }[] }>;
    const files = Object.values(listed)[0]!.files.map(({ path }) => path);
    expect(files.filter(path => !path.startsWith('dist/')).sort()).toEqual([
      'LICENSE',
      'README.md',
      'package.json',
    ]);
    expect(files.filter(path => path.startsWith('dist/')).every(path => /\.(c?js|d\.c?ts)$/.test(path))).toBe(
      true,
    );
    const manifest = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8')) as Record<
      string,
      unknown
    >;
    expect(manifest).not.toHaveProperty('dependencies');
    expect(manifest).not.toHaveProperty('scripts');
    const lock = JSON.parse(await readFile(join(project, 'package-lock.json'), 'utf8')) as {
      packages: object;
    };
    expect(Object.keys(lock.packages)).toEqual(['', 'node_modules/@trailmix/ts']);
  });

  test('import and require give the same recorder', async () => {
    const { stdout } = await runFile(
      'both.mjs',
      `import { createRequire } from 'node:module';
       import * as esm from '@trailmix/ts';
       const cjs = createRequire(import.meta.url)('@trailmix/ts');
       console.log(JSON.stringify([Object.keys(esm).sort(), Object.keys(cjs).sort(), esm.tr === cjs.tr]));`,
    );
    const [esm, cjs, same] = JSON.parse(stdout) as [string[], string[], boolean];
    expect(esm).toEqual(cjs);
    expect(esm).toEqual(
      expect.arrayContaining([
        'attachEval',
        'policyCheck',
        'recordInput',
        'recordOutput',
        'span',
        'tr',
        'PolicyDenied',
      ]),
    );
    expect(same).toBe(true);
  });

  test.each([
    ['esm.mjs', `import { tr, span } from '@trailmix/ts';`],
    ['cjs.cjs', `const { tr, span } = require('@trailmix/ts');`],
  ])('a program that just ends has sent everything: %s', async (name, head) => {
    peer.events.length = 0;
    await runFile(
      name,
      `${head} tr.init({}); span('only', { risk: 'low' }, s => s.recordInput({ from: '${name}' }));`,
    );
    expect(peer.events.map(event => [event.name, event.event_type, event.stream.n])).toEqual([
      ['only', undefined, 1],
      ['end of stream', 'stream.end', 2],
    ]);
  });

  test('without a collector a program ends soon all the same, and says what was lost', async () => {
    const { stderr } = await runFile(
      'alone.mjs',
      `import { tr, span } from '@trailmix/ts';
       tr.init({ endpoint: 'http://127.0.0.1:9', timeouts: { exitMs: 300 } });
       span('only', {}, () => 1);`,
    );
    expect(stderr).toContain('trailmix: ');
    expect(stderr).toContain('[collector_unavailable]');
  });

  test('nor does a collector that never answers hold it up', async () => {
    peer.answer = () => 'hang';
    const { stderr } = await runFile(
      'hanging.mjs',
      `import { tr, span } from '@trailmix/ts';
       tr.init({ timeouts: { exitMs: 300, requestMs: 600_000 } });
       span('only', {}, () => 1);`,
    );
    peer.answer = () => undefined;
    expect(stderr).toContain('events not delivered before the end: 1');
  });

  test.each([
    ['esm.mts', 'import', 'nodenext'],
    ['cjs.cts', 'require', 'nodenext'],
    ['bundled.ts', 'import', 'bundler'],
  ])('types: %s', async (name, how, resolution) => {
    await writeFile(
      join(project, name),
      `import { tr, span, policyCheck, PolicyDenied, type Event, type SpanOptions } from '@trailmix/ts';
       const sendWire = async (wire: { amount: number; iban: string }, note?: string) => ({ id: 'w1', wire, note });
       export async function main(): Promise<void> {
         tr.init({ apiKey: 'tm1.a.b.c', appId: 'finance-bot' });
         const options: SpanOptions = { risk: 'critical', labels: { a: 'b' } };
         const draft: string = await span('draft', options, async s => {
           s.recordInput({ a: 1 });
           s.attachEval({ name: 'groundedness', score: 0.92, threshold: 0.8 });
           return 'text';
         });
         const length: number = span('sync', s => s.id.length);
         const guarded = policyCheck(sendWire, { action: 'send_wire', risk: 'high', metadata: { currency: 'EUR' } });
         const sent: { id: string } = await guarded({ amount: 1, iban: draft }, String(length));
         // @ts-expect-error amount is a number
         await guarded({ amount: '1', iban: sent.id });
         // @ts-expect-error no such risk
         policyCheck(sendWire, { action: 'send_wire', risk: 'huge' });
         const event: Partial<Event> = { actor_type: 'agent', tools_invoked: [{ name: 'x', args: 1, result: 2, latency_ms: 3 }] };
         try { await guarded.with({ timeoutMs: 5 })({ amount: 1, iban: '' }); }
         catch (error) { if (error instanceof PolicyDenied) error.reasons.map(reason => reason.length + (event.ts ?? '').length); }
       }`,
    );
    const module = resolution === 'bundler' ? 'esnext' : 'nodenext';
    const flags = [
      '--ignoreConfig',
      '--noEmit',
      '--strict',
      '--target',
      'es2022',
      '--lib',
      'es2022',
      '--types',
      '',
    ];
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const args = [tsc, ...flags, '--module', module, '--moduleResolution', resolution, join(project, name)];
    const { stdout } = await run(process.execPath, args, { cwd: project }).catch(
      (error: { stdout: string }) => error,
    );
    expect(stdout, how).toBe('');
  });
});
