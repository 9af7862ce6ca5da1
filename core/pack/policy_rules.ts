/**
 * The rules by which a signed statement on a policy counts, for the collector before it records one and for the verifier after:
 * form, what it must say, whose key, which role. Spec: docs/spec/policy.md, "Statement".
 * Rules: nothing here verifies a signature or keeps anything; who stood how is asked through `signerOf`.
 */
import { tsMicros } from '../event/time.ts';
import { type ImpactStatement, impactMessage, type PolicyStatement, policyMessage } from '../proof/policy.ts';
import {
  fail,
  inPlace,
  type Members,
  membersOf,
  PersonFault,
  type Place,
  personId,
  signatureOf,
  text,
  time,
} from './person_form.ts';

/** Who may save a set, put one in force and save an impact. */
export const POLICY_ROLE = 'policy_author';
/** A statement's `at` is within this of the collector's clock. */
export const POLICY_CLOCK_US = 10 * 60 * 1_000_000;
/** The clock goes on between the collector's check and its record. */
const RECORDED_CLOCK_US = POLICY_CLOCK_US + 60 * 1_000_000;

const POLICY_MEMBERS = [
  'act',
  'at',
  'by',
  'by_key_id',
  'environment',
  'ledger_id',
  'message',
  'policy_hash',
  'replaces',
  'sources_sha256',
  'tenant_id',
] as const;
const IMPACT_MEMBERS = ['at', 'by', 'by_key_id', 'ledger_id', 'report_sha256', 'tenant_id'] as const;

/** A person as they stand when the statement is recorded. */
export type PolicySigner = {
  readonly state: string;
  readonly keyId?: string | undefined;
  /** 32 bytes. */
  readonly publicKey?: Uint8Array | undefined;
  readonly roles: readonly string[];
};

export type PolicyCheck = {
  readonly by: string;
  readonly at: string;
  readonly publicKey: Uint8Array;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
};

export type PolicyContext = {
  readonly place: Place;
  readonly signerOf: (personId: string) => PolicySigner | undefined;
};

/** What must verify (Ed25519) for a statement on a set. `expected`: what else determines. Throws PersonFault. */
export const planPolicy = (
  said: Members,
  expected: Partial<PolicyStatement>,
  context: PolicyContext,
): PolicyCheck =>
  planStatement(said, POLICY_MEMBERS, POLICY_ROLE, expected, context, members =>
    policyMessage(members as never as PolicyStatement),
  );

/** Likewise for a statement on an impact report. Throws PersonFault. */
export const planImpact = (
  said: Members,
  expected: Partial<ImpactStatement>,
  context: PolicyContext,
): PolicyCheck =>
  planStatement(said, IMPACT_MEMBERS, POLICY_ROLE, expected, context, members =>
    impactMessage(members as never as ImpactStatement),
  );

/** A statement of texts alone, by somebody of that role. Throws PersonFault. */
export function planStatement(
  said: Members,
  names: readonly string[],
  role: string,
  expected: { readonly [member: string]: unknown },
  { place, signerOf }: PolicyContext,
  messageOf: (members: Members) => Uint8Array,
): PolicyCheck {
  const members = membersOf(said.statement, names, []);
  inPlace(members, place);
  for (const name of names) text(members, name, 0, 4096);
  for (const [name, value] of Object.entries(expected)) {
    if (members[name] !== value) fail(name, `must be ${JSON.stringify(value)}`);
  }
  const by = personId(members, 'by');
  const at = time(members, 'at');
  const signer = signerOf(by);
  const { publicKey } = signer ?? {};
  if (signer?.state !== 'active' || publicKey === undefined || signer.keyId !== members.by_key_id) {
    throw new PersonFault('person_key_unknown', `the key is not in force for ${by}`, 'by_key_id');
  }
  if (!signer.roles.includes(role)) {
    throw new PersonFault('role_missing', `${by} has not the role ${role}`, 'by');
  }
  return { by, at, publicKey, message: messageOf(members), signature: signatureOf(said, 'signature') };
}

/** Whether a statement was signed when it was recorded, and not kept from earlier. Both have the form of received_at. */
export const isOfItsTime = (at: string, receivedAt: string): boolean =>
  Math.abs(tsMicros(at) - tsMicros(receivedAt)) <= RECORDED_CLOCK_US;

/** Two pairs of eyes: the second is neither the one who proposed nor the one who wrote the set. */
export const isOwnRequest = (second: string, first: string, author: string | undefined): boolean =>
  second === first || second === author;
