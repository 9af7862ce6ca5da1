/**
 * `policyCheck`: a call that runs only when the collector's policy, or a person behind it, has let exactly it through.
 * Format and order of steps: docs/spec/gate.md. Rules: arguments are copied once, when the question is asked, and the
 * function gets that copy; only an answer with a right MAC opens the gate; whatever else happens, the call does not
 * run, unless no decision could be had and the call site said `onUnavailable: 'allow'`.
 */
import { payloadOf } from '../../../core/proof/binding.ts';
import type { JsonObject, JsonValue } from '../../../core/proof/jcs.ts';
import { passApproval } from './approval.ts';
import { actorOf, type Client } from './client.ts';
import { scope, within } from './context.ts';
import { ApprovalTimedOut, ArgsNotJson, CollectorUnavailable, PolicyDenied } from './errors.ts';
import { type Decision, decisionOf, Questions } from './questions.ts';
import type { SpanRecord } from './span.ts';
import type { Guarded, PolicyCheckOptions } from './types.ts';
import { clip, exactCopy, NotJson, recorded, textOf } from './values.ts';

/** What is told of a result; the whole of it is in the span, as far as `maxValueBytes` allows. */
const OUTCOME_BYTES = 256 * 1024;

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
  readonly #questions: Questions;
  readonly #span: SpanRecord;

  constructor(client: Client, options: PolicyCheckOptions) {
    const { risk, actor, timeoutMs, signal } = options;
    const action = textOf(options.action);
    this.#client = client;
    this.#options = options;
    this.#span = client.startSpan(action, {
      type: 'tool.call',
      risk,
      ...(actor === undefined ? {} : { actor }),
    });
    const deadline = timeoutMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + timeoutMs;
    this.#questions = new Questions(client, { action, risk, deadline, signal });
  }

  async run(args: unknown[], fn: (copy: unknown[]) => unknown): Promise<unknown> {
    try {
      const copy = this.#exact<JsonValue[] & JsonObject>(args, 'the arguments');
      const payload = payloadOf(copy);
      this.#span.recordInput(payload);
      const grantedUntil = await this.#pass(payload);
      await this.#begin(grantedUntil);
      return await this.#call(payload, () => fn(copy));
    } catch (error) {
      this.#span.failed(error);
      throw error;
    } finally {
      this.#client.endSpan(this.#span);
    }
  }

  /** Throws when the call may not begin any more; what was granted then has an outcome all the same. */
  async #begin(grantedUntil: number): Promise<void> {
    const { signal } = this.#options;
    const isLate = performance.now() > grantedUntil;
    if (signal?.aborted !== true && !isLate) return;
    const decision = this.#questions.decision;
    if (decision !== undefined)
      await this.#client.tellOutcome(decision.id, { outcome: 'error', error: 'the call was not started' });
    if (signal?.aborted === true) throw signal.reason;
    throw new ApprovalTimedOut(
      this.#questions.detail('grant_expired', 'the grant ended before the call could start', 'Ask again.'),
    );
  }

  /** Runs the function and tells the collector what came of it. */
  async #call(payload: JsonObject, fn: () => unknown): Promise<unknown> {
    const decisionId = this.#questions.decision?.id;
    // The function may change its argument, which is the payload itself.
    const args = recorded(payload, this.#client.maxValueBytes);
    const started = performance.now();
    const done = async (outcome: 'ok' | 'error', value: unknown): Promise<void> => {
      const latency = Math.round((performance.now() - started) * 1000) / 1000;
      const kept =
        outcome === 'ok' ? recorded(value, Math.min(OUTCOME_BYTES, this.#client.maxValueBytes)) : undefined;
      this.#span.recordTool({
        name: this.#questions.action,
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
      this.#questions.say('unavailable_allowed', { reasons });
      return Number.POSITIVE_INFINITY;
    }
    this.#questions.decision = decision;
    const { approval } = decision;
    this.#span.setPolicyEval({
      policy_id: decision.policy.hash,
      decision: decision.decision,
      reasons: decision.reasons,
      decision_id: decision.id,
      ...(approval === undefined ? {} : { approvals: [{ id: approval.id }] }),
    });
    if (decision.decision === 'allow') {
      this.#questions.say('allowed');
      return Number.POSITIVE_INFINITY;
    }
    if (decision.decision === 'deny' || approval === undefined) {
      this.#questions.say('denied');
      throw new PolicyDenied(
        this.#questions.detail(
          decision.code ?? 'policy_denied',
          decision.reasons.join('; ') || 'the policy refused this call',
          'See the reasons.',
        ),
      );
    }
    return passApproval(this.#questions, approval, {
      payload,
      argsSalt: decision.argsSalt,
      sessionId: this.#span.sessionId,
    });
  }

  async #ask(payload: JsonObject): Promise<Decision> {
    const { metadata, actor, risk } = this.#options;
    const context = metadata === undefined ? undefined : this.#exact<JsonObject>(metadata, 'metadata');
    const span = this.#span;
    this.#questions.say('asked');
    const answer = await this.#questions.request({
      method: 'POST',
      path: '/api/decisions',
      once: true,
      body: JSON.stringify({
        action: this.#questions.action,
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
    if (decision === undefined) throw this.#questions.unavailable('the answer is not a decision');
    return decision;
  }

  #exact<T extends JsonValue>(value: unknown, what: string): T {
    try {
      return exactCopy<T>(value);
    } catch (error) {
      // A getter or proxy of the host's may throw anything: what cannot be read cannot be approved.
      const why = error instanceof NotJson ? error.message : describe(error);
      throw new ArgsNotJson(
        this.#questions.detail(
          'args_not_json',
          `${what}: ${why}`,
          'Pass plain objects, arrays, strings, numbers, booleans and null.',
        ),
      );
    }
  }
}

const describe = (error: unknown): string =>
  error instanceof Error ? `${error.name}: ${error.message}` : textOf(error);
