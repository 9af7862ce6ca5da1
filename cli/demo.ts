/**
 * `trailmix demo`: the whole thread on a throw-away ledger, unattended: start, drive the sample agents through the
 * real SDK over HTTP, answer the queue as the script says, export, verify. Times are compressed; everything
 * recorded is labelled as a sample. Nothing of the person's own data folder is touched.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { policyCheck, type Span, span, tr } from '@trailmix/ts';
import { type Collector, startCollector } from '../collector/compose.ts';
import { readSampleRuns, type SampleRun, type SampleStep } from '../collector/samples.ts';
import type { InputOf, OutputOf } from '../core/api/operations.ts';
import type { JsonObject } from '../core/proof/jcs.ts';
import { type Command, textOf } from './command.ts';
import { verifyPackFile } from './verify_pack.ts';

const speed = 200;
const pause = (ms: number) => sleep(Math.min(40, ms / speed));

/** A signed-in page, as far as the demo needs one. */
class Person {
  readonly #url: string;
  readonly #session: string;
  private constructor(url: string, session: string) {
    this.#url = url;
    this.#session = session;
  }

  static async signIn(uiUrl: string): Promise<Person> {
    const { origin, hash } = new URL(uiUrl);
    const token = new URLSearchParams(hash.slice(1)).get('token') ?? '';
    const answer = await fetch(`${origin}/api/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin },
      body: JSON.stringify({ token }),
    });
    return new Person(origin, ((await answer.json()) as OutputOf<'exchange'>).session);
  }

  async #send(method: 'GET' | 'POST', path: string, accept: string, body: unknown): Promise<Response> {
    const answer = await fetch(this.#url + path, {
      method,
      headers: {
        accept,
        authorization: `Bearer ${this.#session}`,
        origin: this.#url,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!answer.ok) {
      const { detail = '' } = (await answer.json()) as { detail?: string };
      throw new Error(`${method} ${path}: ${answer.status} ${detail}`);
    }
    return answer;
  }

  async call<T>(method: 'GET' | 'POST', path: string, body?: unknown): Promise<T> {
    return (await (await this.#send(method, path, 'application/json', body)).json()) as T;
  }

  async download(path: string, body: unknown): Promise<Uint8Array> {
    return new Uint8Array(await (await this.#send('POST', path, 'application/zip', body)).arrayBuffer());
  }

  /** Answers the one approval that waits for this action, as the script says. */
  async answer(step: Extract<SampleStep, { kind: 'tool' }>, approvalId: string): Promise<void> {
    const { answer, comment, after_ms = 0 } = step.gate!;
    await pause(after_ms);
    await this.call('POST', `/api/approvals/${approvalId}/answer`, {
      verdict: answer ?? 'deny',
      comment: comment ?? 'Nobody was there to answer: refused by the demo.',
    } satisfies InputOf<'answerApproval'>);
  }
}

const record = (s: Span, step: Exclude<SampleStep, { kind: 'turn' } | { kind: 'tool' }>): void => {
  if (step.kind === 'user') s.recordInput({ text: step.text });
  else if (step.kind === 'retrieval') {
    s.recordInput({ query: step.query });
    s.recordRetrieval({ documents: step.documents });
  } else {
    s.recordInput({ prompt: step.prompt });
    s.recordOutput({ model_output: step.output });
    s.recordModel({
      ...step.model,
      cost: step.cost,
      usage: { input_tokens: step.tokens.input, output_tokens: step.tokens.output },
    });
    for (const result of step.evals ?? []) s.attachEval(result);
  }
};

const typeOf = { user: 'user.message', retrieval: 'retrieval', llm: 'llm.chat' } as const;
const nameOf = (step: Exclude<SampleStep, { kind: 'turn' } | { kind: 'tool' }>): string =>
  step.kind === 'user'
    ? step.text.slice(0, 80)
    : step.kind === 'llm'
      ? `chat ${step.model.name}`
      : 'search knowledge base';

class Agent {
  readonly #person: Person;
  readonly #run: SampleRun;
  readonly #labels: Record<string, string>;
  /** The gated call in progress, so that the queue's answer can follow the script. */
  asking: Extract<SampleStep, { kind: 'tool' }> | undefined;

  constructor(person: Person, run: SampleRun) {
    this.#person = person;
    this.#run = run;
    this.#labels = { sample: 'true', title: run.title };
  }

  waiting(approvalId: string): void {
    if (this.asking) void this.#person.answer(this.asking, approvalId);
  }

  play(): Promise<void> {
    return tr.session({ id: this.#run.session_id }, async () => {
      for (const step of this.#run.steps) await this.#step(step);
    });
  }

  async #step(step: SampleStep): Promise<void> {
    const labels = this.#labels;
    if (step.kind === 'turn')
      return span(step.name, { type: 'agent.turn', labels }, async () => {
        for (const inner of step.steps) await this.#step(inner);
      });
    if (step.kind === 'tool') return this.#tool(step);
    await span(
      nameOf(step),
      {
        type: typeOf[step.kind],
        labels,
        ...(step.kind === 'user' ? { actor: { type: 'user', id: 'customer' } as const } : {}),
      },
      async s => {
        await pause(step.ms);
        record(s, step);
      },
    );
  }

  async #tool(step: Extract<SampleStep, { kind: 'tool' }>): Promise<void> {
    const call = async (_args: JsonObject) => {
      await pause(step.ms);
      if (step.error) throw new Error(step.error);
      return step.result ?? null;
    };
    if (step.gate) {
      const { action, risk, context } = step.gate;
      this.asking = step;
      const gated = policyCheck(call, { action, risk, ...(context ? { metadata: context } : {}) });
      await gated(step.args).catch(() => undefined);
      this.asking = undefined;
    } else
      await span(step.name, { type: 'tool.call', labels: this.#labels }, async s => {
        s.recordInput(step.args);
        const result = await call(step.args);
        s.recordTool({ name: step.name, args: step.args, result, latency_ms: step.ms });
        s.recordOutput(result);
      }).catch(() => undefined);
  }
}

const samples = join(import.meta.dirname, '../resources/samples/runs.json');

const drive = async (collector: Collector, person: Person, say: (line: string) => void): Promise<void> => {
  const runs = await readSampleRuns(samples);
  for (const app of [...new Set(runs.map(run => run.app_id))]) {
    const { api_key } = await person.call<OutputOf<'createKey'>>('POST', '/api/keys', { app_id: app });
    let agent: Agent | undefined;
    tr.init({
      apiKey: api_key,
      appId: app,
      endpoint: collector.url,
      onDecision: state => {
        if (state.state === 'waiting' && state.approval_id) agent?.waiting(state.approval_id);
      },
    });
    for (const run of runs.filter(each => each.app_id === app)) {
      say(`  ${app}: ${run.title}`);
      agent = new Agent(person, run);
      await agent.play();
    }
    if (!(await tr.shutdown({ timeoutMs: 10_000 }))) throw new Error('some events could not be delivered');
  }
};

export const demoCommand: Command = {
  summary: 'The whole thread on a throw-away ledger: record, gate, approve, export, verify.',
  usage: '[--out DIR]',
  examples: ['trailmix demo --out ./demo'],
  options: { out: { type: 'string' } },
  help: { '--out DIR': 'where the pack and what a verifier must trust are kept (default: ./trailmix-demo)' },
  async run({ values, out }) {
    const target = resolve(textOf(values, 'out') ?? 'trailmix-demo');
    await mkdir(target, { recursive: true });
    const folder = await mkdtemp(join(tmpdir(), 'trailmix-demo-'));
    out.say('Starting a collector on a throw-away ledger ...');
    const collector = await startCollector({ folder: join(folder, 'data'), port: 0 });
    try {
      await collector.initialise({ kind: 'key_file', file: join(folder, 'keys', 'demo.key') }, 'demo');
      const person = await Person.signIn(collector.uiUrl());
      out.say('Driving the sample agents through the SDK:');
      await drive(collector, person, line => out.say(line));
      const status = await person.call<OutputOf<'status'>>('GET', '/api/status');
      const now = new Date();
      const file = join(target, 'finance-bot.tmpack.zip');
      const { files } = await person.call<OutputOf<'trust'>>('GET', '/api/trust');
      const trust = join(target, 'trust');
      await mkdir(trust, { recursive: true });
      for (const [name, text] of Object.entries(files)) await writeFile(join(trust, name), text);
      await writeFile(
        file,
        await person.download('/api/evidence/export', {
          app_id: 'finance-bot',
          time_from: new Date(now.getTime() - 3_600_000).toISOString(),
          time_to: now.toISOString(),
        } satisfies InputOf<'exportEvidence'>),
      );
      const { verdicts } = await verifyPackFile(file, { trust });
      const events = (status.ledger?.head_seq ?? -1) + 1;
      out.say(`Recorded ${events} events. Pack: ${file}`);
      for (const [name, verdict] of Object.entries(verdicts)) out.say(`  ${name}: ${verdict.result}`);
      out.json({ pack: file, verdicts, events });
      return Object.values(verdicts).some(verdict => verdict.result === 'fail') ? 1 : 0;
    } finally {
      await collector.close();
      await rm(folder, { recursive: true, force: true });
    }
  },
};
