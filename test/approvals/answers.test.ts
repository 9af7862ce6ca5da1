/** Answers by people over HTTP: k of n, challenges, what the record says, alone, expiry, another policy, cancelling. */
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { OutputOf } from '../../core/api/operations.ts';
import { type Binding, bindingHash, shownDigest } from '../../core/proof/binding.ts';
import type { JsonValue } from '../../core/proof/jcs.ts';
import { startTestCollector, type TestCollector } from '../http/collector.ts';
import { addPerson, enrolFirstAdmin, expectJson } from '../people/person.ts';
import {
  Agent,
  codeOf,
  openedBy,
  policyFolder,
  QUICK,
  send,
  startTeam,
  statementFor,
  type Team,
} from './team.ts';

const sha256 = (data: Uint8Array): Uint8Array => createHash('sha256').update(data).digest();
const skew = { ms: 0 };
const clock = { now: () => Date.now() + skew.ms };

let team: Team;
beforeAll(async () => {
  team = await startTeam({ clock });
}, 120_000);
afterAll(() => team?.stop());

describe('opening', () => {
  test('what is shown is made by the collector, kept whole in the record, and bound', async () => {
    const { approval } = await team.agent.ask({ context: { invoice: '7' } });
    const opened = await openedBy(team.bob, approval.id);
    expect(opened.shown).toMatchObject({
      v: 1,
      approval_id: approval.id,
      action: 'one',
      payload: { amount: 12_000, iban: 'DE00' },
      context: { invoice: '7' },
      reasons: ['one is watched'],
      required: { k: 1, roles: ['approver'] },
    });
    const { binding, binding_hash } = opened.shown as { binding: Binding; binding_hash: string };
    expect(bindingHash(sha256, binding)).toBe(binding_hash);
    expect(binding.nonce).toBe(approval.nonce);
    expect(shownDigest(sha256, opened.shown as JsonValue)).toBe(opened.shown_digest);
    const record = (await team.records('approval.opened')).at(-1)!;
    expect(record.shown).toEqual(opened.shown);
    expect(record.approval).toMatchObject({
      by: 'bob',
      review_id: opened.review_id,
      opened_at: opened.opened_at,
    });
    // Again within its life: the same review, and no second record.
    const again = await openedBy(team.bob, approval.id);
    expect({ ...again, now: '' }).toEqual({ ...opened, now: '' });
    expect((await team.records('approval.opened')).at(-1)!.seq).toBe(record.seq);
  });

  test('an open review ends after an hour', async () => {
    await team.settings({ expires_seconds: 86_400 });
    const { approval } = await team.agent.ask();
    const opened = await openedBy(team.bob, approval.id);
    skew.ms += 3_600_000;
    await Promise.all([team.ada, team.bob, team.cyd].map(person => person.signIn()));
    expect(codeOf(await send(team.bob, approval.id, statementFor(team.bob, opened)))).toBe('review_unknown');
    expect((await team.bob.approve(approval.id)).json).toMatchObject({ status: 'approved' });
    await team.settings({});
  });
});

