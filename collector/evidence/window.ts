/** The window of a pack: what was asked for, in the six digits of received_at. Format: docs/spec/pack.md, "Scope". */
import { TrailmixError } from '../../core/api/errors.ts';
import { formatMicros, tsMicros, validTs } from '../../core/event/time.ts';
import { INCLUDES, type Include } from '../../core/pack/manifest.ts';
import { paddedFrom, paddedTo } from '../../core/pack/padding.ts';
import type { ExportRequest } from '../http/services.ts';

export type Window = {
  readonly appId: string;
  readonly requested: { readonly from: string; readonly to: string };
  /** Six digits, both inclusive. */
  readonly from: string;
  readonly to: string;
  readonly include: readonly Include[];
};

/** Throws ts_invalid, scope_empty. */
export function windowOf(request: ExportRequest): Window {
  const { app_id, time_from, time_to } = request;
  const valid = (text: string, where: string): void => {
    if (!validTs(text)) throw new TrailmixError('ts_invalid', { where });
  };
  valid(time_from, '/time_from');
  valid(time_to, '/time_to');
  const from = paddedFrom(time_from);
  const to = paddedTo(time_to);
  if (from > to) throw new TrailmixError('scope_empty', { where: '/time_to' });
  const include = [...new Set(request.include ?? INCLUDES)].sort();
  return { appId: app_id, requested: { from: time_from, to: time_to }, from, to, include };
}

/** Ends the window before the export's own record. */
export function endBefore(window: Window, receivedAt: string): Window {
  return window.to < receivedAt ? window : { ...window, to: formatMicros(tsMicros(receivedAt) - 1) };
}
