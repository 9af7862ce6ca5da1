/**
 * Tree and waterfall side by side: a treegrid with virtual rows over one canvas. One tab stop; arrows move and fold,
 * Enter goes to the inspector. Ctrl and the wheel zoom, a drag over the bars pans.
 */
import { useElementSize, useMergedRef } from '@mantine/hooks';
import { IconChevronDown, IconChevronRight } from '@tabler/icons-react';
import { useVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, type PointerEvent, useEffect, useRef } from 'react';
import type { SpanColumns } from '../../../core/api/views.ts';
import { DecisionBadge } from '../../ui/Decision.tsx';
import { formatCount } from '../../ui/numbers.ts';
import { formatDuration } from '../../ui/times.ts';
import { labelOf } from './event_summary.ts';
import { markText } from './mark_text.ts';
import { hasChildren, type SpanTree } from './span_tree.ts';
import { buildTicks, panWindow, type Window, zoomWindow } from './timeline.ts';
import { ROW, Waterfall } from './Waterfall.tsx';

const MOST_INDENT = 12;

export function SpanTreeGrid({
  spans,
  lengths,
  tree,
  rows,
  folded,
  kept,
  find,
  chosen,
  onChoose,
  onFold,
  onEnter,
  whole,
  window: shown,
  onWindow,
  caption,
}: {
  spans: SpanColumns;
  lengths: Float64Array;
  tree: SpanTree;
  rows: Int32Array;
  folded: ReadonlySet<number>;
  /** From keepParents: 2 marks a match. */
  kept: Uint8Array | undefined;
  find: string;
  /** Span index, or -1. */
  chosen: number;
  onChoose: (i: number) => void;
  onFold: (i: number, fold: boolean) => void;
  onEnter: () => void;
  whole: Window;
  window: Window;
  onWindow: (window: Window) => void;
  caption: React.ReactNode;
}) {
  const scroller = useRef<HTMLDivElement>(null);
  const size = useElementSize<HTMLDivElement>();
  const lane = useElementSize<HTMLDivElement>();
  const merged = useMergedRef(scroller, size.ref);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW,
    overscan: 10,
  });
  const at = chosen < 0 ? -1 : rows.indexOf(chosen);

  // The chosen row comes into sight when it was chosen elsewhere (address, next match), not when it was clicked.
  const { scrollToIndex } = virtual;
  useEffect(() => {
    if (at >= 0) scrollToIndex(at, { align: 'auto' });
  }, [at, scrollToIndex]);

  const go = (row: number) => {
    const i = rows[Math.min(Math.max(row, 0), rows.length - 1)];
    if (i !== undefined) onChoose(i);
  };
  const page = Math.max(1, Math.floor(size.height / ROW) - 2);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.target !== scroller.current || event.ctrlKey || event.metaKey || event.altKey) return;
    const parent = chosen < 0 ? -1 : tree.parent[chosen]!;
    const moves: Record<string, () => void> = {
      ArrowDown: () => go(at + 1),
      ArrowUp: () => go(at < 0 ? 0 : at - 1),
      PageDown: () => go(at + page),
      PageUp: () => go(at - page),
      Home: () => go(0),
      End: () => go(rows.length - 1),
      ArrowRight: () => {
        if (chosen < 0 || !hasChildren(tree, chosen)) return;
        if (folded.has(chosen)) onFold(chosen, false);
        else go(at + 1);
      },
      ArrowLeft: () => {
        if (chosen < 0) return;
        if (hasChildren(tree, chosen) && !folded.has(chosen)) onFold(chosen, true);
        else if (parent >= 0) onChoose(parent);
      },
      Enter: onEnter,
    };
    const run = moves[event.key];
    if (run === undefined) return;
    event.preventDefault();
    run();
  };

  // Wheel listeners of React are passive: zooming must keep the page from zooming.
  const zooming = useRef({ shown, whole, onWindow, lane });
  zooming.current = { shown, whole, onWindow, lane };
  useEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    const onWheel = (event: WheelEvent) => {
      const { shown: now, whole: all, onWindow: set } = zooming.current;
      const box = element.querySelector('.tree-lane')?.getBoundingClientRect();
      if (box === undefined || event.clientX < box.left) return;
      const perPixel = (now.to - now.from) / Math.max(box.width, 1);
      if (event.ctrlKey || event.metaKey) {
        event.preventDefault();
        set(
          zoomWindow(
            now,
            all,
            Math.exp(event.deltaY * 0.003),
            now.from + (event.clientX - box.left) * perPixel,
          ),
        );
      } else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
        event.preventDefault();
        set(panWindow(now, all, (event.shiftKey ? event.deltaY : event.deltaX) * perPixel));
      }
    };
    element.addEventListener('wheel', onWheel, { passive: false });
    return () => element.removeEventListener('wheel', onWheel);
  }, []);

  const pan = useRef<{ x: number; window: Window; moved: boolean } | undefined>(undefined);
  const overBars = (event: PointerEvent<HTMLElement>): boolean => {
    const box = scroller.current?.querySelector('.tree-lane')?.getBoundingClientRect();
    return box !== undefined && event.clientX >= box.left;
  };

  const laneWidth = Math.max(0, lane.width - 16);
  // A label that would be cut at the right edge is left out; its line is drawn all the same.
  const ticks = buildTicks(shown, laneWidth).filter(
    tick => ((tick.us - shown.from) / (shown.to - shown.from)) * laneWidth < laneWidth - 44,
  );
  return (
    <div className="tree">
      <div className="tree-head tree-cols">
        <span className="tree-caption">{caption}</span>
        <span className="num">tokens</span>
        <span className="num">took</span>
        <div className="tree-axis" ref={lane.ref}>
          {ticks.map(tick => (
            <span
              key={tick.us}
              style={{ left: ((tick.us - shown.from) / (shown.to - shown.from)) * laneWidth }}
            >
              {tick.label}
            </span>
          ))}
        </div>
      </div>
      <div
        ref={merged}
        className="tree-scroll"
        role="treegrid"
        aria-label="Events of this run"
        aria-rowcount={rows.length}
        aria-colcount={3}
        aria-activedescendant={at >= 0 ? `span-${chosen}` : undefined}
        tabIndex={0}
        onKeyDown={onKeyDown}
        onPointerDown={event => {
          if (event.button === 0 && overBars(event))
            pan.current = { x: event.clientX, window: shown, moved: false };
        }}
        onPointerMove={event => {
          const held = pan.current;
          if (held === undefined) return;
          const by = event.clientX - held.x;
          if (!held.moved && Math.abs(by) < 4) return;
          if (!held.moved) event.currentTarget.setPointerCapture(event.pointerId);
          held.moved = true;
          onWindow(
            panWindow(
              held.window,
              whole,
              (-by * (held.window.to - held.window.from)) / Math.max(laneWidth, 1),
            ),
          );
        }}
        onPointerUp={() => {
          // The click that follows a drag must not choose a row.
          setTimeout(() => {
            pan.current = undefined;
          });
        }}
      >
        <div className="tree-canvas" style={{ height: 0 }} aria-hidden>
          <Waterfall
            spans={spans}
            lengths={lengths}
            rows={rows}
            parents={i => hasChildren(tree, i)}
            window={shown}
            width={laneWidth}
            height={size.height}
            scroller={scroller}
          />
        </div>
        {/* biome-ignore lint/a11y/useSemanticElements: as above */}
        <div role="rowgroup" className="tree-body" style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map(item => {
            const i = rows[item.index]!;
            const depth = tree.depth[i]!;
            const parent = hasChildren(tree, i);
            const open = parent && !folded.has(i);
            const label = labelOf(spans.event_type[i]!, spans.name[i]!);
            const Chevron = open ? IconChevronDown : IconChevronRight;
            return (
              // biome-ignore lint/a11y/useSemanticElements: as above
              // biome-ignore lint/a11y/useFocusableInteractive: the treegrid is the one tab stop
              // biome-ignore lint/a11y/useKeyWithClickEvents: keys are on the treegrid
              <div
                key={item.key}
                id={`span-${i}`}
                role="row"
                aria-rowindex={item.index + 1}
                aria-level={depth + 1}
                aria-expanded={parent ? open : undefined}
                aria-selected={i === chosen}
                className="span tree-cols"
                data-odd={item.index % 2 === 1}
                style={{ transform: `translateY(${item.start}px)` }}
                onClick={() => {
                  if (!pan.current?.moved) onChoose(i);
                }}
              >
                {/* biome-ignore lint/a11y/useSemanticElements: as above */}
                {/* biome-ignore lint/a11y/useFocusableInteractive: as above */}
                <div
                  role="gridcell"
                  className="span-name"
                  style={{ paddingLeft: Math.min(depth, MOST_INDENT) * 16 }}
                >
                  {parent ? (
                    <button
                      type="button"
                      className="span-fold"
                      tabIndex={-1}
                      aria-label={open ? 'Fold' : 'Unfold'}
                      onClick={event => {
                        event.stopPropagation();
                        onFold(i, open);
                      }}
                    >
                      <Chevron size={12} />
                    </button>
                  ) : (
                    <span className="span-fold" />
                  )}
                  <span className="span-kind" data-kind={spans.kind[i]} />
                  <span className={kept?.[i] === 1 ? 'span-label faded' : 'span-label'} title={label}>
                    {kept?.[i] === 2
                      ? markText(label, find).map(part =>
                          part.marked ? (
                            <mark key={part.at}>{part.text}</mark>
                          ) : (
                            <span key={part.at}>{part.text}</span>
                          ),
                        )
                      : label}
                  </span>
                  {spans.status[i] === 'error' && <span className="span-error">error</span>}
                  <span className="grow" />
                  <DecisionBadge state={spans.decision[i]!} quiet={spans.decision[i] === 'allowed'} />
                </div>
                {/* biome-ignore lint/a11y/useSemanticElements: as above */}
                {/* biome-ignore lint/a11y/useFocusableInteractive: as above */}
                <div role="gridcell" className="num span-num">
                  {spans.tokens[i]! > 0 ? formatCount(spans.tokens[i]!) : ''}
                </div>
                {/* biome-ignore lint/a11y/useSemanticElements: as above */}
                {/* biome-ignore lint/a11y/useFocusableInteractive: as above */}
                <div role="gridcell" className="num span-num">
                  {lengths[i]! > 0 ? formatDuration(lengths[i]!) : ''}
                </div>
                <div className="tree-lane" />
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}
