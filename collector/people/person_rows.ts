/** The rows and the record of a statement that counts, for the commands on enrolment. Inside the writer's transaction. */
import { TrailmixError } from '../../core/api/errors.ts';
import type { PersonView } from '../../core/api/views.ts';
import { tsMicros } from '../../core/event/time.ts';
import { type PersonPlan, planPerson } from '../../core/pack/person_rules.ts';
import { jcs } from '../../core/proof/jcs.ts';
import type { PersonStatement } from '../../core/proof/person.ts';
import type { WriteTx } from '../ledger/tx.ts';
import { sha256 } from '../sha256.ts';
import type { SecretInput } from './command_types.ts';
import { own } from './records.ts';
import { peopleState, planned } from './state.ts';
import { type PersonRow, personView, SELECT_PERSON } from './view.ts';

/** How far the admin's clock may be from the collector's. */
const CLOCK_MICROS = 10 * 60_000_000;

export const row = (tx: WriteTx, id: string): PersonRow | undefined =>
  tx.db.prepare<[{ tenant: string; id: string }], PersonRow>(SELECT_PERSON).get({ tenant: tx.tenantId, id });

/** Throws person_unknown. */
export function viewOf(tx: WriteTx, id: string): PersonView {
  const found = row(tx, id);
  if (found === undefined) throw new TrailmixError('person_unknown', { where: '/id' });
  return personView(found, tx.receivedAt());
}

export const secretContext = (tenantId: string, personId: string, keyId: string): string =>
  `person/${tenantId}/${personId}/${keyId}`;

type NewKey = { keyId: string; publicKey: Uint8Array; possession: string; secret: SecretInput };

export function putSecret(tx: WriteTx, id: string, pending: 0 | 1, key: NewKey): void {
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

export const placeOf = (tx: WriteTx) => ({ ledger_id: tx.ledgerId, tenant_id: tx.tenantId });

/** The record of a statement that counts, and the rows that follow from it. */
export function enter(tx: WriteTx, plan: PersonPlan, via: 'page' | 'cli'): void {
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
export function checkClock(tx: WriteTx, at: string): void {
  if (Math.abs(tsMicros(at) - tsMicros(tx.receivedAt())) <= CLOCK_MICROS) return;
  throw new TrailmixError('statement_invalid', {
    where: '/statement/at',
    message: 'at: is more than 10 minutes from the clock of the collector',
  });
}

export function planOf(
  tx: WriteTx,
  statement: PersonStatement,
  signature: string,
  possession?: string,
): PersonPlan {
  const person = { ...statement, signature, ...(possession === undefined ? {} : { possession }) };
  const state = peopleState(tx.db, tx.tenantId);
  const eventType = EVENTS[statement.act];
  const plan = planned(() => planPerson(state, placeOf(tx), sha256, eventType, person));
  if (!plan.recovered) checkClock(tx, statement.at);
  return plan;
}
