/** People in words: roles, states, the order of the list, what an admin can do with whom. Pure. */

import type { DelegationView, PersonView, SystemRole } from '../../../core/api/views.ts';
import { PERSON_ID, ROLE } from '../../../core/proof/person.ts';

export type RoleWords = { label: string; may: string };
export const systemRoles: Record<SystemRole, RoleWords> = {
  admin: { label: 'Admin', may: 'people, keys, settings, custody; sees everything' },
  policy_author: { label: 'Policy author', may: 'writes and activates policies; sees everything' },
  approver: { label: 'Approver', may: 'answers approvals; sees the queue and the runs' },
  analyst: { label: 'Analyst', may: 'searches and exports; sees everything, answers nothing' },
  auditor: { label: 'Auditor', may: 'sees, exports and verifies; changes and reveals nothing' },
};
/** What someone who works alone, and everybody's first, needs: all but the role that only looks on. */
export const FIRST_ROLES = ['admin', 'analyst', 'approver', 'policy_author'] as const;

export const isSystemRole = (role: string): role is SystemRole => Object.hasOwn(systemRoles, role);
export const roleWord = (role: string): string => (isSystemRole(role) ? systemRoles[role].label : role);

/** Roles in the order of the table above, then custom ones by name: "Admin, Approver, treasurer". */
export function rolesInWords(roles: readonly string[]): string {
  const known = (Object.keys(systemRoles) as SystemRole[]).filter(role => roles.includes(role));
  const custom = roles.filter(role => !isSystemRole(role)).sort();
  return [...known.map(roleWord), ...custom].join(', ');
}

/** Sorted and without repeats, as statements want them. */
export const sortedRoles = (roles: Iterable<string>): string[] => [...new Set(roles)].sort();

/** Why roles cannot be given so; undefined where they can. */
export function rolesFault(roles: readonly string[]): string | undefined {
  const wrong = roles.find(role => !ROLE.test(role));
  if (wrong !== undefined) return `“${wrong}”: small letters, digits, _ and -, starting with a letter.`;
  if (roles.length > 16) return 'At most 16 roles.';
  const custom = roles.filter(role => !isSystemRole(role));
  if (custom.length > 0 && !roles.includes('approver')) {
    return 'Other roles count for approvals only: give Approver too.';
  }
  return roles.some(isSystemRole) ? undefined : 'Choose at least one role.';
}

/** Words typed into the field of custom roles, as roles. */
export const readCustomRoles = (text: string): string[] =>
  text
    .toLowerCase()
    .split(/[\s,;]+/)
    .filter(word => word !== '');

export function personIdFault(id: string): string | undefined {
  if (id === '') return 'What is typed to sign in, for example anna.';
  return PERSON_ID.test(id) ? undefined : 'Small letters, digits and . _ @ -, at most 64, no spaces.';
}

export function nameFault(name: string): string | undefined {
  if (name.trim() === '') return 'The name that stands beside what this person signs.';
  return new TextEncoder().encode(name.trim()).length > 256 ? 'At most 256 bytes.' : undefined;
}

/** A sign-in name from a shown name: "Maria Keller" -> "maria.keller". May be empty. */
export function suggestPersonId(name: string): string {
  return name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replaceAll('ß', 'ss')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '.')
    .replace(/^\.+|\.+$/g, '')
    .slice(0, 64);
}

/** Other ids under which a person acts, one a line or separated by commas. */
export const readAliases = (text: string): string[] =>
  [...new Set(text.split(/[\n,]+/).map(word => word.trim()))].filter(word => word !== '').sort();

export function aliasesFault(aliases: readonly string[]): string | undefined {
  if (aliases.length > 8) return 'At most 8.';
  return aliases.some(alias => new TextEncoder().encode(alias).length > 256)
    ? 'At most 256 bytes each.'
    : undefined;
}

export type Stand = {
  /** Sign and colour beside the word; the word says it alone. */
  tone: 'allow' | 'ask' | 'deny' | 'plain';
  word: string;
  /** What happens next, where something does. */
  next?: string;
};

export function standOf(person: PersonView, now: number): Stand {
  const past = (at: string | undefined) => at !== undefined && Date.parse(at) <= now;
  switch (person.state) {
    case 'left':
      return { tone: 'plain', word: 'Left' };
    case 'invited':
      return past(person.invite_expires_at)
        ? { tone: 'deny', word: 'Invitation expired', next: 'Make a new link.' }
        : { tone: 'plain', word: 'Invited', next: 'Waits for them to open the link.' };
    case 'pending':
      return {
        tone: 'ask',
        word: 'Waits for a signature',
        next: 'The key is made; an admin compares its words and signs.',
      };
    default:
      if (person.locked_until !== undefined && !past(person.locked_until)) {
        return { tone: 'deny', word: 'Locked for now', next: 'Too many wrong passphrases.' };
      }
      if (waitsForSignature(person)) {
        return {
          tone: 'ask',
          word: 'New key waits',
          next: 'The old key goes on counting until an admin signs the new one.',
        };
      }
      return person.resetting
        ? {
            tone: 'ask',
            word: 'Reset under way',
            next: 'The old key goes on counting until the new one is signed.',
          }
        : { tone: 'allow', word: 'Active' };
  }
}

