/**
 * 100 real runs of an airline agent (tau-bench, MIT) driven through the SDK as an agent would: a session each, a span
 * for each turn and tool, every call that changes a booking gated. Needs shared data beside the repository.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { matches, queryTerms, recordWords, words } from '../../core/event/words.ts';
import { policyCheck, span, tr } from '../../sdk/typescript/src/index.ts';
import type { Span, SpanOptions } from '../../sdk/typescript/src/types.ts';
import { Collector, type FullRecord } from './collector.ts';

const file = fileURLToPath(new URL('../../../shared/data/tau-bench-airline.jsonl', import.meta.url));
const isThere = existsSync(file);
const APP = 'airline-bot';

type Message = {
  role: 'system' | 'user' | 'assistant' | 'tool';
  content: string | null;
  tool_calls?: { id: string; function: { name: string; arguments: string } }[] | null;
  tool_call_id?: string;
};
type Run = {
  task_id: number;
  trial: number;
  reward: number;
  info: { task: { user_id: string } };
  traj: Message[];
};

const CHANGES_A_BOOKING = /^(book_reservation|update_reservation_\w+|cancel_reservation|send_certificate)$/;

/** What was recorded, in order: session, event id and name. */
const recorded: { session: string; id: string; name: string }[] = [];
let gated = 0;

/** One span that says afterwards what it was. */
async function step<T>(
  session: string,
  name: string,
  options: SpanOptions,
  fn: (s: Span) => T | Promise<T>,
): Promise<T> {
  let id = '';
  try {
    return await span(name, options, async s => {
      id = s.id;
      return fn(s);
    });
  } finally {
    recorded.push({ session, id, name });
  }
}

async function replay(run: Run): Promise<void> {
  const session = `tau-${run.task_id}-${run.trial}`;
  const results = new Map(
    run.traj.flatMap(each => (each.role === 'tool' ? [[each.tool_call_id, each.content]] : [])),
  );
  await tr.session({ id: session }, () =>
    step(session, 'task', { risk: 'medium', labels: { task: String(run.task_id) } }, async root => {
      root.attachEval({ name: 'reward', score: run.reward, threshold: 1 });
      for (const { role, content, tool_calls } of run.traj) {
        if (role === 'tool') continue;
        const actor = role === 'user' ? { type: 'user' as const, id: run.info.task.user_id } : undefined;
        await step(session, `${role}_turn`, actor === undefined ? {} : { actor }, async turn => {
          if (role === 'assistant') turn.recordOutput({ text: content ?? '' });
          else turn.recordInput({ text: content ?? '' });
          for (const call of tool_calls ?? []) await use(session, call.function, results.get(call.id) ?? '');
        });
      }
    }),
  );
}

async function use(
  session: string,
  { name, arguments: text }: { name: string; arguments: string },
  result: string,
): Promise<void> {
  const args = JSON.parse(text) as Record<string, unknown>;
  if (!CHANGES_A_BOOKING.test(name)) {
    return step(session, name, { type: 'tool.call', risk: 'low' }, s => s.recordTool({ name, args, result }));
  }
  gated++;
  let id = '';
  const tool = policyCheck(
    async (_: Record<string, unknown>) => {
      id = tr.traceparent()!.slice(3, -3);
      return result;
    },
    { action: name, risk: 'high' },
  );
  expect(await tool(args)).toBe(result);
  recorded.push({ session, id, name });
}

