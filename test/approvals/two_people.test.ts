/**
 * 100 real runs of an airline agent: every cancellation and every change of cabin asks two people, whose queue is worked
 * through by a script. The pack then shows a valid approval behind every executed action; told by a checker that shares
 * no code with the product. Needs shared data beside the repository.
 */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Uint8ArrayReader, Uint8ArrayWriter, ZipReader } from '@zip.js/zip.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeBundle, manifestOf } from '../../collector/policy/bundle.ts';
import { createToolchain } from '../../collector/policy/toolchain.ts';
import type { OutputOf } from '../../core/api/operations.ts';
import { policyCheck, tr } from '../../sdk/typescript/src/index.ts';
import { startTestCollector, type TestCollector } from '../http/collector.ts';
import { addPerson, enrolFirstAdmin, expectJson, type Person } from '../people/person.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const data = join(root, '../shared/data/tau-bench-airline.jsonl');
const checker = join(root, 'test/conformance/approvals_check.mjs');
const APP = 'airline-bot';

const POLICY = `package trailmix

decision := {"result": "approve", "reasons": reasons, "required": {"k": 2, "roles": ["approver", "supervisor"]}} if {
	count(reasons) > 0
} else := {"result": "allow", "reasons": []}

reasons contains "a cancellation" if input.action == "cancel_reservation"

reasons contains "a change of cabin" if {
	input.action == "update_reservation_flights"
	input.payload.cabin
}
`;

type Call = { session: string; name: string; args: Record<string, unknown> };

/** The calls that ask, in the order of the runs. */
function calls(): Call[] {
  type Run = {
    task_id: number;
    trial: number;
    traj: { tool_calls?: { function: { name: string; arguments: string } }[] | null }[];
  };
  return readFileSync(data, 'utf8')
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as Run)
    .flatMap(({ task_id, trial, traj }) =>
      traj.flatMap(({ tool_calls }) =>
        (tool_calls ?? []).map(call => ({
          session: `tau-${task_id}-${trial}`,
          name: call.function.name,
          args: JSON.parse(call.function.arguments) as Record<string, unknown>,
        })),
      ),
    )
    .filter(
      ({ name, args }) =>
        name === 'cancel_reservation' || (name === 'update_reservation_flights' && args.cabin !== undefined),
    );
}

async function builtPolicy(folder: string): Promise<void> {
  const capabilities = await readFile(join(root, 'policies/capabilities.json'), 'utf8');
  const toolchain = await createToolchain({
    dir: join(root, 'resources/generated/toolchain'),
    capabilities,
    deadlineMs: 60_000,
  });
  try {
    const files = [{ path: 'airline.rego', text: POLICY }];
    const built = await toolchain.build(files, 'trailmix/decision');
    if (!built.ok) throw new Error(JSON.stringify(built.errors));
    const bundle = makeBundle({
      version: 1,
      entrypoint: 'trailmix/decision',
      capabilities,
      wasm: built.wasm,
      files,
    });
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'policy.wasm'), bundle.wasm);
    await writeFile(join(folder, 'data.json'), bundle.data);
    await writeFile(join(folder, 'capabilities.json'), capabilities);
    await writeFile(join(folder, 'manifest.json'), manifestOf(bundle));
  } finally {
    await toolchain.close();
  }
}

