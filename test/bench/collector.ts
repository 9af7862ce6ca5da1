/** A real collector in a process of its own, as `trailmix start` runs it, and an HTTP client for it. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** The tree that also ships: `npm run bench` brings it up to date first. */
const cli = join(import.meta.dirname, '../../build/app/cli/main.js');

export type Answer = { status: number; body: Buffer };

/** CPU time that a process has used, in seconds; undefined where /proc is not there or it has ended. */
export function cpuOf(pid: number | undefined): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // utime and stime, in ticks of 10 ms (USER_HZ is 100 on every Linux that Node runs on).
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return undefined;
  }
}

export class BenchCollector {
  readonly url: string;
  readonly readyMs: number;
  readonly #folder: string;
  readonly #child: ChildProcess;
  readonly #agent: Agent;

  private constructor(folder: string, child: ChildProcess, url: string, readyMs: number, sockets: number) {
    this.#folder = folder;
    this.#child = child;
    this.url = url;
    this.readyMs = readyMs;
    this.#agent = new Agent({ keepAlive: true, maxSockets: sockets });
  }

  /** Starts on a new folder, or on one that an earlier collector left (`folder`). */
  static async start({
    sockets = 16,
    folder = mkdtempSync(join(tmpdir(), 'trailmix-bench-')),
  } = {}): Promise<BenchCollector> {
    const started = performance.now();
    const child = spawn(
      process.execPath,
      [
        cli,
        'start',
        '--json',
        '--no-open',
        '--port',
        '0',
        '--data',
        join(folder, 'data'),
        '--key-file',
        join(folder, 'key'),
      ],
      { stdio: ['ignore', 'pipe', 'ignore'] },
    );
    for await (const line of createInterface({ input: child.stdout! })) {
      const { url } = JSON.parse(line) as { url: string };
      return new BenchCollector(folder, child, url, performance.now() - started, sockets);
    }
    throw new Error('the collector did not start');
  }

  get folder(): string {
    return this.#folder;
  }

  createKey(app: string): string {
    const text = execFileSync(
      process.execPath,
      [
        cli,
        'keys',
        'create',
        '--app',
        app,
        '--json',
        '--scopes',
        'ingest,decide,read,export',
        '--data',
        join(this.#folder, 'data'),
      ],
      { encoding: 'utf8' },
    );
    return (JSON.parse(text) as { api_key: string }).api_key;
  }

  send(method: 'GET' | 'POST', path: string, key?: string, body?: Buffer | string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const call = request(
        this.url + path,
        {
          method,
          agent: this.#agent,
          headers: {
            ...(key ? { authorization: `Bearer ${key.split('.').slice(0, 3).join('.')}` } : {}),
            ...(body === undefined
              ? {}
              : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
          },
        },
        answer => {
          const parts: Buffer[] = [];
          answer.on('data', part => parts.push(part));
          answer.on('end', () => resolve({ status: answer.statusCode!, body: Buffer.concat(parts) }));
        },
      );
      call.on('error', reject);
      call.end(body);
    });
  }

  /** Resident memory of the collector's process in MiB; undefined where /proc is not there. */
  memoryMiB(): number | undefined {
    try {
      const status = readFileSync(`/proc/${this.#child.pid}/status`, 'utf8');
      return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
    } catch {
      return undefined;
    }
  }

  /** CPU time that the collector's process has used, in seconds; undefined where /proc is not there. */
  cpuSeconds(): number | undefined {
    return cpuOf(this.#child.pid);
  }

  async stop(keep = false): Promise<void> {
    this.#agent.destroy();
    const ended = new Promise(done => this.#child.once('exit', done));
    this.#child.kill('SIGTERM');
    await ended;
    if (!keep) rmSync(this.#folder, { recursive: true, force: true });
  }
}
