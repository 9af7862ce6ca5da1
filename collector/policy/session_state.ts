/**
 * The session so far, as `input.session` (core/policy/input_schema.ts): turns, earlier calls with what was decided and
 * what came of them, counts, spend, tools in the order first asked for.
 * Rules: kept in memory for the MAX_SESSIONS sessions used last, each bounded by the schema; a session that is not in
 * memory is rebuilt from its records, of the newest MAX_REBUILT calls. A call counts as asked, and its amount as spent,
 * from the moment it is asked: two calls at once cannot both use the rest of a budget. What is given to a policy is a
 * copy, and is what the decision's record holds. `complete` is false where something may be missing; a budget then asks.
 */
import {
  MAX_SESSION_ACTIONS,
  MAX_SESSION_NAMES,
  type PolicySession,
  type SessionAction,
} from '../../core/policy/input_schema.ts';
import type { JsonObject, JsonValue } from '../../core/proof/jcs.ts';

export const MAX_SESSIONS = 10_000;
/** Calls of one session that are read back from its records. */
export const MAX_REBUILT = 2_000;
/** Decisions and approvals whose outcome or use is still awaited. */
const MAX_OPEN = 50_000;
const LONGEST_NAME = 256;

/** One recorded call of a session, newest first, as the query `sessions.calls` answers it. */
export type RecordedCall = {
  decision_id: string;
  approval_id: string | null;
  action: string;
  result: 'allow' | 'deny' | 'approve';
  outcome: 'ok' | 'error' | null;
  /** 1 when the approval was used. */
  used: 0 | 1;
  /** JSON text of the record's body; null once erased. */
  body: string | null;
};
/** `calls`: at most `limit`, newest first. `turns`: events of actor_type user. */
export type SessionHistory = (
  appId: string,
  sessionId: string,
  limit: number,
) => Promise<{ calls: RecordedCall[]; turns: number }>;

export type Asked = {
  /** What the policy is given, and the decision's record holds. */
  readonly session: PolicySession;
  /** The call was decided and recorded. */
  decided(decisionId: string, result: 'allow' | 'deny' | 'approve', approvalId?: string): void;
  /** It was not: nothing was asked, nothing spent. */
  dropped(): void;
};

export type SessionStates = {
  /**
   * Notes that a call is asked for, and answers what came before it: at once for a session in memory, else when its
   * records were read. Never rejects: where they cannot be read, `complete` is false.
   */
  ask(
    appId: string,
    sessionId: string,
    call: { action: string; payload: JsonValue; context?: JsonValue },
  ): Asked | Promise<Asked>;
  /** An approval was used. */
  used(approvalId: string): void;
  outcome(decisionId: string, outcome: 'ok' | 'error'): void;
  /** A call of the session is decided without it being asked for here: it is read back from its records next time. */
  forget(appId: string, sessionId: string): void;
  /** A user's event was recorded; counts for sessions in memory, the others are rebuilt from their records. */
  turn(appId: string, sessionId: string): void;
  /** Sessions in memory. */
  size(): number;
};

type State = {
  turns: number;
  actions: SessionAction[];
  counts: PolicySession['counts'];
  spend: number;
  names: string[];
  complete: boolean;
  /** Asked and not decided yet: counted, and not shown. */
  pending: Set<SessionAction>;
};

type Open = { state: State; action: SessionAction; amount: number };

const empty = (): State => ({
  turns: 0,
  actions: [],
  counts: { asked: 0, allow: 0, deny: 0, approve: 0, by_action: {} },
  spend: 0,
  names: [],
  complete: true,
  pending: new Set(),
});

