/**
 * One span while it runs, and the event it becomes. Rules: nothing here throws at the host; whatever the host hands
 * over is copied at once and brought into the form that the event schema asks (docs/spec/event.md).
 */
import { EVENT_TYPE, isReservedType } from '../../../core/event/types.ts';
import type { JsonValue } from '../../../core/proof/jcs.ts';
import { eventId, newSpanId, newTraceId, nowMicros, type Scope, timeText } from './context.ts';
import type {
  Actor,
  Eval,
  Event,
  ModelCall,
  PolicyEval,
  Risk,
  Span,
  SpanOptions,
  ToolCall,
} from './types.ts';
import { clip, recorded, textOf } from './values.ts';

const RISKS: readonly unknown[] = ['low', 'medium', 'high', 'critical'] satisfies Risk[];
const MAX_LISTED = 1_000;

export type SpanDefaults = { appId: string; sessionId: string; actor: Actor; maxValueBytes: number };

/** Collects what a span records. Its methods are safe with any argument, also from untyped code. */
export class SpanRecord implements Span {
  readonly id: string;
  readonly traceId: string;
  readonly sessionId: string;
  readonly actor: Actor;
  readonly #started = nowMicros();
  readonly #appId: string;
  readonly #maxValueBytes: number;
  readonly #event: Partial<Event> = {};
  readonly #labels: Record<string, string> = {};
  #ended = false;

  constructor(name: string, options: SpanOptions, outer: Scope, defaults: SpanDefaults) {
    this.traceId = outer.span?.traceId ?? outer.traceId ?? newTraceId();
    this.id = eventId(this.traceId, newSpanId());
    this.sessionId = defaults.sessionId;
    this.actor = options.actor ?? outer.span?.actor ?? defaults.actor;
    this.#appId = defaults.appId;
    this.#maxValueBytes = defaults.maxValueBytes;
    const parent = outer.span?.id ?? outer.parentId;
    if (parent !== undefined) this.#event.parent_id = parent;
    this.#event.name = clip(textOf(name)) || 'span';
    if (RISKS.includes(options.risk)) this.#event.risk = options.risk as Risk;
    if (typeof options.retentionClass === 'string' && options.retentionClass !== '')
      this.#event.retention_class = clip(options.retentionClass);
    const { type } = options;
    if (type !== undefined) {
      if (typeof type === 'string' && EVENT_TYPE.test(type) && !isReservedType(type))
        this.#event.event_type = type;
      else this.setLabel('type', textOf(type));
    }
    for (const [label, value] of Object.entries(options.labels ?? {})) this.setLabel(label, value);
  }

  recordInput(value: unknown): void {
    this.#set('input', value);
  }

  recordOutput(value: unknown): void {
    this.#set('output', value);
  }

  recordPlan(value: unknown): void {
    this.#set('plan', value);
  }

  recordRetrieval(value: unknown): void {
    this.#set('retrieval', value);
  }

  attachEval(result: Eval): void {
    this.#safely(() => this.#attachEval(result));
  }

  recordTool(call: { name: string; args?: unknown; result?: unknown; latency_ms?: number }): void {
    this.#safely(() => this.#recordTool(call));
  }

  recordModel(model: ModelCall): void {
    this.#safely(() => this.#recordModel(model));
  }

  setLabel(name: string, value: string): void {
    this.#safely(() => this.#setLabel(name, value));
  }

