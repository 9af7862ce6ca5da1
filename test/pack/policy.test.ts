/**
 * Who wrote the policies and put them in force, told from a pack alone. The histories are rightly chained and sealed by the
 * ledger's own keys, so that nothing but the rules about policies can give a forgery away.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { policySeqs } from '../../collector/evidence/policy_records.ts';
import type { Place } from '../../core/pack/person_form.ts';
import { rootOf } from './forgeries.ts';
import { check, codesOf, gatedCall, linesOf, makePack, partsOf, trustOf } from './packs.ts';
import { beginPolicies, type PolicyBegun, policyHistories } from './policy_forgeries.ts';
import { activate, save, setOf } from './policy_history.ts';
import { foundIn, type PolicyVector } from './policy_records.ts';

/** What is always said of a pack of this harness. */
const usual = ['certificate_self_made', 'time_not_shown'];
const trusted = ({ ledger, people }: PolicyBegun) => ({
  ...trustOf(ledger),
  peopleRoot: rootOf(people.admin),
});

describe('each history', () => {
  test.each(policyHistories)('%s: %s', async (_about, code, make) => {
    const at = beginPolicies();
    const policy = make(at);
    gatedCall(at.ledger, policy, { result: 'allow' });
    const report = await check(await makePack(at.ledger), trusted(at));
    expect(codesOf(report).filter(one => !usual.includes(one))).toEqual(code === undefined ? [] : [code]);
  });
});

test('the report names author, proposer and who put it in force, and whether two were asked for', async () => {
  const at = beginPolicies();
  const [, , make] = policyHistories[0]!;
  gatedCall(at.ledger, make(at), { result: 'allow' });
  const { policies } = await check(await makePack(at.ledger), trusted(at));
  expect(policies).toEqual([
    {
      hash: at.shipped.hash,
      environment: 'prod',
      version: 1,
      seq: 1,
      by: 'collector',
      four_eyes: false,
      stands: 'app',
      impacts: 0,
    },
    {
      hash: at.set.hash,
      environment: 'prod',
      version: 2,
      seq: expect.any(Number),
      by: 'ben',
      author: 'ada',
      proposed_by: 'ada',
      four_eyes: true,
      stands: 'signed',
      impacts: 1,
    },
  ]);
});

test('a statement on a policy that the pack does not hold is called for by nothing', async () => {
  const at = beginPolicies();
  const { ledger, people, set } = at;
  const stray = save(ledger, setOf(7), people.ada);
  const saved = save(ledger, set, people.ada);
  const policy = activate(ledger, set, people.ada, { replaces: at.shipped.hash, saved });
  gatedCall(ledger, policy, { result: 'allow' });
  const lines = linesOf(await partsOf(await makePack(ledger)), 'extras.jsonl');
  expect(lines.filter(line => line.includes('"policy.saved"'))).toHaveLength(1);
  ledger.policyRecords = async () =>
    [stray, saved].map(seq => ({ seq, event_type: 'policy.saved', hash: set.hash }));
  const codes = codesOf(await check(await makePack(ledger), trusted(at)));
  expect(codes.filter(code => !usual.includes(code))).toEqual(['extra_unknown']);
});

test('of many trials the newest are carried', () => {
  const records = Array.from({ length: 250 }, (_, seq) => ({
    seq,
    event_type: seq % 2 === 0 ? 'policy.impact' : 'policy.shadowed',
    hash: 'aa',
  }));
  const other = { seq: 1000, event_type: 'policy.impact', hash: 'bb' };
  const seqs = policySeqs([{ hash: 'aa', seq: 999 }], [...records, other]);
  expect([seqs.size, seqs.has(1), seqs.has(50), seqs.has(48), seqs.has(1000)]).toEqual([
    226,
    true,
    true,
    false,
    false,
  ]);
});

describe('policy vectors', async () => {
  const text = await readFile(join(import.meta.dirname, '..', 'vectors', 'policy.json'), 'utf8');
  const { histories } = JSON.parse(text) as {
    histories: { about: string; place: Place; records: PolicyVector[] }[];
  };
  test.each(histories)('$about', async ({ place, records }) => {
    const found = await foundIn(
      place,
      records.map(({ found: _, ...record }) => record),
    );
    expect(found).toEqual(records);
  });
});
