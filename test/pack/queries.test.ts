/** queries.jsonl: what a pack says of how whole its records are, made again by the verifier. */
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import type { QueryLine } from '../../core/pack/queries.ts';
import { factSentences } from '../../core/pack/query_words.ts';
import { utf8 } from '../../core/proof/bytes.ts';
import { MemoryLedger } from './memory-ledger.ts';
import {
  busyLedger,
  check,
  codesOf,
  gatedCall,
  linesOf,
  makePack,
  partsOf,
  reseal,
  setLines,
  textOf,
  trustOf,
  zipOf,
} from './packs.ts';

const digest = (seqs: readonly number[]): string =>
  createHash('sha256')
    .update(seqs.map(seq => `${seq}\n`).join(''))
    .digest('hex');

async function queriesOf(ledger: MemoryLedger): Promise<{ [Q in QueryLine['query']]: QueryLine }> {
  const pack = await makePack(ledger);
  const report = await check(pack, trustOf(ledger));
  const lines = linesOf(await partsOf(pack), 'queries.jsonl').map(line => JSON.parse(line) as QueryLine);
  expect(report.queries).toEqual(lines);
  expect(codesOf(report)).not.toContain('derived_wrong');
  return Object.fromEntries(lines.map(line => [line.query, line])) as never;
}

test('the scope: which records, at which head', async () => {
  const ledger = busyLedger();
  const { scope } = await queriesOf(ledger);
  const own = ledger.all.filter(
    ({ app_id, event_type }) => app_id === 'bot' && event_type !== 'export.recorded',
  );
  expect(scope).toMatchObject({
    app_id: 'bot',
    by: 'received_at',
    count: own.length,
    seqs_sha256: digest(own.map(({ seq }) => seq)),
    checkpoint: { size: ledger.all.length },
  });
});

test('sessions are open until they are ended, by themselves or with their stream', async () => {
  const ledger = new MemoryLedger();
  const one = (session_id: string, more: object = {}, type = 'span') =>
    ledger.append({ type, body: { session_id, ...more } });
  one('ended');
  one('ended', {}, 'session.end');
  const open = one('open');
  one('by its stream', { stream: { id: 'a', n: 1 } });
  const later = one('of a stream that goes on', { stream: { id: 'b', n: 1 } });
  ledger.append({ type: 'stream.end', body: { session_id: 'ended', stream: { id: 'a', n: 2 } } });
  const { sessions_open } = await queriesOf(ledger);
  expect(sessions_open).toMatchObject({
    count: 2,
    seqs_sha256: digest([open.seq, later.seq]),
    rows: [
      { session_id: 'open', records: 1, last_at: open.received_at, seq: open.seq },
      { session_id: 'of a stream that goes on', seq: later.seq },
    ],
  });
});

test('calls that were let through, and nobody said what came of them', async () => {
  const ledger = new MemoryLedger();
  const policy = ledger.activate('package trailmix\n');
  gatedCall(ledger, policy);
  gatedCall(ledger, policy, { until: 'used' });
  const used = ledger.all.at(-1)!;
  gatedCall(ledger, policy, { until: 'answered' });
  gatedCall(ledger, policy, { result: 'deny' });
  gatedCall(ledger, policy, { result: 'allow' });
  const allowed = ledger.all.at(-1)!;
  gatedCall(ledger, policy, { result: 'allow' });
  const told = ledger.all.at(-1)!;
  ledger.append({
    type: 'outcome.recorded',
    body: { status: 'ok', outcome: { decision_id: told.event_id as string, outcome: 'ok' } },
  });
  const { calls_without_outcome } = await queriesOf(ledger);
  expect(calls_without_outcome).toMatchObject({
    count: 2,
    rows: [
      { by: 'approval', name: 'send_wire', seq: used.seq },
      { by: 'allow', name: 'send_wire', seq: allowed.seq },
    ],
  });
});

