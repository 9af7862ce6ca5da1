/**
 * A recorded decision beside what it cannot do without: an empty round trip to the same collector, and one durable
 * commit of the rows that one recorded event needs, in the ledger's schema and settings (and, for comparison, of one bare row). One caller, one after the other.
 */
import type { BenchCollector } from './collector.ts';
import { appId } from './events.ts';
import { durableCommitUs } from './steps.ts';

export type Decision = {
  decisionUs: number;
  roundTripUs: number;
  commitUs: number;
  bareCommitUs: number;
  ratio: number;
  ratioBare: number;
};

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;

const time = async (
  count: number,
  call: (i: number) => Promise<{ status: number; body: Buffer }>,
): Promise<number> => {
  const took: number[] = [];
  for (let i = 0; i < count; i++) {
    const started = performance.now();
    const { status, body } = await call(i);
    took.push((performance.now() - started) * 1000);
    if (status !== 200) throw new Error(`${status} ${body}`);
  }
  return median(took.slice(Math.floor(count / 10)));
};

export const measureDecision = async (
  collector: BenchCollector,
  key: string,
  count = 400,
): Promise<Decision> => {
  const roundTripUs = await time(count, () => collector.send('GET', '/api/health'));
  const { rows: commitUs, bare: bareCommitUs } = durableCommitUs(count);
  const decisionUs = await time(count, i =>
    collector.send(
      'POST',
      '/api/decisions',
      key,
      JSON.stringify({
        action: 'issue_refund',
        risk: 'medium',
        actor: { type: 'agent', id: 'support-agent' },
        payload: { amount: 20 + (i % 400), customer_id: `c-${i}` },
        session_id: `bench-${i % 20}`,
        app_id: appId,
      }),
    ),
  );
  return {
    decisionUs,
    roundTripUs,
    commitUs,
    bareCommitUs,
    ratio: decisionUs / (roundTripUs + commitUs),
    ratioBare: decisionUs / (roundTripUs + bareCommitUs),
  };
};
