/** People over HTTP (collector/people/desk.ts does the work). Who may is decided before (access.ts). */
import { TrailmixError } from '../../../core/api/errors.ts';
import type { OutputOf } from '../../../core/api/operations.ts';
import type { peopleOperations } from '../../../core/api/people_operations.ts';
import { SystemRole } from '../../../core/api/views.ts';
import type { Principal } from '../../ports.ts';
import type { Handlers, OpenContext } from '../handler.ts';
import type { Host, OpenServices } from '../services.ts';
import { baseUrl } from './host.ts';

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

/** One tenant stands in this ledger. Throws input_invalid. */
function checkTenant(open: OpenServices, tenantId: string | undefined): void {
  if (tenantId === undefined || tenantId === open.ledger.tenantId) return;
  throw new TrailmixError('input_invalid', {
    where: '/tenant_id',
    message: 'This ledger has no such tenant',
  });
}

const inviteUrl = (host: Host, token: string): string => `${baseUrl(host)}/#invite=${token}`;

async function whoAmI({ host, open, principal }: OpenContext): Promise<OutputOf<'whoAmI'>> {
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
    tenants: [ledger.tenantId],
    ledger_id: ledger.ledgerId,
    expires_at: new Date(expires).toISOString(),
  };
}

export const peopleHandlers: Pick<Handlers, Names> = {
  async signInState({ host }) {
    const open = host.open();
    if (open === undefined) return { enrolled: false, tenants: [] };
    const { ledger, people } = open;
    return { enrolled: people.enrolled() > 0, ledger_id: ledger.ledgerId, tenants: [ledger.tenantId] };
  },
  async startSignIn({ open }, { input }) {
    checkTenant(open, input.tenant_id);
    const { ledgerId, tenantId } = open.ledger;
    return { kdf: await open.people.startSignIn(input.person_id), ledger_id: ledgerId, tenant_id: tenantId };
  },
  async signIn({ open, principal }, { input }) {
    checkTenant(open, input.tenant_id);
    return open.people.signIn(input.person_id, input.auth, viaOf(principal));
  },
  async signOut({ host, principal }) {
    const { id, session, via } = signedIn(principal);
    await host.open()?.people.signOut(id, session, via);
    return {};
  },
  whoAmI,
  myKey: async ({ open, principal }) => open.people.myKey(signedIn(principal).id),
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
  lookAtInvite: async ({ open }, { input }) => open.people.invitation(input.token),
  acceptInvite: async ({ open, principal }, { input }) => open.people.accept(input, viaOf(principal)),
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
  signIns: async ({ open }, { params, query }) => open.people.signIns(params.id, query),
};
