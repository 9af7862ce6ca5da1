/** Sample runs are decided with the session so far, as live calls are, and are part of it. */
import { expect, test } from 'vitest';
import type { OutputOf } from '../../core/api/operations.ts';
import type { PolicySession } from '../../core/policy/input_schema.ts';
import { startTestCollector, type TestCollector } from '../http/collector.ts';
import { expectJson } from '../people/person.ts';
import { activateSet, decide, localDoor, refundSet, saveSet } from './authored.ts';

const READS = `
reads := [input.session, input.now]
`;

async function given(
  tm: TestCollector,
  decisionId: string,
): Promise<{ session: PolicySession; now: string }> {
  const path = `/api/events?event_id=${decisionId}`;
  const { items } = expectJson<OutputOf<'events'>>(await localDoor(() => tm)(path), 200);
  return (items[0] as unknown as { decision: { session: PolicySession; now: string } }).decision;
}

test('a sample call sees what came before it, and a live call sees the sample, also after a restart', async () => {
  const tm = await startTestCollector();
  const { hash } = await saveSet(tm, refundSet(100, READS));
  await activateSet(tm, hash);
  const { apiKey } = await tm.key('support-bot', ['decide']);
  expectJson(await localDoor(() => tm)('/api/samples', undefined, 'POST'), 200);

  const { items } = expectJson<OutputOf<'policyDecisions'>>(
    await localDoor(() => tm)('/api/policies/decisions?session=ticket-48213'),
    200,
  );
  expect(items).toHaveLength(1);
  const sample = await given(tm, items[0]!.decision_id);
  expect(sample.session).toMatchObject({ turns: 1, counts: { asked: 0 }, spend: 0, complete: true });
  expect(sample.now < new Date(Date.now() - 3_600_000).toISOString()).toBe(true);

  const live = await decide(tm, apiKey, 5, 'ticket-48213', 'support-bot');
  const after = (await given(tm, live.decision_id)).session;
  expect(after).toMatchObject({
    counts: { asked: 1, approve: 1 },
    spend: 749.9,
    actions: [{ name: 'issue_refund', decision: 'approve', used: true, outcome: 'ok', amount: 749.9 }],
  });

  const { folder } = tm;
  await tm.collector.close();
  const again = await startTestCollector({ folder });
  try {
    const last = await decide(again, apiKey, 5, 'ticket-48213', 'support-bot');
    const rebuilt = (await given(again, last.decision_id)).session;
    expect(rebuilt).toMatchObject({ turns: after.turns, counts: { asked: 2 }, spend: 754.9, complete: true });
    expect(rebuilt.actions[0]).toEqual(after.actions[0]);
  } finally {
    await again.stop();
  }
});
