/**
 * A collector killed (SIGKILL, a real process) between ask and answer, answer and use, use and outcome, and in the middle of
 * each: the queue and the record come back right, nothing runs twice, nothing runs unapproved.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { OutputOf } from '../../core/api/operations.ts';
import type { ApprovalView } from '../../core/api/views.ts';
import { type Answer, type Ask, ask, bearer, type TestCollector } from '../http/collector.ts';
import { addPerson, enrolFirstAdmin, expectJson, type Http, type Person } from '../people/person.ts';
import { Agent, codeOf, type Decided, policyFolder, QUICK } from './team.ts';

/** The collector's process; `start` after `kill` opens the same folder again, at another address. */
class Killable implements Http {
  url = '';
  socket = '';
  readonly #argument: string;
  #child: ChildProcess | undefined;

  constructor(place: string, policies: string) {
    const [folder, keyFile] = [join(place, 'data'), join(place, 'test.key')];
    this.#argument = JSON.stringify({ folder, keyFile, policies });
  }

  async start(): Promise<void> {
    const script = fileURLToPath(new URL('./collector_process.ts', import.meta.url));
    const child = spawn(process.execPath, [script, this.#argument], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#child = child;
    const [line] = (await once(createInterface(child.stdout!), 'line')) as [string];
    const { url, socket, phase } = JSON.parse(line) as Record<'url' | 'socket' | 'phase', string>;
    expect(phase).toBe('open');
    Object.assign(this, { url, socket });
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  ask = (path: string, options: Ask = {}): Promise<Answer> => ask(this.url + path, options);

  async signIn(): Promise<Record<string, string>> {
    const { ui_url } = expectJson<{ ui_url: string }>(
      await this.ask('/api/tickets', { method: 'POST', socket: this.socket }),
      200,
    );
    const body = { token: ui_url.split('#token=')[1] };
    const { session } = expectJson<{ session: string }>(
      await this.ask('/api/session', { body, headers: { origin: this.url } }),
      200,
    );
    return { ...bearer(session), origin: this.url };
  }
}

let place: string;
let policies: string;
let tm: Killable;
let agent: Agent;
let ada: Person;
let bob: Person;

const question = { action: 'two' };
const restart = async (): Promise<void> => {
  await tm.kill();
  await tm.start();
  await Promise.all([ada.signIn(), bob.signIn()]);
};
const waitingIds = async (): Promise<string[]> =>
  expectJson<OutputOf<'approvals'>>(await ada.call('/api/approvals?limit=1000'), 200).items.map(
    ({ id }) => id,
  );
const recordsOf = async (type: string, decided: Decided): Promise<unknown[]> => {
  const found = expectJson<OutputOf<'events'>>(await ada.call(`/api/events?q=type:${type}&limit=1000`), 200);
  return found.items.filter(record => {
    const about = (record.approval ?? record.intent ?? record.outcome) as { decision_id: string };
    return about.decision_id === decided.decision_id;
  });
};
/** Sends, and kills while it is on its way. What came back, if anything did. */
async function killedDuring(send: () => Promise<Answer>, afterMs: number): Promise<Answer | undefined> {
  const answer = send().catch(() => undefined);
  await sleep(afterMs);
  await tm.kill();
  return answer;
}

beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), 'tm-kill-'));
  policies = await policyFolder();
  tm = new Killable(place, policies);
  await tm.start();
  const made = await tm.ask('/api/keys', {
    body: { app_id: 'bot', scopes: ['ingest', 'decide'] },
    socket: tm.socket,
  });
  agent = new Agent(tm as unknown as TestCollector, expectJson<{ api_key: string }>(made, 201).api_key);
  ada = await enrolFirstAdmin(tm);
  bob = await addPerson(tm, ada, { id: 'bob', roles: ['approver'] });
  expectJson(await ada.call('/api/settings/review', { body: QUICK }), 200);
}, 240_000);
afterAll(async () => {
  await tm?.kill();
  await rm(place, { recursive: true, force: true });
  await rm(policies, { recursive: true, force: true });
});

