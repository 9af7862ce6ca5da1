/**
 * Rego toolchain: check, format, rewrite (v0 to v1), repair, lint, build, test with coverage, evaluate with trace and
 * print, and why a rule did not fire.
 * Rules: runs the official OPA library (policies/toolchain, built to Wasm) in a worker thread that is terminated
 * at the deadline; a policy under test sees nothing of this host; requests are served one after the other and at
 * most MAX_WAITING wait. The worker starts with the first request and is given back after `idleMs`, because it
 * holds some 100 MB. What a policy's author did wrong is answered as `{ok: false, errors}`; what went wrong with
 * the toolchain itself is thrown.
 * KNOWN GAP: the memory of one request is bounded only by wasm32 (4 GiB) and the deadline.
 */
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { TrailmixError } from '../../core/api/errors.ts';
import type {
  Coverage,
  Description,
  Diagnostic,
  Evaluation,
  Faulty,
  Finding,
  RegoFile,
  RegoTest,
  RegoText,
  RepairReport,
  RuleReport,
  TraceEvent,
} from './toolchain_answers.ts';

export type { Diagnostic, RegoFile, RegoTest } from './toolchain_answers.ts';

export type Toolchain = {
  /** Strict compile of all files together, against the schema of `input`. */
  check(files: RegoFile[]): Promise<{ ok: true } | Faulty>;
  format(files: RegoFile[]): Promise<{ ok: true; files: RegoText[] } | Faulty>;
  /** Rego v0 text as Rego v1 text. The result parses; whether it compiles is for `check` to say. */
  rewrite(files: RegoFile[]): Promise<{ ok: true; files: RegoText[] } | Faulty>;
  /**
   * What a machine can mend: Rego v0, a variable declared twice, an assignment where a test was meant; and, where a
   * file decision.rego is among them, complete decisions become reasons that it merges. Nothing is written.
   */
  repair(files: RegoFile[]): Promise<{ ok: true; files: RegoText[]; repair: RepairReport } | Faulty>;
  /**
   * Legal and suspicious (core/policy/lint_rules.ts). Runs the tests, to know which rules none of them makes fire, unless
   * `tests` is false.
   */
  lint(
    files: RegoFile[],
    options: { entrypoint: string; data?: unknown; tests?: boolean },
  ): Promise<{ ok: true; findings: Finding[] } | Faulty>;
  /** Packages and rules with their titles and descriptions, in order of files and lines. */
  describe(files: RegoFile[]): Promise<{ ok: true; described: Description[] } | Faulty>;
  /** One Wasm module for one entrypoint (`trailmix/decision`); files named `*_test.rego` are left out. */
  build(files: RegoFile[], entrypoint: string): Promise<{ ok: true; wasm: Uint8Array } | Faulty>;
  /** `ok` says that the tests ran, not that they passed. `run`: only tests whose name matches (RE2). */
  test(
    files: RegoFile[],
    options?: { data?: unknown; run?: string },
  ): Promise<{ ok: true; tests: RegoTest[]; coverage: Coverage } | Faulty>;
  /** Value of a query. `trace`: the most steps to answer, default none. */
  evaluate(
    files: RegoFile[],
    request: { query: string; input?: unknown; data?: unknown; trace?: number },
  ): Promise<Evaluation | Faulty>;
  /**
   * Each definition of `rule` (`data.trailmix.deny`), and of what it reads: whether it fired, else where it stopped
   * and on which values. Of OPA's own trace, with indexing off, so that no definition is skipped.
   */
  why(
    files: RegoFile[],
    request: { rule: string; input?: unknown; data?: unknown },
  ): Promise<{ ok: true; result?: unknown; rules: RuleReport[] } | Faulty>;
  close(): Promise<void>;
};

