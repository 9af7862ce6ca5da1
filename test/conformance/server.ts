/**
 * Our engine beside `opa run --server` of the same version: the same decisions on generated inputs, all policies of the
 * library on, and the ratio of latencies without recording. Run: node test/conformance/server.ts [inputs]
 * One request at a time to each, taking turns; the first tenth is not counted.
 */
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { makeBundle } from '../../collector/policy/bundle.ts';
import { createPolicyEngine } from '../../collector/policy/engine.ts';
import { createToolchain, type RegoFile } from '../../collector/policy/toolchain.ts';
import type { JsonObject } from '../../core/proof/jcs.ts';
import { generated } from '../policy/generated_inputs.ts';
import { capabilities, shippedFiles, toolchainDir } from '../policy/workshop.ts';
import { opaPath } from './opa.ts';

const SETTINGS = {
  policies: [
    'destructive',
    'evals_floor',
    'injection_tripwires',
    'off_hours',
    'payments',
    'pii_region',
    'refunds',
    'session_budget',
    'tool_allowlist',
    'wires',
  ],
  tool_allowlist: { apps: { 'support-bot': ['*'] } },
  wires: { blocked_countries: ['KP'] },
};

async function sources(): Promise<RegoFile[]> {
  const dir = join(import.meta.dirname, '../../policies/library');
  const names = (await readdir(dir)).filter(name => name.endsWith('.rego'));
  const library = await Promise.all(
    names.map(async name => ({ path: `library/${name}`, text: await readFile(join(dir, name), 'utf8') })),
  );
  return [...(await shippedFiles()), ...library].filter(({ path }) => !path.endsWith('_test.rego'));
}

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });

type Ask = (input: JsonObject) => Promise<unknown>;

function opaServer(port: number, agent: Agent): Ask {
  return input =>
    new Promise((resolve, reject) => {
      const body = JSON.stringify({ input: { ...input, policy: { version: 1 } } });
      const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
      const options = {
        host: '127.0.0.1',
        port,
        path: '/v1/data/trailmix/decision',
        method: 'POST',
        agent,
        headers,
      };
      const sent = request(options, answer => {
        const parts: Buffer[] = [];
        answer.on('data', part => parts.push(part));
        answer.on('end', () => resolve(JSON.parse(Buffer.concat(parts).toString()).result));
        answer.on('error', reject);
      });
      sent.on('error', reject);
      sent.end(body);
    });
}

const quantile = (sorted: number[], q: number): number => sorted[Math.floor((sorted.length - 1) * q)]!;
const summary = (times: number[]) => {
  const sorted = times.toSorted((a, b) => a - b);
  return { p50_us: Math.round(quantile(sorted, 0.5)), p99_us: Math.round(quantile(sorted, 0.99)) };
};

async function main(count: number): Promise<void> {
  const binary = await opaPath();
  if (binary === null) {
    process.exitCode = 2;
    return;
  }
  const files = await sources();
  const dir = await mkdtemp(join(tmpdir(), 'trailmix-opa-server-'));
  await mkdir(join(dir, 'library'));
  for (const { path, text } of files) await writeFile(join(dir, path), text);
  await writeFile(join(dir, 'data.json'), JSON.stringify({ settings: SETTINGS }));

  const toolchain = await createToolchain({ dir: toolchainDir, capabilities, deadlineMs: 60_000 });
  const built = await toolchain.build(files, 'trailmix/decision');
  await toolchain.close();
  if (!built.ok) throw new Error(JSON.stringify(built.errors));
  const bundle = makeBundle({
    version: 1,
    entrypoint: 'trailmix/decision',
    capabilities,
    wasm: built.wasm,
    files: [...files, { path: 'data.json', text: JSON.stringify({ settings: SETTINGS }) }],
  });
  const engine = await createPolicyEngine({ bundle });
  const port = await freePort();
  const server = spawn(
    binary,
    ['run', '--server', '--addr', `127.0.0.1:${port}`, '--log-level', 'error', dir],
    {
      stdio: 'ignore',
    },
  );
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const theirs = opaServer(port, agent);
  try {
    const inputs = generated(count);
    for (let tries = 0; ; tries++) {
      const up = await theirs(inputs[0]!).then(
        result => result !== undefined,
        () => false,
      );
      if (up) break;
      if (tries > 200) throw new Error('opa run --server does not answer');
      await new Promise(resolve => setTimeout(resolve, 50));
    }
    const ourTimes: number[] = [];
    const theirTimes: number[] = [];
    const evaluation: number[] = [];
    let different = 0;
    for (const [index, input] of inputs.entries()) {
      const first = performance.now();
      const ours = await engine.decide(input);
      const second = performance.now();
      const expected = (await theirs(input)) as JsonObject;
      const third = performance.now();
      const { required: _, ...words }: Record<string, unknown> = { rules: [], ...expected };
      const given = { rules: ours.rules ?? [], result: ours.result, reasons: ours.reasons };
      if (ours.failed !== undefined || !isDeepStrictEqual(given, words)) {
        different++;
        if (different < 4) console.error(JSON.stringify({ input, failed: ours.failed, given, words }));
      }
      if (index < count / 10) continue;
      ourTimes.push((second - first) * 1000);
      theirTimes.push((third - second) * 1000);
      evaluation.push(ours.evalUs);
    }
    const ours = summary(ourTimes);
    const opa = summary(theirTimes);
    console.log(
      JSON.stringify({
        inputs: count,
        different,
        ours,
        evaluation_alone: summary(evaluation),
        opa_server: opa,
        ratio_p50: Number((ours.p50_us / opa.p50_us).toFixed(2)),
      }),
    );
    if (different > 0) process.exitCode = 1;
  } finally {
    agent.destroy();
    server.kill();
    await engine.close();
    await rm(dir, { recursive: true });
  }
}

await main(Number(process.argv[2] ?? 10_000));
