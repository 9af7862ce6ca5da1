/** The gate where there is no collector, a false one, or one at fault; the real one is in quickstart.test.ts. */
import { randomBytes } from 'node:crypto';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { policyCheck, span, tr } from '../../sdk/typescript/src/index.ts';
import type { GateState } from '../../sdk/typescript/src/types.ts';
import { Peer, type Reply, type Request } from './peer.ts';

const mac = randomBytes(32);
const apiKey = `tm1.k1.${randomBytes(32).toString('base64url')}.${mac.toString('base64url')}`;
const states: GateState['state'][] = [];
let peer: Peer | undefined;

async function listen(
  key: Uint8Array | undefined,
  answer: (request: Request) => Reply | undefined,
): Promise<void> {
  peer = await Peer.start(key);
  peer.answer = answer;
  init(peer.url);
}

function init(endpoint: string, requestMs = 1_000): void {
  states.length = 0;
  tr.init({
    apiKey,
    appId: 'finance-bot',
    endpoint,
    timeouts: { requestMs },
    onError: () => undefined,
    onDecision: ({ state }) => states.push(state),
  });
}

afterEach(async () => {
  await tr.shutdown({ timeoutMs: 200 });
  await peer?.close();
  peer = undefined;
});

const salt = 'ab'.repeat(32);
const allow = {
  decision: 'allow',
  reasons: [],
  decision_id: 'dec_1',
  policy: { version: 1, hash: 'cd' },
  args_salt: salt,
};
const asked = (seconds: number) => ({
  ...allow,
  decision: 'approve',
  reasons: ['wire > 10,000'],
  approval: {
    id: 'apr_1',
    status: 'waiting',
    expires_at: new Date(Date.now() + seconds * 1000).toISOString(),
    nonce: 'n1',
  },
});
const wire = { amount: 12_000, iban: 'DE00' };

/** A tool that must not run, guarded. */
function tool(more: object = {}) {
  const send = vi.fn(async (given: { amount: number; iban: string }) => ({ sent: given.amount }));
  return { send, guarded: policyCheck(send, { action: 'send_wire', risk: 'high', ...more }) };
}

describe('no answer that proves itself: closed', () => {
  test.each<[string, Uint8Array | undefined, Reply]>([
    ['an impostor who allows', undefined, { status: 200, body: allow }],
    ['an impostor with a MAC of another key', randomBytes(32), { status: 200, body: allow }],
    ['an allow whose MAC was taken off', mac, { status: 200, body: allow, proven: false }],
    ['a redirect', undefined, { status: 307, headers: { location: 'http://127.0.0.1:1/api/decisions' } }],
    ['a proven answer that is no decision', mac, { status: 200, body: { ok: true } }],
    ['a decision without a salt', mac, { status: 200, body: { ...allow, args_salt: '' } }],
    ['a word that is none of the three', mac, { status: 200, body: { ...allow, decision: 'sure' } }],
    ['an approve without an approval', mac, { status: 200, body: { ...allow, decision: 'approve' } }],
    ['a collector at fault', mac, { status: 500, body: { code: 'internal' } }],
    ['a locked vault', undefined, { status: 503, body: { code: 'vault_locked' } }],
    ['a hang-up', mac, 'hang up'],
    ['silence', mac, 'hang'],
  ])('%s', async (_, key, reply) => {
    await listen(key, ({ url }) => (url === '/api/decisions' ? reply : undefined));
    const { send, guarded } = tool();
    await expect(guarded(wire)).rejects.toMatchObject({
      name: 'CollectorUnavailable',
      code: 'collector_unavailable',
      action: 'send_wire',
      next: expect.stringContaining('Start the collector') as string,
    });
    expect(send).not.toHaveBeenCalled();
    expect(states).toEqual(['asked']);
    for (const { headers } of peer!.requests)
      expect(headers.authorization).not.toContain(mac.toString('base64url'));
  });

  test('a proven answer recorded before and played again: the MAC covers a nonce', async () => {
    await listen(mac, () => undefined);
    const { send, guarded } = tool();
    let stolen: string | undefined;
    peer!.answer = ({ url }) => {
      if (url !== '/api/decisions') return undefined;
      const again = stolen === undefined ? {} : { proven: false, headers: { 'x-trailmix-mac': stolen } };
      return { status: 200, body: allow, ...again };
    };
    await guarded(wire);
    expect(send).toHaveBeenCalledTimes(1);
    stolen = peer!.macs.get('/api/decisions')!;
    expect(stolen).toMatch(/^[0-9a-f]{64}$/);
    await expect(guarded(wire)).rejects.toMatchObject({ name: 'CollectorUnavailable' });
    expect(send).toHaveBeenCalledTimes(1);
  });

  test('nothing listens; the span around it goes on', async () => {
    init('http://127.0.0.1:9');
    const { send, guarded } = tool();
    const result = await span('work', async () => {
      await expect(guarded(wire)).rejects.toMatchObject({ name: 'CollectorUnavailable' });
      return 'done';
    });
    expect(result).toBe('done');
    expect(send).not.toHaveBeenCalled();
  });

  test('no key, no init', async () => {
    await tr.shutdown();
    const { send, guarded } = tool();
    await expect(guarded(wire)).rejects.toMatchObject({ name: 'CollectorUnavailable' });
    tr.init({ apiKey: '', appId: 'finance-bot', onError: () => undefined });
    await expect(guarded(wire)).rejects.toMatchObject({ name: 'CollectorUnavailable' });
    expect(send).not.toHaveBeenCalled();
  });
});

