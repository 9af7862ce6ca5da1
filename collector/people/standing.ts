/**
 * Who stands how in a ledger and tenant right now: the person with their key and roles, how many approvers there are,
 * what was delegated. SQL alone, on any connection: a writer command that asks here sees what its own group has
 * changed. Meaning: docs/spec/people.md.
 */
import type Database from 'better-sqlite3';
import { statement } from '../ledger/statements.ts';

export type PersonState = 'invited' | 'pending' | 'active' | 'left';

export type Standing = {
  readonly id: string;
  readonly name: string;
  /** Sorted. */
  readonly roles: readonly string[];
  readonly aliases: readonly string[];
  /** The key in force; of a person who left, the one that ended. Absent before the enrolment. */
  readonly keyId?: string;
  /** 32 bytes. */
  readonly publicKey?: Uint8Array;
  /** seq of the record that enrolled the key: it is in force for what comes after. */
  readonly keySince?: number;
  /** Only `active` is able to answer. */
  readonly state: PersonState;
};

export type DelegatedRoles = {
  readonly id: string;
  readonly from: string;
  /** Those delegated that `from` still has. */
  readonly roles: readonly string[];
  readonly fromAliases: readonly string[];
};

const PERSON = `SELECT p.id, p.name, p.roles, p.aliases, p.state, p.key_id, k.public_key, k.from_seq
  FROM person p LEFT JOIN person_key k ON k.tenant_id = p.tenant_id AND k.key_id = p.key_id
  WHERE p.tenant_id = ? AND p.id = ?`;

type PersonRow = {
  id: string;
  name: string;
  roles: string;
  aliases: string;
  state: PersonState;
  key_id: string | null;
  public_key: Uint8Array | null;
  from_seq: number | null;
};

export function personStanding(
  db: Database.Database,
  tenantId: string,
  personId: string,
): Standing | undefined {
  const row = statement(db, PERSON).get(tenantId, personId) as PersonRow | undefined;
  if (row === undefined) return undefined;
  return {
    id: row.id,
    name: row.name,
    roles: JSON.parse(row.roles) as string[],
    aliases: JSON.parse(row.aliases) as string[],
    state: row.state,
    ...(row.key_id === null ? {} : { keyId: row.key_id }),
    ...(row.public_key === null ? {} : { publicKey: new Uint8Array(row.public_key) }),
    ...(row.from_seq === null ? {} : { keySince: row.from_seq }),
  };
}

/** Active people with the role. */
const WITH_ROLE = `SELECT count(*) AS count FROM person p
  WHERE p.tenant_id = ? AND p.state = 'active' AND EXISTS (SELECT 1 FROM json_each(p.roles) WHERE value = ?)`;

const countWithRole = (db: Database.Database, tenantId: string, role: string): number =>
  (statement(db, WITH_ROLE).get(tenantId, role) as { count: number }).count;

/** Active people with the role `approver`: from two on, four-eyes is in force. */
export const approverCount = (db: Database.Database, tenantId: string): number =>
  countWithRole(db, tenantId, 'approver');

export const adminCount = (db: Database.Database, tenantId: string): number =>
  countWithRole(db, tenantId, 'admin');

/** Whether an active person other than these has the role. */
export function hasAnotherWithRole(
  db: Database.Database,
  tenantId: string,
  role: string,
  than: readonly string[],
): boolean {
  const sql = `${WITH_ROLE} AND p.id NOT IN (SELECT value FROM json_each(?))`;
  const { count } = statement(db, sql).get(tenantId, role, JSON.stringify(than)) as { count: number };
  return count > 0;
}

/** Active people; while there are none, nobody has to sign in. */
export function enrolledCount(db: Database.Database, tenantId: string): number {
  const sql = `SELECT count(*) AS count FROM person WHERE tenant_id = ? AND state = 'active'`;
  return (statement(db, sql).get(tenantId) as { count: number }).count;
}

const DELEGATED = `SELECT d.id, d.from_id, d.roles, p.roles AS own, p.aliases
  FROM delegation d JOIN person p ON p.tenant_id = d.tenant_id AND p.id = d.from_id
  WHERE d.tenant_id = ? AND d.to_id = ? AND d.ended_at IS NULL AND d.starts_at <= ? AND d.ends_at > ? AND p.state = 'active'
  ORDER BY d.seq`;

/** What others have delegated to this person and is in force at `at` (the form of received_at). */
export function delegationsTo(
  db: Database.Database,
  tenantId: string,
  personId: string,
  at: string,
): DelegatedRoles[] {
  const rows = statement(db, DELEGATED).all(tenantId, personId, at, at) as {
    id: string;
    from_id: string;
    roles: string;
    own: string;
    aliases: string;
  }[];
  return rows.map(row => {
    const own = new Set(JSON.parse(row.own) as string[]);
    return {
      id: row.id,
      from: row.from_id,
      roles: (JSON.parse(row.roles) as string[]).filter(role => own.has(role)),
      fromAliases: JSON.parse(row.aliases) as string[],
    };
  });
}
