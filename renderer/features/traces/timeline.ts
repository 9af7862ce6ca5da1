/**
 * The time axis of a run: window, ticks, and the minimap as buckets of pixels. Pure.
 * Times are microseconds since the run's first event.
 */
import type { SpanColumns } from '../../../core/api/views.ts';
import { formatDuration } from '../../ui/times.ts';
import type { SpanTree } from './span_tree.ts';

export type Window = { from: number; to: number };

/** The shortest window that zooming reaches. */
export const LEAST_WINDOW_US = 50;
/** A run that took no time still has an axis. */
export const wholeOf = (durationUs: number): Window => ({ from: 0, to: Math.max(durationUs, 1_000) });

/** Keeps a window inside the whole, no shorter than LEAST_WINDOW_US. */
export function clampWindow(window: Window, whole: Window): Window {
  const length = Math.min(Math.max(window.to - window.from, LEAST_WINDOW_US), whole.to - whole.from);
  const from = Math.min(Math.max(window.from, whole.from), whole.to - length);
  return { from, to: from + length };
}

/** Zooms by `factor` (below 1 is closer) around the instant `at`. */
export function zoomWindow(window: Window, whole: Window, factor: number, at: number): Window {
  return clampWindow({ from: at - (at - window.from) * factor, to: at + (window.to - at) * factor }, whole);
}

export function panWindow(window: Window, whole: Window, byUs: number): Window {
  return clampWindow({ from: window.from + byUs, to: window.to + byUs }, whole);
}

export const isWhole = (window: Window, whole: Window): boolean =>
  window.from <= whole.from && window.to >= whole.to;

const STEPS = [1, 2, 5];
/** From ten seconds on people count in parts of minutes, hours and days. */
const LARGE_S = [10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400];

/** A step in microseconds so that about `most` ticks fit. */
function stepFor(lengthUs: number, most: number): number {
  const least = lengthUs / Math.max(most, 1);
  if (least > 5_000_000) {
    const large = LARGE_S.find(s => s * 1e6 >= least);
    return (large ?? Math.ceil(least / 86_400e6) * 86_400) * 1e6;
  }
  const power = 10 ** Math.floor(Math.log10(Math.max(least, 1)));
  return (STEPS.find(step => step * power >= least) ?? 10) * power;
}

export type Tick = { us: number; label: string };

export function buildTicks(window: Window, widthPx: number): Tick[] {
  const step = stepFor(window.to - window.from, Math.floor(widthPx / 62));
  const ticks: Tick[] = [];
  for (let us = Math.ceil(window.from / step) * step; us <= window.to; us += step) {
    ticks.push({ us, label: us === 0 ? '0' : formatDuration(us).replace('.0 s', ' s') });
  }
  return ticks;
}

/** Colours of bars, by rising importance: the greatest wins where several share a pixel. */
export const SHADES = [
  'none',
  'other',
  'user',
  'agent',
  'llm',
  'tool',
  'allow',
  'ask',
  'fail',
  'deny',
] as const;
export type Shade = (typeof SHADES)[number];
const shadeIndex = new Map<string, number>(SHADES.map((shade, i) => [shade, i]));

/** The colour of a span: what was decided outranks what kind it is; plain allowance stays the kind's colour. */
export function shadeOf(spans: SpanColumns, i: number): Shade {
  const decision = spans.decision[i];
  if (decision === 'denied' || decision === 'refused' || spans.status[i] === 'error') return 'deny';
  if (decision === 'failed') return 'fail';
  if (decision === 'waiting' || decision === 'approved' || decision === 'consumed' || decision === 'expired')
    return 'ask';
  const kind = spans.kind[i];
  if (kind === 'llm' || kind === 'tool' || kind === 'user' || kind === 'agent') return kind;
  if (kind === 'approval') return 'ask';
  if (kind === 'decision') return 'allow';
  return 'other';
}

export type Minimap = { width: number; lanes: number; cells: Uint8Array };

/**
 * One cell per pixel column and lane (depth, at most `lanes`), holding an index into SHADES. Drawing it costs the same
 * for ten spans and for a hundred thousand.
 */
export function buildMinimap(
  spans: SpanColumns,
  lengths: ArrayLike<number>,
  tree: SpanTree,
  width: number,
  lanes: number,
  totalUs: number,
): Minimap {
  const cells = new Uint8Array(width * lanes);
  const perPixel = totalUs / Math.max(width, 1);
  for (let i = 0; i < tree.size; i++) {
    const lane = Math.min(tree.depth[i]!, lanes - 1);
    const shade = shadeIndex.get(shadeOf(spans, i)) ?? 1;
    const first = Math.min(Math.floor(spans.start_us[i]! / perPixel), width - 1);
    const last = Math.min(
      Math.max(first, Math.ceil((spans.start_us[i]! + lengths[i]!) / perPixel) - 1),
      width - 1,
    );
    const base = lane * width;
    for (let x = base + first; x <= base + last; x++) if (cells[x]! < shade) cells[x] = shade;
  }
  return { width, lanes, cells };
}
