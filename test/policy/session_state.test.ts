/** The session that a policy is given: what it holds, what bounds it, and that it can be rebuilt from records. */
import { Check } from 'typebox/schema';
import { describe, expect, test } from 'vitest';
import {
  amountOf,
  createSessionStates,
  MAX_REBUILT,
  type RecordedCall,
  readsOf,
  type SessionHistory,
} from '../../collector/policy/session_state.ts';
import { MAX_SESSION_ACTIONS, MAX_SESSION_NAMES, policyInputSchema } from '../../core/policy/input_schema.ts';

const none: SessionHistory = async () => ({ calls: [], turns: 0 });
const pay = (amount?: number, action = 'pay') => ({
  action,
  payload: amount === undefined ? {} : { amount },
});
const schema = policyInputSchema.properties.session;

const fresh = () => createSessionStates({ history: none, fresh: true });

describe('a session in memory', () => {
  test('begins empty, and grows by what was decided, used and done', async () => {
    const states = fresh();
    const first = await states.ask('bot', 's', pay(100));
    expect(first.session).toEqual({
      turns: 0,
      actions: [],
      counts: { asked: 0, allow: 0, deny: 0, approve: 0, by_action: {} },
      spend: 0,
      first_seen_tools: [],
      complete: true,
    });
    first.decided('d1', 'allow');
    states.outcome('d1', 'ok');
    (await states.ask('bot', 's', pay(50))).decided('d2', 'approve', 'a2');
    (await states.ask('bot', 's', pay(7, 'wire'))).decided('d3', 'deny');
    states.turn('bot', 's');
    const waiting = await states.ask('bot', 's', pay());
    expect(waiting.session).toEqual({
      turns: 1,
      actions: [
        { name: 'pay', decision: 'allow', amount: 100, outcome: 'ok' },
        { name: 'pay', decision: 'approve', amount: 50 },
        { name: 'wire', decision: 'deny', amount: 7 },
      ],
      counts: { asked: 3, allow: 1, deny: 1, approve: 1, by_action: { pay: 2, wire: 1 } },
      spend: 100,
      first_seen_tools: ['pay', 'wire'],
      complete: true,
    });
    expect(Check(schema, waiting.session)).toBe(true);
    states.used('a2');
    states.used('a2');
    states.used('unknown');
    waiting.decided('d4', 'allow');
    const { session } = await states.ask('bot', 's', pay());
    expect(session.spend).toBe(150);
    expect(session.actions[1]).toEqual({ name: 'pay', decision: 'approve', amount: 50, used: true });
    expect((await states.ask('bot', 'another', pay())).session.counts.asked).toBe(0);
    expect((await states.ask('other', 's', pay())).session.counts.asked).toBe(0);
  });

  test('two calls at once cannot both use the rest of a budget', async () => {
    const states = fresh();
    const one = await states.ask('bot', 's', pay(600));
    const two = await states.ask('bot', 's', pay(600));
    expect([one.session.spend, two.session.spend]).toEqual([0, 600]);
    expect(two.session.counts.asked).toBe(1);
    expect(two.session.actions).toEqual([]);
    one.dropped();
    two.decided('d2', 'deny');
    const { session } = await states.ask('bot', 's', pay());
    expect(session).toMatchObject({ spend: 0, counts: { asked: 1, deny: 1, by_action: { pay: 1 } } });
  });

  test('is bounded by the schema, and says when names were left out', async () => {
    const states = fresh();
    for (let i = 0; i < MAX_SESSION_NAMES; i++) {
      (await states.ask('bot', 's', pay(1, `tool ${i}`))).decided(`d${i}`, 'allow');
    }
    const full = (await states.ask('bot', 's', pay(1, '__proto__'))).session;
    expect(full).toMatchObject({ complete: true, spend: MAX_SESSION_NAMES });
    expect(full.actions).toHaveLength(MAX_SESSION_ACTIONS);
    expect(full.actions.at(-1)?.name).toBe(`tool ${MAX_SESSION_NAMES - 1}`);
    const over = (await states.ask('bot', 's', pay())).session;
    expect(over.complete).toBe(false);
    expect(over.first_seen_tools).toHaveLength(MAX_SESSION_NAMES);
    expect(Check(schema, over)).toBe(true);
  });

  test('what a policy was given does not change afterwards', async () => {
    const states = fresh();
    (await states.ask('bot', 's', pay(1))).decided('d1', 'allow');
    const { session } = await states.ask('bot', 's', pay(2));
    const text = JSON.stringify(session);
    states.outcome('d1', 'error');
    (await states.ask('bot', 's', pay(3))).decided('d3', 'deny');
    expect(JSON.stringify(session)).toBe(text);
  });
});

