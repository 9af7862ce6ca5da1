import { verify } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { ed25519PublicKey } from '../../collector/ledger/headfile.ts';
import { jcs } from '../../core/proof/jcs.ts';
import {
  bodyHash,
  bodyOf,
  eventSignatureMessage,
  GENESIS,
  hashSelf,
  headOf,
} from '../../core/proof/record.ts';
import { append, event, openTest, sha256, until } from './ledger.fixture.ts';
import { memoryVault } from './vault.fixture.ts';

describe('a ledger', () => {
  test('begins with ledger.opened and keeps what is appended, chained and signed', async () => {
    const { ledger } = await openTest();
    const accepted = await append(ledger, [event({ input: { prompt: 'hello' } }), event()]);
    expect(accepted.map(one => one.seq)).toEqual([1, 2]);
    const records = await ledger.read.records(0, 10);
    expect(records.map(record => record.event_type)).toEqual(['ledger.opened', 'span', 'span']);
    const key = ed25519PublicKey(memoryVault().eventKey.publicKey);
    let previous = GENESIS;
    for (const record of records) {
      const head = headOf(record);
      expect(head.hash_prev).toBe(previous);
      expect(head.body_hash).toBe(bodyHash(sha256, jcs(bodyOf(record as never))));
      expect(record.hash_self).toBe(hashSelf(sha256, head));
      expect(
        verify(
          null,
          eventSignatureMessage(record.hash_self),
          key,
          Buffer.from(String(record.signature), 'base64'),
        ),
      ).toBe(true);
      previous = record.hash_self;
    }
    expect(records[1]).toMatchObject({
      input: { prompt: 'hello' },
      source: { via: 'api', auth: 'key', key: 'k1' },
    });
    await until(() => ledger.verifier().verifiedTo === 2);
  });
});

