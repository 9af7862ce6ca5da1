/**
 * The rules by which a record about people counts, for the collector before it writes one and for the verifier after:
 * form, what was in force, who may sign, and which signatures must verify. Spec: docs/spec/people.md, "Statement".
 * Rules: what is asked about the past comes through `PeopleState`; nothing here verifies a signature or keeps anything,
 * so that a host with synchronous signatures and one with asynchronous ones take the same steps.
 */
import { hex } from '../proof/bytes.ts';
import type { Sha256 } from '../proof/hash.ts';
import {
  BY_RECOVERY,
  type PersonAct,
  type PersonStatement,
  personMessage,
  possessionMessage,
} from '../proof/person.ts';
import {
  base64Of,
  checkPersonForm,
  fail,
  inPlace,
  membersOf,
  PersonFault,
  type Place,
  personId,
  signatureOf,
  text,
  time,
} from './person_form.ts';

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

export const EVENT_OF_ACT: Readonly<Record<PersonAct, string>> = {
  enrol: 'person.enrolled',
  change: 'person.changed',
  reset: 'person.reset',
  leave: 'person.left',
};

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
const same = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((item, i) => item === b[i]);

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
