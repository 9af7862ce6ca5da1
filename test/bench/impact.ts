/**
 * Impact over N recorded decisions beside the bare steps (impact_raw.ts) spread over the cores, the two in turns, and what it
 * does to appends meanwhile, with and without it in turns. `node test/bench/impact.ts [decisions, default 20000 | --million]`.
 */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { openReadable } from '../../collector/ledger/database.ts';
import { ENTRYPOINT, type PolicyBundle, readBundle } from '../../collector/policy/bundle.ts';
import { ImpactJob } from '../../collector/policy/impact_job.ts';
import { rebuild } from '../../collector/policy/rebuild.ts';
import { recordedDecisions } from '../../collector/policy/recorded.ts';
import { readsOf } from '../../collector/policy/session_state.ts';
import { wasm } from '../../collector/policy/wasm.ts';
import type { DecisionInput } from '../../collector/ports.ts';
import { hex } from '../../core/proof/bytes.ts';
import { type RealLedger, realLedger } from '../keys/real_ledger.ts';
import type { RawData, RawDone } from './impact_raw.ts';

export type ImpactFigures = {
  decisions: number;
  cores: number;
  /** The bare steps on all cores, and the job, start to end: medians of rounds in turns. */
  rawSeconds: number;
  impactSeconds: number;
  /** Raw by impact: 1 is the limit. In time on the wall, and in CPU time of all threads, which others on the machine move less. */
  ratio: number;
  cpuRatio: number;
  /** Of one decision in the bare steps, on one thread. */
  readUs: number;
  evaluateUs: number;
  /** Decisions recorded a second in a closed loop of 8, alone and while impact runs, and the ratio; medians of rounds in turns. */
  appendsAlone: number;
  appendsBeside: number;
  appendsRatio: number;
};

const root = join(import.meta.dirname, '..', '..');
const READS = { session: false, now: false };
/** Ready inputs that the bare steps decide in turn. */
const SAMPLE = 2_000;
const ROUNDS = 5;
const APPEND_MS = 3_000;

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
const round = (value: number, digits = 0): number => Number(value.toFixed(digits));

const cpuOf = (now: NodeJS.CpuUsage, before: NodeJS.CpuUsage): number =>
  now.user + now.system - before.user - before.system;

const decision = (n: number): DecisionInput => ({
  keyId: 'bench',
  appId: 'bench',
  sessionId: `run-${n % 2000}`,
  actor: { type: 'agent', id: 'bot' },
  action: n % 3 === 0 ? 'issue_refund' : 'read_order',
  risk: 'low',
  payload: { amount: (n * 37) % 1500, order: `order ${n}`, note: 'a short note on why' },
  context: { region: 'EU' },
  outcome: {
    result: 'allow',
    reasons: [],
    policy: { version: 1, hash: hex(new Uint8Array(32)) },
    evalUs: 40,
  },
});

async function record({ ledger }: RealLedger, count: number): Promise<void> {
  for (let n = 0; n < count; n += 500) {
    const some = Array.from({ length: Math.min(500, count - n) }, (_, i) => decision(n + i));
    await Promise.all(some.map(input => ledger.write.run('decide', input)));
  }
}

/** Seqs of what was recorded, and inputs of the newest, ready to be decided. */
function ready({ folder, vault }: RealLedger): { first: number; last: number; texts: string[] } {
  const db = openReadable(join(folder, 'ledger.db'), vault.derive('database'), 1024);
  try {
    const { first, last } = db
      .prepare<[], { first: number; last: number }>(
        'SELECT min(seq) AS first, max(seq) AS last FROM decision',
      )
      .get()!;
    const texts = db
      .prepare<[number], string>('SELECT body FROM record WHERE seq > ?')
      .pluck()
      .all(last - SAMPLE)
      .map(body => {
        const made = rebuild(body, 'bench', READS);
        if (!('input' in made)) throw new Error('a decision cannot be made again');
        return JSON.stringify(made.input);
      });
    return { first, last, texts };
  } finally {
    db.close();
  }
}

type Raw = {
  run(): Promise<{ seconds: number; readUs: number; evaluateUs: number }>;
  close(): Promise<unknown>;
};

