/**
 * The public types of @trailmix/ts. They stand alone (no import), so that the declarations need nothing but
 * TypeScript itself: neither DOM nor Node types.
 */

export type Risk = 'low' | 'medium' | 'high' | 'critical';
export type ActorType = 'user' | 'agent' | 'service';
export type Actor = { type: ActorType; id: string };

/** One event as it is sent (docs/spec/event.md). Times are RFC 3339 UTC. */
export type Event = {
  event_id: string;
  parent_id?: string;
  session_id: string;
  trace_id?: string;
  ts: string;
  ts_end?: string;
  event_type?: string;
  actor_type: ActorType;
  actor_id?: string;
  app_id: string;
  name?: string;
  risk?: Risk;
  labels?: Record<string, string>;
  plan?: unknown;
  retrieval?: unknown;
  input?: unknown;
  output?: unknown;
  tools_invoked?: ToolCall[];
  model?: ModelCall;
  policy_eval?: PolicyEval;
  evals?: Eval[];
  status?: 'ok' | 'error';
  retention_class?: string;
  stream?: { id: string; n: number };
  hash_prev?: string;
  hash_self?: string;
  signature?: string;
};

export type ToolCall = { name: string; args: unknown; result: unknown; latency_ms: number };
export type ModelCall = {
  name: string;
  version?: string;
  provider?: string;
  params?: unknown;
  /** In the account's currency. */
  cost?: number;
  usage?: { input_tokens?: number; output_tokens?: number; total_tokens?: number };
};
export type Eval = { name: string; score: number; threshold?: number; details?: unknown };
export type PolicyEval = {
  policy_id: string;
  decision: 'allow' | 'deny' | 'approve';
  reasons: string[];
  approvals?: unknown[];
  /** The collector's recorded decision; without it the words above are only claimed. */
  decision_id?: string;
};

export type SpanOptions = {
  risk?: Risk;
  labels?: Record<string, string>;
  /** `[a-z][a-z0-9_.-]{0,63}`; default `span`. */
  type?: string;
  /** Who acts; default the actor given to `tr.init`. */
  actor?: Actor;
  retentionClass?: string;
};

/** What `fn` of a span is given. Values are copied when they are recorded; none of these ever throws. */
export interface Span {
  /** Event id of this span: `<trace id>-<span id>`. */
  readonly id: string;
  readonly traceId: string;
  recordInput(value: unknown): void;
  recordOutput(value: unknown): void;
  attachEval(result: Eval): void;
  recordTool(call: { name: string; args?: unknown; result?: unknown; latency_ms?: number }): void;
  recordModel(model: ModelCall): void;
  recordPlan(value: unknown): void;
  recordRetrieval(value: unknown): void;
  setLabel(name: string, value: string): void;
  setStatus(status: 'ok' | 'error'): void;
}

/** Something that the host should know and that was not thrown at it. Never holds a payload or a key. */
export type Notice = {
  code: NoticeCode;
  message: string;
  next: string;
  /** Events lost, where some were. */
  dropped?: number;
};
export type NoticeCode =
  | 'not_initialised'
  | 'key_missing'
  | 'app_missing'
  | 'endpoint_invalid'
  | 'queue_full'
  | 'event_refused'
  | 'collector_unavailable'
  | 'outcome_lost'
  | 'recording_failed';

export type GateState = {
  state:
    | 'asked'
    | 'allowed'
    | 'denied'
    | 'waiting'
    | 'approved'
    | 'refused'
    | 'expired'
    | 'cancelled'
    | 'unavailable_allowed';
  action: string;
  risk: Risk;
  reasons: string[];
  decision_id?: string;
  approval_id?: string;
  expires_at?: string;
  /** While waiting: how many people have approved, and how many the rule asks for. Said again when it changes. */
  approved_by?: number;
  needed?: number;
};

/**
 * A question that was asked without waiting. `allowed`: run it now, once, in this process. `waiting`: keep `token` and come
 * back, also in another process, with `guarded.resume(token)`. The token holds the arguments: keep it as you keep them.
 */
