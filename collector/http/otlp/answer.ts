/**
 * OTLP/HTTP answers: Export*Response with partial success, and google.rpc.Status for errors, each in the encoding of
 * the request. Source: opentelemetry.io/docs/specs/otlp, "OTLP/HTTP Response".
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Type } from 'protobufjs';
import { errorTable, type TrailmixError } from '../../../core/api/errors.ts';
import { Raw, retryHeaders, safetyHeaders } from '../answer.ts';
import { mediaType } from '../body.ts';
import { LogsResponse, RpcStatus, TraceResponse } from './schema.ts';

export const PROTOBUF = 'application/x-protobuf';
export const JSON_TYPE = 'application/json';
export const OTLP_MEDIA = [PROTOBUF, JSON_TYPE] as const;

/** gRPC status codes by HTTP status (google/rpc/code.proto). */
const rpcCodes: Record<number, number> = {
  400: 3,
  401: 16,
  403: 7,
  404: 5,
  409: 6,
  413: 3,
  415: 3,
  421: 3,
  422: 3,
  429: 8,
  500: 13,
  503: 14,
};

/** Exporters retry 429, 502, 503 and 504 only: what may succeed later must be one of them. */
const otlpStatus = (status: number): number => (status === 507 ? 503 : status);

export function sendOtlpError(
  request: FastifyRequest,
  reply: FastifyReply,
  error: TrailmixError,
): FastifyReply {
  const row = errorTable[error.code];
  const status = otlpStatus(row.status);
  const value = { code: rpcCodes[status] ?? 2, message: `${error.code}: ${error.message}. ${row.next}` };
  reply.code(status).headers(safetyHeaders).headers(retryHeaders(error)).header('cache-control', 'no-store');
  if (mediaType(request.raw) === PROTOBUF) {
    return reply.header('content-type', PROTOBUF).send(Buffer.from(RpcStatus().encode(value).finish()));
  }
  return reply.header('content-type', JSON_TYPE).send(JSON.stringify(value));
}

export type Rejected = { count: number; message: string };

function answer(kind: () => Type, member: string, media: string, rejected: Rejected): Raw {
  const partial =
    rejected.count === 0 && rejected.message === ''
      ? {}
      : { partialSuccess: { [member]: rejected.count, errorMessage: rejected.message } };
  if (media === PROTOBUF) return new Raw(kind().encode(partial).finish(), { 'content-type': PROTOBUF });
  return new Raw(JSON.stringify(partial), { 'content-type': JSON_TYPE });
}

export const tracesAnswer = (media: string, rejected: Rejected): Raw =>
  answer(TraceResponse, 'rejectedSpans', media, rejected);
export const logsAnswer = (media: string, rejected: Rejected): Raw =>
  answer(LogsResponse, 'rejectedLogRecords', media, rejected);
