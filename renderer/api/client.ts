/**
 * The page's client, derived from the operation table: `call('trace', { params: { id } })` is typed by its row.
 * Rules: same origin only; the session token goes in a header; every refusal is thrown as a `Failure`.
 */
import {
  type InputOf,
  type OperationName,
  type Operations,
  type OutputOf,
  operations,
  type ParamsOf,
  type QueryOf,
} from '../../core/api/operations.ts';
import { isPresent } from './presence.ts';
import { failureOf, unreachable } from './problem.ts';
import { session } from './session.ts';

type Part<K extends string, T> = T extends undefined
  ? { [P in K]?: undefined }
  : Record<never, never> extends T
    ? { [P in K]?: T }
    : { [P in K]: T };

/** What one operation takes. Members that its row does not have are refused by the compiler. */
export type Ask<N extends OperationName> = Part<'params', ParamsOf<N>> &
  Part<'query', QueryOf<N>> &
  Part<'input', InputOf<N>>;

type Optional<N extends OperationName> = Record<never, never> extends Ask<N> ? [ask?: Ask<N>] : [ask: Ask<N>];
export type AskArguments<N extends OperationName> = Optional<N>;

type Loose = {
  params?: Record<string, unknown> | undefined;
  query?: Record<string, unknown> | undefined;
  input?: unknown;
};

/** Path and query of a call: path members are escaped, absent query members left out. */
export function addressOf(name: OperationName, ask: Loose = {}): string {
  const path = operations[name].path.replace(/:([a-z0-9_]+)/g, (_, member: string) =>
    encodeURIComponent(String(ask.params?.[member])),
  );
  const query = new URLSearchParams();
  for (const [member, value] of Object.entries(ask.query ?? {})) {
    if (value !== undefined && value !== '') query.set(member, String(value));
  }
  const text = query.toString();
  return text === '' ? path : `${path}?${text}`;
}

/** One call as a Response that is known to be ok. For downloads, and with a `raw` body for uploads; everything else uses `call`. */
export async function send<N extends OperationName>(
  name: N,
  ask: Ask<N>,
  options: { signal?: AbortSignal | undefined; accept?: string; raw?: Blob } = {},
): Promise<Response> {
  const loose = ask as Loose;
  const token = session.token();
  const headers: Record<string, string> = { accept: options.accept ?? 'application/json' };
  if (token !== undefined) headers.authorization = `Bearer ${token}`;
  if (isPresent()) headers['x-trailmix-active'] = '1';
  const { raw } = options;
  if (raw !== undefined) headers['content-type'] = 'application/octet-stream';
  else if (loose.input !== undefined) headers['content-type'] = 'application/json';
  let answer: Response;
  try {
    answer = await fetch(addressOf(name, loose), {
      method: operations[name].method,
      headers,
      ...(raw !== undefined
        ? { body: raw }
        : loose.input === undefined
          ? {}
          : { body: JSON.stringify(loose.input) }),
      ...(options.signal ? { signal: options.signal } : {}),
    });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw unreachable();
  }
  if (answer.ok) return answer;
  const after = Number(answer.headers.get('retry-after') ?? Number.NaN);
  const failure = failureOf(
    answer.status,
    await answer.json().catch(() => undefined),
    Number.isFinite(after) ? after : undefined,
  );
  if (failure.code === 'session_invalid') session.end(token);
  // The opener of a one-time link, in a ledger where people sign in by name.
  if (failure.code === 'sign_in_needed' && session.person() === undefined) session.end(token, 'by_name');
  throw failure;
}

/** One call and its JSON answer. */
export async function call<N extends OperationName>(
  name: N,
  ask: Ask<N>,
  signal?: AbortSignal,
): Promise<OutputOf<N>> {
  const answer = await send(name, ask, { signal });
  return (await answer.json()) as OutputOf<N>;
}

export type { Operations };
