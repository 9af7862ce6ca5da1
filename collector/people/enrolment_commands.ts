/**
 * Writer commands on enrolment: the first admin, what an admin signs, a person's own new passphrase. Rows and record are one
 * transaction; whether a statement counts is decided by core/pack/person_rules.ts, as the verifier does.
 * Format: docs/spec/people.md.
 */
import { TrailmixError } from '../../core/api/errors.ts';
import type { CommandTable } from '../ledger/tx.ts';
import type { SessionEnd } from './command_types.ts';
import { enter, planOf, putSecret, row, viewOf } from './person_rows.ts';
import { endSessions, own } from './records.ts';
import { peopleState } from './state.ts';

export const enrolmentCommands: Pick<CommandTable, 'enrolFirst' | 'signPerson' | 'changeSecret'> = {
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
