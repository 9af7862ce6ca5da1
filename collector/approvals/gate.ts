/**
 * The gate: asks the policy, records the decision, waits for people, grants one use, records the outcome.
 * Rules: nothing is answered before it is durable; whatever goes wrong with the policy denies; an API key sees only
 * its own app's approvals; waiters are bounded. Format: docs/spec/gate.md.
 */
import { TrailmixError } from '../../core/api/errors.ts';
import type { InputOf, OutputOf } from '../../core/api/operations.ts';
import type { Environment } from '../../core/api/policy_views.ts';
import type { ApprovalView } from '../../core/api/views.ts';
import type { JsonObject, JsonValue } from '../../core/proof/jcs.ts';
import type { Reads, SessionStates } from '../policy/session_state.ts';
import type { Clock, Ledger, PolicyOutcome, PolicyRunner, PreparedEvent, Principal } from '../ports.ts';
import { startExpiry } from './expiry.ts';
import { refuseLong, refuseSpecial } from './plain.ts';
import { Waiters } from './waiters.ts';

type Key = Extract<Principal, { kind: 'key' }>;
type Asker = Extract<Principal, { kind: 'key' | 'person' | 'local' }>;

export type Gate = {
  /** Throws app_mismatch, key_dollar, json_depth, field_too_long, busy, disk_full. A policy that fails is a recorded deny with code policy_failed. */
  decide(who: Key, input: InputOf<'decide'>): Promise<OutputOf<'decide'>>;
  /**
   * The approval, at once when it is answered or not `known` people approve, else when that changes or `seconds` (0 to 60)
   * have passed. Without `known`, what counts is how many approved when the wait began.
   * Throws approval_unknown, busy (too many wait already).
   */
  wait(
    who: Asker,
    id: string,
    seconds: number,
    how?: { known?: number | undefined; signal?: AbortSignal },
  ): Promise<ApprovalView>;
  /** Throws approval_unknown, binding_mismatch, approval_{consumed,denied,cancelled,expired,not_approved}, policy_changed. */
  consume(who: Key, id: string, input: InputOf<'consumeApproval'>): Promise<OutputOf<'consumeApproval'>>;
  /** The agent no longer wants it. Throws approval_unknown, approval_consumed. */
  cancel(who: Key, id: string, reason?: string): Promise<ApprovalView>;
  /** Throws decision_unknown, policy_denied, approval_not_approved, outcome_conflict, key_dollar, json_depth. */
  outcome(who: Key, id: string, input: InputOf<'reportOutcome'>): Promise<OutputOf<'reportOutcome'>>;
  /**
   * Events that are about to be appended: what to call once they are, so that users' turns count in their sessions;
   * undefined where there is nothing to count. Holds no event.
   */
  turnsIn(events: readonly PreparedEvent[]): (() => void) | undefined;
  /** Lets every waiter go with the approval as it is, and stops the expiry timer. */
  close(): void;
};

/** What a candidate in shadow is compared with. */
export type DecidedCall = {
  decisionId: string;
  seq: number;
  appId: string;
  sessionId: string;
  action: string;
  input: JsonObject;
  outcome: PolicyOutcome;
};

export type GateOptions = {
  ledger: Pick<Ledger, 'read' | 'write'>;
  policy: PolicyRunner;
  /** What is in force now: a use under another policy than the one that asked is refused. */
  activePolicy: (environment: Environment) => { version: number; hash: string };
  clock: Clock;
  /** The sessions so far, and what the policy in force reads; without them a policy is given neither session nor time. */
  sessions?: SessionStates;
  /** Without an environment: what any of them reads. */
  reads?: (environment?: Environment) => Reads;
  /**
   * Called before a question of an environment is looked at; what it answers is called when the question is recorded or
   * refused. In between, the policy of that environment stays.
   */
  enter?: (environment: Environment) => (() => void) | Promise<() => void>;
  /** A decision was recorded. Must not wait. */
  onDecided?: (environment: Environment, decided: DecidedCall) => void;
  /** Milliseconds after which a runner that never answers counts as failed; its own deadline is shorter. */
  policyLimitMs?: number;
  /** Long polls at once; one more is `busy`. */
  maxWaiters?: number;
  /** What the expiry timer could not do; it tries again. For the log. */
  onError?: (error: unknown) => void;
};

