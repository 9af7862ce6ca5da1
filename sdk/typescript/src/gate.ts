/**
 * `policyCheck`: a call that runs only when the collector's policy, or a person behind it, has let exactly it through.
 * Format and order of steps: docs/spec/gate.md. Rules: arguments are copied once, when the question is asked, and the
 * function gets that copy; only an answer with a right MAC opens the gate; whatever else happens, the call does not
 * run, unless no decision could be had and the call site said `onUnavailable: 'allow'`.
 */
import { createHmac } from 'node:crypto';
import { argsDigest, payloadOf } from '../../../core/proof/binding.ts';
import { fromHex } from '../../../core/proof/bytes.ts';
import type { JsonObject, JsonValue } from '../../../core/proof/jcs.ts';
import { actorOf, type Client } from './client.ts';
import { scope, within } from './context.ts';
import {
  ApprovalConsumed,
  ApprovalDenied,
  ApprovalTimedOut,
  ArgsNotJson,
  CollectorUnavailable,
  type GateDetail,
  type GateError,
  GateRefused,
  PolicyDenied,
} from './errors.ts';
import type { SpanRecord } from './span.ts';
import { type Answer, type Ask, problemOf, Unreachable } from './transport.ts';
import type { CancelSignal, GateState, Guarded, PolicyCheckOptions } from './types.ts';
import { clip, exactCopy, NotJson, recorded, textOf } from './values.ts';

/** Longest time that the collector keeps a question about an approval open, in seconds. */
const WAIT_SECONDS = 30;
/** A collector that does not hold the question open is not asked more often than this. */
const MIN_POLL_MS = 500;
/** An approval once used grants this long; counted from before the request, so never too generously. */
const GRANT_MS = 10_000;
/** After the time that the approval names, by this host's clock, the collector has this long to say that it is over. */
const EXPIRY_GRACE_MS = 30_000;
/** Longest pause before a full collector is asked again. */
const MAX_PAUSE_MS = 5_000;
/** What is told of a result; the whole of it is in the span, as far as `maxValueBytes` allows. */
const OUTCOME_BYTES = 256 * 1024;

type Decision = {
  decision: 'allow' | 'deny' | 'approve';
  code: string | undefined;
  reasons: string[];
  id: string;
  policy: { version: number; hash: string };
  argsSalt: string;
  approval: { id: string; expires_at: string; nonce: string } | undefined;
};

/** Wraps `fn`; the client is looked up at each call, so wrapping may come before `tr.init`. */
export function guard<A extends unknown[], R>(
  fn: (...args: A) => R,
  options: PolicyCheckOptions,
  current: () => Client,
): Guarded<A, R> {
  const asWrapped = { ...options };
  const guarded = async function (this: unknown, ...args: A): Promise<Awaited<R>> {
    const call = new GatedCall(current(), asWrapped);
    return (await call.run(args, copy => fn.apply(this, copy as A))) as Awaited<R>;
  };
  return Object.assign(guarded, {
    with: (more: Partial<PolicyCheckOptions>) => guard(fn, { ...asWrapped, ...more }, current),
  }) as Guarded<A, R>;
}

class GatedCall {
  readonly #client: Client;
  readonly #options: PolicyCheckOptions;
  readonly #action: string;
  readonly #span: SpanRecord;
  readonly #deadline: number;
  #reasons: string[] = [];
  #decision: Decision | undefined;