describe('onUnavailable: allow', () => {
  test('lets the call through when nobody answers, and records that it did', async () => {
    init('http://127.0.0.1:9');
    const { send, guarded } = tool({ onUnavailable: 'allow' });
    expect(await guarded(wire)).toEqual({ sent: 12_000 });
    expect(send).toHaveBeenCalledTimes(1);
    expect(states).toEqual(['asked', 'unavailable_allowed']);
    expect(tr.stats().queued).toBe(1);
  });

  test('the event says so', async () => {
    await listen(mac, ({ url }) => (url === '/api/decisions' ? 'hang up' : undefined));
    await tool({ onUnavailable: 'allow' }).guarded(wire);
    await tr.flush();
    expect(peer!.events[0]).toMatchObject({
      event_type: 'tool.call',
      status: 'ok',
      labels: { 'trailmix.gate': 'unavailable_allowed' },
      policy_eval: { policy_id: 'none', decision: 'allow' },
      tools_invoked: [{ args: wire, result: { sent: 12_000 } }],
    });
    expect(peer!.events[0]!.policy_eval).not.toHaveProperty('decision_id');
  });

  test.each([
    ['a deny', { ...allow, decision: 'deny', reasons: ['no'] }, 'PolicyDenied', 'policy_denied'],
    [
      'a policy that failed',
      { ...allow, decision: 'deny', code: 'policy_failed' },
      'PolicyDenied',
      'policy_failed',
    ],
  ])('never overrides %s', async (_, body, name, code) => {
    await listen(mac, ({ url }) => (url === '/api/decisions' ? { status: 200, body } : undefined));
    const { send, guarded } = tool({ onUnavailable: 'allow' });
    await expect(guarded(wire)).rejects.toMatchObject({ name, code, decisionId: 'dec_1' });
    expect(send).not.toHaveBeenCalled();
  });

  test('never overrides a wait: the collector went away after it asked for an approval', async () => {
    await listen(mac, ({ url }) => (url === '/api/decisions' ? { status: 200, body: asked(60) } : 'hang up'));
    const { send, guarded } = tool({ onUnavailable: 'allow', timeoutMs: 700 });
    await expect(guarded(wire)).rejects.toMatchObject({ name: 'ApprovalTimedOut' });
    expect(send).not.toHaveBeenCalled();
    expect(states).toEqual(['asked', 'waiting', 'expired']);
  });

  test('never overrides arguments that nobody could approve', async () => {
    init('http://127.0.0.1:9');
    const send = vi.fn();
    const guarded = policyCheck(send, { action: 'a', risk: 'low', onUnavailable: 'allow' });
    await expect(guarded({ at: new Date() })).rejects.toMatchObject({
      name: 'ArgsNotJson',
      code: 'args_not_json',
    });
    expect(send).not.toHaveBeenCalled();
    expect(states).toEqual([]);
  });
});

