/** How people and delegations are read: SQL for any connection, and the views of core/api. No secret is selected but by SELECT_SECRET. */
import type { DelegationView, PersonView, SignInKdf } from '../../core/api/views.ts';
import { base64 } from '../../core/proof/bytes.ts';
import type { PersonState } from './standing.ts';

export type PersonRow = {
  id: string;
  name: string;
  roles: string;
  aliases: string;
  state: PersonState;
  key_id: string | null;
  public_key: Uint8Array | null;
  enrolled_at: string | null;
  enrolled_by: string | null;
  left_at: string | null;
  last_sign_in_at: string | null;
  failures: number;
  locked_until: string | null;
  new_key_id: string | null;
  new_public_key: Uint8Array | null;
  possession: string | null;
  invite_expires_at: string | null;
};

const SELECT = `SELECT p.id, p.name, p.roles, p.aliases, p.state, p.key_id, k.public_key, p.enrolled_at, p.enrolled_by,
    p.left_at, p.last_sign_in_at, p.failures, p.locked_until, s.key_id AS new_key_id, s.public_key AS new_public_key,
    s.possession, i.expires_at AS invite_expires_at
  FROM person p
  LEFT JOIN person_key k ON k.tenant_id = p.tenant_id AND k.key_id = p.key_id
  LEFT JOIN person_secret s ON s.tenant_id = p.tenant_id AND s.person_id = p.id AND s.pending = 1
  LEFT JOIN person_invitation i ON i.tenant_id = p.tenant_id AND i.person_id = p.id
  WHERE p.tenant_id = $tenant`;

/** Parameters: tenant, id. */
export const SELECT_PERSON = `${SELECT} AND p.id = $id`;

/** Of the key in force of an active person. Parameters: tenant, id. */
const SELECT_SECRET = `SELECT s.key_id, s.kdf, s.auth_hash, s.wrapped_key_sealed
  FROM person_secret s JOIN person p ON p.tenant_id = s.tenant_id AND p.id = s.person_id
  WHERE s.tenant_id = $tenant AND s.person_id = $id AND s.pending = 0 AND p.state = 'active'`;

export type SecretRow = {
  key_id: string;
  kdf: string;
  auth_hash: Uint8Array;
  wrapped_key_sealed: Uint8Array;
};

export type InvitationRow = {
  person_id: string;
  kind: 'enrol' | 'reset' | 'recovery';
  invited_by: string;
  expires_at: string;
};

/** Parameters: tenant, token (SHA-256). */
export const SELECT_INVITATION = `SELECT person_id, kind, invited_by, expires_at FROM person_invitation
  WHERE tenant_id = $tenant AND token_hash = $token`;

const SELECT_DELEGATION = `SELECT d.id, d.from_id, d.to_id, d.roles, d.starts_at, d.ends_at, d.reason, d.ended_at,
    f.state = 'active' AND t.state = 'active' AS stands
  FROM delegation d
  JOIN person f ON f.tenant_id = d.tenant_id AND f.id = d.from_id
  JOIN person t ON t.tenant_id = d.tenant_id AND t.id = d.to_id
  WHERE d.tenant_id = $tenant`;

/** Parameters: tenant, id. */
export const SELECT_ONE_DELEGATION = `${SELECT_DELEGATION} AND d.id = $id`;

export type DelegationRow = {
  id: string;
  from_id: string;
  to_id: string;
  roles: string;
  starts_at: string;
  ends_at: string;
  reason: string;
  ended_at: string | null;
  stands: number;
};

const SIGN_INS = `FROM record r JOIN app a ON a.app = r.app
  WHERE a.tenant_id = $tenant AND a.app_id = '_ledger' AND r.event_type >= 'person.' AND r.event_type < 'person/'
    AND r.event_type IN ('person.signed_in', 'person.signed_out', 'person.session_ended', 'person.sign_in_failed',
      'person.locked', 'person.secret_changed')
    AND json_extract(r.body, '$.person.person_id') = $id`;