  constructor(client: Client, options: PolicyCheckOptions) {
    this.#client = client;
    this.#options = options;
    this.#action = String(options.action);
    this.#span = client.startSpan(this.#action, {
      type: 'tool.call',
      risk: options.risk,
      ...(options.actor === undefined ? {} : { actor: options.actor }),
    });
    const { timeoutMs } = options;
    this.#deadline = timeoutMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + timeoutMs;
  }

  async run(args: unknown[], fn: (copy: unknown[]) => unknown): Promise<unknown> {
    try {
      const copy = this.#exact<JsonValue[] & JsonObject>(args, 'the arguments');
      const payload = payloadOf(copy);
      this.#span.recordInput(payload);
      const grantedUntil = await this.#pass(payload);
      this.#options.signal?.aborted === true && this.#abort();
      if (performance.now() > grantedUntil) {
        throw new ApprovalTimedOut(
          this.#detail('grant_expired', 'the grant ended before the call could start', 'Ask again.'),
        );
      }
      return await this.#call(payload, () => fn(copy));
    } catch (error) {
      this.#span.failed(error);
      throw error;
    } finally {
      this.#client.endSpan(this.#span);
    }
  }

  /** Runs the function and tells the collector what came of it. */
  async #call(payload: JsonObject, fn: () => unknown): Promise<unknown> {
    const decisionId = this.#decision?.id;
    // The function may change its argument, which is the payload itself.
    const args = recorded(payload, this.#client.maxValueBytes);
    const started = performance.now();
    const done = async (outcome: 'ok' | 'error', value: unknown): Promise<void> => {
      const latency = Math.round((performance.now() - started) * 1000) / 1000;
      const kept =
        outcome === 'ok' ? recorded(value, Math.min(OUTCOME_BYTES, this.#client.maxValueBytes)) : undefined;
      this.#span.recordTool({
        name: this.#action,
        args,
        latency_ms: latency,
        ...(outcome === 'ok' ? { result: value } : {}),
      });
      if (decisionId === undefined) return;
      await this.#client.tellOutcome(decisionId, {
        outcome,
        ...(kept === undefined || kept === null ? {} : { result: kept }),
        ...(outcome === 'error' ? { error: clip(describe(value), 4096) } : {}),
        latency_ms: latency,
      });
    };
    let value: unknown;
    try {
      value = await within({ ...scope(), span: this.#span }, fn);
    } catch (error) {
      await done('error', error);
      throw error;
    }
    this.#span.recordOutput(value);
    await done('ok', value);
    return value;
  }

  /** Returns when the call may run, with the time (of performance.now) until which it may start; else throws. */
  async #pass(payload: JsonObject): Promise<number> {
    let decision: Decision;
    try {
      decision = await this.#ask(payload);
    } catch (error) {
      if (!(error instanceof CollectorUnavailable)) throw error;
      if (this.#options.onUnavailable !== 'allow') throw error;
      const reasons = [error.message, "the call site says onUnavailable: 'allow'"];
      this.#span.setPolicyEval({ policy_id: 'none', decision: 'allow', reasons });
      this.#span.setLabel('trailmix.gate', 'unavailable_allowed');
      this.#say('unavailable_allowed', { reasons });
      return Number.POSITIVE_INFINITY;
    }
    this.#decision = decision;
    this.#reasons = decision.reasons;
    const { approval } = decision;
    this.#span.setPolicyEval({
      policy_id: decision.policy.hash,
      decision: decision.decision,
      reasons: decision.reasons,
      decision_id: decision.id,
      ...(approval === undefined ? {} : { approvals: [{ id: approval.id }] }),
    });
    if (decision.decision === 'allow') {
      this.#say('allowed');
      return Number.POSITIVE_INFINITY;
    }
    if (decision.decision === 'deny' || approval === undefined) {
      this.#say('denied');
      throw new PolicyDenied(
        this.#detail(
          decision.code ?? 'policy_denied',
          decision.reasons.join('; ') || 'the policy refused this call',
          'See the reasons.',
        ),
      );
    }
    return this.#approved(payload, decision, approval);
  }

  async #ask(payload: JsonObject): Promise<Decision> {
    const { metadata, actor, risk } = this.#options;
    const context = metadata === undefined ? undefined : this.#exact<JsonObject>(metadata, 'metadata');
    const span = this.#span;
    this.#say('asked');
    const answer = await this.#request({
      method: 'POST',
      path: '/api/decisions',
      once: true,
      body: JSON.stringify({
        action: this.#action,
        risk,
        actor: actorOf(actor, span.actor),
        payload,
        ...(context === undefined ? {} : { context }),
        session_id: span.sessionId,
        app_id: this.#client.appId,
        parent_id: span.id,
        trace_id: span.traceId,
      }),
    });
    const decision = decisionOf(answer.body);
    if (decision === undefined) throw this.#unavailable('the answer is not a decision');
    return decision;
  }

  /** Waits for a person, then uses the approval. */
  async #approved(
    payload: JsonObject,
    decision: Decision,
    approval: NonNullable<Decision['approval']>,
  ): Promise<number> {
    const about = { approval_id: approval.id, expires_at: approval.expires_at };
    this.#say('waiting', about);
    const path = `/api/approvals/${encodeURIComponent(approval.id)}`;
    const lastWord =
      performance.now() + Math.max(0, Date.parse(approval.expires_at) - Date.now()) + EXPIRY_GRACE_MS;
    for (;;) {
      const asked = performance.now();
      const status = await this.#status(path, Math.min(lastWord, this.#deadline));
      if (status === 'waiting') {
        if (performance.now() - asked < MIN_POLL_MS) await this.#pause(MIN_POLL_MS);
        continue;
      }
      if (status === 'approved') {
        const grantedUntil = await this.#consume(path, payload, decision, approval);
        if (grantedUntil === undefined) {
          await this.#pause(MIN_POLL_MS);
          continue;
        }
        this.#say('approved', about);
        return grantedUntil;
      }
      if (status === 'denied') this.#say('refused', about);
      if (status === 'expired') this.#say('expired', about);
      throw this.#refusal(
        `approval_${status}`,
        `the approval is ${status}`,
        'Ask again if the call is still wanted.',
      );
    }
  }

  /** One long poll. While the collector is away the question is repeated: the approval is still there. */
  async #status(path: string, until: number): Promise<string> {
    for (let failures = 0; ; failures++) {
      const left = until - performance.now();
      if (left <= 0) {
        this.#say('expired');
        throw new ApprovalTimedOut(
          this.#detail('approval_expired', 'nobody answered in time', 'Ask again, or allow more time.'),
        );
      }
      const wait = Math.min(WAIT_SECONDS, Math.ceil(left / 1000));
      try {
        const answer = await this.#request(
          { method: 'GET', path: `${path}?wait=${wait}` },
          Math.min(wait * 1000 + this.#client.requestMs, left + 1000),
        );
        const { status } = (answer.body ?? {}) as { status?: unknown };
        if (typeof status === 'string') return status;
      } catch (error) {
        if (!(error instanceof CollectorUnavailable)) throw error;
      }
      await this.#pause(Math.min(MAX_PAUSE_MS, 250 * 2 ** Math.min(failures, 6), Math.max(1, left)));
    }
  }

  /** The time until which the call may start; undefined when the approval is not given after all. */
  async #consume(
    path: string,
    payload: JsonObject,
    decision: Decision,
    approval: NonNullable<Decision['approval']>,
  ): Promise<number | undefined> {
    const hmac = (key: Uint8Array, message: Uint8Array): Uint8Array =>
      createHmac('sha256', key).update(message).digest();
    const body = JSON.stringify({
      args_digest: argsDigest(hmac, fromHex(decision.argsSalt), payload),
      action: this.#action,
      session_id: this.#span.sessionId,
      nonce: approval.nonce,
    });
    const grantedUntil = performance.now() + GRANT_MS;
    for (;;) {
      try {
        await this.#request(
          { method: 'POST', path: `${path}/consume`, body },
          Math.min(GRANT_MS, this.#client.requestMs),
        );
        return grantedUntil;
      } catch (error) {
        if (error instanceof GateRefused && error.code === 'approval_not_approved') return undefined;
        // Within its grant the same request gets the same answer: a lost answer can be asked for again.
        if (!(error instanceof CollectorUnavailable) || performance.now() + 1000 > grantedUntil) throw error;
        await this.#pause(500);
      }
    }
  }

  /** A proven 2xx answer; else CollectorUnavailable, or the error that stands for the collector's refusal. */
  async #request(ask: Omit<Ask, 'timeoutMs'>, timeoutMs = this.#client.requestMs): Promise<Answer> {
    const { signal } = this.#options;
    const until = Math.min(this.#deadline, performance.now() + timeoutMs);
    for (;;) {
      const left = until - performance.now();
      if (left <= 0) throw this.#unavailable('no answer in time');
      let answer: Answer;
      try {
        answer = await this.#client.ask({ ...ask, timeoutMs: left, signal });
      } catch (error) {
        if (error instanceof Unreachable) throw this.#unavailable(error.message, error);
        throw error;
      }
      if (answer.status === 429) {
        const pause = Math.min(MAX_PAUSE_MS, (answer.retryAfter ?? 1) * 1000);
        if (performance.now() + pause < until) {
          await this.#pause(pause);
          continue;
        }
      }
      const problem = problemOf(answer);
      if (!answer.proven) {
        const why = answer.status >= 400 ? `${problem.code}, ${problem.detail}` : `status ${answer.status}`;
        throw this.#unavailable(`what answered (${why}) did not prove to be the collector`);
      }
      if (answer.status >= 200 && answer.status < 300) return answer;
      if (answer.status === 429 || answer.status >= 500) throw this.#unavailable(problem.detail);
      throw this.#refusal(problem.code, problem.detail, problem.next);
    }
  }

  #refusal(code: string, message: string, next: string): GateError {
    const detail = this.#detail(code, message, next);
    switch (code) {
      case 'approval_denied':
        return new ApprovalDenied(detail);
      case 'approval_expired':
      case 'grant_expired':
        return new ApprovalTimedOut(detail);
      case 'approval_consumed':
        return new ApprovalConsumed(detail);
      default:
        return new GateRefused(detail);
    }
  }

  #unavailable(why: string, cause?: unknown): CollectorUnavailable {
    return new CollectorUnavailable({
      ...this.#detail(
        'collector_unavailable',
        `no answer from the collector: ${why}`,
        'Start the collector, or check the endpoint, what listens there, and the key; gated calls are refused meanwhile.',
      ),
      cause,
    });
  }

  #detail(code: string, message: string, next: string): GateDetail {
    return {
      code,
      message,
      next,
      action: this.#action,
      reasons: this.#reasons,
      decisionId: this.#decision?.id,
      approvalId: this.#decision?.approval?.id,
    };
  }

  #exact<T extends JsonValue>(value: unknown, what: string): T {
    try {
      return exactCopy<T>(value);
    } catch (error) {
      // A getter or proxy of the host's may throw anything: what cannot be read cannot be approved.
      const why = error instanceof NotJson ? error.message : describe(error);
      throw new ArgsNotJson(
        this.#detail(
          'args_not_json',
          `${what}: ${why}`,
          'Pass plain objects, arrays, strings, numbers, booleans and null.',
        ),
      );
    }
  }

  #abort(): never {
    throw this.#options.signal?.reason ?? new Error('aborted');
  }

  #pause(ms: number): Promise<void> {
    const { signal } = this.#options;
    return pause(ms, signal);
  }

  #say(state: GateState['state'], more: Partial<GateState> = {}): void {
    this.#client.gateState({
      state,
      action: this.#action,
      risk: this.#options.risk,
      reasons: this.#reasons,
      ...(this.#decision === undefined ? {} : { decision_id: this.#decision.id }),
      ...more,
    });
  }
}

