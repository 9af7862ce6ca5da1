/**
 * People of an open ledger: enrolment, recovery, delegation, and with it sign-in. The writer's commands decide and record; what is
 * kept here is how many are enrolled, and which sessions end with a change. Format: docs/spec/people.md.
 */
import { timingSafeEqual } from 'node:crypto';
import { TrailmixError } from '../../core/api/errors.ts';
import type { DelegationView, PersonView } from '../../core/api/views.ts';
import { formatMicros } from '../../core/event/time.ts';
import { utf8 } from '../../core/proof/bytes.ts';
import type { DelegationStatement, PersonStatement } from '../../core/proof/person.ts';
import { sha256 } from '../sha256.ts';
import type { InvitationKind, Via } from './command_types.ts';
import {
  bytesOf,
  micros,
  openSignIn,
  RECOVERY,
  type SignedIn,
  type SignInInput,
  type SignInOptions,
  secretOf,
} from './sign_in.ts';
import {
  type DelegationRow,
  delegationView,
  type InvitationRow,
  type PersonRow,
  personView,
} from './view.ts';

export type Invited = { person_id: string; token: string; expires_at: string };
export type SignInRow = { seq: number; at: string; what: string };
type PageOf<T> = { items: T[]; total: number; next?: string };
type PageQuery = { cursor?: string; limit?: number };

export type PeopleDesk = Awaited<ReturnType<typeof openPeople>>;

export type PeopleOptions = SignInOptions & {
  /** Whether this is the vault's recovery phrase. Throws vault_secret_wrong. */
  checkRecovery: (phrase: string) => Promise<void>;
};

