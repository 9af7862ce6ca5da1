/**
 * One configured recorder: endpoint, key, queue and the outcomes that are still to be told. `index.ts` holds the one
 * in force. Rules: recording never throws at the host and never waits for the network; every bound is finite.
 */
import { randomUUID } from 'node:crypto';
import { nowMicros, scope, timeText, within } from './context.ts';
import { EventQueue } from './queue.ts';
import { SpanRecord } from './span.ts';
import { type Answer, type Ask, parseApiKey, problemOf, Transport, Unreachable } from './transport.ts';
import type {
  Actor,
  Event,
  GateState,
  InitOptions,
  Notice,
  NoticeCode,
  Span,
  SpanOptions,
  Stats,
} from './types.ts';
import { clip, textOf } from './values.ts';

const APP_ID = /^[a-z0-9][a-z0-9._-]{0,63}$/;
const DEFAULT_ENDPOINT = 'http://127.0.0.1:4318';
/** Outcomes that wait for the collector to come back. */
const MAX_OUTCOMES = 1_000;
const OUTCOME_RETRIES = 8;

const warned = new Set<NoticeCode>();

/** The default `onError`: once per code. */
export function warnOnce({ code, message, next }: Notice): void {
  if (warned.has(code)) return;
  warned.add(code);
  console.warn(`trailmix: ${message} [${code}] ${next}`);
}

const bound = (value: number | undefined, otherwise: number, least = 1): number =>
  typeof value === 'number' && Number.isFinite(value) && value >= least ? Math.floor(value) : otherwise;

/** Any actor from the host in the form that the ledger takes. */
export function actorOf(given: Actor | undefined, otherwise: Actor): Actor {
  if (given === undefined || given === null) return otherwise;
  const type = (['user', 'agent', 'service'] as const).find(each => each === given.type) ?? otherwise.type;
  return { type, id: clip(textOf(given.id ?? '')) || otherwise.id };
}

export class Client {
  readonly appId: string;
  readonly actor: Actor;
  readonly requestMs: number;
  readonly exitMs: number;
  readonly maxValueBytes: number;
  readonly #queue: EventQueue;
  readonly #transport: Transport | undefined;
  readonly #options: InitOptions;
  readonly #outcomes = new Set<Promise<void>>();
  #sessionId: string;
  /** Of the last event: what the queue says of its own belongs to that run and is none of its own. */
  #lastSessionId: string;
  #closed = false;

