/**
 * An OTLP export request as flat lists of spans or log records, whatever its encoding. Throws otlp_invalid for a
 * message that cannot be read at all; a span whose ids have the wrong length is listed with `fault`.
 */
import type { Type } from 'protobufjs';
import { TrailmixError } from '../../../core/api/errors.ts';
import { parseIJson } from '../../../core/event/ijson.ts';
import type { JsonValue } from '../../../core/proof/jcs.ts';
import { PROTOBUF } from './answer.ts';
import { LogsRequest, TraceRequest } from './schema.ts';
import {
  type Attributes,
  anyValue,
  attributesAt,
  idAt,
  integerAt,
  listAt,
  messageAt,
  textAt,
} from './values.ts';

export type Origin = {
  resource: Attributes;
  scope: { name: string; version: string; attributes: Attributes };
};

export type SpanMessage = Origin & {
  /** Why it cannot be recorded. */
  fault?: string;
  traceId: string;
  spanId: string;
  parentSpanId: string;
  traceState: string;
  name: string;
  kind: number;
  start: bigint;
  end: bigint;
  attributes: Attributes;
  events: { time: bigint; name: string; attributes: Attributes }[];
  links: { traceId: string; spanId: string; attributes: Attributes }[];
  status: { code: number; message: string };
  dropped: { attributes: number; events: number; links: number };
};

export type LogMessage = Origin & {
  fault?: string;
  traceId: string;
  spanId: string;
  time: bigint;
  observed: bigint;
  severity: number;
  severityText: string;
  eventName: string;
  body: JsonValue;
  attributes: Attributes;
};

function decode(kind: () => Type, bytes: Uint8Array, media: string): unknown {
  if (media === PROTOBUF) {
    try {
      return kind().decode(bytes);
    } catch {
      throw new TrailmixError('otlp_invalid', { message: 'The protobuf message cannot be read' });
    }
  }
  // Each level of an AnyValue takes four levels of JSON.
  return parseIJson(bytes, { maxDepth: 256, largeNumbers: 'text' });
}

/** Calls `each` for every entry of every scope of every resource. */
function walk(
  request: unknown,
  names: { resources: string; scopes: string; entries: string },
  each: (entry: unknown, origin: Origin, where: string) => void,
): void {
  listAt(messageAt(request, '')[names.resources], `/${names.resources}`).forEach((resource, r) => {
    const at = `/${names.resources}/${r}`;
    const holder = messageAt(resource, at);
    const attributes = attributesAt(
      messageAt(holder.resource, `${at}/resource`).attributes,
      `${at}/resource/attributes`,
    );
    listAt(holder[names.scopes], `${at}/${names.scopes}`).forEach((scoped, s) => {
      const inside = `${at}/${names.scopes}/${s}`;
      const group = messageAt(scoped, inside);
      const scope = messageAt(group.scope, `${inside}/scope`);
      const origin: Origin = {
        resource: attributes,
        scope: {
          name: textAt(scope.name, `${inside}/scope/name`),
          version: textAt(scope.version, `${inside}/scope/version`),
          attributes: attributesAt(scope.attributes, `${inside}/scope/attributes`),
        },
      };
      listAt(group[names.entries], `${inside}/${names.entries}`).forEach((entry, e) => {
        each(entry, origin, `${inside}/${names.entries}/${e}`);
      });
    });
  });
}

const count = (value: unknown, where: string): number => Number(integerAt(value, where));

export function readSpans(bytes: Uint8Array, media: string): SpanMessage[] {
  const found: SpanMessage[] = [];
  const names = { resources: 'resourceSpans', scopes: 'scopeSpans', entries: 'spans' };
  walk(decode(TraceRequest, bytes, media), names, (entry, origin, at) => {
    const span = messageAt(entry, at);
    const traceId = idAt(span.traceId, 16, `${at}/traceId`);
    const spanId = idAt(span.spanId, 8, `${at}/spanId`);
    const parentSpanId = idAt(span.parentSpanId, 8, `${at}/parentSpanId`);
    const status = messageAt(span.status, `${at}/status`);
    found.push({
      ...origin,
      ...(!traceId || !spanId || parentSpanId === undefined
        ? { fault: `${at}: a span needs a trace id of 16 bytes and a span id of 8` }
        : {}),
      traceId: traceId ?? '',
      spanId: spanId ?? '',
      parentSpanId: parentSpanId ?? '',
      traceState: textAt(span.traceState, `${at}/traceState`),
      name: textAt(span.name, `${at}/name`),
      kind: count(span.kind, `${at}/kind`),
      start: integerAt(span.startTimeUnixNano, `${at}/startTimeUnixNano`),
      end: integerAt(span.endTimeUnixNano, `${at}/endTimeUnixNano`),
      attributes: attributesAt(span.attributes, `${at}/attributes`),
      events: listAt(span.events, `${at}/events`).map((item, i) => {
        const where = `${at}/events/${i}`;
        const event = messageAt(item, where);
        return {
          time: integerAt(event.timeUnixNano, `${where}/timeUnixNano`),
          name: textAt(event.name, `${where}/name`),
          attributes: attributesAt(event.attributes, `${where}/attributes`),
        };
      }),
      links: listAt(span.links, `${at}/links`).map((item, i) => {
        const where = `${at}/links/${i}`;
        const link = messageAt(item, where);
        return {
          traceId: idAt(link.traceId, 16, where) ?? '',
          spanId: idAt(link.spanId, 8, where) ?? '',
          attributes: attributesAt(link.attributes, `${where}/attributes`),
        };
      }),
      status: {
        code: count(status.code, `${at}/status/code`),
        message: textAt(status.message, `${at}/status/message`),
      },
      dropped: {
        attributes: count(span.droppedAttributesCount, at),
        events: count(span.droppedEventsCount, at),
        links: count(span.droppedLinksCount, at),
      },
    });
  });
  return found;
}

export function readLogs(bytes: Uint8Array, media: string): LogMessage[] {
  const found: LogMessage[] = [];
  const names = { resources: 'resourceLogs', scopes: 'scopeLogs', entries: 'logRecords' };
  walk(decode(LogsRequest, bytes, media), names, (entry, origin, at) => {
    const log = messageAt(entry, at);
    const traceId = idAt(log.traceId, 16, `${at}/traceId`);
    const spanId = idAt(log.spanId, 8, `${at}/spanId`);
    found.push({
      ...origin,
      ...(traceId === undefined || spanId === undefined
        ? { fault: `${at}: its trace id or span id has the wrong length` }
        : {}),
      traceId: traceId ?? '',
      spanId: spanId ?? '',
      time: integerAt(log.timeUnixNano, `${at}/timeUnixNano`),
      observed: integerAt(log.observedTimeUnixNano, `${at}/observedTimeUnixNano`),
      severity: count(log.severityNumber, `${at}/severityNumber`),
      severityText: textAt(log.severityText, `${at}/severityText`),
      eventName: textAt(log.eventName, `${at}/eventName`),
      body: log.body === undefined || log.body === null ? null : anyValue(log.body, `${at}/body`),
      attributes: attributesAt(log.attributes, `${at}/attributes`),
    });
  });
  return found;
}
