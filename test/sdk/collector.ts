/** The real collector in a process of its own, over a temporary encrypted ledger, and a signed-in page to look into it. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Uint8ArrayReader, Uint8ArrayWriter, ZipReader } from '@zip.js/zip.js';
import type { InputOf, OutputOf } from '../../core/api/operations.ts';
import type { ApprovalView, RecordView } from '../../core/api/views.ts';

const run = promisify(execFile);
const cli = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));

/** A record whole, with the members that the tests look at. */
export type FullRecord = RecordView & {
  [member: string]: unknown;
  event_id: string;
  session_id: string;
  name: string;
  stream?: { id: string; n: number };
};

type Started = { url: string; port: number; ui_url: string };

export class Collector {
  readonly #folder: string;
  #process: ChildProcess | undefined;
  #started: Started | undefined;
  #session: string | undefined;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async start(): Promise<Collector> {
    const collector = new Collector(await mkdtemp(join(tmpdir(), 'trailmix-sdk-')));
    await collector.start(0);
    return collector;
  }

  get url(): string {
    return this.#started!.url;
  }

  get port(): number {
    return this.#started!.port;
  }

  get #where(): string[] {
    return ['--data', join(this.#folder, 'data'), '--json'];
  }

  async start(port = this.port): Promise<void> {
    const args = [cli, 'start', '--port', String(port), '--no-open', '--key-file', join(this.#folder, 'key')];
    const child = spawn(process.execPath, [...args, ...this.#where], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#process = child;
    let said = '';
    child.stderr!.on('data', chunk => {
      said = (said + String(chunk)).slice(-4_000);
    });
    const lines = createInterface({ input: child.stdout! });
    const [line] = (await Promise.race([
      once(lines, 'line'),
      once(child, 'exit').then(([code]) => {
        throw new Error(`trailmix start ended with ${code}: ${said}`);
      }),
    ])) as [string];
    this.#started = JSON.parse(line) as Started;
    const token = new URL(this.#started.ui_url).hash.replace('#token=', '');
    this.#session = (await this.#fetch<OutputOf<'exchange'>>('POST', '/api/session', { token })).session;
  }

  async #fetch<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(this.url + path, {
      method,
      headers: {
        origin: this.url,
        ...(this.#session === undefined ? {} : { authorization: `Bearer ${this.#session}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return JSON.parse(text) as T;
  }

  async createKey(app: string): Promise<string> {
    const { stdout } = await run(process.execPath, [cli, 'keys', 'create', '--app', app, ...this.#where]);
    return (JSON.parse(stdout) as OutputOf<'createKey'>).api_key;
  }

  /** Ends it as an operator would. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async #end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    this.#session = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const exit = once(child, 'exit');
    child.kill(signal);
    await exit;
  }

  async remove(): Promise<void> {
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** An evidence pack of all that the app recorded: its files. */
  async exportPack(app: string): Promise<Map<string, Uint8Array>> {
    const out = join(this.#folder, `${app}.zip`);
    const window = ['--from', '2020-01-01T00:00:00Z', '--to', '2099-12-31T23:59:59Z'];
    await run(process.execPath, [cli, 'export', '--app', app, ...window, '--out', out, ...this.#where]);
    const reader = new ZipReader(new Uint8ArrayReader(new Uint8Array(await readFile(out))));
    const files = new Map<string, Uint8Array>();
    for (const entry of await reader.getEntries()) {
      if (!entry.directory) files.set(entry.filename, await entry.getData(new Uint8ArrayWriter()));
    }
    return files;
  }

  /** The first approval that waits, once there is one. */
  async waiting(): Promise<ApprovalView> {
    for (let i = 0; i < 200; i++) {
      const { items } = await this.#fetch<OutputOf<'approvals'>>('GET', '/api/approvals?status=waiting');
      if (items[0] !== undefined) return items[0];
      await new Promise(resolve => setTimeout(resolve, 50));
    }
    throw new Error('no approval came');
  }

  answer(id: string, input: InputOf<'answerApproval'>): Promise<ApprovalView> {
    return this.#fetch('POST', `/api/approvals/${id}/answer`, input);
  }

  approval(id: string): Promise<ApprovalView> {
    return this.#fetch('GET', `/api/approvals/${id}`);
  }

  /** All records that the query finds, by seq; and the total that the collector says. */
  async records(
    query: { q?: string; app?: string; session?: string } = {},
  ): Promise<{ records: FullRecord[]; total: number }> {
    const records: FullRecord[] = [];
    let cursor: string | undefined;
    let total = 0;
    do {
      const search = new URLSearchParams({
        ...query,
        limit: '1000',
        ...(cursor === undefined ? {} : { cursor }),
      });
      const page = await this.#fetch<OutputOf<'events'>>('GET', `/api/events?${search}`);
      records.push(...(page.items as FullRecord[]));
      total = page.total;
      cursor = page.next;
    } while (cursor !== undefined);
    return { records: records.sort((a, b) => a.seq - b.seq), total };
  }
}
