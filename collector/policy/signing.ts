/**
 * Signed statements on policies, as the writer checks them: whose key, which members, which bytes. Rules: once somebody is enrolled
 * nothing is taken unsigned; the signer is the signed-in person, with their key in force. Spec: docs/spec/policy.md, "Statement".
 */
import { TrailmixError } from '../../core/api/errors.ts';
import { tsMicros } from '../../core/event/time.ts';
import type { Members } from '../../core/pack/person_form.ts';
import { POLICY_CLOCK_US, type PolicyCheck, type PolicyContext } from '../../core/pack/policy_rules.ts';
import type { JsonObject } from '../../core/proof/jcs.ts';
import type { WriteTx } from '../ledger/tx.ts';
import { enrolledCount, personStanding } from '../people/standing.ts';
import { refusing, verifyEd25519 } from '../people/state.ts';

/** The form that records keep. */
export type Signed = { statement: JsonObject; signature: string; signed_in: 'page' | 'collector' };

/** Who asks, and what they signed; `personId` absent while nobody is enrolled. */
export type Signing<S> = {
  by: string;
  personId?: string;
  signedIn: 'page' | 'collector';
  statement?: S;
  /** base64 */
  signature?: string;
};

/**
 * The signature to record; undefined while nobody is enrolled. `expected`: members that the request determines; `plan`: the rules
 * of its kind. Throws signature_missing, statement_invalid, person_key_unknown, role_missing, signature_invalid.
 */
export function checkSigned<S extends { at: string }>(
  tx: WriteTx,
  signing: Signing<S>,
  expected: Partial<S>,
  plan: (said: Members, expected: Partial<S>, context: PolicyContext) => PolicyCheck,
): Signed | undefined {
  const { statement, signature, personId } = signing;
  if (statement === undefined || signature === undefined) {
    if (enrolledCount(tx.db, tx.tenantId) > 0) throw new TrailmixError('signature_missing');
    return undefined;
  }
  if (personId === undefined) throw new TrailmixError('sign_in_needed');
  const context = {
    place: { ledger_id: tx.ledgerId, tenant_id: tx.tenantId },
    signerOf: (id: string) => personStanding(tx.db, tx.tenantId, id),
  };
  const check = refusing(() => plan({ statement, signature }, { ...expected, by: personId }, context));
  if (Math.abs(tsMicros(check.at) - tsMicros(tx.receivedAt())) > POLICY_CLOCK_US) {
    const message = "statement.at must be within 10 minutes of the collector's clock";
    throw new TrailmixError('statement_invalid', { where: '/statement/at', message });
  }
  if (!verifyEd25519(check.publicKey, check.message, check.signature))
    throw new TrailmixError('signature_invalid');
  return { statement: { ...statement } as unknown as JsonObject, signature, signed_in: signing.signedIn };
}
