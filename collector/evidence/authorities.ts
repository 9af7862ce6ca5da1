/**
 * Asks time-stamping authorities over the network: only those that were configured, one after another, until one answers
 * well. Rules: bounded time and size, no redirects, nothing but a digest and a nonce is sent.
 */
import { TrailmixError } from '../../core/api/errors.ts';
import { REPLY_LIMIT, type Reply, readReply } from './timestamp.ts';

const PATIENCE = 15_000;

/** Throws with what went wrong, for a person. */
async function ask(url: string, request: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/timestamp-query', accept: 'application/timestamp-reply' },
    body: Buffer.from(request),
    redirect: 'error',
    signal,
  });
  if (!answer.ok || answer.body === null) {
    await answer.body?.cancel();
    throw new Error(`it answered ${answer.status}`);
  }
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of answer.body) {
    size += part.length;
    if (size > REPLY_LIMIT) throw new Error(`its answer is larger than ${REPLY_LIMIT} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/** What came of one authority. `sentAt` and `answeredAt` are readings of the given clock, around the reply. */
export type Asked = {
  url: string;
  sentAt: number;
  answeredAt: number;
  reply?: Reply;
  fault?: string;
};

/**
 * The first good reply. `roots`: PEM; with them only a reply that leads to one of them is good. `onAsked` hears of each that was
 * asked. Throws timestamp_unavailable with what each authority did.
 */
export async function askAuthorities(
  urls: readonly string[],
  request: Uint8Array,
  {
    roots,
    signal,
    now = () => 0,
    onAsked = () => {},
  }: {
    roots?: string;
    signal?: AbortSignal;
    /** Milliseconds since 1970. */
    now?: () => number;
    onAsked?: (asked: Asked) => void;
  } = {},
): Promise<{ url: string; bytes: Uint8Array; reply: Reply }> {
  if (urls.length === 0) {
    throw new TrailmixError('timestamp_unavailable', {
      message:
        'No time-stamping authority is configured: name one with `timestamp authorities`, or go by file',
    });
  }
  const faults: string[] = [];
  for (const url of urls) {
    signal?.throwIfAborted();
    const timeout = AbortSignal.timeout(PATIENCE);
    const sentAt = now();
    try {
      const bytes = await ask(
        url,
        request,
        signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
      );
      const answeredAt = now();
      const reply = await readReply(bytes, request, roots);
      if (reply.trusted === false) throw new Error(`it is not trusted (${reply.untrusted})`);
      onAsked({ url, sentAt, answeredAt, reply });
      return { url, bytes, reply };
    } catch (error) {
      const { message, cause } = error as Error;
      const fault = (cause as Error | undefined)?.message ?? message;
      onAsked({ url, sentAt, answeredAt: now(), fault });
      faults.push(`${url}: ${fault}`);
    }
  }
  throw new TrailmixError('timestamp_unavailable', { message: faults.join('; ').slice(0, 2000) });
}