const runs = (): void => {
  let place: string;
  let tm: TestCollector;
  let ada: Person;
  let ben: Person;
  const asking = calls();
  const progress: string[] = [];
  let ran = 0;
  let refused = 0;

  beforeAll(async () => {
    place = await mkdtemp(join(tmpdir(), 'two-people-'));
    await builtPolicy(join(place, 'policies'));
    tm = await startTestCollector({ policies: join(place, 'policies') });
    ada = await enrolFirstAdmin(tm, { id: 'ada', roles: ['admin', 'approver'] });
    ben = await addPerson(tm, ada, { id: 'ben', roles: ['approver', 'supervisor'] });
    const quick = { min_seconds: 0, challenge: 'confirm' };
    const review = {
      low: quick,
      medium: quick,
      high: { min_seconds: 0, challenge: 'retype' },
      critical: quick,
    };
    expectJson(
      await ada.call('/api/settings/review', {
        body: { ...review, critical_people: 2, expires_seconds: 600 },
      }),
      200,
    );
    const { apiKey } = await tm.key(APP, ['ingest', 'decide']);
    tr.init({
      apiKey,
      appId: APP,
      endpoint: tm.url,
      onError: () => undefined,
      onDecision: ({ approved_by, needed }) => {
        if (approved_by !== undefined) progress.push(`${approved_by} of ${needed}`);
      },
    });
  });
  afterAll(async () => {
    await tr.shutdown({ timeoutMs: 5_000 });
    await tm?.stop();
    await rm(place, { recursive: true, force: true });
  });

  /** Works through the queue until the agents are done: every seventh question is refused by the second person. */
  async function desk(isDone: () => boolean): Promise<void> {
    let seen = 0;
    while (!isDone()) {
      const queue = expectJson<OutputOf<'approvals'>>(
        await ada.call('/api/approvals?status=waiting&limit=50'),
        200,
      );
      if (queue.items.length === 0) await new Promise(resolve => setTimeout(resolve, 20));
      for (const { id } of queue.items) {
        expectJson(await ada.approve(id), 200);
        const isRefused = ++seen % 7 === 0;
        const answer = isRefused ? await ben.deny(id) : await ben.approve(id, { role: 'supervisor' });
        expectJson(answer, 200);
        if (isRefused) refused++;
      }
    }
  }

  test('the queue is worked through, and every executed action has its approval', {
    timeout: 180_000,
  }, async () => {
    expect(asking.length).toBeGreaterThan(40);
    let left = asking.length;
    const agents = (async () => {
      const next = asking.values();
      const agent = async (): Promise<void> => {
        for (const { session, name, args } of next) {
          const tool = policyCheck(async (given: Record<string, unknown>) => Object.keys(given).length, {
            action: name,
            risk: 'high',
          });
          await tr.session({ id: session }, () =>
            tool(args).then(
              () => ran++,
              (error: Error) => expect(error.name).toBe('ApprovalDenied'),
            ),
          );
          left--;
        }
      };
      await Promise.all([agent(), agent(), agent(), agent()]);
    })();
    await Promise.all([agents, desk(() => left === 0)]);
    expect(await tr.flush()).toBe(true);
    expect(ran + refused).toBe(asking.length);
    expect(refused).toBeGreaterThan(4);
    // The agents were told that one of two had approved, as it happened.
    expect(new Set(progress)).toEqual(new Set(['1 of 2']));

    const out = join(place, 'pack');
    const window = { time_from: '2020-01-01T00:00:00Z', time_to: '2099-12-31T23:59:59Z' };
    const pack = expectJson<OutputOf<'exportEvidence'>>(
      await ada.call('/api/evidence/export', { body: { app_id: APP, ...window } }),
      200,
    );
    await unpack(pack.pack, out);
    const { stdout } = await run(process.execPath, [checker, out, ada.key.publicKey]);
    const told = JSON.parse(stdout) as { executed: number; valid: number; faults: string[] };
    expect(told).toEqual({ executed: ran, valid: ran, people: 2, faults: [] });

    // The same checker sees one byte of one argument.
    const events = join(out, 'events.jsonl');
    const text = await readFile(events, 'utf8');
    await writeFile(events, text.replace(/("input":\{[^}]*"reservation_id":")(.)/, '$1_'));
    const doctored = await run(process.execPath, [checker, out, ada.key.publicKey]);
    expect((JSON.parse(doctored.stdout) as { faults: string[] }).faults.length).toBeGreaterThan(0);
  });
};

async function unpack(file: string, folder: string): Promise<void> {
  const reader = new ZipReader(new Uint8ArrayReader(new Uint8Array(await readFile(file))));
  for (const entry of await reader.getEntries()) {
    if (entry.directory) continue;
    const path = join(folder, entry.filename);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, await entry.getData(new Uint8ArrayWriter()));
  }
}

if (existsSync(data)) describe('two people and 100 real runs', runs);
else {
  console.error(
    'SKIPPED: ../shared/data/tau-bench-airline.jsonl is not beside the repository: nobody approved anything.',
  );
  test.skip('two people and 100 real runs: needs shared data', () => undefined);
}
