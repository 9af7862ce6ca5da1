/**
 * Policies: what one evaluation takes in its worker for each policy of the library, how soon the compiler speaks of a policy of 500
 * lines, and what an endless policy does to ingest beside it, with and without it in turns. `node test/bench/policy.ts [--quick]`;
 * `--endless` measures the last alone.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPolicyEngine } from '../../collector/policy/engine.ts';
import { createToolchain, type RegoFile, type Toolchain } from '../../collector/policy/toolchain.ts';
import { createPolicyWorkshop } from '../../collector/policy/workshop.ts';
import { policyInputSchema } from '../../core/policy/input_schema.ts';
import type { JsonObject } from '../../core/proof/jcs.ts';
import { buildAppTree } from '../../resources/build/app-tree.ts';
import { generated } from '../policy/generated_inputs.ts';
import { bundleOf, capabilities, shippedFiles, toolchainDir } from '../policy/workshop.ts';
import { BenchCollector } from './collector.ts';
import { appId } from './events.ts';
import { measureIngest } from './ingest.ts';

const root = join(import.meta.dirname, '../..');
const round = (value: number, digits = 0): number => Number(value.toFixed(digits));
const at = (values: number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))]!;

export type PolicyFigures = {
  /** Microseconds of one evaluation, measured in the worker, by policy of the library. */
  library: { policy: string; p50Us: number; p99Us: number }[];
  /** Milliseconds from asking to the answer, for a policy of that many lines with its tests: the compiler's word, lint without
   * the tests, and lint with them. */
  diagnostics: { lines: number; checkP50Ms: number; checkP95Ms: number; quickLintMs: number; lintMs: number };
  endless: {
    /**
     * Events a second, batch 50, while one caller is answered at once: without and with two whose policy does not end; the ratio is the
     * median of rounds in turns.
     */
    ingestAlone: number;
    ingestBeside: number;
    ratio: number;
    /** Calls that the endless policy was asked meanwhile: all denied and recorded as failed. */
    denied: number;
    deniedP50Ms: number;
    /** Calls of another agent that the same policy answers at once, meanwhile. */
    othersP50Ms: number;
  };
};

const AMOUNT_READERS = ['refunds', 'payments', 'wires', 'session_budget'];
const SETTINGS: Record<string, JsonObject> = {
  tool_allowlist: { apps: { 'support-bot': ['*'] } },
  wires: { blocked_countries: ['KP'] },
};

async function libraryFiles(): Promise<RegoFile[]> {
  const dir = join(root, 'policies/library');
  const names = (await readdir(dir)).filter(name => name.endsWith('.rego') && !name.endsWith('_test.rego'));
  return Promise.all(
    names.sort().map(async name => ({ path: name, text: await readFile(join(dir, name), 'utf8') })),
  );
}

async function measureLibrary(toolchain: Toolchain, count: number): Promise<PolicyFigures['library']> {
  const library = await libraryFiles();
  const decision = (await shippedFiles()).find(({ path }) => path === 'decision.rego')!;
  const inputs = generated(count);
  const found: PolicyFigures['library'] = [];
  for (const file of library) {
    const policy = file.path.replace('.rego', '');
    if (policy === 'amount') continue;
    const amount = AMOUNT_READERS.includes(policy)
      ? library.filter(({ path }) => path === 'amount.rego')
      : [];
    const own = SETTINGS[policy] === undefined ? {} : { [policy]: SETTINGS[policy] };
    const data = { path: 'data.json', text: JSON.stringify({ settings: { policies: [policy], ...own } }) };
    const bundle = await bundleOf(toolchain, [decision, file, ...amount]);
    const engine = await createPolicyEngine({ bundle: { ...bundle, data: data.text } });
    const took: number[] = [];
    for (const [n, input] of inputs.entries()) {
      const { evalUs, failed } = await engine.decide(input);
      if (failed !== undefined) throw new Error(`${policy}: ${failed.why}`);
      if (n >= count / 10) took.push(evalUs);
    }
    await engine.close();
    found.push({ policy, p50Us: at(took, 0.5), p99Us: at(took, 0.99) });
  }
  return found;
}

/** A policy of some 500 lines with a test for each of its rules. */
function longPolicy(lines: number): RegoFile[] {
  const rules = Array.from(
    { length: Math.ceil(lines / 6) },
    (_, n) => `
approve contains "amount of kind ${n} above ${n * 10}" if {
	input.action == "pay_${n}"
	is_number(input.payload.amount)
	input.payload.amount > ${n * 10}
}`,
  );
  const tests = rules.map(
    (_, n) => `
test_${n} if {
	some reason in trailmix.approve with input as {"action": "pay_${n}", "payload": {"amount": ${n * 10 + 1}}}
	contains(reason, "kind ${n} ")
}`,
  );
  return [
    { path: 'long.rego', text: `package trailmix\n${rules.join('\n')}\n` },
    { path: 'long_test.rego', text: `package trailmix_test\n\nimport data.trailmix\n${tests.join('\n')}\n` },
  ];
}

