/**
 * Sign-in of an open ledger: attempts, sessions, a person's own secret. The writer's commands record; what is kept here is wrong
 * attempts and live sessions. Names that nobody has take the same steps as any other. Format: docs/spec/people.md, "Sign-in".
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { TrailmixError } from '../../core/api/errors.ts';
import type { PersonView, SignInKdf } from '../../core/api/views.ts';
import { formatMicros } from '../../core/event/time.ts';
import { BytesError, base64, fromBase64, utf8 } from '../../core/proof/bytes.ts';
import type { TenantSessions } from '../http/sessions.ts';
import type { Clock, Ids, KeyVault, Ledger } from '../ports.ts';
import { sha256 } from '../sha256.ts';
import { Attempts } from './attempts.ts';
import type { SecretInput, SessionEnd, Via } from './command_types.ts';
import { FailureLog } from './failure_log.ts';
import { secretContext } from './person_rows.ts';
import { kdfOf, type SecretRow } from './view.ts';

/** What the page derives its secrets with, where nothing else was chosen: OWASP's choice for Argon2id. */
const KDF = { m: 19456, t: 2, p: 1 } as const;
const WRAPPED_MOST = 256;
const SWEEP_MS = 30_000;
/** Sessions that one command ends. */
const CHUNK = 200;
/** `person_id` of a wrong recovery phrase, and `by` of what the phrase allowed. */
export const RECOVERY = 'recovery';

export type SignInInput = { kdf: SignInKdf; auth: string; wrapped_key: string };
export type SignedIn = {
  session: string;
  expires_at: string;
  wrapped_key: string;
  key_id: string;
  person: PersonView;
};
export function bytesOf(text: string, least: number, most: number, where: string): Uint8Array {
  try {
    const bytes = fromBase64(text);
    if (bytes.length >= least && bytes.length <= most) return bytes;
  } catch (error) {
    if (!(error instanceof BytesError)) throw error;
  }
  const size = least === most ? `${least}` : `${least} to ${most}`;
  throw new TrailmixError('input_invalid', { where, message: `${where} must be base64 of ${size} bytes` });
}

export function secretOf({ kdf, auth, wrapped_key }: SignInInput): SecretInput {
  bytesOf(kdf.salt, 16, 16, '/sign_in/kdf/salt');
  return {
    kdf,
    authHash: sha256(bytesOf(auth, 32, 32, '/sign_in/auth')),
    wrappedKey: bytesOf(wrapped_key, 12 + 16 + 32, WRAPPED_MOST, '/sign_in/wrapped_key'),
  };
}

/** The form of received_at. */
export const micros = (ms: number): string => formatMicros(ms * 1000);

export type SignInOptions = {
  ledger: Pick<Ledger, 'tenantId' | 'ledgerId' | 'read' | 'write'>;
  vault: Pick<KeyVault, 'derive' | 'unseal'>;
  clock: Clock;
  ids: Ids;
  sessions: TenantSessions;
  onError: (error: unknown) => void;
};

export async function openSignIn(options: SignInOptions) {
  const { ledger, vault, clock, ids, sessions, onError } = options;
  const { read, write, tenantId: tenant } = ledger;
  const nameKey = vault.derive('token');
  const attempts = new Attempts(clock);
  const failures = new FailureLog(
    clock,
    (list, via, locked) =>
      write.run('signInFailed', { attempts: list, via, ...(locked === undefined ? {} : { locked }) }),
    onError,
  );
  const ended = async (list: readonly { id: string; personId: string }[], why: SessionEnd): Promise<void> => {
    for (let i = 0; i < list.length; i += CHUNK) {
      const some = list.slice(i, i + CHUNK).map(({ id, personId }) => ({ id, personId }));
      await write.run('sessionsEnded', { sessions: some, why });
    }
  };
  for (const row of await read.query<{ id: string; failures: number; locked_until: string | null }>(
    'people.failures',
    { tenant },
  )) {
    attempts.remember(row.id, row.failures, row.locked_until === null ? 0 : Date.parse(row.locked_until));
  }
  const left = await read.query<{ id: string; person_id: string }>('people.sessions', { tenant });
  await ended(
    left.map(row => ({ id: row.id, personId: row.person_id })),
    'restart',
  );
  sessions.onExpired = expired => {
    for (const why of ['idle', 'absolute'] as const) {
      const some = expired.filter(session => session.why === why);
      ended(some, why).catch(onError);
    }
  };
  const timer = setInterval(() => sessions.sweep(), SWEEP_MS);
  timer.unref();

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

  return {
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

    /** What only the one who made this key is given: a MAC of the vault, so that nothing has to be kept. */
    watchOf: (id: string, keyId: string): string =>
      createHmac('sha256', nameKey)
        .update(utf8(`trailmix/accepted/v1\n${tenant}\n${id}\n${keyId}`))
        .digest('base64url'),

    /** Throws sign_in_failed and sign_in_locked: a guess in an open session counts as one at the door. */
    async myKey(id: string, auth: string, via: Via): Promise<{ wrapped_key: string; key_id: string }> {
      const row = await checkSecret(id, auth, via);
      attempts.right(id);
      return { wrapped_key: wrappedKey(id, row), key_id: row.key_id };
    },

    async changeSecret(id: string, currentAuth: string, signIn: SignInInput, via: Via): Promise<void> {
      const secret = secretOf(signIn);
      await checkSecret(id, currentAuth, via);
      attempts.right(id);
      await write.run('changeSecret', { personId: id, secret, via });
    },

    /** A session for who was enrolled this very moment. */
    async beginFor(id: string, via: Via): Promise<SignedIn> {
      const row = await secretRow(id);
      if (row === undefined) throw new TrailmixError('internal', { message: 'the sign-in was not kept' });
      return begin(id, row, via);
    },

    /** Every session of the person is over, as their records say already. */
    endOf(id: string): void {
      sessions.endOf(id);
    },

    /** Nothing is held against the name any more. */
    forgive(id: string): void {
      attempts.right(id);
    },

    /** `check` throws where the recovery phrase is wrong. Throws busy after five wrong ones. */
    async recovering(check: () => Promise<void>, via: Via): Promise<void> {
      try {
        attempts.begin(RECOVERY_COUNT, true);
      } catch (error) {
        if (!(error instanceof TrailmixError)) throw error;
        const { retryAfter } = error;
        const message = 'Too many wrong phrases: wait as Retry-After says';
        throw new TrailmixError('busy', { message, ...(retryAfter === undefined ? {} : { retryAfter }) });
      }
      try {
        await check();
      } catch (error) {
        await failures.add(RECOVERY, via);
        throw error;
      }
      attempts.right(RECOVERY_COUNT);
    },

    /** Writes the wrong attempts that were held back. Sessions end with the next start. */
    async close(): Promise<void> {
      clearInterval(timer);
      sessions.onExpired = () => {};
      await failures.flush(true);
    },
  };
}

/** No sign-in name: it is counted apart. */
const RECOVERY_COUNT = ':recovery';
