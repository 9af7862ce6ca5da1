/** The rules by which a delegation and its end count. Spec: docs/spec/people.md, "Delegation". */
import { formatMicros, tsMicros } from '../event/time.ts';
import { type DelegationStatement, delegationMessage } from '../proof/person.ts';
import {
  fail,
  inPlace,
  membersOf,
  PersonFault,
  type Place,
  personId,
  rolesOf,
  signatureOf,
  text,
  time,
} from './person_form.ts';
import type { PeopleState, SignatureCheck } from './person_rules.ts';

/** Most of a delegation's life. */
const DELEGATION_DAYS = 90;
const DELEGATION_ID = /^[a-zA-Z0-9_-]{1,64}$/;
const DELEGATION_MEMBERS = [
  'at',
  'by_key_id',
  'delegation_id',
  'ends_at',
  'from',
  'ledger_id',
  'reason',
  'roles',
  'starts_at',
  'tenant_id',
  'to',
] as const;

export type DelegationPlan = {
  readonly statement: DelegationStatement;
  readonly signature: string;
  readonly checks: readonly SignatureCheck[];
};

/** `delegation` of person.delegated: statement members and signature. Throws PersonFault. */
export function planDelegation(state: PeopleState, place: Place, delegation: unknown): DelegationPlan {
  const members = membersOf(delegation, [...DELEGATION_MEMBERS, 'signature'], []);
  inPlace(members, place);
  const id = members.delegation_id;
  if (typeof id !== 'string' || !DELEGATION_ID.test(id)) {
    return fail('delegation_id', `must match ${DELEGATION_ID.source}`);
  }
  const statement: DelegationStatement = {
    at: time(members, 'at'),
    by_key_id: text(members, 'by_key_id', 64, 64),
    delegation_id: id,
    ends_at: time(members, 'ends_at'),
    from: personId(members, 'from'),
    ledger_id: place.ledger_id,
    reason: text(members, 'reason', 0, 2000),
    roles: rolesOf(members, 1),
    starts_at: time(members, 'starts_at'),
    tenant_id: place.tenant_id,
    to: personId(members, 'to'),
  };
  const from = state.person(statement.from);
  const to = state.person(statement.to);
  const refuse = (member: string, message: string): never => {
    throw new PersonFault('delegation_invalid', `${member}: ${message}`, member);
  };
  if (from === undefined || from.state !== 'active' || from.keyId !== statement.by_key_id) {
    throw new PersonFault('person_key_unknown', `the key is not in force for ${statement.from}`, 'by_key_id');
  }
  if (to === undefined) throw new PersonFault('person_unknown', `${statement.to} is not enrolled`, 'to');
  if (statement.from === statement.to) refuse('to', 'is the one who delegates');
  if (to.state !== 'active' || !to.roles.includes('approver')) refuse('to', 'is no approver');
  if (!statement.roles.every(role => from.roles.includes(role))) refuse('roles', 'are not all their own');
  if (statement.ends_at <= statement.starts_at || statement.ends_at <= statement.at) {
    refuse('ends_at', 'is not after the beginning');
  }
  if (statement.ends_at > plusDays(statement.starts_at, DELEGATION_DAYS)) {
    refuse('ends_at', `is more than ${DELEGATION_DAYS} days after the beginning`);
  }
  if (state.delegation(id) !== undefined) refuse('delegation_id', 'was used already');
  const signature = signatureOf(members, 'signature');
  const check = { publicKey: from.publicKey, message: delegationMessage(statement), signature };
  return {
    statement,
    signature: members.signature as string,
    checks: [{ what: 'delegation', ...check }],
  };
}

/** `delegation` of person.delegation_ended: {delegation_id, by}. Who made it, who has it, or an admin. Throws PersonFault. */
export function planDelegationEnd(state: PeopleState, delegation: unknown): { id: string; by: string } {
  const members = membersOf(delegation, ['by', 'delegation_id'], []);
  const id = text(members, 'delegation_id', 1, 64);
  const by = personId(members, 'by');
  const known = state.delegation(id);
  if (known === undefined) throw new PersonFault('delegation_invalid', 'no such delegation', 'delegation_id');
  if (known.ended) throw new PersonFault('delegation_invalid', 'the delegation has ended', 'delegation_id');
  const who = state.person(by);
  const may = by === known.from || by === known.to || who?.roles.includes('admin') === true;
  if (who === undefined || who.state !== 'active' || !may) {
    throw new PersonFault('role_missing', `${by} may not end this delegation`, 'by');
  }
  return { id, by };
}

const plusDays = (at: string, days: number): string => formatMicros(tsMicros(at) + days * 86_400_000_000);
