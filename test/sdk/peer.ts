/**
 * Whatever listens where the SDK expects the collector: it speaks the wire format and can be told to fail. With a MAC
 * key its answers are proven, as the collector's are; without, it is an impostor. It decides and stores nothing.
 */
import { createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Event } from '../../sdk/typescript/src/types.ts';
import { sha256 } from '../core/host.ts';

export type Reply =
  | { status: number; body?: unknown; headers?: Record<string, string>; proven?: boolean }
  | 'hang up'
  | 'hang';
export type Request = { method: string; url: string; headers: IncomingMessage['headers']; body: unknown };

type Streamed = Event & { stream: { id: string; n: number } };

export class Peer {
  readonly requests: Request[] = [];
  /** The last MAC given, by path. */
  readonly macs = new Map<string, string>();
  readonly #server: Server;
  readonly #mac: Uint8Array | undefined;
  /** Asked first; undefined: 201 to events, 404 to all else. */
  answer: (request: Request) => Reply | undefined = () => undefined;

  private constructor(server: Server, mac: Uint8Array | undefined) {
    this.#server = server;
    this.#mac = mac;
  }

  static async start(mac?: Uint8Array, port = 0): Promise<Peer> {
    const server = createServer();
    const peer = new Peer(server, mac);
    server.on('request', (request, response) => void peer.#serve(request, response));
    await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve));
    return peer;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Events of batches that were answered with 201, in order of arrival. */
  readonly events: Streamed[] = [];

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const bytes = Buffer.concat(chunks);
    const { method = '', url = '', headers } = request;
    const seen: Request = {
      method,
      url,
      headers,
      body: bytes.length === 0 ? undefined : JSON.parse(bytes.toString()),
    };
    this.requests.push(seen);
    const told = this.answer(seen);
    if (told === 'hang') return;
    if (told === 'hang up') return void request.socket.destroy();
    const reply = told ?? { status: url === '/api/events' ? 201 : 404 };
    if (url === '/api/events' && reply.status === 201) {
      this.events.push(...(seen.body as { events: Streamed[] }).events);
    }
    const text = JSON.stringify(reply.body ?? {});
    const mac: Record<string, string> = {};
    if (this.#mac !== undefined && reply.proven !== false) {
      // Written out from docs/spec/gate.md, "API keys", so that it does not agree with the SDK by sharing its code.
      const hashes = [sha256(bytes), sha256(Buffer.from(text))].map(hash =>
        Buffer.from(hash).toString('hex'),
      );
      const lines = [
        String(headers['x-trailmix-nonce']),
        method,
        url,
        hashes[0],
        String(reply.status),
        hashes[1],
      ];
      const message = `trailmix/answer/v1\n${lines.join('\n')}`;
      mac['x-trailmix-mac'] = createHmac('sha256', this.#mac).update(message).digest('hex');
      this.macs.set(url, mac['x-trailmix-mac']);
    }
    response.writeHead(reply.status, { 'content-type': 'application/json', ...mac, ...reply.headers });
    response.end(text);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise(resolve => this.#server.close(resolve));
  }
}
