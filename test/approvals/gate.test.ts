import { createHmac } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ApprovalDesk, createApprovalDesk } from '../../collector/approvals/desk.ts';
import { createGate, type Gate, type GateOptions } from '../../collector/approvals/gate.ts';
import type { PolicyOutcome, PolicyRunner, Principal } from '../../collector/ports.ts';
import { TrailmixError } from '../../core/api/errors.ts';
import type { InputOf } from '../../core/api/operations.ts';
import { jcs } from '../../core/proof/jcs.ts';
import { type RealLedger, realLedger } from '../keys/real_ledger.ts';

type Key = Extract<Principal, { kind: 'key' }>;
const key = (appId: string, id = `k-${appId}`): Key => ({
  kind: 'key',
  id,
  tenantId: 'default',
  appId,
  scopes: ['decide', 'ingest'],
});
const person = { kind: 'person', name: 'Mara', session: 's', roles: [] } as const;
const active = { version: 1, hash: 'a'.repeat(64) };

/** The policy of these tests: the action says what it answers. */
const policy: PolicyRunner = {
  async decide({ action }): Promise<PolicyOutcome> {
    if (action === 'throws') throw new Error('broken');
    if (action === 'hangs') return new Promise(() => {});
    const result = action === 'send_wire' ? 'approve' : action === 'drop_table' ? 'deny' : 'allow';
    return { result, reasons: result === 'allow' ? [] : [`${action} is watched`], policy: active, evalUs: 7 };
  },
  async close() {},
};

let real: RealLedger;
let gate: Gate;
let desk: ApprovalDesk;
const gates: Gate[] = [];
const open = (more: Partial<GateOptions> = {}): Gate => {
  const made = createGate({
    ledger: real.ledger,
    policy,
    activePolicy: () => active,
    clock: real.clock,
    ...more,
  });
  gates.push(made);
  return made;
};
beforeAll(async () => {
  real = await realLedger();
  gate = open();
  desk = createApprovalDesk(real);
});
afterAll(async () => {
  for (const one of gates) one.close();
  await real.close();
});

const bot = key('finance-bot');
const question = (more: Partial<InputOf<'decide'>> = {}): InputOf<'decide'> => ({
  action: 'send_wire',
  risk: 'high',
  actor: { type: 'agent', id: 'planner' },
  payload: { amount: 12000 },
  session_id: 's-1',
  app_id: 'finance-bot',
  ...more,
});
const code = async (attempt: Promise<unknown>): Promise<string> => {
  const error = await attempt.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof TrailmixError) return error.code;
  throw error instanceof Error ? error : new Error('was not refused');
};
async function asked(more: Partial<InputOf<'decide'>> = {}) {
  const input = question(more);
  const decision = await gate.decide(bot, input);
  const approval = decision.approval!;
  const salt = Buffer.from(decision.args_salt, 'hex');
  const use: InputOf<'consumeApproval'> = {
    args_digest: createHmac('sha256', salt).update(jcs(input.payload)).digest('hex'),
    action: input.action,
    session_id: input.session_id,
    nonce: approval.nonce,
  };
  return { decision, approval, use };
}

