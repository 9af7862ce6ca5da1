/** Runs the real `trailmix` command in a process of its own. Not a test itself. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MAIN = join(import.meta.dirname, '..', '..', 'cli', 'main.ts');

export type Ran = { code: number | null; out: string; err: string; json: never };

const environment = (more: Record<string, string>): NodeJS.ProcessEnv => {
  const { TRAILMIX_DATA: _data, TRAILMIX_PASSPHRASE: _phrase, ...rest } = process.env;
  return { ...rest, ...more };
};

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** Runs a command to its end. */
export const trailmix = (words: string[], env: Record<string, string> = {}, input = ''): Promise<Ran> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [MAIN, ...words], { env: environment(env) });
    let out = '';
    let err = '';
    child.stdout.on('data', chunk => {
      out += chunk;
    });
    child.stderr.on('data', chunk => {
      err += chunk;
    });
    child.on('error', reject);
    child.on('close', code => resolve({ code, out, err, json: parsed(out) as never }));
    child.stdin.end(input);
  });

export type Started = {
  child: ChildProcess;
  ready: { url: string; port: number; ui_url: string; data: string; custody: string; pid: number };
  err: () => string;
  /** Sends the signal and answers the exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
};

/** `trailmix start --json --no-open`, once it is ready. */
export const startApp = (words: string[], env: Record<string, string> = {}): Promise<Started> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [MAIN, 'start', '--no-open', '--json', '--port', '0', ...words], {
      env: environment(env),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let out = '';
    let err = '';
    const closed = new Promise<number | null>(done => child.on('close', done));
    child.stderr.on('data', chunk => {
      err += chunk;
    });
    child.stdout.on('data', chunk => {
      out += chunk;
      const ready = parsed(out) as Started['ready'] | undefined;
      if (ready?.url === undefined) return;
      resolve({
        child,
        ready,
        err: () => err,
        stop(signal = 'SIGTERM') {
          child.kill(signal);
          return closed;
        },
      });
    });
    child.on('error', reject);
    void closed.then(code => reject(new Error(`start ended with ${code}: ${out}${err}`)));
  });

export type Place = { folder: string; data: string; keyFile: string; remove(): Promise<void> };

export async function temporaryPlace(): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), 'tm-cli-'));
  return {
    folder,
    data: join(folder, 'data'),
    keyFile: join(folder, 'keys', 'main.key'),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