const LONGEST_WAIT = 60;
const noop = (): void => {};
const environmentOf = (who: Key): Environment => who.environment ?? 'prod';

export function createGate(options: GateOptions): Gate {
  const { ledger, policy, activePolicy, clock, policyLimitMs = 10_000, maxWaiters = 1_000 } = options;
  const { sessions, reads = () => ({ session: false, now: false }), enter = () => noop, onDecided } = options;
  const waiters = new Waiters(maxWaiters);
  const unsubscribe = ledger.write.onCommit(({ approvals }) => waiters.wake(approvals));
  const expiry = startExpiry({ ledger, clock, onError: options.onError ?? (() => {}) });

  const visible = async (who: Asker, id: string): Promise<ApprovalView> => {
    const view = await ledger.read.approval(id);
    if (view === undefined || (who.kind === 'key' && view.app_id !== who.appId)) {
      throw new TrailmixError('approval_unknown', { where: '/id' });
    }
    return view;
  };

  /** Inside the environment: evaluated, recorded, answered. */
  const decided = async (
    who: Key,
    input: InputOf<'decide'>,
    environment: Environment,
  ): Promise<OutputOf<'decide'>> => {
    const reading = reads(environment);
    const asking = reading.session ? sessions?.ask(who.appId, input.session_id, callOf(input)) : undefined;
    if (asking === undefined) sessions?.forget(who.appId, input.session_id);
    // Only a session that is not in memory is waited for.
    const asked = asking instanceof Promise ? await asking : asking;
    const seen = {
      ...(asked === undefined ? {} : { session: asked.session as unknown as JsonObject }),
      ...(reading.now ? { now: new Date(clock.now()).toISOString() } : {}),
    };
    const given = policyInput(input, seen);
    const outcome = await evaluate(policy, given, environment, policyLimitMs, activePolicy);
    const { decisionId, seq, argsSalt, approval } = await ledger.write
      .run('decide', {
        keyId: who.id,
        appId: who.appId,
        sessionId: input.session_id,
        actor: input.actor,
        action: input.action,
        risk: input.risk,
        payload: input.payload as JsonObject,
        ...(input.context === undefined ? {} : { context: input.context as JsonObject }),
        ...(input.parent_id === undefined ? {} : { parentId: input.parent_id }),
        ...(input.trace_id === undefined ? {} : { traceId: input.trace_id }),
        ...seen,
        outcome,
      })
      .catch(error => {
        asked?.dropped();
        throw error;
      });
    asked?.decided(decisionId, outcome.result, approval?.id);
    const { appId } = who;
    const { session_id: sessionId, action } = input;
    onDecided?.(environment, { decisionId, seq, appId, sessionId, action, input: given, outcome });
    if (approval !== undefined) expiry.expect(approval.expires_at);
    return {
      decision: outcome.result,
      ...(outcome.failed === undefined ? {} : { code: 'policy_failed' }),
      reasons: outcome.reasons,
      decision_id: decisionId,
      policy: { version: outcome.policy.version, hash: outcome.policy.hash },
      args_salt: argsSalt,
      ...(approval === undefined ? {} : { approval }),
    };
  };

  return {
    async decide(who, input) {
      if (input.app_id !== who.appId) throw new TrailmixError('app_mismatch', { where: '/app_id' });
      refuseLong({
        '/action': input.action,
        '/session_id': input.session_id,
        '/actor/id': input.actor.id,
        '/parent_id': input.parent_id,
        '/trace_id': input.trace_id,
      });
      refuseSpecial(input.payload, ['payload']);
      refuseSpecial(input.context, ['context']);
      const environment = environmentOf(who);
      const entered = enter(environment);
      const leave = entered instanceof Promise ? await entered : entered;
      try {
        return await decided(who, input, environment);
      } finally {
        leave();
      }
    },

    async wait(who, id, seconds, { known, signal } = {}) {
      // Registered before reading: what is committed in between wakes it.
      const waiter = waiters.add(id);
      try {
        const until = performance.now() + Math.min(seconds, LONGEST_WAIT) * 1000;
        let approvedBy = known;
        for (;;) {
          const view = await visible(who, id);
          const left = until - performance.now();
          const over = left <= 0 || waiters.closed || signal?.aborted === true;
          approvedBy ??= view.approved_by;
          if (view.status !== 'waiting' || view.approved_by !== approvedBy || over) return view;
          // A wake says that something was committed, not what: the asking itself may come late.
          await waiter.wait(left, signal);
        }
      } finally {
        waiter.remove();
      }
    },

    async consume(who, id, input) {
      const environment = environmentOf(who);
      const entered = enter(environment);
      const leave = entered instanceof Promise ? await entered : entered;
      const use = ledger.write.run('consumeApproval', {
        id,
        keyId: who.id,
        appId: who.appId,
        argsDigest: input.args_digest,
        action: input.action,
        sessionId: input.session_id,
        nonce: input.nonce,
        ...(input.use_id === undefined ? {} : { useId: input.use_id }),
        activePolicyHash: activePolicy(environment).hash,
      });
      const { intentId, grantExpiresAt } = await use.finally(leave);
      sessions?.used(id);
      return { intent_id: intentId, grant: { expires_at: grantExpiresAt } };
    },

    cancel: (who, id, reason) =>
      ledger.write.run('cancelApproval', {
        id,
        keyId: who.id,
        appId: who.appId,
        ...(reason === undefined ? {} : { reason }),
      }),

    async outcome(who, id, input) {
      refuseSpecial(input.result, ['result']);
      const { seq, eventId } = await ledger.write.run('reportOutcome', {
        decisionId: id,
        keyId: who.id,
        appId: who.appId,
        outcome: input.outcome,
        ...(input.result === undefined ? {} : { result: input.result as JsonValue }),
        ...(input.error === undefined ? {} : { error: input.error }),
        ...(input.latency_ms === undefined ? {} : { latencyMs: input.latency_ms }),
      });
      sessions?.outcome(id, input.outcome);
      return { seq, event_id: eventId };
    },

    turnsIn(events) {
      if (sessions === undefined || !reads().session) return undefined;
      const turns = events.filter(({ bodyJcs }) => USERS_EVENT.test(bodyJcs));
      if (turns.length === 0) return undefined;
      const places = turns.map(({ appId, sessionId }) => ({ appId, sessionId }));
      return () => {
        for (const { appId, sessionId } of places) sessions.turn(appId, sessionId);
      };
    },

    close() {
      unsubscribe();
      expiry.stop();
      waiters.close();
    },
  };
}

