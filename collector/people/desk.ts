/**
 * People of an open ledger: sign-in and sessions, enrolment, recovery, delegation. The writer's commands decide and record;
 * what is kept here is how many are enrolled, wrong attempts, and which sessions end with a change.
 * Format: docs/spec/people.md.
 */
import { createHmac, hash, timingSafeEqual } from 'node:crypto';
import { TrailmixError } from '../../core/api/errors.ts';
import type { DelegationView, PersonView, SignInKdf } from '../../core/api/views.ts';
import { formatMicros } from '../../core/event/time.ts';
import { BytesError, base64, fromBase64, utf8 } from '../../core/proof/bytes.ts';
import type { DelegationStatement, PersonStatement } from '../../core/proof/person.ts';
import type { Sessions } from '../http/sessions.ts';
import type { Clock, Ids, KeyVault, Ledger } from '../ports.ts';
import { Attempts } from './attempts.ts';
import type { InvitationKind, SecretInput, Via } from './command_types.ts';
import { secretContext } from './commands.ts';
import { FailureLog } from './failure_log.ts';
import {
  type DelegationRow,
  delegationView,
  type InvitationRow,
  kdfOf,
  type PersonRow,
  personView,
  type SecretRow,
} from './view.ts';

/** What the page derives its secrets with, where nothing else was chosen: RFC 9106's and OWASP's second choice. */
const KDF = { m: 19456, t: 2, p: 1 } as const;
const WRAPPED_MOST = 256;
const RECOVERY = ':recovery';
const SWEEP_MS = 30_000;
/** Sessions of a restart that one command ends. */
const CHUNK = 200;

export type SignInInput = { kdf: SignInKdf; auth: string; wrapped_key: string };
export type SignedIn = {
  session: string;
  expires_at: string;
  wrapped_key: string;
  key_id: string;
  person: PersonView;
};
export type Invited = { person_id: string; token: string; expires_at: string };
export type SignInRow = { seq: number; at: string; what: string };
type PageOf<T> = { items: T[]; total: number; next?: string };
type PageQuery = { cursor?: string; limit?: number };

const sha256 = (bytes: Uint8Array): Uint8Array => hash('sha256', bytes, 'buffer');

function bytesOf(text: string, least: number, most: number, where: string): Uint8Array {
  try {
    const bytes = fromBase64(text);
    if (bytes.length >= least && bytes.length <= most) return bytes;
  } catch (error) {
    if (!(error instanceof BytesError)) throw error;
  }
  const size = least === most ? `${least}` : `${least} to ${most}`;
  throw new TrailmixError('input_invalid', { where, message: `${where} must be base64 of ${size} bytes` });
}

function secretOf({ kdf, auth, wrapped_key }: SignInInput): SecretInput {
  bytesOf(kdf.salt, 16, 16, '/sign_in/kdf/salt');
  return {
    kdf,
    authHash: sha256(bytesOf(auth, 32, 32, '/sign_in/auth')),
    wrappedKey: bytesOf(wrapped_key, 12 + 16 + 32, WRAPPED_MOST, '/sign_in/wrapped_key'),
  };
}

const micros = (ms: number): string => formatMicros(ms * 1000);

export type PeopleDesk = Awaited<ReturnType<typeof openPeople>>;

export type PeopleOptions = {
  ledger: Pick<Ledger, 'tenantId' | 'ledgerId' | 'read' | 'write'>;
  vault: Pick<KeyVault, 'derive' | 'unseal'>;
  clock: Clock;
  ids: Ids;
  sessions: Sessions;
  /** Whether this is the vault's recovery phrase. Throws vault_secret_wrong. */
  checkRecovery: (phrase: string) => Promise<void>;
  onError: (error: unknown) => void;
};

