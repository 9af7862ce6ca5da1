/** OTLP/HTTP as a protocol: refusals in the request's encoding, partial success, values, quota, retries, old names. */
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { UnkeyedQuota } from '../../collector/http/otlp/quota.ts';
import { LogsRequest, RpcStatus, TraceRequest, TraceResponse } from '../../collector/http/otlp/schema.ts';
import { bearer, startTestCollector, type TestCollector } from '../http/collector.ts';

let tm: TestCollector;
beforeAll(async () => {
  tm = await startTestCollector();
}, 60_000);
afterAll(() => tm?.stop());

const proto = { 'content-type': 'application/x-protobuf' };
const json = { 'content-type': 'application/json' };
let count = 0;
const spanId = (): string => (++count).toString(16).padStart(16, '0');
const traceId = 'ab'.repeat(16);
const attribute = (key: string, value: object) => ({ key, value });
const text = (key: string, value: string) => attribute(key, { stringValue: value });
const span = (members: object = {}) => ({
  traceId,
  spanId: spanId(),
  name: 'work',
  startTimeUnixNano: '1764000000000000001',
  endTimeUnixNano: '1764000001000000002',
  ...members,
});
const request = (service: string, spans: object[]) => ({
  resourceSpans: [{ resource: { attributes: [text('service.name', service)] }, scopeSpans: [{ spans }] }],
});
const post = (body: unknown, headers: Record<string, string> = {}) => tm.ask('/v1/traces', { body, headers });
const events = async (app: string) => {
  const answer = await tm.ask(`/api/events?app=${encodeURIComponent(app)}&limit=100`, {
    socket: tm.collector.socket,
  });
  return (answer.json as { items: Record<string, never>[] }).items;
};

describe('values', () => {
  test('int64 beyond 2^53, NaN, bytes, lists, maps, $-keys, duplicates', async () => {
    const answer = await post(
      request('values', [
        span({
          attributes: [
            attribute('small', { intValue: '42' }),
            attribute('large', { intValue: '9223372036854775807' }),
            attribute('nan', { doubleValue: 'NaN' }),
            attribute('minus', { doubleValue: '-Infinity' }),
            attribute('huge', { doubleValue: 1e300 }),
            attribute('bytes', { bytesValue: 'AAEC' }),
            attribute('list', { arrayValue: { values: [{ stringValue: 'a' }, { boolValue: false }, {}] } }),
            attribute('map', { kvlistValue: { values: [text('$key', 'v'), text('plain', 'w')] } }),
            text('$secret', 'x'),
            text('twice', 'first'),
            text('twice', 'last'),
          ],
        }),
      ]),
    );
    expect([answer.status, answer.text]).toEqual([200, '{}']);
    const [found] = await events('otlp:values');
    expect(found!.labels).toMatchObject({
      otel: {
        attributes: {
          small: 42,
          large: '9223372036854775807',
          nan: 'NaN',
          minus: '-Infinity',
          huge: '1e+300',
          bytes: 'AAEC',
          list: ['a', false, null],
          map: { _$key: 'v', plain: 'w' },
          _$secret: 'x',
          twice: 'last',
        },
      },
    });
    expect(found).toMatchObject({
      ts: '2025-11-24T16:00:00.000000001Z',
      ts_end: '2025-11-24T16:00:01.000000002Z',
    });
  });

  test('NaN and int64 in protobuf, gzip', async () => {
    const message = TraceRequest().fromObject(
      request('binary', [
        span({
          traceId: Buffer.from(traceId, 'hex'),
          spanId: Buffer.from(spanId(), 'hex'),
          attributes: [
            attribute('nan', { doubleValue: Number.NaN }),
            attribute('large', { intValue: '-9223372036854775808' }),
          ],
        }),
      ]),
    );
    const body = gzipSync(TraceRequest().encode(message).finish());
    const answer = await post(body, { ...proto, 'content-encoding': 'gzip' });
    expect([answer.status, answer.headers['content-type'], answer.text]).toEqual([
      200,
      'application/x-protobuf',
      '',
    ]);
    const [found] = await events('otlp:binary');
    expect(found!.labels).toMatchObject({
      otel: { attributes: { nan: 'NaN', large: '-9223372036854775808' } },
    });
  });

  test('time 0 becomes the time of receipt, and says so', async () => {
    await post(request('timeless', [span({ startTimeUnixNano: '0', endTimeUnixNano: '0' })]));
    const [found] = await events('otlp:timeless');
    expect(String(found!.ts).slice(0, 10)).toBe(String(found!.received_at).slice(0, 10));
    expect(found!.labels).toMatchObject({ otel: { time_missing: true } });
  });
});

