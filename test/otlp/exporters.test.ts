/** The real OpenTelemetry SDK and exporters at their default settings, against the real collector. */
import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { SeverityNumber } from '@opentelemetry/api-logs';
import { OTLPLogExporter as JsonLogs } from '@opentelemetry/exporter-logs-otlp-http';
import { OTLPLogExporter as ProtoLogs } from '@opentelemetry/exporter-logs-otlp-proto';
import { OTLPTraceExporter as JsonTraces } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtoTraces } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs';
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bearer, startTestCollector, type TestCollector } from '../http/collector.ts';

let tm: TestCollector;
beforeAll(async () => {
  tm = await startTestCollector();
}, 60_000);
afterAll(() => tm?.stop());

type Found = Record<string, unknown> & { event_id: string; labels: { otel: Record<string, never> } };
const events = async (app: string): Promise<Found[]> => {
  const answer = await tm.ask(`/api/events?app=${encodeURIComponent(app)}&limit=100`, {
    socket: tm.collector.socket,
  });
  return (answer.json as { items: Found[] }).items;
};

/** One agent turn: a model call and a tool call within it, with current GenAI attributes. */
function turn(provider: NodeTracerProvider): void {
  const tracer = provider.getTracer('agent', '1.2.3');
  tracer.startActiveSpan('invoke_agent travel', { kind: SpanKind.INTERNAL }, agent => {
    agent.setAttributes({
      'gen_ai.operation.name': 'invoke_agent',
      'gen_ai.agent.name': 'travel',
      'gen_ai.conversation.id': 'conv-7',
    });
    tracer.startActiveSpan('chat gpt-9', { kind: SpanKind.CLIENT }, span => {
      span.setAttributes({
        'gen_ai.operation.name': 'chat',
        'gen_ai.provider.name': 'openai',
        'gen_ai.request.model': 'gpt-9',
        'gen_ai.response.model': 'gpt-9-2026-10',
        'gen_ai.request.temperature': 0.25,
        'gen_ai.usage.input_tokens': 120,
        'gen_ai.usage.output_tokens': 30,
        'gen_ai.conversation.id': 'conv-7',
        'gen_ai.input.messages': JSON.stringify([
          { role: 'user', parts: [{ type: 'text', content: 'book it' }] },
        ]),
        'gen_ai.output.messages': JSON.stringify([
          { role: 'assistant', parts: [{ type: 'text', content: 'done' }] },
        ]),
        'gen_ai.response.finish_reasons': ['stop'],
        'http.response.status_code': 200,
        $internal: 'x',
      });
      span.addEvent('retry', { attempt: 2 });
      span.setStatus({ code: SpanStatusCode.OK });
      span.end();
    });
    tracer.startActiveSpan('execute_tool book', span => {
      span.setAttributes({
        'gen_ai.operation.name': 'execute_tool',
        'gen_ai.tool.name': 'book',
        'gen_ai.tool.call.id': 'call_1',
        'gen_ai.tool.call.arguments': '{"seat":"12A","$ref":1}',
        'gen_ai.tool.call.result': '{"ok":true}',
        'gen_ai.conversation.id': 'conv-7',
      });
      span.recordException(new Error('late'));
      span.setStatus({ code: SpanStatusCode.ERROR, message: 'late' });
      span.end();
    });
    agent.end();
  });
}

const kinds = [
  ['protobuf', ProtoTraces, ProtoLogs],
  ['json', JsonTraces, JsonLogs],
] as const;

