/** Hot reloads of a real collector while agents ask it over HTTP. Not a test itself: live.test.ts and test/fault/reload.ts run it. */
import type { OutputOf } from '../../core/api/operations.ts';
import type { TestCollector } from '../http/collector.ts';
import { activateSet, decide, refundSet, saveSet } from './authored.ts';

export type Reloads = {
  reloads: number;
  decisions: number;
  /** Decisions that failed, with their code. */
  failed: number;
  /** Whose result is not that of the set they name, or whose set was not in force between asking and answer. */
  mixed: number;
  /** Calls that were answered by no decision. */
  refused: number;
  /** Of the whole ledger afterwards: each record cites the set in force. */
  integrity: string;
  /** Milliseconds that a decision took, meanwhile: median and slowest. */
  p50Ms: number;
  maxMs: number;
};

const AGENTS = 4;
/** Between the limits of both sets: one asks, the other allows. */
const AMOUNT = 500;

export async function reloadUnderLoad(tm: TestCollector, reloads: number): Promise<Reloads> {
  const sets: OutputOf<'savePolicySet'>[] = [];
  for (const limit of [10, 1000]) sets.push(await saveSet(tm, refundSet(limit)));
  const { apiKey } = await tm.key('shop', ['decide']);
  await activateSet(tm, sets[0]!.hash);
  /** In order: when each was asked for, and when it was answered. */
  const active = [{ hash: sets[0]!.hash, asked: 0, answered: 0 }];
  const took: number[] = [];
  const found = { failed: 0, mixed: 0, refused: 0 };
  let over = false;
  const agent = async (): Promise<void> => {
    while (!over) {
      const from = performance.now();
      const answer = await decide(tm, apiKey, AMOUNT).catch(() => undefined);
      const to = performance.now();
      if (answer === undefined) {
        found.refused += 1;
        continue;
      }
      took.push(to - from);
      const { decision, code, policy } = answer;
      if (code !== undefined) found.failed += 1;
      const expected = policy.hash === sets[0]!.hash ? 'approve' : 'allow';
      const inForce = active.some(({ hash, asked }, n) => {
        const until = active[n + 1]?.answered ?? Number.POSITIVE_INFINITY;
        return hash === policy.hash && asked <= to && until >= from;
      });
      if (decision !== expected || !inForce) found.mixed += 1;
    }
  };
  const agents = Array.from({ length: AGENTS }, agent);
  try {
    for (let n = 1; n <= reloads; n++) {
      const entry = { hash: sets[n % 2]!.hash, asked: performance.now(), answered: Number.POSITIVE_INFINITY };
      active.push(entry);
      await activateSet(tm, entry.hash);
      entry.answered = performance.now();
    }
  } finally {
    over = true;
    await Promise.all(agents);
  }
  const report = await tm.ask('/api/ledger/verify', { socket: tm.collector.socket, method: 'POST' });
  const { verdicts } = report.json as unknown as OutputOf<'verifyLedger'>;
  const sorted = took.toSorted((a, b) => a - b);
  return {
    reloads,
    decisions: took.length,
    ...found,
    integrity: verdicts.integrity.result,
    p50Ms: sorted[Math.floor(sorted.length / 2)] ?? 0,
    maxMs: sorted.at(-1) ?? 0,
  };
}
