/**
 * Impact over N recorded decisions beside raw reading plus raw evaluation, spread over the cores, and what it does to
 * appends meanwhile. Run: node test/bench/impact.ts [--million]. Prints one line of JSON; default N is 20,000.
 */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { openReadable } from '../../collector/ledger/database.ts';
import { ENTRYPOINT, readBundle } from '../../collector/policy/bundle.ts';
import { ImpactJob } from '../../collector/policy/impact_job.ts';
import { loadOpa } from '../../collector/policy/opa_instance.ts';
import { rebuild } from '../../collector/policy/rebuild.ts';
import { recordedDecisions } from '../../collector/policy/recorded.ts';
import { readsOf } from '../../collector/policy/session_state.ts';
import { wasm } from '../../collector/policy/wasm.ts';
import type { DecisionInput } from '../../collector/ports.ts';
import { hex } from '../../core/proof/bytes.ts';
import { realLedger } from '../keys/real_ledger.ts';

export type ImpactBench = {
  decisions: number;
  cores: number;
  /** Microseconds a decision, on one thread. */
  readUs: number;
  evaluateUs: number;
  impactSeconds: number;
  /** (reading + evaluation) / cores / impact: 1 is the limit. */
  ratio: number;
  /** Appends a second in a closed loop of 8: alone, and while an impact job runs. */
  appendsAlone: number;
  appendsBeside: number;
};

const root = join(import.meta.dirname, '..', '..');

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

export async function measureImpact(count = 20_000): Promise<ImpactBench> {
  const bundle = await readBundle(join(root, 'resources', 'generated', 'policies'));
  if (bundle === null) throw new Error('the policies are not built: npm run prepare');
  const real = await realLedger();
  const { ledger, vault, folder } = real;
  try {
    for (let n = 0; n < count; n += 500) {
      const some = Array.from({ length: Math.min(500, count - n) }, (_, i) => decision(n + i));
      await Promise.all(some.map(input => ledger.write.run('decide', input)));
    }
    const db = openReadable(join(folder, 'ledger.db'), vault.derive('database'), 16 * 1024);
    const seqs = db
      .prepare<[], number>('SELECT seq FROM decision INDEXED BY decision_seq ORDER BY seq DESC')
      .pluck()
      .all();
    const record = db.prepare<[number], { body: string }>('SELECT body FROM record WHERE seq = ?');
    let bytes = 0;
    const began = performance.now();
    for (const seq of seqs) bytes += record.get(seq)!.body.length;
    const readMs = performance.now() - began;
    if (bytes === 0) throw new Error('nothing was read');

    const instance = await loadOpa({
      module: await wasm.compile(bundle.wasm),
      data: bundle.data,
      entrypoint: ENTRYPOINT,
    });
    const sample = seqs.slice(0, 5_000).map(seq => {
      const made = rebuild(record.get(seq)!.body, 'bench', { session: false, now: false });
      if (!('input' in made)) throw new Error('a decision cannot be made again');
      return JSON.stringify(made.input);
    });
    for (const text of sample) instance.evaluate(text);
    const from = performance.now();
    for (const text of sample) instance.evaluate(text);
    const evaluateUs = ((performance.now() - from) * 1000) / sample.length;
    db.close();

    const recorded = recordedDecisions(ledger);
    const job = () => new ImpactJob({ ledger, recorded, bundle, reads: readsOf(bundle.sources) });
    const plan = { app: null, fromUs: null, toUs: null, last: count };
    const one = job();
    const started = performance.now();
    await one.run(plan);
    const impactSeconds = (performance.now() - started) / 1000;
    if (one.counts().decided !== count) throw new Error(`decided ${one.counts().decided} of ${count}`);

    const appends = async (until: Promise<unknown>): Promise<number> => {
      let over = false;
      let done = 0;
      const since = performance.now();
      void until.then(() => {
        over = true;
      });
      const loop = async (): Promise<void> => {
        while (!over) {
          await ledger.write.run('decide', decision(done));
          done += 1;
        }
      };
      await Promise.all(Array.from({ length: 8 }, loop));
      return (done * 1000) / (performance.now() - since);
    };
    const appendsAlone = await appends(new Promise(resolve => setTimeout(resolve, 3_000)));
    const appendsBeside = await appends(job().run(plan));

    const cores = availableParallelism();
    const readUs = (readMs * 1000) / count;
    return {
      decisions: count,
      cores,
      readUs,
      evaluateUs,
      impactSeconds,
      ratio: ((readUs + evaluateUs) * count) / 1e6 / cores / impactSeconds,
      appendsAlone,
      appendsBeside,
    };
  } finally {
    await real.close();
  }
}

if (import.meta.main) {
  const result = await measureImpact(process.argv.includes('--million') ? 1_000_000 : 20_000);
  const rounded = Object.entries(result).map(([name, value]) => [name, Math.round(value * 100) / 100]);
  console.log(JSON.stringify(Object.fromEntries(rounded)));
}
