/**
 * Signed statements on policies, as the writer checks them: whose key, which members, which bytes. Rules: once somebody is enrolled
 * nothing is taken unsigned; the signer is the signed-in person, with their key in force. Spec: docs/spec/policy.md, "Statement".
 */
import { createPublicKey, verify } from 'node:crypto';
import { TrailmixError } from '../../core/api/errors.ts';
import { tsMicros, validTs } from '../../core/event/time.ts';
import { BytesError, fromBase64 } from '../../core/proof/bytes.ts';
import type { JsonObject } from '../../core/proof/jcs.ts';
import type { WriteTx } from '../ledger/tx.ts';
import { enrolledCount, personStanding } from '../people/standing.ts';

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

const CLOCK_US = 10 * 60 * 1_000_000;
/** DER of a SubjectPublicKeyInfo for Ed25519, up to the 32 bytes of the key (RFC 8410). */
const SPKI_ED25519 = Buffer.from('302a300506032b6570032100', 'hex');

const invalid = (member: string, message: string): TrailmixError =>
  new TrailmixError('statement_invalid', { where: `/statement/${member}`, message });

/**
 * The signature to record; undefined while nobody is enrolled. `expected`: members that the request determines.
 * Throws signature_missing, statement_invalid, person_key_unknown, signature_invalid.
 */
export function checkSigned<S extends { at: string; by: string; by_key_id: string }>(
  tx: WriteTx,
  signing: Signing<S>,
  expected: Partial<S>,
  message: (statement: S) => Uint8Array,
): Signed | undefined {
  const { statement, signature, personId } = signing;
  if (statement === undefined || signature === undefined) {
    if (enrolledCount(tx.db, tx.tenantId) > 0) throw new TrailmixError('signature_missing');
    return undefined;
  }
  if (personId === undefined) throw new TrailmixError('sign_in_needed');
  const wanted = { ...expected, by: personId, ledger_id: tx.ledgerId, tenant_id: tx.tenantId };
  for (const [name, value] of Object.entries(wanted)) {
    if ((statement as Record<string, unknown>)[name] !== value)
      throw invalid(name, `statement.${name} must be ${JSON.stringify(value)}`);
  }
  checkTime(statement.at, tx.receivedAt());
  const person = personStanding(tx.db, tx.tenantId, personId);
  if (person?.state !== 'active' || person.publicKey === undefined || person.keyId !== statement.by_key_id)
    throw new TrailmixError('person_key_unknown');
  if (!verifies(person.publicKey, message(statement), signature))
    throw new TrailmixError('signature_invalid');
  return { statement: { ...statement } as unknown as JsonObject, signature, signed_in: signing.signedIn };
}

function checkTime(at: string, now: string): void {
  if (!validTs(at)) throw invalid('at', 'statement.at must be a UTC time');
  if (Math.abs(tsMicros(at) - tsMicros(now)) > CLOCK_US)
    throw invalid('at', "statement.at must be within 10 minutes of the collector's clock");
}

function verifies(publicKey: Uint8Array, message: Uint8Array, signature: string): boolean {
  let bytes: Uint8Array;
  try {
    bytes = fromBase64(signature);
  } catch (error) {
    if (error instanceof BytesError) return false;
    throw error;
  }
  const key = createPublicKey({ key: Buffer.concat([SPKI_ED25519, publicKey]), format: 'der', type: 'spki' });
  return bytes.length === 64 && verify(null, message, key, bytes);
}
