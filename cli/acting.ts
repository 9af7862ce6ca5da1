/**
 * Who a command works as: a person who signs (`--as NAME`), or this machine's user while nobody is enrolled. And what every statement
 * says of who signed it.
 */
import type { OperationName, OutputOf } from '../core/api/operations.ts';
import type { Call } from './client.ts';
import { custodyOf, withCollector } from './collector_for.ts';
import { type Invocation, textOf } from './command.ts';
import { asPerson, type SignedIn } from './person_sign_in.ts';

export type Actor = {
  call<N extends OperationName>(name: N, options?: Call<N>): Promise<OutputOf<N>>;
  person?: SignedIn;
};

/** Throws what withCollector, asPerson and the work throw. */
export function acting<T>({ data, values }: Invocation, work: (actor: Actor) => Promise<T>): Promise<T> {
  const name = textOf(values, 'as');
  return withCollector(data, custodyOf(values), caller =>
    name === undefined ? work(caller) : asPerson(caller, name, person => work({ call: person.call, person })),
  );
}

/** The members that statements on policies and on erasures have in common; `at` has the form of received_at. */
export const signerOf = ({ person, keyId, ledgerId, tenantId }: SignedIn) => ({
  at: new Date().toISOString().replace('Z', '000Z'),
  by: person.id,
  by_key_id: keyId,
  ledger_id: ledgerId,
  tenant_id: tenantId,
});