describe('k of n', () => {
  test('two different people of the roles that the rule names; the agent hears of the first', async () => {
    const decided = await team.agent.ask({ action: 'money' });
    const waiting = team.agent.view(decided, '?wait=30&approved_by=0');
    expect((await team.bob.approve(decided.approval.id, { role: 'treasurer' })).json).toMatchObject({
      status: 'waiting',
      required: { k: 2, roles: ['cfo', 'treasurer'] },
    });
    expect(await waiting).toMatchObject({ status: 'waiting', approved_by: 1 });
    const last = team.agent.view(decided, '?wait=30&approved_by=1');
    expectJson(await team.cyd.approve(decided.approval.id, { role: 'cfo', comment: 'as agreed' }), 200);
    expect(await last).toMatchObject({
      status: 'approved',
      approved_by: 2,
      four_eyes: true,
      answers: [
        { by: 'bob', role: 'treasurer', verdict: 'approve', signed_in: 'page' },
        { by: 'cyd', role: 'cfo', verdict: 'approve', comment: 'as agreed' },
      ],
    });
    expectJson(await team.agent.consume(decided, { action: 'money' }), 200);
    expect((await team.records('intent.recorded')).at(-1)!.intent).toMatchObject({ four_eyes: true });
  });

  test('one deny ends it, whoever approved before', async () => {
    const decided = await team.agent.ask({ action: 'two' });
    expectJson(await team.ada.approve(decided.approval.id), 200);
    expect((await team.bob.deny(decided.approval.id)).json).toMatchObject({
      status: 'denied',
      approved_by: 1,
    });
    expect(codeOf(await team.agent.consume(decided, { action: 'two' }))).toBe('approval_denied');
  });

  test('critical risk asks two people, and the binding says it', async () => {
    const decided = await team.agent.ask({ risk: 'critical' });
    expect((await team.agent.view(decided)).required).toEqual({ k: 2, roles: ['approver'] });
    const asked = (await team.records('approval.asked')).at(-1)!.approval as { binding: Binding };
    expect(asked.binding.required.k).toBe(2);
    expect((await team.bob.approve(decided.approval.id)).json).toMatchObject({ status: 'waiting' });
    expect((await team.cyd.approve(decided.approval.id)).json).toMatchObject({ status: 'approved' });
  });
});

describe('challenges', () => {
  afterEach(() => team.settings({}));

  test('retype: a wrong answer is recorded, the third ends the review', async () => {
    await team.settings({ high: { min_seconds: 0, challenge: 'retype' } });
    const { approval } = await team.agent.ask();
    const opened = await openedBy(team.bob, approval.id);
    expect(opened.challenge).toEqual({ kind: 'retype', prompt: 'Type the amount', path: '/amount' });
    const statement = statementFor(team.bob, opened);
    const before = (await team.records('approval.challenge_failed')).length;
    for (const challenge_answer of ['12001', undefined, '']) {
      const answer = await send(team.bob, approval.id, statement, { challenge_answer });
      expect(codeOf(answer)).toBe('challenge_failed');
    }
    const failed = (await team.records('approval.challenge_failed')).slice(before);
    expect(failed.map(record => (record.approval as { attempt: number }).attempt)).toEqual([1, 2, 3]);
    expect(failed[0]!.approval).toMatchObject({ by: 'bob', review_id: opened.review_id, kind: 'retype' });
    expect(codeOf(await send(team.bob, approval.id, statement, { challenge_answer: '12000' }))).toBe(
      'review_unknown',
    );
    const again = await openedBy(team.bob, approval.id);
    expect(again.review_id).not.toBe(opened.review_id);
    const right = await send(team.bob, approval.id, statementFor(team.bob, again), {
      challenge_answer: '12,000',
    });
    expect(right.json).toMatchObject({ status: 'approved' });
  });

  test('attempts before the right one stand in the record of the answer', async () => {
    await team.settings({ high: { min_seconds: 0, challenge: 'question' } });
    const { approval } = await team.agent.ask();
    const opened = await openedBy(team.bob, approval.id);
    expect(opened.challenge.prompt).toBe('What is the amount?');
    await send(team.bob, approval.id, statementFor(team.bob, opened), { challenge_answer: 'no idea' });
    expectJson(
      await send(team.bob, approval.id, statementFor(team.bob, opened), { challenge_answer: '12000' }),
      200,
    );
    expect((await team.records('approval.answered')).at(-1)!.approval).toMatchObject({
      reviewed: { challenge: 'question', attempts: 1 },
    });
  });

  test('a deny needs no answer', async () => {
    await team.settings({ high: { min_seconds: 3600, challenge: 'question' } });
    const { approval } = await team.agent.ask();
    expect((await team.bob.deny(approval.id, { challengeAnswer: 'wrong' })).json).toMatchObject({
      status: 'denied',
    });
  });
});

