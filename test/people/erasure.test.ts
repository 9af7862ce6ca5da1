/** Erasing bodies and setting retention rules once people are enrolled: signed by an admin, for exactly what goes. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sha256 } from '../../collector/sha256.ts';
import type { OutputOf } from '../../core/api/operations.ts';
import { type ErasureStatement, erasedDigest, retentionDigest } from '../../core/proof/erasure.ts';
import { type Answer, bearer, startTestCollector, type TestCollector } from '../http/collector.ts';
import { addPerson, enrolFirstAdmin, expectJson, type Person } from './person.ts';

const LONG = 240_000;
const REASON = 'Request of the person concerned';
let tm: TestCollector;
let ada: Person;
let anna: Person;
let seqs: number[];

beforeAll(async () => {
  tm = await startTestCollector();
  const { apiKey } = await tm.key('shop', ['ingest', 'read']);
  const events = Array.from({ length: 6 }, (_, n) => ({
    event_id: `e${n}`,
    app_id: 'shop',
    session_id: 's1',
    event_type: 'span',
    ts: '2026-11-22T12:00:00Z',
    name: `step ${n}`,
    actor_type: 'agent',
    actor_id: 'bot',
    input: { said: n },
  }));
  const answer = await tm.ask('/api/events', { body: { events }, headers: bearer(apiKey) });
  seqs = expectJson<{ accepted: { seq: number }[] }>(answer, 201).accepted.map(({ seq }) => seq);
  ada = await enrolFirstAdmin(tm);
  anna = await addPerson(tm, ada, { id: 'anna', roles: ['approver'] });
}, LONG);
afterAll(() => tm?.stop());

const codeOf = (answer: Answer): string => (answer.json as { code: string }).code;
const prepare = async (which: number[]) => {
  const answer = await ada.call('/api/erase/prepare', { body: { seqs: which } });
  return expectJson<OutputOf<'prepareErasure'>>(answer, 200).parts[0]!;
};

const erasing = (
  by: Person,
  part: { seqs: number[]; hashes: string[] },
  change: Partial<ErasureStatement> = {},
) => ({
  seqs: part.seqs,
  ...by.erasure(
    { act: 'erase', digest: erasedDigest(sha256, part.seqs, part.hashes), reason: REASON },
    change,
  ),
});

test(
  'what an admin signs is erased, and the record keeps who signed for which records',
  async () => {
    const part = await prepare([seqs[0]!, seqs[1]!]);
    expect(part.seqs).toEqual([seqs[0], seqs[1]]);
    const one = erasing(ada, part);
    const answer = await ada.call('/api/erase', { body: { signed: [one], reason: REASON } });
    const { erased, records } = expectJson<OutputOf<'erase'>>(answer, 200);
    expect(erased).toBe(2);
    const record = await ada.call(`/api/events/${records[0]}`);
    expect(record.json).toMatchObject({
      event_type: 'erasure.recorded',
      by: 'ada',
      source: { via: 'page', auth: 'person' },
      erasure: { seqs: part.seqs, hashes: part.hashes, reason: REASON },
      signed: [{ statement: one.statement, signature: one.signature, signed_in: 'page' }],
    });
  },
  LONG,
);

test(
  'nothing goes unsigned, by another, for other records, or with another reason',
  async () => {
    const before = await tm.size();
    const part = await prepare([seqs[2]!]);
    const other = await prepare([seqs[3]!]);
    const refused = async (
      person: Person,
      body: unknown,
      code: string,
      path = '/api/erase',
    ): Promise<void> => {
      const answer = await person.call(path, { body });
      expect([code, codeOf(answer)]).toEqual([code, code]);
    };
    const right = erasing(ada, part);
    await refused(ada, { seqs: part.seqs, reason: REASON }, 'signature_missing');
    await refused(anna, { signed: [erasing(anna, part)], reason: REASON }, 'role_missing');
    await refused(
      ada,
      { signed: [{ ...right, signature: erasing(anna, part).signature }], reason: REASON },
      'signature_invalid',
    );
    await refused(ada, { signed: [{ ...right, seqs: other.seqs }], reason: REASON }, 'statement_invalid');
    await refused(ada, { signed: [right], reason: 'another' }, 'statement_invalid');
    await refused(ada, { signed: [erasing(anna, part)], reason: REASON }, 'statement_invalid');
    await refused(
      ada,
      { signed: [erasing(ada, part, { ledger_id: 'ab'.repeat(16) })], reason: REASON },
      'statement_invalid',
    );
    await refused(
      ada,
      { signed: [erasing(ada, part, { at: '2026-01-01T00:00:00.000000Z' })], reason: REASON },
      'statement_invalid',
    );
    await refused(
      ada,
      { signed: [erasing(ada, part, { by_key_id: anna.key.keyId })], reason: REASON },
      'person_key_unknown',
    );
    await refused(ada, { signed: [right], seqs: part.seqs, reason: REASON }, 'input_invalid');
    const socket = await tm.ask('/api/erase', {
      body: { seqs: part.seqs, reason: REASON },
      socket: tm.collector.socket,
    });
    expect(codeOf(socket)).toBe('sign_in_needed');
    await refused(ada, { days: { shop: 30 } }, 'signature_missing', '/api/retention');
    const rule = ada.erasure({ act: 'retain', digest: retentionDigest(sha256, { shop: 3000 }), reason: '' });
    await refused(ada, { days: { shop: 30 }, ...rule }, 'statement_invalid', '/api/retention');
    expect(await tm.size()).toBe(before);
    const still = await ada.call(`/api/events/${seqs[2]}`);
    expect(still.json).toMatchObject({ name: 'step 2' });
  },
  LONG,
);

test(
  'the rule is what is signed; parts before one that is refused are erased',
  async () => {
    const days = { shop: 30 };
    const rule = ada.erasure({ act: 'retain', digest: retentionDigest(sha256, days), reason: '' });
    const set = await ada.call('/api/retention', { body: { days, ...rule } });
    expect(expectJson(set, 200)).toEqual({ days });
    // Signed anew it is recorded anew: an older signature, or none, is replaced by it.
    const again = ada.erasure({ act: 'retain', digest: retentionDigest(sha256, days), reason: '' });
    expectJson(await ada.call('/api/retention', { body: { days, ...again } }), 200);
    const { items } = expectJson<OutputOf<'events'>>(
      await ada.call('/api/events?q=type:ledger.settings'),
      200,
    );
    const kept = items.flatMap(({ signed }) => (signed ?? []) as { signature: string }[]);
    expect(kept.map(({ signature }) => signature)).toEqual([again.signature, rule.signature]);
    const [first, second] = [await prepare([seqs[4]!]), await prepare([seqs[5]!])];
    const forged = { ...erasing(ada, second), signature: erasing(ada, first).signature };
    const answer = await ada.call('/api/erase', {
      body: { signed: [erasing(ada, first), forged], reason: REASON },
    });
    expect(codeOf(answer)).toBe('signature_invalid');
    expect((await ada.call(`/api/events/${seqs[4]}`)).json).not.toHaveProperty('name');
    expect((await ada.call(`/api/events/${seqs[5]}`)).json).toMatchObject({ name: 'step 5' });
  },
  LONG,
);
