/**
 * Writer commands on enrolment: invitation, a new key, the admin's statement. Rows and record are one transaction; whether
 * a statement counts is decided by core/pack/person_rules.ts, as the verifier does. Format: docs/spec/people.md.
 */
import { TrailmixError } from '../../core/api/errors.ts';
import type { PersonView } from '../../core/api/views.ts';
import { formatMicros, tsMicros } from '../../core/event/time.ts';
import { checkPersonForm, PersonFault, type PersonForm } from '../../core/pack/person_form.ts';
import { type PersonPlan, planPerson } from '../../core/pack/person_rules.ts';
import { base64, hex } from '../../core/proof/bytes.ts';
import { jcs } from '../../core/proof/jcs.ts';
import { BY_RECOVERY, type PersonStatement, possessionMessage } from '../../core/proof/person.ts';
import type { CommandTable, WriteTx } from '../ledger/tx.ts';
import type { SecretInput, SessionEnd } from './command_types.ts';
import { endSessions, own } from './records.ts';
import { peopleState, planned, sha256, verifyEd25519 } from './state.ts';
import { type InvitationRow, type PersonRow, personView, SELECT_INVITATION, SELECT_PERSON } from './view.ts';

const INVITATION_MICROS = 72 * 3_600_000_000;
/** Bounds of one tenant: people ever named, and invitations that wait. */
const MOST_PEOPLE = 5000;
const MOST_INVITATIONS = 200;
/** How far the admin's clock may be from the collector's. */
const CLOCK_MICROS = 10 * 60_000_000;

type Names =
  | 'enrolFirst'
  | 'invitePerson'
  | 'acceptInvite'
  | 'withdrawInvite'
  | 'signPerson'
  | 'changeSecret';

const row = (tx: WriteTx, id: string): PersonRow | undefined =>
  tx.db.prepare<[{ tenant: string; id: string }], PersonRow>(SELECT_PERSON).get({ tenant: tx.tenantId, id });

const sorted = (items: readonly string[] = []): string[] => [...new Set(items)].sort();

/** Throws person_unknown. */
export function viewOf(tx: WriteTx, id: string): PersonView {
  const found = row(tx, id);
  if (found === undefined) throw new TrailmixError('person_unknown', { where: '/id' });
  return personView(found, tx.receivedAt());
}

export const secretContext = (tenantId: string, personId: string, keyId: string): string =>
  `person/${tenantId}/${personId}/${keyId}`;

type NewKey = { keyId: string; publicKey: Uint8Array; possession: string; secret: SecretInput };

