/** The steps of an evaluation as a tree of queries, as OPA made them: every query under the one that asked it. Pure. */
import type { OutputOf } from '../../../core/api/operations.ts';

export type Step = OutputOf<'evaluatePolicy'>['trace'][number];
export type TraceNode = { id: number; step: Step; children: TraceNode[] };

/** Words for OPA's operations. */
export const opWords: Record<string, string> = {
  Enter: 'enters',
  Eval: 'tries',
  Exit: 'holds',
  Fail: 'does not hold',
  Redo: 'again',
  Note: 'prints',
};

/** The evaluator's own bookkeeping, which tells a reader nothing. */
const inner = new Set(['Unify', 'Index', 'Save', 'Duplicate']);

export function buildTraceTree(steps: readonly Step[]): TraceNode[] {
  const roots: TraceNode[] = [];
  /** By query: the node that its steps hang under. */
  const under = new Map<number, TraceNode>();
  steps.forEach((step, id) => {
    if (inner.has(step.op)) return;
    const node: TraceNode = { id, step, children: [] };
    if (step.op === 'Enter' || step.op === 'Redo') {
      const known = under.get(step.query);
      if (
        step.op === 'Redo' &&
        known !== undefined &&
        known.step.op !== 'Redo' &&
        known.step.node !== step.node
      ) {
        known.children.push(node);
        return;
      }
      (under.get(step.parent)?.children ?? roots).push(node);
      under.set(step.query, node);
    } else (under.get(step.query)?.children ?? roots).push(node);
  });
  return roots;
}

export type TraceRow = { node: TraceNode; depth: number; open: boolean };

/** Rows that show when the nodes of `folded` are folded. */
export function traceRows(roots: readonly TraceNode[], folded: ReadonlySet<number>): TraceRow[] {
  const rows: TraceRow[] = [];
  const walk = (nodes: readonly TraceNode[], depth: number): void => {
    for (const node of nodes) {
      const open = node.children.length > 0 && !folded.has(node.id);
      rows.push({ node, depth, open });
      if (open) walk(node.children, depth + 1);
    }
  };
  walk(roots, 0);
  return rows;
}
