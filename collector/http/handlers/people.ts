/** People over HTTP (collector/people/desk.ts does the work). Who may is decided before (access.ts). */
import { TrailmixError } from '../../../core/api/errors.ts';
import type { OutputOf } from '../../../core/api/operations.ts';
import type { peopleOperations } from '../../../core/api/people_operations.ts';
import { maySeeSignIns } from '../../../core/api/permissions.ts';
import { SystemRole } from '../../../core/api/views.ts';
import type { Principal } from '../../ports.ts';
import type { Handlers, OpenContext } from '../handler.ts';
import type { Host, OpenServices } from '../services.ts';
import { baseUrl } from './host.ts';
import { tenantsFor } from './tenants.ts';

type Names = keyof typeof peopleOperations;

type Via = 'page' | 'cli';
type SignedInPerson = { id: string; session: string; via: Via };

/** Throws sign_in_needed: a session without a name, or the socket. */
export function signedIn(principal: Principal): SignedInPerson {
  if (principal.kind !== 'person' || principal.personId === undefined) {
    throw new TrailmixError('sign_in_needed');
  }
  return { id: principal.personId, session: principal.session, via: viaOf(principal) };
}

const viaOf = (principal: Principal): Via =>
  principal.kind === 'local' || (principal.kind === 'person' && principal.via === 'cli') ? 'cli' : 'page';

/**
 * Where a sign-in is tried. A tenant that is not there, is refused, or has nobody yet answers as one whose names are all wrong: no
 * stranger learns which tenants there are. `name` is then one that nobody can have.
 */
async function signInAt(
  { host, open }: OpenContext,
  { tenant_id = open.ledger.tenantId, person_id }: { tenant_id?: string; person_id: string },
): Promise<{ people: OpenServices['people']; name: string; tenantId: string }> {
  const asked = tenant_id === open.ledger.tenantId ? open : await host.tenants.of(tenant_id).catch(notThere);
  const strange = asked === undefined || (asked !== open && asked.people.enrolled() === 0);
  return strange
    ? { people: open.people, name: `/${tenant_id}/${person_id}`, tenantId: tenant_id }
    : { people: asked.people, name: person_id, tenantId: tenant_id };
}

const notThere = (): undefined => undefined;

const inviteUrl = (host: Host, token: string): string => `${baseUrl(host)}/#invite=${token}`;

async function whoAmI(context: OpenContext): Promise<OutputOf<'whoAmI'>> {
  const { host, open, principal } = context;
  const { people, ledger } = open;
  const person = principal.kind === 'person' ? principal.personId : undefined;
  const alone = people.enrolled() === 0;
  const expires =
    principal.kind === 'person' && principal.expiresAt !== undefined
      ? principal.expiresAt
      : host.clock.now() + 3_600_000;
  return {
    ...(person === undefined ? {} : { person: await people.person(person) }),
    roles: alone ? [...SystemRole.enum] : principal.kind === 'person' ? [...principal.roles] : [],
    alone,
    four_eyes: people.fourEyes(),
    tenant_id: ledger.tenantId,
    tenant_name: host.tenants.nameOf(ledger.tenantId),
    tenants: tenantsFor(context),
    several: host.tenants.several,
    ledger_id: ledger.ledgerId,
    expires_at: new Date(expires).toISOString(),
  };
}

export const peopleHandlers: Pick<Handlers, Names> = {
  async signInState({ host, open, principal }) {
    if (open === undefined) return { enrolled: false, tenants: [], several: false };
    const { ledgerId, tenantId } = open.ledger;
    const asked = principal.kind === 'local' ? [open] : host.tenants.open();
    return {
      enrolled: asked.some(({ people }) => people.enrolled() > 0),
      ledger_id: ledgerId,
      tenants: [tenantId],
      several: host.tenants.several,
    };
  },
  async startSignIn(context, { input }) {
    const { people, name, tenantId } = await signInAt(context, input);
    return {
      kdf: await people.startSignIn(name),
      ledger_id: context.open.ledger.ledgerId,
      tenant_id: tenantId,
    };
  },
  async signIn(context, { input }) {
    const { people, name } = await signInAt(context, input);
    return people.signIn(name, input.auth, viaOf(context.principal));
  },
  async signOut({ open, principal }) {
    const { id, session, via } = signedIn(principal);
    await open?.people.signOut(id, session, via);
    return {};
  },
  whoAmI,
  async myKey({ open, principal }, { input }) {
    const { id, via } = signedIn(principal);
    return open.people.myKey(id, input.auth, via);
  },
  async changeSecret({ open, principal }, { input }) {
    const { id, via } = signedIn(principal);
    await open.people.changeSecret(id, input.current_auth, input.sign_in, via);
    return {};
  },

  people: async ({ open }, { query }) => open.people.people(query),
  enrolFirst: async ({ open, principal }, { input }) => open.people.enrolFirst(input, viaOf(principal)),
  async invitePerson({ host, open, principal }, { input }) {
    const { id, via } = signedIn(principal);
    const invited = await open.people.invite(input, id, via);
    return { ...invited, invite_url: inviteUrl(host, invited.token) };
  },
  async lookAtInvite({ host }, { input }) {
    const { people } = await host.tenants.ofInvitation(input.token);
    return people.invitation(input.token);
  },
  async acceptInvite({ host, principal }, { input }) {
    const { people } = await host.tenants.ofInvitation(input.token);
    return people.accept(input, viaOf(principal));
  },
  async acceptedInvite({ host }, { input }) {
    // `watch` is under the key of one tenant, and so says itself of which.
    for (const { people } of host.tenants.open()) {
      try {
        return await people.accepted(input);
      } catch (error) {
        if (!(error instanceof TrailmixError) || error.code !== 'invite_invalid') throw error;
      }
    }
    throw new TrailmixError('invite_invalid', { where: '/watch' });
  },
  async withdrawInvite({ open, principal }, { params }) {
    const { id, via } = signedIn(principal);
    await open.people.withdraw(params.id, id, via);
    return {};
  },
  async signPerson({ open, principal }, { params, input }) {
    const { id, via } = signedIn(principal);
    return open.people.sign(params.id, input, id, via);
  },
  async recoverPerson({ host, open, principal }, { params, input }) {
    const invited = await open.people.recover(params.id, input.recovery_phrase, viaOf(principal));
    return { ...invited, invite_url: inviteUrl(host, invited.token) };
  },

  delegations: async ({ open }, { query }) => open.people.delegations(query),
  async delegate({ open, principal }, { input }) {
    const { id, via } = signedIn(principal);
    return open.people.delegate(input, id, via);
  },
  async endDelegation({ open, principal }, { params }) {
    const { id, via } = signedIn(principal);
    return open.people.endDelegation(params.id, id, via);
  },
  async signIns({ open, principal }, { params, query }) {
    if (principal.kind === 'person' && open.people.enrolled() > 0) {
      const { id } = signedIn(principal);
      if (!maySeeSignIns(principal.roles, id, params.id)) throw new TrailmixError('role_missing');
    }
    return open.people.signIns(params.id, query);
  },
};
