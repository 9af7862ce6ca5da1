/**
 * Writer commands on invitations: made by an admin or the recovery phrase, accepted with a new key, withdrawn. Tokens come
 * hashed. A recovery is the one acceptance that enrols at once. Format: docs/spec/people.md.
 */
import { TrailmixError } from '../../core/api/errors.ts';
import { formatMicros, tsMicros } from '../../core/event/time.ts';
import { checkPersonForm, PersonFault, type PersonForm } from '../../core/pack/person_form.ts';
import { base64, hex } from '../../core/proof/bytes.ts';
import { BY_RECOVERY, type PersonStatement, possessionMessage } from '../../core/proof/person.ts';
import type { CommandTable, WriteTx } from '../ledger/tx.ts';
import { sha256 } from '../sha256.ts';
import { enter, planOf, putSecret, row, viewOf } from './person_rows.ts';
import { endSessions, own } from './records.ts';
import { peopleState, verifyEd25519 } from './state.ts';
import { type InvitationRow, SELECT_INVITATION } from './view.ts';

const INVITATION_MICROS = 72 * 3_600_000_000;
/** Bounds of one tenant: people ever named, and invitations that wait. */
const MOST_PEOPLE = 5000;
const MOST_INVITATIONS = 200;
const sorted = (items: readonly string[] = []): string[] => [...new Set(items)].sort();

export const invitationCommands: Pick<CommandTable, 'invitePerson' | 'acceptInvite' | 'withdrawInvite'> = {
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