describe('the report of the page', () => {
  test('what the browser said is kept under client, signed, and bounded', async () => {
    const { approval } = await team.agent.ask();
    const opened = await openedBy(team.bob, approval.id);
    const review = { review_id: opened.review_id, challenge: { kind: 'confirm' } };
    const withClient = (client: JsonValue) =>
      statementFor(team.bob, opened, { review: { ...review, client } });
    expect(codeOf(await send(team.bob, approval.id, withClient({ text: 'x'.repeat(9000) })))).toBe(
      'input_invalid',
    );
    expect(codeOf(await send(team.bob, approval.id, withClient({ $blob: 'x' })))).toBe('key_dollar');
    const client = { focused_seconds: 4, scrolled_to_end: true };
    expectJson(await send(team.bob, approval.id, withClient(client)), 200);
    const { statement } = (await team.records('approval.answered')).at(-1)!.approval as {
      statement: { review: JsonValue };
    };
    expect(statement.review).toEqual({ ...review, client });
  });
});

describe('expired and cancelled', () => {
  test('expired: refused also before the timer has recorded it', async () => {
    const answered = await team.agent.ask();
    const waiting = await team.agent.ask();
    const opened = await openedBy(team.bob, waiting.approval.id);
    expectJson(await team.bob.approve(answered.approval.id), 200);
    skew.ms += 15 * 60_000;
    expect(codeOf(await team.agent.consume(answered))).toBe('approval_expired');
    expect(codeOf(await send(team.bob, waiting.approval.id, statementFor(team.bob, opened)))).toBe(
      'approval_expired',
    );
    const again = await team.bob.call(`/api/approvals/${waiting.approval.id}/open`, { method: 'POST' });
    expect(codeOf(again)).toBe('approval_expired');
  });

  test('the time that a team has set holds for what is asked from then on', async () => {
    await team.settings({ expires_seconds: 60 });
    const decided = await team.agent.ask();
    await team.settings({});
    const { asked_at, expires_at } = await team.agent.view(decided);
    expect(Date.parse(expires_at) - Date.parse(asked_at)).toBe(60_000);
    const wrong = await team.ada.call('/api/settings/review', { body: { ...QUICK, expires_seconds: 5 } });
    expect(codeOf(wrong)).toBe('input_invalid');
    expect(codeOf(await team.bob.call('/api/settings/review', { body: QUICK }))).toBe('role_missing');
    expect((await team.records('ledger.settings')).at(-1)!.settings).toEqual({ review: QUICK });
  });

  test('cancelled by the agent: waiters hear it, nobody answers, nothing is used', async () => {
    const decided = await team.agent.ask();
    const path = `/api/approvals/${decided.approval.id}/cancel`;
    const other = (await team.tm.key('bot', ['decide'])).apiKey;
    const theirs = await team.tm.ask(path, { body: {}, headers: new Agent(team.tm, other).headers });
    expect(codeOf(theirs)).toBe('approval_unknown');
    const opened = await openedBy(team.bob, decided.approval.id);
    const waiting = team.agent.view(decided, '?wait=30');
    const cancel = () =>
      team.tm.ask(path, { body: { reason: 'found another way' }, headers: team.agent.headers });
    expect((await cancel()).json).toMatchObject({ status: 'cancelled' });
    expect((await waiting).status).toBe('cancelled');
    const records = (await team.records('approval.cancelled')).length;
    expect((await cancel()).json).toMatchObject({ status: 'cancelled' });
    expect(await team.records('approval.cancelled')).toHaveLength(records);
    expect((await team.records('approval.cancelled')).at(-1)!.approval).toMatchObject({
      was: 'waiting',
      reason: 'found another way',
    });
    expect(codeOf(await send(team.bob, decided.approval.id, statementFor(team.bob, opened)))).toBe(
      'approval_closed',
    );
    expect(codeOf(await team.agent.consume(decided))).toBe('approval_cancelled');
    const { run_id } = await team.agent.view(decided);
    const trace = expectJson<OutputOf<'trace'>>(await team.ada.call(`/api/traces/${run_id}`), 200);
    expect(trace.spans.decision[trace.spans.event_id.indexOf(decided.decision_id)]).toBe('cancelled');
    const used = await team.agent.ask();
    expectJson(await team.bob.approve(used.approval.id), 200);
    expectJson(await team.agent.consume(used), 200);
    const late = await team.tm.ask(`/api/approvals/${used.approval.id}/cancel`, {
      body: {},
      headers: team.agent.headers,
    });
    expect(codeOf(late)).toBe('approval_consumed');
  });
});

