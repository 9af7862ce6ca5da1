/** One run told in sentences, from its summary alone. Pure. */
import type { TraceSummary } from '../../../core/api/views.ts';
import { countOf, formatCost, formatCount } from '../../ui/numbers.ts';
import { formatDuration } from '../../ui/times.ts';

/** The run's title, or its session when nothing in it has a name. */
export const runTitle = (trace: Pick<TraceSummary, 'title' | 'session_id'>): string =>
  trace.title === '' ? trace.session_id : trace.title;

export type DecisionCount = { state: string; count: number; word: string };

/** The decisions of a run as states with counts, in the order in which they matter. `asked` counts the waiting too. */
export function buildDecisionCounts(
  trace: Pick<TraceSummary, 'allowed' | 'denied' | 'asked' | 'failed' | 'waiting'>,
): DecisionCount[] {
  const answered = Math.max(0, trace.asked - trace.waiting);
  return [
    {
      state: 'waiting',
      count: trace.waiting,
      word: `${trace.waiting} ${trace.waiting === 1 ? 'needs' : 'need'} approval`,
    },
    { state: 'failed', count: trace.failed, word: `${trace.failed} failed` },
    { state: 'denied', count: trace.denied, word: `${trace.denied} denied` },
    { state: 'asked', count: answered, word: `${answered} put to people` },
    { state: 'allowed', count: trace.allowed, word: `${trace.allowed} allowed` },
  ].filter(part => part.count > 0);
}

export function buildRunSentences(trace: TraceSummary): string[] {
  const sentences = [
    `${trace.app_id} recorded ${countOf(trace.events, 'event')} in this session${
      trace.duration_us > 0 ? ` over ${formatDuration(trace.duration_us)}` : ''
    }.`,
  ];
  const spent = [
    trace.tokens > 0 ? `used ${formatCount(trace.tokens)} tokens` : '',
    trace.cost > 0 ? `cost ${formatCost(trace.cost)}` : '',
  ].filter(part => part !== '');
  if (spent.length > 0) sentences.push(`It ${spent.join(' and ')}.`);
  const asks = trace.allowed + trace.denied + trace.asked + trace.failed;
  if (asks === 0) sentences.push('No call in it asked the policy.');
  else {
    const parts = [
      trace.allowed > 0 ? `allowed ${formatCount(trace.allowed)}` : '',
      trace.denied > 0 ? `denied ${formatCount(trace.denied)}` : '',
      trace.asked > 0 ? `wanted a person for ${formatCount(trace.asked)}` : '',
      trace.failed > 0 ? `could not be evaluated for ${formatCount(trace.failed)}` : '',
    ].filter(part => part !== '');
    sentences.push(`${countOf(asks, 'call')} asked the policy: it ${parts.join(', ')}.`);
  }
  if (trace.waiting > 0) {
    sentences.push(
      `${countOf(trace.waiting, 'call')} still ${trace.waiting === 1 ? 'waits' : 'wait'} for a person.`,
    );
  }
  if (trace.status === 'error') sentences.push('At least one step ended in an error.');
  return sentences;
}

export function buildRunCautions(trace: Pick<TraceSummary, 'sample' | 'unverified'>): string[] {
  return [
    ...(trace.sample ? ['A sample that comes with the app: its times and costs are made up.'] : []),
    ...(trace.unverified ? ['Some of it was sent without an API key: nobody vouches for who sent it.'] : []),
  ];
}
