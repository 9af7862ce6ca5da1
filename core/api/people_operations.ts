/** Operations on people: sign-in, enrolment, roles, delegation (docs/spec/people.md). */
import Type from 'typebox';
import { any, Int, listOf, Opt, op, Page, page, Str } from './operation.ts';
import { DelegationView, PersonView, SessionView, SignInKdf } from './views.ts';

const PersonId = Type.String({ minLength: 1, maxLength: 64 });
const Name = Type.String({ minLength: 1, maxLength: 256 });
const Roles = Type.Array(Type.String({ minLength: 1, maxLength: 64 }), { minItems: 1, maxItems: 16 });
const Aliases = Type.Array(Type.String({ minLength: 1, maxLength: 256 }), { maxItems: 8 });
const Base64 = (bytes: number) =>
  Type.String({ maxLength: Math.ceil(bytes / 3) * 4, description: `base64 of ${bytes} bytes` });
const Signature = Base64(64);

/** What the page makes of a passphrase; the passphrase itself is in no request. */
const SignIn = Type.Object(
  {
    kdf: SignInKdf,
    auth: Base64(32),
    wrapped_key: Type.String({ maxLength: 400, description: 'base64 of iv and AES-256-GCM(PKCS#8)' }),
  },
  { additionalProperties: false },
);

const Statement = Type.Object(
  {
    act: Type.Enum(['enrol', 'change', 'reset', 'leave']),
    aliases: Aliases,
    at: Str,
    by: Str,
    by_key_id: Str,
    key_id: Str,
    ledger_id: Str,
    name: Name,
    person_id: PersonId,
    public_key: Base64(32),
    roles: Type.Array(Type.String({ maxLength: 64 }), { maxItems: 16 }),
    tenant_id: Str,
  },
  { additionalProperties: false },
);

const DelegationInput = Type.Object(
  {
    at: Str,
    by_key_id: Str,
    delegation_id: Str,
    ends_at: Str,
    from: PersonId,
    ledger_id: Str,
    reason: Type.String({ maxLength: 500 }),
    roles: Roles,
    starts_at: Str,
    tenant_id: Str,
    to: PersonId,
  },
  { additionalProperties: false },
);

const SignedIn = Type.Object({
  session: Str,
  expires_at: Str,
  wrapped_key: Str,
  key_id: Str,
  person: PersonView,
});

const Invitation = Type.Object({
  person_id: Str,
  token: Str,
  invite_url: Str,
  expires_at: Str,
});

