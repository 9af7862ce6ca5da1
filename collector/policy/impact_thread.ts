/**
 * One thread of an impact job: reads recorded decisions by itself, makes their inputs again, evaluates the tried policy, and
 * answers counts. Rules: impact_start.ts loads it, at the lowest priority; before each evaluation it notes in shared memory which
 * one it begins, so that the job can end a thread that does not come back (impact_job.ts). Messages: in `{chunk: seqs}` or
 * `{given: [...]}`, out `{ready}`, `{refused}` or `{done: ...}`; `{plan}` answers `{seqs, last}`, in parts.
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { PolicyWord, UnfaithfulReason } from '../../core/api/policy_views.ts';
import { openReadable } from '../ledger/database.ts';
import { appText, CUT_ROOM, type Cut, cutInput } from './cut.ts';
import {
  type ImpactChunk,
  type ImpactMessage,
  type ImpactPlan,
  type ImpactRequest,
  type ImpactThreadData,
  WORDS,
} from './impact_thread_types.ts';
import { loadOpa, type MakeInput, type OpaInstance } from './opa_instance.ts';
import { readAnswer } from './outcome.ts';
import { rebuild, recordedWord } from './rebuild.ts';

const CACHE_KIB = 16 * 1024;

const port = parentPort;
if (port === null) throw new Error('impact_thread is a worker thread');
const { database, reads, shared, ...parts } = workerData as ImpactThreadData & {
  database: { file: string; key: Uint8Array };
};
const at = new Int32Array(shared);

const db = openReadable(database.file, database.key, CACHE_KIB);
const appId = db.prepare<[number], string>('SELECT app_id FROM app WHERE app = ?').pluck();
type App = { id: string; text: ReturnType<typeof appText> };
/** Met so far: one may be newer than this thread. */
const apps = new Map<number, App>();

function appOf(app: number): App {
  const known = apps.get(app);
  if (known !== undefined) return known;
  const id = appId.get(app)!;
  const met = { id, text: appText(id) };
  apps.set(app, met);
  return met;
}

/** seq, app, run, body */
type Row = [seq: number, app: number, run: number, body: string | null];
const one = db.prepare<[number], Row>('SELECT seq, app, run, body FROM record WHERE seq = ?').raw();
const between = db
  .prepare<[number, number], Row>(
    'SELECT seq, app, run, body FROM record WHERE seq BETWEEN ? AND ? ORDER BY seq DESC',
  )
  .raw();
/** Rows read at once, and how many in between are read for nothing, at most, by each that is wanted. */
const READ = 128;
const DENSE = 2;

const answer = (message: ImpactMessage, transfer: ArrayBuffer[] = []): void =>
  port.postMessage(message, transfer);

