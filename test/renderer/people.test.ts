/** People as the page tells of them: roles, states, fingerprints, statements, what a role may see. Pure view logic. */
import { describe, expect, test } from 'vitest';
import { mayCall, type PersonOperation, permissions } from '../../core/api/permissions.ts';
import type { PersonView, SessionView, SystemRole } from '../../core/api/views.ts';
import { fromUtf8 } from '../../core/proof/bytes.ts';
import { personMessage } from '../../core/proof/person.ts';
import { mayDo } from '../../renderer/api/may.ts';
import { tokenOf } from '../../renderer/api/session.ts';
import { fingerprintGroups, fingerprintWords } from '../../renderer/features/people/fingerprint.ts';
import {
  actsOn,
  aliasesFault,
  delegationFault,
  fourEyesSentence,
  isLastAdmin,
  nameFault,
  personIdFault,
  readAliases,
  readCustomRoles,
  rolesFault,
  rolesInWords,
  signInWord,
  sortPeople,
  splitDelegations,
  standOf,
  suggestPersonId,
  waitsForSignature,
} from '../../renderer/features/people/people_view.ts';
import { delegationStatement, personStatement } from '../../renderer/features/people/statements.ts';
import { strengthOf, suggestPassphrase } from '../../renderer/features/people/strength.ts';
import { readSettingsSearch } from '../../renderer/features/settings/settings_search.ts';
import { tabsFor } from '../../renderer/features/settings/settings_view.ts';
import { personActions } from '../../renderer/shell/palette_actions.ts';
import { fourEyesOf, initialsOf, rolesShort } from '../../renderer/shell/person_words.ts';
import { signInWords, waitWords } from '../../renderer/shell/sign_in_words.ts';
import { wishedTenant } from '../../renderer/shell/tenant_wish.ts';

const NOW = Date.parse('2026-11-22T12:00:00Z');
const person = (given: Partial<PersonView> = {}): PersonView => ({
  id: 'bruno',
  name: 'Bruno',
  roles: ['approver'],
  aliases: [],
  state: 'active',
  ...given,
});
const sessionOf = (roles: string[], given: Partial<SessionView> = {}): SessionView => ({
  person: person({ roles }),
  roles,
  alone: false,
  four_eyes: false,
  tenant_id: 'default',
  tenant_name: 'default',
  several: false,
  tenants: ['default'],
  ledger_id: 'ledger',
  expires_at: '2026-11-22T13:00:00Z',
  ...given,
});
const alone = (): SessionView => {
  const { person: _, ...rest } = sessionOf([], { alone: true });
  return rest;
};

describe('roles', () => {
  test('are told in one order, custom ones last', () => {
    expect(rolesInWords(['treasurer', 'approver', 'admin'])).toBe('Admin, Approver, treasurer');
    expect(rolesShort('Admin, Approver, treasurer')).toBe('Admin +2');
    expect(rolesShort('Auditor')).toBe('Auditor');
  });

  test('at least one of the five; other roles are for approvers, and have a form', () => {
    expect(rolesFault([])).toBeDefined();
    expect(rolesFault(['treasurer'])).toContain('Approver');
    expect(rolesFault(['approver', 'treasurer'])).toBeUndefined();
    expect(rolesFault(['approver', '4eyes'])).toContain('4eyes');
    expect(readCustomRoles('Treasurer,  board_member;x')).toEqual(['treasurer', 'board_member', 'x']);
  });
});

describe('names', () => {
  test('a sign-in name is suggested from the name, and has a form', () => {
    expect(suggestPersonId('Maria Keller')).toBe('maria.keller');
    expect(suggestPersonId('Jürgen Groß')).toBe('jurgen.gross');
    expect(suggestPersonId('王伟')).toBe('');
    expect(personIdFault('maria.keller')).toBeUndefined();
    for (const wrong of ['', 'Maria', 'a b', '.a', 'x'.repeat(65)])
      expect(personIdFault(wrong), wrong).toBeDefined();
    expect(nameFault(' ')).toBeDefined();
    expect(nameFault('é'.repeat(129))).toBeDefined();
    expect(readAliases('b@x.org, a@x.org,b@x.org')).toEqual(['a@x.org', 'b@x.org']);
    expect(aliasesFault(Array.from({ length: 9 }, (_, i) => `${i}`))).toBeDefined();
    expect(initialsOf('Maria van der Keller')).toBe('MK');
    expect(initialsOf('Bruno')).toBe('B');
  });
});

