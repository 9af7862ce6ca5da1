/**
 * What a session may do, by the one table of core/api/permissions; the collector refuses by the same. While nobody is enrolled the
 * opener of the link may do everything but what needs a person's own key. Pure.
 */
import { mayCall, type PersonOperation } from '../../core/api/permissions.ts';
import type { SessionView } from '../../core/api/views.ts';

/** Operations that mean a person, also while nobody is enrolled. */
const personal: ReadonlySet<PersonOperation> = new Set<PersonOperation>([
  'signOut',
  'myKey',
  'changeSecret',
  'invitePerson',
  'withdrawInvite',
  'signPerson',
  'delegate',
  'endDelegation',
]);
/** Not from a page at all, whoever is signed in. */
const elsewhere: ReadonlySet<PersonOperation> = new Set<PersonOperation>(['recoverPerson']);

export function mayDo(me: Pick<SessionView, 'alone' | 'roles'> | undefined, name: PersonOperation): boolean {
  if (me === undefined || elsewhere.has(name)) return false;
  return me.alone ? !personal.has(name) : mayCall(name, me.roles);
}
