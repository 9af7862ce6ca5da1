/**
 * A candidate beside the policy in force: evaluates recorded decisions once more, in a worker of its own, and counts
 * where the word differs. Rules: never enforced, never waited for; what does not fit the queue is dropped and counted; counts and the
 * newest differences are written every second, an event tells of them every hour and at the end (docs/spec/policy.md).
 */
import type { Environment, PolicyWord } from '../../core/api/policy_views.ts';
import { runId } from '../../core/proof/record.ts';
import type { DecidedCall } from '../approvals/gate.ts';
import type { Clock, Ledger, PolicyOutcome } from '../ports.ts';
import { sha256 } from '../sha256.ts';
import type { PolicyBundle } from './bundle.ts';
import type { Difference, ShadowCounts } from './command_types.ts';
import { createPolicyEngine } from './engine.ts';
import { type Reads, readsOf } from './session_state.ts';

const MAX_WAITING = 1000;
const WRITE_MS = 1000;
const TELL_MS = 3_600_000;
/** Differences of one write; beyond, they are counted alone. */
const MOST_DIFFERENCES = 200;

export const wordOf = ({ result, failed }: Pick<PolicyOutcome, 'result' | 'failed'>): PolicyWord =>
  failed === undefined ? result : 'failed';

export type ShadowRun = {
  readonly hash: string;
  readonly reads: Reads;
  /** Takes a decision that was recorded under the policy in force; returns at once. */
  compare(decided: DecidedCall): void;
  /** Resolves once what was taken is evaluated and written. */
  flush(): Promise<void>;
  close(): Promise<void>;
};

export async function startShadow(options: {
  environment: Environment;
  bundle: PolicyBundle;
  ledger: Pick<Ledger, 'write'>;
  clock: Clock;
  onError: (error: unknown) => void;
}): Promise<ShadowRun> {
  const { environment, bundle, ledger, clock, onError } = options;
  const engine = await createPolicyEngine({ bundle: null });
  const prepared = await engine.prepare(bundle).catch(async error => {
    await engine.close();
    throw error;
  });
  prepared.use(bundle.version);
  const reads = readsOf(bundle.sources, bundle.wasm);
  let waiting = 0;
  let counts: ShadowCounts = { compared: 0, differing: 0, dropped: 0, cells: {} };
  let differences: Difference[] = [];
  let told = clock.now();
  let idle: (() => void) | undefined;
  let writing: Promise<void> = Promise.resolve();

  const count = (decided: DecidedCall, outcome: PolicyOutcome): void => {
    // A full queue says nothing of the candidate.
    if (outcome.failed?.why === 'busy' || outcome.failed?.why === 'no_bundle') {
      counts.dropped += 1;
      return;
    }
    const active = wordOf(decided.outcome);
    const candidate = wordOf(outcome);
    const cell = `${active}>${candidate}`;
    counts.compared += 1;
    counts.cells[cell] = (counts.cells[cell] ?? 0) + 1;
    if (active === candidate) return;
    counts.differing += 1;
    if (differences.length >= MOST_DIFFERENCES) return;
    differences.push({
      decisionId: decided.decisionId,
      seq: decided.seq,
      runId: runId(sha256, decided.appId, decided.sessionId),
      appId: decided.appId,
      action: decided.action,
      at: new Date(clock.now()).toISOString(),
      active,
      candidate,
      reasons: outcome.reasons,
    });
  };

  const write = (): Promise<void> => {
    writing = writing.then(async () => {
      const tell = clock.now() - told >= TELL_MS;
      if (counts.compared === 0 && counts.dropped === 0 && !tell) return;
      const input = { environment, hash: bundle.hash, counts, differences, tell };
      counts = { compared: 0, differing: 0, dropped: 0, cells: {} };
      differences = [];
      if (tell) told = clock.now();
      await ledger.write.run('shadowCounted', input).catch(onError);
    });
    return writing;
  };
  const timer = setInterval(() => void write(), WRITE_MS);
  timer.unref();

  const flush = async (): Promise<void> => {
    if (waiting > 0) {
      await new Promise<void>(resolve => {
        idle = resolve;
      });
    }
    await write();
  };

  return {
    hash: bundle.hash,
    reads,
    compare(decided) {
      if (waiting >= MAX_WAITING) {
        counts.dropped += 1;
        return;
      }
      waiting += 1;
      void engine
        .decide(decided.input)
        .then(outcome => count(decided, outcome))
        .finally(() => {
          waiting -= 1;
          if (waiting === 0) idle?.();
        });
    },
    flush,
    async close() {
      clearInterval(timer);
      await engine.close();
      await write();
    },
  };
}
