/**
 * The tree of one run's spans, over columns. Pure and linear: 100,000 spans take some ten milliseconds.
 * A span whose parent is missing, or stands in a circle, is a root: nothing that was recorded is hidden.
 */
import type { SpanColumns } from '../../../core/api/views.ts';

export type SpanTree = {
  readonly size: number;
  /** Span indexes in reading order: a parent, then its children by start time. */
  readonly order: Int32Array;
  /** By span: its place in `order`, its depth (roots 0), the place after its last descendant, and its parent or -1. */
  readonly place: Int32Array;
  readonly depth: Int32Array;
  readonly end: Int32Array;
  readonly parent: Int32Array;
};

export function buildSpanTree(spans: Pick<SpanColumns, 'seq' | 'parent'>): SpanTree {
  const size = spans.seq.length;
  const firstChild = new Int32Array(size).fill(-1);
  const next = new Int32Array(size).fill(-1);
  const lastChild = new Int32Array(size).fill(-1);
  const parent = new Int32Array(size).fill(-1);
  const roots: number[] = [];
  for (let i = 0; i < size; i++) {
    const p = spans.parent[i] ?? -1;
    if (p < 0 || p >= size || p === i) {
      roots.push(i);
      continue;
    }
    parent[i] = p;
    if (firstChild[p]! < 0) firstChild[p] = i;
    else next[lastChild[p]!] = i;
    lastChild[p] = i;
  }
  const order = new Int32Array(size);
  const place = new Int32Array(size).fill(-1);
  const depth = new Int32Array(size);
  const end = new Int32Array(size);
  let at = 0;
  const visit = (root: number): void => {
    // Down to the first child, else on to the next sibling, else up: no recursion, however deep the run is.
    let i = root;
    for (;;) {
      if (place[i]! < 0) {
        place[i] = at;
        order[at++] = i;
        depth[i] = parent[i]! < 0 ? 0 : depth[parent[i]!]! + 1;
        if (firstChild[i]! >= 0) {
          i = firstChild[i]!;
          continue;
        }
      }
      end[i] = at;
      if (i === root) return;
      if (next[i]! >= 0) i = next[i]!;
      else i = parent[i]!;
    }
  };
  for (const root of roots) visit(root);
  // What is left stands in a circle of parents: cut it at its earliest span.
  for (let i = 0; i < size && at < size; i++) {
    if (place[i]! >= 0) continue;
    unlink(i);
    visit(i);
  }
  return { size, order, place, depth, end, parent };

  function unlink(i: number): void {
    const p = parent[i]!;
    parent[i] = -1;
    let child = firstChild[p]!;
    if (child === i) firstChild[p] = next[i]!;
    while (child >= 0 && next[child]! !== i) child = next[child]!;
    if (child >= 0) next[child] = next[i]!;
    next[i] = -1;
  }
}

export const hasChildren = (tree: SpanTree, i: number): boolean => tree.end[i]! > tree.place[i]! + 1;

/** 0 = not kept, 1 = kept because something below it matches, 2 = matches. */
export function keepParents(tree: SpanTree, matches: Iterable<number>): Uint8Array {
  const kept = new Uint8Array(tree.size);
  for (const match of matches) {
    kept[match] = 2;
    for (let p = tree.parent[match]!; p >= 0 && kept[p] === 0; p = tree.parent[p]!) kept[p] = 1;
  }
  return kept;
}

/** Span indexes of the rows to show: without what is folded away, and, with `kept`, only what it keeps. */
export function visibleRows(tree: SpanTree, folded: ReadonlySet<number>, kept?: Uint8Array): Int32Array {
  const rows = new Int32Array(tree.size);
  let n = 0;
  for (let at = 0; at < tree.size; ) {
    const i = tree.order[at]!;
    if (kept !== undefined && kept[i] === 0) {
      // Nothing below an unkept span is kept either.
      at = tree.end[i]!;
      continue;
    }
    rows[n++] = i;
    at = folded.has(i) ? tree.end[i]! : at + 1;
  }
  return rows.subarray(0, n);
}

/** The spans above one, nearest first. */
export function ancestorsOf(tree: SpanTree, i: number): number[] {
  const above: number[] = [];
  for (let p = tree.parent[i]!; p >= 0; p = tree.parent[p]!) above.push(p);
  return above;
}

/** Indexes of spans whose name, type or id holds every word of the text, in reading order; empty text matches none. */
export function findSpans(
  tree: SpanTree,
  spans: Pick<SpanColumns, 'name' | 'event_type' | 'event_id'>,
  text: string,
): number[] {
  const words = text
    .toLowerCase()
    .split(/\s+/)
    .filter(word => word !== '');
  if (words.length === 0) return [];
  const found: number[] = [];
  for (const i of tree.order) {
    const hay = `${spans.name[i]}\n${spans.event_type[i]}\n${spans.event_id[i]}`.toLowerCase();
    if (words.every(word => hay.includes(word))) found.push(i);
  }
  return found;
}
