/**
 * Who approved, told from a pack alone. The histories here are rightly chained and sealed by the ledger's own keys, so
 * that nothing but the rules about people can give a forgery away.
 */
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../core/proof/jcs.ts';
import { begin, forgeries, rootOf } from './forgeries.ts';
import { MemoryLedger, newKey } from './memory-ledger.ts';
import { check, codesOf, linesOf, makePack, partsOf, trustOf } from './packs.ts';
import { delegate, type Person, signedCall, someone, state } from './signed_call.ts';

/** What is always said of a pack of this harness. */
const usual = ['certificate_self_made', 'time_not_shown'];

async function found(ledger: MemoryLedger, root: Person): Promise<string[]> {
  const report = await check(await makePack(ledger), { ...trustOf(ledger), peopleRoot: rootOf(root) });
  return codesOf(report).filter(code => !usual.includes(code));
}

describe('what holds', () => {
  test('two people, enrolled, signed, after reading: identity passes, and the line names them', async () => {
    const { ledger, policy, people } = begin();
    signedCall(ledger, policy, [{ by: people.anna, role: 'treasurer' }, { by: people.ben }]);
    const pack = await makePack(ledger);
    const trust = { ...trustOf(ledger), peopleRoot: rootOf(people.admin) };
    const report = await check(pack, trust);
    expect(codesOf(report)).toEqual(usual);
    expect(report.verdicts.identity.result).toBe('pass');
    expect(report.counts.approvals.consumed).toBe(1);

    const [line] = linesOf(await partsOf(pack), 'approvals.jsonl').map(
      text => JSON.parse(text) as JsonObject,
    );
    expect(line).toMatchObject({
      status: 'consumed',
      result: 'ran',
      signatures: [
        { by: 'anna', role: 'treasurer', key_id: people.anna.key.id },
        { by: 'ben', role: 'approver', key_id: people.ben.key.id },
      ],
      enrolments: [
        { person_id: 'anna', key_id: people.anna.key.id, seq: 3 },
        { person_id: 'ben', key_id: people.ben.key.id, seq: 4 },
      ],
    });
  });

  test('an approval that was used and never reported says so', async () => {
    const { ledger, policy, people } = begin();
    signedCall(ledger, policy, [{ by: people.anna }, { by: people.ben }], { until: 'used' });
    const [line] = linesOf(await partsOf(await makePack(ledger)), 'approvals.jsonl');
    expect(JSON.parse(line!)).toMatchObject({ status: 'consumed', result: 'never_reported' });
  });

  test('old signatures stand after a reset and after leaving', async () => {
    const { ledger, policy, people } = begin();
    signedCall(ledger, policy, [{ by: people.anna }, { by: people.ben }]);
    const renewed = { ...people.ben, key: newKey() };
    state(ledger, 'reset', renewed, people.admin);
    signedCall(ledger, policy, [{ by: people.anna }, { by: renewed }]);
    state(ledger, 'leave', people.anna, people.admin);
    expect(await found(ledger, people.admin)).toEqual([]);
  });

  test('a delegated role counts for the one who has it', async () => {
    const { ledger, policy, people } = begin();
    const id = delegate(ledger, people.anna, people.ben);
    const review = { on_behalf_of: 'anna', delegation_id: id };
    signedCall(ledger, policy, [{ by: people.ben, role: 'treasurer', review }], {
      k: 1,
      roles: ['treasurer'],
    });
    expect(await found(ledger, people.admin)).toEqual([]);
  });

  test('one approver alone answers whatever the rule asks, and identity says that four-eyes was off', async () => {
    const ledger = new MemoryLedger();
    const policy = ledger.activate('package trailmix\n');
    const only = someone('only', ['admin', 'approver']);
    state(ledger, 'enrol', only);
    signedCall(ledger, policy, [{ by: only, record: { four_eyes: false } }]);
    const trust = { ...trustOf(ledger), peopleRoot: rootOf(only) };
    const report = await check(await makePack(ledger), trust);
    expect(codesOf(report).filter(code => !usual.includes(code))).toEqual(['four_eyes_off']);
    expect(report.verdicts.identity.result).toBe('not_shown');
    expect(report.verdicts.integrity.result).toBe('pass');
  });

  test('who the people are is not shown by the pack itself', async () => {
    const { ledger, policy, people } = begin();
    signedCall(ledger, policy, [{ by: people.anna }, { by: people.ben }]);
    const pack = await makePack(ledger);
    expect(codesOf(await check(pack, trustOf(ledger)))).toContain('people_untrusted');
    const stranger = { ...trustOf(ledger), peopleRoot: rootOf(people.anna) };
    expect((await check(pack, stranger)).verdicts.identity.result).toBe('fail');
    expect(codesOf(await check(pack, stranger))).toContain('people_root_wrong');
  });
});

describe('what is forged is named', () => {
  test.each(forgeries)('%s: %s', async (_, code, forge) => {
    const at = begin();
    forge(at);
    const report = await check(
      await makePack(at.ledger, {
        app_id: 'bot',
        time_from: '2026-10-01T00:00:00Z',
        time_to: '2026-12-31T23:59:59Z',
      }),
      {
        ...trustOf(at.ledger),
        peopleRoot: rootOf(at.people.admin),
      },
    );
    expect(codesOf(report)).toContain(code);
    const results = Object.values(report.verdicts).map(({ result }) => result);
    expect(results).toContain('fail');
  });

  test('a use without anybody, twice, and after a refusal', async () => {
    const { ledger, policy, people } = begin();
    signedCall(ledger, policy, [{ by: people.anna }, { by: people.ben, verdict: 'deny' }]);
    expect(await found(ledger, people.admin)).toContain('intent_wrong');

    const second = begin();
    signedCall(second.ledger, second.policy, []);
    expect(await found(second.ledger, second.people.admin)).toContain('intent_wrong');

    const third = begin();
    signedCall(third.ledger, third.policy, [{ by: third.people.anna }, { by: third.people.ben }]);
    const intent = third.ledger.all.findLast(
      ({ event_type }) => event_type === 'intent.recorded',
    ) as JsonObject;
    third.ledger.append({ type: 'intent.recorded', body: { event_id: 'int_again', intent: intent.intent! } });
    expect(await found(third.ledger, third.people.admin)).toContain('intent_wrong');
  });
});
