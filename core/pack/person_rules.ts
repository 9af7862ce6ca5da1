/**
 * The rules by which a record about people counts, for the collector before it writes one and for the verifier after:
 * form, what was in force, who may sign, and which signatures must verify. Spec: docs/spec/people.md, "Statement".
 * Rules: what is asked about the past comes through `PeopleState`; nothing here verifies a signature or keeps anything,
 * so that a host with synchronous signatures and one with asynchronous ones take the same steps.
 */
import { formatMicros, tsMicros, validTs } from '../event/time.ts';
import { BytesError, fromBase64, hex, utf8Length } from '../proof/bytes.ts';
import type { Sha256 } from '../proof/hash.ts';
import {
  BY_RECOVERY,
  type DelegationStatement,
  delegationMessage,
  PERSON_ID,
  type PersonAct,
  type PersonStatement,
  personMessage,
  possessionMessage,
  ROLE,
} from '../proof/person.ts';

export type PersonFaultCode =
  | 'statement_invalid'
  | 'signature_invalid'
  | 'person_key_unknown'
  | 'person_unknown'
  | 'person_exists'
  | 'person_left'
  | 'role_missing'
  | 'last_admin'
  | 'delegation_invalid';

/** Why a record about people does not count. The codes are those of core/api/errors.ts. */
export class PersonFault extends Error {
  override name = 'PersonFault';
  readonly code: PersonFaultCode;
  /** The member that is wrong, where it is one. */
  readonly member: string | undefined;

  constructor(code: PersonFaultCode, message: string, member?: string) {
    super(message);
    this.code = code;
    this.member = member;
  }
}

/** What must verify (Ed25519, 32-byte key, 64-byte signature) before the record counts. */
export type SignatureCheck = {
  readonly what: 'statement' | 'possession' | 'delegation';
  readonly publicKey: Uint8Array;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
};

/** A person as they stand, active or left. */
export type KnownPerson = {
  readonly name: string;
  readonly roles: readonly string[];
  readonly aliases: readonly string[];
  readonly state: 'active' | 'left';
  readonly keyId: string;
  readonly publicKey: Uint8Array;
  /** `at` of the newest statement about them. */
  readonly at: string;
};

/** What came before the record in question, in this ledger and tenant. */
export interface PeopleState {
  /** Whether anybody was ever enrolled. */
  readonly begun: boolean;
  person(id: string): KnownPerson | undefined;
  /** Whether the key was ever in force, for anybody. */
  keyUsed(keyId: string): boolean;
  /** Active people with the role `admin`. */
  admins(): number;
  delegation(id: string): { readonly from: string; readonly to: string; readonly ended: boolean } | undefined;
}

export type Place = { readonly ledger_id: string; readonly tenant_id: string };

export const EVENT_OF_ACT: Readonly<Record<PersonAct, string>> = {
  enrol: 'person.enrolled',
  change: 'person.changed',
  reset: 'person.reset',
  leave: 'person.left',
};

/** Most of a delegation's life. */
const DELEGATION_DAYS = 90;
const DELEGATION_ID = /^[a-zA-Z0-9_-]{1,64}$/;
/** Sign-in names that mean something else in records. */
const RESERVED: ReadonlySet<string> = new Set([BY_RECOVERY, 'local', 'collector', 'page']);

const STATEMENT_MEMBERS = [
  'act',
  'aliases',
  'at',
  'by',
  'by_key_id',
  'key_id',
  'ledger_id',
  'name',
  'person_id',
  'public_key',
  'roles',
  'tenant_id',
] as const;
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

type Members = { readonly [member: string]: unknown };

function fail(member: string, message: string): never {
  throw new PersonFault('statement_invalid', `${member}: ${message}`, member);
}

function membersOf(value: unknown, required: readonly string[], optional: readonly string[]): Members {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new PersonFault('statement_invalid', 'the statement is not an object');
  }
  for (const member of required) if (!Object.hasOwn(value, member)) fail(member, 'is missing');
  for (const member of Object.keys(value)) {
    if (!required.includes(member) && !optional.includes(member)) fail(member, 'is not a member');
  }
  return value as Members;
}