function putSecret(tx: WriteTx, id: string, pending: 0 | 1, key: NewKey): void {
  const { keyId, publicKey, possession, secret } = key;
  const sealed = tx.vault.seal(secret.wrappedKey, secretContext(tx.tenantId, id, keyId));
  tx.db
    .prepare(
      `INSERT OR REPLACE INTO person_secret
         (tenant_id, person_id, pending, key_id, public_key, possession, kdf, auth_hash, wrapped_key_sealed)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    .run(
      tx.tenantId,
      id,
      pending,
      keyId,
      publicKey,
      possession,
      jcs({ ...secret.kdf }),
      secret.authHash,
      sealed,
    );
}

/** The pending sign-in becomes the one in force. */
function promoteSecret(tx: WriteTx, id: string): void {
  const where = 'WHERE tenant_id = ? AND person_id = ? AND pending =';
  tx.db.prepare(`DELETE FROM person_secret ${where} 0`).run(tx.tenantId, id);
  tx.db.prepare(`UPDATE person_secret SET pending = 0 ${where} 1`).run(tx.tenantId, id);
}

const placeOf = (tx: WriteTx) => ({ ledger_id: tx.ledgerId, tenant_id: tx.tenantId });

/** The record of a statement that counts, and the rows that follow from it. */
function enter(tx: WriteTx, plan: PersonPlan, via: 'page' | 'cli'): void {
  const { statement, publicKey, possession, signature } = plan;
  const { act, person_id: id, name, roles, aliases, key_id: keyId, at } = statement;
  const eventType = EVENTS[act];
  const person = {
    ...statement,
    roles: [...roles],
    aliases: [...aliases],
    ...(possession === undefined ? {} : { possession }),
    signature,
  };
  const members = { name: `${TITLES[act]}: ${name}`, person };
  const { seq, receivedAt } = tx.append(own(eventType, members, via));
  const { db, tenantId } = tx;
  if (act === 'reset' || act === 'leave') {
    db.prepare(
      'UPDATE person_key SET until_seq = ? WHERE tenant_id = ? AND person_id = ? AND until_seq IS NULL',
    ).run(seq, tenantId, id);
  }
  if (act === 'enrol' || act === 'reset') {
    db.prepare(
      'INSERT INTO person_key (tenant_id, key_id, person_id, public_key, from_seq) VALUES (?, ?, ?, ?, ?)',
    ).run(tenantId, keyId, id, publicKey, seq);
    promoteSecret(tx, id);
  }
  if (act === 'leave') {
    db.prepare('DELETE FROM person_secret WHERE tenant_id = ? AND person_id = ?').run(tenantId, id);
    db.prepare('DELETE FROM person_invitation WHERE tenant_id = ? AND person_id = ?').run(tenantId, id);
  }
  db.prepare(
    `INSERT INTO person (tenant_id, id, name, roles, aliases, state, key_id, statement_at, enrolled_at, enrolled_by)
     VALUES ($tenant, $id, $name, $roles, $aliases, 'active', $key, $at, $now, $by)
     ON CONFLICT DO UPDATE SET name = $name, roles = $roles, aliases = $aliases, key_id = $key, statement_at = $at,
       state = CASE WHEN $act = 'leave' THEN 'left' ELSE 'active' END,
       enrolled_at = coalesce(enrolled_at, $now), enrolled_by = coalesce(enrolled_by, $by),
       left_at = CASE WHEN $act = 'leave' THEN $now END,
       failures = CASE WHEN $act = 'reset' THEN 0 ELSE failures END,
       locked_until = CASE WHEN $act = 'reset' THEN NULL ELSE locked_until END`,
  ).run({
    tenant: tenantId,
    id,
    name,
    roles: JSON.stringify(roles),
    aliases: JSON.stringify(aliases),
    key: keyId,
    at,
    now: receivedAt,
    by: statement.by,
    act,
  });
}

const EVENTS = {
  enrol: 'person.enrolled',
  change: 'person.changed',
  reset: 'person.reset',
  leave: 'person.left',
} as const;
const TITLES = { enrol: 'Enrolled', change: 'Changed', reset: 'New key', leave: 'Left' } as const;

/** Throws statement_invalid where the signer's clock is far from ours: such an `at` would block later statements. */
function checkClock(tx: WriteTx, at: string): void {
  if (Math.abs(tsMicros(at) - tsMicros(tx.receivedAt())) <= CLOCK_MICROS) return;
  throw new TrailmixError('statement_invalid', {
    where: '/statement/at',
    message: 'at: is more than 10 minutes from the clock of the collector',
  });
}

function planOf(tx: WriteTx, statement: PersonStatement, signature: string, possession?: string): PersonPlan {
  const person = { ...statement, signature, ...(possession === undefined ? {} : { possession }) };
  const state = peopleState(tx.db, tx.tenantId);
  const eventType = EVENTS[statement.act];
  const plan = planned(() => planPerson(state, placeOf(tx), sha256, eventType, person));
  if (!plan.recovered) checkClock(tx, statement.at);
  return plan;
}

export const enrolmentCommands: Pick<CommandTable, Names> = {
  enrolFirst(tx, { statement, signature, possession, secret, via }) {
    if (peopleState(tx.db, tx.tenantId).begun) throw new TrailmixError('people_enrolled');
    if (statement.act !== 'enrol') {
      throw new TrailmixError('statement_invalid', {
        where: '/statement/act',
        message: 'act: must be enrol',
      });
    }
    const plan = planOf(tx, statement, signature, possession);
    const { publicKey } = plan;
    const key = { keyId: statement.key_id, publicKey, possession, secret };
    putSecret(tx, statement.person_id, 1, key);
    enter(tx, plan, via);
    return viewOf(tx, statement.person_id);
  },

  invitePerson(tx, { personId: id, name, roles, aliases, kind, by, tokenHash, via }) {
    const { db, tenantId } = tx;
    const known = row(tx, id);
    if (known?.state === 'left') throw new TrailmixError('person_left', { where: '/person_id' });
    if (kind === 'enrol') {
      if (known !== undefined && known.state !== 'invited') {
        throw new TrailmixError('person_exists', { where: '/person_id' });
      }
      const form = { person_id: id, name: name ?? '', roles: sorted(roles), aliases: sorted(aliases) };
      checkInvited(form);
      checkRoom(tx);
      db.prepare(
        `INSERT INTO person (tenant_id, id, name, roles, aliases, state) VALUES (?, ?, ?, ?, ?, 'invited')
         ON CONFLICT DO UPDATE SET name = excluded.name, roles = excluded.roles, aliases = excluded.aliases`,
      ).run(tenantId, id, form.name, JSON.stringify(form.roles), JSON.stringify(form.aliases));
    } else {
      if (known?.state !== 'active') throw new TrailmixError('person_unknown', { where: '/person_id' });
      db.prepare('DELETE FROM person_secret WHERE tenant_id = ? AND person_id = ? AND pending = 1').run(
        tenantId,
        id,
      );
    }
    const person = row(tx, id)!;
    const { receivedAt } = tx.append(
      own(
        'person.invited',
        {
          name: `Invited: ${person.name}`,
          person: {
            person_id: id,
            name: person.name,
            roles: JSON.parse(person.roles) as string[],
            by,
            ...(kind === 'enrol' ? {} : { reset: true }),
          },
        },
        via,
        by === BY_RECOVERY ? 'self' : 'person',
      ),
    );
    const expiresAt = formatMicros(tsMicros(receivedAt) + INVITATION_MICROS);
    db.prepare(
      `INSERT OR REPLACE INTO person_invitation
         (tenant_id, person_id, token_hash, kind, invited_by, invited_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
    ).run(tenantId, id, tokenHash, kind, by, receivedAt, expiresAt);
    return { expiresAt };
  },

  acceptInvite(tx, { tokenHash, publicKey, possession, secret, via }) {
    const { db, tenantId, ledgerId } = tx;
    const invitation = db
      .prepare<[{ tenant: string; token: Uint8Array }], InvitationRow>(SELECT_INVITATION)
      .get({ tenant: tenantId, token: tokenHash });
    if (invitation === undefined || invitation.expires_at <= tx.receivedAt()) {
      throw new TrailmixError('invite_invalid', { where: '/token' });
    }
    const id = invitation.person_id;
    const keyId = hex(sha256(publicKey));
    if (peopleState(db, tenantId).keyUsed(keyId)) {
      throw new TrailmixError('input_invalid', {
        where: '/public_key',
        message: 'This key was in force before: make a new one',
      });
    }
    const message = possessionMessage({
      ledger_id: ledgerId,
      tenant_id: tenantId,
      person_id: id,
      public_key: base64(publicKey),
    });
    if (!verifyEd25519(publicKey, message, Buffer.from(possession, 'base64'))) {
      throw new TrailmixError('signature_invalid', { where: '/possession' });
    }
    putSecret(tx, id, 1, { keyId, publicKey, possession, secret });
    db.prepare('DELETE FROM person_invitation WHERE tenant_id = ? AND person_id = ?').run(tenantId, id);
    if (invitation.kind === 'recovery') {
      const plan = planOf(tx, recoveryStatement(tx, id, publicKey, keyId), '', possession);
      enter(tx, plan, via);
      endSessions(tx, id, 'reset');
      return { person: viewOf(tx, id), enrolled: true };
    }
    if (invitation.kind === 'enrol') {
      db.prepare(`UPDATE person SET state = 'pending' WHERE tenant_id = ? AND id = ?`).run(tenantId, id);
    }
    const person = { person_id: id, key_id: keyId };
    tx.append(own('person.accepted', { name: `Key made: ${id}`, person }, via));
    return { person: viewOf(tx, id), enrolled: false };
  },

  withdrawInvite(tx, { personId: id, by, via }) {
    const { db, tenantId } = tx;
    const known = row(tx, id);
    const waits = known !== undefined && (known.invite_expires_at !== null || known.new_key_id !== null);
    if (!waits) throw new TrailmixError('person_unknown', { message: 'Nothing waits for this person' });
    db.prepare('DELETE FROM person_invitation WHERE tenant_id = ? AND person_id = ?').run(tenantId, id);
    db.prepare('DELETE FROM person_secret WHERE tenant_id = ? AND person_id = ? AND pending = 1').run(
      tenantId,
      id,
    );
    // A name that was never enrolled is free again.
    db.prepare(`DELETE FROM person WHERE tenant_id = ? AND id = ? AND state IN ('invited', 'pending')`).run(
      tenantId,
      id,
    );
    tx.append(
      own('person.withdrawn', { name: `Invitation withdrawn: ${id}`, person: { person_id: id, by } }, via),
    );
    return {};
  },

  signPerson(tx, { personId: id, by, statement, signature, via }) {
    const wrong = (member: string, message: string) =>
      new TrailmixError('statement_invalid', {
        where: `/statement/${member}`,
        message: `${member}: ${message}`,
      });
    if (statement.person_id !== id) throw wrong('person_id', 'is not the person of the address');
    if (statement.by !== by) throw wrong('by', 'is not the person who is signed in');
    const known = row(tx, id);
    if (known === undefined) throw new TrailmixError('person_unknown', { where: '/id' });
    const newKey = statement.act === 'enrol' || statement.act === 'reset';
    if (newKey && known.state !== 'left' && known.new_key_id !== statement.key_id) {
      throw new TrailmixError('person_key_unknown', {
        where: '/statement/key_id',
        message: 'The key is not the one that this person has made',
      });
    }
    if (statement.act === 'enrol' && (known.state === 'active' || known.state === 'left')) {
      throw new TrailmixError(known.state === 'left' ? 'person_left' : 'person_exists', { where: '/id' });
    }
    const plan = planOf(tx, statement, signature, newKey ? (known.possession ?? undefined) : undefined);
    enter(tx, plan, via);
    const rolesChanged = statement.act === 'change' && known.roles !== JSON.stringify(statement.roles);
    const why: SessionEnd | undefined =
      statement.act === 'reset' || statement.act === 'leave'
        ? statement.act
        : rolesChanged
          ? 'change'
          : undefined;
    if (why !== undefined) endSessions(tx, id, why);
    return { person: viewOf(tx, id), ended: why !== undefined };
  },

  changeSecret(tx, { personId: id, secret, via }) {
    const { db, tenantId } = tx;
    const old = db
      .prepare<[string, string], { key_id: string; public_key: Uint8Array; possession: string }>(
        `SELECT key_id, public_key, possession FROM person_secret WHERE tenant_id = ? AND person_id = ? AND pending = 0`,
      )
      .get(tenantId, id);
    if (old === undefined) throw new TrailmixError('sign_in_needed');
    const { key_id: keyId, public_key: publicKey, possession } = old;
    putSecret(tx, id, 0, { keyId, publicKey, possession, secret });
    const person = { person_id: id, key_id: keyId };
    tx.append(own('person.secret_changed', { name: `New passphrase: ${id}`, person }, via));
    return {};
  },
};

