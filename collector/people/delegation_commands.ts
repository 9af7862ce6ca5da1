/** Writer commands on delegations: rows and record are one transaction; the rules are core/pack/delegation_rules.ts. */
import { TrailmixError } from '../../core/api/errors.ts';
import type { DelegationView } from '../../core/api/views.ts';
import { planDelegation, planDelegationEnd } from '../../core/pack/delegation_rules.ts';
import type { CommandTable, WriteTx } from '../ledger/tx.ts';
import { checkClock } from './person_rows.ts';
import { own } from './records.ts';
import { peopleState, planned, refusing } from './state.ts';
import { type DelegationRow, delegationView, SELECT_ONE_DELEGATION } from './view.ts';

/** Delegations of one person that have not ended. */
const MOST_OPEN = 100;

function viewOf(tx: WriteTx, id: string): DelegationView {
  const row = tx.db
    .prepare<[{ tenant: string; id: string }], DelegationRow>(SELECT_ONE_DELEGATION)
    .get({ tenant: tx.tenantId, id });
  if (row === undefined)
    throw new TrailmixError('not_found', { where: '/id', message: 'no such delegation' });
  return delegationView(row, tx.receivedAt());
}

export const delegationCommands: Pick<CommandTable, 'delegate' | 'endDelegation'> = {
  delegate(tx, { by, statement, signature, via }) {
    const { db, tenantId, ledgerId } = tx;
    if (statement.from !== by) {
      throw new TrailmixError('statement_invalid', {
        where: '/statement/from',
        message: 'from: is not the person who is signed in',
      });
    }
    const place = { ledger_id: ledgerId, tenant_id: tenantId };
    const state = peopleState(db, tenantId);
    const delegation = { ...statement, roles: [...statement.roles], signature };
    planned(() => planDelegation(state, place, delegation));
    const now = tx.receivedAt();
    if (statement.ends_at <= now) {
      throw new TrailmixError('delegation_invalid', {
        where: '/statement/ends_at',
        message: 'ends_at: is over',
      });
    }
    checkClock(tx, statement.at);
    const { count } = db
      .prepare<[string, string, string], { count: number }>(
        `SELECT count(*) AS count FROM delegation
         WHERE tenant_id = ? AND from_id = ? AND ended_at IS NULL AND ends_at > ?`,
      )
      .get(tenantId, by, now)!;
    if (count >= MOST_OPEN) {
      throw new TrailmixError('delegation_invalid', {
        message: `At most ${MOST_OPEN} delegations at a time: end some`,
      });
    }
    const { delegation_id: id, from, to, roles, starts_at, ends_at, reason } = statement;
    const { seq } = tx.append(
      own('person.delegated', { name: `Delegated: ${from} to ${to}`, delegation }, via),
    );
    db.prepare(
      `INSERT INTO delegation (tenant_id, id, from_id, to_id, roles, starts_at, ends_at, reason, seq)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ).run(tenantId, id, from, to, JSON.stringify(roles), starts_at, ends_at, reason, seq);
    return viewOf(tx, id);
  },

  endDelegation(tx, { id, by, via }) {
    const { db, tenantId } = tx;
    const before = viewOf(tx, id);
    if (before.state === 'ended') return before;
    const delegation = { delegation_id: id, by };
    refusing(() => planDelegationEnd(peopleState(db, tenantId), delegation));
    const { receivedAt } = tx.append(
      own('person.delegation_ended', { name: `Delegation ended: ${id}`, delegation }, via),
    );
    db.prepare('UPDATE delegation SET ended_at = ?, ended_by = ? WHERE tenant_id = ? AND id = ?').run(
      receivedAt,
      by,
      tenantId,
      id,
    );
    return viewOf(tx, id);
  },
};
