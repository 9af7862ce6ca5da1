/**
 * The quickstart as the SDK's README prints it (the seed's own), pasted into an empty project with the tarball
 * installed, against the real collector. Only `llm` and `./bank` are supplied.
 */
import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Collector } from './collector.ts';
import { installSdk } from './install.ts';
import { Peer } from './peer.ts';

const run = promisify(execFile);
const readme = fileURLToPath(new URL('../../sdk/typescript/README.md', import.meta.url));
const seed = fileURLToPath(new URL('../../../shared/seeds/audit-trailmix.txt', import.meta.url));
/** The block of TypeScript after the heading that holds the code, not the install line. */
const quickstartOf = (text: string, heading: string): string =>
  text.slice(text.indexOf(heading)).split('```ts\n')[1]!.split('```')[0]!;

const supplied = {
  'bank.ts': `export async function sendWire(wire: { amount: number; iban: string }) {
    console.log('WIRE ' + wire.amount + ' ' + wire.iban);
    return { ok: true, amount: wire.amount };
  }`,
  'llm.ts': `declare global {
    var llm: { chat(question: { prompt: string }): Promise<string> };
  }
  globalThis.llm = {
    async chat({ prompt }) {
      console.log('LLM');
      return 'Done: ' + prompt;
    },
  };
  export {};`,
  'main.ts': `import './llm';\nimport './quickstart';`,
  'package.json': JSON.stringify({ name: 'quickstart', private: true, type: 'module' }),
};
const tsc = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url));
let project: string;
let collector: Collector;
let apiKey: string;

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'trailmix-quickstart-'));
  const files = {
    ...supplied,
    'quickstart.ts': quickstartOf(await readFile(readme, 'utf8'), '## Quickstart'),
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(project, name), text);
  await installSdk(project);
  await build({
    configFile: false,
    root: project,
    logLevel: 'warn',
    build: {
      lib: { entry: join(project, 'main.ts'), formats: ['es'], fileName: () => 'main.js' },
      rolldownOptions: { external: ['@trailmix/ts'] },
    },
  });
  collector = await Collector.start();
  apiKey = await collector.createKey('finance-bot');
});
afterAll(async () => {
  await collector?.remove();
  await rm(project, { recursive: true, force: true });
});