describe('alone', () => {
  let tm: TestCollector;
  let policies: string;
  beforeAll(async () => {
    policies = await policyFolder();
    tm = await startTestCollector({ policies });
  }, 120_000);
  afterAll(async () => {
    await tm?.stop();
    await rm(policies, { recursive: true, force: true });
  });

  test('unsigned while nobody is enrolled; then signed by the one approver, whatever k and role; then by two', async () => {
    const agent = new Agent(tm, (await tm.key('bot', ['ingest', 'decide'])).apiKey);
    const page = await tm.signIn();
    const unsigned = (id: string) =>
      tm.ask(`/api/approvals/${id}/answer`, { body: { verdict: 'approve' }, headers: page });
    const first = await agent.ask({ action: 'money' });
    const seen = await tm.ask(`/api/approvals/${first.approval.id}/detail`, { headers: page });
    expect(seen.json).toMatchObject({ may: { answer: true }, still_needed: 1 });
    expect((await unsigned(first.approval.id)).json).toMatchObject({
      status: 'approved',
      four_eyes: false,
      answers: [{ by: 'Ada', signed_in: 'none' }],
    });
    expectJson(await agent.consume(first, { action: 'money' }), 200);

    const ada = await enrolFirstAdmin(tm, { roles: ['admin', 'approver'] });
    expectJson(await ada.call('/api/settings/review', { body: QUICK }), 200);
    const second = await agent.ask({ action: 'money', risk: 'critical', actor: 'ada' });
    expect(['sign_in_needed', 'session_invalid']).toContain(codeOf(await unsigned(second.approval.id)));
    const bare = await ada.call(`/api/approvals/${second.approval.id}/answer`, {
      body: { verdict: 'approve' },
    });
    expect(codeOf(bare)).toBe('signature_missing');
    const answered = await ada.approve(second.approval.id);
    expect(answered.json).toMatchObject({ status: 'approved', four_eyes: false, answers: [{ by: 'ada' }] });
    expectJson(await agent.consume(second, { action: 'money' }), 200);
    const records = expectJson<{ items: { intent: object }[] }>(
      await ada.call('/api/events?q=type:intent.recorded'),
      200,
    );
    expect(records.items[0]!.intent).toMatchObject({ four_eyes: false });

    // From the second approver on: also for what waits.
    const waits = await agent.ask({ action: 'money', actor: 'ada' });
    await addPerson(tm, ada, { id: 'bob', roles: ['approver', 'cfo'] });
    const refused = await ada.call(`/api/approvals/${waits.approval.id}/open`, { method: 'POST' });
    expect(codeOf(refused)).toBe('approval_own_request');
  });
});

test('another policy in force than the one that asked: refused, also when people approved', async () => {
  const place = await mkdtemp(join(tmpdir(), 'tm-'));
  const folder = join(place, 'data');
  const policies = await policyFolder();
  try {
    let tm = await startTestCollector({ folder, policies });
    const apiKey = (await tm.key('bot', ['ingest', 'decide'])).apiKey;
    const decided = await new Agent(tm, apiKey).ask();
    const page = await tm.signIn();
    const body = { verdict: 'approve' };
    expectJson(await tm.ask(`/api/approvals/${decided.approval.id}/answer`, { body, headers: page }), 200);
    await tm.collector.close();
    tm = await startTestCollector({ folder });
    expect(codeOf(await new Agent(tm, apiKey).consume(decided))).toBe('policy_changed');
    await tm.collector.close();
  } finally {
    await rm(place, { recursive: true, force: true });
    await rm(policies, { recursive: true, force: true });
  }
}, 60_000);