function text(members: Members, member: string, least: number, most: number): string {
  const value = members[member];
  if (typeof value !== 'string' || !value.isWellFormed()) return fail(member, 'must be a text');
  const bytes = utf8Length(value);
  if (bytes < least || bytes > most) return fail(member, `must have ${least} to ${most} bytes`);
  return value;
}

/** A time in the one form of received_at, so that times compare as texts. */
function time(members: Members, member: string): string {
  const value = members[member];
  if (typeof value !== 'string' || value.length !== 27 || !validTs(value)) {
    return fail(member, 'must be a time with six digits');
  }
  return value;
}

function list(members: Members, member: string, least: number, most: number): readonly string[] {
  const value = members[member];
  if (!Array.isArray(value) || value.some(item => typeof item !== 'string' || !item.isWellFormed())) {
    return fail(member, 'must be a list of texts');
  }
  const items = value as string[];
  if (items.length < least || items.length > most)
    return fail(member, `must have ${least} to ${most} entries`);
  if (items.some((item, i) => i > 0 && items[i - 1]! >= item))
    return fail(member, 'must be sorted, without repeats');
  return items;
}

const rolesOf = (members: Members, least: number): readonly string[] => {
  const roles = list(members, 'roles', least, 16);
  return roles.every(role => ROLE.test(role)) ? roles : fail('roles', `must each match ${ROLE.source}`);
};

function personId(members: Members, member: string): string {
  const id = members[member];
  if (typeof id !== 'string' || !PERSON_ID.test(id) || RESERVED.has(id)) {
    return fail(member, `must match ${PERSON_ID.source} and be no reserved word`);
  }
  return id;
}

function base64Of(value: unknown, bytes: number): Uint8Array | undefined {
  if (typeof value !== 'string') return undefined;
  try {
    const found = fromBase64(value);
    return found.length === bytes ? found : undefined;
  } catch (error) {
    if (error instanceof BytesError) return undefined;
    throw error;
  }
}

function signatureOf(members: Members, member: string): Uint8Array {
  const found = base64Of(members[member], 64);
  if (found === undefined)
    throw new PersonFault('signature_invalid', `${member}: must be base64 of 64 bytes`, member);
  return found;
}

function inPlace(members: Members, place: Place): void {
  if (members.ledger_id !== place.ledger_id) fail('ledger_id', 'is of another ledger');
  if (members.tenant_id !== place.tenant_id) fail('tenant_id', 'is of another tenant');
}

const same = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((item, i) => item === b[i]);

/** What a statement says of a person. */
export type PersonForm = Pick<PersonStatement, 'person_id' | 'name' | 'roles' | 'aliases'>;

/** The members of that name, in their form. Throws PersonFault. */
export function checkPersonForm(members: Members | PersonForm): PersonForm {
  const given = members as Members;
  const aliases = list(given, 'aliases', 0, 8);
  if (aliases.some(alias => alias === '' || utf8Length(alias) > 256)) {
    fail('aliases', 'must each have 1 to 256 bytes');
  }
  return {
    person_id: personId(given, 'person_id'),
    name: text(given, 'name', 1, 256),
    roles: rolesOf(given, 1),
    aliases,
  };
}

export type PersonPlan = {
  readonly statement: PersonStatement;
  readonly publicKey: Uint8Array;
  readonly possession: string | undefined;
  readonly signature: string;
  /** The first one ever: its key is the root of people. */
  readonly first: boolean;
  /** Allowed by the recovery phrase, signed by nobody. */
  readonly recovered: boolean;
  readonly checks: readonly SignatureCheck[];
};

/**
 * `person` of person.enrolled, .changed, .reset or .left: statement members, signature, and possession for a new key.
 * Answers what the record says, once `checks` verify. Throws PersonFault.
 */