/** Runs the quickstart as a program of its own. */
function quickstart(): { output: () => string; ended: Promise<number | null>; stop: () => void } {
  const child = spawn(process.execPath, [join(project, 'dist/main.js')], {
    cwd: project,
    env: { ...process.env, TRAILMIX_API_KEY: apiKey, TRAILMIX_ENDPOINT: collector.url },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (text += String(chunk)));
  const ended = new Promise<number | null>(resolve => child.on('close', code => resolve(code)));
  return { output: () => text, ended, stop: () => child.kill() };
}

describe('the quickstart as written', () => {
  test("is the seed's own", async () => {
    // The seed stands beside the repository on our build machines only.
    const text = await readFile(seed, 'utf8').catch(() => undefined);
    if (text === undefined) return;
    expect(await readFile(join(project, 'quickstart.ts'), 'utf8')).toBe(
      quickstartOf(text, '## Quickstart: TypeScript'),
    );
  });

  test('type-checks', async () => {
    const flags = ['--ignoreConfig', '--noEmit', '--strict', '--target', 'es2022', '--types', 'node'];
    const roots = ['--typeRoots', fileURLToPath(new URL('../../node_modules/@types', import.meta.url))];
    const modules = ['--module', 'esnext', '--moduleResolution', 'bundler'];
    const { stdout } = await run(
      process.execPath,
      [tsc, ...flags, ...roots, ...modules, join(project, 'main.ts')],
      {
        cwd: project,
      },
    ).catch((error: { stdout: string }) => error);
    expect(stdout).toBe('');
  });

  test('the wire waits until someone approves it, and everything is in the ledger', async () => {
    const program = quickstart();
    const approval = await collector.waiting();
    expect(approval).toMatchObject({
      app_id: 'finance-bot',
      action: 'send_wire',
      risk: 'high',
      payload: { amount: 12000, iban: 'DE00...' },
      context: { currency: 'EUR' },
      reasons: ['wire > 10,000'],
    });
    await new Promise(resolve => setTimeout(resolve, 300));
    expect(program.output()).toBe('LLM\n');
    await collector.answer(approval.id, { verdict: 'approve' });
    expect(await program.ended).toBe(0);
    expect(program.output()).toBe('LLM\nWIRE 12000 DE00...\n');
    expect(await collector.approval(approval.id)).toMatchObject({ status: 'consumed', outcome: 'ok' });

    const { records } = await collector.records({ app: 'finance-bot' });
    const byType = (type: string) =>
      records.filter(record => record.event_type === type) as Record<string, unknown>[];
    expect(byType('span')[0]).toMatchObject({
      name: 'draft_wire_email',
      risk: 'medium',
      status: 'ok',
      input: { prompt: 'Draft a confirmation for a $12,000 wire to EU account.' },
      output: { model_output: 'Done: Draft a confirmation for a $12,000 wire to EU account.' },
      evals: [{ name: 'groundedness', score: 0.92, threshold: 0.8 }],
    });
    const [call] = byType('tool.call');
    expect(call).toMatchObject({
      name: 'send_wire',
      status: 'ok',
      tools_invoked: [
        { name: 'send_wire', args: { amount: 12000, iban: 'DE00...' }, result: { ok: true, amount: 12000 } },
      ],
      policy_eval: {
        decision: 'approve',
        decision_id: approval.decision_id,
        approvals: [{ id: approval.id }],
      },
    });
    const [decision] = byType('decision.recorded');
    expect(decision).toMatchObject({ event_id: approval.decision_id, parent_id: call!.event_id });
    for (const type of [
      'approval.asked',
      'approval.answered',
      'intent.recorded',
      'outcome.recorded',
      'stream.end',
    ])
      expect(byType(type), type).toHaveLength(1);
    expect(new Set(records.map(record => record.session_id)).size).toBe(1);
  });

  test('refused when denied', async () => {
    const program = quickstart();
    const approval = await collector.waiting();
    await collector.answer(approval.id, { verdict: 'deny', comment: 'not today' });
    expect(await program.ended).not.toBe(0);
    expect(program.output()).toContain('ApprovalDenied');
    expect(program.output()).not.toContain('WIRE');
    expect(await collector.approval(approval.id)).toMatchObject({ status: 'denied' });
  });

  test('the collector is restarted while the wire waits: it still waits, and then goes', async () => {
    const program = quickstart();
    const approval = await collector.waiting();
    await collector.kill();
    await collector.start();
    await collector.answer(approval.id, { verdict: 'approve' });
    expect(await program.ended).toBe(0);
    expect(program.output()).toContain('WIRE 12000');
  });

  test('with the collector stopped the span runs and the wire is refused; so it is with an impostor on the port', async () => {
    await collector.stop();
    const alone = quickstart();
    expect(await alone.ended).not.toBe(0);
    expect(alone.output()).toContain('LLM');
    expect(alone.output()).toContain('CollectorUnavailable');
    expect(alone.output()).not.toContain('WIRE');

    const impostor = await Peer.start(undefined, collector.port);
    impostor.answer = ({ url }) => ({
      status: url === '/api/events' ? 201 : 200,
      body: {
        decision: 'allow',
        reasons: [],
        decision_id: 'dec_1',
        policy: { version: 1, hash: 'ab' },
        args_salt: 'ab'.repeat(32),
      },
    });
    const fooled = quickstart();
    expect(await fooled.ended).not.toBe(0);
    await impostor.close();
    expect(impostor.requests.some(({ url }) => url === '/api/decisions')).toBe(true);
    expect(JSON.stringify(impostor.requests)).not.toContain(apiKey.split('.')[3]);
    expect(fooled.output()).toContain('LLM');
    expect(fooled.output()).toContain('CollectorUnavailable');
    expect(fooled.output()).not.toContain('WIRE');
    await collector.start();
  });
});
