/**
 * Requests to the collector, each with a fresh nonce, and the proof that it was the collector who answered
 * (docs/spec/gate.md, "API keys"). Rules: only `tm1.<id>.<auth>` is ever sent; `request` answers what the collector
 * said, or throws `Unreachable`; an answer without a right MAC is no answer. No redirect is followed. Uses node:http
 * itself, so that a patched global fetch, a proxy setting or a mock cannot come between.
 */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import * as http from 'node:http';
import * as https from 'node:https';
import { answerMessage } from '../../../core/proof/binding.ts';
import type { CancelSignal } from './types.ts';

/** No answer of ours comes near it. */
const MAX_ANSWER = 4 * 1024 * 1024;
const NONCE = 'x-trailmix-nonce';
const MAC = 'x-trailmix-mac';

export type ApiKey = { readonly id: string; readonly sent: string; readonly mac: Uint8Array | undefined };

/** Undefined when the text is not an API key. A key without its last part can record, but prove nothing. */
export function parseApiKey(text: string): ApiKey | undefined {
  const parts = /^tm1\.([A-Za-z0-9_-]{1,64})\.([A-Za-z0-9_-]{1,256})(?:\.([A-Za-z0-9_-]{1,256}))?$/.exec(
    text,
  );
  if (parts === null) return undefined;
  const [, id, auth, mac] = parts as unknown as [string, string, string, string | undefined];
  return {
    id,
    sent: `tm1.${id}.${auth}`,
    mac: mac === undefined ? undefined : Buffer.from(mac, 'base64url'),
  };
}

export type Answer = {
  status: number;
  /** The MAC was there and right. */
  proven: boolean;
  /** Seconds, where the answer says so. */
  retryAfter: number | undefined;
  body: unknown;
};

/** Nobody answered, or not in time, or not in a form that can be read. Its message holds no payload. */
export class Unreachable extends Error {
  override name = 'Unreachable';
}

export type Ask = {
  method: 'GET' | 'POST';
  path: string;
  body?: string;
  timeoutMs: number;
  signal?: CancelSignal | undefined;
  /** Never asked a second time, not even when the connection broke. */
  once?: boolean;
};

export class Transport {
  readonly #base: URL;
  readonly #key: ApiKey;
  readonly #agent: http.Agent;
  readonly #http: typeof http | typeof https;

  constructor(endpoint: URL, key: ApiKey) {
    this.#base = endpoint;
    this.#key = key;
    this.#http = endpoint.protocol === 'https:' ? https : http;
    this.#agent = new this.#http.Agent({ keepAlive: true, maxFreeSockets: 4 });
  }

  /** Throws Unreachable, or the signal's reason. */
  async request(ask: Ask): Promise<Answer> {
    for (let attempt = 0; ; attempt++) {
      const reused = { value: false };
      try {
        return await this.#once(ask, reused);
      } catch (error) {
        // The collector closed an idle connection in the moment it was used again.
        if (reused.value && attempt === 0 && ask.once !== true && error instanceof Unreachable) continue;
        throw error;
      }
    }
  }

  /** Breaks off what is under way. Later requests connect anew. */
  close(): void {
    this.#agent.destroy();
  }

  #once(ask: Ask, reused: { value: boolean }): Promise<Answer> {
    const { method, path, timeoutMs, signal } = ask;
    const body = ask.body === undefined ? undefined : Buffer.from(ask.body);
    const nonce = randomBytes(32).toString('hex');
    if (signal?.aborted === true) return Promise.reject(signal.reason);
    return new Promise<Answer>((resolve, reject) => {
      const request = this.#http.request({
        protocol: this.#base.protocol,
        hostname: this.#base.hostname.replace(/^\[|\]$/g, ''),
        port: this.#base.port,
        method,
        path,
        agent: this.#agent,
        headers: {
          authorization: `Bearer ${this.#key.sent}`,
          accept: 'application/json',
          [NONCE]: nonce,
          ...(body === undefined
            ? {}
            : { 'content-type': 'application/json', 'content-length': body.length }),
        },
      });
      const onAbort = (): void => stop(signal?.reason ?? new Error('aborted'));
      const timer = setTimeout(() => stop(new Unreachable(`no answer within ${timeoutMs} ms`)), timeoutMs);
      const settle = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
      };
      const stop = (reason: unknown): void => {
        settle();
        reject(reason);
        request.destroy();
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      request.on('error', (error: NodeJS.ErrnoException) => {
        reused.value = request.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
        stop(new Unreachable(error.code ?? error.name));
      });
      request.on('response', response => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size > MAX_ANSWER) return stop(new Unreachable('the answer is too long'));
          chunks.push(chunk);
        });
        response.on('error', () => stop(new Unreachable('the answer broke off')));
        response.on('close', () => {
          if (!response.complete) stop(new Unreachable('the answer broke off'));
        });
        response.on('end', () => {
          settle();
          const bytes = Buffer.concat(chunks);
          const status = response.statusCode ?? 0;
          const given = response.headers[MAC];
          const proven =
            typeof given === 'string' && this.#isProof(given, { nonce, method, path, body, status, bytes });
          resolve({
            status,
            proven,
            retryAfter: seconds(response.headers['retry-after']),
            body: parsed(bytes),
          });
        });
      });
      request.end(body);
    });
  }

  #isProof(
    given: string,
    of: {
      nonce: string;
      method: string;
      path: string;
      body: Buffer | undefined;
      status: number;
      bytes: Buffer;
    },
  ): boolean {
    if (this.#key.mac === undefined || !/^[0-9a-f]{64}$/.test(given)) return false;
    const message = answerMessage({
      nonce: of.nonce,
      method: of.method,
      path: of.path,
      request_sha256: sha256(of.body ?? Buffer.alloc(0)),
      status: of.status,
      response_sha256: sha256(of.bytes),
    });
    const right = createHmac('sha256', this.#key.mac).update(message).digest();
    return timingSafeEqual(right, Buffer.from(given, 'hex'));
  }
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

const seconds = (header: string | undefined): number | undefined => {
  const value = Number(header);
  return header !== undefined && Number.isFinite(value) && value >= 0 ? value : undefined;
};

const parsed = (bytes: Buffer): unknown => {
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
};

/** The members of a problem document (RFC 9457) that the SDK reads. */
export type Problem = {
  code: string;
  detail: string;
  next: string;
  errors: { code: string; where: string }[];
};

export function problemOf(answer: Answer): Problem {
  const { code, detail, title, next, errors, where } = (answer.body ?? {}) as Record<string, unknown>;
  const list = (Array.isArray(errors) ? errors : typeof where === 'string' ? [{ code, where }] : []) as {
    code?: unknown;
    where?: unknown;
  }[];
  return {
    code: typeof code === 'string' ? code : `http_${answer.status}`,
    detail:
      typeof detail === 'string' ? detail : typeof title === 'string' ? title : `status ${answer.status}`,
    next: typeof next === 'string' ? next : 'See what listens on this address.',
    errors: list.map(({ code: each, where: place }) => ({ code: String(each), where: String(place ?? '') })),
  };
}