export async function openPeople(options: PeopleOptions) {
  const { ledger, vault, clock, ids, sessions, onError } = options;
  const { read, write, tenantId, ledgerId } = ledger;
  const tenant = tenantId;
  const nameKey = vault.derive('token');
  const attempts = new Attempts(clock);
  const failures = new FailureLog(
    clock,
    (list, via, locked) =>
      write.run('signInFailed', { attempts: list, via, ...(locked === undefined ? {} : { locked }) }),
    onError,
  );
  let counts = { total: 0, enrolled: 0, approvers: 0 };
  const recount = async (): Promise<void> => {
    counts = (await read.query<typeof counts>('people.count', { tenant }))[0]!;
  };
  await recount();
  for (const row of await read.query<{ id: string; failures: number; locked_until: string | null }>(
    'people.failures',
    { tenant },
  )) {
    attempts.remember(row.id, row.failures, row.locked_until === null ? 0 : Date.parse(row.locked_until));
  }
  const left = await read.query<{ id: string; person_id: string }>('people.sessions', { tenant });
  for (let i = 0; i < left.length; i += CHUNK) {
    const some = left.slice(i, i + CHUNK).map(row => ({ id: row.id, personId: row.person_id }));
    await write.run('sessionsEnded', { sessions: some, why: 'restart' });
  }
  sessions.onExpired = ended => {
    for (const why of ['idle', 'absolute'] as const) {
      const some = ended.filter(session => session.why === why);
      if (some.length > 0) write.run('sessionsEnded', { sessions: some, why }).catch(onError);
    }
  };
  const timer = setInterval(() => sessions.sweep(), SWEEP_MS);
  timer.unref();

  const one = async (id: string): Promise<PersonRow | undefined> =>
    (await read.query<PersonRow>('people.one', { tenant, id }))[0];
  const view = (row: PersonRow): PersonView => personView(row, micros(clock.now()));
  const secretRow = async (id: string): Promise<SecretRow | undefined> =>
    (await read.query<SecretRow>('people.secret', { tenant, id }))[0];
  const wrappedKey = (id: string, row: SecretRow): string =>
    base64(vault.unseal(row.wrapped_key_sealed, secretContext(tenant, id, row.key_id)));

  /** Throws sign_in_locked, sign_in_failed. Unknown names take the same steps. */
  const checkSecret = async (id: string, auth: string, via: Via): Promise<SecretRow> => {
    const given = sha256(bytesOf(auth, 32, 32, '/auth'));
    const row = await secretRow(id);
    const attempt = attempts.begin(id, row !== undefined);
    if (timingSafeEqual(given, row?.auth_hash ?? sha256(nameKey)) && row !== undefined) return row;
    const { lockedUntil } = attempt;
    if (row === undefined) await failures.add('-', via);
    else {
      await failures.add(id, via, {
        failures: attempt.failures,
        ...(lockedUntil === undefined ? {} : { lockedUntil: micros(lockedUntil) }),
      });
    }
    throw new TrailmixError('sign_in_failed');
  };

  /** A session of a person whose sign-in was right. */
  const begin = async (id: string, row: SecretRow, via: Via): Promise<SignedIn> => {
    sessions.checkRoom();
    const session = ids.id('ses');
    const oldest = sessions.oldestOf(id);
    const person = await write.run('signedIn', { personId: id, keyId: row.key_id, session, oldest, via });
    sessions.end(oldest);
    const { session: token, expiresAt } = sessions.begin(session, {
      id,
      name: person.name,
      roles: person.roles,
      via,
    });
    attempts.right(id);
    return {
      session: token,
      expires_at: expiresAt.toISOString(),
      wrapped_key: wrappedKey(id, row),
      key_id: row.key_id,
      person,
    };
  };

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
    /** Active people: while there are none, nobody has to sign in. */
    enrolled: (): number => counts.enrolled,
    /** Whether at least two approvers are enrolled. */
    fourEyes: (): boolean => counts.approvers > 1,

    /** How to derive a sign-in secret: for a name that nobody has, always the same made-up salt. */
    async startSignIn(id: string): Promise<SignInKdf> {
      const row = await secretRow(id);
      const mac = createHmac('sha256', nameKey).update(utf8(`trailmix/sign-in/v1/salt\n${tenant}\n${id}`));
      const salt = base64(mac.digest().subarray(0, 16));
      // One order of members for both: the text of an answer must not tell them apart.
      const { m, t, p, salt: kept } = row === undefined ? { salt, ...KDF } : kdfOf(row);
      return { salt: kept, m, t, p };
    },

    async signIn(id: string, auth: string, via: Via): Promise<SignedIn> {
      return begin(id, await checkSecret(id, auth, via), via);
    },

    async signOut(personId: string, session: string, via: Via): Promise<void> {
      sessions.end([session]);
      await write.run('signedOut', { personId, session, via });
    },

    async myKey(id: string): Promise<{ kdf: SignInKdf; wrapped_key: string; key_id: string }> {
      const row = await secretRow(id);
      if (row === undefined) throw new TrailmixError('sign_in_needed');
      return { kdf: kdfOf(row), wrapped_key: wrappedKey(id, row), key_id: row.key_id };
    },

    async changeSecret(id: string, currentAuth: string, signIn: SignInInput, via: Via): Promise<void> {
      const secret = secretOf(signIn);
      await checkSecret(id, currentAuth, via);
      attempts.right(id);
      await write.run('changeSecret', { personId: id, secret, via });
    },

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
      const row = await secretRow(statement.person_id);
      if (row === undefined) throw new TrailmixError('internal');
      return begin(statement.person_id, row, via);
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

    async accept(
      input: { token: string; public_key: string; possession: string; sign_in: SignInInput },
      via: Via,
    ): Promise<{ person: PersonView; enrolled: boolean }> {
      const answer = await write.run('acceptInvite', {
        tokenHash: sha256(utf8(input.token)),
        publicKey: bytesOf(input.public_key, 32, 32, '/public_key'),
        possession: input.possession,
        secret: secretOf(input.sign_in),
        via,
      });
      if (answer.enrolled) {
        sessions.endOf(answer.person.id);
        attempts.right(answer.person.id);
      }
      return answer;
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
      if (ended) sessions.endOf(personId);
      if (input.statement.act === 'reset') attempts.right(personId);
      await recount();
      return person;
    },

    /** Throws vault_secret_wrong, busy (after five wrong phrases), person_unknown, person_left. */
    async recover(personId: string, phrase: string, via: Via): Promise<Invited> {
      try {
        attempts.begin(RECOVERY, true);
      } catch (error) {
        if (!(error instanceof TrailmixError)) throw error;
        const { retryAfter } = error;
        const message = 'Too many wrong phrases: wait as Retry-After says';
        throw new TrailmixError('busy', { message, ...(retryAfter === undefined ? {} : { retryAfter }) });
      }
      try {
        await options.checkRecovery(phrase);
      } catch (error) {
        await failures.add(RECOVERY_NAME, via);
        throw error;
      }
      attempts.right(RECOVERY);
      return invite({ personId, kind: 'recovery' }, RECOVERY_NAME, via);
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

    /** Writes the wrong attempts that were held back. Sessions end with the next start. */
    async close(): Promise<void> {
      clearInterval(timer);
      sessions.onExpired = () => {};
      await failures.flush(true);
    },
  };
}

const RECOVERY_NAME = 'recovery';

/** E.g. `signed_in`, `sign_in_failed 3`, `session_ended idle`. */
function whatOf({ event_type, body }: { event_type: string; body: string }): string {
  const { person, why } = JSON.parse(body) as { person?: { attempts?: number }; why?: string };
  const more = why ?? (person?.attempts === undefined ? undefined : String(person.attempts));
  return event_type.slice('person.'.length) + (more === undefined ? '' : ` ${more}`);
}