describe('what passes', () => {
  test('the function gets the copy that was decided on, its this and its result', async () => {
    await listen(mac, ({ url }) => {
      if (url === '/api/decisions') {
        given.amount = 1_000_000;
        return { status: 200, body: allow };
      }
      return undefined;
    });
    const given = { amount: 5 };
    const bank = {
      name: 'bank',
      pay: policyCheck(
        async function (this: unknown, order: { amount: number }, note: string) {
          return { by: (this as { name: string }).name, amount: order.amount, note };
        },
        { action: 'pay', risk: 'low', metadata: { currency: 'EUR' }, actor: { type: 'user', id: 'u1' } },
      ),
    };
    expect(await bank.pay(given, 'x')).toEqual({ by: 'bank', amount: 5, note: 'x' });
    await tr.flush();
    expect(peer!.requests[0]!.body).toMatchObject({
      action: 'pay',
      risk: 'low',
      actor: { type: 'user', id: 'u1' },
      payload: { args: [{ amount: 5 }, 'x'] },
      context: { currency: 'EUR' },
      app_id: 'finance-bot',
      parent_id: peer!.events[0]!.event_id,
      trace_id: peer!.events[0]!.trace_id,
      session_id: peer!.events[0]!.session_id,
    });
    expect(peer!.requests.find(({ url }) => url === '/api/decisions/dec_1/outcome')?.body).toMatchObject({
      outcome: 'ok',
      result: { by: 'bank', amount: 5, note: 'x' },
    });
    expect(peer!.events[0]).toMatchObject({
      actor_type: 'user',
      policy_eval: { decision: 'allow', decision_id: 'dec_1' },
    });
  });

  test('what the function throws is thrown on and told as the outcome; spans in it are children', async () => {
    await listen(mac, ({ url }) => (url === '/api/decisions' ? { status: 200, body: allow } : undefined));
    const boom = new Error('insufficient funds');
    const guarded = policyCheck(
      () => {
        span('inner', () => 1);
        throw boom;
      },
      { action: 'pay', risk: 'low' },
    );
    await expect(guarded()).rejects.toBe(boom);
    await tr.flush();
    expect(peer!.requests.find(({ url }) => url.endsWith('/outcome'))?.body).toMatchObject({
      outcome: 'error',
      error: 'Error: insufficient funds',
    });
    const [inner, call] = peer!.events;
    expect(inner).toMatchObject({ name: 'inner', parent_id: call!.event_id });
    expect(call).toMatchObject({ name: 'pay', status: 'error', input: { args: [] } });
  });

  test('a full collector is asked again', async () => {
    const replies: Reply[] = [
      { status: 429, headers: { 'retry-after': '0' } },
      { status: 200, body: allow },
    ];
    await listen(mac, ({ url }) => (url === '/api/decisions' ? replies.shift() : undefined));
    expect(await tool().guarded(wire)).toEqual({ sent: 12_000 });
  });

  test('a lost answer to consume is asked for again, within the grant', async () => {
    const consumes: Reply[] = [
      'hang up',
      { status: 200, body: { intent_id: 'int_1', grant: { expires_at: 'x' } } },
    ];
    await listen(mac, ({ url }) => {
      if (url === '/api/decisions') return { status: 200, body: asked(60) };
      if (url.includes('?wait=')) return { status: 200, body: { status: 'approved' } };
      return url.endsWith('/consume') ? consumes.shift() : undefined;
    });
    expect(await tool().guarded(wire)).toEqual({ sent: 12_000 });
    const bodies = peer!.requests.filter(({ url }) => url.endsWith('/consume')).map(({ body }) => body);
    expect(bodies).toHaveLength(2);
    expect(bodies[1]).toEqual(bodies[0]);
    expect(states).toEqual(['asked', 'waiting', 'approved']);
  });
});