export type ToolchainOptions = {
  /** Folder holding opa.wasm and wasm_exec.js (resources/generated/toolchain). */
  dir: string;
  /** Text of policies/capabilities.json: the only built-in functions there are. */
  capabilities: string;
  /** JSON Schema of `input` for OPA's type checker (core/policy/input_schema.ts); without one anything goes. */
  inputSchema?: object;
  /** Milliseconds that one request may take once it runs, start of the worker not included. Default 10,000. */
  deadlineMs?: number;
  /** Milliseconds without a request after which the worker is given back. Default 60,000. */
  idleMs?: number;
};

export const MAX_WAITING = 16;
/** Milliseconds in which the worker must have started (0.3 s is usual; a loaded machine needs more). */
const START_MS = 60_000;

type Response = {
  ok: boolean;
  errors?: Diagnostic[];
  rego_v0?: string[];
  files?: RegoText[];
  wasm?: string;
  tests?: RegoTest[];
  coverage?: Coverage;
  result?: unknown;
  printed?: Evaluation['printed'];
  faults?: Diagnostic[];
  trace?: TraceEvent[];
  trace_cut?: boolean;
  rules?: RuleReport[];
  findings?: Finding[];
  repair?: RepairReport;
  described?: Description[];
};
type Message = { ready: true } | { id: number; text: string } | { crashed: string };

const TOOLCHAIN_FAULTS = new Set(['toolchain_crashed', 'bad_request', 'bad_response']);

