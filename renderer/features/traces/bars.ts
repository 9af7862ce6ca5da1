/**
 * Where each span lies on the time axis. Pure. A question to a person has no length of its own: its bar runs until it
 * was answered or ended, which is what the reader wants to see; nothing else is stretched.
 */
import type { SpanColumns } from '../../../core/api/views.ts';
import type { SpanTree } from './span_tree.ts';

/** Lengths in microseconds by span. */
export function buildLengths(spans: SpanColumns, tree: SpanTree): Float64Array {
  const lengths = Float64Array.from(spans.duration_us);
  for (let i = 0; i < tree.size; i++) {
    if (spans.event_type[i] !== 'approval.asked') continue;
    const above = tree.parent[i]!;
    if (above < 0) continue;
    for (let at = tree.place[above]! + 1; at < tree.end[above]!; at++) {
      const other = tree.order[at]!;
      const type = spans.event_type[other];
      if (
        (type === 'approval.answered' || type === 'approval.expired') &&
        spans.start_us[other]! >= spans.start_us[i]!
      ) {
        lengths[i] = spans.start_us[other]! - spans.start_us[i]!;
        break;
      }
    }
  }
  return lengths;
}