export type Ticket<R> =
  | { state: 'allowed'; decisionId: string | undefined; run(): Promise<R> }
  | { state: 'waiting'; decisionId: string; approvalId: string; expiresAt: string; token: string };

/** How an approval stands now. */
export type TicketState = {
  status: 'waiting' | 'approved' | 'denied' | 'expired' | 'consumed' | 'cancelled';
  approvalId: string;
  expiresAt: string;
  approvedBy?: number;
  needed?: number;
};

export type InitOptions = {
  /** `tm1.<id>.<auth>.<mac>`; default env TRAILMIX_API_KEY. Its last part never leaves this process. */
  apiKey?: string;
  /** The app that the key was made for; default env TRAILMIX_APP_ID. */
  appId?: string;
  /** Default env TRAILMIX_ENDPOINT, else http://127.0.0.1:4318. */
  endpoint?: string;
  /** Session of what runs outside `tr.session`; default a new one per process. */
  sessionId?: string;
  /** Who acts unless said otherwise; default `{type: 'agent', id: appId}`. */
  actor?: Actor;
  /** Told of lost events and an unreachable collector; default: `console.warn`, once per code. */
  onError?: (notice: Notice) => void;
  /** Told of each step of each gated call. */
  onDecision?: (state: GateState) => void;
  /** Bounds of the background queue; what does not fit is dropped, counted and reported as a gap. */
  queue?: { maxEvents?: number; maxBytes?: number };
  /** A batch leaves when it is this full or this old. */
  batch?: { maxEvents?: number; maxBytes?: number; maxDelayMs?: number };
  /** Bytes kept of one recorded value (input, output, ...); the rest is cut and says so. Default 1 MiB. */
  maxValueBytes?: number;
  /** `requestMs`: one request (default 10,000); `exitMs`: the flush when the process ends by itself (default 2,000). */
  timeouts?: { requestMs?: number; exitMs?: number };
};

/** As much of AbortSignal as is used here. */
export interface CancelSignal {
  readonly aborted: boolean;
  readonly reason?: unknown;
  addEventListener(type: 'abort', listener: () => void, options?: { once?: boolean }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

export type PolicyCheckOptions = {
  action: string;
  risk: Risk;
  /** For the policy (`input.context`) and the approver; plain JSON. */
  metadata?: Record<string, unknown>;
  actor?: Actor;
  /** Longest time from the call to the start of `fn`, waiting for a person included. Default: until the approval expires. */
  timeoutMs?: number;
  /**
   * What to do when no decision can be had: `deny` (default), or `allow`, which is recorded. It never overrides a
   * decision: once the policy has denied or asked for an approval, only the collector can let the call through.
   */
  onUnavailable?: 'deny' | 'allow';
  signal?: CancelSignal;
};

/** The guarded function: same parameters, always a promise. */
export type Guarded<A extends unknown[], R> = ((...args: A) => Promise<Awaited<R>>) & {
  /** The same function with some options changed, e.g. a signal for one call. */
  with(options: Partial<PolicyCheckOptions>): Guarded<A, R>;
  /** Asks, and does not wait for people. Throws as a call does where the answer is no. */
  ask(...args: A): Promise<Ticket<Awaited<R>>>;
  /**
   * Waits for the answer (at most `timeoutMs`; the approval stays), uses it, runs the function with the arguments of the ticket.
   * Throws as a call does; `ApprovalConsumed` where another process was first.
   */
  resume(token: string): Promise<Awaited<R>>;
  /** How a ticket's approval stands, at once. Uses nothing. */
  check(token: string): Promise<TicketState>;
  /** Takes the question back: nobody has to answer it any more, and it cannot be used. */
  cancel(token: string, reason?: string): Promise<void>;
};

export type Stats = {
  /** Events recorded by the host since `init`. */
  recorded: number;
  /** Events that the collector has acknowledged as durable. */
  acknowledged: number;
  queued: number;
  dropped: number;
};
