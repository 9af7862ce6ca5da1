/** POST /api/events over real HTTP: what is accepted, and that each bad input gets its own error and leaves no trace. */
import { request } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bearer, event, startTestCollector, type TestCollector } from './collector.ts';

let tm: TestCollector;
let auth: Record<string, string>;

beforeAll(async () => {
  tm = await startTestCollector();
  auth = bearer((await tm.key('bot', ['ingest', 'read'])).apiKey);
}, 60_000);
afterAll(() => tm?.stop());

const send = (body: unknown, headers: Record<string, string> = {}) =>
  tm.ask('/api/events', { body, headers: { ...auth, ...headers } });
const json = { 'content-type': 'application/json' };

describe('accepted', () => {
  test('one event, durable, read back as sent', async () => {
    const sent = event('bot', { name: 'hello', input: { q: 'naïve' }, labels: { a: [1, null] } });
    const answer = await send(sent);
    expect(answer.status).toBe(201);
    const { accepted } = answer.json as { accepted: { event_id: string; seq: number; hash_self: string }[] };
    expect(accepted).toEqual([
      {
        event_id: sent.event_id,
        seq: expect.any(Number),
        hash_self: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
    ]);
    const read = await tm.ask(`/api/events/${accepted[0]!.seq}`, { headers: auth });
    expect(read.json).toMatchObject({ ...sent, event_type: 'span', source: { via: 'api', auth: 'key' } });
  });

  test('the same again is a duplicate, other content a conflict', async () => {
    const sent = event('bot');
    const first = await send(sent);
    const again = await send(sent);
    expect((again.json as { accepted: object[] }).accepted).toEqual([
      { ...(first.json as { accepted: object[] }).accepted[0], duplicate: true },
    ]);
    const before = await tm.size();
    const other = await send({ ...sent, name: 'other' });
    expect(other.status).toBe(409);
    expect(other.json).toMatchObject({ code: 'event_conflict', where: '/event_id' });
    expect(await tm.size()).toBe(before);
  });

  test('a batch, plain and gzip, keeps its order', async () => {
    const events = [event('bot'), event('bot'), event('bot')];
    const answer = await send(gzipSync(JSON.stringify({ events })), { ...json, 'content-encoding': 'gzip' });
    expect(answer.status).toBe(201);
    const { accepted } = answer.json as { accepted: { event_id: string; seq: number }[] };
    expect(accepted.map(one => one.event_id)).toEqual(events.map(one => one.event_id));
    expect(accepted.map(one => one.seq - accepted[0]!.seq)).toEqual([0, 1, 2]);
  });

  test('a blob is uploaded, cited, and refused to another key', async () => {
    const uploaded = await tm.ask('/api/blobs', {
      body: Buffer.alloc(200_000, 7),
      headers: { ...auth, 'content-type': 'image/png' },
    });
    expect(uploaded.status).toBe(201);
    const blob = uploaded.json as { $blob: { sha256: string; bytes: number; type: string } };
    expect(blob.$blob).toMatchObject({ bytes: 200_000, type: 'image/png' });
    expect((await send(event('bot', { input: { picture: blob } }))).status).toBe(201);
    const other = bearer((await tm.key('bot')).apiKey);
    const refused = await tm.ask('/api/events', {
      body: event('bot', { input: { picture: blob } }),
      headers: other,
    });
    expect(refused.status).toBe(422);
    expect(refused.json).toMatchObject({ errors: [{ code: 'blob_unknown', where: '/input/picture' }] });
    expect((await tm.ask(`/api/blobs/${blob.$blob.sha256}`, { headers: auth })).text.length).toBe(200_000);
    const reader = bearer((await tm.key('bot', ['read'])).apiKey);
    expect((await tm.ask(`/api/blobs/${blob.$blob.sha256}`, { headers: reader })).status).toBe(404);
  });

  test('a large member becomes a blob and is served whole', async () => {
    const text = 'x'.repeat(100_000);
    const answer = await send(event('bot', { output: text }));
    const { seq } = (answer.json as { accepted: { seq: number }[] }).accepted[0]!;
    const record = (await tm.ask(`/api/events/${seq}`, { headers: auth })).json as {
      output: { $blob: { sha256: string } };
    };
    const bytes = await tm.ask(`/api/blobs/${record.output.$blob.sha256}`, { socket: tm.collector.socket });
    expect(bytes.json).toBe(text);
  });
});

const deep = (levels: number): string => `${'['.repeat(levels)}${']'.repeat(levels)}`;
const withMember = (name: string, text: string): string =>
  JSON.stringify(event('bot')).replace(/}$/, `,"${name}":${text}}`);

