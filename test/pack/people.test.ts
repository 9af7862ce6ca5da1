/**
 * Who approved, told from a pack alone. The histories here are rightly chained and sealed by the ledger's own keys, so
 * that nothing but the rules about people can give a forgery away.
 */
import { describe, expect, test } from 'vitest';
import { base64 } from '../../core/proof/bytes.ts';
import type { JsonObject } from '../../core/proof/jcs.ts';
import { MemoryLedger, newKey } from './memory-ledger.ts';
import { check, codesOf, linesOf, makePack, partsOf, trustOf } from './packs.ts';
import { delegate, type Person, signedCall, someone, state, team } from './signed_call.ts';

const rootOf = (person: Person) => ({ key_id: person.key.id, public_key: base64(person.key.raw) });
/** What is always said of a pack of this harness. */
const usual = ['certificate_self_made', 'time_not_shown'];

type Policy = { version: number; hash: string };
type Team = ReturnType<typeof team>;

function begin(): { ledger: MemoryLedger; policy: Policy; people: Team } {
  const ledger = new MemoryLedger();
  const policy = ledger.activate('package trailmix\n');
  return { ledger, policy, people: team(ledger) };
}

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
  type Case = [name: string, code: string, (at: ReturnType<typeof begin>) => void];
  const cases: Case[] = [
    [
      'a deny turned into an approve',
      'approval_signature_wrong',
      ({ ledger, policy, people: { anna, ben } }) =>
        signedCall(ledger, policy, [{ by: anna, statement: { verdict: 'deny' } }, { by: ben }]),
    ],
    [
      'a signature by the ledger’s own key',
      'approval_signature_wrong',
      ({ ledger, policy, people: { anna, ben } }) =>
        signedCall(ledger, policy, [{ by: anna, signer: ledger.eventKey }, { by: ben }]),
    ],
    [
      'a signature by the ledger’s own key, which says so',
      'approval_signer_unknown',
      ({ ledger, policy, people: { anna, ben } }) =>
        signedCall(ledger, policy, [
          { by: anna, signer: ledger.eventKey, statement: { key_id: ledger.eventKey.id } },
          { by: ben },
        ]),
    ],
    [
      'an answer signed for another call',
      'approval_signature_wrong',
      ({ ledger, policy, people: { anna, ben } }) =>
        signedCall(ledger, policy, [{ by: anna, statement: { binding: 'ab'.repeat(32) } }, { by: ben }]),
    ],
    [
      'one person counted twice',
      'approval_person_twice',
      ({ ledger, policy, people: { anna } }) => signedCall(ledger, policy, [{ by: anna }, { by: anna }]),
    ],
    [
      'one person with two keys',
      'approval_person_twice',
      ({ ledger, policy, people: { admin, anna } }) => {
        const renewed = { ...anna, key: newKey() };
        signedCall(ledger, policy, [{ by: anna }, { by: renewed }], {
          beforeUse: () => state(ledger, 'reset', renewed, admin),
        });
        // The second answer is judged by the key then in force; with the reset before it the person is the same.
        signedCall(ledger, policy, [{ by: renewed }, { by: renewed }]);
      },
    ],
    [
      'a key enrolled after the fact',
      'approval_signer_unknown',
      ({ ledger, policy, people: { admin, anna } }) => {
        const late = someone('late', ['approver']);
        signedCall(ledger, policy, [{ by: anna }, { by: late }], {
          beforeUse: () => state(ledger, 'enrol', late, admin),
        });
      },
    ],
    [
      'a key that was replaced',
      'approval_signer_unknown',
      ({ ledger, policy, people: { admin, anna, ben } }) => {
        state(ledger, 'reset', { ...ben, key: newKey() }, admin);
        signedCall(ledger, policy, [{ by: anna }, { by: ben }]);
      },
    ],
    [
      'a person who had left',
      'approval_signer_unknown',
      ({ ledger, policy, people: { admin, anna, ben } }) => {
        state(ledger, 'enrol', someone('cleo', ['approver']), admin);
        state(ledger, 'leave', ben, admin);
        signedCall(ledger, policy, [{ by: anna }, { by: ben }]);
      },
    ],
    [
      'a person without the role',
      'approval_role_wrong',
      ({ ledger, policy, people: { anna, ben } }) =>
        signedCall(ledger, policy, [
          { by: anna, role: 'treasurer' },
          { by: ben, role: 'treasurer' },
        ]),
    ],
    [
      'a role that the rule does not ask for',
      'approval_role_wrong',
      ({ ledger, policy, people: { anna, ben } }) =>
        signedCall(ledger, policy, [{ by: anna }, { by: ben }], { roles: ['treasurer'] }),
    ],
    [
      'a delegation that had not begun',
      'approval_role_wrong',
      ({ ledger, policy, people: { anna, ben } }) => {
        const id = delegate(ledger, anna, ben, {
          starts_at: '2026-11-20T00:00:00.000000Z',
          ends_at: '2026-11-21T00:00:00.000000Z',
        });
        const review = { on_behalf_of: 'anna', delegation_id: id };
        signedCall(ledger, policy, [{ by: ben, role: 'treasurer', review }], { k: 1, roles: ['treasurer'] });
      },
    ],
    [
      'the asker approving',
      'approval_own_request',
      ({ ledger, policy, people: { anna, ben } }) =>
        signedCall(ledger, policy, [{ by: anna }, { by: ben }], { actor: 'ben' }),
    ],
    [
      'the asker approving under an alias',
      'approval_own_request',
      ({ ledger, policy, people: { anna, ben } }) =>
        signedCall(ledger, policy, [{ by: anna }, { by: ben }], { actor: 'ben@example.com' }),
    ],
    [
      'a delegate answering for the asker',
      'approval_own_request',
      ({ ledger, policy, people: { anna, ben } }) => {
        const id = delegate(ledger, anna, ben);
        const review = { on_behalf_of: 'anna', delegation_id: id };
        signedCall(ledger, policy, [{ by: ben, role: 'treasurer', review }], {
          k: 1,
          roles: ['treasurer'],
          actor: 'anna',
        });
      },
    ],
    [
      'too early an answer',
      'approval_too_early',
      ({ ledger, policy, people: { anna, ben } }) =>
        signedCall(ledger, policy, [{ by: anna, after: 3 }, { by: ben }]),
    ],
    [
      'a review that nobody opened',
      'approval_review_wrong',
      ({ ledger, policy, people: { anna, ben } }) =>
        signedCall(ledger, policy, [{ by: anna, notOpened: true }, { by: ben }]),
    ],
    [
      'another thing shown than was asked',
      'approval_shown_wrong',
      ({ ledger, policy, people: { anna, ben } }) =>
        signedCall(ledger, policy, [
          { by: anna, shown: { v: 1, action: 'send_wire', payload: { amount: 12, iban: 'DE00' } } },
          { by: ben },
        ]),
    ],
    [
      'a digest of something else signed',
      'approval_review_wrong',
      ({ ledger, policy, people: { anna, ben } }) =>
        signedCall(ledger, policy, [{ by: anna, statement: { shown_digest: 'cd'.repeat(32) } }, { by: ben }]),
    ],
    [
      'one answer where two are asked for',
      'approval_too_few',
      ({ ledger, policy, people: { anna } }) => signedCall(ledger, policy, [{ by: anna }]),
    ],
    [
      'an unsigned answer when people were enrolled',
      'approval_signature_missing',
      ({ ledger, policy, people: { anna, ben } }) => {
        signedCall(ledger, policy, [{ by: anna }, { by: ben }], { until: 'answered' });
        const asked = ledger.all.findLast(({ event_type }) => event_type === 'approval.asked') as JsonObject;
        const { id, decision_id, binding_hash } = asked.approval as JsonObject;
        const approval = { id, decision_id, binding_hash, verdict: 'approve', by: 'Dana', signed_in: 'none' };
        ledger.append({ type: 'approval.answered', body: { approval } as JsonObject });
      },
    ],
    [
      'another bundle than the one that asked',
      'intent_wrong',
      ({ ledger, policy, people: { anna, ben } }) =>
        signedCall(ledger, policy, [{ by: anna }, { by: ben }], { intent: { policy_hash: 'ef'.repeat(32) } }),
    ],
    [
      'another argument used than was approved',
      'intent_wrong',
      ({ ledger, policy, people: { anna, ben } }) =>
        signedCall(ledger, policy, [{ by: anna }, { by: ben }], { intent: { args_digest: '12'.repeat(32) } }),
    ],
    [
      'a replayed nonce',
      'intent_wrong',
      ({ ledger, policy, people: { anna, ben } }) =>
        signedCall(ledger, policy, [{ by: anna }, { by: ben }], { intent: { nonce: '34'.repeat(32) } }),
    ],
    [
      'another session bound than decided',
      'approval_binding_wrong',
      ({ ledger, policy, people: { anna, ben } }) =>
        signedCall(ledger, policy, [{ by: anna }, { by: ben }], { binding: { session_id: 's2' } }),
    ],
    [
      'another action bound than decided',
      'approval_binding_wrong',
      ({ ledger, policy, people: { anna, ben } }) =>
        signedCall(ledger, policy, [{ by: anna }, { by: ben }], { binding: { action: 'read_mail' } }),
    ],
    [
      'a use after the approval expired',
      'intent_wrong',
      ({ ledger, policy, people: { anna, ben } }) =>
        signedCall(ledger, policy, [{ by: anna }, { by: ben }], {
          beforeUse: () => ledger.append({ at: Date.UTC(2026, 11, 2) * 1000, body: { name: 'later' } }),
        }),
    ],
    [
      'an enrolment that no admin signed',
      'person_record_wrong',
      ({ ledger, policy, people: { anna } }) => {
        const forged = someone('mallory', ['approver']);
        state(ledger, 'enrol', forged, anna);
        signedCall(ledger, policy, [{ by: anna }, { by: forged }]);
      },
    ],
    [
      'an enrolment whose signature is another’s',
      'person_record_wrong',
      ({ ledger, policy, people: { admin, anna } }) => {
        const forged = someone('mallory', ['approver']);
        state(ledger, 'enrol', forged, admin, { signer: ledger.eventKey });
        signedCall(ledger, policy, [{ by: anna }, { by: forged }]);
      },
    ],
    [
      'a key that its owner never held',
      'person_record_wrong',
      ({ ledger, policy, people: { admin, anna, ben } }) => {
        const other = someone('cleo', ['approver']);
        state(ledger, 'enrol', other, admin, { possession: base64(new Uint8Array(64)) });
        signedCall(ledger, policy, [{ by: anna }, { by: ben }]);
      },
    ],
  ];

  test.each(cases)('%s: %s', async (_, code, forge) => {
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
