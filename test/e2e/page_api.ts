/** The page's own client, spoken from a test: typed by the operation table, signed in by a fresh one-time link. */
import { type InputOf, type OperationName, type OutputOf, operations } from '../../core/api/operations.ts';
import type { App } from './browser.ts';

type Ask = { params?: Record<string, string>; query?: Record<string, string | number>; input?: unknown };
export type PageApi = {
  call<N extends OperationName>(name: N, ask?: Ask & { input?: InputOf<N> }): Promise<OutputOf<N>>;
};

/** Throws an Error with the problem document's code where the collector refuses. */
export async function apiOf(app: App): Promise<PageApi> {
  const { url } = app.collector;
  const token = new URL(app.collector.uiUrl()).hash.slice('#token='.length);
  const headers = { 'content-type': 'application/json', origin: url };
  const signIn = await fetch(`${url}/api/session`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ token }),
  });
  const { session } = (await signIn.json()) as { session: string };
  return {
    async call(name, ask = {}) {
      const { method, path } = operations[name];
      const place = path.replace(/:([a-z0-9_]+)/g, (_, member: string) =>
        encodeURIComponent(ask.params?.[member] ?? ''),
      );
      const query = new URLSearchParams(Object.entries(ask.query ?? {}).map(([k, v]) => [k, String(v)]));
      const answer = await fetch(`${url}${place}?${query}`, {
        method,
        headers: { ...headers, authorization: `Bearer ${session}` },
        ...(ask.input === undefined ? {} : { body: JSON.stringify(ask.input) }),
      });
      const body = await answer.json();
      if (!answer.ok) throw new Error(`${name}: ${(body as { code?: string }).code} ${answer.status}`);
      return body as never;
    },
  };
}