  constructor(options: InitOptions) {
    this.#options = options;
    const env = process.env;
    const appId = options.appId ?? env.TRAILMIX_APP_ID ?? '';
    const key = parseApiKey(options.apiKey ?? env.TRAILMIX_API_KEY ?? '');
    const endpoint = endpointOf(options.endpoint ?? env.TRAILMIX_ENDPOINT ?? DEFAULT_ENDPOINT);
    if (key === undefined)
      this.notice('key_missing', 'no usable API key: nothing is recorded and gated calls are refused', {
        next: 'Give tr.init an apiKey of the form tm1.<id>.<auth>.<mac>, or set TRAILMIX_API_KEY.',
      });
    if (!APP_ID.test(appId))
      this.notice('app_missing', 'no usable appId: nothing is recorded and gated calls are refused', {
        next: 'Give tr.init the appId that the key was made for ([a-z0-9][a-z0-9._-]{0,63}), or set TRAILMIX_APP_ID.',
      });
    if (endpoint === undefined)
      this.notice('endpoint_invalid', 'the endpoint is not an http(s) origin: nothing is recorded', {
        next: 'Use the address that `trailmix start` printed, without a path.',
      });
    this.appId = APP_ID.test(appId) ? appId : 'unknown';
    this.actor = actorOf(options.actor, { type: 'agent', id: this.appId });
    this.requestMs = bound(options.timeouts?.requestMs, 10_000);
    this.exitMs = bound(options.timeouts?.exitMs, 2_000, 0);
    this.maxValueBytes = bound(options.maxValueBytes, 1024 * 1024, 64);
    this.#sessionId = clip(textOf(options.sessionId ?? '')) || `ses_${randomUUID()}`;
    this.#lastSessionId = this.#sessionId;
    const transport =
      key !== undefined && endpoint !== undefined && APP_ID.test(appId)
        ? new Transport(endpoint, key)
        : undefined;
    this.#transport = transport;
    this.#queue = new EventQueue(
      {
        maxEvents: bound(options.queue?.maxEvents, 10_000),
        maxBytes: bound(options.queue?.maxBytes, 64 * 1024 * 1024),
        batchEvents: Math.min(1_000, bound(options.batch?.maxEvents, 256)),
        batchBytes: Math.min(8 * 1024 * 1024, bound(options.batch?.maxBytes, 1024 * 1024)),
        maxDelayMs: bound(options.batch?.maxDelayMs, 200, 0),
      },
      {
        send: body => this.ask({ method: 'POST', path: '/api/events', body, timeoutMs: this.requestMs }),
        make: (type, input) => this.#ownEvent(type, input),
        newStreamId: () => `str_${randomUUID()}`,
        mustProve: key?.mac !== undefined,
        notice: notice => this.#tell(notice),
      },
    );
  }

  /** Whether events have somewhere to go. */
  get isReady(): boolean {
    return this.#transport !== undefined && !this.#closed;
  }

  get stats(): Stats {
    return { ...this.#queue.stats, queued: this.#queue.length };
  }

  get sessionId(): string {
    return scope().session?.id ?? this.#sessionId;
  }

  /** Of the `tr.session` in force, else of the process. */
  setSession(id: string): void {
    const session = scope().session;
    const made = clip(textOf(id)) || `ses_${randomUUID()}`;
    if (session === undefined) this.#sessionId = made;
    else session.id = made;
  }

  /** Throws Unreachable, or the signal's reason. */
  ask(ask: Ask): Promise<Answer> {
    if (this.#transport === undefined || this.#closed)
      return Promise.reject(new Unreachable('tr.init has no usable key, app or endpoint'));
    return this.#transport.request(ask);
  }

  startSpan(name: string, options: SpanOptions): SpanRecord {
    return new SpanRecord(
      name,
      options.actor === undefined ? options : { ...options, actor: actorOf(options.actor, this.actor) },
      scope(),
      { appId: this.appId, sessionId: this.sessionId, actor: this.actor, maxValueBytes: this.maxValueBytes },
    );
  }

  endSpan(span: SpanRecord): void {
    try {
      const event = span.end();
      if (event === undefined || !this.isReady) return;
      this.#lastSessionId = event.session_id;
      this.#queue.add(event);
    } catch (error) {
      this.notice(
        'recording_failed',
        `an event could not be recorded: ${error instanceof Error ? error.name : 'error'}`,
        {
          next: 'Please report this: it should not happen.',
          dropped: 1,
        },
      );
    }
  }

  /** Runs fn within a new span and returns what it returns; a promise ends the span when it settles. */
  span<T>(name: string, options: SpanOptions, fn: (span: Span) => T): T {
    const span = this.startSpan(name, options);
    const outer = scope();
    let result: T;
    try {
      result = within({ ...outer, span }, () => fn(span));
    } catch (error) {
      span.failed(error);
      this.endSpan(span);
      throw error;
    }
    if (!isThenable(result)) {
      this.endSpan(span);
      return result;
    }
    // The types allow T to be a promise only where the caller gets one.
    return Promise.resolve(result).then(
      value => {
        this.endSpan(span);
        return value;
      },
      error => {
        span.failed(error);
        this.endSpan(span);
        throw error;
      },
    ) as T;
  }

  /**
   * Tells the collector what came of a granted call. Resolves after the first try; a failed one is repeated behind.
   * Never throws.
   */
  async tellOutcome(decisionId: string, outcome: object): Promise<void> {
    const path = `/api/decisions/${encodeURIComponent(decisionId)}/outcome`;
    const body = JSON.stringify(outcome);
    const attempt = async (): Promise<'done' | 'lost' | 'again'> => {
      try {
        const answer = await this.ask({ method: 'POST', path, body, timeoutMs: this.requestMs });
        if (!answer.proven || answer.status === 429 || answer.status >= 500) return 'again';
        // outcome_conflict: the collector has one already.
        if (answer.status < 300 || problemOf(answer).code === 'outcome_conflict') return 'done';
        return 'lost';
      } catch {
        return 'again';
      }
    };
    const lost = (): void =>
      this.notice('outcome_lost', 'the outcome of a gated call could not be recorded', {
        next: 'The ledger shows the call without an outcome.',
      });
    const first = await attempt();
    if (first === 'lost' || (first === 'again' && this.#outcomes.size >= MAX_OUTCOMES)) lost();
    if (first !== 'again' || this.#outcomes.size >= MAX_OUTCOMES) return;
    const later = (async () => {
      for (let i = 0; i < OUTCOME_RETRIES; i++) {
        await new Promise<void>(resolve => setTimeout(resolve, 250 * 2 ** i).unref());
        const result = await attempt();
        if (result === 'lost') break;
        if (result === 'done') return;
      }
      lost();
    })();
    this.#outcomes.add(later);
    void later.finally(() => this.#outcomes.delete(later));
  }

  async flush(timeoutMs: number): Promise<boolean> {
    const outcomes = [...this.#outcomes];
    const [events, told] = await Promise.all([
      this.#queue.flush(timeoutMs),
      outcomes.length === 0 ? true : settledWithin(outcomes, timeoutMs),
    ]);
    return events && told;
  }

  /** Ends the stream and sends what is left. Answers whether all of it arrived. */
  async endStream(timeoutMs: number): Promise<boolean> {
    const until = Date.now() + timeoutMs;
    let done = true;
    // An event refused on the way makes a gap event, and so a stream of its own to end.
    for (let round = 0; round < 3 && (round === 0 || this.#queue.hasOpenStream); round++) {
      this.#queue.end();
      done = await this.flush(Math.max(0, until - Date.now()));
    }
    return done;
  }

  /** Whether a process that ends now would lose something. */
  get hasUnsent(): boolean {
    return this.#queue.hasOpenStream || this.#queue.length > 0 || this.#outcomes.size > 0;
  }

  async close(timeoutMs: number): Promise<boolean> {
    const done = await this.endStream(timeoutMs);
    this.#closed = true;
    this.giveUp();
    return done;
  }

  /** Drops what is queued, says how much that was, and breaks off what is under way. */
  giveUp(): void {
    const left = this.#queue.abandon();
    if (left > 0)
      this.notice('collector_unavailable', `events not delivered before the end: ${left}`, {
        next: 'Start the collector first, or wait longer in tr.shutdown.',
        dropped: left,
      });
    this.#transport?.close();
  }

  notice(code: NoticeCode, message: string, more: { next: string; dropped?: number }): void {
    this.#tell({ code, message, ...more });
  }

  gateState(state: GateState): void {
    try {
      this.#options.onDecision?.(state);
    } catch {
      // A listener's fault is not the call's.
    }
  }

  #tell(notice: Notice): void {
    try {
      (this.#options.onError ?? warnOnce)(notice);
    } catch {
      // As above.
    }
  }

  #ownEvent(type: 'gap' | 'stream.end', input?: { stream: string; from: number; to: number }): Event {
    return {
      event_id: `${type === 'gap' ? 'gap' : 'end'}_${randomUUID()}`,
      session_id: this.#lastSessionId,
      ts: timeText(nowMicros()),
      event_type: type,
      actor_type: this.actor.type,
      actor_id: this.actor.id,
      app_id: this.appId,
      name: type === 'gap' ? 'events dropped' : 'end of stream',
      ...(input === undefined ? {} : { input }),
    };
  }
}

function endpointOf(text: string): URL | undefined {
  try {
    const url = new URL(text);
    const isOrigin =
      (url.pathname === '/' || url.pathname === '') && url.search === '' && url.username === '';
    return (url.protocol === 'http:' || url.protocol === 'https:') && isOrigin ? url : undefined;
  } catch {
    return undefined;
  }
}

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  (typeof value === 'object' || typeof value === 'function') &&
  value !== null &&
  typeof (value as { then?: unknown }).then === 'function';

const settledWithin = (promises: Promise<void>[], timeoutMs: number): Promise<boolean> =>
  new Promise(resolve => {
    const timer = setTimeout(() => resolve(false), timeoutMs);
    void Promise.all(promises).then(() => {
      clearTimeout(timer);
      resolve(true);
    });
  });