/** JCS of an event's body of actor_type user: its members are in order. */
const USERS_EVENT = /^\{(?:"actor_id":"(?:[^"\\]|\\.)*",)?"actor_type":"user"/;

const callOf = (input: InputOf<'decide'>) => ({
  action: input.action,
  payload: input.payload as JsonObject,
  ...(input.context === undefined ? {} : { context: input.context as JsonObject }),
});

/**
 * The document that a policy sees as `input` (docs/spec/policy-input.schema.json), but for `policy`, which the runner
 * adds. All of it can be rebuilt from the decision's record: `seen` is recorded there as it was given.
 */
export function policyInput(input: InputOf<'decide'>, seen: JsonObject = {}): JsonObject {
  return {
    ...seen,
    action: input.action,
    risk: input.risk,
    actor: { type: input.actor.type, id: input.actor.id },
    payload: input.payload as JsonObject,
    context: (input.context ?? {}) as JsonObject,
    session_id: input.session_id,
    app_id: input.app_id,
  };
}

/** The runner promises never to throw and to keep its deadline; a gate does not stand on a promise. */
async function evaluate(
  policy: PolicyRunner,
  input: JsonObject,
  environment: Environment,
  limitMs: number,
  activePolicy: GateOptions['activePolicy'],
): Promise<PolicyOutcome> {
  let timer: NodeJS.Timeout | undefined;
  const failed = (why: 'throw' | 'timeout', reason: string): PolicyOutcome => ({
    result: 'deny',
    reasons: [reason],
    failed: { why },
    policy: {
      ...activePolicy(environment),
      ...(environment === 'prod' ? {} : { environment }),
    },
    evalUs: 0,
  });
  const late = new Promise<PolicyOutcome>(resolve => {
    timer = setTimeout(() => resolve(failed('timeout', 'the policy did not answer in time')), limitMs);
  });
  try {
    return await Promise.race([policy.decide(input, environment), late]);
  } catch {
    return failed('throw', 'the policy runner failed');
  } finally {
    clearTimeout(timer);
  }
}
