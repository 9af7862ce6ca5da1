import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { attachEval, recordInput, recordOutput, span, tr } from '../../sdk/typescript/src/index.ts';
import { Peer } from './peer.ts';

const mac = randomBytes(32);
let peer: Peer;
beforeAll(async () => {
  peer = await Peer.start(mac);
});
beforeEach(() => {
  peer.events.length = 0;
  tr.init({ apiKey: `tm1.k1.auth.${mac.toString('base64url')}`, appId: 'finance-bot', endpoint: peer.url });
});
afterEach(() => tr.shutdown());
afterAll(() => peer.close());

async function recordedEvents() {
  expect(await tr.flush()).toBe(true);
  return new Map(peer.events.map(event => [event.name, event]));
}

describe('spans', () => {
  test('nest by asynchronous context, side by side too', async () => {
    await span('root', async () => {
      await Promise.all(
        ['a', 'b'].map(name =>
          span(name, async () => {
            await sleep(5);
            await span(`${name}1`, () => sleep(1));
          }),
        ),
      );
    });
    const events = await recordedEvents();
    const parent = (name: string) => events.get(name)?.parent_id;
    expect(parent('root')).toBeUndefined();
    expect([parent('a'), parent('b')]).toEqual([events.get('root')!.event_id, events.get('root')!.event_id]);
    expect([parent('a1'), parent('b1')]).toEqual([events.get('a')!.event_id, events.get('b')!.event_id]);
    expect(new Set([...events.values()].map(event => event.trace_id)).size).toBe(1);
    expect(new Set([...events.values()].map(event => event.event_id)).size).toBe(5);
    const { ts, ts_end, trace_id } = events.get('root')!;
    expect(ts).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    expect(ts < ts_end!).toBe(true);
    expect(trace_id).toMatch(/^[0-9a-f]{32}$/);
  });

  test('return what the function returns and throw what it throws', async () => {
    const boom = new RangeError('boom');
    expect(span('sync', { risk: 'low' }, () => 'value')).toBe('value');
    expect(await tr.span('async', {}, async () => 'later')).toBe('later');
    expect(() =>
      span('throws', () => {
        throw boom;
      }),
    ).toThrow(boom);
    await expect(span('rejects', () => Promise.reject(boom))).rejects.toBe(boom);
    const events = await recordedEvents();
    expect(events.get('sync')).toMatchObject({ status: 'ok', risk: 'low' });
    for (const name of ['throws', 'rejects']) {
      expect(events.get(name)).toMatchObject({
        status: 'error',
        labels: { 'error.type': 'RangeError', 'error.message': 'boom' },
      });
    }
  });

  test('everything that can be recorded, by the span or by the free functions', async () => {
    span(
      'full',
      { risk: 'critical', labels: { team: 'pay' }, type: 'llm.call', actor: { type: 'user', id: 'u1' } },
      s => {
        recordInput({ q: 1 });
        recordOutput({ a: 2 });
        attachEval({ name: 'toxicity', score: 0.01, threshold: 0.1, details: { by: 'x' } });
        s.recordModel({ name: 'm', provider: 'p', version: '1', params: { t: 0 }, cost: 0.1 });
        s.recordTool({ name: 'search', args: { q: 1 }, result: [1], latency_ms: 2 });
        s.recordPlan(['look', 'answer']);
        s.recordRetrieval([{ doc: 1 }]);
        s.setLabel('more', 'yes');
      },
    );
    expect((await recordedEvents()).get('full')).toMatchObject({
      event_type: 'llm.call',
      app_id: 'finance-bot',
      actor_type: 'user',
      actor_id: 'u1',
      risk: 'critical',
      labels: { team: 'pay', more: 'yes' },
      input: { q: 1 },
      output: { a: 2 },
      plan: ['look', 'answer'],
      retrieval: [{ doc: 1 }],
      evals: [{ name: 'toxicity', score: 0.01, threshold: 0.1, details: { by: 'x' } }],
      model: { name: 'm', provider: 'p', version: '1', params: { t: 0 }, cost: 0.1 },
      tools_invoked: [{ name: 'search', args: { q: 1 }, result: [1], latency_ms: 2 }],
    });
  });
});

describe('sessions and traces', () => {
  test('a session holds what runs in it, and nothing else', async () => {
    span('outside', () => 1);
    await tr.session({ id: 'chat-7' }, async () => {
      span('inside', () => 1);
      await sleep(1);
      tr.setSession('chat-8');
      span('moved', () => 1);
    });
    await tr.session({}, async () => span('fresh', () => 1));
    span('outside2', () => 1);
    const events = await recordedEvents();
    const session = (name: string) => events.get(name)!.session_id;
    expect([session('inside'), session('moved')]).toEqual(['chat-7', 'chat-8']);
    expect(session('outside')).toBe(session('outside2'));
    expect(new Set(['outside', 'inside', 'moved', 'fresh'].map(session)).size).toBe(4);
  });

  test('W3C trace context goes out and comes in', async () => {
    const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
    const incoming = `00-${trace}-00f067aa0ba902b7-01`;
    expect(tr.traceparent()).toBeUndefined();
    let sent: string | undefined;
    tr.withTraceparent(incoming, () => {
      expect(tr.traceparent()).toBe(incoming);
      span('served', s => {
        sent = tr.traceparent();
        expect(sent).toBe(`00-${trace}-${s.id.slice(-16)}-01`);
      });
    });
    tr.session({ id: 'kept' }, () => tr.withTraceparent(sent, () => span('downstream', () => 1)));
    const events = await recordedEvents();
    expect(events.get('served')).toMatchObject({
      trace_id: trace,
      session_id: trace,
      parent_id: `${trace}-00f067aa0ba902b7`,
    });
    expect(events.get('downstream')).toMatchObject({
      trace_id: trace,
      session_id: 'kept',
      parent_id: events.get('served')!.event_id,
    });
  });

  test.each([
    undefined,
    null,
    '',
    'nonsense',
    '00-00000000000000000000000000000000-00f067aa0ba902b7-01',
    '00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01',
    'ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more',
    '00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01',
  ])('a header that is not valid changes nothing: %s', header => {
    expect(tr.withTraceparent(header, () => tr.traceparent())).toBeUndefined();
  });

  test('a later version of the header is read as far as it is known', () => {
    const header = 'cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-comes';
    expect(tr.withTraceparent(header, () => tr.traceparent())).toBe(
      '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    );
  });
});
