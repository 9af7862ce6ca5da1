/**
 * Where the code that runs now stands: session, trace and span, carried by AsyncLocalStorage; and the W3C trace
 * context that carries them across processes (https://www.w3.org/TR/trace-context/, version 00).
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { randomBytes } from 'node:crypto';
import type { SpanRecord } from './span.ts';

export type Scope = {
  /** Shared by all that runs within one `tr.session`; `setSession` changes it for them all. */
  readonly session?: { id: string };
  readonly traceId?: string;
  /** event_id of the parent. */
  readonly parentId?: string;
  readonly span?: SpanRecord;
};

const storage = new AsyncLocalStorage<Scope>();

export const scope = (): Scope => storage.getStore() ?? {};
export const within = <T>(inner: Scope, fn: () => T): T => storage.run(inner, fn);

const randomHex = (bytes: number): string => {
  for (;;) {
    const text = randomBytes(bytes).toString('hex');
    // All zeros are no id in a trace context.
    if (/[1-9a-f]/.test(text)) return text;
  }
};

export const newTraceId = (): string => randomHex(16);
export const newSpanId = (): string => randomHex(8);
/** The collector gives spans that come by OTLP ids of this form too: both kinds can be each other's parent. */
export const eventId = (traceId: string, spanId: string): string => `${traceId}-${spanId}`;

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

export function parseTraceparent(header: unknown): { traceId: string; spanId: string } | undefined {
  const parts = typeof header === 'string' ? TRACEPARENT.exec(header.trim()) : null;
  if (parts === null) return undefined;
  const [, version, traceId, spanId, , rest] = parts as unknown as [
    string,
    string,
    string,
    string,
    string,
    string?,
  ];
  if (version === 'ff' || (version === '00' && rest !== undefined)) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId };
}

/** `00-<trace id>-<span id>-01` of the span or incoming parent in force; undefined outside of both. */
export function formatTraceparent({ span, traceId, parentId }: Scope): string | undefined {
  const id = span?.id ?? parentId;
  const spanId = id?.slice(-16);
  const trace = span?.traceId ?? traceId;
  return trace === undefined || spanId === undefined ? undefined : `00-${trace}-${spanId}-01`;
}

let offset = Date.now() - performance.now();

/** Microseconds since 1970; does not step back unless the system's clock does by more than a few milliseconds. */
export function nowMicros(): number {
  const monotonic = performance.now();
  const wall = Date.now();
  if (Math.abs(wall - (offset + monotonic)) > 5) offset = wall - monotonic;
  return Math.round((offset + monotonic) * 1000);
}

/** `YYYY-MM-DDTHH:MM:SS.ffffffZ` */
export function timeText(micros: number): string {
  const millis = Math.floor(micros / 1000);
  return `${new Date(millis).toISOString().slice(0, -1)}${String(micros - millis * 1000).padStart(3, '0')}Z`;
}