async function measureDiagnostics(rounds: number): Promise<PolicyFigures['diagnostics']> {
  const workshop = createPolicyWorkshop({
    toolchain: toolchainDir,
    capabilities: join(root, 'policies/capabilities.json'),
    decision: join(root, 'policies/decision.rego'),
  });
  const decision = (await shippedFiles()).find(({ path }) => path === 'decision.rego')!;
  const files = [decision, ...longPolicy(500)];
  const lines = files[1]!.text.split('\n').length - 1;
  const time = async (n: number, how: { lint: boolean; tests?: boolean }): Promise<number> => {
    // What is typed differs each time.
    const typed = files.map(file =>
      file.path === 'long.rego' ? { ...file, text: `${file.text}\n# ${n}\n` } : file,
    );
    const from = performance.now();
    const { ok, diagnostics } = await workshop.check({ files: typed, ...how });
    if (!ok) throw new Error(JSON.stringify(diagnostics));
    return performance.now() - from;
  };
  await time(-1, { lint: false });
  const checks: number[] = [];
  const quick: number[] = [];
  for (let n = 0; n < rounds; n++) {
    checks.push(await time(n, { lint: false }));
    quick.push(await time(n, { lint: true, tests: false }));
  }
  const lint = await time(rounds, { lint: true });
  await workshop.close();
  return {
    lines,
    checkP50Ms: round(at(checks, 0.5)),
    checkP95Ms: round(at(checks, 0.95)),
    quickLintMs: round(at(quick, 0.5)),
    lintMs: round(lint),
  };
}

/** Ends for every call but those of `loop`, where it tries 10^15 combinations. */
const ENDLESS = `package trailmix

decision := {"result": "allow", "reasons": ["quick"]} if input.action != "loop"

decision := {"result": "allow", "reasons": ["never"]} if {
	input.action == "loop"
	xs := numbers.range(1, 1000)
	count([1 | some a in xs; some b in xs; some c in xs; some d in xs; some e in xs; [a, b, c, d, e] == input.payload.never]) == 0
}
`;
const ENDLESS_TEST = `package trailmix_test

import data.trailmix

test_quick if trailmix.decision.result == "allow" with input as {"action": "read", "payload": {}}
`;

async function measureEndless(rounds: number, events: number): Promise<PolicyFigures['endless']> {
  const collector = await BenchCollector.start({ sockets: 32 });
  const place = mkdtempSync(join(tmpdir(), 'trailmix-endless-'));
  try {
    writeFileSync(join(place, 'p.rego'), ENDLESS);
    writeFileSync(join(place, 'p_test.rego'), ENDLESS_TEST);
    const cli = join(root, 'build/app/cli/main.js');
    const data = join(collector.folder, 'data');
    execFileSync(process.execPath, [cli, 'policy', 'activate', place, '--data', data, '--json']);
    const key = collector.createKey(appId);
    const ask = async (action: string): Promise<number> => {
      const from = performance.now();
      const { status, body } = await collector.send(
        'POST',
        '/api/decisions',
        key,
        JSON.stringify({
          action,
          risk: 'low',
          actor: { type: 'agent', id: 'bot' },
          payload: { never: 1 },
          session_id: `s-${action}`,
          app_id: appId,
        }),
      );
      const { decision, code } = JSON.parse(body.toString()) as { decision: string; code?: string };
      const right =
        action === 'loop' ? decision === 'deny' && code === 'policy_failed' : decision === 'allow';
      if (status !== 200 || !right) throw new Error(`${action}: ${status} ${body}`);
      return performance.now() - from;
    };
    await measureIngest(collector, key, 50, events, 8, 'warm');
    const turns: { alone: number; beside: number }[] = [];
    const denied: number[] = [];
    const others: number[] = [];
    /** Events a second while these ask, one call after the other each. */
    const ingestBeside = async (
      name: string,
      callers: [action: string, took: number[]][],
    ): Promise<number> => {
      let over = false;
      const asking = callers.map(async ([action, took]) => {
        while (!over) took.push(await ask(action));
      });
      const { perSecond } = await measureIngest(collector, key, 50, events, 8, name);
      over = true;
      await Promise.all(asking);
      return perSecond;
    };
    for (let n = 0; n < rounds; n++) {
      const alone = await ingestBeside(`alone-${n}`, [['read', []]]);
      const beside = await ingestBeside(`beside-${n}`, [
        ['loop', denied],
        ['loop', denied],
        ['read', others],
      ]);
      turns.push({ alone, beside });
    }
    return {
      ingestAlone: round(
        at(
          turns.map(({ alone }) => alone),
          0.5,
        ),
      ),
      ingestBeside: round(
        at(
          turns.map(({ beside }) => beside),
          0.5,
        ),
      ),
      ratio: round(
        at(
          turns.map(({ alone, beside }) => beside / alone),
          0.5,
        ),
        2,
      ),
      denied: denied.length,
      deniedP50Ms: round(at(denied, 0.5)),
      othersP50Ms: round(at(others, 0.5), 1),
    };
  } finally {
    await collector.stop();
    rmSync(place, { recursive: true, force: true });
  }
}

/** The app tree must be up to date (buildAppTree). */
export async function measurePolicy(quick = false): Promise<PolicyFigures> {
  const toolchain = await createToolchain({
    dir: toolchainDir,
    capabilities,
    inputSchema: policyInputSchema,
    deadlineMs: 60_000,
  });
  const library = await measureLibrary(toolchain, quick ? 500 : 5_000);
  await toolchain.close();
  return {
    library,
    diagnostics: await measureDiagnostics(quick ? 5 : 30),
    endless: await measureEndless(quick ? 2 : 5, quick ? 10_000 : 40_000),
  };
}

if (process.argv[1] === import.meta.filename) {
  buildAppTree();
  const how = process.argv[2];
  const figures =
    how === '--endless' ? await measureEndless(5, 20_000) : await measurePolicy(how === '--quick');
  console.log(JSON.stringify(figures, null, 1));
  process.exit(0);
}
