/** Events on their way when the collector dies: each is in the ledger, once, in order, after it is back. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { policyCheck, span, tr } from '../../sdk/typescript/src/index.ts';
import { Collector } from './collector.ts';

let collector: Collector;
beforeAll(async () => {
  collector = await Collector.start();
});
afterAll(async () => {
  await tr.shutdown({ timeoutMs: 100 });
  await collector?.remove();
});

test('kill -9 in the middle of a flush, three times', async () => {
  const apiKey = await collector.createKey('recovery-bot');
  tr.init({
    apiKey,
    appId: 'recovery-bot',
    endpoint: collector.url,
    batch: { maxEvents: 10, maxDelayMs: 5 },
    timeouts: { requestMs: 2_000 },
    onError: () => undefined,
  });
  const sent: string[] = [];
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 200; i++) {
      span(`e${round}-${i}`, s => {
        sent.push(s.id);
        s.recordInput({ round, i, text: 'x'.repeat(200) });
      });
    }
    while (tr.stats().acknowledged < round * 200 + 40) await sleep(1);
    await collector.kill();
    expect(tr.stats().queued).toBeGreaterThan(0);
    await collector.start();
  }
  expect(await tr.flush({ timeoutMs: 60_000 })).toBe(true);
  expect(await tr.shutdown()).toBe(true);
  const { records } = await collector.records({ app: 'recovery-bot' });
  const spans = records.filter(record => record.event_type === 'span');
  expect(spans.map(record => record.event_id)).toEqual(sent);
  expect(spans.map(({ stream }) => stream!.n)).toEqual(sent.map((_, i) => i + 1));
  expect(records.at(-1)).toMatchObject({ event_type: 'stream.end', stream: { n: 601 } });
  expect(records.some(record => record.event_type === 'gap')).toBe(false);
});

test('dropped events are a gap in the ledger', async () => {
  const apiKey = await collector.createKey('gap-bot');
  await collector.stop();
  tr.init({
    apiKey,
    appId: 'gap-bot',
    endpoint: collector.url,
    queue: { maxEvents: 5 },
    onError: () => undefined,
  });
  for (let i = 1; i <= 12; i++) span(`e${i}`, () => i);
  await collector.start();
  expect(await tr.shutdown({ timeoutMs: 30_000 })).toBe(true);
  const { records } = await collector.records({ app: 'gap-bot' });
  const [first] = records;
  expect(records.map(record => [record.event_type, record.stream!.n])).toEqual([
    ...[1, 2, 3, 4, 5].map(n => ['span', n]),
    ['gap', 13],
    ['stream.end', 14],
  ]);
  expect(records[5]!.input).toEqual({ stream: first!.stream!.id, from: 6, to: 12 });
});

test('a call through the real gate: allowed, recorded, and its outcome known', async () => {
  const apiKey = await collector.createKey('gate-bot');
  tr.init({ apiKey, appId: 'gate-bot', endpoint: collector.url });
  const pay = policyCheck(async ({ amount }: { amount: number }) => ({ paid: amount }), {
    action: 'send_wire',
    risk: 'low',
  });
  expect(await pay({ amount: 10 })).toEqual({ paid: 10 });
  const stop = new AbortController();
  setTimeout(() => stop.abort(new Error('changed my mind')), 300);
  await expect(pay.with({ signal: stop.signal })({ amount: 20_000 })).rejects.toThrow('changed my mind');
  await expect(pay.with({ timeoutMs: 500 })({ amount: 20_000 })).rejects.toMatchObject({
    name: 'ApprovalTimedOut',
  });
  expect(await tr.shutdown()).toBe(true);
  const { records } = await collector.records({ app: 'gate-bot' });
  const outcomes = records.filter(record => record.event_type === 'outcome.recorded');
  expect(outcomes).toHaveLength(1);
  expect(outcomes[0]).toMatchObject({ output: { paid: 10 }, outcome: { outcome: 'ok' } });
  const calls = records.filter(record => record.event_type === 'tool.call');
  expect(calls.map(record => record.status)).toEqual(['ok', 'error', 'error']);
});