describe('a session that is not in memory', () => {
  const call = (n: number, more: Partial<RecordedCall> = {}): RecordedCall => ({
    decision_id: `d${n}`,
    approval_id: null,
    action: 'pay',
    result: 'allow',
    outcome: null,
    used: 0,
    body: JSON.stringify({ input: { amount: n } }),
    ...more,
  });

  test('is rebuilt from its records, in their order, once for all who ask', async () => {
    let reads = 0;
    const states = createSessionStates({
      history: async () => {
        reads++;
        return {
          turns: 4,
          calls: [
            call(3, { result: 'deny' }),
            call(2, { result: 'approve', used: 1 }),
            call(1, { outcome: 'ok' }),
          ],
        };
      },
    });
    const [asked, second] = await Promise.all([
      states.ask('bot', 's', pay(9)),
      states.ask('bot', 's', pay()),
    ]);
    expect(reads).toBe(1);
    expect(asked.session).toEqual({
      turns: 4,
      actions: [
        { name: 'pay', decision: 'allow', amount: 1, outcome: 'ok' },
        { name: 'pay', decision: 'approve', amount: 2, used: true },
        { name: 'pay', decision: 'deny', amount: 3 },
      ],
      counts: { asked: 3, allow: 1, deny: 1, approve: 1, by_action: { pay: 3 } },
      spend: 3,
      first_seen_tools: ['pay'],
      complete: true,
    });
    expect(second.session.spend).toBe(12);
    states.outcome('d2', 'error');
    expect((await states.ask('bot', 's', pay())).session.actions[1]?.outcome).toBe('error');
  });

  test('says so where its records are gone, too many, or cannot be read', async () => {
    const of = async (history: SessionHistory) =>
      (await createSessionStates({ history }).ask('bot', 's', pay())).session;
    const blob = JSON.stringify({ input: { $blob: { sha256: '', bytes: 1, type: '' } } });
    expect((await of(async () => ({ calls: [call(1, { body: null })], turns: 0 }))).complete).toBe(false);
    expect((await of(async () => ({ calls: [call(1, { body: blob })], turns: 0 }))).complete).toBe(false);
    const many = await of(async (_app, _session, limit) => ({
      calls: Array.from({ length: limit }, (_, i) => call(i)),
      turns: 0,
    }));
    expect(many).toMatchObject({ complete: false, counts: { asked: MAX_REBUILT } });
    expect((await of(() => Promise.reject(new Error('disk')))).complete).toBe(false);
  });

  test('the one used longest ago is given up, and read back when it comes again', async () => {
    let reads = 0;
    const states = createSessionStates({
      history: async () => {
        reads++;
        return { calls: [call(1)], turns: 0 };
      },
      fresh: true,
      maxSessions: 2,
    });
    for (const session of ['a', 'b', 'a', 'c', 'a'])
      (await states.ask('bot', session, pay())).decided(session, 'allow');
    expect([states.size(), reads]).toEqual([2, 0]);
    expect((await states.ask('bot', 'b', pay())).session.spend).toBe(1);
    expect(reads).toBe(1);
    states.forget('bot', 'b');
    await states.ask('bot', 'b', pay());
    expect(reads).toBe(2);
  });
});

test('amounts: where the call site says, else payload.amount; only finite numbers', () => {
  expect(amountOf({ amount: 5 }, undefined)).toBe(5);
  expect(amountOf({ order: { total: 7 } }, { amount_field: 'order.total' })).toBe(7);
  expect(amountOf({ amount: '5' }, {})).toBeUndefined();
  expect(amountOf({ amount: 5 }, { amount_field: 3 })).toBeUndefined();
  expect(amountOf({ args: [5] }, { amount_field: 'args.0' })).toBeUndefined();
  expect(amountOf({}, { amount_field: 'constructor.length' })).toBeUndefined();
});

test('what a policy reads beside the call', () => {
  expect(readsOf([{ text: 'x if input.action == "y"' }])).toEqual({ session: false, now: false });
  expect(readsOf([{ text: '' }, { text: 'x if input.session.spend > 1' }])).toEqual({
    session: true,
    now: false,
  });
  expect(readsOf([{ text: 'x if object.get(input, ["session"], 1)' }]).session).toBe(true);
  expect(readsOf([{ text: 'x if input.now > "2026"' }])).toEqual({ session: false, now: true });
  expect(readsOf([{ text: '# known' }]).now).toBe(false);
});
