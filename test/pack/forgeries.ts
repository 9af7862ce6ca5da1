/**
 * What can be forged about who approved, with the finding that must name it. The histories are rightly chained and sealed by
 * the ledger's own keys, so that nothing but the rules about people can give them away.
 */
import { base64 } from '../../core/proof/bytes.ts';
import type { JsonObject } from '../../core/proof/jcs.ts';
import { MemoryLedger, newKey } from './memory-ledger.ts';
import { delegate, type Person, signedCall, someone, state, team } from './signed_call.ts';

/** As trust.json names the first person. */
export const rootOf = (person: Person) => ({ key_id: person.key.id, public_key: base64(person.key.raw) });

export type Begun = {
  ledger: MemoryLedger;
  policy: { version: number; hash: string };
  people: ReturnType<typeof team>;
};

/** A ledger with a policy, an admin and two approvers. */
export function begin(): Begun {
  const ledger = new MemoryLedger();
  const policy = ledger.activate('package trailmix\n');
  return { ledger, policy, people: team(ledger) };
}

export type Forgery = [name: string, code: string, (at: Begun) => void];
export const forgeries: Forgery[] = [
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