test('between ask and answer, answer and answer, answer and use, use and outcome', async () => {
  const decided = await agent.ask(question);
  await restart();
  expect(await waitingIds()).toEqual([decided.approval.id]);
  expect(await agent.view(decided)).toMatchObject({ status: 'waiting', approved_by: 0 });
  expect(codeOf(await agent.consume(decided, question))).toBe('approval_not_approved');

  expectJson(await ada.approve(decided.approval.id), 200);
  await restart();
  expect(await agent.view(decided)).toMatchObject({ status: 'waiting', approved_by: 1 });
  expect(codeOf(await agent.consume(decided, question))).toBe('approval_not_approved');
  expect(codeOf(await ada.approve(decided.approval.id))).toBe('approval_answered');

  expectJson(await bob.approve(decided.approval.id), 200);
  await restart();
  expect(await agent.view(decided)).toMatchObject({ status: 'approved', approved_by: 2 });
  expect(await waitingIds()).toEqual([]);

  const attempt = { use_id: 'before the kill' };
  const granted = expectJson<{ intent_id: string }>(await agent.consume(decided, question, attempt), 200);
  await restart();
  expect(await agent.view(decided)).toMatchObject({ status: 'consumed', outcome: 'unknown' });
  // Within the grant the same request gets the same answer; later it is used for good. Never a second intent.
  const again = await agent.consume(decided, question, attempt);
  if (again.status === 200) expect(again.json).toEqual(granted);
  else expect(codeOf(again)).toBe('approval_consumed');
  expect(codeOf(await agent.consume(decided, question, { session_id: 'other' }))).toBe('binding_mismatch');
  expectJson(await agent.outcome(decided), 200);
  await restart();
  expect(await agent.view(decided)).toMatchObject({ status: 'consumed', outcome: 'ok' });
  expect(await recordsOf('approval.answered', decided)).toHaveLength(2);
  expect(await recordsOf('intent.recorded', decided)).toHaveLength(1);
  expect(await recordsOf('outcome.recorded', decided)).toHaveLength(1);
}, 240_000);

test('in the middle of an answer and of a use: done whole or not at all, and once', async () => {
  const moments = [0, 1, 2, 4, 8];
  const seen: ApprovalView['status'][] = [];
  for (const afterMs of moments) {
    const decided = await agent.ask(question);
    expectJson(await ada.approve(decided.approval.id), 200);
    const answered = await killedDuring(() => bob.approve(decided.approval.id), afterMs);
    await restart();
    let view = await agent.view(decided);
    const answers = await recordsOf('approval.answered', decided);
    // The row says what the records say, and what was acknowledged is there.
    expect(view.approved_by).toBe(answers.length);
    expect(view.status).toBe(answers.length === 2 ? 'approved' : 'waiting');
    if (answered?.status === 200) expect(view.status).toBe('approved');
    if (view.status === 'waiting') {
      expect(codeOf(await agent.consume(decided, question))).toBe('approval_not_approved');
      expectJson(await bob.approve(decided.approval.id), 200);
    }
    const used = await killedDuring(() => agent.consume(decided, question), afterMs);
    await restart();
    view = await agent.view(decided);
    seen.push(view.status);
    const intents = (await recordsOf('intent.recorded', decided)) as { event_id: string }[];
    expect(intents.length).toBe(view.status === 'consumed' ? 1 : 0);
    if (used?.status === 200) {
      expect(view.status).toBe('consumed');
      expect(intents[0]!.event_id).toBe((used.json as { intent_id: string }).intent_id);
    }
    const retried = await agent.consume(decided, question);
    if (retried.status !== 200) expect(codeOf(retried)).toBe('approval_consumed');
    expect(await recordsOf('intent.recorded', decided)).toHaveLength(1);
  }
  expect(seen).toHaveLength(moments.length);
  const verified = await ada.call('/api/ledger/verify', { method: 'POST' });
  const { verdicts } = expectJson<OutputOf<'verifyLedger'>>(verified, 200);
  expect(verdicts.integrity.result).toBe('pass');
}, 360_000);
