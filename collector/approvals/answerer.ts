/**
 * Who may answer an approval, and as what: own roles and delegated ones, never for one's own request. Rules of
 * docs/spec/people.md ("Alone", "Delegation") and docs/spec/gate.md ("Answers"). Runs on any connection.
 */
import type Database from 'better-sqlite3';
import { isAsker, qualifyingRoles } from '../../core/approval/answer.ts';
import {
  approverCount,
  type DelegatedRoles,
  delegationsTo,
  personStanding,
  type Standing,
} from '../people/standing.ts';

const APPROVER = 'approver';

export type Answerer = {
  readonly person: Standing;
  readonly delegations: readonly DelegatedRoles[];
  /** At least two active people have the role `approver`. */
  readonly fourEyes: boolean;
  /** This person is the only one who has it. */
  readonly alone: boolean;
};

/** Undefined for somebody who is not enrolled, or no longer. `at`: the form of received_at. */
export function answererOf(
  db: Database.Database,
  tenantId: string,
  personId: string,
  at: string,
): Answerer | undefined {
  const person = personStanding(db, tenantId, personId);
  if (person?.state !== 'active') return undefined;
  const approvers = approverCount(db, tenantId);
  return {
    person,
    delegations: delegationsTo(db, tenantId, personId, at),
    fourEyes: approvers >= 2,
    alone: approvers === 1 && person.roles.includes(APPROVER),
  };
}

export type Qualification = {
  code?: 'approval_own_request' | 'approval_role_missing';
  /** Own roles that qualify. */
  roles: string[];
  onBehalf: { person: string; delegation_id: string; roles: string[] }[];
};

export function qualificationOf(
  answerer: Answerer,
  actorId: string,
  requiredRoles: readonly string[],
): Qualification {
  const { person, delegations, alone } = answerer;
  const wanted = qualifyingRoles(requiredRoles);
  const qualify = (roles: readonly string[]) => roles.filter(role => wanted.includes(role));
  if (alone) {
    const own = qualify(person.roles);
    return { roles: own.length > 0 ? own : [APPROVER], onBehalf: [] };
  }
  if (isAsker(actorId, person)) return { code: 'approval_own_request', roles: [], onBehalf: [] };
  const roles = qualify(person.roles);
  const qualified = delegations.filter(one => qualify(one.roles).length > 0);
  const onBehalf = qualified
    .filter(one => !isAsker(actorId, { id: one.from, aliases: one.fromAliases }))
    .map(one => ({ person: one.from, delegation_id: one.id, roles: qualify(one.roles) }));
  if (roles.length > 0 || onBehalf.length > 0) return { roles, onBehalf };
  const code = qualified.length > 0 ? 'approval_own_request' : 'approval_role_missing';
  return { code, roles, onBehalf };
}
