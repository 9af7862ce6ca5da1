/** `trailmix people list|add|sign|roles|reset|leave`: who may answer, with an admin's own sign-in and signature. */
import { TrailmixError } from '../core/api/errors.ts';
import type { PersonView } from '../core/api/views.ts';
import { type PersonAct, type PersonStatement, personMessage } from '../core/proof/person.ts';
import { type Caller, custodyOf, withCollector } from './collector_for.ts';
import { type Command, type ExitCode, type Invocation, need, textOf } from './command.ts';
import { asPerson, newSignIn, type SignedIn } from './person_sign_in.ts';
import { secretFrom } from './secret_prompt.ts';

const FIRST_ROLES = ['admin', 'analyst', 'approver', 'policy_author'];

const words = (text: string | undefined): string[] =>
  [...new Set((text ?? '').split(',').map(word => word.trim()))].filter(word => word !== '').sort();

const now = (): string => new Date().toISOString().replace('Z', '000Z');

/** Four groups of four, to read aloud. */
export const fingerprint = (keyId: string): string => keyId.slice(0, 16).match(/.{4}/g)!.join(' ');

async function list({ out }: Invocation, { call }: Caller): Promise<ExitCode> {
  const { items } = await call('people');
  out.json({ people: items });
  if (items.length === 0) {
    out.say('Nobody is enrolled: answers to approvals are unsigned.');
    out.say('Enrol yourself as the first admin: trailmix people add anna --name "Anna Berg"');
  }
  for (const person of items) {
    const key = person.key_id === undefined ? '' : `key ${fingerprint(person.key_id)}`;
    out.say(
      [person.id.padEnd(20), person.state.padEnd(8), person.roles.join(','), key, person.name].join('  '),
    );
  }
  return 0;
}

/** The first admin signs for themselves. */
async function enrolFirst({ positionals, values, out }: Invocation, caller: Caller): Promise<ExitCode> {
  const id = positionals[1]!;
  const { ledger_id: ledgerId, tenants } = await caller.call('signInState');
  const tenantId = tenants[0];
  if (ledgerId === undefined || tenantId === undefined) throw new TrailmixError('setup_needed');
  const made = await newSignIn(id, { ledgerId, tenantId }, 'TRAILMIX_NEW_SIGN_IN');
  const roles = values.roles === undefined ? FIRST_ROLES : words(textOf(values, 'roles'));
  const statement: PersonStatement = {
    act: 'enrol',
    aliases: words(textOf(values, 'aliases')),
    at: now(),
    by: id,
    by_key_id: made.keyId,
    key_id: made.keyId,
    ledger_id: ledgerId,
    name: textOf(values, 'name') ?? id,
    person_id: id,
    public_key: made.publicKey,
    roles,
    tenant_id: tenantId,
  };
  const { person, session } = await caller.call('enrolFirst', {
    input: {
      statement: statement as never,
      signature: made.sign(personMessage(statement)),
      possession: made.possession,
      sign_in: made.signIn,
    },
  });
  await caller.call('signOut', { session }).catch(() => undefined);
  out.json({ person });
  out.say(`${person.name} is the first admin, key ${fingerprint(made.keyId)}.`);
  out.say('From now on the page asks for this sign-in, and answers are signed.');
  return 0;
}

async function signed(
  admin: SignedIn,
  person: PersonView,
  act: PersonAct,
  more: Partial<PersonStatement> = {},
): Promise<PersonView> {
  if (person.key_id === undefined || person.public_key === undefined) {
    throw new TrailmixError('person_key_unknown', { message: `${person.id} has not made a key yet` });
  }
  const statement: PersonStatement = {
    act,
    aliases: person.aliases,
    at: now(),
    by: admin.person.id,
    by_key_id: admin.keyId,
    key_id: person.key_id,
    ledger_id: admin.ledgerId,
    name: person.name,
    person_id: person.id,
    public_key: person.public_key,
    roles: person.roles,
    tenant_id: admin.tenantId,
    ...more,
  };
  return admin.call('signPerson', {
    params: { id: person.id },
    input: { statement: statement as never, signature: admin.sign(personMessage(statement)) },
  });
}

async function personOf(admin: Pick<SignedIn, 'call'>, id: string): Promise<PersonView> {
  const { items } = await admin.call('people', { query: { limit: 1000 } });
  const found = items.find(person => person.id === id);
  if (found === undefined) throw new TrailmixError('person_unknown', { where: id });
  return found;
}

/** The one who was invited makes the key at this very terminal. */
async function acceptHere(caller: Caller, id: string, token: string): Promise<boolean> {
  const look = await caller.call('lookAtInvite', { input: { token } });
  const made = await newSignIn(
    id,
    { ledgerId: look.ledger_id, tenantId: look.tenant_id },
    'TRAILMIX_NEW_SIGN_IN',
  );
  const { enrolled } = await caller.call('acceptInvite', {
    input: { token, public_key: made.publicKey, possession: made.possession, sign_in: made.signIn },
  });
  return enrolled;
}

type Invited = { person_id: string; invite_url: string; expires_at: string };

function toldOf(invited: Invited, { out }: Invocation): ExitCode {
  out.json({ person_id: invited.person_id, invite_url: invited.invite_url, expires_at: invited.expires_at });
  out.say(
    `Give this link to ${invited.person_id} by a way you trust; it works once, until ${invited.expires_at}:`,
  );
  out.say(`  ${invited.invite_url}`);
  out.say(`When the key is made: trailmix people sign ${invited.person_id} --as YOU`);
  return 0;
}

