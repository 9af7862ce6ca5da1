/** The gate over HTTP: a wire that waits, is answered in the page, used once, and its outcome; refusals and long polls. */

import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { jcs } from '../../core/proof/jcs.ts';
import { bearer, startTestCollector, type TestCollector } from './collector.ts';

let tm: TestCollector;
let auth: Record<string, string>;
let page: Record<string, string>;
beforeAll(async () => {
  tm = await startTestCollector();
  auth = bearer((await tm.key('bot', ['ingest', 'decide'])).apiKey);
  page = await tm.signIn();
}, 60_000);
afterAll(() => tm?.stop());

const code = (answer: { json: never }): string => (answer.json as { code: string }).code;
type Decision = {
  decision: string;
  decision_id: string;
  args_salt: string;
  approval: { id: string; nonce: string; status: string };
};
const payload = { amount: 12_000, iban: 'DE00' };
const decide = async (members: object = {}): Promise<Decision> => {
  const answer = await tm.ask('/api/decisions', {
    body: {
      action: 'send_wire',
      risk: 'high',
      actor: { type: 'agent', id: 'a1' },
      payload,
      session_id: 'run-1',
      app_id: 'bot',
      ...members,
    },
    headers: auth,
  });
  expect(answer.status).toBe(200);
  return answer.json;
};
const consumeBody = ({ args_salt, approval }: Decision) => ({
  args_digest: createHmac('sha256', Buffer.from(args_salt, 'hex')).update(jcs(payload)).digest('hex'),
  action: 'send_wire',
  session_id: 'run-1',
  nonce: approval.nonce,
});
const consume = (decision: Decision, members: object = {}) =>
  tm.ask(`/api/approvals/${decision.approval.id}/consume`, {
    body: { ...consumeBody(decision), ...members },
    headers: auth,
  });
const answer = (decision: Decision, verdict: string) =>
  tm.ask(`/api/approvals/${decision.approval.id}/answer`, {
    body: { verdict, comment: 'looked at it' },
    headers: page,
  });

describe('send_wire above 10,000', () => {
  test('waits, is approved in the page, runs once, and its outcome is recorded', async () => {
    const decision = await decide();
    expect(decision).toMatchObject({ decision: 'approve', approval: { status: 'waiting' } });
    expect(code(await consume(decision))).toBe('approval_not_approved');
    const waiting = tm.ask(`/api/approvals/${decision.approval.id}?wait=30`, { headers: auth });
    const queue = (await tm.ask('/api/approvals', { headers: page })).json as {
      items: { id: string; action: string }[];
    };
    expect(queue.items.find(one => one.id === decision.approval.id)).toMatchObject({
      action: 'send_wire',
      payload,
    });
    const started = performance.now();
    expect((await answer(decision, 'approve')).json).toMatchObject({ status: 'approved', signed_in: 'none' });
    expect((await waiting).json).toMatchObject({ status: 'approved' });
    // By the answer, not by the end of its time.
    expect(performance.now() - started).toBeLessThan(29_000);

    expect(code(await consume(decision, { session_id: 'run-2' }))).toBe('binding_mismatch');
    const attempt = { use_id: 'first try' };
    const granted = await consume(decision, attempt);
    expect(granted.status).toBe(200);
    expect((await consume(decision, attempt)).json).toEqual(granted.json);
    expect(code(await consume(decision))).toBe('approval_consumed');
    const report = (body: object) =>
      tm.ask(`/api/decisions/${decision.decision_id}/outcome`, { body, headers: auth });
    const done = await report({ outcome: 'ok', result: { id: 'w1' }, latency_ms: 12.5 });
    expect(done.status).toBe(200);
    expect((await report({ outcome: 'ok', result: { id: 'w1' }, latency_ms: 12.5 })).json).toEqual(done.json);
    expect(code(await report({ outcome: 'error', error: 'no' }))).toBe('outcome_conflict');
    const found = (await tm.ask(`/api/traces?app=bot`, { headers: page })).json as {
      items: { asked: number }[];
    };
    expect(found.items[0]!.asked).toBeGreaterThanOrEqual(1);
  });

  test('denied stays denied', async () => {
    const decision = await decide();
    expect((await answer(decision, 'deny')).json).toMatchObject({ status: 'denied' });
    expect(code(await answer(decision, 'approve'))).toBe('approval_closed');
    expect(code(await consume(decision))).toBe('approval_denied');
  });

  test('below the limit it is allowed, and recorded before the answer', async () => {
    const before = await tm.size();
    const decision = await decide({ payload: { amount: 10 } });
    expect(decision.decision).toBe('allow');
    expect(await tm.size()).toBe(before + 1);
  });
});

test("another key never sees this key's approval; another app's decision is refused", async () => {
  const decision = await decide();
  const other = bearer((await tm.key('other', ['decide'])).apiKey);
  const seen = await tm.ask(`/api/approvals/${decision.approval.id}`, { headers: other });
  expect([seen.status, code(seen)]).toEqual([404, 'approval_unknown']);
  const refused = await tm.ask('/api/decisions', {
    body: {
      action: 'a',
      risk: 'low',
      actor: { type: 'agent', id: 'x' },
      payload: {},
      session_id: 's',
      app_id: 'bot',
    },
    headers: other,
  });
  expect([refused.status, code(refused)]).toEqual([403, 'app_mismatch']);
});

test('a payload that is no plain object, unknown members, and deep values are refused by name', async () => {
  const before = await tm.size();
  const post = (body: unknown) => tm.ask('/api/decisions', { body, headers: auth });
  const good = {
    action: 'a',
    risk: 'low',
    actor: { type: 'agent', id: 'x' },
    payload: {},
    session_id: 's',
    app_id: 'bot',
  };
  expect((await post({ ...good, payload: [1] })).json).toMatchObject({
    code: 'input_invalid',
    where: '/payload',
  });
  expect((await post({ ...good, extra: 1 })).json).toMatchObject({ code: 'input_invalid', where: '/extra' });
  expect((await post({ ...good, actor: { type: 'agent' } })).json).toMatchObject({ where: '/actor/id' });
  expect((await post('{"action":"a","action":"b"}')).status).toBe(415);
  const twice = await tm.ask('/api/decisions', {
    body: '{"action":"a","action":"b"}',
    headers: { ...auth, 'content-type': 'application/json' },
  });
  expect(code(twice)).toBe('json_duplicate_key');
  expect(await tm.size()).toBe(before);
});

test('closing lets a long poll go with the approval as it is', async () => {
  const short = await startTestCollector();
  const key = bearer((await short.key('bot', ['decide'])).apiKey);
  const made = await short.ask('/api/decisions', {
    body: {
      action: 'send_wire',
      risk: 'high',
      actor: { type: 'agent', id: 'x' },
      payload,
      session_id: 's',
      app_id: 'bot',
    },
    headers: key,
  });
  const { approval } = made.json as Decision;
  const waiting = short.ask(`/api/approvals/${approval.id}?wait=60`, { headers: key });
  await new Promise(resolve => setTimeout(resolve, 200));
  const started = performance.now();
  await short.stop();
  expect((await waiting).json).toMatchObject({ status: 'waiting' });
  expect(performance.now() - started).toBeLessThan(50_000);
}, 90_000);
