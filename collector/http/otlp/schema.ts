/**
 * The part of opentelemetry-proto that OTLP/HTTP traces and logs need, as a protobufjs descriptor.
 * Source: github.com/open-telemetry/opentelemetry-proto v1.8, opentelemetry/proto/{common,resource,trace,logs}/v1 and
 * collector/{trace,logs}/v1; google/rpc/status.proto. Field numbers are the contract; unknown fields are skipped.
 */
import { createRequire } from 'node:module';
import type protobuf from 'protobufjs';

type Field = { id: number; type: string; rule?: 'repeated' };
type Fields = Record<string, Field>;
const one = (id: number, type: string): Field => ({ id, type });
const many = (id: number, type: string): Field => ({ id, type, rule: 'repeated' });
const message = (fields: Fields, oneofs?: Record<string, { oneof: string[] }>) => ({
  fields,
  ...(oneofs === undefined ? {} : { oneofs }),
});

const values: Fields = {
  stringValue: one(1, 'string'),
  boolValue: one(2, 'bool'),
  intValue: one(3, 'int64'),
  doubleValue: one(4, 'double'),
  arrayValue: one(5, 'ArrayValue'),
  kvlistValue: one(6, 'KeyValueList'),
  bytesValue: one(7, 'bytes'),
};

const descriptor = {
  nested: {
    AnyValue: message(values, { value: { oneof: Object.keys(values) } }),
    ArrayValue: message({ values: many(1, 'AnyValue') }),
    KeyValueList: message({ values: many(1, 'KeyValue') }),
    KeyValue: message({ key: one(1, 'string'), value: one(2, 'AnyValue') }),
    InstrumentationScope: message({
      name: one(1, 'string'),
      version: one(2, 'string'),
      attributes: many(3, 'KeyValue'),
    }),
    Resource: message({ attributes: many(1, 'KeyValue') }),

    ExportTraceServiceRequest: message({ resourceSpans: many(1, 'ResourceSpans') }),
    ResourceSpans: message({
      resource: one(1, 'Resource'),
      scopeSpans: many(2, 'ScopeSpans'),
      schemaUrl: one(3, 'string'),
    }),
    ScopeSpans: message({
      scope: one(1, 'InstrumentationScope'),
      spans: many(2, 'Span'),
      schemaUrl: one(3, 'string'),
    }),
    Span: message({
      traceId: one(1, 'bytes'),
      spanId: one(2, 'bytes'),
      traceState: one(3, 'string'),
      parentSpanId: one(4, 'bytes'),
      name: one(5, 'string'),
      kind: one(6, 'int32'),
      startTimeUnixNano: one(7, 'fixed64'),
      endTimeUnixNano: one(8, 'fixed64'),
      attributes: many(9, 'KeyValue'),
      droppedAttributesCount: one(10, 'uint32'),
      events: many(11, 'SpanEvent'),
      droppedEventsCount: one(12, 'uint32'),
      links: many(13, 'SpanLink'),
      droppedLinksCount: one(14, 'uint32'),
      status: one(15, 'SpanStatus'),
      flags: one(16, 'fixed32'),
    }),
    SpanEvent: message({
      timeUnixNano: one(1, 'fixed64'),
      name: one(2, 'string'),
      attributes: many(3, 'KeyValue'),
      droppedAttributesCount: one(4, 'uint32'),
    }),
    SpanLink: message({
      traceId: one(1, 'bytes'),
      spanId: one(2, 'bytes'),
      traceState: one(3, 'string'),
      attributes: many(4, 'KeyValue'),
      droppedAttributesCount: one(5, 'uint32'),
      flags: one(6, 'fixed32'),
    }),
    SpanStatus: message({ message: one(2, 'string'), code: one(3, 'int32') }),

    ExportLogsServiceRequest: message({ resourceLogs: many(1, 'ResourceLogs') }),
    ResourceLogs: message({
      resource: one(1, 'Resource'),
      scopeLogs: many(2, 'ScopeLogs'),
      schemaUrl: one(3, 'string'),
    }),
    ScopeLogs: message({
      scope: one(1, 'InstrumentationScope'),
      logRecords: many(2, 'LogRecord'),
      schemaUrl: one(3, 'string'),
    }),
    LogRecord: message({
      timeUnixNano: one(1, 'fixed64'),
      severityNumber: one(2, 'int32'),
      severityText: one(3, 'string'),
      body: one(5, 'AnyValue'),
      attributes: many(6, 'KeyValue'),
      droppedAttributesCount: one(7, 'uint32'),
      flags: one(8, 'fixed32'),
      traceId: one(9, 'bytes'),
      spanId: one(10, 'bytes'),
      observedTimeUnixNano: one(11, 'fixed64'),
      eventName: one(12, 'string'),
    }),

    ExportTraceServiceResponse: message({ partialSuccess: one(1, 'TracePartialSuccess') }),
    TracePartialSuccess: message({ rejectedSpans: one(1, 'int64'), errorMessage: one(2, 'string') }),
    ExportLogsServiceResponse: message({ partialSuccess: one(1, 'LogsPartialSuccess') }),
    LogsPartialSuccess: message({ rejectedLogRecords: one(1, 'int64'), errorMessage: one(2, 'string') }),
    RpcStatus: message({ code: one(1, 'int32'), message: one(2, 'string') }),
  },
};

let root: protobuf.Root | undefined;
/** protobufjs is loaded by the first message that needs it: most collectors never see one. */
const type = (name: keyof (typeof descriptor)['nested']) => (): protobuf.Type => {
  root ??= (createRequire(import.meta.url)('protobufjs') as typeof protobuf).Root.fromJSON(descriptor);
  return root.lookupType(name);
};

export const TraceRequest = type('ExportTraceServiceRequest');
export const LogsRequest = type('ExportLogsServiceRequest');
export const TraceResponse = type('ExportTraceServiceResponse');
export const LogsResponse = type('ExportLogsServiceResponse');
export const RpcStatus = type('RpcStatus');