export const peopleOperations = {
  signInState: op({
    method: 'GET',
    path: '/api/sign-in',
    summary: 'Whether people are enrolled here, and for which ledger they sign',
    callers: ['anyone'],
    errors: [],
    phases: any,
    output: Type.Object({
      /** In any tenant; over the socket, in the one that is asked for. */
      enrolled: Type.Boolean(),
      ledger_id: Opt(Str),
      /** Where one is when nothing is said. */
      tenants: Type.Array(Str),
      several: Type.Boolean({ description: 'sign-in asks for the tenant, too' }),
    }),
  }),
  startSignIn: op({
    method: 'POST',
    path: '/api/sign-in/start',
    summary: 'How to derive the sign-in secret of a name; an unknown name gets an answer of the same form',
    callers: ['anyone'],
    errors: ['input_invalid', 'busy'],
    input: Type.Object({ person_id: PersonId, tenant_id: Opt(Str) }, { additionalProperties: false }),
    output: Type.Object({ kdf: SignInKdf, ledger_id: Str, tenant_id: Str }),
  }),
  signIn: op({
    method: 'POST',
    path: '/api/sign-in',
    summary: 'A session for a person; each attempt is recorded',
    callers: ['anyone'],
    errors: ['sign_in_failed', 'sign_in_locked', 'input_invalid', 'busy'],
    input: Type.Object(
      { person_id: PersonId, auth: Base64(32), tenant_id: Opt(Str) },
      { additionalProperties: false },
    ),
    output: SignedIn,
  }),
  signOut: op({
    method: 'POST',
    path: '/api/sign-out',
    summary: 'Ends this session',
    callers: ['person'],
    errors: [],
    phases: any,
    output: Type.Object({}),
  }),
  whoAmI: op({
    method: 'GET',
    path: '/api/session',
    summary: 'Who is signed in and may do what',
    callers: page,
    errors: [],
    output: SessionView,
  }),
  myKey: op({
    method: 'POST',
    path: '/api/session/key',
    summary:
      'The wrapped signing key of the signed-in person, against their sign-in secret; a wrong one counts as a wrong sign-in',
    callers: ['person'],
    errors: ['sign_in_failed', 'sign_in_locked', 'sign_in_needed', 'input_invalid'],
    input: Type.Object({ auth: Base64(32) }, { additionalProperties: false }),
    output: Type.Object({ wrapped_key: Str, key_id: Str }),
  }),
  changeSecret: op({
    method: 'POST',
    path: '/api/session/secret',
    summary: "A new passphrase for one's own sign-in: the same key, wrapped anew",
    callers: ['person'],
    errors: ['sign_in_failed', 'sign_in_locked', 'sign_in_needed', 'input_invalid'],
    input: Type.Object({ current_auth: Base64(32), sign_in: SignIn }, { additionalProperties: false }),
    output: Type.Object({}),
  }),

  people: op({
    method: 'GET',
    path: '/api/people',
    summary: 'People of this tenant, by name',
    callers: page,
    errors: [],
    query: Type.Object({ ...Page }),
    output: listOf(PersonView),
  }),
  enrolFirst: op({
    method: 'POST',
    path: '/api/people/first',
    summary: 'The first admin enrols by their own signature; only while nobody is enrolled',
    callers: page,
    errors: ['people_enrolled', 'statement_invalid', 'signature_invalid', 'input_invalid'],
    status: 201,
    input: Type.Object(
      { statement: Statement, signature: Signature, possession: Signature, sign_in: SignIn },
      { additionalProperties: false },
    ),
    output: SignedIn,
  }),
  invitePerson: op({
    method: 'POST',
    path: '/api/people/invitations',
    summary: 'A one-time invitation (72 hours); of a person who is enrolled: a reset of their sign-in',
    callers: ['person'],
    errors: ['person_exists', 'person_left', 'person_unknown', 'input_invalid', 'sign_in_needed'],
    status: 201,
    input: Type.Object(
      {
        person_id: PersonId,
        name: Opt(Name),
        roles: Opt(Roles),
        aliases: Opt(Aliases),
        reset: Opt(Type.Boolean({ description: 'a new key for a person who is enrolled' })),
      },
      { additionalProperties: false },
    ),
    output: Invitation,
  }),
  lookAtInvite: op({
    method: 'POST',
    path: '/api/invitations/look',
    summary: 'What an invitation is for',
    callers: ['anyone'],
    errors: ['invite_invalid', 'busy'],
    input: Type.Object({ token: Str }, { additionalProperties: false }),
    output: Type.Object({
      person_id: Str,
      name: Str,
      roles: Type.Array(Str),
      invited_by: Str,
      /** Absent when the recovery phrase invites. */
      invited_by_name: Opt(Str),
      reset: Type.Boolean(),
      ledger_id: Str,
      tenant_id: Str,
      expires_at: Str,
    }),
  }),
  acceptInvite: op({
    method: 'POST',
    path: '/api/invitations/accept',
    summary: 'The new key and sign-in of the one who was invited; an admin signs the enrolment afterwards',
    callers: ['anyone'],
    errors: ['invite_invalid', 'signature_invalid', 'input_invalid', 'busy'],
    input: Type.Object(
      { token: Str, public_key: Base64(32), possession: Signature, sign_in: SignIn },
      { additionalProperties: false },
    ),
    output: Type.Object({
      person: PersonView,
      enrolled: Type.Boolean({ description: 'true only for a recovery: no admin has to sign' }),
      watch: Type.String({ description: 'shows to acceptedInvite that one made this key' }),
    }),
  }),
  acceptedInvite: op({
    method: 'POST',
    path: '/api/invitations/accepted',
    summary: 'What became of a key that was made by an invitation, told to the one who made it',
    callers: ['anyone'],
    errors: ['invite_invalid', 'busy'],
    input: Type.Object({ person_id: Str, key_id: Str, watch: Str }, { additionalProperties: false }),
    output: Type.Object({ state: Type.Enum(['waiting', 'signed', 'over']) }),
  }),
  withdrawInvite: op({
    method: 'DELETE',
    path: '/api/people/:id/invitation',
    summary: 'Takes back an invitation, or a key that no admin has signed yet',
    callers: ['person'],
    errors: ['person_unknown', 'sign_in_needed'],
    params: Type.Object({ id: Str }),
    output: Type.Object({}),
  }),
  signPerson: op({
    method: 'POST',
    path: '/api/people/:id/statements',
    summary: 'An admin signs an enrolment, a change of roles, a reset, or that somebody left',
    callers: ['person'],
    errors: [
      'person_unknown',
      'person_left',
      'person_exists',
      'person_key_unknown',
      'statement_invalid',
      'signature_invalid',
      'last_admin',
      'sign_in_needed',
      'input_invalid',
    ],
    params: Type.Object({ id: Str }),
    input: Type.Object({ statement: Statement, signature: Signature }, { additionalProperties: false }),
    output: PersonView,
  }),
  recoverPerson: op({
    method: 'POST',
    path: '/api/people/:id/recovery',
    summary:
      'When no admin can sign in: an invitation by the recovery phrase of the vault (recorded, shown by packs)',
    callers: ['local'],
    errors: ['person_unknown', 'person_left', 'vault_secret_wrong', 'busy'],
    params: Type.Object({ id: Str }),
    input: Type.Object({ recovery_phrase: Str }, { additionalProperties: false }),
    output: Invitation,
  }),

  delegations: op({
    method: 'GET',
    path: '/api/delegations',
    summary: 'Delegations, newest first',
    callers: page,
    errors: [],
    query: Type.Object({ person: Opt(Str), ...Page }),
    output: listOf(DelegationView),
  }),
  delegate: op({
    method: 'POST',
    path: '/api/delegations',
    summary: "Hands one's roles to another approver for a time; signed by the one who delegates",
    callers: ['person'],
    errors: [
      'delegation_invalid',
      'statement_invalid',
      'signature_invalid',
      'person_key_unknown',
      'person_unknown',
      'sign_in_needed',
      'input_invalid',
    ],
    status: 201,
    input: Type.Object({ statement: DelegationInput, signature: Signature }, { additionalProperties: false }),
    output: DelegationView,
  }),
  endDelegation: op({
    method: 'DELETE',
    path: '/api/delegations/:id',
    summary: 'Ends a delegation now: the one who made it, the one who has it, or an admin',
    callers: ['person'],
    errors: ['not_found', 'role_missing', 'sign_in_needed'],
    params: Type.Object({ id: Str }),
    output: DelegationView,
  }),
  signIns: op({
    method: 'GET',
    path: '/api/people/:id/sign-ins',
    summary:
      'Recorded sign-ins and attempts of one person, newest first: anybody their own, admins, analysts and auditors all',
    callers: page,
    errors: ['person_unknown', 'role_missing'],
    params: Type.Object({ id: Str }),
    query: Type.Object({ ...Page }),
    output: listOf(Type.Object({ seq: Int, at: Str, what: Str })),
  }),
} as const;
