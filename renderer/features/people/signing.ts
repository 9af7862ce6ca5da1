/** Acts that are signed in the page: the passphrase is asked when needed, the statement is made, signed and sent. */
import type { PersonView, SessionView } from '../../../core/api/views.ts';
import { delegationMessage, type PersonAct, personMessage } from '../../../core/proof/person.ts';
import { call } from '../../api/client.ts';
import { refusal } from '../../api/problem.ts';
import { ensureUnlocked, signer } from '../../api/signer.ts';
import { delegationStatement, personStatement, type Signing } from './statements.ts';

/** Undefined when the reader cancelled. */
async function signing(me: SessionView, why: string): Promise<Signing | undefined> {
  if (me.person === undefined) throw refusal('sign_in_needed');
  if (!(await ensureUnlocked(why))) return undefined;
  const { ledger_id, tenant_id } = me;
  return { ledger_id, tenant_id, by: me.person.id, by_key_id: signer.keyId(), now: Date.now() };
}

/** The person as after the act. Undefined when the reader cancelled; throws what the collector refuses. */
export async function signPerson(
  me: SessionView,
  act: PersonAct,
  after: PersonView,
  why: string,
): Promise<PersonView | undefined> {
  const { key_id, public_key } = after;
  if (key_id === undefined || public_key === undefined) throw refusal('person_key_unknown');
  const given = await signing(me, why);
  if (given === undefined) return undefined;
  const statement = personStatement(act, { ...after, key_id, public_key }, given);
  return call('signPerson', {
    params: { id: after.id },
    input: {
      statement: { ...statement, aliases: [...statement.aliases], roles: [...statement.roles] },
      signature: await signer.sign(personMessage(statement)),
    },
  });
}

export type DelegationGiven = {
  to: string;
  roles: readonly string[];
  starts: number;
  ends: number;
  reason: string;
};

/** False when the reader cancelled. */
export async function signDelegation(me: SessionView, delegation: DelegationGiven): Promise<boolean> {
  const given = await signing(me, 'To sign the delegation.');
  if (given === undefined) return false;
  const id = `dlg_${crypto.randomUUID().replaceAll('-', '')}`;
  const statement = delegationStatement({ ...delegation, id }, given);
  await call('delegate', {
    input: {
      statement: { ...statement, roles: [...statement.roles] },
      signature: await signer.sign(delegationMessage(statement)),
    },
  });
  return true;
}