describe('deciding', () => {
  test('every word is recorded before it is answered', async () => {
    for (const [action, word] of [
      ['read_file', 'allow'],
      ['drop_table', 'deny'],
      ['send_wire', 'approve'],
    ] as const) {
      const answer = await gate.decide(bot, question({ action }));
      expect(answer).toMatchObject({ decision: word, policy: active });
      expect(answer.approval === undefined).toBe(word !== 'approve');
      const { seq } = await real.ledger.read.head();
      const record = await real.ledger.read.record(word === 'approve' ? seq - 1 : seq);
      expect(record).toMatchObject({
        event_id: answer.decision_id,
        event_type: 'decision.recorded',
        name: action,
      });
    }
  });

  test.each(['throws', 'hangs'])('a policy that %s denies, and that is recorded', async action => {
    const answer = await open({ policyLimitMs: 50 }).decide(bot, question({ action }));
    expect(answer).toMatchObject({ decision: 'deny', code: 'policy_failed' });
    expect(answer.reasons.length).toBe(1);
    const { seq } = await real.ledger.read.head();
    expect(await real.ledger.read.record(seq)).toMatchObject({
      decision: { result: 'deny', code: 'policy_failed', failed: action === 'hangs' ? 'timeout' : 'throw' },
    });
  });

  test("another app's question is refused and not recorded", async () => {
    const before = (await real.ledger.read.head()).seq;
    expect(await code(gate.decide(bot, question({ app_id: 'other' })))).toBe('app_mismatch');
    expect((await real.ledger.read.head()).seq).toBe(before);
  });

  test('what would be misread in a record is refused, and nothing is recorded', async () => {
    const before = (await real.ledger.read.head()).seq;
    const blob = { $blob: { sha256: 'a'.repeat(64), bytes: 1, type: 'text/plain' } };
    let deep: unknown = 1;
    for (let i = 0; i < 64; i++) deep = { deep };
    const cases: [Partial<InputOf<'decide'>>, string][] = [
      [{ payload: blob }, 'key_dollar'],
      [{ payload: { list: [1, { x: blob }] } }, 'key_dollar'],
      [{ context: { $sealed: { c: '', class: '' } } }, 'key_dollar'],
      [{ payload: { deep } }, 'json_depth'],
      [{ session_id: 'é'.repeat(129) }, 'field_too_long'],
      [{ parent_id: 'x'.repeat(257) }, 'field_too_long'],
    ];
    for (const [more, expected] of cases) expect(await code(gate.decide(bot, question(more)))).toBe(expected);
    expect((await real.ledger.read.head()).seq).toBe(before);
    const { decision_id } = await gate.decide(bot, question({ action: 'read_file' }));
    const report = { outcome: 'ok', result: { rows: [blob] } } as const;
    expect(await code(gate.outcome(bot, decision_id, report))).toBe('key_dollar');
    expect((await real.ledger.read.head()).seq).toBe(before + 1);
  });

  test('arguments too large for a record are kept whole, and still bound', async () => {
    const text = 'y'.repeat(300_000);
    const { approval, use } = await asked({ payload: { text } });
    const view = await gate.wait(person, approval.id, 0);
    expect(view.payload).toEqual({ text });
    await desk.answer(person, approval.id, { verdict: 'approve' });
    expect((await gate.consume(bot, approval.id, use)).intent_id).toBeTruthy();
  });
});

describe('waiting', () => {
  test('a long poll ends with the answer, not before', async () => {
    const { approval } = await asked();
    const started = performance.now();
    const waiting = [gate.wait(bot, approval.id, 20), gate.wait(person, approval.id, 20)];
    await sleep(200);
    await desk.answer(person, approval.id, { verdict: 'approve', comment: 'fine' });
    for (const view of await Promise.all(waiting))
      expect(view).toMatchObject({ status: 'approved', comment: 'fine' });
    const took = performance.now() - started;
    expect(took).toBeGreaterThan(190);
    // Not by the end of its time.
    expect(took).toBeLessThan(19_000);
  });

  test('it ends by its time, by its caller, and at close, with the truth', async () => {
    const { approval } = await asked();
    expect((await gate.wait(bot, approval.id, 0.1)).status).toBe('waiting');
    const controller = new AbortController();
    const aborted = gate.wait(bot, approval.id, 60, { signal: controller.signal });
    controller.abort();
    expect((await aborted).status).toBe('waiting');
    const closing = open();
    const left = closing.wait(bot, approval.id, 60);
    await sleep(50);
    closing.close();
    expect((await left).status).toBe('waiting');
  });

  test('an app sees its own approvals only, and an id that is none is unknown', async () => {
    const { approval } = await asked();
    expect(await code(gate.wait(key('other'), approval.id, 0))).toBe('approval_unknown');
    expect(await code(gate.wait(bot, 'apr_none', 30))).toBe('approval_unknown');
    expect((await gate.wait({ kind: 'local' }, approval.id, 0)).id).toBe(approval.id);
  });

  test('more than may wait are told to come again, and places become free', async () => {
    const small = open({ maxWaiters: 2 });
    const { approval } = await asked();
    const two = [small.wait(bot, approval.id, 20), small.wait(bot, approval.id, 20)];
    expect(await code(small.wait(bot, approval.id, 20))).toBe('busy');
    await desk.answer(person, approval.id, { verdict: 'deny' });
    for (const view of await Promise.all(two)) expect(view.status).toBe('denied');
    expect((await small.wait(bot, approval.id, 20)).status).toBe('denied');
  });
});