const describe = (error: unknown): string =>
  error instanceof Error ? `${error.name}: ${error.message}` : textOf(error);

function decisionOf(body: unknown): Decision | undefined {
  const { decision, code, reasons, decision_id, policy, args_salt, approval } = (body ?? {}) as Record<
    string,
    unknown
  >;
  if (decision !== 'allow' && decision !== 'deny' && decision !== 'approve') return undefined;
  if (typeof decision_id !== 'string' || decision_id === '') return undefined;
  if (typeof args_salt !== 'string' || !/^[0-9a-f]{64}$/.test(args_salt)) return undefined;
  const { version, hash } = (policy ?? {}) as { version?: unknown; hash?: unknown };
  const asked = (approval ?? {}) as { id?: unknown; expires_at?: unknown; nonce?: unknown };
  const isAsked =
    typeof asked.id === 'string' &&
    typeof asked.nonce === 'string' &&
    typeof asked.expires_at === 'string' &&
    !Number.isNaN(Date.parse(asked.expires_at));
  if (decision === 'approve' && !isAsked) return undefined;
  return {
    decision,
    code: typeof code === 'string' ? code : undefined,
    reasons: Array.isArray(reasons) ? reasons.map(String) : [],
    id: decision_id,
    policy: { version: Number(version ?? 0), hash: String(hash ?? '') },
    argsSalt: args_salt,
    approval: isAsked ? (asked as { id: string; expires_at: string; nonce: string }) : undefined,
  };
}

/** Keeps the process alive: the host awaits the call. Rejects with the signal's reason. */
function pause(ms: number, signal: CancelSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) return reject(signal.reason);
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