describe('refused, each with its own error, the ledger unchanged', () => {
  const bodies: [
    name: string,
    body: () => string | Uint8Array,
    status: number,
    code: string,
    where: string,
  ][] = [
    ['truncated', () => JSON.stringify(event('bot')).slice(0, -3), 400, 'json_invalid', '/app_id'],
    ['not JSON', () => 'hello', 400, 'json_invalid', ''],
    ['empty', () => '', 400, 'json_invalid', ''],
    ['duplicate key', () => withMember('event_id', '"again"'), 400, 'json_duplicate_key', '/event_id'],
    [
      'duplicate key after unescaping',
      () => withMember('event\\u005fid', '"x"'),
      400,
      'json_duplicate_key',
      '/event_id',
    ],
    ['over-deep', () => withMember('input', deep(70)), 400, 'json_depth', `/input${'/0'.repeat(63)}`],
    ['lone surrogate', () => withMember('input', '"\\ud800"'), 400, 'json_surrogate', '/input'],
    ['number beyond 2^53', () => withMember('input', '9007199254740993'), 400, 'json_number', '/input'],
    ['number too large', () => withMember('input', '1e999'), 400, 'json_number', '/input'],
    ['number that underflows', () => withMember('input', '1e-999'), 400, 'json_number', '/input'],
    ['a BOM', () => `\ufeff${JSON.stringify(event('bot'))}`, 400, 'json_bom', ''],
    [
      'invalid UTF-8',
      () => Buffer.concat([Buffer.from('{"event_id":"'), Buffer.from([0xff]), Buffer.from('"}')]),
      400,
      'json_utf8',
      '/event_id',
    ],
  ];
  test.each(bodies)('%s', async (_name, body, status, code, where) => {
    const before = await tm.size();
    const answer = await send(body(), json);
    expect({ status: answer.status, ...(answer.json as object) }).toMatchObject({ status, code, where });
    expect(answer.headers['content-type']).toContain('application/problem+json');
    expect(await tm.size()).toBe(before);
  });

  const members: [name: string, members: Record<string, unknown>, code: string, where: string][] = [
    ['over-long', { session_id: 'é'.repeat(129) }, 'field_too_long', '/session_id'],
    ['wrong-typed', { session_id: 7 }, 'field_type', '/session_id'],
    ['unknown field', { colour: 'red' }, 'field_unknown', '/colour'],
    ['$-keyed', { input: { $ref: 1 } }, 'key_dollar', '/input/$ref'],
    ['null', { name: null }, 'field_null', '/name'],
    ['a date that does not exist', { ts: '2026-02-30T00:00:00Z' }, 'ts_invalid', '/ts'],
    ["the collector's own type", { event_type: 'decision.recorded' }, 'event_type_reserved', '/event_type'],
    [
      'a blob nobody uploaded',
      { input: { $blob: { sha256: 'a'.repeat(64), bytes: 1, type: 'text/plain' } } },
      'blob_unknown',
      '/input',
    ],
  ];
  test.each(members)('%s', async (_name, extra, code, where) => {
    const before = await tm.size();
    const answer = await send(event('bot', extra));
    expect(answer.status).toBe(422);
    expect(answer.json).toMatchObject({ code: 'event_invalid', where, errors: [{ code, where }] });
    expect(await tm.size()).toBe(before);
  });

  test('a missing member', async () => {
    const { ts: _ts, ...rest } = event('bot');
    expect((await send(rest)).json).toMatchObject({ errors: [{ code: 'field_missing', where: '/ts' }] });
  });

  test("another app's app_id", async () => {
    const before = await tm.size();
    const answer = await send({ events: [event('bot'), event('other-bot')] });
    expect(answer.status).toBe(403);
    expect(answer.json).toMatchObject({ code: 'app_mismatch', where: '/events/1/app_id' });
    expect(await tm.size()).toBe(before);
  });

  test('every bad index of a batch is named, and nothing of it is recorded', async () => {
    const before = await tm.size();
    const answer = await send({
      events: [
        event('bot'),
        event('bot', { ts: 'soon' }),
        event('bot'),
        event('bot', { risk: 'huge', labels: 7 }),
      ],
    });
    expect(answer.status).toBe(422);
    const { errors } = answer.json as { errors: { where: string; code: string }[] };
    expect(errors.map(error => error.where)).toEqual(['/events/1/ts', '/events/3/risk', '/events/3/labels']);
    expect(await tm.size()).toBe(before);
  });

  test('shapes that are no batch', async () => {
    expect((await send([])).json).toMatchObject({ code: 'input_invalid' });
    expect((await send({ events: [] })).json).toMatchObject({ code: 'input_invalid', where: '/events' });
    expect((await send({ events: [event('bot')], more: 1 })).json).toMatchObject({
      code: 'field_unknown',
      where: '/more',
    });
    const many = { events: Array.from({ length: 1001 }, () => event('bot')) };
    expect((await send(many)).json).toMatchObject({ code: 'batch_too_large', where: '/events' });
  });

  test('content types, codings and sizes', async () => {
    const text = JSON.stringify(event('bot'));
    const before = await tm.size();
    const typed = await send(text, { 'content-type': 'text/plain' });
    expect([typed.status, (typed.json as { code: string }).code]).toEqual([415, 'media_type']);
    const none = await send(text);
    expect(none.status).toBe(415);
    const brotli = await send(text, { ...json, 'content-encoding': 'br' });
    expect(brotli.json).toMatchObject({ code: 'media_type', where: 'content-encoding' });
    const broken = await send(text, { ...json, 'content-encoding': 'gzip' });
    expect(broken.json).toMatchObject({ code: 'media_type', where: 'content-encoding' });
    const bomb = await send(gzipSync(Buffer.alloc(40 * 1024 * 1024, 32)), {
      ...json,
      'content-encoding': 'gzip',
    });
    expect([bomb.status, (bomb.json as { code: string }).code]).toEqual([413, 'body_too_large']);
    const large = await send(Buffer.alloc(17 * 1024 * 1024, 32), json);
    expect([large.status, (large.json as { code: string }).code]).toEqual([413, 'body_too_large']);
    expect(await tm.size()).toBe(before);
  });

  test('a body that grows without a length is cut at the limit and still answered', async () => {
    const status = await new Promise<number>((resolve, reject) => {
      const sent = request(
        `${tm.url}/api/events`,
        { method: 'POST', headers: { ...auth, ...json, 'transfer-encoding': 'chunked' } },
        answer => {
          answer.resume();
          resolve(answer.statusCode ?? 0);
        },
      );
      sent.on('error', reject);
      let left = 18;
      const more = (): void => {
        if (left-- === 0) return void sent.end();
        sent.write(Buffer.alloc(1024 * 1024, 32), more);
      };
      more();
    });
    expect(status).toBe(413);
  });
});