describe('using', () => {
  test('many requests of one attempt get one grant, and one intent is recorded', async () => {
    const { approval, use: unnamed } = await asked();
    const use = { ...unnamed, use_id: 'one attempt' };
    await desk.answer(person, approval.id, { verdict: 'approve' });
    const grants = await Promise.all(Array.from({ length: 20 }, () => gate.consume(bot, approval.id, use)));
    expect(new Set(grants.map(one => one.intent_id)).size).toBe(1);
    expect(new Set(grants.map(one => one.grant.expires_at)).size).toBe(1);
    const { seq } = await real.ledger.read.head();
    const records = await real.ledger.read.records(Math.max(0, seq - 50), seq);
    expect(records.filter(record => record.event_id === grants[0]!.intent_id)).toHaveLength(1);
    const intents = records.filter(
      record =>
        record.event_type === 'intent.recorded' &&
        (record.intent as { approval_id: string }).approval_id === approval.id,
    );
    expect(intents).toHaveLength(1);
  });

  test('of many that name no attempt, one has it', async () => {
    const { approval, use } = await asked();
    await desk.answer(person, approval.id, { verdict: 'approve' });
    const all = await Promise.allSettled(
      Array.from({ length: 20 }, () => gate.consume(bot, approval.id, use)),
    );
    const refused = all
      .filter(one => one.status === 'rejected')
      .map(one => (one.reason as { code: string }).code);
    expect(refused).toEqual(Array(19).fill('approval_consumed'));
  });

  test('a deny and a use at once: either the use came first, or there is no grant', async () => {
    for (let i = 0; i < 5; i++) {
      const { approval, use } = await asked();
      await desk.answer(person, approval.id, { verdict: 'approve' });
      const [denied, used] = await Promise.allSettled([
        desk.answer(person, approval.id, { verdict: 'deny' }),
        gate.consume(bot, approval.id, use),
      ]);
      expect(denied.status === 'fulfilled').toBe(used.status === 'rejected');
    }
  });

  test('under another policy than asked: refused', async () => {
    const { approval, use } = await asked();
    await desk.answer(person, approval.id, { verdict: 'approve' });
    const changed = open({ activePolicy: () => ({ version: 2, hash: 'b'.repeat(64) }) });
    expect(await code(changed.consume(bot, approval.id, use))).toBe('policy_changed');
    expect(await code(gate.consume(key('finance-bot', 'k-second'), approval.id, use))).toBe(
      'approval_unknown',
    );
    expect((await gate.consume(bot, approval.id, use)).grant.expires_at).toMatch(/Z$/);
  });

  test('and its outcome, once', async () => {
    const { decision, approval, use } = await asked();
    await desk.answer(person, approval.id, { verdict: 'approve' });
    await gate.consume(bot, approval.id, use);
    const report = { outcome: 'ok', result: { id: 'w-1' }, latency_ms: 12 } as const;
    const first = await gate.outcome(bot, decision.decision_id, report);
    expect(await gate.outcome(bot, decision.decision_id, report)).toEqual(first);
    expect(await code(gate.outcome(bot, decision.decision_id, { outcome: 'error', error: 'x' }))).toBe(
      'outcome_conflict',
    );
    expect(await gate.wait(bot, approval.id, 0)).toMatchObject({ status: 'consumed', outcome: 'ok' });
  });
});

test('an approval nobody answers expires by itself, and wakes who waits', async () => {
  const own = await realLedger();
  const lone = createGate({ ledger: own.ledger, policy, activePolicy: () => active, clock: own.clock });
  const { approval } = await lone.decide(bot, question());
  const waiting = lone.wait(bot, approval!.id, 30);
  // As after a night's sleep: a second gate starts when the time is long over.
  own.skew.ms = 16 * 60 * 1000;
  const later = createGate({ ledger: own.ledger, policy, activePolicy: () => active, clock: own.clock });
  expect((await waiting).status).toBe('expired');
  expect(await code(createApprovalDesk(own).answer(person, approval!.id, { verdict: 'approve' }))).toBe(
    'approval_expired',
  );
  const { seq } = await own.ledger.read.head();
  expect(await own.ledger.read.record(seq)).toMatchObject({
    event_type: 'approval.expired',
    approval: { id: approval!.id, was: 'waiting' },
  });
  lone.close();
  later.close();
  await own.close();
});