describe('how a person stands', () => {
  test('each state has its word; what waits for the admin is an ask', () => {
    expect(standOf(person(), NOW)).toMatchObject({ tone: 'allow', word: 'Active' });
    expect(standOf(person({ state: 'pending', possession: 'x' }), NOW).tone).toBe('ask');
    expect(standOf(person({ resetting: true, possession: 'x' }), NOW).word).toBe('New key waits');
    expect(standOf(person({ resetting: true }), NOW).word).toBe('Reset under way');
    expect(standOf(person({ locked_until: '2026-11-22T12:00:30Z' }), NOW).word).toBe('Locked for now');
    expect(standOf(person({ locked_until: '2026-11-22T11:00:30Z' }), NOW).word).toBe('Active');
    const invited = person({ state: 'invited', invite_expires_at: '2026-11-22T11:00:00Z' });
    expect(standOf(invited, NOW).word).toBe('Invitation expired');
    expect(standOf(person({ state: 'left' }), NOW).word).toBe('Left');
  });

  test('while a key waits nothing is signed about the old one; the last admin stays', () => {
    expect(actsOn(person(), false)).toEqual(['change', 'reset', 'leave']);
    expect(actsOn(person(), true)).toEqual(['change', 'reset']);
    expect(actsOn(person({ state: 'pending', possession: 'x' }), false)).toEqual(['sign', 'withdraw']);
    expect(actsOn(person({ resetting: true, possession: 'x' }), false)).toEqual(['sign', 'withdraw']);
    expect(actsOn(person({ resetting: true }), false)).toEqual(['change', 'reset', 'withdraw', 'leave']);
    expect(actsOn(person({ state: 'invited' }), false)).toEqual(['link', 'withdraw']);
    expect(actsOn(person({ state: 'left' }), false)).toEqual([]);
    expect(waitsForSignature(person({ state: 'left', possession: 'x' }))).toBe(false);
    const admin = person({ id: 'a', roles: ['admin'] });
    expect(isLastAdmin(admin, [admin, person()])).toBe(true);
    expect(isLastAdmin(admin, [admin, person({ roles: ['admin'] })])).toBe(false);
    expect(isLastAdmin(admin, [admin, person({ roles: ['admin'], state: 'left' })])).toBe(true);
  });

  test('who waits comes first, who left last', () => {
    const sorted = sortPeople([
      person({ id: 'l', name: 'L', state: 'left' }),
      person({ id: 'z', name: 'Z' }),
      person({ id: 'i', name: 'I', state: 'invited' }),
      person({ id: 'b', name: 'B' }),
      person({ id: 'r', name: 'R', resetting: true, possession: 'x' }),
      person({ id: 'p', name: 'P', state: 'pending', possession: 'x' }),
    ]);
    expect(sorted.map(({ id }) => id).join('')).toBe('prbzil');
  });

  test('four-eyes is told as it is', () => {
    const one = [person()];
    expect(fourEyesSentence([])).toContain('Nobody can approve');
    expect(fourEyesSentence(one)).toContain('not in force');
    expect(fourEyesSentence([...one, person({ id: 'c', state: 'left' })])).toContain('not in force');
    expect(fourEyesSentence([...one, person({ id: 'c' })])).toContain('is in force: 2 approvers');
    expect(fourEyesOf({ alone: true, four_eyes: false }).label).toBe('Answers unsigned');
    expect(fourEyesOf({ alone: false, four_eyes: false }).label).toBe('Four-eyes not in force');
    expect(fourEyesOf({ alone: false, four_eyes: true }).label).toBe('Four-eyes in force');
  });

  test('sign-ins are told in words, also those of a kind that is new', () => {
    expect(signInWord('signed_in').word).toBe('Signed in');
    expect(signInWord('sign_in_failed 1').word).toBe('Wrong passphrase');
    expect(signInWord('sign_in_failed 7')).toMatchObject({ word: '7 wrong passphrases', tone: 'deny' });
    expect(signInWord('session_ended change').word).toBe('Session ended: their roles changed');
    expect(signInWord('session_ended otherwise').word).toBe('Session ended');
    expect(signInWord('something_new').word).toBe('something_new');
  });
});

