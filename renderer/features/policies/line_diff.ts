/** Changed lines of two texts, for who reads a difference as a list. Pure. Myers' greedy algorithm; bounded by `most` edits. */
import type { PolicyFile } from '../../../core/api/policy_views.ts';

export type LineChange = { kind: 'removed' | 'added'; row: number; text: string };
export type FileChange = {
  path: string;
  kind: 'added' | 'removed' | 'changed' | 'same';
  before: string;
  after: string;
};

export function fileChanges(before: readonly PolicyFile[], after: readonly PolicyFile[]): FileChange[] {
  const paths = [...new Set([...before, ...after].map(file => file.path))].sort();
  return paths.map(path => {
    const a = before.find(file => file.path === path)?.text;
    const b = after.find(file => file.path === path)?.text;
    const kind = a === undefined ? 'added' : b === undefined ? 'removed' : a === b ? 'same' : 'changed';
    return { path, kind, before: a ?? '', after: b ?? '' };
  });
}

/** Undefined when the texts differ in more than `most` lines: then a list tells nothing. */
export function lineChanges(before: string, after: string, most = 2_000): LineChange[] | undefined {
  const a = before === '' ? [] : before.split('\n');
  const b = after === '' ? [] : after.split('\n');
  const reach = new Map<number, number>([[1, 0]]);
  const steps: Map<number, number>[] = [];
  for (let d = 0; d <= Math.min(a.length + b.length, most); d++) {
    steps.push(new Map(reach));
    for (let k = -d; k <= d; k += 2) {
      const down = k === -d || (k !== d && (reach.get(k - 1) ?? -1) < (reach.get(k + 1) ?? -1));
      let x = down ? (reach.get(k + 1) ?? 0) : (reach.get(k - 1) ?? 0) + 1;
      let y = x - k;
      while (x < a.length && y < b.length && a[x] === b[y]) {
        x++;
        y++;
      }
      reach.set(k, x);
      if (x >= a.length && y >= b.length) return walkBack(a, b, steps, d);
    }
  }
  return undefined;
}

function walkBack(
  a: readonly string[],
  b: readonly string[],
  steps: readonly Map<number, number>[],
  end: number,
): LineChange[] {
  const changes: LineChange[] = [];
  let x = a.length;
  let y = b.length;
  for (let d = end; d > 0; d--) {
    const reach = steps[d] as Map<number, number>;
    const k = x - y;
    const down = k === -d || (k !== d && (reach.get(k - 1) ?? -1) < (reach.get(k + 1) ?? -1));
    const from = down ? k + 1 : k - 1;
    const fromX = reach.get(from) ?? 0;
    const fromY = fromX - from;
    changes.push(
      down
        ? { kind: 'added', row: fromY + 1, text: b[fromY] ?? '' }
        : { kind: 'removed', row: fromX + 1, text: a[fromX] ?? '' },
    );
    x = fromX;
    y = fromY;
  }
  return changes.reverse();
}
