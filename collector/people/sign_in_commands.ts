/** Writer commands on sign-in: every attempt, session and lock is a record, in one transaction with its row. */
import { TrailmixError } from '../../core/api/errors.ts';
import type { CommandTable } from '../ledger/tx.ts';
import { viewOf } from './person_rows.ts';
import { endSession, own } from './records.ts';

type Names = 'signedIn' | 'signedOut' | 'sessionsEnded' | 'signInFailed';

export const signInCommands: Pick<CommandTable, Names> = {
  signedIn(tx, { personId: id, session, keyId, oldest, via }) {
    const { db, tenantId } = tx;
    // Between the check of the secret and now the person may have left or been reset.
    const { changes } = db
      .prepare(
        `UPDATE person SET failures = 0, locked_until = NULL, last_sign_in_at = ?
         WHERE tenant_id = ? AND id = ? AND key_id = ? AND state = 'active'`,
      )
      .run(tx.receivedAt(), tenantId, id, keyId);
    if (changes === 0) throw new TrailmixError('sign_in_failed');
    for (const old of oldest) endSession(tx, { id: old, personId: id }, 'replaced');
    const person = { person_id: id, session };
    const { receivedAt } = tx.append(own('person.signed_in', { name: `Signed in: ${id}`, person, via }, via));
    db.prepare('INSERT INTO person_session (tenant_id, id, person_id, started_at) VALUES (?, ?, ?, ?)').run(
      tenantId,
      session,
      id,
      receivedAt,
    );
    return viewOf(tx, id);
  },

  signedOut(tx, { personId, session, via }) {
    const { changes } = tx.db
      .prepare('DELETE FROM person_session WHERE tenant_id = ? AND id = ?')
      .run(tx.tenantId, session);
    if (changes === 0) return {};
    const person = { person_id: personId, session };
    tx.append(own('person.signed_out', { name: `Signed out: ${personId}`, person, via }, via));
    return {};
  },

  sessionsEnded(tx, { sessions, why }) {
    for (const session of sessions) endSession(tx, session, why);
    return {};
  },

  signInFailed(tx, { attempts, locked, via }) {
    const { db, tenantId } = tx;
    for (const { personId, attempts: count, failures } of attempts) {
      const person = { person_id: personId, attempts: count };
      tx.append(
        own('person.sign_in_failed', { name: `Sign-in failed: ${personId}`, person, via }, via, 'self'),
      );
      if (failures !== undefined) {
        db.prepare('UPDATE person SET failures = ? WHERE tenant_id = ? AND id = ?').run(
          failures,
          tenantId,
          personId,
        );
      }
    }
    if (locked !== undefined) {
      const { personId, until, failures } = locked;
      tx.append(
        own(
          'person.locked',
          { name: `Locked: ${personId}`, person: { person_id: personId, until } },
          'collector',
          'self',
        ),
      );
      db.prepare('UPDATE person SET locked_until = ?, failures = ? WHERE tenant_id = ? AND id = ?').run(
        until,
        failures,
        tenantId,
        personId,
      );
    }
    return {};
  },
};