describe('fingerprint', () => {
  const words = Array.from({ length: 2048 }, (_, i) => `w${i}`);

  test('eight words for the first 88 bits, most significant first; the id whole in groups of four', () => {
    const id = `${'ff'.repeat(11)}${'00'.repeat(21)}`;
    expect(fingerprintWords(id, words)).toEqual(Array(8).fill('w2047'));
    expect(fingerprintWords(`0020${'00'.repeat(30)}`, words).slice(0, 2)).toEqual(['w1', 'w0']);
    expect(fingerprintWords('00'.repeat(32), words)).toEqual(Array(8).fill('w0'));
    expect(fingerprintGroups(id)).toHaveLength(16);
    expect(fingerprintGroups(id).join('')).toBe(id);
  });
});

describe('passphrases', () => {
  test('length first, then how hard to guess; names and repeats do not count', () => {
    expect(strengthOf('short').level).toBe('short');
    expect(strengthOf('aaaaaaaaaaaaaaaaaaaaaaaaaaa').level).toBe('weak');
    expect(strengthOf('12345678901234').level).toBe('weak');
    expect(strengthOf('passpasspasspasspasspass').level).toBe('weak');
    expect(strengthOf('maria keller maria keller', ['Maria Keller']).level).toBe('weak');
    expect(strengthOf('violet planet seven trees').level).toBe('fair');
    expect(strengthOf('violet planet under seven tall trees').level).toBe('good');
    expect(strengthOf('violet maria planet keller', ['Maria Keller', 'maria.keller']).words).toContain(
      'your name does not count',
    );
  });

  test('a suggestion draws each word of the list with the same chance', () => {
    const list = ['a', 'b', 'c'];
    const drawn = [0, 4_294_967_295, 1, 2, 3, 4, 5];
    expect(suggestPassphrase(list, () => drawn.shift()!)).toBe('a b c a b c');
  });
});

