/**
 * OTLP spans and log records as events (FORMATS, Event; docs/otel.md). Rules: nothing that was sent is dropped: what
 * has no member of its own stays under `labels.otel`, and is counted by name; the same span sent again gives the same
 * event, so a retry is a duplicate and not a conflict.
 */
import { createHash } from 'node:crypto';
import { utf8Length } from '../../../core/proof/bytes.ts';
import type { JsonObject, JsonValue } from '../../../core/proof/jcs.ts';
import { jcs } from '../../../core/proof/jcs.ts';
import { compact, mapAttributes, Taker } from './conventions.ts';
import type { LogMessage, Origin, SpanMessage } from './message.ts';
import { type Attributes, plain, plainKey, timeOf, unpacked } from './values.ts';

/** An event as a producer would send it, and the attributes that no member of it stands for. */
export type OtlpEvent = { event: JsonObject; unknown: Record<string, number> };
/** Why a span or log record is not recorded. */
export type OtlpFault = { fault: string };

export type MappingOptions = {
  /** The key's app; absent for OTLP without a key, which gets `otlp:<service.name>`. */
  appId?: string;
  /** Stands in where the sender gave no time: RFC 3339 with a Z. */
  now: string;
};

const ID_BYTES = 256;
export const SERVICE_BYTES = 200;
const SPAN_KINDS = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'];
/** Distinct names that one event reports as unknown; a bound, because names come from outside. */
const MOST_UNKNOWN = 64;

/** At most 256 UTF-8 bytes, whole characters; the full text stays in labels. */
export function clip(text: string, most = ID_BYTES): string {
  if (utf8Length(text) <= most) return text;
  let out = '';
  let bytes = 0;
  for (const character of text) {
    bytes += utf8Length(character);
    if (bytes > most) break;
    out += character;
  }
  return out;
}

/** An id that fits: as it is, or its hash. */
const fitId = (text: string): string =>
  utf8Length(text) <= ID_BYTES ? text : `sha256:${createHash('sha256').update(text).digest('hex')}`;

const object = (attributes: Iterable<[string, JsonValue]>): JsonObject | undefined => {
  const entries = [...attributes].map(([name, value]): [string, JsonValue] => [plainKey(name), plain(value)]);
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
};

const nonzero = (value: number): number | undefined => (value === 0 ? undefined : value);
const nonempty = (value: string): string | undefined => (value === '' ? undefined : value);

/** The name of the sending service. A fault when it cannot be part of an app's name. */
function serviceOf(resource: Attributes): string | OtlpFault {
  const name = resource.get('service.name');
  const text = typeof name === 'string' && name !== '' ? name : 'unknown_service';
  if (utf8Length(text) > SERVICE_BYTES) return { fault: `service.name is over ${SERVICE_BYTES} bytes` };
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(text)) return { fault: 'service.name holds a control character' };
  return text;
}

function scopeOf(origin: Origin): JsonObject | undefined {
  return compact({
    name: nonempty(origin.scope.name),
    version: nonempty(origin.scope.version),
    attributes: object(origin.scope.attributes),
  });
}

