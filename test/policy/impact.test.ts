/** Impact over recorded decisions: the flip table against a count of our own. Spec: docs/spec/policy.md, "Deciding again". */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { OutputOf } from '../../core/api/operations.ts';
import { startTestCollector, type TestCollector } from '../http/collector.ts';
import { expectJson } from '../people/person.ts';
import { activateSet, decide, refundSet, saveSet } from './authored.ts';

let tm: TestCollector;
const amounts = Array.from({ length: 700 }, (_, n) => (n * 37) % 1500);
const local = (path: string, body?: unknown, method?: string) =>
  tm.ask(path, {
    socket: tm.collector.socket,
    ...(body === undefined ? {} : { body }),
    ...(method === undefined ? {} : { method }),
  });
const code = (answer: { json: never }): string => (answer.json as { code: string }).code;

async function impactOf(body: object): Promise<OutputOf<'impact'>> {
  const started = expectJson<OutputOf<'startImpact'>>(await local('/api/policies/impact', body), 202);
  for (;;) {
    const now = expectJson<OutputOf<'impact'>>(await local(`/api/policies/impact/${started.id}`), 200);
    if (now.state !== 'running' && now.finished_at !== undefined) return now;
    await new Promise(resolve => setTimeout(resolve, 20));
  }
}

beforeAll(async () => {
  tm = await startTestCollector();
  const { apiKey } = await tm.key('shop', ['decide']);
  const { hash } = await saveSet(tm, refundSet(1000));
  await activateSet(tm, hash);
  const next = amounts.entries();
  const agent = async (): Promise<void> => {
    for (const [n, amount] of next) await decide(tm, apiKey, amount, `run-${n % 50}`);
  };
  await Promise.all(Array.from({ length: 8 }, agent));
}, 240_000);
afterAll(() => tm.stop());

test('a stricter draft flips exactly those that a count of our own finds, and the cell lists them', async () => {
  const view = await impactOf({ files: refundSet(200) });
  const flips = amounts.filter(amount => amount > 200 && amount <= 1000).length;
  const asked = amounts.filter(amount => amount > 1000).length;
  expect(view).toMatchObject({
    state: 'done',
    saved_set: false,
    total: 700,
    decided: 700,
    flipped: flips,
    skipped: {},
  });
  const cells = Object.fromEntries(view.cells.map(({ from, to, decisions }) => [`${from}>${to}`, decisions]));
  expect(cells).toEqual({
    'allow>allow': 700 - flips - asked,
    'allow>approve': flips,
    'approve>approve': asked,
  });
  const runs = new Set(amounts.flatMap((amount, n) => (amount > 200 && amount <= 1000 ? [n % 50] : [])));
  expect(view.cells.find(({ from, to }) => from === 'allow' && to === 'approve')?.runs).toBe(runs.size);

  const seen = new Set<string>();
  let cursor: string | undefined;
  do {
    const page = expectJson<OutputOf<'impactDecisions'>>(
      await local(
        `/api/policies/impact/${view.id}/decisions?from=allow&to=approve&limit=100${cursor === undefined ? '' : `&cursor=${cursor}`}`,
      ),
      200,
    );
    for (const { decision_id } of page.items) seen.add(decision_id);
    cursor = page.next;
  } while (cursor !== undefined);
  expect(seen.size).toBe(flips);

  const [one] = seen;
  const why = expectJson<OutputOf<'explainImpact'>>(
    await local(`/api/policies/impact/${view.id}/decisions/${one}`),
    200,
  );
  expect(why).toMatchObject({ rerun: true, result: { result: 'approve' } });
  expect(why.fired).toContainEqual(
    expect.objectContaining({ rule: 'data.trailmix.decision', path: 'refunds.rego', row: 3 }),
  );
});

test('a filter narrows it; the result is saved once, as an event that says what was tried', async () => {
  const { hash } = await saveSet(tm, refundSet(300));
  const view = await impactOf({ hash, filter: { app: 'shop', last: 100 } });
  expect(view).toMatchObject({ state: 'done', total: 100, saved_set: true, hash });
  expect((await impactOf({ hash, filter: { to: '2020-01-01T00:00:00Z' } })).total).toBe(0);
  expect((await impactOf({ hash, filter: { app: 'nobody' } })).total).toBe(0);
  expect(code(await local('/api/policies/impact', { hash, filter: { from: 'yesterday' } }))).toBe(
    'ts_invalid',
  );
  const saved = expectJson<OutputOf<'saveImpact'>>(
    await local(`/api/policies/impact/${view.id}/save`, { message: 'before the change' }),
    200,
  );
  const event = expectJson<OutputOf<'event'>>(await local(`/api/events/${saved.saved_seq}`), 200);
  expect(event).toMatchObject({
    event_type: 'policy.impact',
    impact: {
      report_sha256: view.report_sha256,
      message: 'before the change',
      report: { v: 1, policy_hash: hash, total: 100, cells: view.cells },
    },
  });
});

