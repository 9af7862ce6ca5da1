import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SpanColumns } from '../../core/api/views.ts';
import { buildLengths } from '../../renderer/features/traces/bars.ts';
import {
  ancestorsOf,
  buildSpanTree,
  findSpans,
  hasChildren,
  keepParents,
  visibleRows,
} from '../../renderer/features/traces/span_tree.ts';
import {
  buildMinimap,
  buildTicks,
  clampWindow,
  SHADES,
  zoomWindow,
} from '../../renderer/features/traces/timeline.ts';

function spansOf(parent: number[], more: Partial<SpanColumns> = {}): SpanColumns {
  const fill = <T>(value: T): T[] => parent.map(() => value);
  return {
    seq: parent.map((_, i) => 100 + i),
    parent,
    event_id: parent.map((_, i) => `ev-${i}`),
    event_type: fill('span'),
    name: parent.map((_, i) => `name ${i}`),
    kind: fill('tool' as const),
    start_us: parent.map((_, i) => i * 10),
    duration_us: fill(5),
    risk: fill(''),
    status: fill(''),
    decision: fill(''),
    tokens: fill(0),
    cost: fill(0),
    ...more,
  };
}

describe('the tree of spans', () => {
  //      0        5
  //     / \       |
  //    1   4      6
  //   / \
  //  2   3
  const tree = buildSpanTree(spansOf([-1, 0, 1, 1, 0, -1, 5]));

  test('reads parents first, then children by start time', () => {
    expect([...tree.order]).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect([...tree.depth]).toEqual([0, 1, 2, 2, 1, 0, 1]);
    expect([...tree.end]).toEqual([5, 4, 3, 4, 5, 7, 7]);
    expect(hasChildren(tree, 1)).toBe(true);
    expect(hasChildren(tree, 4)).toBe(false);
    expect(ancestorsOf(tree, 3)).toEqual([1, 0]);
  });

  test('a child that started before its parent still stands below it', () => {
    const late = buildSpanTree(spansOf([1, -1, 1]));
    expect([...late.order]).toEqual([1, 0, 2]);
  });

  test('folding hides what is below and nothing else', () => {
    expect([...visibleRows(tree, new Set([1]))]).toEqual([0, 1, 4, 5, 6]);
    expect([...visibleRows(tree, new Set([0, 5]))]).toEqual([0, 5]);
  });

  test('a search keeps every parent of every match', () => {
    const kept = keepParents(tree, [3, 6]);
    expect([...kept]).toEqual([1, 1, 0, 2, 0, 1, 2]);
    expect([...visibleRows(tree, new Set(), kept)]).toEqual([0, 1, 3, 5, 6]);
    expect(findSpans(tree, spansOf([-1, 0, 1, 1, 0, -1, 5]), 'NAME 3')).toEqual([3]);
    expect(findSpans(tree, spansOf([-1, 0, 1, 1, 0, -1, 5]), ' ')).toEqual([]);
  });

  test('a match above another match stays a match', () => {
    expect([...keepParents(tree, [3, 1])]).toEqual([1, 2, 0, 2, 0, 0, 0]);
    expect([...keepParents(tree, [1, 3])]).toEqual([1, 2, 0, 2, 0, 0, 0]);
  });

  test('circles, missing and impossible parents lose no span', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -2, max: 30 }), { maxLength: 30 }), parents => {
        const any = buildSpanTree(spansOf(parents));
        expect([...any.order].sort((a, b) => a - b)).toEqual(parents.map((_, i) => i));
        for (let i = 0; i < any.size; i++) {
          const above = any.parent[i]!;
          if (above >= 0) {
            expect(any.depth[i]).toBe(any.depth[above]! + 1);
            expect(any.place[i]!).toBeGreaterThan(any.place[above]!);
            expect(any.end[i]!).toBeLessThanOrEqual(any.end[above]!);
          }
        }
        expect(visibleRows(any, new Set()).length).toBe(parents.length);
      }),
    );
  });

  // The limit is for a machine that is busy with other tests: a way that is quadratic takes minutes.
  test('100,000 spans, and a chain of 100,000, are laid out at once', { timeout: 20_000 }, () => {
    const wide = spansOf(Array.from({ length: 100_000 }, (_, i) => (i % 50 === 0 ? -1 : i - (i % 50))));
    const wideTree = buildSpanTree(wide);
    buildMinimap(wide, wide.duration_us, wideTree, 1200, 4, 1_000_010);
    keepParents(wideTree, findSpans(wideTree, wide, 'name 9'));
    const chain = buildSpanTree(spansOf(Array.from({ length: 100_000 }, (_, i) => i - 1)));
    expect(chain.depth[99_999]).toBe(99_999);
  });
});

describe('the time axis', () => {
  const whole = { from: 0, to: 161_000_000 };
  test('ticks are round and not crowded', () => {
    expect(buildTicks(whole, 400).map(tick => tick.label)).toEqual([
      '0',
      '30 s',
      '1 m',
      '1 m 30 s',
      '2 m',
      '2 m 30 s',
    ]);
    expect(buildTicks({ from: 0, to: 900 }, 400)[1]?.label).toBe('200 µs');
  });
  test('zooming keeps the instant under the pointer, and stays inside', () => {
    const closer = zoomWindow(whole, whole, 0.5, 161_000_000);
    expect(closer).toEqual({ from: 80_500_000, to: 161_000_000 });
    expect(zoomWindow(closer, whole, 100, 0)).toEqual(whole);
    expect(clampWindow({ from: -50, to: 50 }, whole)).toEqual({ from: 0, to: 100 });
    const least = zoomWindow(whole, whole, 1e-12, 1000);
    expect(least.to - least.from).toBeCloseTo(50);
  });
  test('in the minimap what was refused is seen, however short', () => {
    const spans = spansOf([-1, 0, 0], {
      start_us: [0, 0, 500],
      duration_us: [1000, 1000, 0],
      decision: ['', '', 'denied'],
    });
    const map = buildMinimap(spans, spans.duration_us, buildSpanTree(spans), 10, 2, 1000);
    expect(map.cells[10 + 5]).toBe(SHADES.indexOf('deny'));
    expect(map.cells[10 + 4]).toBe(SHADES.indexOf('tool'));
    expect(map.cells[0]).toBe(SHADES.indexOf('tool'));
  });
});

test('a question to a person lasts until it is answered; nothing else is stretched', () => {
  const spans = spansOf([-1, 0, 0, -1], {
    event_type: ['decision.recorded', 'approval.asked', 'approval.answered', 'approval.asked'],
    start_us: [0, 10, 30_000, 50_000],
    duration_us: [0, 0, 0, 0],
  });
  expect([...buildLengths(spans, buildSpanTree(spans))]).toEqual([0, 29_990, 0, 0]);
});
