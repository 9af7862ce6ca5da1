/**
 * All bars of the visible rows on one canvas, under the rows of the tree. It draws what scrolls into sight and nothing
 * else; the frame costs the same however long the run is. Pointer: wheel with Ctrl zooms, drag pans.
 */
import { type RefObject, useEffect, useLayoutEffect, useMemo, useRef } from 'react';
import type { SpanColumns } from '../../../core/api/views.ts';
import { buildTicks, SHADES, shadeOf, type Window } from './timeline.ts';
import { useColours } from './useColours.ts';

export const ROW = 26;
const BAR = 12;

export function Waterfall({
  spans,
  lengths,
  rows,
  parents,
  window: shown,
  width,
  height,
  scroller,
}: {
  spans: SpanColumns;
  lengths: Float64Array;
  /** Span indexes of all rows, in order. */
  rows: Int32Array;
  /** Whether a span has others below it: drawn lighter, as a bracket around them. */
  parents: (i: number) => boolean;
  window: Window;
  width: number;
  height: number;
  scroller: RefObject<HTMLElement | null>;
}) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const colours = useColours();
  const shadeCode = useMemo(() => new Map(SHADES.map((shade, i) => [shade as string, i])), []);

  useLayoutEffect(() => {
    const at = canvas.current;
    if (at === null || width <= 0 || height <= 0) return;
    const ratio = globalThis.devicePixelRatio || 1;
    at.width = Math.round(width * ratio);
    at.height = Math.round(height * ratio);
  }, [width, height]);

  const draw = useRef<() => void>(() => {});
  draw.current = () => {
    const at = canvas.current;
    const paint = at?.getContext('2d');
    if (!at || !paint || width <= 0) return;
    const ratio = globalThis.devicePixelRatio || 1;
    const top = scroller.current?.scrollTop ?? 0;
    paint.setTransform(ratio, 0, 0, ratio, 0, 0);
    paint.clearRect(0, 0, width, height);
    const perUs = width / (shown.to - shown.from);
    paint.fillStyle = colours.line;
    paint.globalAlpha = 0.55;
    for (const tick of buildTicks(shown, width))
      paint.fillRect(Math.round((tick.us - shown.from) * perUs), 0, 1, height);
    const first = Math.max(0, Math.floor(top / ROW));
    const last = Math.min(rows.length - 1, Math.ceil((top + height) / ROW));
    for (let row = first; row <= last; row++) {
      const i = rows[row]!;
      const x = (spans.start_us[i]! - shown.from) * perUs;
      const length = lengths[i]! * perUs;
      if (x > width + 2 || x + length < -2) continue;
      const y = row * ROW - top + (ROW - BAR) / 2;
      const left = Math.max(x, -4);
      const right = Math.min(x + Math.max(length, 2), width + 4);
      paint.fillStyle = colours.shades[shadeCode.get(shadeOf(spans, i)) ?? 1]!;
      paint.globalAlpha = parents(i) && spans.decision[i] === '' ? 0.42 : 0.92;
      paint.beginPath();
      paint.roundRect(left, y, Math.max(right - left, 2), BAR, Math.min(2.5, Math.max(right - left, 2) / 2));
      paint.fill();
    }
    paint.globalAlpha = 1;
  };

  useLayoutEffect(() => draw.current());

  useEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    let frame = 0;
    const onScroll = () => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(() => draw.current());
    };
    element.addEventListener('scroll', onScroll, { passive: true });
    return () => {
      cancelAnimationFrame(frame);
      element.removeEventListener('scroll', onScroll);
    };
  }, [scroller]);

  return <canvas ref={canvas} className="waterfall" style={{ width, height }} aria-hidden />;
}