/** Named queries for ReadLedger.query: the reader thread registers them as they are. */
export const peopleQueries = {
  'people.page': `${SELECT} AND p.id > $after ORDER BY p.id LIMIT $limit`,
  'people.count': `SELECT count(*) AS total, coalesce(sum(state = 'active'), 0) AS enrolled,
    coalesce(sum(state = 'active' AND EXISTS (SELECT 1 FROM json_each(roles) WHERE value = 'approver')), 0) AS approvers
    FROM person WHERE tenant_id = $tenant`,
  'people.one': SELECT_PERSON,
  'people.secret': SELECT_SECRET,
  'people.failures': `SELECT id, failures, locked_until FROM person WHERE tenant_id = $tenant AND failures > 0`,
  'people.sessions': 'SELECT id, person_id FROM person_session WHERE tenant_id = $tenant',
  'people.root': `SELECT key_id, public_key FROM person_key WHERE tenant_id = $tenant ORDER BY from_seq LIMIT 1`,
  'people.invitation': SELECT_INVITATION,
  'people.delegations': `${SELECT_DELEGATION} AND ($person IS NULL OR d.from_id = $person OR d.to_id = $person)
    AND d.seq < $before ORDER BY d.seq DESC LIMIT $limit`,
  'people.delegations.seq': `SELECT seq FROM delegation WHERE tenant_id = $tenant AND id = $id`,
  'people.delegations.count': `SELECT count(*) AS total FROM delegation
    WHERE tenant_id = $tenant AND ($person IS NULL OR from_id = $person OR to_id = $person)`,
  'people.sign_ins': `SELECT r.seq, r.event_type, r.received_us, r.body ${SIGN_INS}
    AND r.seq < $before ORDER BY r.seq DESC LIMIT $limit`,
  'people.sign_ins.count': `SELECT count(*) AS total ${SIGN_INS}`,
} as const;

/** Of a person whose new key waits for an admin, the key is the new one. */
export function personView(row: PersonRow, now: string): PersonView {
  const keyId = row.new_key_id ?? row.key_id;
  const publicKey = row.new_public_key ?? row.public_key;
  const resetting = row.state === 'active' && (row.invite_expires_at !== null || row.new_key_id !== null);
  return {
    id: row.id,
    name: row.name,
    roles: JSON.parse(row.roles) as string[],
    aliases: JSON.parse(row.aliases) as string[],
    state: row.state,
    ...(keyId === null ? {} : { key_id: keyId }),
    ...(publicKey === null ? {} : { public_key: base64(publicKey) }),
    ...(row.possession === null ? {} : { possession: row.possession }),
    ...(row.enrolled_at === null ? {} : { enrolled_at: row.enrolled_at }),
    ...(row.enrolled_by === null ? {} : { enrolled_by: row.enrolled_by }),
    ...(row.left_at === null ? {} : { left_at: row.left_at }),
    ...(row.last_sign_in_at === null ? {} : { last_sign_in_at: row.last_sign_in_at }),
    ...(row.locked_until === null || row.locked_until <= now ? {} : { locked_until: row.locked_until }),
    ...(row.invite_expires_at === null ? {} : { invite_expires_at: row.invite_expires_at }),
    ...(resetting ? { resetting } : {}),
  };
}

/** `now` has the form of received_at. */
export function delegationView(row: DelegationRow, now: string): DelegationView {
  const ended = row.ended_at !== null || row.ends_at <= now || row.stands === 0;
  return {
    id: row.id,
    from: row.from_id,
    to: row.to_id,
    roles: JSON.parse(row.roles) as string[],
    starts_at: row.starts_at,
    ends_at: row.ends_at,
    reason: row.reason,
    state: ended ? 'ended' : row.starts_at > now ? 'planned' : 'active',
  };
}

export const kdfOf = (row: Pick<SecretRow, 'kdf'>): SignInKdf => JSON.parse(row.kdf) as SignInKdf;
