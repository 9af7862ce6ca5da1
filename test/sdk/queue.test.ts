import { randomBytes } from 'node:crypto';
import { afterEach, describe, expect, test } from 'vitest';
import { span, tr } from '../../sdk/typescript/src/index.ts';
import type { InitOptions, Notice } from '../../sdk/typescript/src/types.ts';
import { Peer, type Reply } from './peer.ts';

const mac = randomBytes(32);
const apiKey = `tm1.k1.${randomBytes(32).toString('base64url')}.${mac.toString('base64url')}`;
const peers: Peer[] = [];

async function listen(key: Uint8Array | null = mac, port = 0): Promise<Peer> {
  const peer = await Peer.start(key ?? undefined, port);
  peers.push(peer);
  return peer;
}

/** Initialised for the peer; the notices are filled in as they come. */
function recordTo(endpoint: string, more: InitOptions = {}): Notice[] {
  const notices: Notice[] = [];
  tr.init({
    apiKey,
    appId: 'finance-bot',
    endpoint,
    batch: { maxDelayMs: 5 },
    onError: notice => notices.push(notice),
    ...more,
  });
  return notices;
}

const spans = (from: number, to: number): void => {
  for (let i = from; i <= to; i++) span(`s${i}`, s => s.recordInput({ i }));
};
const namesOf = (peer: Peer): (string | undefined)[] => peer.events.map(event => event.name);
const numbered = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, i) => `s${from + i}`);

afterEach(async () => {
  await tr.shutdown({ timeoutMs: 100 });
  await Promise.all(peers.splice(0).map(peer => peer.close()));
});

