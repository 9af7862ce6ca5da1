/**
 * Answers: JSON, problem documents (RFC 9457) and raw bytes, each with the same safety headers; the MAC by which a
 * collector proves to an SDK that it is the one that made its key (FORMATS, API keys).
 */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { errorTable, problemDocument, TrailmixError } from '../../core/api/errors.ts';
import { answerMac } from '../keys/api-keys.ts';

export const NONCE_HEADER = 'x-trailmix-nonce';
export const MAC_HEADER = 'x-trailmix-mac';

/** An answer that is not the JSON of the operation's output. */
export class Raw {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string | Uint8Array | AsyncIterable<Uint8Array>;
  constructor(
    body: string | Uint8Array | AsyncIterable<Uint8Array>,
    headers: Record<string, string>,
    status = 200,
  ) {
    this.body = body;
    this.headers = headers;
    this.status = status;
  }
}

/** The name a browser saves under: ASCII letters, digits, dot, dash and underscore only. */
export const attachment = (name: string): string =>
  `attachment; filename="${name.replaceAll(/[^A-Za-z0-9._-]/g, '_')}"`;

export const safetyHeaders: Record<string, string> = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'x-frame-options': 'DENY',
};

const sha256Hex = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');

export type AnswerProof = { mac: Uint8Array; nonce: string; requestBody: Uint8Array };

/** The SDK's nonce, if it sent one. Throws input_invalid when it is not 32 bytes of lowercase hex. */
export function nonceOf(request: FastifyRequest): string | undefined {
  const nonce = request.headers[NONCE_HEADER];
  if (nonce === undefined) return undefined;
  if (typeof nonce !== 'string' || !/^[0-9a-f]{64}$/.test(nonce)) {
    throw new TrailmixError('input_invalid', {
      where: NONCE_HEADER,
      message: 'A nonce has 64 hex characters',
    });
  }
  return nonce;
}

export function sendText(
  request: FastifyRequest,
  reply: FastifyReply,
  status: number,
  type: string,
  text: string,
  proof?: AnswerProof,
): FastifyReply {
  reply.code(status).headers(safetyHeaders).header('cache-control', 'no-store').header('content-type', type);
  if (proof !== undefined) {
    const mac = answerMac(proof.mac, {
      nonce: proof.nonce,
      method: request.method,
      path: request.raw.url ?? '',
      request_sha256: sha256Hex(proof.requestBody),
      status,
      response_sha256: sha256Hex(text),
    });
    reply.header(MAC_HEADER, mac);
  }
  return reply.send(text);
}

export const sendJson = (
  request: FastifyRequest,
  reply: FastifyReply,
  status: number,
  value: unknown,
  proof?: AnswerProof,
): FastifyReply =>
  sendText(request, reply, status, 'application/json; charset=utf-8', JSON.stringify(value), proof);

export function sendRaw(reply: FastifyReply, raw: Raw): FastifyReply {
  reply.code(raw.status).headers(safetyHeaders).header('cache-control', 'no-store').headers(raw.headers);
  if (typeof raw.body === 'string') return reply.send(raw.body);
  if (raw.body instanceof Uint8Array)
    return reply.send(Buffer.from(raw.body.buffer, raw.body.byteOffset, raw.body.byteLength));
  return reply.send(Readable.from(raw.body, { objectMode: false }));
}

/** Retry-After in whole seconds, for what may succeed later. */
export function retryHeaders(error: TrailmixError): Record<string, string> {
  const row = errorTable[error.code];
  const said = error.retryAfter !== undefined || [429, 503, 507].includes(row.status);
  if (row.retry !== 'later' || !said) return {};
  return { 'retry-after': String(Math.max(1, Math.ceil(error.retryAfter ?? 1))) };
}

export function sendProblem(
  request: FastifyRequest,
  reply: FastifyReply,
  error: TrailmixError,
  proof?: AnswerProof,
): FastifyReply {
  const document = problemDocument(error);
  reply.headers(retryHeaders(error));
  return sendText(
    request,
    reply,
    document.status,
    'application/problem+json; charset=utf-8',
    JSON.stringify(document),
    proof,
  );
}
