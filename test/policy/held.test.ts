/** A change of policy while an endless one is being asked. Spec: docs/spec/policy.md. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Turnstile } from '../../collector/policy/turnstile.ts';
import { bearer, startTestCollector, type TestCollector } from '../http/collector.ts';
import { activateSet, saveSet } from './authored.ts';

let tm: TestCollector;
beforeAll(async () => {
  tm = await startTestCollector();
});
afterAll(() => tm.stop());

/** Does not end for `loop`. */
const endless = (word: string) => [
  {
    path: 'p.rego',
    text: `package trailmix

decision := {"result": "allow", "reasons": ["${word}"]} if input.action != "loop"

decision := {"result": "allow", "reasons": ["never"]} if {
	input.action == "loop"
	xs := numbers.range(1, 1000)
	count([1 | some a in xs; some b in xs; some c in xs; some d in xs; some e in xs; a + b + c + d + e == -1]) == 0
}
`,
  },
  {
    path: 'p_test.rego',
    text: `package trailmix_test

import data.trailmix

test_quick if trailmix.decision.reasons == ["${word}"] with input as {"action": "read"}
`,
  },
];
const quick = (word: string) => {
  const [rule, tests] = endless(word);
  return [
    {
      ...rule!,
      text: `package trailmix\n\ndecision := {"result": "allow", "reasons": ["${word}"]}\n`,
    },
    tests!,
  ];
};

test('under an endless policy each call is denied and recorded as failed, events go in, and what waits is decided by the next policy', {
  timeout: 240_000,
}, async () => {
  const stuck = await saveSet(tm, endless('old'));
  const next = await saveSet(tm, quick('new'));
  await activateSet(tm, stuck.hash);
  const { apiKey } = await tm.key('shop', ['decide', 'ingest']);
  const ask = async (action: string) => {
    const answer = await tm.ask('/api/decisions', {
      headers: bearer(apiKey),
      body: {
        action,
        risk: 'low',
        actor: { type: 'agent', id: 'bot' },
        payload: {},
        session_id: 's',
        app_id: 'shop',
      },
    });
    expect(answer.status, answer.text).toBe(200);
    return answer.json as {
      decision: string;
      code?: string;
      reasons: string[];
      decision_id: string;
      policy: { hash: string };
    };
  };
  expect(await ask('read')).toMatchObject({ decision: 'allow', reasons: ['old'] });

  // Three can be evaluated at once, each for half a second: the others wait.
  const answers: Awaited<ReturnType<typeof ask>>[] = [];
  const agent = async (): Promise<void> => {
    for (;;) {
      const answer = await ask('loop');
      answers.push(answer);
      if (answer.policy.hash === next.hash) return;
    }
  };
  const agents = Array.from({ length: 8 }, agent);
  const first = await ask('loop');
  expect(first).toMatchObject({ decision: 'deny', code: 'policy_failed', policy: { hash: stuck.hash } });
  const event = await tm.ask('/api/events', {
    headers: bearer(apiKey),
    body: {
      event_id: 'e-1',
      session_id: 's',
      ts: '2026-11-22T10:00:00Z',
      event_type: 'llm.chat',
      actor_type: 'agent',
      app_id: 'shop',
      name: 'chat',
      status: 'ok',
    },
  });
  expect(event.status, event.text).toBe(201);

  await activateSet(tm, next.hash);
  expect(await ask('read')).toMatchObject({ reasons: ['new'], policy: { hash: next.hash } });
  await Promise.all(agents);
  const old = answers.filter(({ policy }) => policy.hash === stuck.hash);
  const late = answers.filter(({ policy }) => policy.hash === next.hash);
  expect(old.every(({ decision, code }) => decision === 'deny' && code === 'policy_failed')).toBe(true);
  expect(late.map(({ decision, reasons }) => [decision, reasons])).toEqual(Array(8).fill(['allow', ['new']]));
  expect(old.length + late.length).toBe(answers.length);

  const local = { socket: tm.collector.socket };
  const { items } = (await tm.ask(`/api/events?event_id=${first.decision_id}`, local)).json as {
    items: object[];
  };
  // On a fast machine it uses up the module's memory before its time is over, which it throws.
  expect(items[0]).toMatchObject({
    decision: { result: 'deny', failed: expect.stringMatching(/^(timeout|busy|throw)$/) },
  });
  const report = (await tm.ask('/api/ledger/verify', { ...local, method: 'POST' })).json as {
    verdicts: { integrity: object };
  };
  expect(report.verdicts.integrity).toMatchObject({ result: 'pass', findings: [] });
});

test('a change waits for those that are answered, not for those that wait themselves; others wait before the door', async () => {
  const turnstile = new Turnstile();
  const leave = turnstile.enter() as () => void;
  turnstile.enter();
  const order: string[] = [];
  let waiting = 1;
  const change = turnstile.alone(
    async () => order.push('change'),
    () => waiting,
  );
  const late = Promise.resolve(turnstile.enter()).then(() => order.push('late'));
  await Promise.resolve();
  expect(order).toEqual([]);
  leave();
  await Promise.all([change, late]);
  expect(order).toEqual(['change', 'late']);

  // One that came in and now waits as well makes room, once that is said.
  waiting = 1;
  const second = turnstile.alone(
    async () => order.push('second'),
    () => waiting,
  );
  expect(order).toHaveLength(2);
  waiting = 2;
  turnstile.check();
  await second;
  expect(order.at(-1)).toBe('second');
});
