/** A real collector in a temporary folder, for tests: real vault, encrypted ledger, HTTP. Not a test itself. */
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Collector, type CollectorOptions, startCollector } from '../../collector/compose.ts';
import type { Scope } from '../../core/api/views.ts';

export type Answer = {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
  json: never;
};

export type Ask = {
  method?: string;
  headers?: Record<string, string>;
  /** A value is sent as JSON with its content type; bytes and text as they are. */
  body?: unknown;
  socket?: string;
};

/** One request with exactly these headers; fetch would add its own and refuse some. */
export const ask = (url: string, { method, headers = {}, body, socket }: Ask = {}): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const raw = typeof body === 'string' || body instanceof Uint8Array;
    const bytes = body === undefined ? undefined : raw ? body : JSON.stringify(body);
    const target = new URL(url);
    const sent = request(
      {
        ...(socket === undefined
          ? { host: target.hostname.replace(/^\[|\]$/g, ''), port: target.port }
          : { socketPath: socket }),
        path: target.pathname + target.search,
        method: method ?? (body === undefined ? 'GET' : 'POST'),
        headers: {
          ...(body === undefined || raw ? {} : { 'content-type': 'application/json' }),
          ...(bytes === undefined ? {} : { 'content-length': String(Buffer.byteLength(bytes)) }),
          ...headers,
        },
      },
      answer => {
        const chunks: Buffer[] = [];
        answer.on('data', chunk => chunks.push(chunk as Buffer));
        answer.on('error', reject);
        answer.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          let json: unknown;
          try {
            json = JSON.parse(text);
          } catch {
            json = undefined;
          }
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text, json: json as never });
        });
      },
    );
    sent.on('error', reject);
    sent.end(bytes);
  });

export type TestCollector = {
  collector: Collector;
  folder: string;
  url: string;
  ask(path: string, options?: Ask): Promise<Answer>;
  /** A new API key, whole. */
  key(app: string, scopes?: Scope[]): Promise<{ id: string; apiKey: string }>;
  /** Headers of a signed-in page. */
  signIn(): Promise<Record<string, string>>;
  /** Number of records in the ledger. */
  size(): Promise<number>;
  stop(): Promise<void>;
};

export const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });

/** `open: false` leaves it in phase setup. */
export async function startTestCollector(
  options: Partial<CollectorOptions> & { open?: boolean } = {},
): Promise<TestCollector> {
  const { open = true, ...more } = options;
  const place = more.folder === undefined ? await mkdtemp(join(tmpdir(), 'tm-')) : undefined;
  const folder = more.folder ?? join(place!, 'data');
  const collector = await startCollector({ port: 0, ...more, folder });
  if (open && collector.phase() === 'setup') {
    const file = more.keyFile ?? join(folder, '..', 'keys', 'test.key');
    await collector.initialise({ kind: 'key_file', file }, 'Ada');
  }
  const { url } = collector;
  const asked = (path: string, given: Ask = {}): Promise<Answer> => ask(url + path, given);
  return {
    collector,
    folder,
    url,
    ask: asked,
    async key(app, scopes) {
      const made = await asked('/api/keys', {
        body: { app_id: app, ...(scopes === undefined ? {} : { scopes }) },
        socket: collector.socket,
      });
      if (made.status !== 201) throw new Error(made.text);
      const { id, api_key } = made.json as { id: string; api_key: string };
      return { id, apiKey: api_key };
    },
    async signIn() {
      const token = collector.uiUrl().split('#token=')[1];
      const answer = await asked('/api/session', { body: { token }, headers: { origin: url } });
      if (answer.status !== 200) throw new Error(answer.text);
      return { ...bearer((answer.json as { session: string }).session), origin: url };
    },
    async size() {
      const answer = await asked('/api/health');
      return (answer.json as { ledger: { head_seq: number } }).ledger.head_seq + 1;
    },
    async stop() {
      await collector.close();
      if (place !== undefined) await rm(place, { recursive: true, force: true });
    },
  };
}

let count = 0;
/** A small valid event with an id of its own. */
export const event = (app: string, members: Record<string, unknown> = {}): Record<string, unknown> => ({
  event_id: `ev-${process.pid}-${count++}`,
  session_id: 'run-1',
  ts: '2026-11-22T10:00:00.5Z',
  actor_type: 'agent',
  app_id: app,
  ...members,
});