describe('statements', () => {
  const signing = { ledger_id: 'l', tenant_id: 't', by: 'maria', by_key_id: 'kk', now: NOW };

  test('sorted, without repeats, with six digits of time, and as the spec signs them', () => {
    const after = {
      ...person({ roles: ['b', 'a', 'b'], aliases: ['y', 'x'] }),
      key_id: 'k',
      public_key: 'p',
    };
    const statement = personStatement('change', after, signing);
    expect(statement).toEqual({
      act: 'change',
      aliases: ['x', 'y'],
      at: '2026-11-22T12:00:00.000000Z',
      by: 'maria',
      by_key_id: 'kk',
      key_id: 'k',
      ledger_id: 'l',
      name: 'Bruno',
      person_id: 'bruno',
      public_key: 'p',
      roles: ['a', 'b'],
      tenant_id: 't',
    });
    expect(fromUtf8(personMessage(statement))).toMatch(/^trailmix\/person\/v1\n\{"act":"change"/);
  });

  test('a delegation names who delegates, and its time', () => {
    const given = { to: 'bruno', roles: ['approver'], starts: NOW, ends: NOW + 1, reason: '', id: 'd' };
    expect(delegationStatement(given, signing)).toMatchObject({
      from: 'maria',
      to: 'bruno',
      starts_at: '2026-11-22T12:00:00.000000Z',
      ends_at: '2026-11-22T12:00:00.001000Z',
    });
    const day = 86_400_000;
    expect(delegationFault(NOW, NOW + day, NOW)).toBeUndefined();
    expect(delegationFault(NOW, NOW, NOW)).toBeDefined();
    expect(delegationFault(NOW - 2 * day, NOW - day, NOW)).toContain('past');
    expect(delegationFault(NOW, NOW + 91 * day, NOW)).toContain('90');
    expect(delegationFault(Number.NaN, NOW, NOW)).toBeDefined();
    const view = { id: 'd', from: 'a', to: 'b', roles: [], starts_at: '', ends_at: '', reason: '' };
    const split = splitDelegations([
      { ...view, state: 'ended' },
      { ...view, state: 'planned' },
    ]);
    expect([split.current.length, split.ended.length]).toEqual([1, 1]);
  });
});

describe('what is shown to whom', () => {
  const names = Object.keys(permissions) as PersonOperation[];

  test('as the one table says, operation by operation and role by role', () => {
    for (const role of ['admin', 'policy_author', 'approver', 'analyst', 'auditor'] satisfies SystemRole[]) {
      for (const name of names) {
        if (name === 'recoverPerson') continue;
        expect(mayDo(sessionOf([role]), name), `${role} ${name}`).toBe(mayCall(name, [role]));
      }
    }
    const own = names.filter(name => mayDo(sessionOf(['treasurer']), name));
    expect(own.sort()).toEqual(['changeSecret', 'myKey', 'signIns', 'signOut', 'whoAmI']);
    expect(names.some(name => mayDo(undefined, name))).toBe(false);
  });

  test('alone everything but what needs a key of one’s own', () => {
    for (const name of ['createKey', 'answerApproval', 'backup', 'changeSettings', 'enrolFirst'] as const) {
      expect(mayDo(alone(), name), name).toBe(true);
    }
    for (const name of ['invitePerson', 'signPerson', 'delegate', 'changeSecret', 'recoverPerson'] as const) {
      expect(mayDo(alone(), name), name).toBe(false);
    }
  });

  test('tabs of Settings', () => {
    expect(tabsFor(alone())).not.toContain('you');
    expect(tabsFor(sessionOf(['approver']))).not.toContain('keys');
    expect(tabsFor(sessionOf(['auditor']))).toEqual(expect.arrayContaining(['keys', 'people', 'you']));
    expect(
      readSettingsSearch({ tab: 'people', person: 'x', invite: true, delegate: 'yes', other: 1 }),
    ).toEqual({ tab: 'people', person: 'x', invite: true });
  });

  test('actions of the palette', () => {
    const kinds = (me: SessionView | undefined, unlocked = false) =>
      personActions(me, unlocked).map(action => action.kind);
    expect(kinds(undefined)).toEqual([]);
    expect(kinds(alone())).toEqual(['people']);
    expect(kinds(sessionOf(['admin']), true)).toEqual(['people', 'invite', 'you', 'lock', 'sign_out']);
    expect(kinds(sessionOf(['approver']))).toEqual(['people', 'you', 'delegate', 'sign_out']);
    expect(kinds(sessionOf(['auditor'], { tenants: ['default', 'eu'] }))).toEqual([
      'people',
      'you',
      'tenant',
      'sign_out',
    ]);
  });
});

describe('signing in', () => {
  test('the token of a link and of an invitation are told apart', () => {
    expect(tokenOf('#token=abc&x=1')).toBe('abc');
    expect(tokenOf('#invite=abc')).toBeUndefined();
    expect(tokenOf('#invite=abc', 'invite')).toBe('abc');
    expect(tokenOf('#token=abc', 'invite')).toBeUndefined();
  });

  test('the form says why it is there, and how long a lock lasts', () => {
    expect(signInWords('ended').title).toBe('Your session has ended');
    expect(signInWords('never').title).toBe('Sign in');
    expect(signInWords('key_made').text).toContain('admin');
    expect(waitWords(27)).toBe('27 s');
    expect(waitWords(121)).toBe('3 min');
  });

  test('the tenant that was chosen is taken once', () => {
    wishedTenant.set('eu');
    expect(wishedTenant.take('default')).toBe('eu');
    expect(wishedTenant.take('default')).toBe('default');
  });
});