/** A reset that the recovery phrase allowed: everything but the key stays. */
function recoveryStatement(tx: WriteTx, id: string, publicKey: Uint8Array, keyId: string): PersonStatement {
  const known = row(tx, id)!;
  const last = tx.db
    .prepare<[string, string], { statement_at: string }>(
      'SELECT statement_at FROM person WHERE tenant_id = ? AND id = ?',
    )
    .get(tx.tenantId, id)!.statement_at;
  const now = tx.receivedAt();
  return {
    act: 'reset',
    aliases: JSON.parse(known.aliases) as string[],
    at: now > last ? now : formatMicros(tsMicros(last) + 1),
    by: BY_RECOVERY,
    by_key_id: '',
    key_id: keyId,
    ledger_id: tx.ledgerId,
    name: known.name,
    person_id: id,
    public_key: base64(publicKey),
    roles: JSON.parse(known.roles) as string[],
    tenant_id: tx.tenantId,
  };
}

/** The form of what an admin will have to sign later: refused now rather than then. */
function checkInvited(form: PersonForm): void {
  try {
    checkPersonForm(form);
  } catch (error) {
    if (!(error instanceof PersonFault)) throw error;
    throw new TrailmixError('input_invalid', { where: `/${error.member ?? ''}`, message: error.message });
  }
}

function checkRoom(tx: WriteTx): void {
  const count = (sql: string): number =>
    tx.db.prepare<[string], { count: number }>(sql).get(tx.tenantId)!.count;
  if (count('SELECT count(*) AS count FROM person WHERE tenant_id = ?') >= MOST_PEOPLE) {
    throw new TrailmixError('input_invalid', { message: `A tenant holds at most ${MOST_PEOPLE} people` });
  }
  if (count('SELECT count(*) AS count FROM person_invitation WHERE tenant_id = ?') >= MOST_INVITATIONS) {
    throw new TrailmixError('input_invalid', {
      message: `At most ${MOST_INVITATIONS} invitations wait: withdraw some`,
    });
  }
}
