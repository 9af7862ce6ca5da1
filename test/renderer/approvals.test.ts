import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { ApprovalView } from '../../core/api/views.ts';
import { jcs } from '../../core/proof/jcs.ts';
import {
  buildArguments,
  buildFate,
  buildQueue,
  canAnswer,
  gistOf,
  neighbour,
  shownDigest,
  shownObject,
  stateOf,
  wordsOfName,
} from '../../renderer/features/approvals/approval_view.ts';
import { readApprovalsSearch } from '../../renderer/features/approvals/approvals_search.ts';

const sha256 = (data: Uint8Array): Uint8Array => createHash('sha256').update(data).digest();

const item = (more: Partial<ApprovalView> = {}): ApprovalView => ({
  id: 'apr_1',
  decision_id: 'dec_1',
  decision_seq: 5,
  app_id: 'finance-bot',
  session_id: 's',
  run_id: '0123456789abcdef',
  actor_id: 'agent',
  action: 'send_wire',
  risk: 'critical',
  payload: { amount: 12000, iban: 'DE00' },
  reasons: ['wire > 10,000'],
  status: 'waiting',
  asked_at: '2026-11-22T10:00:00.000000Z',
  expires_at: '2026-11-22T10:15:00.000000Z',
  policy: { version: 1, hash: 'a'.repeat(64) },
  ...more,
});
const at = (time: string): number => Date.parse(`2026-11-22T${time}Z`);

describe('the queue', () => {
  test('a waiting one can be answered until its very end, then reads Expired', () => {
    expect(canAnswer(item(), at('10:14:59'))).toBe(true);
    expect(canAnswer(item(), at('10:15:00'))).toBe(false);
    expect(stateOf(item(), at('10:15:00'))).toBe('expired');
  });

  test('a refusal by a person is not called denied', () => {
    expect(stateOf(item({ status: 'denied' }), 0)).toBe('refused');
  });

  test('the last minute is urgent, an answered one never is', () => {
    const [early] = buildQueue([item()], at('10:13:59'));
    const [late] = buildQueue([item()], at('10:14:01'));
    const [answered] = buildQueue([item({ status: 'approved' })], at('10:14:30'));
    expect([early?.urgent, late?.urgent, answered?.urgent]).toEqual([false, true, false]);
  });

  test('a row says why the policy asked', () => {
    const whys = [['wire > 10,000'], ['a', 'b', 'c'], []].map(
      reasons => buildQueue([item({ reasons })], at('10:00:00'))[0]?.why,
    );
    expect(whys).toEqual(['wire > 10,000', 'a and 2 more', '']);
  });

  test('next and previous stay inside the list', () => {
    expect(neighbour(['a', 'b'], 'b', 1)).toBe('b');
    expect(neighbour(['a', 'b'], 'a', -1)).toBe('a');
    expect(neighbour(['a', 'b'], 'gone', 1)).toBe('a');
    expect(neighbour([], 'a', 1)).toBeUndefined();
  });
});

describe('the call', () => {
  test('every argument is there in full, however long or deep', () => {
    const long = 'x'.repeat(5_000);
    const rows = buildArguments({
      note: long,
      to: { iban: 'DE', tags: [1, 2] },
      empty: '',
      no: null,
      yes: true,
    });
    expect(rows.map(row => row.name)).toEqual(['note', 'to', 'empty', 'no', 'yes']);
    expect(rows[0]).toMatchObject({ text: long, block: true });
    expect(JSON.parse(rows[1]!.text)).toEqual({ iban: 'DE', tags: [1, 2] });
    expect(rows.slice(2).map(row => row.text)).toEqual(['', 'null', 'true']);
  });

  test('a payload that is no object has one row', () => {
    expect(buildArguments(['a'])).toMatchObject([{ name: 'value', kind: 'json' }]);
  });

  test('numbers are not rounded', () => {
    expect(buildArguments({ n: 0.1 + 0.2 })[0]?.text).toBe('0.30000000000000004');
  });

  test('names read as words', () => {
    expect(['customer_id', 'customerId', 'IBAN', '_'].map(wordsOfName)).toEqual([
      'customer id',
      'customer id',
      'iban',
      '_',
    ]);
  });

  test('the gist says how much it leaves out', () => {
    expect(gistOf({ a: 1, b: 2, c: 3, d: 4 })).toBe('a 1 · b 2 · c 3 · 1 more');
  });

  test('shown_digest is SHA-256 of JCS of exactly what was shown', () => {
    const shown = shownObject(item({ context: { ip: '::1' } }));
    expect(shown).toMatchObject({
      payload: { amount: 12000 },
      context: { ip: '::1' },
      reasons: ['wire > 10,000'],
    });
    expect(shownDigest(sha256, item({ context: { ip: '::1' } }))).toBe(
      createHash('sha256').update(jcs(shown)).digest('hex'),
    );
    expect(shownDigest(sha256, item())).not.toBe(shownDigest(sha256, item({ payload: { amount: 12001 } })));
  });

  test('what became of it, in a sentence', () => {
    expect(buildFate(item())).toBeUndefined();
    expect(buildFate(item({ status: 'denied', answered_by: 'Maria' }))).toBe(
      'Refused by Maria. The call does not run.',
    );
    expect(buildFate(item({ status: 'consumed', outcome: 'error' }))).toContain('reported an error');
    expect(buildFate(item({ status: 'consumed', outcome: 'unknown' }))).toContain('not reported');
  });
});

test('the address keeps what it knows and drops the rest', () => {
  expect(readApprovalsSearch({ show: 'answered', id: 'apr_1', x: 1 })).toEqual({
    show: 'answered',
    id: 'apr_1',
  });
  expect(readApprovalsSearch({ show: 'nonsense', id: '' })).toEqual({});
});
