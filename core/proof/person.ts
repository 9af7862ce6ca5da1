/**
 * What is signed about people: an admin's statement on a person, the proof that a person holds a key, a delegation.
 * Format: docs/spec/people.md. Rules: nothing here reads a clock or holds a key; the messages are exact bytes.
 */
import { utf8 } from './bytes.ts';
import { PREFIX } from './hash.ts';
import { jcs } from './jcs.ts';

export type PersonAct = 'enrol' | 'change' | 'reset' | 'leave';

/** Signed by an admin. `roles` and `aliases` are sorted; `public_key` is base64 of 32 bytes. */
export interface PersonStatement {
  readonly act: PersonAct;
  readonly aliases: readonly string[];
  readonly at: string;
  readonly by: string;
  readonly by_key_id: string;
  readonly key_id: string;
  readonly ledger_id: string;
  readonly name: string;
  readonly person_id: string;
  readonly public_key: string;
  readonly roles: readonly string[];
  readonly tenant_id: string;
}

/** Signed by the one who delegates. Times have the form of `received_at`. */
export interface DelegationStatement {
  readonly at: string;
  readonly by_key_id: string;
  readonly delegation_id: string;
  readonly ends_at: string;
  readonly from: string;
  readonly ledger_id: string;
  readonly reason: string;
  readonly roles: readonly string[];
  readonly starts_at: string;
  readonly tenant_id: string;
  readonly to: string;
}

export const PERSON_ID = /^[a-z0-9][a-z0-9._@-]{0,63}$/;
export const ROLE = /^[a-z][a-z0-9_-]{0,63}$/;
/** `by` of a reset that the recovery phrase allowed. */
export const BY_RECOVERY = 'recovery';

/** The bytes that an admin signs. */
export function personMessage(statement: PersonStatement): Uint8Array {
  const {
    act,
    aliases,
    at,
    by,
    by_key_id,
    key_id,
    ledger_id,
    name,
    person_id,
    public_key,
    roles,
    tenant_id,
  } = statement;
  return utf8(
    PREFIX.person +
      jcs({
        act,
        aliases: [...aliases],
        at,
        by,
        by_key_id,
        key_id,
        ledger_id,
        name,
        person_id,
        public_key,
        roles: [...roles],
        tenant_id,
      }),
  );
}

/** The bytes that a new key signs to show that its owner holds it. */
export function possessionMessage(parts: {
  readonly ledger_id: string;
  readonly tenant_id: string;
  readonly person_id: string;
  readonly public_key: string;
}): Uint8Array {
  const { ledger_id, tenant_id, person_id, public_key } = parts;
  return utf8(PREFIX.possession + jcs({ ledger_id, person_id, public_key, tenant_id }));
}

/** The bytes that the one who delegates signs. */
export function delegationMessage(statement: DelegationStatement): Uint8Array {
  const { at, by_key_id, delegation_id, ends_at, from, ledger_id, reason, roles, starts_at, tenant_id, to } =
    statement;
  return utf8(
    PREFIX.delegation +
      jcs({
        at,
        by_key_id,
        delegation_id,
        ends_at,
        from,
        ledger_id,
        reason,
        roles: [...roles],
        starts_at,
        tenant_id,
        to,
      }),
  );
}
