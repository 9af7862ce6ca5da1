/**
 * Requests and answers between the main thread and a worker: numbered, errors rebuilt as TrailmixError, and nothing
 * waits for ever: when the worker ends, whoever waits gets `internal`.
 */
import { once } from 'node:events';
import { parentPort, Worker, type WorkerOptions } from 'node:worker_threads';
import { type ErrorCode, isErrorCode, type Problem, TrailmixError } from '../../core/api/errors.ts';

/** The file of a thread beside the caller: source in a clone, JavaScript once built. */
export const threadFile = (name: string, from: string): URL =>
  new URL(`./${name}${from.endsWith('.ts') ? '.ts' : '.js'}`, from);

/**
 * A thread that opens a database (database.ts) as it starts. One that is ended while it loads SQLite's addon takes the whole process
 * with it (Node-API aborts): so it is ended once that is done.
 */
export class DatabaseThread extends Worker {
  readonly #loaded: Promise<unknown>;

  constructor(file: URL, workerData: object, options: Omit<WorkerOptions, 'workerData'> = {}) {
    const loaded = new Int32Array(new SharedArrayBuffer(4));
    super(file, { ...options, workerData: { ...workerData, sqliteLoaded: loaded } });
    const { value } = Atomics.waitAsync(loaded, 0, 0);
    this.#loaded = Promise.race([value, once(this, 'exit').catch(() => {})]);
  }

  override async terminate(): Promise<number> {
    await this.#loaded;
    return super.terminate();
  }
}

export type Refusal = {
  code: ErrorCode;
  message: string;
  where?: string;
  retryAfter?: number;
  errors?: Problem[];
};

export function refusalOf(error: unknown): Refusal {
  if (error instanceof TrailmixError) {
    return {
      code: error.code,
      message: error.message,
      ...(error.where === undefined ? {} : { where: error.where }),
      ...(error.retryAfter === undefined ? {} : { retryAfter: error.retryAfter }),
      ...(error.errors === undefined ? {} : { errors: error.errors }),
    };
  }
  return { code: 'internal', message: error instanceof Error ? error.message : 'unknown failure' };
}

export function errorOf(refusal: Refusal): TrailmixError {
  const { code, ...detail } = refusal;
  return new TrailmixError(isErrorCode(code) ? code : 'internal', detail);
}

export type Request = { id: number; kind: string; input: unknown };
export type Reply = { id: number; output: unknown } | { id: number; refusal: Refusal } | { notice: unknown };
/** Several answers at once, after a notice that all of them may rely on. */
export type Replies = { notice?: unknown; replies: Reply[] };

/** The main thread's end of one worker. */
export class ThreadClient {
  readonly #worker: DatabaseThread;
  readonly #waiting = new Map<number, { resolve: (output: never) => void; reject: (error: Error) => void }>();
  readonly #onEnd: (error: Error) => void;
  #last = 0;
  #ended: Error | undefined;

  constructor(
    file: URL,
    workerData: object,
    onNotice: (notice: never) => void,
    onEnd: (error: Error) => void = () => {},
  ) {
    this.#onEnd = onEnd;
    this.#worker = new DatabaseThread(file, workerData);
    this.#worker.on('message', (message: Reply | Replies) => {
      if ('notice' in message) onNotice(message.notice as never);
      if ('replies' in message) for (const reply of message.replies) this.#take(reply);
      else this.#take(message);
    });
    this.#worker.on('error', error => this.#end(error));
    this.#worker.on('exit', () => this.#end(new Error('the thread ended')));
  }

  #take(reply: Reply): void {
    if ('notice' in reply) return;
    const waiter = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if ('refusal' in reply) waiter?.reject(errorOf(reply.refusal));
    else waiter?.resolve(reply.output as never);
  }

  #end(error: unknown): void {
    this.#ended ??= error instanceof Error ? error : new Error('the thread ended');
    for (const { reject } of this.#waiting.values()) {
      reject(new TrailmixError('internal', { message: `a ledger thread ended: ${this.#ended.message}` }));
    }
    this.#waiting.clear();
    this.#onEnd(this.#ended);
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  call<T>(kind: string, input: unknown, transfer: ArrayBuffer[] = []): Promise<T> {
    if (this.#ended !== undefined) {
      return Promise.reject(
        new TrailmixError('internal', { message: `a ledger thread ended: ${this.#ended.message}` }),
      );
    }
    const id = ++this.#last;
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, kind, input } satisfies Request, transfer);
    });
  }

  async terminate(): Promise<void> {
    await this.#worker.terminate();
  }
}

/** A worker's end: answers every request with what `handle` returns or throws. */
export function serve(handle: (kind: string, input: never) => unknown): void {
  const port = parentPort;
  if (port === null) throw new Error('not a worker thread');
  port.on('message', async ({ id, kind, input }: Request) => {
    try {
      const output = await handle(kind, input as never);
      port.postMessage({ id, output } satisfies Reply);
    } catch (error) {
      port.postMessage({ id, refusal: refusalOf(error) } satisfies Reply);
    }
  });
}
