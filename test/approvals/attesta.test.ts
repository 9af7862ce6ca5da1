/** Attesta's words, from the records of a real collector. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { OutputOf } from '../../core/api/operations.ts';
import { attestaEvent } from '../../core/event/attesta.ts';
import type { JsonObject } from '../../core/proof/jcs.ts';
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
