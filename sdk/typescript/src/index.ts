/**
 * @trailmix/ts: receipts for what an agent does, and a gate for what it may do.
 * `tr` and the free functions are the same thing in two forms. Rules: recording never throws at the host, whether or
 * not `tr.init` was called or a collector runs; a gated call never runs for want of a collector.
 */
import { Client, warnOnce } from './client.ts';
import { formatTraceparent, parseTraceparent, scope, eventId as spanEventId, within } from './context.ts';
import { guard } from './gate.ts';
import type { Eval, Guarded, InitOptions, PolicyCheckOptions, Span, SpanOptions, Stats } from './types.ts';

export {
  ApprovalCancelled,
  ApprovalConsumed,
  ApprovalDenied,
  ApprovalTimedOut,
  ArgsNotJson,
  CollectorUnavailable,
  GateError,
  GateRefused,
  PolicyDenied,
} from './errors.ts';
export type {
  Actor,
  ActorType,
  CancelSignal,
  Eval,
  Event,
  GateState,
  Guarded,
  InitOptions,
  ModelCall,
  Notice,
  NoticeCode,
  PolicyCheckOptions,
  PolicyEval,
  Risk,
  Span,
  SpanOptions,
  Stats,
  Ticket,
  TicketState,
  ToolCall,
} from './types.ts';

const CLOSE_MS = 5_000;

let client: Client | undefined;
let isWatchingExit = false;

/** Starts recording. A second call ends the first one's stream and goes on with the new options. Never throws. */
function init(options: InitOptions = {}): void {
  const before = client;
  client = new Client(options ?? {});
  if (before !== undefined) void before.close(CLOSE_MS);
  if (isWatchingExit) return;
  isWatchingExit = true;
  process.on('beforeExit', flushAtExit);
}

let exitTries = 0;

/** The process has nothing left to do: send what is left, once, and let it end whatever comes of that. */
function flushAtExit(): void {
  const ending = client;
  if (ending === undefined || !ending.hasUnsent || exitTries === ending.stats.recorded + 1) return;
  exitTries = ending.stats.recorded + 1;
  void ending.endStream(ending.exitMs).then(done => done || ending.giveUp());
}

/** The client in force. Without `tr.init`, one made of the environment; if that is not enough it says so, once. */
function current(): Client {
  if (client === undefined) {
    const { TRAILMIX_API_KEY, TRAILMIX_APP_ID } = process.env;
    if (TRAILMIX_API_KEY === undefined || TRAILMIX_APP_ID === undefined) {
      warnOnce({
        code: 'not_initialised',
        message: 'tr.init was not called: nothing is recorded and gated calls are refused',
        next: 'Call tr.init({ apiKey, appId }) first, or set TRAILMIX_API_KEY and TRAILMIX_APP_ID.',
      });
      return new Client({ onError: () => undefined });
    }
    init();
  }
  return client!;
}

/**
 * Runs `fn` as one span and returns what it returns, promise or not. What it throws is recorded and thrown on. Spans
 * within it, also after `await`, become its children.
 */
export function span<T>(name: string, options: SpanOptions, fn: (span: Span) => T): T;
export function span<T>(name: string, fn: (span: Span) => T): T;
export function span<T>(name: string, given: SpanOptions | ((span: Span) => T), fn?: (span: Span) => T): T {
  const [options, run] = typeof given === 'function' ? [{}, given] : [given ?? {}, fn!];
  return current().span(name, options, run);
}

/**
 * `fn` behind the policy: a call asks the collector first, waits for an approval where the policy wants one, then runs
 * `fn` with the copy of the arguments that was decided on. Throws a GateError instead of running.
 */
export function policyCheck<A extends unknown[], R>(
  fn: (...args: A) => R,
  options: PolicyCheckOptions,
): Guarded<A, R> {
  return guard(fn, options, current);
}

/** On the span in force; without one, nothing is recorded and a warning says so once. */
export function recordInput(value: unknown): void {
  active()?.recordInput(value);
}

export function recordOutput(value: unknown): void {
  active()?.recordOutput(value);
}

export function attachEval(result: Eval): void {
  active()?.attachEval(result);
}

function active(): Span | undefined {
  const { span: found } = scope();
  if (found === undefined)
    warnOnce({
      code: 'recording_failed',
      message: 'recordInput, recordOutput and attachEval were called outside of a span',
      next: 'Call them within span(name, options, fn).',
    });
  return found;
}

/** All that `fn` records is one run of its own: session `id`, or a new one. Returns what `fn` returns. */
function session<T>(options: { id?: string }, fn: () => T): T {
  const held = { id: '' };
  return within({ session: held }, () => {
    current().setSession(options?.id ?? '');
    return fn();
  });
}

/** The session of what follows: within `tr.session` for it, else for the whole process. */
function setSession(id: string): void {
  current().setSession(id);
}

/** W3C `traceparent` of the span in force, to send with a request; undefined outside of any. */
function traceparent(): string | undefined {
  return formatTraceparent(scope());
}

/**
 * Runs `fn` as part of the caller's trace. Unless a session is set, the trace id is the session, as it is for spans
 * that come by OpenTelemetry. A header that is missing or not valid changes nothing.
 */
function withTraceparent<T>(header: string | null | undefined, fn: () => T): T {
  const parent = parseTraceparent(header);
  if (parent === undefined) return fn();
  const { traceId, spanId } = parent;
  return within(
    { session: scope().session ?? { id: traceId }, traceId, parentId: spanEventId(traceId, spanId) },
    fn,
  );
}

/** Waits until all that was recorded so far is durable; false when it was not within `timeoutMs` (default 5,000). */
async function flush(options: { timeoutMs?: number } = {}): Promise<boolean> {
  return client === undefined ? true : client.flush(options.timeoutMs ?? CLOSE_MS);
}

/** Ends the stream, sends what is left, closes connections. False when something could not be delivered. */
async function shutdown(options: { timeoutMs?: number } = {}): Promise<boolean> {
  return client === undefined ? true : client.close(options.timeoutMs ?? CLOSE_MS);
}

/** Counts of this client. */
function stats(): Stats {
  return client?.stats ?? { recorded: 0, acknowledged: 0, queued: 0, dropped: 0 };
}

export const tr = {
  init,
  span,
  policyCheck,
  recordInput,
  recordOutput,
  attachEval,
  session,
  setSession,
  traceparent,
  withTraceparent,
  flush,
  shutdown,
  stats,
};
