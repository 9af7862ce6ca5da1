/**
 * A recorded decision beside what it cannot do without: an empty round trip to the same collector, and one durable
 * commit of the rows that one recorded event needs, in the ledger's schema and settings (and, for comparison, of one
 * bare row). One caller, one after the other: each of the three in a loop of its own, and then the three in turns, where
 * each comes after a pause as a decision does and what the machine does besides hits all alike.
 */
import type { BenchCollector } from './collector.ts';
import { appId } from './events.ts';
import { durableCommits } from './steps.ts';

export type Decision = {
  decisionUs: number;
  roundTripUs: number;
  commitUs: number;
  bareCommitUs: number;
  ratio: number;
  ratioBare: number;
  /** The same three in turns. */
  inTurns: { decisionUs: number; roundTripUs: number; commitUs: number; ratio: number };
};

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;

type Call = (i: number) => Promise<{ status: number; body: Buffer }>;

const once = async (i: number, call: Call): Promise<number> => {
  const started = performance.now();
  const { status, body } = await call(i);
  const took = (performance.now() - started) * 1000;
  if (status !== 200) throw new Error(`${status} ${body}`);
  return took;
};

/** The first tenth warms up. */
const settled = (took: number[]): number => median(took.slice(Math.floor(took.length / 10)));

const loop = async (count: number, one: (i: number) => number | Promise<number>): Promise<number> => {
  const took: number[] = [];
  for (let i = 1; i <= count; i++) took.push(await one(i));
  return settled(took);
};

export const measureDecision = async (
  collector: BenchCollector,
  key: string,
  count = 400,
): Promise<Decision> => {
  const health: Call = () => collector.send('GET', '/api/health');
  const decide: Call = i =>
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
    );
  const roundTripUs = await loop(count, i => once(i, health));
  const commits = durableCommits();
  const bareCommitUs = await loop(count, commits.bare);
  const commitUs = await loop(count, commits.rows);
  const decisionUs = await loop(count, i => once(i, decide));
  const turns: Record<'health' | 'commit' | 'decide', number[]> = { health: [], commit: [], decide: [] };
  for (let i = 1; i <= count; i++) {
    turns.health.push(await once(i, health));
    turns.commit.push(commits.rows(count + i));
    turns.decide.push(await once(i, decide));
  }
  commits.end();
  const [turnDecision, turnTrip, turnCommit] = [turns.decide, turns.health, turns.commit].map(settled) as [
    number,
    number,
    number,
  ];
  return {
    decisionUs,
    roundTripUs,
    commitUs,
    bareCommitUs,
    ratio: decisionUs / (roundTripUs + commitUs),
    ratioBare: decisionUs / (roundTripUs + bareCommitUs),
    inTurns: {
      decisionUs: turnDecision,
      roundTripUs: turnTrip,
      commitUs: turnCommit,
      ratio: turnDecision / (turnTrip + turnCommit),
    },
  };
};