/** A key was made that no admin has signed: of a new person, or after a reset. */
export const waitsForSignature = (person: PersonView): boolean =>
  person.state !== 'left' && person.possession !== undefined;

export type PersonActions = ('sign' | 'change' | 'reset' | 'link' | 'withdraw' | 'leave')[];

/** What an admin can do about a person now. While a new key waits, nothing is signed about the old one. */
export function actsOn(person: PersonView, lastAdmin: boolean): PersonActions {
  if (person.state === 'left') return [];
  if (waitsForSignature(person)) return ['sign', 'withdraw'];
  if (person.state === 'invited') return ['link', 'withdraw'];
  if (person.resetting) return ['change', 'reset', 'withdraw', ...(lastAdmin ? [] : ['leave' as const])];
  return ['change', 'reset', ...(lastAdmin ? [] : ['leave' as const])];
}

/** By state, where nothing waits. */
const order: Record<PersonView['state'], number> = { pending: 0, active: 1, invited: 2, left: 3 };

/** Who waits for a signature first, then active, invited, left; by name within. */
export function sortPeople(people: readonly PersonView[]): PersonView[] {
  return [...people].sort(
    (a, b) =>
      Number(waitsForSignature(b)) - Number(waitsForSignature(a)) ||
      order[a.state] - order[b.state] ||
      a.name.localeCompare(b.name) ||
      (a.id < b.id ? -1 : 1),
  );
}

/** Whether taking the role admin from this person, or the person away, would leave none. */
export function isLastAdmin(person: PersonView, people: readonly PersonView[]): boolean {
  const admins = people.filter(one => one.state === 'active' && one.roles.includes('admin'));
  return admins.length === 1 && admins[0]?.id === person.id;
}

/** Four-eyes and who is missing for it, in one sentence. */
export function fourEyesSentence(people: readonly PersonView[]): string {
  const approvers = people.filter(one => one.state === 'active' && one.roles.includes('approver')).length;
  if (approvers >= 2) {
    return `Four-eyes is in force: ${approvers} approvers, and nobody approves what they asked for.`;
  }
  return approvers === 1
    ? 'Four-eyes is not in force: with one approver, that one’s answer is enough, and every record says so.'
    : 'Nobody can approve: give somebody the role Approver.';
}

const signInWords: Record<string, { word: string; tone: Stand['tone'] }> = {
  signed_in: { word: 'Signed in', tone: 'allow' },
  signed_out: { word: 'Signed out', tone: 'plain' },
  session_ended: { word: 'Session ended', tone: 'plain' },
  sign_in_failed: { word: 'Wrong passphrase', tone: 'deny' },
  locked: { word: 'Locked after wrong attempts', tone: 'deny' },
  secret_changed: { word: 'New passphrase', tone: 'ask' },
};
const endWords: Record<string, string> = {
  idle: 'after an hour without them',
  absolute: 'after twelve hours',
  restart: 'the collector was started again',
  change: 'their roles changed',
  reset: 'their key was reset',
  leave: 'they left',
  replaced: 'more than ten at once',
};

/** `what` of the sign-in history: a kind and, after a space, why a session ended or how many attempts failed. */
export function signInWord(what: string): { word: string; tone: Stand['tone'] } {
  const [kind = '', more = ''] = what.split(' ');
  const known = signInWords[kind];
  if (known === undefined) return { word: what, tone: 'plain' };
  if (kind === 'session_ended' && endWords[more] !== undefined) {
    return { ...known, word: `${known.word}: ${endWords[more]}` };
  }
  const attempts = kind === 'sign_in_failed' ? Number(more) : 1;
  return attempts > 1 ? { ...known, word: `${attempts} wrong passphrases` } : known;
}

/** Those in force or planned first; the rest are history. */
export function splitDelegations(items: readonly DelegationView[]): {
  current: DelegationView[];
  ended: DelegationView[];
} {
  return {
    current: items.filter(item => item.state !== 'ended'),
    ended: items.filter(item => item.state === 'ended'),
  };
}

const DAY_MS = 86_400_000;
export const DELEGATION_DAYS_MOST = 90;

/** Why a time away cannot be recorded so; undefined where it can. Times in milliseconds. */
export function delegationFault(from: number, to: number, now: number): string | undefined {
  if (Number.isNaN(from) || Number.isNaN(to)) return 'Give both days.';
  if (to <= from) return 'The end comes after the beginning.';
  if (to <= now) return 'The end is past already.';
  return to - from > DELEGATION_DAYS_MOST * DAY_MS
    ? `At most ${DELEGATION_DAYS_MOST} days. Delegate again when they are over.`
    : undefined;
}
