/**
 * Reading request bodies: size bounds before and after gzip, a bound on what all requests hold together, and the
 * strict JSON text of FORMATS for every JSON body.
 * Rules: a body is in memory only while its request runs; what is over a bound is refused before it is read whole.
 */
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { createGunzip, gunzip } from 'node:zlib';
import { TrailmixError } from '../../core/api/errors.ts';

/** Bytes that all requests under way may hold together. */
export const INTAKE_BYTES = 192 * 1024 * 1024;
/** Requests that may be under way together, long polls included. */
export const INTAKE_REQUESTS = 2_048;

/** What the requests under way hold. `enter` and `grow` throw busy; the answered function gives all back. */
export class Intake {
  #bytes = 0;
  #requests = 0;
  readonly #mostBytes: number;
  readonly #mostRequests: number;

  constructor(mostBytes = INTAKE_BYTES, mostRequests = INTAKE_REQUESTS) {
    this.#mostBytes = mostBytes;
    this.#mostRequests = mostRequests;
  }

  enter(): { grow: (bytes: number) => void; leave: () => void } {
    if (this.#requests >= this.#mostRequests) throw new TrailmixError('busy', { retryAfter: 1 });
    this.#requests++;
    let held = 0;
    let left = false;
    return {
      grow: bytes => {
        if (this.#bytes + bytes > this.#mostBytes) throw new TrailmixError('busy', { retryAfter: 1 });
        this.#bytes += bytes;
        held += bytes;
      },
      leave: () => {
        if (left) return;
        left = true;
        this.#requests--;
        this.#bytes -= held;
      },
    };
  }
}

const tooLarge = (limit: number): TrailmixError =>
  new TrailmixError('body_too_large', { message: `The body may hold ${limit} bytes at most` });

/** Whether the body is gzip. Throws media_type for any coding but identity and gzip. */
export function isGzip(request: IncomingMessage): boolean {
  const coding = (request.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (coding === 'identity' || coding === '') return false;
  if (coding === 'gzip' || coding === 'x-gzip') return true;
  throw new TrailmixError('media_type', {
    where: 'content-encoding',
    message: 'Only gzip and no coding at all are accepted',
  });
}

/** The essence of the content type, lowercase; '' when there is none. */
export const mediaType = (request: IncomingMessage): string =>
  (request.headers['content-type'] ?? '').split(';', 1)[0]!.trim().toLowerCase();

/** Throws media_type unless the body says it is one of these. */
export function requireMedia(request: IncomingMessage, accepted: readonly string[]): string {
  const type = mediaType(request);
  if (!accepted.includes(type)) {
    throw new TrailmixError('media_type', {
      where: 'content-type',
      message: `Send ${accepted.join(' or ')}`,
    });
  }
  return type;
}

/**
 * The whole body: as sent (`wire`, what the answer's MAC covers) and without its coding (`bytes`, at most `limit`).
 * Throws body_too_large, media_type, json_invalid (a damaged gzip), busy.
 */
export async function readBody(
  request: IncomingMessage,
  limit: number,
  grow: (bytes: number) => void,
): Promise<{ wire: Uint8Array; bytes: Uint8Array }> {
  const gzip = isGzip(request);
  const declared = Number(request.headers['content-length'] ?? 0);
  if (declared > limit) throw tooLarge(limit);
  const chunks: Uint8Array[] = [];
  let size = 0;
  await eachChunk(request, chunk => {
    size += chunk.length;
    if (size > limit) throw tooLarge(limit);
    grow(chunk.length);
    chunks.push(chunk);
  });
  const wire = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
  if (!gzip) return { wire, bytes: wire };
  const bytes = await inflate(wire, limit);
  grow(bytes.length);
  return { wire, bytes };
}

/**
 * Calls `take` for every chunk, by events: an iterator costs a short request more than its parsing. What `take` throws
 * ends it, and the rest of the body is let pass unread, so that the refusal can be answered on the connection.
 */
const eachChunk = (request: IncomingMessage, take: (chunk: Uint8Array) => void): Promise<void> =>
  new Promise((resolve, reject) => {
    const done = (): void => {
      request.off('data', onData).off('end', onEnd).off('error', onLost).off('close', onLost);
    };
    const fail = (error: unknown): void => {
      done();
      request.on('error', () => {});
      request.resume();
      reject(error);
    };
    const onData = (chunk: Uint8Array): void => {
      try {
        take(chunk);
      } catch (error) {
        fail(error);
      }
    };
    const onEnd = (): void => {
      done();
      resolve();
    };
    const onLost = (): void => fail(new TrailmixError('http_invalid', { message: 'The sender went away' }));
    if (request.destroyed) return onLost();
    request.on('data', onData).on('end', onEnd).on('error', onLost).on('close', onLost);
  });

const inflate = (wire: Uint8Array, limit: number): Promise<Uint8Array> =>
  new Promise((resolve, reject) => {
    gunzip(wire, { maxOutputLength: limit }, (error, bytes) => {
      if (error === null) return resolve(bytes);
      const code = (error as NodeJS.ErrnoException).code;
      if (code === 'ERR_BUFFER_TOO_LARGE') return reject(tooLarge(limit));
      reject(
        new TrailmixError('media_type', {
          where: 'content-encoding',
          message: 'The body says gzip and is not',
        }),
      );
    });
  });

/** Leaving the loop early must not close the connection: the refusal still has to be answered on it. */
const untouched = (request: IncomingMessage): AsyncIterable<Uint8Array> =>
  request.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>;

/** The body as a stream of decoded bytes; the reader holds it to its limit. */
export function bodyStream(request: IncomingMessage): AsyncIterable<Uint8Array> {
  if (!isGzip(request)) return untouched(request);
  const unzipped: Readable = createGunzip();
  request.on('error', error => unzipped.destroy(error));
  request.on('aborted', () => unzipped.destroy(new Error('the sender went away')));
  return request.pipe(unzipped as never) as unknown as AsyncIterable<Uint8Array>;
}