/** Threads that wait, started and warm. */
async function rawThreads(real: RealLedger, bundle: PolicyBundle, cores: number): Promise<Raw> {
  const { first, last, texts } = ready(real);
  const parts: RawData = {
    module: await wasm.compile(bundle.wasm),
    data: bundle.data,
    entrypoint: ENTRYPOINT,
    texts,
  };
  const next = <T>(worker: Worker): Promise<T> =>
    new Promise((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
  const workers = await Promise.all(
    Array.from({ length: cores }, async () => {
      const worker = real.ledger.readingThread(new URL('./impact_raw.ts', import.meta.url), parts);
      await next(worker);
      return worker;
    }),
  );
  const share = Math.ceil((last - first + 1) / cores);
  return {
    async run() {
      const began = performance.now();
      const done = await Promise.all(
        workers.map((worker, n) => {
          const from = first + n * share;
          worker.postMessage({ from, to: Math.min(last, from + share - 1) });
          return next<RawDone>(worker);
        }),
      );
      const seconds = (performance.now() - began) / 1000;
      const usOf = (ms: number[]): number =>
        (ms.reduce((sum, one) => sum + one, 0) * 1000) / (last - first + 1);
      return {
        seconds,
        readUs: usOf(done.map(({ readMs }) => readMs)),
        evaluateUs: usOf(done.map(({ evaluateMs }) => evaluateMs)),
      };
    },
    close: () => Promise.all(workers.map(worker => worker.terminate())),
  };
}

/** Appends a second in a closed loop of 8 until it is over. */
async function appends({ ledger }: RealLedger, until: Promise<unknown>): Promise<number> {
  let over = false;
  let done = 0;
  const since = performance.now();
  const end = until.then(() => {
    over = true;
  });
  const loop = async (): Promise<void> => {
    while (!over) {
      await ledger.write.run('decide', decision(done));
      done += 1;
    }
  };
  await Promise.all([end, ...Array.from({ length: 8 }, loop)]);
  return (done * 1000) / (performance.now() - since);
}

export async function measureImpact(count = 20_000): Promise<ImpactFigures> {
  const bundle = await readBundle(join(root, 'resources', 'generated', 'policies'));
  if (bundle === null) throw new Error('the policies are not built: npm run prepare');
  const real = await realLedger();
  try {
    await record(real, count);
    const { ledger } = real;
    const recorded = recordedDecisions(ledger);
    const impact = async (): Promise<void> => {
      const job = new ImpactJob({ ledger, recorded, bundle, reads: readsOf(bundle.sources) });
      await job.run({ app: null, fromUs: null, toUs: null, last: count });
      const { decided } = job.counts();
      if (decided !== count)
        throw new Error(`decided ${decided} of ${count}: ${job.counts().error?.message}`);
    };
    const cores = availableParallelism();
    const raw = await rawThreads(real, bundle, cores);
    const rounds: { raw: Awaited<ReturnType<Raw['run']>>; impactSeconds: number; ofCpu: number }[] = [];
    for (let n = 0; n <= ROUNDS; n++) {
      const from = process.cpuUsage();
      const bare = await raw.run();
      const between = process.cpuUsage();
      const began = performance.now();
      await impact();
      const impactSeconds = (performance.now() - began) / 1000;
      const ofCpu = cpuOf(between, from) / cpuOf(process.cpuUsage(), between);
      // The first warms up.
      if (n > 0) rounds.push({ raw: bare, impactSeconds, ofCpu });
    }
    await raw.close();

    const turns: { alone: number; beside: number }[] = [];
    for (let n = 0; n < ROUNDS; n++) {
      const alone = await appends(real, sleep(APPEND_MS));
      const running = async (): Promise<void> => {
        const until = performance.now() + APPEND_MS;
        do await impact();
        while (performance.now() < until);
      };
      turns.push({ alone, beside: await appends(real, running()) });
    }
    return {
      decisions: count,
      cores,
      rawSeconds: round(median(rounds.map(one => one.raw.seconds)), 3),
      impactSeconds: round(median(rounds.map(one => one.impactSeconds)), 3),
      ratio: round(median(rounds.map(one => one.raw.seconds / one.impactSeconds)), 2),
      cpuRatio: round(median(rounds.map(one => one.ofCpu)), 2),
      readUs: round(median(rounds.map(one => one.raw.readUs)), 2),
      evaluateUs: round(median(rounds.map(one => one.raw.evaluateUs)), 2),
      appendsAlone: round(median(turns.map(({ alone }) => alone))),
      appendsBeside: round(median(turns.map(({ beside }) => beside))),
      appendsRatio: round(median(turns.map(({ alone, beside }) => beside / alone)), 2),
    };
  } finally {
    await real.close();
  }
}

if (process.argv[1] === import.meta.filename) {
  const [count] = process.argv.slice(2);
  const decisions = count === '--million' ? 1_000_000 : Number(count ?? 20_000);
  console.log(JSON.stringify(await measureImpact(decisions), null, 1));
  process.exit(0);
}
