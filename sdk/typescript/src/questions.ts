/**
 * Questions of one gated call to the collector, and what their answers mean: a proven 2xx is an answer, a proven 4xx
 * the collector's refusal, and everything else `CollectorUnavailable`. Nothing is repeated here but what a full
 * collector (429) refused, which it has not recorded.
 */
import type { Client } from './client.ts';
import {
  ApprovalCancelled,
  ApprovalConsumed,
  ApprovalDenied,
  ApprovalTimedOut,
  CollectorUnavailable,
  type GateDetail,
  type GateError,
  GateRefused,
} from './errors.ts';
import { type Answer, type Ask, problemOf, Unreachable } from './transport.ts';
import type { CancelSignal, GateState, PolicyCheckOptions, Risk } from './types.ts';
import { textOf } from './values.ts';

/** Longest pause before a full collector is asked again. */
export const MAX_PAUSE_MS = 5_000;

export type Decision = {
  decision: 'allow' | 'deny' | 'approve';
  code: string | undefined;
  reasons: string[];
  id: string;
  policy: { version: number; hash: string };
  argsSalt: string;
  approval: { id: string; expires_at: string; nonce: string } | undefined;
};

export class Questions {
  readonly client: Client;
  readonly action: string;
  readonly risk: Risk;
  /** Of performance.now(): when the call must have begun. */
  readonly deadline: number;
  readonly signal: CancelSignal | undefined;
  /** Once there is one; errors and states name it. */
  decision: Decision | undefined;

  constructor(
    client: Client,
    call: { action: string; risk: Risk; deadline: number; signal: CancelSignal | undefined },
  ) {
    this.client = client;
    this.action = call.action;
    this.risk = call.risk;
    this.deadline = call.deadline;
    this.signal = call.signal;
  }

  /** A proven 2xx answer; else CollectorUnavailable, or the error that stands for the collector's refusal. */
  async request(ask: Omit<Ask, 'timeoutMs'>, timeoutMs = this.client.requestMs): Promise<Answer> {
    const { signal } = this;
    const until = Math.min(this.deadline, performance.now() + timeoutMs);
    for (;;) {
      const left = until - performance.now();
      if (left <= 0) throw this.unavailable('no answer in time');
      let answer: Answer;
      try {
        answer = await this.client.ask({ ...ask, timeoutMs: left, signal });
      } catch (error) {
        if (error instanceof Unreachable) throw this.unavailable(error.message, error);
        throw error;
      }
      if (answer.status === 429) {
        const pause = Math.min(MAX_PAUSE_MS, (answer.retryAfter ?? 1) * 1000);
        if (performance.now() + pause < until) {
          await this.pause(pause);
          continue;
        }
      }
      const problem = problemOf(answer);
      if (!answer.proven) {
        const why = answer.status >= 400 ? `${problem.code}, ${problem.detail}` : `status ${answer.status}`;
        throw this.unavailable(`what answered (${why}) did not prove to be the collector`);
      }
      if (answer.status >= 200 && answer.status < 300) return answer;
      if (answer.status === 429 || answer.status >= 500) throw this.unavailable(problem.detail);
      throw this.refusal(problem.code, problem.detail, problem.next);
    }
  }

  refusal(code: string, message: string, next: string): GateError {
    const detail = this.detail(code, message, next);
    switch (code) {
      case 'approval_denied':
        return new ApprovalDenied(detail);
      case 'approval_expired':
      case 'grant_expired':
        return new ApprovalTimedOut(detail);
      case 'approval_cancelled':
        return new ApprovalCancelled(detail);
      case 'approval_consumed':
        return new ApprovalConsumed(detail);
      default:
        return new GateRefused(detail);
    }
  }

  unavailable(why: string, cause?: unknown): CollectorUnavailable {
    return new CollectorUnavailable({
      ...this.detail(
        'collector_unavailable',
        `no answer from the collector: ${why}`,
        'Start the collector, or check the endpoint, what listens there, and the key; gated calls are refused meanwhile.',
      ),
      cause,
    });
  }

  detail(code: string, message: string, next: string): GateDetail {
    return {
      code,
      message,
      next,
      action: this.action,
      reasons: this.decision?.reasons ?? [],
      decisionId: this.decision?.id,
      approvalId: this.decision?.approval?.id,
    };
  }

  /** Tells the host's listener. */
  say(state: GateState['state'], more: Partial<GateState> = {}): void {
    this.client.gateState({
      state,
      action: this.action,
      risk: this.risk,
      reasons: this.decision?.reasons ?? [],
      ...(this.decision === undefined ? {} : { decision_id: this.decision.id }),
      ...more,
    });
  }

  /** Keeps the process alive: the host awaits the call. Rejects with the signal's reason. */
  pause(ms: number): Promise<void> {
    const { signal } = this;
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
}

export const questionsOf = (
  client: Client,
  { action, risk, timeoutMs, signal }: PolicyCheckOptions,
): Questions =>
  new Questions(client, {
    action: textOf(action),
    risk,
    deadline: timeoutMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + timeoutMs,
    signal,
  });

/** The answer to POST /api/decisions, whole; undefined when it is anything else. */
export function decisionOf(body: unknown): Decision | undefined {
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