describe('idempotence', () => {
  test('the same event again answers the first record; other content refuses the whole batch', async () => {
    const { ledger, folder } = await openTest();
    const one = event({ event_id: 'once', input: { a: 1 } });
    const [first] = await append(ledger, [one]);
    const again = await append(ledger, [event({ event_id: 'new' }), one, one]);
    expect(again.map(answer => [answer.seq, answer.duplicate])).toEqual([
      [2, undefined],
      [first!.seq, true],
      [first!.seq, true],
    ]);
    expect(again[1]!.hash_self).toBe(first!.hash_self);
    const twice = event({ event_id: 'twice' });
    expect((await append(ledger, [twice, twice])).map(answer => [answer.seq, answer.duplicate])).toEqual([
      [3, undefined],
      [3, true],
    ]);
    await expect(
      append(ledger, [event({ event_id: 'unseen' }), { ...one, input: { a: 2 } }]),
    ).rejects.toMatchObject({ code: 'event_conflict', errors: [{ where: '/events/1/event_id' }] });
    await expect(
      append(ledger, [event({ event_id: 'x', name: 'a' }), event({ event_id: 'x', name: 'b' })]),
    ).rejects.toMatchObject({
      code: 'event_conflict',
    });
    expect((await ledger.read.head()).size).toBe(4);
    // Another app's event of the same id is another event.
    expect((await append(ledger, [{ ...one, app_id: 'other' }]))[0]!.duplicate).toBeUndefined();

    await ledger.close();
    const reopened = (await openTest({ folder })).ledger;
    expect(await append(reopened, [one])).toEqual([
      { event_id: 'once', seq: 1, hash_self: first!.hash_self, duplicate: true },
    ]);
  });

  test('holds among requests that share a commit', async () => {
    const { ledger } = await openTest();
    const one = event();
    const results = await Promise.allSettled([
      append(ledger, [one]),
      append(ledger, [one]),
      append(ledger, [{ ...one, name: 'other' }]),
      append(ledger, [event()]),
    ]);
    expect(results.map(result => result.status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
    expect((await ledger.read.head()).size).toBe(3);
  });
});

test('a stream belongs to the key that began it; repeated and missing numbers are recorded', async () => {
  const { ledger, folder } = await openTest();
  const streamed = (n: number) => event({ stream: { id: 'st-1', n } });
  await append(ledger, [streamed(1), streamed(2), streamed(2), streamed(9)]);
  const other = { via: 'api', auth: 'key', key: 'k2' } as const;
  await expect(append(ledger, [streamed(3)], other)).rejects.toMatchObject({ code: 'stream_conflict' });
  await ledger.close();
  const reopened = (await openTest({ folder })).ledger;
  await expect(append(reopened, [streamed(3)], other)).rejects.toMatchObject({ code: 'stream_conflict' });
  await append(reopened, [streamed(3)]);
  expect((await reopened.read.head()).size).toBe(6);
});

test('received_at never falls: a clock that steps back is clamped, and one event says so', async () => {
  const { ledger, clock } = await openTest();
  await append(ledger, [event()]);
  const before = String((await ledger.read.record(1))!.received_at);
  clock.move(-3_600_000);
  await append(ledger, [event()]);
  await append(ledger, [event()]);
  clock.move(3_700_000);
  await append(ledger, [event()]);
  const records = await ledger.read.records(2, 10);
  expect(records.map(record => record.event_type)).toEqual(['clock.stepped', 'span', 'span', 'span']);
  expect(records.slice(0, 3).every(record => record.received_at === before)).toBe(true);
  expect(records.slice(0, 3).every(record => String(record.clock) < before)).toBe(true);
  expect(records[3]!.clock).toBeUndefined();
  expect(String(records[3]!.received_at) > before).toBe(true);
  expect(before).toMatch(/\.\d{6}Z$/);
  await until(() => ledger.verifier().verifiedTo === 5);
});

test('an export is stamped at least a microsecond after what is before it', async () => {
  const { ledger, clock } = await openTest();
  const now = clock.now();
  clock.now = () => now;
  await append(ledger, [event()]);
  const record = await ledger.write.run('record', {
    appId: 'support-bot',
    eventType: 'export.made',
    members: { name: 'Export' },
  });
  const previous = (await ledger.read.record(1))!;
  expect(record.receivedAt > String(previous.received_at)).toBe(true);
  await append(ledger, [event()]);
  expect((await ledger.read.records(3, 3))[0]).toMatchObject({
    event_type: 'span',
    received_at: record.receivedAt,
  });
});

test('what does not fit into the queue is refused, and nothing of it recorded', async () => {
  const { ledger } = await openTest({ queue: { events: 10 } });
  const results = await Promise.allSettled(
    Array.from({ length: 5 }, () => append(ledger, [event(), event(), event(), event()])),
  );
  const refused = results.filter(result => result.status === 'rejected');
  expect(refused.length).toBeGreaterThan(0);
  for (const result of refused) expect(result.reason).toMatchObject({ code: 'busy', retryAfter: 1 });
  expect((await ledger.read.head()).size).toBe(1 + 4 * (5 - refused.length));
});

test('a refused command leaves nothing and disturbs nobody', async () => {
  const { ledger } = await openTest();
  const results = await Promise.allSettled([
    append(ledger, [event()]),
    ledger.write.run('revokeKey', { id: 'nobody', by: 'test' }),
    ledger.write.run('changeSettings', { changes: { person: 'Ada' }, by: 'Ada' }),
    append(ledger, [event()]),
  ]);
  expect(results.map(result => result.status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
  expect((await ledger.read.records(0, 9)).map(record => record.event_type)).toEqual([
    'ledger.opened',
    'span',
    'ledger.settings',
    'span',
  ]);
  await until(() => ledger.verifier().verifiedTo === 3);
});

test('decisions and approvals show in their run, and reach the listeners after the commit', async () => {
  const { ledger } = await openTest();
  const heard: string[] = [];
  ledger.write.onCommit(({ approvals }) => heard.push(...approvals));
  const outcome = {
    result: 'approve',
    reasons: ['large'],
    policy: { version: 1, hash: 'a'.repeat(64) },
    evalUs: 5,
  } as const;
  const decided = await ledger.write.run('decide', {
    keyId: 'k1',
    appId: 'support-bot',
    sessionId: 's-1',
    actor: { type: 'agent', id: 'bot' },
    action: 'send_wire',
    risk: 'high',
    payload: { amount: 12_000 },
    outcome: { ...outcome, reasons: [...outcome.reasons] },
  });
  expect(heard).toEqual([decided.approval!.id]);
  const { items } = await ledger.read.traces({ decision: 'waiting' });
  expect(items[0]).toMatchObject({ asked: 1, waiting: 1, risk: 'high' });
  expect((await ledger.read.approvals({ status: 'waiting' })).total).toBe(1);
  await ledger.write.run('answerApproval', {
    id: decided.approval!.id,
    verdict: 'deny',
    by: 'Ada',
    signedIn: 'none',
    source: { via: 'page', auth: 'person' },
  });
  const run = await ledger.read.trace(items[0]!.run_id);
  expect(run!.spans.decision[0]).toBe('refused');
  expect((await ledger.read.search({ q: 'decision:approve' })).total).toBe(1);
  expect((await ledger.read.approval(decided.approval!.id))!.status).toBe('denied');
});