function counted(names: Iterable<string>): Record<string, number> {
  const found: Record<string, number> = {};
  let size = 0;
  for (const name of names) {
    const key = plainKey(clip(name));
    if (!Object.hasOwn(found, key) && ++size > MOST_UNKNOWN) break;
    Object.defineProperty(found, key, {
      value: (found[key] ?? 0) + 1,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return found;
}

/** gen_ai.evaluation.result, as span event or log record (GenAI conventions, events). */
function evaluation(attributes: Attributes): JsonObject | undefined {
  const score = attributes.get('gen_ai.evaluation.score.value');
  const name = attributes.get('gen_ai.evaluation.name');
  if (typeof score !== 'number' || typeof name !== 'string') return undefined;
  const details = compact({
    label: attributes.get('gen_ai.evaluation.score.label'),
    explanation: attributes.get('gen_ai.evaluation.explanation'),
  });
  return { name, score, ...(details === undefined ? {} : { details }) };
}

/** Messages that older instrumentations put into span events (gen_ai.content.prompt, gen_ai.user.message...). */
const isMessageEvent = (name: string): 'input' | 'output' | undefined => {
  if (name === 'gen_ai.content.prompt' || /^gen_ai\.(system|user|assistant|tool)\.message$/.test(name))
    return 'input';
  if (name === 'gen_ai.content.completion' || name === 'gen_ai.choice') return 'output';
  return undefined;
};

function withMessages(member: JsonValue | undefined, messages: JsonValue[]): JsonValue | undefined {
  if (messages.length === 0) return member;
  const found = (member ?? {}) as JsonObject;
  return found.messages === undefined ? { ...found, messages } : { ...found, event_messages: messages };
}

export function spanEvent(span: SpanMessage, options: MappingOptions): OtlpEvent | OtlpFault {
  if (span.fault !== undefined) return { fault: span.fault };
  const service = serviceOf(span.resource);
  if (typeof service !== 'string') return service;
  const take = new Taker(span.attributes);
  const mapped = mapAttributes(take, span.name);
  const rest = take.rest();
  const ts = timeOf(span.start);
  const tsEnd = timeOf(span.end);

  const evals: JsonObject[] = [];
  const inputs: JsonValue[] = [];
  const outputs: JsonValue[] = [];
  const others: JsonValue[] = [];
  for (const event of span.events) {
    const evaluated = event.name === 'gen_ai.evaluation.result' ? evaluation(event.attributes) : undefined;
    if (evaluated !== undefined) evals.push(evaluated);
    const side = isMessageEvent(event.name);
    const attributes = Object.fromEntries(
      [...event.attributes].map(([name, value]): [string, JsonValue] => [plainKey(name), unpacked(value)]),
    );
    if (side !== undefined) (side === 'input' ? inputs : outputs).push({ event: event.name, ...attributes });
    else {
      others.push(
        compact({ name: event.name, time: timeOf(event.time), attributes: object(event.attributes) }) ?? {},
      );
    }
  }

  const otel = compact({
    attributes: object(rest),
    resource: object(span.resource),
    scope: scopeOf(span),
    kind: nonempty(SPAN_KINDS[span.kind] ?? String(span.kind)),
    name: utf8Length(span.name) > ID_BYTES ? span.name : undefined,
    trace_state: nonempty(span.traceState),
    status_message: nonempty(span.status.message),
    events: others.length === 0 ? undefined : others,
    links:
      span.links.length === 0
        ? undefined
        : span.links.map(
            link =>
              compact({
                trace_id: link.traceId,
                span_id: link.spanId,
                attributes: object(link.attributes),
              }) ?? {},
          ),
    dropped: compact({
      attributes: nonzero(span.dropped.attributes),
      events: nonzero(span.dropped.events),
      links: nonzero(span.dropped.links),
    }),
    user: mapped.user,
    time_missing: ts === undefined ? true : undefined,
  });

  const tool = mapped.members.tools_invoked;
  const latency = span.end > span.start && span.start > 0n ? Number(span.end - span.start) / 1e6 : undefined;
  const event = compact({
    event_id: `${span.traceId}-${span.spanId}`,
    parent_id: span.parentSpanId === '' ? undefined : `${span.traceId}-${span.parentSpanId}`,
    session_id: fitId(mapped.conversation ?? span.traceId),
    trace_id: span.traceId,
    ts: ts ?? options.now,
    ts_end: tsEnd,
    event_type: mapped.eventType ?? 'span',
    actor_type: 'agent',
    actor_id: fitId(mapped.agent ?? service),
    app_id: options.appId ?? `otlp:${service}`,
    name: nonempty(clip(span.name)),
    status: span.status.code === 2 ? 'error' : span.status.code === 1 ? 'ok' : undefined,
    model: mapped.members.model,
    retrieval: mapped.members.retrieval,
    input: withMessages(mapped.members.input, inputs),
    output: withMessages(mapped.members.output, outputs),
    tools_invoked:
      Array.isArray(tool) && latency !== undefined
        ? tool.map(one => ({ ...(one as JsonObject), latency_ms: latency }))
        : tool,
    evals: evals.length === 0 ? undefined : evals,
    labels: { 'service.name': service, ...(otel === undefined ? {} : { otel }) },
  });
  return { event: event ?? {}, unknown: counted(rest.map(([name]) => name)) };
}

const logTypes: Record<string, string> = {
  'gen_ai.client.inference.operation.details': 'llm.chat',
  'gen_ai.evaluation.result': 'eval',
  'gen_ai.choice': 'llm.message',
  'gen_ai.system.message': 'llm.message',
  'gen_ai.user.message': 'llm.message',
  'gen_ai.assistant.message': 'llm.message',
  'gen_ai.tool.message': 'llm.message',
};

/**
 * A log record. It has no id of its own: the id is made of its content, and `ordinal` tells equal records of one
 * request apart.
 */
export function logEvent(
  log: LogMessage,
  ordinal: (id: string) => number,
  options: MappingOptions,
): OtlpEvent | OtlpFault {
  if (log.fault !== undefined) return { fault: log.fault };
  const service = serviceOf(log.resource);
  if (typeof service !== 'string') return service;
  const take = new Taker(log.attributes);
  // Before EventName had a field, events carried their name in an attribute.
  const eventName = log.eventName === '' ? (take.text('event.name') ?? '') : log.eventName;
  const mapped = mapAttributes(take, eventName);
  const rest = take.rest();
  const time = timeOf(log.time) ?? timeOf(log.observed);
  const evaluated = eventName === 'gen_ai.evaluation.result' ? evaluation(log.attributes) : undefined;
  const body = log.body === null ? undefined : unpacked(log.body);

  const otel = compact({
    attributes: object(rest),
    resource: object(log.resource),
    scope: scopeOf(log),
    severity: nonzero(log.severity),
    severity_text: nonempty(log.severityText),
    event_name: nonempty(eventName),
    observed: timeOf(log.observed),
    user: mapped.user,
    time_missing: time === undefined ? true : undefined,
  });
  const output = isMessageEvent(eventName) === 'output';
  const event = {
    ...compact({
      parent_id: log.traceId !== '' && log.spanId !== '' ? `${log.traceId}-${log.spanId}` : undefined,
      session_id: fitId(mapped.conversation ?? (log.traceId === '' ? `logs:${service}` : log.traceId)),
      trace_id: nonempty(log.traceId),
      event_type: logTypes[eventName] ?? mapped.eventType ?? 'log',
      actor_type: 'agent',
      actor_id: fitId(mapped.agent ?? service),
      app_id: options.appId ?? `otlp:${service}`,
      name: clip(eventName === '' ? log.severityText || 'log' : eventName),
      status: log.severity >= 17 ? 'error' : undefined,
      model: mapped.members.model,
      retrieval: mapped.members.retrieval,
      input:
        output || body === undefined
          ? mapped.members.input
          : { ...((mapped.members.input ?? {}) as JsonObject), body },
      output:
        output && body !== undefined
          ? { ...((mapped.members.output ?? {}) as JsonObject), body }
          : mapped.members.output,
      tools_invoked: mapped.members.tools_invoked,
      evals: evaluated === undefined ? undefined : [evaluated],
      labels: { 'service.name': service, ...(otel === undefined ? {} : { otel }) },
    }),
  };
  const hash = createHash('sha256')
    .update(jcs({ ...event, time: time ?? null }))
    .digest('hex')
    .slice(0, 32);
  const base = log.traceId === '' ? `log-${hash}` : `${log.traceId}-log-${hash}`;
  const again = ordinal(base);
  return {
    event: { ...event, event_id: again === 0 ? base : `${base}-${again}`, ts: time ?? options.now },
    unknown: counted(rest.map(([name]) => name)),
  };
}