const runs = () => {
  let collector: Collector;
  let all: FullRecord[];
  let mine: FullRecord[];

  beforeAll(async () => {
    collector = await Collector.start();
    tr.init({ apiKey: await collector.createKey(APP), appId: APP, endpoint: collector.url });
    for (const line of readFileSync(file, 'utf8').trimEnd().split('\n'))
      await replay(JSON.parse(line) as Run);
    expect(await tr.shutdown({ timeoutMs: 60_000 })).toBe(true);
    ({ records: all } = await collector.records());
    mine = all.filter(record => record.app_id === APP);
  });
  afterAll(async () => {
    await tr.shutdown({ timeoutMs: 100 });
    await collector?.remove();
  });

  test('every event is in the ledger once, in order', () => {
    expect(recorded.length).toBeGreaterThan(2_000);
    const sent = mine.filter(record => record.stream !== undefined);
    expect(sent.map(record => record.stream!.n)).toEqual(
      Array.from({ length: recorded.length + 1 }, (_, i) => i + 1),
    );
    expect(sent.pop()).toMatchObject({ event_type: 'stream.end' });
    expect(
      sent.map(({ session_id, event_id, name }) => ({ session: session_id, id: event_id, name })),
    ).toEqual(recorded);
    expect(new Set(sent.map(record => record.session_id)).size).toBe(100);
    expect(new Set(sent.map(record => record.stream!.id)).size).toBe(1);
    expect(tr.stats()).toMatchObject({ dropped: 0, queued: 0 });
  });

  test('every call that changes a booking has its decision and its outcome', () => {
    const count = (type: string) => mine.filter(record => record.event_type === type).length;
    expect(gated).toBe(121);
    expect(count('decision.recorded')).toBe(gated);
    expect(count('outcome.recorded')).toBe(gated);
    const decisions = new Map(mine.map(record => [record.event_id, record]));
    for (const record of mine) {
      if (record.event_type !== 'tool.call' || !CHANGES_A_BOOKING.test(record.name)) continue;
      const { decision_id } = record.policy_eval as { decision_id: string };
      expect(decisions.get(decision_id)).toMatchObject({
        parent_id: record.event_id,
        session_id: record.session_id,
      });
    }
  });

  test('a word of the last event is found, and search equals a scan of everything', async () => {
    const last = mine.filter(record => record.stream !== undefined && record.event_type === 'span').at(-2)!;
    const text = JSON.stringify(last.input ?? last.output);
    const lastWord = words(text).sort((a, b) => b.length - a.length)[0]!;
    const found = await collector.records({ q: lastWord });
    expect(found.records.map(record => record.seq)).toContain(last.seq);

    const counts = new Map<string, number>();
    for (const record of all)
      for (const word of recordWords(record)) counts.set(word, (counts.get(word) ?? 0) + 1);
    const byCount = [...counts].sort((a, b) => a[1] - b[1] || (a[0] < b[0] ? -1 : 1)).map(([word]) => word);
    const spread = Array.from(
      { length: 24 },
      (_, i) => byCount[Math.floor((i * (byCount.length - 1)) / 23)]!,
    );
    const queries = [
      lastWord,
      ...spread,
      'economy jfk',
      'cancel reservation insurance',
      'nosuchword',
      'gold silver mia',
    ];
    for (const q of queries) {
      const terms = queryTerms(q);
      const scan = all.filter(record => matches(record, terms)).map(record => record.seq);
      const search = await collector.records({ q });
      expect(
        search.records.map(record => record.seq),
        q,
      ).toEqual(scan);
      expect(search.total, q).toBe(scan.length);
    }
  });

  test('every event is in the exported pack, as it is in the ledger', async () => {
    const events = (await collector.exportPack(APP)).get('events.jsonl')!;
    const lines = Buffer.from(events).toString('utf8').trimEnd().split('\n');
    const packed = lines.map(line => JSON.parse(line) as FullRecord);
    expect(packed.map(record => record.hash_self)).toEqual(mine.map(record => record.hash_self));
    expect(packed.map(record => record.body_hash)).toEqual(mine.map(record => record.body_hash));
  });
};

if (isThere) describe('100 real runs', runs);
else {
  console.error(
    'SKIPPED: ../shared/data/tau-bench-airline.jsonl is not beside the repository: no run was driven.',
  );
  test.skip('100 real runs: needs shared data', () => undefined);
}