export function planPerson(
  state: PeopleState,
  place: Place,
  sha256: Sha256,
  eventType: string,
  person: unknown,
): PersonPlan {
  const members = membersOf(person, [...STATEMENT_MEMBERS, 'signature'], ['possession']);
  const act = members.act as PersonAct;
  if (typeof act !== 'string' || !Object.hasOwn(EVENT_OF_ACT, act)) fail('act', 'is not known');
  if (EVENT_OF_ACT[act] !== eventType) fail('act', `does not belong into ${eventType}`);
  inPlace(members, place);
  const form = checkPersonForm(members);
  const recovered = members.by === BY_RECOVERY;
  const by = recovered ? BY_RECOVERY : personId(members, 'by');
  const publicKey = base64Of(members.public_key, 32);
  if (publicKey === undefined) return fail('public_key', 'must be base64 of 32 bytes');
  if (members.key_id !== hex(sha256(publicKey))) fail('key_id', 'is not the hash of the public key');
  const statement: PersonStatement = {
    act,
    ...form,
    at: time(members, 'at'),
    by,
    by_key_id: text(members, 'by_key_id', 0, 64),
    key_id: members.key_id as string,
    ledger_id: place.ledger_id,
    public_key: members.public_key as string,
    tenant_id: place.tenant_id,
  };

  const newKey = act === 'enrol' || act === 'reset';
  if (newKey !== Object.hasOwn(members, 'possession')) {
    fail('possession', newKey ? 'is missing' : 'is for a new key alone');
  }
  checkAct(state, statement, recovered);

  const first = !state.begun;
  const checks: SignatureCheck[] = [];
  if (recovered) {
    if (statement.by_key_id !== '' || members.signature !== '') fail('by', 'a recovery is signed by nobody');
  } else {
    const signer = first ? publicKey : signerOf(state, statement);
    const signature = signatureOf(members, 'signature');
    checks.push({ what: 'statement', publicKey: signer, message: personMessage(statement), signature });
  }
  if (newKey) {
    const signature = signatureOf(members, 'possession');
    checks.push({ what: 'possession', publicKey, message: possessionMessage(statement), signature });
  }
  return {
    statement,
    publicKey,
    possession: newKey ? (members.possession as string) : undefined,
    signature: members.signature as string,
    first,
    recovered,
    checks,
  };
}

/** What the act asks of the past: rules 1, 3, 4, 5 and 7. */
function checkAct(state: PeopleState, statement: PersonStatement, recovered: boolean): void {
  const { act, person_id: id, roles, key_id } = statement;
  const known = state.person(id);
  if (recovered && act !== 'reset') fail('act', 'a recovery is a reset');
  if (!state.begun) {
    if (act !== 'enrol') throw new PersonFault('person_unknown', 'nobody is enrolled yet', 'person_id');
    if (statement.by !== id || statement.by_key_id !== key_id) {
      fail('by', 'the first person enrols by their own key');
    }
    if (!roles.includes('admin')) fail('roles', 'the first person is an admin');
  }
  if (act === 'enrol') {
    if (known !== undefined) throw new PersonFault('person_exists', `${id} was given already`, 'person_id');
  } else {
    if (known === undefined) throw new PersonFault('person_unknown', `${id} is not enrolled`, 'person_id');
    if (known.state === 'left') throw new PersonFault('person_left', `${id} has left`, 'person_id');
    if (statement.at <= known.at) fail('at', 'is not after the statement before it');
  }
  if (act === 'enrol' || act === 'reset') {
    if (state.keyUsed(key_id)) {
      throw new PersonFault('person_key_unknown', 'this key was in force before', 'public_key');
    }
  } else if (known !== undefined && known.keyId !== key_id) {
    throw new PersonFault('person_key_unknown', `the key is not the one in force for ${id}`, 'key_id');
  }
  if ((act === 'reset' || act === 'leave') && known !== undefined) {
    const equal =
      known.name === statement.name && same(known.roles, roles) && same(known.aliases, statement.aliases);
    if (!equal) fail('roles', `a ${act} changes neither name, roles nor aliases`);
  }
  const losesAdmin = act === 'leave' || (act === 'change' && !roles.includes('admin'));
  if (losesAdmin && known?.roles.includes('admin') === true && state.admins() === 1) {
    throw new PersonFault('last_admin', `${id} is the last admin`, 'person_id');
  }
}

/** The key of the admin who signs, as it stands before the record: rule 2. */
function signerOf(state: PeopleState, { by, by_key_id }: PersonStatement): Uint8Array {
  const signer = state.person(by);
  if (signer === undefined || signer.state !== 'active' || signer.keyId !== by_key_id) {
    throw new PersonFault('person_key_unknown', `the key is not in force for ${by}`, 'by_key_id');
  }
  if (!signer.roles.includes('admin')) throw new PersonFault('role_missing', `${by} is no admin`, 'by');
  return signer.publicKey;
}

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