let policy: OpaInstance | undefined;
try {
  policy = loadOpa(parts);
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

/** Seqs of the first part of a plan, and of the largest: each is twice the one before, for others wait for the first. */
const FIRST_PART = 512;
const LARGEST_PART = 64 * 1024;

/** Answers what is planned, newest first; the index alone is looked at. */
function plan({ app, fromUs, toUs, last }: ImpactPlan): void {
  const part = db
    .prepare<[Record<string, number | string | null>], number>(
      `SELECT seq FROM decision INDEXED BY decision_seq WHERE seq >= $from AND seq < $below AND ($app IS NULL OR app_id = $app)
       ORDER BY seq DESC LIMIT $most`,
    )
    .pluck();
  const from = fromUs === null ? 0 : seqFrom(fromUs);
  let below = toUs === null ? Number.MAX_SAFE_INTEGER : seqFrom(toUs + 1);
  let size = FIRST_PART;
  for (let left = last; ; size = Math.min(2 * size, LARGEST_PART)) {
    const most = Math.min(size, left);
    const seqs = Float64Array.from(part.all({ from, below, app, most }));
    left -= seqs.length;
    const ends = seqs.length < most || left === 0;
    below = seqs.at(-1) ?? from;
    answer({ seqs, last: ends }, [seqs.buffer]);
    if (ends) return;
  }
}

/** Rows of seqs that fall, in their order. */
function rowsOf(seqs: Float64Array): (Row | undefined)[] {
  const [newest, oldest] = [seqs[0]!, seqs.at(-1)!];
  if (newest - oldest + 1 > seqs.length * DENSE) return Array.from(seqs, seq => one.get(seq));
  const all = between.all(oldest, newest);
  if (all.length === seqs.length) return all;
  const bySeq = new Map(all.map(row => [row[0], row]));
  return Array.from(seqs, seq => bySeq.get(seq));
}

/** Words by what the module wrote: most decisions of a policy read alike. */
const words = new Map<string, PolicyWord>();
const MOST_WORDS = 1000;
const LONGEST_KEPT = 2000;

function wordIn(answered: string): PolicyWord {
  const known = words.get(answered);
  if (known !== undefined) return known;
  const read = readAnswer(JSON.parse(answered));
  const word = typeof read === 'string' ? 'failed' : read.result;
  if (words.size >= MOST_WORDS) words.clear();
  if (answered.length <= LONGEST_KEPT) words.set(answered, word);
  return word;
}

/** Notes which evaluation it begins. Undefined where nothing was evaluated. */
function noted<T>(n: number, evaluate: (what: T) => string | undefined, what: T): PolicyWord | undefined {
  Atomics.store(at, 0, n + 1);
  try {
    const answered = evaluate(what);
    return answered === undefined ? undefined : wordIn(answered);
  } catch {
    policy = undefined;
    return 'failed';
  } finally {
    Atomics.store(at, 0, 0);
  }
}

class Counted {
  readonly #seq: Float64Array<ArrayBuffer>;
  readonly #run: Float64Array<ArrayBuffer>;
  readonly #from: Uint8Array<ArrayBuffer>;
  readonly #to: Uint8Array<ArrayBuffer>;
  #count = 0;
  readonly skipped: ImpactChunk['skipped'] = {};
  readonly blobs: ImpactChunk['blobs'] = [];

  constructor(most: number) {
    this.#seq = new Float64Array(most);
    this.#run = new Float64Array(most);
    this.#from = new Uint8Array(most);
    this.#to = new Uint8Array(most);
  }
  add(seq: number, run: number, from: PolicyWord, to: PolicyWord): void {
    const n = this.#count++;
    this.#seq[n] = seq;
    this.#run[n] = run;
    this.#from[n] = WORDS.indexOf(from);
    this.#to[n] = WORDS.indexOf(to);
  }
  skip(reason: UnfaithfulReason): void {
    this.skipped[reason] = (this.skipped[reason] ?? 0) + 1;
  }
  send(): void {
    const { skipped, blobs } = this;
    const seq = this.#seq.slice(0, this.#count);
    const run = this.#run.slice(0, this.#count);
    const from = this.#from.slice(0, this.#count);
    const to = this.#to.slice(0, this.#count);
    answer({ done: { seq, run, from, to, skipped, blobs } }, [
      seq.buffer,
      run.buffer,
      from.buffer,
      to.buffer,
    ]);
  }
}

// One after the other, a million times: nothing is made anew for each.
const found: Cut = { word: 0 };
let app = appText('');
const make: MakeInput = (memory, from, end, to) => cutInput(memory, from, end, to, app, reads, found);
const evaluateBody = (body: string): string | undefined =>
  policy?.evaluateFrom(body, app.length + CUT_ROOM, make);

/** Decides one again, and leaves its recorded word in `found`; undefined where it is for rebuild.ts to say what it is. */
function cutAndDecide([, appNumber, , body]: Row, n: number): PolicyWord | undefined {
  if (body === null) return undefined;
  app = appOf(appNumber).text;
  return noted(n, evaluateBody, body);
}

port.on('message', (request: ImpactRequest) => {
  if ('plan' in request) return plan(request.plan);
  const decide = (n: number, input: string): PolicyWord => {
    policy ??= loadOpa(parts);
    const loaded = policy;
    return noted(n, loaded.evaluate, input)!;
  };
  if ('given' in request) {
    const counted = new Counted(request.given.length);
    for (const [n, { seq, run, from, input }] of request.given.entries())
      counted.add(seq, run, from, decide(n, JSON.stringify(input)));
    return counted.send();
  }
  const { chunk } = request;
  const counted = new Counted(chunk.length);
  let rows: (Row | undefined)[] = [];
  for (let n = 0; n < chunk.length; n++) {
    if (n % READ === 0) rows = rowsOf(chunk.subarray(n, n + READ));
    const row = rows[n % READ];
    if (row === undefined) {
      counted.skip('erased');
      continue;
    }
    policy ??= loadOpa(parts);
    const [seq, appNumber, run, body] = row;
    const word = cutAndDecide(row, n);
    if (word !== undefined) {
      counted.add(seq, run, WORDS[found.word]!, word);
      continue;
    }
    const made = rebuild(body, appOf(appNumber).id, reads);
    if ('missing' in made) {
      counted.skip(made.missing);
      continue;
    }
    const from = recordedWord(made.body!)!;
    if ('blobs' in made) counted.blobs.push({ seq, run, from });
    else counted.add(seq, run, from, decide(n, JSON.stringify(made.input)));
  }
  counted.send();
});
