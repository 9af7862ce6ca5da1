/** The session and the time as the gate gives them to a policy: recorded as given, and the same after a restart. */
import { createHmac } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Check } from 'typebox/schema';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createApprovalDesk } from '../../collector/approvals/desk.ts';
import { createGate, type Gate } from '../../collector/approvals/gate.ts';
import { makeBundle } from '../../collector/policy/bundle.ts';
import { createPolicyEngine, type PolicyEngine } from '../../collector/policy/engine.ts';
import { sessionHistory } from '../../collector/policy/session_history.ts';
import { createSessionStates, readsOf } from '../../collector/policy/session_state.ts';
import { createToolchain, type RegoFile } from '../../collector/policy/toolchain.ts';
import type { PreparedEvent, Principal } from '../../collector/ports.ts';
import type { InputOf } from '../../core/api/operations.ts';
import { policyInputSchema } from '../../core/policy/input_schema.ts';
import { jcs } from '../../core/proof/jcs.ts';
import { type RealLedger, realLedger } from '../keys/real_ledger.ts';
import { capabilities, shippedFiles, toolchainDir } from './workshop.ts';

const bot: Extract<Principal, { kind: 'key' }> = {
  kind: 'key',
  id: 'k-bot',
  tenantId: 'default',
  appId: 'finance-bot',
  scopes: ['decide', 'ingest'],
};
const person = { kind: 'person', name: 'Mara', session: 's', roles: [] } as const;

let real: RealLedger;
let engine: PolicyEngine;
const gates: Gate[] = [];

beforeAll(async () => {
  real = await realLedger();
  const dir = join(import.meta.dirname, '../../policies/library');
  const library = await Promise.all(
    (await readdir(dir)).map(async name => ({
      path: `library/${name}`,
      text: await readFile(join(dir, name), 'utf8'),
    })),
  );
  const files: RegoFile[] = [...(await shippedFiles()), ...library].filter(
    ({ path }) => !path.endsWith('_test.rego'),
  );
  const toolchain = await createToolchain({ dir: toolchainDir, capabilities, deadlineMs: 60_000 });
  const built = await toolchain.build(files, 'trailmix/decision');
  await toolchain.close();
  if (!built.ok) throw new Error(JSON.stringify(built.errors));
  const data = JSON.stringify({
    settings: { policies: ['session_budget', 'payments'], session_budget: { spend: 1000 } },
  });
  const bundle = makeBundle({
    version: 1,
    entrypoint: 'trailmix/decision',
    capabilities,
    wasm: built.wasm,
    files: [...files, { path: 'data.json', text: data }],
  });
  engine = await createPolicyEngine({ bundle });
}, 120_000);
afterAll(async () => {
  for (const gate of gates) gate.close();
  await engine.close();
  await real.close();
});

const open = (fresh: boolean): Gate => {
  const active = engine.active()!;
  const gate = createGate({
    ledger: real.ledger,
    policy: engine,
    activePolicy: () => ({ version: active.version, hash: active.hash }),
    sessions: createSessionStates({ history: sessionHistory(real.ledger), fresh }),
    reads: () => readsOf(active.sources),
    clock: real.clock,
  });
  gates.push(gate);
  return gate;
};
const pay = (amount: number, session = 's-1'): InputOf<'decide'> => ({
  action: 'pay_vendor',
  risk: 'high',
  actor: { type: 'agent', id: 'planner' },
  payload: { amount },
  session_id: session,
  app_id: 'finance-bot',
});
type Recorded = {
  decision: { session: { spend: number; counts: { asked: number } }; now: string; rules?: string[] };
};
const recorded = async (decisionId: string): Promise<Recorded> => {
  const { seq } = await real.ledger.read.head();
  for (let at = seq; ; at--) {
    const record = (await real.ledger.read.record(at)) as unknown as Recorded & { event_id: string };
    if (record.event_id === decisionId) return record;
  }
};

test('a budget is kept across calls, approvals and a restart', async () => {
  const gate = open(true);
  const first = await gate.decide(bot, pay(600));
  expect(first.decision).toBe('allow');
  expect((await recorded(first.decision_id)).decision).toMatchObject({
    session: { spend: 0, counts: { asked: 0 }, complete: true },
    now: expect.stringMatching(/^\d{4}-.*Z$/),
  });
  await gate.outcome(bot, first.decision_id, { outcome: 'ok' });

  // Two at once: together they are over what is left.
  const pair = await Promise.all([gate.decide(bot, pay(300)), gate.decide(bot, pay(300))]);
  expect(pair.map(({ decision }) => decision).sort()).toEqual(['allow', 'approve']);
  const waiting = pair.find(({ decision }) => decision === 'approve')!;
  expect(waiting.reasons).toEqual(['the session would spend more than 1000']);
  expect((await recorded(waiting.decision_id)).decision.rules).toEqual(['session_budget.spend']);

  // What a person approved and was used is spent, too.
  const { id, nonce } = waiting.approval!;
  await createApprovalDesk(real).answer(person, id, { verdict: 'approve' });
  await gate.consume(bot, id, {
    args_digest: createHmac('sha256', Buffer.from(waiting.args_salt, 'hex'))
      .update(jcs({ amount: 300 }))
      .digest('hex'),
    action: 'pay_vendor',
    session_id: 's-1',
    nonce,
  });
  const after = await gate.decide(bot, pay(1));
  const before = (await recorded(after.decision_id)).decision.session;
  expect(before).toMatchObject({
    spend: 1200,
    counts: { asked: 3, allow: 2, approve: 1, by_action: { pay_vendor: 3 } },
    first_seen_tools: ['pay_vendor'],
  });
  expect(Check(policyInputSchema.properties.session, before)).toBe(true);
  expect((await gate.decide(bot, pay(1, 's-2'))).decision).toBe('allow');

  // Another gate knows nothing but the records.
  const again = open(false);
  const rebuilt = (await recorded((await again.decide(bot, pay(1))).decision_id)).decision.session;
  const inMemory = (await recorded((await gate.decide(bot, pay(1))).decision_id)).decision.session;
  expect(rebuilt).toMatchObject({ spend: 1200, counts: { asked: 4 } });
  expect({ ...rebuilt }).toEqual({ ...inMemory });
});

test("users' events count as turns once they are appended, and nothing else does", async () => {
  const gate = open(true);
  const event = (bodyJcs: string): PreparedEvent =>
    ({ appId: 'finance-bot', sessionId: 's-3', bodyJcs }) as unknown as PreparedEvent;
  const turned = gate.turnsIn([
    event('{"actor_id":"a \\"quoted\\" name","actor_type":"user","input":{}}'),
    event('{"actor_type":"user"}'),
    event('{"actor_type":"agent","input":{"actor_type":"user"}}'),
  ]);
  expect(gate.turnsIn([event('{"actor_type":"agent"}')])).toBeUndefined();
  turned?.();
  const { decision_id } = await gate.decide(bot, pay(1, 's-3'));
  expect((await recorded(decision_id)).decision.session).toMatchObject({ turns: 2 });
});