describe('what does not pass', () => {
  test.each([
    ['denied', 'ApprovalDenied', 'approval_denied'],
    ['expired', 'ApprovalTimedOut', 'approval_expired'],
    ['consumed', 'ApprovalConsumed', 'approval_consumed'],
  ])('an approval that is %s', async (status, name, code) => {
    await listen(mac, ({ url }) =>
      url === '/api/decisions' ? { status: 200, body: asked(60) } : { status: 200, body: { status } },
    );
    const { send, guarded } = tool();
    await expect(guarded(wire)).rejects.toMatchObject({
      name,
      code,
      approvalId: 'apr_1',
      reasons: ['wire > 10,000'],
    });
    expect(send).not.toHaveBeenCalled();
  });

  test.each([
    ['approval_denied', 'ApprovalDenied'],
    ['approval_expired', 'ApprovalTimedOut'],
    ['approval_consumed', 'ApprovalConsumed'],
    ['binding_mismatch', 'GateRefused'],
    ['policy_changed', 'GateRefused'],
  ])('a consume refused with %s', async (code, name) => {
    await listen(mac, ({ url }) => {
      if (url === '/api/decisions') return { status: 200, body: asked(60) };
      if (url.includes('?wait=')) return { status: 200, body: { status: 'approved' } };
      return { status: 409, body: { code, detail: 'no', next: 'Ask again.' } };
    });
    const { send, guarded } = tool();
    await expect(guarded(wire)).rejects.toMatchObject({ name, code, next: 'Ask again.' });
    expect(send).not.toHaveBeenCalled();
  });

  test('a false approval: the impostor came while a person was asked', async () => {
    await listen(mac, ({ url }) => {
      if (url === '/api/decisions') return { status: 200, body: asked(60) };
      return url.includes('?wait=')
        ? { status: 200, body: { status: 'approved' }, proven: false }
        : { status: 200, body: {}, proven: false };
    });
    const { send, guarded } = tool({ timeoutMs: 600 });
    await expect(guarded(wire)).rejects.toMatchObject({ name: 'ApprovalTimedOut' });
    expect(send).not.toHaveBeenCalled();
    expect(peer!.requests.some(({ url }) => url.endsWith('/consume'))).toBe(false);
  });

  test('a signal ends the wait, with its own reason', async () => {
    await listen(mac, ({ url }) => (url === '/api/decisions' ? { status: 200, body: asked(60) } : 'hang'));
    const { send, guarded } = tool();
    const stop = new AbortController();
    const reason = new Error('the user closed the page');
    setTimeout(() => stop.abort(reason), 100);
    await expect(guarded.with({ signal: stop.signal })(wire)).rejects.toBe(reason);
    await expect(guarded.with({ signal: AbortSignal.abort(reason) })(wire)).rejects.toBe(reason);
    expect(send).not.toHaveBeenCalled();
  });

  test('a call that was granted and then not started has an outcome all the same', async () => {
    await listen(mac, ({ url }) => (url === '/api/decisions' ? { status: 200, body: allow } : undefined));
    const stop = new AbortController();
    tr.init({
      apiKey,
      appId: 'finance-bot',
      endpoint: peer!.url,
      onDecision: ({ state }) => state === 'allowed' && stop.abort(new Error('too late')),
    });
    const { send, guarded } = tool({ signal: stop.signal });
    await expect(guarded(wire)).rejects.toThrow('too late');
    expect(send).not.toHaveBeenCalled();
    expect(peer!.requests.find(({ url }) => url.endsWith('/outcome'))?.body).toEqual({
      outcome: 'error',
      error: 'the call was not started',
    });
  });
});