describe('refusals', () => {
  test('in protobuf: google.rpc.Status', async () => {
    const answer = await new Promise<{ status: number; type: string; body: Buffer }>((resolve, reject) => {
      fetch(`${tm.url}/v1/traces`, { method: 'POST', headers: proto, body: Buffer.from([0xff, 0xff]) })
        .then(async got =>
          resolve({
            status: got.status,
            type: got.headers.get('content-type') ?? '',
            body: Buffer.from(await got.arrayBuffer()),
          }),
        )
        .catch(reject);
    });
    expect([answer.status, answer.type]).toEqual([400, 'application/x-protobuf']);
    expect(RpcStatus().decode(answer.body)).toMatchObject({
      code: 3,
      message: expect.stringContaining('otlp_invalid'),
    });
  });

  test('in JSON: truncated, wrong types', async () => {
    const before = await tm.size();
    const truncated = await post('{"resourceSpans":[', json);
    expect(truncated.status).toBe(400);
    expect(truncated.json).toMatchObject({ code: 3, message: expect.stringContaining('json_invalid') });
    const wrong = await post({ resourceSpans: [{ scopeSpans: { spans: [] } }] });
    expect(wrong.json).toMatchObject({ message: expect.stringContaining('/resourceSpans/0/scopeSpans') });
    expect(await tm.size()).toBe(before);
  });

  test('other content types, foreign origins and sites, over-large bodies', async () => {
    expect((await post('a=b', { 'content-type': 'application/x-www-form-urlencoded' })).status).toBe(415);
    expect((await post('{}', { 'content-type': 'text/plain' })).status).toBe(415);
    expect((await post('{}', { ...json, origin: 'http://evil.example' })).status).toBe(403);
    expect((await post('{}', { ...json, 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    expect(
      (await post(gzipSync(Buffer.alloc(20 * 1024 * 1024, 32)), { ...json, 'content-encoding': 'gzip' }))
        .status,
    ).toBe(413);
  });

  test('a key that is wrong is not taken for none', async () => {
    const before = await tm.size();
    const answer = await post(request('x', [span()]), bearer(`tm1.0000000000000000.${'A'.repeat(43)}`));
    expect([answer.status, (answer.json as { code: number }).code]).toEqual([401, 16]);
    expect(await tm.size()).toBe(before);
  });

  test('bad spans are counted in partial success, the others are recorded', async () => {
    const long = 's'.repeat(201);
    const answer = await post({
      resourceSpans: [
        ...request('partial', [span(), span({ spanId: 'abc' }), span({ traceId: '0'.repeat(32) })])
          .resourceSpans,
        ...request(long, [span()]).resourceSpans,
      ],
    });
    expect(answer.status).toBe(200);
    expect(answer.json).toMatchObject({
      partialSuccess: { rejectedSpans: 3, errorMessage: expect.stringContaining('200 bytes') },
    });
    expect(await events('otlp:partial')).toHaveLength(1);
  });

  test('a retry is a duplicate; the same span with other content is refused alone', async () => {
    const first = span();
    await post(request('again', [first]));
    const before = await tm.size();
    expect((await post(request('again', [first]))).text).toBe('{}');
    expect(await tm.size()).toBe(before);
    const mixed = await post(request('again', [{ ...first, name: 'changed' }, span()]));
    expect(mixed.json).toMatchObject({ partialSuccess: { rejectedSpans: 1 } });
    expect(await events('otlp:again')).toHaveLength(2);
  });

  test('a setting turns OTLP without a key off', async () => {
    const page = await tm.signIn();
    await tm.ask('/api/settings', { body: { otlp_unkeyed: false }, headers: page });
    const refused = await post(request('off', [span()]));
    expect([refused.status, (refused.json as { message: string }).message]).toEqual([
      401,
      expect.stringContaining('otlp_unkeyed_off'),
    ]);
    await tm.ask('/api/settings', { body: { otlp_unkeyed: true }, headers: page });
    expect((await post(request('off', [span()]))).status).toBe(200);
  });
});

test('a missing service name, and a name over 256 bytes kept whole', async () => {
  const name = 'é'.repeat(200);
  await post({ resourceSpans: [{ scopeSpans: [{ spans: [span({ name })] }] }] });
  const [found] = await events('otlp:unknown_service');
  expect(Buffer.byteLength(String(found!.name))).toBeLessThanOrEqual(256);
  expect(found!.labels).toMatchObject({ otel: { name } });
});

test('OTLP without a key never enters a keyed app, whatever its service is called', async () => {
  const before = await events('bot');
  await post(request('bot', [span()]));
  expect(await events('bot')).toHaveLength(before.length);
  expect(await events('otlp:bot')).toHaveLength(1);
});

test('equal log records of one request are two events; the request again is none', async () => {
  const record = { timeUnixNano: '1764000000000000001', body: { stringValue: 'tick' } };
  const body = {
    resourceLogs: [
      {
        resource: { attributes: [text('service.name', 'logs')] },
        scopeLogs: [{ logRecords: [record, record] }],
      },
    ],
  };
  expect((await tm.ask('/v1/logs', { body })).status).toBe(200);
  expect(await events('otlp:logs')).toHaveLength(2);
  const bytes = LogsRequest().encode(LogsRequest().fromObject(body)).finish();
  expect((await tm.ask('/v1/logs', { body: bytes, headers: proto })).status).toBe(200);
  expect(await events('otlp:logs')).toHaveLength(2);
});

describe('other conventions', () => {
  const sent = async (service: string, attributes: object[], more: object = {}) => {
    expect((await post(request(service, [span({ attributes, ...more })]))).text).toBe('{}');
    return (await events(`otlp:${service}`))[0]!;
  };

  test('older GenAI names', async () => {
    const found = await sent('older', [
      text('gen_ai.system', 'anthropic'),
      text('gen_ai.request.model', 'claude'),
      text('gen_ai.prompt', '[{"role":"user","content":"hi"}]'),
      text('gen_ai.completion', '[{"role":"assistant","content":"hello"}]'),
      attribute('gen_ai.usage.prompt_tokens', { intValue: 3 }),
      attribute('gen_ai.usage.completion_tokens', { intValue: 4 }),
    ]);
    expect(found).toMatchObject({
      event_type: 'llm.chat',
      model: { name: 'claude', provider: 'anthropic', usage: { total_tokens: 7 } },
      input: { prompt: [{ role: 'user', content: 'hi' }] },
      output: { completion: [{ role: 'assistant', content: 'hello' }] },
    });
  });

  test('OpenLLMetry: flattened prompts, workflow names', async () => {
    const found = await sent('openllmetry', [
      text('traceloop.span.kind', 'tool'),
      text('traceloop.entity.name', 'search'),
      text('traceloop.entity.input', '{"q":"x"}'),
      text('traceloop.entity.output', '{"hits":2}'),
    ]);
    expect(found).toMatchObject({
      event_type: 'tool.call',
      tools_invoked: [{ name: 'search', args: { q: 'x' }, result: { hits: 2 } }],
    });
    const chat = await sent('openllmetry-chat', [
      text('llm.request.type', 'chat'),
      text('gen_ai.prompt.0.role', 'user'),
      text('gen_ai.prompt.0.content', 'hi'),
      text('gen_ai.completion.0.role', 'assistant'),
      text('gen_ai.completion.0.content', 'hello'),
    ]);
    expect(chat).toMatchObject({
      event_type: 'llm.chat',
      input: { messages: [{ role: 'user', content: 'hi' }] },
      output: { messages: [{ role: 'assistant', content: 'hello' }] },
    });
    expect(chat.labels).not.toMatchObject({ otel: { attributes: expect.anything() } });
  });

  test('OpenInference', async () => {
    const found = await sent('openinference', [
      text('openinference.span.kind', 'LLM'),
      text('session.id', 'chat-5'),
      text('llm.model_name', 'gpt-9'),
      text('llm.provider', 'openai'),
      text('llm.invocation_parameters', '{"temperature":0}'),
      text('llm.input_messages.0.message.role', 'user'),
      text('llm.input_messages.0.message.content', 'hi'),
      text('input.value', 'hi'),
      text('output.value', 'hello'),
      attribute('llm.token_count.prompt', { intValue: 10 }),
      attribute('llm.token_count.completion', { intValue: 2 }),
    ]);
    expect(found).toMatchObject({
      event_type: 'llm.chat',
      session_id: 'chat-5',
      model: { name: 'gpt-9', provider: 'openai', params: { temperature: 0 }, usage: { total_tokens: 12 } },
      input: { messages: [{ role: 'user', content: 'hi' }], value: 'hi' },
      output: { value: 'hello' },
    });
    const documents = await sent('openinference-retriever', [
      text('openinference.span.kind', 'RETRIEVER'),
      text('retrieval.documents.0.document.id', 'd1'),
      text('retrieval.documents.0.document.content', 'text'),
    ]);
    expect(documents).toMatchObject({
      event_type: 'retrieval',
      retrieval: { documents: [{ id: 'd1', content: 'text' }] },
    });
  });

  test('evaluations as span events', async () => {
    const found = await sent('evals', [], {
      events: [
        {
          name: 'gen_ai.evaluation.result',
          timeUnixNano: '1764000000000000001',
          attributes: [
            text('gen_ai.evaluation.name', 'relevance'),
            attribute('gen_ai.evaluation.score.value', { doubleValue: 0.9 }),
          ],
        },
      ],
    });
    expect(found).toMatchObject({ evals: [{ name: 'relevance', score: 0.9 }] });
  });
});

test('the quota of unkeyed OTLP ends in 429 and comes back with time', () => {
  let now = 0;
  const limits = { eventsPerSecond: 10, eventsBurst: 20, bytesPerSecond: 1000, bytesBurst: 1000, apps: 2 };
  const quota = new UnkeyedQuota({ now: () => now }, limits);
  quota.take(20, 100);
  expect(() => quota.take(1, 1)).toThrow(expect.objectContaining({ code: 'busy', retryAfter: 1 }));
  now = 1000;
  quota.take(10, 900);
  expect(() => quota.take(0, 500)).toThrow(expect.objectContaining({ code: 'busy' }));
  expect([
    quota.admits('otlp:a'),
    quota.admits('otlp:b'),
    quota.admits('otlp:c'),
    quota.admits('otlp:a'),
  ]).toEqual([true, true, false, true]);
});

test('an empty export is answered as one', async () => {
  const answer = await post(TraceRequest().encode({}).finish(), proto);
  expect(answer.status).toBe(200);
  expect(TraceResponse().decode(Buffer.from(answer.text))).toEqual(TraceResponse().create({}));
});