export async function openPeople(options: PeopleOptions) {
  const { ledger, clock, ids } = options;
  const { read, write, tenantId: tenant, ledgerId } = ledger;
  const signIn = await openSignIn(options);
  let counts = { total: 0, enrolled: 0, approvers: 0 };
  const recount = async (): Promise<void> => {
    counts = (await read.query<typeof counts>('people.count', { tenant }))[0]!;
  };
  await recount();

  const one = async (id: string): Promise<PersonRow | undefined> =>
    (await read.query<PersonRow>('people.one', { tenant, id }))[0];
  const view = (row: PersonRow): PersonView => personView(row, micros(clock.now()));
  const invite = async (
    input: { personId: string; name?: string; roles?: string[]; aliases?: string[]; kind: InvitationKind },
    by: string,
    via: Via,
  ): Promise<Invited> => {
    const token = Buffer.from(ids.bytes(32)).toString('base64url');
    const tokenHash = sha256(utf8(token));
    const { expiresAt } = await write.run('invitePerson', { ...input, by, tokenHash, via });
    await recount();
    return { person_id: input.personId, token, expires_at: expiresAt };
  };

  const page = async <R, T>(
    name: string,
    parameters: Record<string, unknown>,
    { limit = 100 }: PageQuery,
    map: (row: R) => T,
    cursorOf: (row: R) => string | number,
    total: number,
  ): Promise<PageOf<T>> => {
    const rows = await read.query<R>(name, { ...parameters, limit: limit + 1 });
    const items = rows.slice(0, limit);
    const more = rows.length > limit ? { next: String(cursorOf(items.at(-1)!)) } : {};
    return { items: items.map(map), total, ...more };
  };
  const before = (cursor: string | undefined): number => {
    const seq = cursor === undefined ? Number.MAX_SAFE_INTEGER : Number(cursor);
    if (!Number.isSafeInteger(seq)) throw new TrailmixError('input_invalid', { where: '/cursor' });
    return seq;
  };

  return {
    ...signIn,

    /** Active people: while there are none, nobody has to sign in. */
    enrolled: (): number => counts.enrolled,
    /** Whether at least two approvers are enrolled. */
    fourEyes: (): boolean => counts.approvers > 1,

    /** Throws person_unknown. */
    async person(id: string): Promise<PersonView> {
      const row = await one(id);
      if (row === undefined) throw new TrailmixError('person_unknown', { where: '/id' });
      return view(row);
    },

    people: (query: PageQuery): Promise<PageOf<PersonView>> =>
      page<PersonRow, PersonView>(
        'people.page',
        { tenant, after: query.cursor ?? '' },
        query,
        view,
        row => row.id,
        counts.total,
      ),

    async enrolFirst(
      input: { statement: PersonStatement; signature: string; possession: string; sign_in: SignInInput },
      via: Via,
    ): Promise<SignedIn> {
      const { statement, signature, possession, sign_in } = input;
      const secret = secretOf(sign_in);
      await write.run('enrolFirst', { statement, signature, possession, secret, via });
      // From here on a session without a name may only sign in.
      counts = { total: counts.total + 1, enrolled: 1, approvers: counts.approvers };
      await recount();
      return signIn.beginFor(statement.person_id, via);
    },

    invite: (
      input: { person_id: string; name?: string; roles?: string[]; aliases?: string[]; reset?: boolean },
      by: string,
      via: Via,
    ): Promise<Invited> => {
      const { person_id: personId, reset, ...rest } = input;
      return invite({ personId, kind: reset === true ? 'reset' : 'enrol', ...rest }, by, via);
    },

    /** What an invitation is for. Throws invite_invalid. */
    async invitation(token: string) {
      const [row] = await read.query<InvitationRow>('people.invitation', {
        tenant,
        token: sha256(utf8(token)),
      });
      const person = row === undefined ? undefined : await one(row.person_id);
      const inviter = row === undefined ? undefined : await one(row.invited_by);
      if (row === undefined || person === undefined || row.expires_at <= micros(clock.now())) {
        throw new TrailmixError('invite_invalid', { where: '/token' });
      }
      return {
        person_id: row.person_id,
        name: person.name,
        roles: JSON.parse(person.roles) as string[],
        invited_by: row.invited_by,
        ...(inviter === undefined ? {} : { invited_by_name: inviter.name }),
        reset: row.kind !== 'enrol',
        ledger_id: ledgerId,
        tenant_id: tenant,
        expires_at: row.expires_at,
      };
    },

    /** Whether an invitation of this tenant has the token. */
    async knowsInvitation(token: string): Promise<boolean> {
      const parameters = { tenant, token: sha256(utf8(token)) };
      return (await read.query<InvitationRow>('people.invitation', parameters)).length > 0;
    },

    async accept(
      input: { token: string; public_key: string; possession: string; sign_in: SignInInput },
      via: Via,
    ): Promise<{ person: PersonView; enrolled: boolean; watch: string }> {
      const answer = await write.run('acceptInvite', {
        tokenHash: sha256(utf8(input.token)),
        publicKey: bytesOf(input.public_key, 32, 32, '/public_key'),
        possession: input.possession,
        secret: secretOf(input.sign_in),
        via,
      });
      if (answer.enrolled) {
        signIn.endOf(answer.person.id);
        signIn.forgive(answer.person.id);
      }
      return { ...answer, watch: signIn.watchOf(answer.person.id, answer.person.key_id!) };
    },

    /** Of a key that was made by an invitation; `watch` is what `accept` answered. Throws invite_invalid. */
    async accepted(input: {
      person_id: string;
      key_id: string;
      watch: string;
    }): Promise<{ state: 'waiting' | 'signed' | 'over' }> {
      const { person_id: id, key_id: keyId, watch } = input;
      if (!timingSafeEqual(sha256(utf8(watch)), sha256(utf8(signIn.watchOf(id, keyId))))) {
        throw new TrailmixError('invite_invalid', { where: '/watch' });
      }
      const row = await one(id);
      if (row?.new_key_id === keyId) return { state: 'waiting' };
      return { state: row?.key_id === keyId && row.state === 'active' ? 'signed' : 'over' };
    },

    async withdraw(personId: string, by: string, via: Via): Promise<void> {
      await write.run('withdrawInvite', { personId, by, via });
      await recount();
    },

    async sign(
      personId: string,
      input: { statement: PersonStatement; signature: string },
      by: string,
      via: Via,
    ): Promise<PersonView> {
      const { person, ended } = await write.run('signPerson', { personId, by, ...input, via });
      if (ended) signIn.endOf(personId);
      if (input.statement.act === 'reset') signIn.forgive(personId);
      await recount();
      return person;
    },

    /** Throws vault_secret_wrong, busy (after five wrong phrases), person_unknown, person_left. */
    async recover(personId: string, phrase: string, via: Via): Promise<Invited> {
      await signIn.recovering(() => options.checkRecovery(phrase), via);
      return invite({ personId, kind: 'recovery' }, RECOVERY, via);
    },

    async delegations(query: PageQuery & { person?: string }): Promise<PageOf<DelegationView>> {
      const person = query.person ?? null;
      const [count] = await read.query<{ total: number }>('people.delegations.count', { tenant, person });
      const now = micros(clock.now());
      return page<DelegationRow & { seq: number }, DelegationView>(
        'people.delegations',
        { tenant, person, before: before(query.cursor) },
        query,
        row => delegationView(row, now),
        row => row.seq,
        count?.total ?? 0,
      );
    },

    delegate: (
      input: { statement: DelegationStatement; signature: string },
      by: string,
      via: Via,
    ): Promise<DelegationView> => write.run('delegate', { by, ...input, via }),

    endDelegation: (id: string, by: string, via: Via): Promise<DelegationView> =>
      write.run('endDelegation', { id, by, via }),

    async signIns(id: string, query: PageQuery): Promise<PageOf<SignInRow>> {
      if ((await one(id)) === undefined) throw new TrailmixError('person_unknown', { where: '/id' });
      const [count] = await read.query<{ total: number }>('people.sign_ins.count', { tenant, id });
      return page<{ seq: number; event_type: string; received_us: number; body: string }, SignInRow>(
        'people.sign_ins',
        { tenant, id, before: before(query.cursor) },
        query,
        row => ({ seq: row.seq, at: formatMicros(row.received_us), what: whatOf(row) }),
        row => row.seq,
        count?.total ?? 0,
      );
    },
  };
}

/** E.g. `signed_in`, `sign_in_failed 3`, `session_ended idle`. */
function whatOf({ event_type, body }: { event_type: string; body: string }): string {
  const { person, why } = JSON.parse(body) as { person?: { attempts?: number }; why?: string };
  const more = why ?? (person?.attempts === undefined ? undefined : String(person.attempts));
  return event_type.slice('person.'.length) + (more === undefined ? '' : ` ${more}`);
}