async function invite(invocation: Invocation, caller: Caller, reset: boolean): Promise<ExitCode> {
  const { positionals, values, out } = invocation;
  const id = positionals[1]!;
  return asPerson(caller, need(values, 'as'), async (admin): Promise<ExitCode> => {
    const roles = words(textOf(values, 'roles'));
    const aliases = words(textOf(values, 'aliases'));
    const invited = await admin.call('invitePerson', {
      input: reset
        ? { person_id: id, reset: true }
        : {
            person_id: id,
            name: textOf(values, 'name') ?? id,
            roles: roles.length === 0 ? ['approver'] : roles,
            ...(aliases.length === 0 ? {} : { aliases }),
          },
    });
    if (values.here !== true) return toldOf(invited, invocation);
    await acceptHere(caller, id, invited.token);
    const person = await signed(admin, await personOf(admin, id), reset ? 'reset' : 'enrol');
    out.json({ person });
    out.say(
      `${person.name} is enrolled, key ${fingerprint(person.key_id!)}, roles ${person.roles.join(', ')}.`,
    );
    return 0;
  });
}

async function recover(invocation: Invocation, caller: Caller): Promise<ExitCode> {
  const id = invocation.positionals[1]!;
  const phrase = await secretFrom('TRAILMIX_RECOVERY_PHRASE', 'Recovery phrase of the vault');
  const invited = await caller.call('recoverPerson', { params: { id }, input: { recovery_phrase: phrase } });
  if (invocation.values.here !== true) return toldOf(invited, invocation);
  await acceptHere(caller, id, invited.token);
  const person = await personOf(caller, id);
  invocation.out.json({ person });
  invocation.out.say(`${person.name} has a new key, by the recovery phrase: every later pack shows that.`);
  return 0;
}

async function change(
  invocation: Invocation,
  caller: Caller,
  act: 'sign' | 'change' | 'leave',
): Promise<ExitCode> {
  const { positionals, values, out } = invocation;
  const roles = words(textOf(values, 'roles'));
  if (act === 'change' && roles.length === 0) {
    throw new TrailmixError('usage', { where: '--roles', message: '--roles is missing' });
  }
  return asPerson(caller, need(values, 'as'), async (admin): Promise<ExitCode> => {
    const person = await personOf(admin, positionals[1]!);
    const done =
      act === 'sign'
        ? await signed(admin, person, person.resetting === true ? 'reset' : 'enrol')
        : await signed(admin, person, act, act === 'change' ? { roles } : {});
    out.json({ person: done });
    out.say(
      `${done.name}: ${done.state}, roles ${done.roles.join(', ') || 'none'}, signed by ${admin.person.id}.`,
    );
    return 0;
  });
}

export const peopleCommand: Command = {
  summary: 'People who sign in and approve: enrol, change roles, reset a forgotten sign-in, leave.',
  usage:
    'list | add ID [--name NAME] [--roles LIST] [--as ADMIN] [--here] | sign ID | roles ID | reset ID | leave ID',
  examples: [
    'trailmix people add anna --name "Anna Berg"',
    'trailmix people add ben --name "Ben Ode" --roles approver,treasurer --as anna',
    'trailmix people sign ben --as anna',
    'trailmix people roles ben --roles analyst,approver --as anna',
    'trailmix people reset ben --as anna',
    'trailmix people reset anna --recovery --here',
  ],
  options: {
    as: { type: 'string' },
    name: { type: 'string' },
    roles: { type: 'string' },
    aliases: { type: 'string' },
    here: { type: 'boolean' },
    recovery: { type: 'boolean' },
    'key-file': { type: 'string' },
  },
  help: {
    '--as ADMIN': 'the admin who signs; the passphrase is typed, piped, or TRAILMIX_SIGN_IN',
    '--name NAME': 'as others read it (default the sign-in name)',
    '--roles LIST': 'of admin, policy_author, approver, analyst, auditor, and roles that your policies name',
    '--aliases LIST': 'other ids under which this person asks, so that nobody approves their own request',
    '--here': 'the new person types a passphrase at this terminal (or TRAILMIX_NEW_SIGN_IN)',
    '--recovery': 'no admin can sign in: by the recovery phrase of the vault (or TRAILMIX_RECOVERY_PHRASE)',
    '--key-file F': "the vault's key file, where it is not in its usual place",
  },
  words: [1, 2],
  async run(invocation) {
    const { data, values, positionals } = invocation;
    const [verb, id] = positionals;
    if (
      verb !== 'list' &&
      id === undefined &&
      ['add', 'sign', 'roles', 'reset', 'leave'].includes(verb ?? '')
    ) {
      throw new TrailmixError('usage', { message: `${verb} needs a sign-in name` });
    }
    return withCollector(data, custodyOf(values), async caller => {
      switch (verb) {
        case 'list':
          return list(invocation, caller);
        case 'add': {
          const { enrolled } = await caller.call('signInState');
          return enrolled ? invite(invocation, caller, false) : enrolFirst(invocation, caller);
        }
        case 'sign':
          return change(invocation, caller, 'sign');
        case 'roles':
          return change(invocation, caller, 'change');
        case 'leave':
          return change(invocation, caller, 'leave');
        case 'reset':
          return values.recovery === true ? recover(invocation, caller) : invite(invocation, caller, true);
        default:
          throw new TrailmixError('usage', {
            where: verb ?? '',
            message: `people has no ${verb}: list, add, sign, roles, reset or leave`,
          });
      }
    });
  },
};
