/** Attesta's words, from the records of a real collector, and from its pack by the real command. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { OutputOf } from '../../core/api/operations.ts';
import { attestaEvent } from '../../core/formats/attesta.ts';
import type { JsonObject } from '../../core/proof/jcs.ts';
import { trailmix } from '../cli/trailmix.ts';
import { expectJson } from '../people/person.ts';
import { type Decided, startTeam, type Team } from './team.ts';

let team: Team;
beforeAll(async () => {
  team = await startTeam();
}, 120_000);
afterAll(() => team?.stop());

let runs = 0;
const session = (): string => `attesta-${++runs}`;
/** Everything of the session, newest first. */
const recordsOf = async (run: string): Promise<JsonObject[]> =>
  expectJson<OutputOf<'events'>>(await team.ada.call(`/api/events?session=${run}&limit=500`), 200)
    .items as unknown as JsonObject[];

test('approved by two, used: multi_party with both, how long they looked, and when it ran', async () => {
  await team.settings({ critical: { min_seconds: 1, challenge: 'question' } });
  const run = session();
  const question = { action: 'money', risk: 'critical', session: run } as const;
  const decided = await team.agent.ask(question);
  expect(attestaEvent(await recordsOf(run))).toBeUndefined();
  expectJson(await team.bob.approve(decided.approval.id, { role: 'treasurer' }), 200);
  expect(attestaEvent(await recordsOf(run))).toBeUndefined();
  expectJson(await team.cyd.approve(decided.approval.id, { role: 'cfo' }), 200);
  expectJson(await team.agent.consume(decided, question), 200);
  const told = attestaEvent(await recordsOf(run))!;
  expect(told).toMatchObject({
    event_type: 'attesta.approval.approved',
    actor_id: 'planner',
    tenant_id: 'default',
    session_id: run,
    trace_id: null,
    payload: {
      action_name: 'money',
      risk_score: 0.9,
      risk_level: 'critical',
      challenge_type: 'multi_party',
      challenge_passed: true,
      approver_ids: ['bob', 'cyd'],
      verdict: 'approved',
      min_review_met: true,
      metadata: {
        arguments: { amount: 12_000, iban: 'DE00' },
        reasons: ['money is watched'],
        decision_id: decided.decision_id,
        approval_id: decided.approval.id,
      },
    },
  });
  expect(told.payload.review_duration_seconds).toBeGreaterThanOrEqual(1);
  const { intercepted_at, decided_at, executed_at } = told.payload;
  expect([intercepted_at, decided_at, executed_at].toSorted()).toEqual([
    intercepted_at,
    decided_at,
    executed_at,
  ]);
  await team.settings({});
});

test('denied by a person, and by the policy; allowed; timed out; taken back', async () => {
  const denied = session();
  const asked = await team.agent.ask({ session: denied });
  expectJson(await team.bob.deny(asked.approval.id), 200);
  expect(attestaEvent(await recordsOf(denied))).toMatchObject({
    event_type: 'attesta.approval.denied',
    payload: { approver_ids: ['bob'], challenge_type: 'confirm', challenge_passed: null, executed_at: null },
  });

  const allowed = session();
  await team.agent.ask({ action: 'read', risk: 'low', session: allowed });
  expect(attestaEvent(await recordsOf(allowed))).toMatchObject({
    event_type: 'attesta.approval.auto_approved',
    payload: {
      risk_score: 0.15,
      challenge_type: null,
      challenge_passed: null,
      approver_ids: [],
      review_duration_seconds: null,
      min_review_met: null,
    },
  });

  const cancelled = session();
  const back: Decided = await team.agent.ask({ session: cancelled });
  const path = `/api/approvals/${back.approval.id}/cancel`;
  expectJson(await team.tm.ask(path, { body: {}, headers: team.agent.headers }), 200);
  expect(attestaEvent(await recordsOf(cancelled))).toBeUndefined();

  // The timer's record, as docs/spec/gate.md has it: the real one takes a minute to come.
  const late = session();
  const waiting = await team.agent.ask({ session: late });
  const own = await recordsOf(late);
  const expired = (was: string): JsonObject => ({
    event_type: 'approval.expired',
    seq: Number(own[0]!.seq) + 1,
    received_at: waiting.approval.expires_at,
    approval: { id: waiting.approval.id, decision_id: waiting.decision_id, was },
  });
  expect(attestaEvent([...own, expired('waiting')])).toMatchObject({
    timestamp: waiting.approval.expires_at,
    event_type: 'attesta.approval.timed_out',
    payload: { verdict: 'timed_out', approver_ids: [], challenge_type: null },
  });
}, 60_000);

test('a pack converted: one event for each decision with a verdict, the same as from the ledger', async () => {
  const run = session();
  const used = await team.agent.ask({ session: run });
  expectJson(await team.bob.approve(used.approval.id), 200);
  expectJson(await team.agent.consume(used, { session: run }), 200);
  const waits = await team.agent.ask({ session: run });
  const window = { time_from: '2020-01-01T00:00:00Z', time_to: '2099-12-31T23:59:59Z' };
  const made = await team.ada.call('/api/evidence/export', { body: { app_id: 'bot', ...window } });
  const { pack } = expectJson<OutputOf<'exportEvidence'>>(made, 200);
  const file = join(team.tm.folder, '..', 'attesta.jsonl');
  const { code, json, err } = await trailmix(['convert', pack, '--to', 'attesta', '--out', file, '--json']);
  expect(code, err).toBe(0);
  const lines = (await readFile(file, 'utf8')).split('\n').slice(0, -1);
  const told = lines.map(line => JSON.parse(line) as { event_id: string; event_type: string });
  expect(json).toEqual({ file, events: told.length, format: 'attesta' });
  const decisions = (await team.records('decision.recorded')) as unknown as JsonObject[];
  const expected = await Promise.all(
    decisions.map(async ({ event_id, session_id }) => {
      const all = await recordsOf(String(session_id));
      const own = all.filter(
        record =>
          record.event_id === event_id ||
          [record.approval, record.intent].some(about => (about as JsonObject)?.decision_id === event_id),
      );
      return attestaEvent(own);
    }),
  );
  expect(told).toEqual(expected.filter(event => event !== undefined));
  expect(told.map(({ event_id }) => event_id)).toContain(used.decision_id);
  expect(told.map(({ event_id }) => event_id)).not.toContain(waits.decision_id);
  expect(new Set(told.map(({ event_type }) => event_type.split('.').at(-1)))).toEqual(
    new Set(['approved', 'denied', 'auto_approved']),
  );
}, 60_000);
