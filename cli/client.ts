/**
 * Calls a running collector over its 0700 socket, by the operation table. The same user's CLI needs no key there.
 * Answers are what the table says; problems come back as the TrailmixError they were.
 */
import type { IncomingMessage } from 'node:http';
import { type ErrorCode, isErrorCode, TrailmixError } from '../core/api/errors.ts';
import { type InputOf, type OperationName, type OutputOf, operations } from '../core/api/operations.ts';

export type Call<N extends OperationName> = {
  params?: Record<string, string | number>;
  query?: Record<string, string | number | undefined>;
  input?: InputOf<N>;
  /** A person's session (cli/person_sign_in.ts): the call is that person's, not the socket's. */
  session?: string;
  /** Default: default. */
  tenant?: string;
};

type Row = { method: string; path: string };

function pathOf(name: OperationName, call: Call<OperationName>): string {
  const row: Row = operations[name];
  const path = row.path.replaceAll(/:([a-z0-9_]+)/g, (_, key: string) =>
    encodeURIComponent(String(call.params?.[key] ?? '')),
  );
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(call.query ?? {}))
    if (value !== undefined) query.set(key, String(value));
  return query.size === 0 ? path : `${path}?${query}`;
}

/** The raw answer, for downloads. Throws collector_unavailable, or what the collector answered. */
export async function openCall<N extends OperationName>(
  socket: string,
  name: N,
  call: Call<N> = {},
): Promise<IncomingMessage> {
  const row: Row = operations[name];
  const body = call.input === undefined ? undefined : JSON.stringify(call.input);
  const { request } = await import('node:http'); // Not at the start: see collector/http/server.ts.
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const sent = request(
      {
        socketPath: socket,
        method: row.method,
        path: pathOf(name, call as Call<OperationName>),
        headers: {
          ...(call.tenant === undefined ? {} : { 'x-trailmix-tenant': call.tenant }),
          ...(call.session === undefined ? {} : { authorization: `Bearer ${call.session}` }),
          ...(body === undefined
            ? {}
            : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
        },
      },
      resolve,
    );
    sent.on('error', () => reject(new TrailmixError('collector_unavailable', { where: socket })));
    sent.end(body);
  });
  if ((answer.statusCode ?? 500) < 400) return answer;
  throw problemOf(await textOfAnswer(answer));
}

export async function call<N extends OperationName>(
  socket: string,
  name: N,
  options: Call<N> = {},
): Promise<OutputOf<N>> {
  const answer = await openCall(socket, name, options);
  return JSON.parse(await textOfAnswer(answer)) as OutputOf<N>;
}

async function textOfAnswer(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function problemOf(text: string): TrailmixError {
  try {
    const document = JSON.parse(text) as { code?: string; detail?: string; where?: string; errors?: never };
    const code: ErrorCode =
      document.code !== undefined && isErrorCode(document.code) ? document.code : 'internal';
    return new TrailmixError(code, {
      ...(document.detail === undefined ? {} : { message: document.detail }),
      ...(document.where === undefined ? {} : { where: document.where }),
      ...(document.errors === undefined ? {} : { errors: document.errors }),
    });
  } catch {
    return new TrailmixError('internal');
  }
}
