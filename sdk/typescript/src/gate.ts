/**
 * `policyCheck`: a call that runs only when the collector's policy, or a person behind it, has let exactly it through.
 * Format and order of steps: docs/spec/gate.md. Rules: arguments are copied once, when the question is asked, and the
 * function gets that copy; only an answer with a right MAC opens the gate; whatever else happens, the call does not
 * run, unless no decision could be had and the call site said `onUnavailable: 'allow'`.
 */
import { payloadOf } from '../../../core/proof/binding.ts';
import type { JsonObject, JsonValue } from '../../../core/proof/jcs.ts';
import { cancelApproval, passApproval } from './approval.ts';
import { actorOf, type Client } from './client.ts';
import { scope, within } from './context.ts';
import { ApprovalTimedOut, ArgsNotJson, CollectorUnavailable, GateError, PolicyDenied } from './errors.ts';
import { type Decision, decisionOf, type Questions, questionsOf } from './questions.ts';
import type { SpanRecord } from './span.ts';
import { cancelTicket, checkTicket, type TicketParts, ticketOf, ticketToken } from './ticket.ts';
import type { Guarded, PolicyCheckOptions, Ticket } from './types.ts';
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
  const ask = async function (this: unknown, ...args: A): Promise<Ticket<Awaited<R>>> {
    const client = current();
    return (await new GatedCall(client, asWrapped).ask(args, copy => fn.apply(this, copy as A))) as Ticket<
      Awaited<R>
    >;
  };
  const resume = async function (this: unknown, token: string): Promise<Awaited<R>> {
    const client = current();
    const ticket = ticketOf(client, asWrapped, token);
    const { traceId, spanId: parentId, sessionId: id } = ticket;
    const going = within({ session: { id }, traceId, parentId }, () =>
      new GatedCall(client, asWrapped).resume(ticket, copy => fn.apply(this, copy as A)),
    );
    return (await going) as Awaited<R>;
  };
  return Object.assign(guarded, {
    with: (more: Partial<PolicyCheckOptions>) => guard(fn, { ...asWrapped, ...more }, current),
    ask,
    resume,
    check: async (token: string) => checkTicket(current(), asWrapped, token),
    cancel: async (token: string, reason?: string) => cancelTicket(current(), asWrapped, token, reason),
  }) as Guarded<A, R>;
}

class GatedCall {
  readonly #client: Client;
  readonly #options: PolicyCheckOptions;
  readonly #questions: Questions;
  readonly #span: SpanRecord;