const isObject = (value: JsonValue | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** payload.<context.amount_field, or amount>, a dotted name going down; undefined where that is no finite number. */
export function amountOf(payload: JsonValue, context: JsonValue | undefined): number | undefined {
  const named = isObject(context) && Object.hasOwn(context, 'amount_field') ? context.amount_field : 'amount';
  if (typeof named !== 'string') return undefined;
  let at: JsonValue | undefined = payload;
  for (const step of named.split('.')) {
    at = isObject(at) && Object.hasOwn(at, step) ? at[step] : undefined;
  }
  return typeof at === 'number' && Number.isFinite(at) ? at : undefined;
}

/** What a policy may read beside the call itself. */
export type Reads = { session: boolean; now: boolean };

/**
 * Whether a policy may read `input.session` and `input.now`: whether the word is in any of its sources, data included, or among
 * the texts of its module, for OPA leaves out of a bundle the rules that it compiled. What it cannot read is neither given to
 * it nor recorded.
 */
export const readsOf = (sources: readonly { text: string }[], module?: Uint8Array): Reads => {
  const texts =
    module === undefined ? undefined : Buffer.from(module.buffer, module.byteOffset, module.length);
  // OPA's texts end in NUL, one after the other.
  const holds = (word: string): boolean => texts?.includes(`\0${word}\0`, 0, 'latin1') ?? false;
  return {
    session: sources.some(({ text }) => text.includes('session')) || holds('session'),
    now: sources.some(({ text }) => /\bnow\b/.test(text)) || holds('now'),
  };
};

export function createSessionStates(options: {
  history: SessionHistory;
  /** The ledger is new: a session that is not in memory has no records. */
  fresh?: boolean;
  maxSessions?: number;
}): SessionStates {
  const { history, maxSessions = MAX_SESSIONS } = options;
  /** In order of use: the first is the one used longest ago. */
  const states = new Map<string, State | Promise<State>>();
  const open = new Map<string, Open>();
  /** Every session with records is in memory. */
  let allKnown = options.fresh === true;
  const keyOf = (appId: string, sessionId: string): string => `${appId}\n${sessionId}`;

  const keep = (key: string, state: State | Promise<State>): void => {
    states.delete(key);
    states.set(key, state);
    if (states.size <= maxSessions) return;
    const [oldest] = states.keys();
    states.delete(oldest!);
    allKnown = false;
  };

  /** By decision until its outcome, and by approval until it is used. */
  const waitFor = (entry: Open, decisionId: string, approvalId: string | undefined): void => {
    const { action } = entry;
    if (action.outcome !== undefined || action.decision === 'deny') return;
    open.set(decisionId, entry);
    if (approvalId !== undefined && action.used !== true) open.set(approvalId, entry);
    while (open.size > MAX_OPEN) open.delete(open.keys().next().value!);
  };

  const rebuild = async (appId: string, sessionId: string): Promise<State> => {
    const state = empty();
    try {
      const { calls, turns } = await history(appId, sessionId, MAX_REBUILT + 1);
      state.turns = turns;
      if (calls.length > MAX_REBUILT) state.complete = false;
      for (const call of calls.slice(0, MAX_REBUILT).reverse()) {
        const body =
          call.body === null
            ? undefined
            : (JSON.parse(call.body) as { input?: JsonValue; context?: JsonValue });
        // Erased, or so large that the arguments became a blob: what was spent is not known.
        if (body === undefined || (isObject(body.input) && Object.hasOwn(body.input, '$blob')))
          state.complete = false;
        const amount = body?.input === undefined ? undefined : amountOf(body.input, body.context);
        const action = enter(state, call.action, amount);
        settle(state, action, call.result);
        if (call.used === 1) action.used = true;
        if (call.outcome !== null) action.outcome = call.outcome;
        if (amount !== undefined && !couldRun(action)) state.spend -= amount;
        waitFor({ state, action, amount: amount ?? 0 }, call.decision_id, call.approval_id ?? undefined);
      }
    } catch {
      state.complete = false;
    }
    const key = keyOf(appId, sessionId);
    if (states.has(key)) states.set(key, state);
    return state;
  };

  const askOf = (state: State, call: { action: string; payload: JsonValue; context?: JsonValue }): Asked => {
    const session = copyOf(state);
    const amount = amountOf(call.payload, call.context);
    const action = enter(state, call.action, amount);
    return {
      session,
      decided(decisionId, result, approvalId) {
        settle(state, action, result);
        if (!couldRun(action)) state.spend -= amount ?? 0;
        waitFor({ state, action, amount: amount ?? 0 }, decisionId, approvalId);
      },
      dropped() {
        state.actions = state.actions.filter(one => one !== action);
        state.pending.delete(action);
        state.counts.asked -= 1;
        if (Object.hasOwn(state.counts.by_action, action.name)) state.counts.by_action[action.name]! -= 1;
        state.spend -= amount ?? 0;
      },
    };
  };

  return {
    ask(appId, sessionId, call) {
      const key = keyOf(appId, sessionId);
      const known = states.get(key) ?? (allKnown ? empty() : rebuild(appId, sessionId));
      keep(key, known);
      return known instanceof Promise ? known.then(state => askOf(state, call)) : askOf(known, call);
    },
    used(approvalId) {
      const found = open.get(approvalId);
      open.delete(approvalId);
      if (found === undefined || found.action.decision !== 'approve' || found.action.used === true) return;
      found.action.used = true;
      found.state.spend += found.amount;
    },
    outcome(decisionId, outcome) {
      const found = open.get(decisionId);
      if (found === undefined) return;
      found.action.outcome = outcome;
      open.delete(decisionId);
    },
    forget(appId, sessionId) {
      allKnown = false;
      states.delete(keyOf(appId, sessionId));
    },
    turn(appId, sessionId) {
      const key = keyOf(appId, sessionId);
      const known = states.get(key);
      if (known instanceof Promise) return;
      if (known !== undefined) known.turns += 1;
      else if (allKnown) keep(key, { ...empty(), turns: 1 });
    },
    size: () => states.size,
  };
}

/** Allowed, or approved and used. */
const couldRun = (action: SessionAction): boolean => action.decision === 'allow' || action.used === true;

/** Puts a call at the end, pending; its amount counts as spent until it is decided. */
function enter(state: State, name: string, amount: number | undefined): SessionAction {
  const short = name.slice(0, LONGEST_NAME);
  const action: SessionAction = {
    name: short,
    decision: 'deny',
    ...(amount === undefined ? {} : { amount }),
  };
  state.actions.push(action);
  state.pending.add(action);
  if (state.actions.length > MAX_SESSION_ACTIONS + state.pending.size) state.actions.shift();
  state.counts.asked += 1;
  if (Object.hasOwn(state.counts.by_action, short)) {
    state.counts.by_action[short]! += 1;
  } else if (state.names.length < MAX_SESSION_NAMES) {
    state.names.push(short);
    Object.defineProperty(state.counts.by_action, short, {
      value: 1,
      writable: true,
      enumerable: true,
      configurable: true,
    });
  } else {
    state.complete = false;
  }
  state.spend += amount ?? 0;
  return action;
}

function settle(state: State, action: SessionAction, result: SessionAction['decision']): void {
  action.decision = result;
  state.pending.delete(action);
  state.counts[result] += 1;
}

const copyOf = ({ turns, actions, counts, spend, names, complete, pending }: State): PolicySession => ({
  turns,
  actions: actions
    .filter(action => !pending.has(action))
    .slice(-MAX_SESSION_ACTIONS)
    .map(action => ({ ...action })),
  counts: { ...counts, by_action: { ...counts.by_action } },
  spend,
  first_seen_tools: [...names],
  complete,
});
