import { expect, test } from 'vitest';
import { matchesQuery, parseQuery } from '../../collector/ledger/query-text.ts';
import type { Ledger } from '../../collector/ports.ts';
import type { RecordView } from '../../core/api/views.ts';
import type { JsonObject } from '../../core/proof/jcs.ts';
import { append, event, openTest } from './ledger.fixture.ts';

const WORDS = [
  'refund',
  'cracked',
  'water',
  'tank',
  'Ünïcode',
  '東京都',
  'e-mail',
  'naïve',
  '42',
  'x_y',
  'O’Brien',
];
const pick = <T>(from: readonly T[], n: number): T => from[n % from.length]!;

function randomEvents(count: number, seed: number): JsonObject[] {
  let state = seed;
  const random = () => {
    state = (state * 1103515245 + 12345) & 0x7fffffff;
    return state >> 8;
  };
  return Array.from({ length: count }, () => {
    const text = Array.from({ length: (random() % 6) + 1 }, () => pick(WORDS, random())).join(' ');
    return event({
      app_id: pick(['support-bot', 'finance-bot'], random()),
      session_id: `session ${random() % 7}`,
      event_type: pick(['span', 'llm.call', 'tool'], random()),
      ...(random() % 3 === 0 ? { risk: pick(['low', 'medium', 'high', 'critical'], random()) } : {}),
      input: { text, list: [random() % 50, { deep: pick(WORDS, random()) }] },
    });
  });
}

async function all(ledger: Ledger): Promise<RecordView[]> {
  const { size } = await ledger.read.head();
  const records: RecordView[] = [];
  while (records.length < size) records.push(...(await ledger.read.records(records.length, size)));
  return records;
}

const QUERIES = [
  '',
  'refund',
  'refund cracked',
  '"water tank"',
  'ünicode',
  'unicode 東',
  'risk:high',
  'risk:none',
  'app:support-bot refund',
  'type:llm.call risk:critical',
  'session:"session 3" tank',
  '42 mail',
  'nothinglikeit',
  'o brien',
  'x_y',
  'foo:bar',
  'type:ledger.opened',
];

test('search equals a scan of everything, whatever the index has reached, over all pages', async () => {
  const { ledger } = await openTest();
  for (let round = 0; round < 6; round++) {
    await append(ledger, randomEvents(200, round + 1));
    // In every other round the index has had time to reach the end.
    if (round % 2 === 1) await new Promise(resolve => setTimeout(resolve, 400));
    const records = await all(ledger);
    for (const q of QUERIES) {
      const expected = records
        .filter(record => matchesQuery(record, parseQuery(q)))
        .map(record => record.seq);
      const found: number[] = [];
      let cursor: string | undefined;
      do {
        const page = await ledger.read.search({ q, limit: 70, ...(cursor === undefined ? {} : { cursor }) });
        expect(page.total, q).toBe(expected.length);
        found.push(...page.items.map(record => record.seq));
        cursor = page.next;
      } while (cursor !== undefined);
      expect(found, q).toEqual(expected.reverse());
    }
  }
});

test('filters: app, session, event id and time; pages stand still while events come', async () => {
  const { ledger, clock } = await openTest();
  await append(ledger, [event({ event_id: 'first', app_id: 'a', session_id: 'one' })]);
  clock.move(60_000);
  const [second] = await append(ledger, [event({ event_id: 'second', app_id: 'b', session_id: 'two' })]);
  expect((await ledger.read.search({ app: 'a' })).items.map(one => one.event_id)).toEqual(['first']);
  expect((await ledger.read.search({ session: 'two' })).total).toBe(1);
  expect((await ledger.read.search({ eventId: 'first', app: 'a' })).total).toBe(1);
  expect((await ledger.read.search({ eventId: 'first', app: 'b' })).total).toBe(0);
  const at = String((await ledger.read.record(second!.seq))!.received_at);
  expect((await ledger.read.search({ from: at })).items.map(one => one.event_id)).toEqual(['second']);
  expect((await ledger.read.search({ to: at })).total).toBe(3);
  await expect(ledger.read.search({ from: 'yesterday' })).rejects.toMatchObject({ code: 'input_invalid' });

  const page = await ledger.read.search({ limit: 1 });
  await append(ledger, [event()]);
  const next = await ledger.read.search({ limit: 1, cursor: page.next! });
  expect([page.items[0]!.seq, next.items[0]!.seq]).toEqual([2, 1]);
  expect(next.total).toBe(3);
});

test('runs are found by words of their events, by facets and in every order', async () => {
  const { ledger } = await openTest();
  await append(ledger, [
    event({ session_id: 'one', risk: 'high', input: { prompt: 'A cracked tank' }, actor_type: 'user' }),
    event({
      session_id: 'one',
      ts: '2026-11-22T10:00:05Z',
      model: { name: 'm', cost: 0.5, params: { usage: { total_tokens: 7 } } },
    }),
    event({ session_id: 'two', app_id: 'finance-bot', name: 'wire' }),
  ]);
  const { items, total, facets } = await ledger.read.traces({});
  expect(total).toBe(2);
  expect(items.map(run => run.session_id)).toEqual(['two', 'one']);
  expect(items[1]).toMatchObject({
    title: 'A cracked tank',
    events: 2,
    tokens: 7,
    cost: 0.5,
    risk: 'high',
    duration_us: 5_000_000,
  });
  expect(facets).toEqual({
    app: { 'finance-bot': 1, 'support-bot': 1 },
    risk: { high: 1, none: 1 },
    decision: {},
  });
  expect((await ledger.read.traces({ q: 'cracked' })).items.map(run => run.session_id)).toEqual(['one']);
  expect((await ledger.read.traces({ risk: 'high' })).total).toBe(1);
  // A run without a risk has no event with one.
  const unrated = { risk: 'none' } as const;
  expect((await ledger.read.traces(unrated)).items.map(run => run.session_id)).toEqual(['two']);
  expect((await ledger.read.traces({ q: 'risk:none' })).items.map(run => run.session_id)).toEqual(['two']);
  expect((await ledger.read.traces({ q: 'risk:none cracked' })).total).toBe(0);
  expect((await ledger.read.traces({ q: 'risk:none', risk: 'high' })).total).toBe(0);
  expect((await ledger.read.search({ q: 'risk:none app:support-bot' })).total).toBe(1);
  const first = await ledger.read.traces({ sort: 'events', limit: 1 });
  const second = await ledger.read.traces({ sort: 'events', limit: 1, cursor: first.next! });
  expect([first, second].map(page => page.items[0]!.session_id)).toEqual(['two', 'one']);
  expect(second.next).toBeUndefined();

  const run = await ledger.read.trace(items[1]!.run_id, 'tank');
  expect(run!.spans.kind).toEqual(['user', 'llm']);
  expect(run!.spans.start_us).toEqual([0, 5_000_000]);
  expect(run!.matches).toEqual([1]);
  expect(await ledger.read.trace('0000000000000000')).toBeUndefined();
});
