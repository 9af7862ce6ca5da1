/** Records about people as the writer makes them, and the end of sessions. */
import type { JsonObject } from '../../core/proof/jcs.ts';
import { LEDGER_APP } from '../../core/proof/record.ts';
import type { WriteTx } from '../ledger/tx.ts';
import type { OwnEvent, Source } from '../ports.ts';
import type { SessionEnd, Via } from './command_types.ts';

/** `auth` is person where somebody who signed in, or now does, asked for it. */
export const own = (
  eventType: string,
  members: JsonObject,
  via: Via | 'collector',
  auth: Source['auth'] = 'person',
): OwnEvent => ({ appId: LEDGER_APP, eventType, members, source: { via, auth } });

/** Every session of the person ends, each with a record. The live ones are ended by the caller once this is durable. */
export function endSessions(tx: WriteTx, personId: string, why: SessionEnd): void {
  const sessions = tx.db
    .prepare<[string, string], { id: string }>(
      'SELECT id FROM person_session WHERE tenant_id = ? AND person_id = ? ORDER BY started_at, id',
    )
    .all(tx.tenantId, personId);
  for (const { id } of sessions) endSession(tx, { id, personId }, why);
}

/** Nothing is recorded of a session that has ended before. */
export function endSession(tx: WriteTx, session: { id: string; personId: string }, why: SessionEnd): void {
  const { changes } = tx.db
    .prepare('DELETE FROM person_session WHERE tenant_id = ? AND id = ?')
    .run(tx.tenantId, session.id);
  if (changes === 0) return;
  const person = { person_id: session.personId, session: session.id };
  tx.append(
    own(
      'person.session_ended',
      { name: `Session ended: ${session.personId}`, person, why },
      'collector',
      'self',
    ),
  );
}