test('what cannot be decided again faithfully is counted by reason, never guessed', async () => {
  const reading = refundSet(100, '\nspent := input.session.spend\n\nasked_at := input.now\n');
  const view = await impactOf({ files: reading });
  expect(view).toMatchObject({ state: 'done', decided: 0, skipped: { session_absent: 700 } });
});

test('arguments that became a blob are read and decided again', async () => {
  const { apiKey } = await tm.key('big', ['decide']);
  const body = {
    action: 'issue_refund',
    risk: 'low',
    actor: { type: 'agent', id: 'bot' },
    payload: { amount: 500, note: 'x'.repeat(100_000) },
    session_id: 'one',
    app_id: 'big',
  };
  const headers = { authorization: `Bearer ${apiKey}` };
  expectJson(await tm.ask('/api/decisions', { body, headers }), 200);
  const view = await impactOf({ files: refundSet(200), filter: { app: 'big' } });
  expect(view).toMatchObject({ decided: 1, flipped: 1, skipped: {} });
});

test('an endless policy is ended at its deadline; a cancelled job stops', async () => {
  const endless = refundSet(
    100,
    '\nslow := count([1 | numbers.range(1, 3000)[_]; numbers.range(1, 3000)[_]; numbers.range(1, 3000)[_]])\n',
  ).map(file => ({
    ...file,
    text: file.text.replace('input.payload.amount > 100', 'input.payload.amount > 100\n\tslow > 0'),
  }));
  const [rule] = endless;
  const started = expectJson<OutputOf<'startImpact'>>(
    await local('/api/policies/impact', { files: [rule], filter: { last: 30 } }),
    202,
  );
  const second = await local('/api/policies/impact', { files: refundSet(1) });
  expect([second.status, code(second)]).toEqual([429, 'busy']);
  expectJson(await local(`/api/policies/impact/${started.id}`, undefined, 'DELETE'), 200);
  const view = await impactOf({ files: [rule], filter: { app: 'big' } });
  expect(view.cells).toEqual([{ from: 'allow', to: 'failed', decisions: 1, runs: 1 }]);
});

test('inputs to pick from: a list, one rebuilt as it was given, and the paths that inputs have', async () => {
  const page = expectJson<OutputOf<'policyDecisions'>>(
    await local('/api/policies/decisions?app=shop&result=approve&limit=5'),
    200,
  );
  expect(page.items).toHaveLength(5);
  expect(page.items[0]).toMatchObject({
    action: 'issue_refund',
    result: 'approve',
    reasons: ['refund > 1000'],
  });
  const one = expectJson<OutputOf<'policyDecisionInput'>>(
    await local(`/api/policies/decisions/${page.items[0]!.decision_id}/input`),
    200,
  );
  expect(one.input).toMatchObject({ action: 'issue_refund', payload: { amount: expect.any(Number) } });
  const { paths } = expectJson<OutputOf<'policyInputPaths'>>(
    await local('/api/policies/input-paths?app=shop&sample=100'),
    200,
  );
  expect(paths.find(({ path }) => path === 'input.payload.amount')).toEqual({
    path: 'input.payload.amount',
    count: 100,
    types: { number: 100 },
  });
});

test('while others record, it ends all the same, and counts what was there', async () => {
  const { apiKey } = await tm.key('busy', ['decide']);
  let over = false;
  const agent = async (_: unknown, n: number): Promise<void> => {
    while (!over) await decide(tm, apiKey, 100, `busy-${n}`, 'busy');
  };
  const agents = Promise.all(Array.from({ length: 8 }, agent));
  const impact = impactOf({ files: refundSet(200), filter: { app: 'shop' } }).finally(() => {
    over = true;
  });
  const [view] = await Promise.all([impact, agents]);
  expect(view).toMatchObject({ state: 'done', total: 700, decided: 700, skipped: {} });
});