  constructor(client: Client, options: PolicyCheckOptions) {
    const { risk, actor } = options;
    this.#client = client;
    this.#options = options;
    this.#span = client.startSpan(textOf(options.action), {
      type: 'tool.call',
      risk,
      ...(actor === undefined ? {} : { actor }),
    });
    this.#questions = questionsOf(client, options);
  }

  run(args: unknown[], fn: (copy: unknown[]) => unknown): Promise<unknown> {
    return this.#inSpan(async () => {
      const { copy, payload } = this.#take(args);
      const decision = await this.#decide(payload);
      return this.#go(decision, copy, payload, fn, true);
    });
  }

  ask(args: unknown[], fn: (copy: unknown[]) => unknown): Promise<Ticket<unknown>> {
    return this.#inSpan(async () => {
      const { copy, payload } = this.#take(args);
      const decision = await this.#decide(payload);
      const approval = decision?.approval;
      const { sessionId, traceId, id: spanId } = this.#span;
      if (decision === undefined || approval === undefined) {
        let isUsed = false;
        const run = async (): Promise<unknown> => {
          if (isUsed)
            throw this.#questions.refusal('approval_consumed', 'this ticket was run before', 'Ask again.');
          isUsed = true;
          return within({ session: { id: sessionId }, traceId, parentId: spanId }, () =>
            new GatedCall(this.#client, this.#options).#allowed(decision, copy, payload, fn),
          );
        };
        return { state: 'allowed', decisionId: decision?.id, run };
      }
      const { action, risk } = this.#questions;
      const { appId } = this.#client;
      const held = { ...decision, approval };
      const token = ticketToken({
        appId,
        action,
        risk,
        sessionId,
        traceId,
        spanId,
        decision: held,
        args: copy,
      });
      this.#questions.say('waiting', { approval_id: approval.id, expires_at: approval.expires_at });
      return {
        state: 'waiting',
        decisionId: decision.id,
        approvalId: approval.id,
        expiresAt: approval.expires_at,
        token,
      };
    });
  }

  resume({ decision, args }: TicketParts, fn: (copy: unknown[]) => unknown): Promise<unknown> {
    return this.#inSpan(async () => {
      const { copy, payload } = this.#take(args);
      this.#questions.decision = decision;
      this.#tellSpan(decision);
      return this.#go(decision, copy, payload, fn, false);
    });
  }

  #allowed(
    decision: Decision | undefined,
    copy: unknown[],
    payload: JsonObject,
    fn: (copy: unknown[]) => unknown,
  ): Promise<unknown> {
    return this.#inSpan(async () => {
      this.#span.recordInput(payload);
      this.#questions.decision = decision;
      if (decision !== undefined) this.#tellSpan(decision);
      return this.#go(decision, copy, payload, fn, false);
    });
  }

  async #inSpan<T>(fn: () => Promise<T>): Promise<T> {
    try {
      return await fn();
    } catch (error) {
      this.#span.failed(error);
      throw error;
    } finally {
      this.#client.endSpan(this.#span);
    }
  }

  #take(args: unknown[]): { copy: unknown[]; payload: JsonObject } {
    const copy = this.#exact<JsonValue[] & JsonObject>(args, 'the arguments');
    const payload = payloadOf(copy);
    this.#span.recordInput(payload);
    return { copy, payload };
  }

  /** Waits and uses where people are asked, then calls. `isWanted`: giving up takes the question back. */
  async #go(
    decision: Decision | undefined,
    copy: unknown[],
    payload: JsonObject,
    fn: (copy: unknown[]) => unknown,
    isWanted: boolean,
  ): Promise<unknown> {
    let grantedUntil = Number.POSITIVE_INFINITY;
    if (decision?.approval !== undefined) {
      try {
        grantedUntil = await passApproval(this.#questions, decision.approval, {
          payload,
          argsSalt: decision.argsSalt,
          sessionId: this.#span.sessionId,
        });
      } catch (error) {
        if (isWanted && this.#gaveUp(error)) this.#takeBack(decision.approval.id);
        throw error;
      }
    }
    await this.#begin(grantedUntil);
    return this.#call(payload, () => fn(copy));
  }

  /** Whether this caller stopped waiting, rather than people or the collector having ended it. */
  #gaveUp(error: unknown): boolean {
    const isOwnEnd = performance.now() >= this.#questions.deadline && error instanceof GateError;
    return this.#options.signal?.aborted === true || isOwnEnd;
  }

  /** Nobody should have to answer what nobody waits for. Best effort: an approval that is never used runs nothing. */
  #takeBack(id: string): void {
    const questions = questionsOf(this.#client, {
      action: this.#options.action,
      risk: this.#options.risk,
      timeoutMs: 2_000,
    });
    void cancelApproval(questions, id, 'the agent stopped waiting').catch(() => undefined);
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

  /** The decision; undefined where none could be had and the call site allows that. Throws where it is no. */
  async #decide(payload: JsonObject): Promise<Decision | undefined> {
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
      return undefined;
    }
    this.#questions.decision = decision;
    this.#tellSpan(decision);
    if (decision.decision === 'allow') {
      this.#questions.say('allowed');
      return { ...decision, approval: undefined };
    }
    if (decision.decision === 'approve' && decision.approval !== undefined) return decision;
    this.#questions.say('denied');
    throw new PolicyDenied(
      this.#questions.detail(
        decision.code ?? 'policy_denied',
        decision.reasons.join('; ') || 'the policy refused this call',
        'See the reasons.',
      ),
    );
  }

  #tellSpan({ id, decision, reasons, policy, approval }: Decision): void {
    this.#span.setPolicyEval({
      policy_id: policy.hash,
      decision,
      reasons,
      decision_id: id,
      ...(approval === undefined ? {} : { approvals: [{ id: approval.id }] }),
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
