/**
 * The sample runs (resources/samples/runs.json): scripted agents of our own, so that a new user has something
 * to look at. Every record says `sample`; times, tokens and costs are the script's; decisions are really
 * evaluated by the policy in force, and approvals really go through the queue.
 */
import { createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { ProducerEvent } from '../core/event/schema.ts';
import { argsDigest } from '../core/proof/binding.ts';
import { fromHex } from '../core/proof/bytes.ts';
import type { JsonObject, JsonValue } from '../core/proof/jcs.ts';
import { policyInput } from './approvals/gate.ts';
import type { Reads, SessionStates } from './policy/session_state.ts';
import type { Clock, PolicyRunner, WriteLedger } from './ports.ts';

type Model = { name: string; provider: string; version?: string };
type Gate = {
  action: string;
  risk: 'low' | 'medium' | 'high' | 'critical';
  context?: JsonObject;
  answer?: 'approve' | 'deny';
  after_ms?: number;
  comment?: string;
};
export type SampleStep =
  | { kind: 'user'; text: string; ms: number }
  | { kind: 'turn'; name: string; steps: SampleStep[] }
  | { kind: 'retrieval'; query: string; documents: JsonValue[]; ms: number }
  | {
      kind: 'llm';
      model: Model;
      prompt: string;
      output: string;
      tokens: { input: number; output: number };
      cost: number;
      ms: number;
      evals?: { name: string; score: number; threshold: number }[];
    }
  | {
      kind: 'tool';
      name: string;
      args: JsonObject;
      result?: JsonValue;
      error?: string;
      ms: number;
      gate?: Gate;
    };
export type SampleRun = {
  app_id: string;
  session_id: string;
  title: string;
  actor_id: string;
  minutes_ago: number;
  gap_ms: number;
  steps: SampleStep[];
};

export const readSampleRuns = async (file: string): Promise<SampleRun[]> =>
  (JSON.parse(await readFile(file, 'utf8')) as { runs: SampleRun[] }).runs;

type Deps = {
  file: string;
  clock: Clock;
  policy: PolicyRunner;
  /** As the gate has them: a sample call is decided with the session so far, and is part of it. */
  sessions: SessionStates;
  /** What the policy in force reads. */
  reads: () => Reads;
  activePolicyHash: () => string;
  /** Lets a question in, so that no change of policy comes between its answer and its record. Answers what to call then. */
  enter: () => (() => void) | Promise<() => void>;
  write: WriteLedger;
  /** Validates, prepares and appends as the events route does, with source {via: sample, auth: self}. */
  append(appId: string, events: ProducerEvent[]): Promise<unknown>;
  has(appId: string, eventId: string): Promise<boolean>;
};

const keyId = 'sample';
const hmac = (key: Uint8Array, message: Uint8Array): Uint8Array =>
  createHmac('sha256', key).update(message).digest();
const stamp = (ms: number) => new Date(ms).toISOString();

class RunPlayer {
  #now: number;
  #count = 0;
  readonly #deps: Deps;
  readonly #run: SampleRun;
  /** Finished and not yet appended: a span is sent when it ends, as an SDK does. */
  #finished: ProducerEvent[] = [];
  appended = 0;

  constructor(deps: Deps, run: SampleRun) {
    this.#deps = deps;
    this.#run = run;
    this.#now = deps.clock.now() - run.minutes_ago * 60_000;
  }

  #event(parent: string | undefined, ms: number, rest: Partial<ProducerEvent>): ProducerEvent {
    const { app_id, session_id, actor_id } = this.#run;
    const event: ProducerEvent = {
      event_id: `sample-${session_id}-${++this.#count}`,
      session_id,
      app_id,
      actor_type: 'agent',
      actor_id,
      ts: stamp(this.#now),
      ts_end: stamp(this.#now + ms),
      labels: { sample: 'true', title: this.#run.title },
      ...(parent === undefined ? {} : { parent_id: parent }),
      ...rest,
    };
    return event;
  }

  #span(parent: string | undefined, ms: number, rest: Partial<ProducerEvent>): void {
    this.#finished.push(this.#event(parent, ms, rest));
  }

  async #flush(): Promise<void> {
    const events = this.#finished;
    this.#finished = [];
    if (events.length === 0) return;
    const { app_id, session_id } = this.#run;
    await this.#deps.append(app_id, events);
    this.appended += events.length;
    if (!this.#deps.reads().session) return;
    for (const { actor_type } of events)
      if (actor_type === 'user') this.#deps.sessions.turn(app_id, session_id);
  }

  async play(): Promise<void> {
    for (const step of this.#run.steps) {
      await this.#step(step, undefined);
      this.#now += this.#run.gap_ms;
    }
    await this.#flush();
  }

  async #step(step: SampleStep, parent: string | undefined): Promise<void> {
    if (step.kind === 'turn') {
      const turn = this.#event(parent, 0, { event_type: 'agent.turn', name: step.name, status: 'ok' });
      for (const inner of step.steps) {
        await this.#step(inner, turn.event_id);
        this.#now += 60;
      }
      turn.ts_end = stamp(this.#now);
      this.#finished.push(turn);
      return;
    }
    if (step.kind === 'tool') return this.#tool(step, parent);
    if (step.kind === 'user')
      this.#span(parent, step.ms, {
        event_type: 'user.message',
        actor_type: 'user',
        actor_id: 'customer',
        name: step.text.slice(0, 80),
        input: { text: step.text },
      });
    else if (step.kind === 'retrieval')
      this.#span(parent, step.ms, {
        event_type: 'retrieval',
        name: 'search knowledge base',
        input: { query: step.query },
        retrieval: { documents: step.documents },
        status: 'ok',
      });
    else
      this.#span(parent, step.ms, {
        event_type: 'llm.chat',
        name: `chat ${step.model.name}`,
        input: { prompt: step.prompt },
        output: { model_output: step.output },
        model: {
          ...step.model,
          cost: step.cost,
          params: { usage: { input_tokens: step.tokens.input, output_tokens: step.tokens.output } },
        },
        ...(step.evals ? { evals: step.evals } : {}),
        status: 'ok',
      });
    this.#now += step.ms;
  }

  async #tool(step: Extract<SampleStep, { kind: 'tool' }>, parent: string | undefined): Promise<void> {
    const started = this.#now;
    const span = this.#event(parent, step.ms, {
      event_type: 'tool.call',
      name: step.name,
      input: step.args,
      status: step.error ? 'error' : 'ok',
      ...(step.gate ? { risk: step.gate.risk } : {}),
    });
    const passed = step.gate ? await this.#gate(step.gate, step.args, span) : true;
    if (passed === 'waits') {
      delete span.status;
    } else if (passed) {
      this.#now += step.ms;
      span.tools_invoked = [
        {
          name: step.name,
          args: step.args,
          latency_ms: step.ms,
          ...(step.result === undefined ? {} : { result: step.result }),
        },
      ];
      if (step.error) span.output = { error: step.error };
      else if (step.result !== undefined && step.result !== null) span.output = step.result;
    } else {
      span.status = 'error';
      span.output = { error: 'the call was not let through' };
    }
    span.ts_end = stamp(Math.max(this.#now, started + 1));
    this.#finished.push(span);
  }

  /** Decides, answers as the script says, uses and reports. Answers whether the call ran, or still waits. */
  async #gate(gate: Gate, payload: JsonObject, span: ProducerEvent): Promise<boolean | 'waits'> {
    const { write, policy, sessions } = this.#deps;
    await this.#flush();
    const { app_id, session_id, actor_id } = this.#run;
    const actor = { type: 'agent', id: actor_id } as const;
    const context = gate.context === undefined ? {} : { context: gate.context };
    const asked = { action: gate.action, risk: gate.risk, actor, payload, ...context };
    const leave = await this.#deps.enter();
    const recorded = async () => {
      const { session, now } = this.#deps.reads();
      const before = session ? await sessions.ask(app_id, session_id, asked) : undefined;
      if (before === undefined) sessions.forget(app_id, session_id);
      const seen = {
        ...(before === undefined ? {} : { session: before.session as unknown as JsonObject }),
        ...(now ? { now: stamp(this.#now) } : {}),
      };
      const outcome = await policy.decide(policyInput({ ...asked, session_id, app_id }, seen));
      const decided = await write
        .run('decide', {
          ...asked,
          keyId,
          appId: app_id,
          sessionId: session_id,
          parentId: span.event_id,
          ...seen,
          outcome,
          sampleTs: stamp(this.#now),
        })
        .catch(error => {
          before?.dropped();
          throw error;
        });
      before?.decided(decided.decisionId, outcome.result, decided.approval?.id);
      return { outcome, decided };
    };
    const { outcome, decided } = await recorded().finally(leave);
    span.policy_eval = {
      policy_id: outcome.policy.hash,
      decision: outcome.result,
      reasons: outcome.reasons,
      ...({ decision_id: decided.decisionId } as object),
    };
    this.#now += 20;
    if (outcome.result === 'deny') return false;
    if (outcome.result === 'approve') {
      if (!decided.approval) return false;
      if (!gate.answer) return 'waits';
      this.#now += gate.after_ms ?? 0;
      const answered = await write.run('answerApproval', {
        id: decided.approval.id,
        verdict: gate.answer,
        by: 'sample approver',
        ...(gate.comment === undefined ? {} : { comment: gate.comment }),
        signedIn: 'none',
        source: { via: 'sample', auth: 'self' },
        sampleTs: stamp(this.#now),
      });
      if (answered.status !== 'approved') return false;
      await write.run('consumeApproval', {
        id: decided.approval.id,
        keyId,
        appId: app_id,
        argsDigest: argsDigest(hmac, fromHex(decided.argsSalt), payload),
        action: gate.action,
        sessionId: session_id,
        nonce: decided.approval.nonce,
        activePolicyHash: this.#deps.activePolicyHash(),
        sampleTs: stamp(this.#now),
      });
      sessions.used(decided.approval.id);
    }
    await write.run('reportOutcome', {
      decisionId: decided.decisionId,
      keyId,
      appId: app_id,
      outcome: 'ok',
      sampleTs: stamp(this.#now + 1),
    });
    sessions.outcome(decided.decisionId, 'ok');
    return true;
  }
}

/**
 * Loads each sample run that is not there yet; a second call changes nothing. Throws busy and disk_full as an
 * append does.
 */
export const loadSamples = async (
  deps: Deps,
): Promise<{ events: number; runs: number; already: boolean }> => {
  let events = 0;
  let loaded = 0;
  // In the order of their own times, as they would have come in.
  const runs = (await readSampleRuns(deps.file)).toSorted((a, b) => b.minutes_ago - a.minutes_ago);
  for (const run of runs) {
    if (await deps.has(run.app_id, `sample-${run.session_id}-1`)) continue;
    const player = new RunPlayer(deps, run);
    await player.play();
    events += player.appended;
    loaded++;
  }
  return { events, runs: loaded, already: loaded === 0 };
};
