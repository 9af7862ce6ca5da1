/**
 * The form of what is said about people: members, texts, times, lists, keys and signatures. Whatever is wrong is a PersonFault
 * that names the member. Spec: docs/spec/people.md, "A person" and "Statement".
 */
import { validTs } from '../event/time.ts';
import { BytesError, fromBase64, utf8Length } from '../proof/bytes.ts';
import { BY_RECOVERY, PERSON_ID, type PersonStatement, ROLE } from '../proof/person.ts';

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

export type Place = { readonly ledger_id: string; readonly tenant_id: string };

/** Sign-in names that mean something else in records. */
const RESERVED: ReadonlySet<string> = new Set([BY_RECOVERY, 'local', 'collector', 'page']);

export type Members = { readonly [member: string]: unknown };

export function fail(member: string, message: string): never {
  throw new PersonFault('statement_invalid', `${member}: ${message}`, member);
}

export function membersOf(value: unknown, required: readonly string[], optional: readonly string[]): Members {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new PersonFault('statement_invalid', 'the statement is not an object');
  }
  for (const member of required) if (!Object.hasOwn(value, member)) fail(member, 'is missing');
  for (const member of Object.keys(value)) {
    if (!required.includes(member) && !optional.includes(member)) fail(member, 'is not a member');
  }
  return value as Members;
}

export function text(members: Members, member: string, least: number, most: number): string {
  const value = members[member];
  if (typeof value !== 'string' || !value.isWellFormed()) return fail(member, 'must be a text');
  const bytes = utf8Length(value);
  if (bytes < least || bytes > most) return fail(member, `must have ${least} to ${most} bytes`);
  return value;
}

/** A time in the one form of received_at, so that times compare as texts. */
export function time(members: Members, member: string): string {
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

export const rolesOf = (members: Members, least: number): readonly string[] => {
  const roles = list(members, 'roles', least, 16);
  return roles.every(role => ROLE.test(role)) ? roles : fail('roles', `must each match ${ROLE.source}`);
};

export function personId(members: Members, member: string): string {
  const id = members[member];
  if (typeof id !== 'string' || !PERSON_ID.test(id) || RESERVED.has(id)) {
    return fail(member, `must match ${PERSON_ID.source} and be no reserved word`);
  }
  return id;
}

export function base64Of(value: unknown, bytes: number): Uint8Array | undefined {
  if (typeof value !== 'string') return undefined;
  try {
    const found = fromBase64(value);
    return found.length === bytes ? found : undefined;
  } catch (error) {
    if (error instanceof BytesError) return undefined;
    throw error;
  }
}

export function signatureOf(members: Members, member: string): Uint8Array {
  const found = base64Of(members[member], 64);
  if (found === undefined)
    throw new PersonFault('signature_invalid', `${member}: must be base64 of 64 bytes`, member);
  return found;
}

export function inPlace(members: Members, place: Place): void {
  if (members.ledger_id !== place.ledger_id) fail('ledger_id', 'is of another ledger');
  if (members.tenant_id !== place.tenant_id) fail('tenant_id', 'is of another tenant');
}

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