describe.each(kinds)('%s', (kind, Traces, Logs) => {
  const service = `travel-${kind}`;

  test('traces without a key: an app of their own, unverified, in order, nothing dropped', async () => {
    const provider = new NodeTracerProvider({
      resource: resourceFromAttributes({ 'service.name': service, 'deployment.environment.name': 'test' }),
      spanProcessors: [new BatchSpanProcessor(new Traces({ url: `${tm.url}/v1/traces` }))],
    });
    provider.register();
    turn(provider);
    await provider.forceFlush();
    await provider.shutdown();
    trace.disable();

    const found = await events(`otlp:${service}`);
    expect(found).toHaveLength(3);
    const by = (type: string): Found => found.find(one => one.event_type === type)!;
    const [chat, tool, agent] = [by('llm.chat'), by('tool.call'), by('agent.run')];
    expect(chat).toMatchObject({
      app_id: `otlp:${service}`,
      session_id: 'conv-7',
      source: { via: 'otlp', auth: 'none' },
      name: 'chat gpt-9',
      status: 'ok',
      parent_id: agent.event_id,
      model: {
        name: 'gpt-9-2026-10',
        requested: 'gpt-9',
        provider: 'openai',
        params: { temperature: 0.25 },
        usage: { input_tokens: 120, output_tokens: 30, total_tokens: 150 },
      },
      input: { messages: [{ role: 'user', parts: [{ type: 'text', content: 'book it' }] }] },
      output: {
        messages: [{ role: 'assistant', parts: [{ type: 'text', content: 'done' }] }],
        finish_reasons: ['stop'],
      },
      labels: {
        'service.name': service,
        otel: {
          kind: 'client',
          attributes: { 'http.response.status_code': 200, _$internal: 'x' },
          scope: { name: 'agent', version: '1.2.3' },
          events: [{ name: 'retry', attributes: { attempt: 2 } }],
          resource: { 'deployment.environment.name': 'test' },
        },
      },
    });
    expect(chat.event_id).toMatch(/^[0-9a-f]{32}-[0-9a-f]{16}$/);
    expect(chat.ts).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/);
    expect(String(chat.ts_end) >= String(chat.ts)).toBe(true);
    expect(tool).toMatchObject({
      status: 'error',
      tools_invoked: [{ name: 'book', id: 'call_1', args: { seat: '12A', _$ref: 1 }, result: { ok: true } }],
      labels: { otel: { status_message: 'late', events: [{ name: 'exception' }] } },
    });
    expect(agent).toMatchObject({ actor_id: 'travel', session_id: 'conv-7' });
    const runs = (
      await tm.ask(`/api/traces?app=${encodeURIComponent(`otlp:${service}`)}`, {
        socket: tm.collector.socket,
      })
    ).json as { items: { unverified: boolean; tokens: number; events: number }[] };
    expect(runs.items).toEqual([expect.objectContaining({ unverified: true, tokens: 150, events: 3 })]);
  });

  test('traces with a key are the app of the key', async () => {
    const app = `keyed-${kind}`;
    const { apiKey } = await tm.key(app, ['ingest']);
    const provider = new NodeTracerProvider({
      resource: resourceFromAttributes({ 'service.name': service }),
      spanProcessors: [
        new BatchSpanProcessor(new Traces({ url: `${tm.url}/v1/traces`, headers: bearer(apiKey) })),
      ],
    });
    turn(provider);
    await provider.shutdown();
    const found = await events(app);
    expect(found).toHaveLength(3);
    expect(found[0]).toMatchObject({
      source: { via: 'otlp', auth: 'key' },
      labels: { 'service.name': service },
    });
  });

  test('logs', async () => {
    const provider = new LoggerProvider({
      resource: resourceFromAttributes({ 'service.name': `logs-${kind}` }),
      processors: [new BatchLogRecordProcessor({ exporter: new Logs({ url: `${tm.url}/v1/logs` }) })],
    });
    const logger = provider.getLogger('app');
    logger.emit({
      severityNumber: SeverityNumber.ERROR,
      severityText: 'ERROR',
      body: 'it broke',
      attributes: { code: 5 },
    });
    logger.emit({
      eventName: 'gen_ai.client.inference.operation.details',
      attributes: {
        'gen_ai.operation.name': 'chat',
        'gen_ai.request.model': 'gpt-9',
        'gen_ai.conversation.id': 'conv-8',
      },
    });
    await provider.forceFlush();
    await provider.shutdown();
    const found = await events(`otlp:logs-${kind}`);
    expect(found).toHaveLength(2);
    expect(found.find(one => one.event_type === 'log')).toMatchObject({
      status: 'error',
      input: { body: 'it broke' },
      labels: { otel: { severity: 17, severity_text: 'ERROR', attributes: { code: 5 } } },
    });
    expect(found.find(one => one.event_type === 'llm.chat')).toMatchObject({
      session_id: 'conv-8',
      model: { name: 'gpt-9' },
    });
  });
});

test('unmapped attributes are counted by name', async () => {
  const overview = (await tm.ask('/api/overview', { socket: tm.collector.socket })).json as {
    unknown_attributes: { name: string; count: number }[];
    unverified_events: number;
  };
  const names = overview.unknown_attributes.map(one => one.name);
  expect(names).toEqual(expect.arrayContaining(['http.response.status_code', '_$internal', 'code']));
  expect(names.some(name => name.startsWith('gen_ai.'))).toBe(false);
  expect(overview.unverified_events).toBe(10);
});
