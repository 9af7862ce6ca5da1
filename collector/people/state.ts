/** What the rules on people (core/pack/person_rules.ts) ask of the past, answered from the rows in the writer. */

import { verify as verifySignature } from 'node:crypto';
import type Database from 'better-sqlite3';
import { TrailmixError } from '../../core/api/errors.ts';
import { wrongSignature } from '../../core/pack/people.ts';
import { PersonFault } from '../../core/pack/person_form.ts';
import type { PeopleState, SignatureCheck } from '../../core/pack/person_rules.ts';
import { adminCount, personStanding } from './standing.ts';

export function peopleState(db: Database.Database, tenantId: string): PeopleState {
  const one = <T>(sql: string, ...parameters: unknown[]): T | undefined =>
    db.prepare(sql).get(...parameters) as T | undefined;
  return {
    get begun() {
      return one('SELECT 1 FROM person_key WHERE tenant_id = ? LIMIT 1', tenantId) !== undefined;
    },
    person(id) {
      const standing = personStanding(db, tenantId, id);
      if (standing === undefined || (standing.state !== 'active' && standing.state !== 'left'))
        return undefined;
      const row = one<{ statement_at: string }>(
        'SELECT statement_at FROM person WHERE tenant_id = ? AND id = ?',
        tenantId,
        id,
      );
      const { name, roles, aliases, state, keyId, publicKey } = standing;
      return { name, roles, aliases, state, keyId: keyId!, publicKey: publicKey!, at: row!.statement_at };
    },
    keyUsed: keyId =>
      one('SELECT 1 FROM person_key WHERE tenant_id = ? AND key_id = ?', tenantId, keyId) !== undefined,
    admins: () => adminCount(db, tenantId),
    delegation(id) {
      const row = one<{ from_id: string; to_id: string; ended_at: string | null }>(
        'SELECT from_id, to_id, ended_at FROM delegation WHERE tenant_id = ? AND id = ?',
        tenantId,
        id,
      );
      return row === undefined
        ? undefined
        : { from: row.from_id, to: row.to_id, ended: row.ended_at !== null };
    },
  };
}

/** DER of an Ed25519 public key before its 32 bytes (RFC 8410). */
const SPKI = Buffer.from('302a300506032b6570032100', 'hex');

/** Whether the signature is this 32-byte Ed25519 key's over the message. A key that is no point verifies nothing. */
export function verifyEd25519(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  try {
    const key = { key: Buffer.concat([SPKI, publicKey]), format: 'der', type: 'spki' } as const;
    return verifySignature(null, message, key, signature);
  } catch {
    return false;
  }
}

/** A plan of the rules whose signatures verify. Throws what the rules refuse, as the API says it. */
export function planned<T extends { readonly checks: readonly SignatureCheck[] }>(plan: () => T): T {
  return refusing(() => {
    const made = plan();
    for (const { what, publicKey, message, signature } of made.checks) {
      if (!verifyEd25519(publicKey, message, signature)) throw wrongSignature(what);
    }
    return made;
  });
}

export function refusing<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof PersonFault)) throw error;
    const where = error.member === undefined ? {} : { where: `/statement/${error.member}` };
    throw new TrailmixError(error.code, { message: error.message, ...where });
  }
}