/** Throws `toolchain_missing` where opa.wasm was not built. */
export async function createToolchain(options: ToolchainOptions): Promise<Toolchain> {
  const wasmPath = join(options.dir, 'opa.wasm');
  const runtimePath = join(options.dir, 'wasm_exec.js');
  try {
    await Promise.all([access(wasmPath), access(runtimePath)]);
  } catch {
    throw new TrailmixError('toolchain_missing');
  }
  const capabilities: unknown = JSON.parse(options.capabilities);
  // OPA's reader of schemas knows drafts up to 7; nothing that is used here has changed since.
  const { $schema: _, ...schema } = (options.inputSchema ?? {}) as Record<string, unknown>;
  const checked = options.inputSchema === undefined ? {} : { schema };
  const deadlineMs = options.deadlineMs ?? 10_000;
  const idleMs = options.idleMs ?? 60_000;

  let worker: Worker | null = null;
  let idle: NodeJS.Timeout | undefined;
  let closed = false;
  let waiting = 0;
  let last: Promise<unknown> = Promise.resolve();

  /** The next message of the worker, or the reason why there is none. */
  const next = (from: Worker, limitMs: number): Promise<Message> =>
    new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        clearTimeout(timer);
        from.off('message', onMessage);
        from.off('error', onError);
        from.off('exit', onExit);
        act();
      };
      const onMessage = (message: Message): void => settle(() => resolve(message));
      const onError = (error: unknown): void =>
        settle(() => reject(new TrailmixError('internal', { message: `toolchain: ${String(error)}` })));
      const onExit = (): void =>
        settle(() => reject(new TrailmixError('internal', { message: 'toolchain: the worker ended' })));
      const timer = setTimeout(
        () =>
          settle(() =>
            reject(new TrailmixError('toolchain_timeout', { message: `No answer within ${limitMs} ms` })),
          ),
        limitMs,
      );
      from.on('message', onMessage);
      from.on('error', onError);
      from.on('exit', onExit);
    });

  const drop = async (): Promise<void> => {
    const old = worker;
    worker = null;
    if (old === null) return;
    // A worker that dies late (out of memory, say) must not take the process with it.
    old.on('error', () => {});
    await old.terminate();
  };

  const start = async (): Promise<Worker> => {
    if (worker !== null) return worker;
    const made = new Worker(new URL('./toolchain_worker.ts', import.meta.url), {
      workerData: { wasmPath, runtimePath },
      env: {},
      execArgv: [],
      stdout: true,
      stderr: true,
    });
    made.stdout.resume();
    made.stderr.resume();
    worker = made;
    const first = await next(made, START_MS);
    if (!('ready' in first)) throw new TrailmixError('internal', { message: 'toolchain: it did not start' });
    return made;
  };

  const serve = async (request: Record<string, unknown>): Promise<Response> => {
    clearTimeout(idle);
    if (closed) throw new TrailmixError('toolchain_missing', { message: 'The toolchain is closed' });
    try {
      const running = await start();
      running.postMessage({ id: 0, text: JSON.stringify({ ...checked, ...request, capabilities }) });
      const message = await next(running, deadlineMs);
      if (!('text' in message)) {
        const why = 'crashed' in message ? message.crashed : 'out of turn';
        throw new TrailmixError('internal', { message: `toolchain: ${why}` });
      }
      const response = JSON.parse(message.text) as Response;
      const fault = response.errors?.find(error => TOOLCHAIN_FAULTS.has(error.code));
      if (fault !== undefined)
        throw new TrailmixError('internal', { message: `toolchain: ${fault.message}` });
      return response;
    } catch (error) {
      await drop();
      throw error;
    } finally {
      idle = setTimeout(() => void drop(), idleMs);
      idle.unref();
    }
  };

  /** One after the other: the Go side serves one request at a time, and a deadline belongs to one request. */
  const ask = (request: Record<string, unknown>): Promise<Response> => {
    if (waiting >= MAX_WAITING) return Promise.reject(new TrailmixError('busy', { retryAfter: 1 }));
    waiting += 1;
    const mine = last
      .then(() => serve(request))
      .finally(() => {
        waiting -= 1;
      });
    last = mine.catch(() => {});
    return mine;
  };

  const faulty = ({ errors = [], rego_v0 }: Response): Faulty => ({
    ok: false,
    errors,
    ...(rego_v0 === undefined ? {} : { rego_v0 }),
  });
  const rewritten = async (op: 'fmt' | 'rewrite', files: RegoFile[]) => {
    const response = await ask({ op, files });
    return response.ok ? { ok: true as const, files: response.files ?? [] } : faulty(response);
  };
  const resultOf = ({ result }: Response): { result?: unknown } => (result === undefined ? {} : { result });

  return {
    async check(files) {
      const response = await ask({ op: 'check', files });
      return response.ok ? { ok: true } : faulty(response);
    },
    format: files => rewritten('fmt', files),
    rewrite: files => rewritten('rewrite', files),
    async repair(files) {
      const response = await ask({ op: 'repair', files });
      if (!response.ok || response.repair === undefined) return faulty(response);
      return { ok: true, files: response.files ?? [], repair: response.repair };
    },
    async lint(files, request) {
      const { tests = true, ...rest } = request;
      const response = await ask({ op: 'lint', files, ...rest, skip_tests: !tests });
      return response.ok ? { ok: true, findings: response.findings ?? [] } : faulty(response);
    },
    async describe(files) {
      const response = await ask({ op: 'describe', files });
      return response.ok ? { ok: true, described: response.described ?? [] } : faulty(response);
    },
    async build(files, entrypoint) {
      const response = await ask({ op: 'build', files, entrypoint });
      if (!response.ok || response.wasm === undefined) return faulty(response);
      return { ok: true, wasm: new Uint8Array(Buffer.from(response.wasm, 'base64')) };
    },
    async test(files, { data, run } = {}) {
      const response = await ask({ op: 'test', files, data, run });
      if (!response.ok || response.coverage === undefined) return faulty(response);
      return { ok: true, tests: response.tests ?? [], coverage: response.coverage };
    },
    async evaluate(files, request) {
      const response = await ask({ op: 'eval', files, ...request });
      if (!response.ok) return faulty(response);
      const { printed = [], faults = [], trace = [], trace_cut = false } = response;
      return { ok: true, ...resultOf(response), printed, faults, trace, trace_cut };
    },
    async why(files, request) {
      const response = await ask({ op: 'why', files, ...request });
      if (!response.ok) return faulty(response);
      return { ok: true, ...resultOf(response), rules: response.rules ?? [] };
    },
    async close() {
      closed = true;
      clearTimeout(idle);
      await drop();
    },
  };
}
