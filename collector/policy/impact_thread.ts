/**
 * One thread of an impact job: reads recorded decisions by itself, makes their inputs again, evaluates the tried policy, and
 * answers counts. Rules: it runs at the lowest priority, so that appends go first; before each evaluation it notes in shared
 * memory which one it begins, so that the job can end a thread that does not come back (impact_job.ts).
 * Messages: in `{chunk: seqs}` or `{given: [...]}`, out `{ready}`, `{refused}` or `{done: ...}`; `{plan}` answers `{seqs}`.
 */
import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import type { PolicyWord, UnfaithfulReason } from '../../core/api/policy_views.ts';
import type { JsonObject } from '../../core/proof/jcs.ts';
import { openReadable } from '../ledger/database.ts';
import {
  type ImpactChunk,
  type ImpactMessage,
  type ImpactPlan,
  type ImpactRequest,
  type ImpactThreadData,
  WORDS,
} from './impact_thread_types.ts';
import { loadOpa, type OpaInstance } from './opa_instance.ts';
import { readAnswer } from './outcome.ts';
import { rebuild, recordedWord } from './rebuild.ts';

const CACHE_KIB = 16 * 1024;

const port = parentPort;
if (port === null) throw new Error('impact_thread is a worker thread');
const { database, reads, shared, ...parts } = workerData as ImpactThreadData & {
  database: { file: string; key: Uint8Array };
};
const at = new Int32Array(shared);
try {
  // On Linux this is the thread's own priority; elsewhere it may be refused.
  setPriority(0, 19);
} catch {}

const db = openReadable(database.file, database.key, CACHE_KIB);
const apps = new Map(
  db
    .prepare<[], { app: number; app_id: string }>('SELECT app, app_id FROM app')
    .all()
    .map(({ app, app_id }) => [app, app_id]),
);
const record = db.prepare<[number], { app: number; run: number; body: string | null }>(
  `SELECT r.app AS app, r.run AS run, r.body AS body FROM record r WHERE r.seq = ?`,
);
const answer = (message: ImpactMessage, transfer: ArrayBuffer[] = []): void =>
  port.postMessage(message, transfer);

let policy: OpaInstance | undefined;
try {
  policy = await loadOpa(parts);
  answer({ ready: true });
} catch (error) {
  answer({ refused: error instanceof Error ? error.message : String(error) });
}

/** First seq whose received_us is at least `us`: it never falls with seq. */
function seqFrom(us: number): number {
  const time = db.prepare<[number], { us: number }>('SELECT received_us AS us FROM record WHERE seq = ?');
  const last = db.prepare<[], { seq: number | null }>('SELECT max(seq) AS seq FROM record').get()?.seq ?? -1;
  let low = 0;
  let high = last + 1;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if ((time.get(middle)?.us ?? 0) < us) low = middle + 1;
    else high = middle;
  }
  return low;
}

function plan({ app, fromUs, toUs, last }: ImpactPlan): Float64Array {
  const from = fromUs === null ? 0 : seqFrom(fromUs);
  const below = toUs === null ? Number.MAX_SAFE_INTEGER : seqFrom(toUs + 1);
  const rows = db
    .prepare<[Record<string, number | string | null>], number>(
      `SELECT seq FROM decision INDEXED BY decision_seq WHERE seq >= $from AND seq < $below AND ($app IS NULL OR app_id = $app)
       ORDER BY seq DESC LIMIT $last`,
    )
    .pluck()
    .all({ from, below, app, last });
  return Float64Array.from(rows);
}

/** Synchronous, for a policy that is loaded: a promise for each decision would cost a tenth of it. */
function wordFor(loaded: OpaInstance, input: JsonObject, n: number): PolicyWord {
  Atomics.store(at, 0, n + 1);
  try {
    const answered = readAnswer(loaded.evaluate(JSON.stringify(input)));
    return typeof answered === 'string' ? 'failed' : answered.result;
  } catch {
    policy = undefined;
    return 'failed';
  } finally {
    Atomics.store(at, 0, 0);
  }
}

class Counted {
  readonly #seq: number[] = [];
  readonly #run: number[] = [];
  readonly #from: number[] = [];
  readonly #to: number[] = [];
  readonly skipped: ImpactChunk['skipped'] = {};
  readonly blobs: ImpactChunk['blobs'] = [];

  add(seq: number, run: number, from: PolicyWord, to: PolicyWord): void {
    this.#seq.push(seq);
    this.#run.push(run);
    this.#from.push(WORDS.indexOf(from));
    this.#to.push(WORDS.indexOf(to));
  }
  skip(reason: UnfaithfulReason): void {
    this.skipped[reason] = (this.skipped[reason] ?? 0) + 1;
  }
  send(): void {
    const seq = Float64Array.from(this.#seq);
    const run = Float64Array.from(this.#run);
    const from = Uint8Array.from(this.#from);
    const to = Uint8Array.from(this.#to);
    const { skipped, blobs } = this;
    answer({ done: { seq, run, from, to, skipped, blobs } }, [
      seq.buffer,
      run.buffer,
      from.buffer,
      to.buffer,
    ]);
  }
}

port.on('message', async (request: ImpactRequest) => {
  if ('plan' in request) {
    const seqs = plan(request.plan);
    answer({ seqs }, [seqs.buffer as ArrayBuffer]);
    return;
  }
  const counted = new Counted();
  if ('given' in request) {
    for (const [n, { seq, run, from, input }] of request.given.entries()) {
      policy ??= await loadOpa(parts);
      counted.add(seq, run, from, wordFor(policy, input, n));
    }
    return counted.send();
  }
  for (const [n, seq] of request.chunk.entries()) {
    const row = record.get(seq);
    const made =
      row === undefined
        ? ({ missing: 'erased' } as const)
        : rebuild(row.body, apps.get(row.app) ?? '', reads);
    if ('missing' in made) {
      counted.skip(made.missing);
      continue;
    }
    const from = recordedWord(made.body!)!;
    if ('blobs' in made) counted.blobs.push({ seq, run: row!.run, from });
    else {
      policy ??= await loadOpa(parts);
      counted.add(seq, row!.run, from, wordFor(policy, made.input, n));
    }
  }
  counted.send();
});
