/** The events of a run that a reader wants first: what waits, failed, was refused, or ended in an error. Pure. */
import type { SpanColumns } from '../../../core/api/views.ts';

const order = ['waiting', 'failed', 'denied', 'refused', 'expired', 'error', 'approved', 'consumed'];
const MOST = 8;

export type Notable = { rows: { index: number; why: string }[]; more: number };

export function buildNotable(spans: Pick<SpanColumns, 'decision' | 'status' | 'seq'>): Notable {
  const found: { index: number; why: string }[] = [];
  for (let index = 0; index < spans.seq.length; index++) {
    const decision = spans.decision[index]!;
    if (decision !== 'allowed' && order.includes(decision)) found.push({ index, why: decision });
    else if (spans.status[index] === 'error') found.push({ index, why: 'error' });
  }
  found.sort((a, b) => order.indexOf(a.why) - order.indexOf(b.why) || a.index - b.index);
  return { rows: found.slice(0, MOST), more: Math.max(0, found.length - MOST) };
}