  /** A getter or proxy of the host's may throw anything; the host called to record, not to hear of that. */
  #safely(record: () => void): void {
    try {
      record();
    } catch (error) {
      this.#labels['recording.error'] = clip(
        error instanceof Error ? textOf(error.message) : textOf(error),
        1024,
      );
    }
  }

  #attachEval(result: Eval): void {
    const name = textOf(result?.name ?? 'unnamed');
    const score: unknown = result?.score;
    // The ledger takes numbers only: what is none is kept, but as a label.
    if (!isAmount(score)) {
      this.setLabel(`eval.${name}`, textOf(score));
      return;
    }
    const { threshold, details } = result;
    this.#event.evals ??= [];
    if (this.#event.evals.length >= MAX_LISTED) return;
    this.#event.evals.push({
      name: clip(name, 1024),
      score,
      ...(isAmount(threshold) ? { threshold } : {}),
      ...(details === undefined ? {} : { details: this.#copy(details) }),
    });
  }

  #recordTool(call: { name: string; args?: unknown; result?: unknown; latency_ms?: number }): void {
    this.#event.tools_invoked ??= [];
    if (this.#event.tools_invoked.length >= MAX_LISTED) return;
    const latency = call?.latency_ms;
    const made: Partial<ToolCall> & { name: string } = { name: clip(textOf(call?.name ?? 'unnamed'), 1024) };
    if (call?.args !== undefined) made.args = this.#copy(call.args);
    if (call?.result !== undefined) made.result = this.#copy(call.result);
    if (isAmount(latency) && latency >= 0) made.latency_ms = latency;
    this.#event.tools_invoked.push(made as ToolCall);
  }

  #recordModel(model: ModelCall): void {
    const { name, version, provider, params, cost, usage } = (model ?? {}) as Partial<ModelCall>;
    this.#event.model = {
      name: clip(textOf(name ?? 'unnamed'), 1024),
      ...(version === undefined ? {} : { version: clip(textOf(version), 1024) }),
      ...(provider === undefined ? {} : { provider: clip(textOf(provider), 1024) }),
      ...(params === undefined ? {} : { params: this.#copy(params) }),
      ...(isAmount(cost) ? { cost } : {}),
      ...(usage === undefined ? {} : { usage: this.#copy(usage) as NonNullable<ModelCall['usage']> }),
    };
  }

  #setLabel(name: string, value: string): void {
    const key = clip(textOf(name), 256).replace(/^\$+/, '_') || '_';
    if (Object.keys(this.#labels).length >= MAX_LISTED && !Object.hasOwn(this.#labels, key)) return;
    Object.defineProperty(this.#labels, key, {
      value: clip(textOf(value), 4096),
      writable: true,
      enumerable: true,
      configurable: true,
    });
  }

  setStatus(status: 'ok' | 'error'): void {
    if (status === 'ok' || status === 'error') this.#event.status = status;
  }

  setPolicyEval(policyEval: PolicyEval): void {
    this.#event.policy_eval = policyEval;
  }

  failed(error: unknown): void {
    this.#event.status = 'error';
    this.setLabel('error.type', error instanceof Error ? error.name : typeof error);
    this.setLabel('error.message', error instanceof Error ? error.message : textOf(error));
  }

  /** The event, once; undefined when it was made before. */
  end(): Event | undefined {
    if (this.#ended) return undefined;
    this.#ended = true;
    return {
      event_id: this.id,
      session_id: this.sessionId,
      trace_id: this.traceId,
      ts: timeText(this.#started),
      ts_end: timeText(Math.max(this.#started, nowMicros())),
      actor_type: this.actor.type,
      actor_id: this.actor.id,
      app_id: this.#appId,
      status: 'ok',
      ...this.#event,
      ...(Object.keys(this.#labels).length === 0 ? {} : { labels: this.#labels }),
    };
  }

  #set(member: 'input' | 'output' | 'plan' | 'retrieval', value: unknown): void {
    const copied = this.#copy(value);
    // At the top of an event absent is the only absence.
    if (copied === undefined || copied === null) delete this.#event[member];
    else this.#event[member] = copied;
  }

  #copy(value: unknown): JsonValue | undefined {
    return recorded(value, this.#maxValueBytes);
  }
}

/** A number that the ledger takes. */
const isAmount = (value: unknown): value is number =>
  typeof value === 'number' &&
  Number.isFinite(value) &&
  (!Number.isInteger(value) || Number.isSafeInteger(value));