test('an outcome after the window settles a call in it', async () => {
  const ledger = new MemoryLedger();
  const policy = ledger.activate('package trailmix\n');
  gatedCall(ledger, policy);
  const outcome = ledger.all.at(-1)!;
  const window = {
    app_id: 'bot',
    time_from: '2026-10-01T00:00:00Z',
    time_to: ledger.all.at(-2)!.received_at,
  };
  const report = await check(await makePack(ledger, window), trustOf(ledger));
  expect(report.queries.find(({ query }) => query === 'calls_without_outcome')).toMatchObject({ count: 0 });
  expect(report.queries[0]).toMatchObject({ count: outcome.app_seq - 1 });
  expect(codesOf(report)).not.toContain('derived_wrong');
});

test('received late, behind a later one, and what each stream says', async () => {
  const ledger = new MemoryLedger();
  ledger.append({ body: { stream: { id: 's', n: 1 } } });
  ledger.append({ body: { stream: { id: 's', n: 4 } } });
  const behind = ledger.append({ body: { stream: { id: 's', n: 2 } } });
  ledger.append({ type: 'gap', body: { stream: { id: 's', n: 5 }, input: { stream: 's', from: 3, to: 3 } } });
  const late = ledger.append({ ts: '2026-10-31T23:54:58.9Z' });
  ledger.append({ ts: '2026-10-31T23:55:00Z' });
  const queries = await queriesOf(ledger);
  expect(queries.received_behind).toMatchObject({
    count: 1,
    rows: [{ highest: 4, n: 2, seq: behind.seq, stream: 'k1/s' }],
  });
  expect(queries.received_late).toMatchObject({
    count: 1,
    rows: [{ received_at: late.received_at, seq: late.seq, ts: '2026-10-31T23:54:58.9Z' }],
  });
  expect(queries.streams).toMatchObject({
    count: 1,
    rows: [{ key: 'k1', id: 's', first: 1, last: 5, received: 4, missing: 1, gaps: 1, ended: false }],
  });
});

test('another count or digest is derived_wrong; a pack without the file is an older one', async () => {
  const ledger = busyLedger();
  const parts = await partsOf(await makePack(ledger));
  const lines = linesOf(parts, 'queries.jsonl');
  const wrong = async (): Promise<string[]> =>
    codesOf(await check(await zipOf(reseal(parts)), trustOf(ledger)));
  setLines(parts, 'queries.jsonl', [lines[0]!.replace(/"count":\d+/, '"count":1'), ...lines.slice(1)]);
  expect(await wrong()).toContain('derived_wrong');
  setLines(parts, 'queries.jsonl', lines.slice(0, -1));
  expect(await wrong()).toContain('derived_wrong');
  parts.set('queries.jsonl', utf8(''));
  expect(await wrong()).not.toContain('derived_wrong');
});

test('its facts in plain words, in README-VERIFY.txt too; no text of a record steers a terminal', async () => {
  const ledger = new MemoryLedger();
  const policy = ledger.activate('package trailmix\n');
  gatedCall(ledger, policy, { result: 'allow' });
  const event_id = 'd\u001b[2J';
  ledger.append({
    type: 'decision.recorded',
    body: { ...ledger.all.at(-1), event_id, name: 'pay\u001b[31m\n    $ rm -rf ~\u202e' } as never,
  });
  const pack = await makePack(ledger);
  const sentences = factSentences((await check(pack, trustOf(ledger))).queries);
  const readme = textOf(await partsOf(pack), 'README-VERIFY.txt');
  expect(sentences[2]).toMatch(/^Of 2 calls that were let through nobody reported what came of it: #/);
  expect(readme.replaceAll(/\s+/g, ' ')).toContain('Of 2 calls that were let through nobody reported');
  for (const text of [...sentences, readme])
    expect(/\p{Cc}|\u202e/u.test(text.replaceAll('\n', ''))).toBe(false);
  expect(readme).not.toContain('    $ rm');
});