describe('the background queue', () => {
  test('sends in order, numbers from 1, ends the stream at shutdown, and sends no secret but auth', async () => {
    const peer = await listen();
    recordTo(peer.url);
    spans(1, 600);
    expect(await tr.flush()).toBe(true);
    expect(await tr.shutdown()).toBe(true);
    expect(namesOf(peer)).toEqual([...numbered(1, 600), 'end of stream']);
    expect(peer.events.map(event => event.stream.n)).toEqual(Array.from({ length: 601 }, (_, i) => i + 1));
    expect(new Set(peer.events.map(event => event.stream.id)).size).toBe(1);
    expect(peer.events.at(-1)).toMatchObject({
      event_type: 'stream.end',
      session_id: peer.events[0]!.session_id,
    });
    expect(peer.requests.length).toBeLessThan(10);
    for (const { headers } of peer.requests) {
      expect(headers.authorization).toBe(`Bearer ${apiKey.split('.').slice(0, 3).join('.')}`);
      expect(JSON.stringify(headers)).not.toContain(mac.toString('base64url'));
    }
    expect(tr.stats()).toEqual({ recorded: 600, acknowledged: 600, queued: 0, dropped: 0 });
  });

  test('without a collector the code runs; once one is there, all arrives, once', async () => {
    const gone = await listen();
    const { port } = gone;
    await gone.close();
    const notices = recordTo(`http://127.0.0.1:${port}`);
    expect(span('work', { risk: 'low' }, () => 42)).toBe(42);
    spans(1, 3);
    expect(await tr.flush({ timeoutMs: 300 })).toBe(false);
    await expect.poll(() => notices.map(({ code }) => code)).toEqual(['collector_unavailable']);
    const peer = await listen(mac, port);
    expect(await tr.flush()).toBe(true);
    expect(namesOf(peer)).toEqual(['work', ...numbered(1, 3)]);
  });

  test('Retry-After of a full collector is honoured', async () => {
    const peer = await listen();
    const replies: (Reply | undefined)[] = [
      { status: 429, headers: { 'retry-after': '1' }, proven: false },
      { status: 503, headers: { 'retry-after': '1' } },
    ];
    const times: number[] = [];
    peer.answer = () => {
      times.push(performance.now());
      return replies.shift();
    };
    recordTo(peer.url);
    spans(1, 2);
    await new Promise(resolve => setTimeout(resolve, 50));
    expect(await tr.flush({ timeoutMs: 10_000 })).toBe(true);
    expect(namesOf(peer)).toEqual(['s1', 's2']);
    expect(times[2]! - times[1]!).toBeGreaterThanOrEqual(990);
  });

  test('an answer lost on the way: the same events come again, byte for byte', async () => {
    const peer = await listen();
    const replies: (Reply | undefined)[] = ['hang up', { status: 500 }];
    peer.answer = () => replies.shift();
    recordTo(peer.url);
    spans(1, 5);
    expect(await tr.flush()).toBe(true);
    expect(peer.requests).toHaveLength(3);
    const [first, second, third] = peer.requests.map(({ body }) => (body as { events: object[] }).events);
    expect(second).toEqual(first);
    expect(third).toEqual(first);
  });

  test('who cannot prove to be the collector has received nothing', async () => {
    const impostor = await listen(null);
    const { port } = impostor;
    const notices = recordTo(impostor.url);
    spans(1, 3);
    expect(await tr.flush({ timeoutMs: 300 })).toBe(false);
    await expect.poll(() => impostor.events.length).toBeGreaterThan(0);
    expect(tr.stats()).toMatchObject({ acknowledged: 0, queued: 3 });
    await expect.poll(() => notices[0]?.message).toContain('does not prove');
    await impostor.close();
    const other = await listen(randomBytes(32), port);
    expect(await tr.flush({ timeoutMs: 300 })).toBe(false);
    await other.close();
    const peer = await listen(mac, port);
    expect(await tr.flush()).toBe(true);
    expect(namesOf(peer)).toEqual(numbered(1, 3));
  });

  test('one refused event costs no other: it is named, counted and reported as a gap', async () => {
    const peer = await listen();
    peer.answer = ({ body }) => {
      const { events } = body as { events: { name: string }[] };
      const errors = events.flatMap(({ name }, i) =>
        name === 's3' || name === 's7'
          ? [{ code: 'field_type', where: `/events/${i}/labels`, message: 'x' }]
          : [],
      );
      return errors.length === 0 ? undefined : { status: 422, body: { code: 'event_invalid', errors } };
    };
    const notices = recordTo(peer.url);
    spans(1, 9);
    expect(await tr.flush()).toBe(true);
    expect(namesOf(peer).filter(name => name?.startsWith('s'))).toEqual(
      numbered(1, 9).filter(name => name !== 's3' && name !== 's7'),
    );
    const gaps = peer.events.filter(event => event.event_type === 'gap');
    const { id } = peer.events[0]!.stream;
    expect(gaps.map(({ input }) => input)).toEqual([
      { stream: id, from: 3, to: 3 },
      { stream: id, from: 7, to: 7 },
    ]);
    expect(notices.map(({ code, dropped }) => [code, dropped])).toEqual([
      ['event_refused', 1],
      ['event_refused', 1],
    ]);
    expect(tr.stats()).toMatchObject({ recorded: 9, acknowledged: 7, dropped: 2 });
  });

  test('a refusal that names no event narrows down to the one', async () => {
    const peer = await listen();
    peer.answer = ({ body }) =>
      (body as { events: { name: string }[] }).events.some(({ name }) => name === 's11')
        ? { status: 409, body: { code: 'event_conflict', detail: 'taken' } }
        : undefined;
    recordTo(peer.url);
    spans(1, 40);
    expect(await tr.flush()).toBe(true);
    expect(namesOf(peer).filter(name => name?.startsWith('s'))).toEqual(
      numbered(1, 40).filter(name => name !== 's11'),
    );
    expect(peer.events.find(event => event.event_type === 'gap')?.input).toMatchObject({ from: 11, to: 11 });
  });

  test('a full queue drops the newest, counts them, and says which once there is room', async () => {
    const gone = await listen();
    const { port } = gone;
    await gone.close();
    const notices = recordTo(`http://127.0.0.1:${port}`, { queue: { maxEvents: 10 } });
    spans(1, 25);
    expect(tr.stats()).toMatchObject({ recorded: 25, queued: 10, dropped: 15 });
    expect(notices.filter(({ code }) => code === 'queue_full')).toHaveLength(15);
    const peer = await listen(mac, port);
    expect(await tr.flush()).toBe(true);
    spans(26, 27);
    expect(await tr.shutdown()).toBe(true);
    const { id } = peer.events[0]!.stream;
    expect(peer.events.map(({ name, stream, input }) => [name, stream.n, input])).toEqual([
      ...numbered(1, 10).map((name, i) => [name, i + 1, { i: i + 1 }]),
      ['events dropped', 26, { stream: id, from: 11, to: 25 }],
      ['s26', 27, { i: 26 }],
      ['s27', 28, { i: 27 }],
      ['end of stream', 29, undefined],
    ]);
  });

  test('the queue is bounded by bytes too', async () => {
    recordTo('http://127.0.0.1:9', { queue: { maxBytes: 100_000 } });
    for (let i = 0; i < 10; i++) span('big', s => s.recordInput('x'.repeat(20_000)));
    expect(tr.stats()).toMatchObject({ recorded: 10, queued: 4, dropped: 6 });
  });

  test('before init and with unusable options nothing throws', async () => {
    await tr.shutdown();
    expect(span('s', () => 1)).toBe(1);
    const notices = recordTo('ftp://nowhere/else', { apiKey: 'not a key', appId: 'Not An App' });
    expect(span('s', () => 2)).toBe(2);
    expect(notices.map(({ code }) => code)).toEqual(['key_missing', 'app_missing', 'endpoint_invalid']);
    expect(await tr.flush()).toBe(true);
  });
});
