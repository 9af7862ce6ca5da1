/** The whole run at a glance; drag to choose a window, drag the window to move it, double-click for all of it. */
import { useElementSize } from '@mantine/hooks';
import { type PointerEvent, useLayoutEffect, useMemo, useRef, useState } from 'react';
import type { SpanColumns } from '../../../core/api/views.ts';
import { formatDuration } from '../../ui/times.ts';
import type { SpanTree } from './span_tree.ts';
import { buildMinimap, clampWindow, isWhole, panWindow, type Window } from './timeline.ts';
import { useColours } from './useColours.ts';

const LANES = 4;
const LANE = 9;
const HEIGHT = 36;

export function Minimap({
  spans,
  lengths,
  tree,
  whole,
  window: shown,
  onWindow,
}: {
  spans: SpanColumns;
  lengths: Float64Array;
  tree: SpanTree;
  whole: Window;
  window: Window;
  onWindow: (window: Window) => void;
}) {
  const { ref, width } = useElementSize();
  const canvas = useRef<HTMLCanvasElement>(null);
  const colours = useColours();
  const pixels = Math.floor(width);
  const map = useMemo(
    () => (pixels > 0 ? buildMinimap(spans, lengths, tree, pixels, LANES, whole.to) : undefined),
    [spans, lengths, tree, pixels, whole.to],
  );
  const [drag, setDrag] = useState<{ from: number; to: number } | undefined>();
  const move = useRef<{ x: number; window: Window } | undefined>(undefined);

  useLayoutEffect(() => {
    const at = canvas.current;
    const paint = at?.getContext('2d');
    if (!at || !paint || map === undefined) return;
    const ratio = globalThis.devicePixelRatio || 1;
    at.width = Math.round(map.width * ratio);
    at.height = Math.round(HEIGHT * ratio);
    paint.setTransform(ratio, 0, 0, ratio, 0, 0);
    paint.clearRect(0, 0, map.width, HEIGHT);
    paint.globalAlpha = 0.85;
    for (let lane = 0; lane < map.lanes; lane++) {
      // One rectangle per run of equal cells.
      for (let x = 0; x < map.width; ) {
        const shade = map.cells[lane * map.width + x]!;
        let end = x + 1;
        while (end < map.width && map.cells[lane * map.width + end] === shade) end++;
        if (shade > 0) {
          paint.fillStyle = colours.shades[shade]!;
          paint.fillRect(x, 1 + lane * LANE, Math.max(end - x, 1.5), LANE - 2);
        }
        x = end;
      }
    }
  }, [map, colours]);

  const usAt = (event: PointerEvent<HTMLElement>): number => {
    const box = event.currentTarget.getBoundingClientRect();
    return Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1) * whole.to;
  };
  const percent = (us: number): string => `${(us / whole.to) * 100}%`;
  const selection =
    drag === undefined ? shown : { from: Math.min(drag.from, drag.to), to: Math.max(drag.from, drag.to) };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the keys + - 0 do the same
    <div
      className="minimap"
      onPointerDown={event => {
        event.currentTarget.setPointerCapture(event.pointerId);
        const us = usAt(event);
        if (!isWhole(shown, whole) && us > shown.from && us < shown.to)
          move.current = { x: us, window: shown };
        else setDrag({ from: us, to: us });
      }}
      onPointerMove={event => {
        const us = usAt(event);
        if (move.current !== undefined) onWindow(panWindow(move.current.window, whole, us - move.current.x));
        else if (drag !== undefined) setDrag({ from: drag.from, to: us });
      }}
      onPointerUp={() => {
        if (drag !== undefined && selection.to - selection.from > whole.to / 200)
          onWindow(clampWindow(selection, whole));
        setDrag(undefined);
        move.current = undefined;
      }}
      onPointerCancel={() => {
        setDrag(undefined);
        move.current = undefined;
      }}
      onDoubleClick={() => onWindow(whole)}
    >
      <div ref={ref} className="minimap-canvas">
        <canvas ref={canvas} style={{ width: pixels, height: HEIGHT }} aria-hidden />
        <div
          className="minimap-window"
          data-whole={isWhole(selection, whole)}
          style={{ left: percent(selection.from), width: percent(selection.to - selection.from) }}
        />
      </div>
      <span className="visually-hidden">
        Shows {formatDuration(shown.from)} to {formatDuration(shown.to)} of {formatDuration(whole.to)}. Plus
        and minus zoom, 0 shows the whole run.
      </span>
    </div>
  );
}
