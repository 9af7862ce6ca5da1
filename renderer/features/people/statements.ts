/**
 * What an admin, a new person and one who delegates sign, made of what the page shows (docs/spec/people.md, "Statement"). Pure:
 * the time, the ledger and the signer are arguments.
 */
import type { PersonView } from '../../../core/api/views.ts';
import type { DelegationStatement, PersonAct, PersonStatement } from '../../../core/proof/person.ts';

export type Signing = {
  ledger_id: string;
  tenant_id: string;
  /** Who signs: their sign-in name and their key. */
  by: string;
  by_key_id: string;
  /** Milliseconds since 1970. */
  now: number;
};

/** Times have the form of `received_at`: six digits. */
export const statementTime = (now: number): string => new Date(now).toISOString().replace('Z', '000Z');

/** The statement on a person as they will be after the act. The key is theirs after it; for `leave` the one that ends. */
export function personStatement(
  act: PersonAct,
  after: Pick<PersonView, 'id' | 'name' | 'roles' | 'aliases'> & { key_id: string; public_key: string },
  signing: Signing,
): PersonStatement {
  return {
    act,
    aliases: [...new Set(after.aliases)].sort(),
    at: statementTime(signing.now),
    by: signing.by,
    by_key_id: signing.by_key_id,
    key_id: after.key_id,
    ledger_id: signing.ledger_id,
    name: after.name,
    person_id: after.id,
    public_key: after.public_key,
    roles: [...new Set(after.roles)].sort(),
    tenant_id: signing.tenant_id,
  };
}

export function delegationStatement(
  given: { to: string; roles: readonly string[]; starts: number; ends: number; reason: string; id: string },
  signing: Signing,
): DelegationStatement {
  return {
    at: statementTime(signing.now),
    by_key_id: signing.by_key_id,
    delegation_id: given.id,
    ends_at: statementTime(given.ends),
    from: signing.by,
    ledger_id: signing.ledger_id,
    reason: given.reason,
    roles: [...new Set(given.roles)].sort(),
    starts_at: statementTime(given.starts),
    tenant_id: signing.tenant_id,
    to: given.to,
  };
}
