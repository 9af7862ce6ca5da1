/** What the palette offers besides the fixed places: an event by number or id, and what one may do about people. Pure. */
import type { SessionView } from '../../core/api/views.ts';
import { mayDo } from '../api/may.ts';
import type { SettingsSearch } from '../features/settings/settings_search.ts';

export type PaletteTarget =
  | { kind: 'seq'; seq: number }
  | { kind: 'event_id'; id: string }
  | { kind: 'search'; q: string };

/** Targets for a text, best first: "#18,204" or "18204" is an event number; one word may be an event id; all can be searched. */
export function buildPaletteTargets(text: string): PaletteTarget[] {
  const typed = text.trim();
  if (typed === '') return [];
  const targets: PaletteTarget[] = [];
  const digits = /^#?\s*([0-9][0-9,.\s]*)$/.exec(typed)?.[1]?.replace(/[,.\s]/g, '');
  if (digits !== undefined && digits.length <= 15) targets.push({ kind: 'seq', seq: Number(digits) });
  if (/^[^\s#]{6,256}$/.test(typed)) targets.push({ kind: 'event_id', id: typed });
  targets.push({ kind: 'search', q: typed });
  return targets;
}

export type PersonAction = {
  kind: 'people' | 'invite' | 'you' | 'delegate' | 'lock' | 'tenant' | 'sign_out';
  label: string;
  about: string;
  /** Where in Settings it is done, if it is. */
  search?: SettingsSearch;
  tenant?: string;
};

/** Only what the one who is signed in may do. `unlocked`: the signing key is open. */
export function personActions(me: SessionView | undefined, unlocked: boolean): PersonAction[] {
  if (me === undefined) return [];
  const people = { kind: 'people', search: { tab: 'people' } } as const;
  if (me.person === undefined) {
    return [{ ...people, label: 'Make your sign-in', about: 'So that your answers are signed by a key' }];
  }
  const actions: (PersonAction | false)[] = [
    { ...people, label: 'People', about: 'Who is enrolled, roles, keys' },
    mayDo(me, 'invitePerson') && {
      kind: 'invite',
      label: 'Invite a person',
      about: 'A one-time link to make their own key',
      search: { tab: 'people', invite: true },
    },
    { kind: 'you', label: 'Your sign-in', about: 'Passphrase, key, sign-ins', search: { tab: 'you' } },
    mayDo(me, 'delegate') && {
      kind: 'delegate',
      label: 'Delegate, or out of office',
      about: 'Another approver answers for a time',
      search: { tab: 'you', delegate: true },
    },
    unlocked && {
      kind: 'lock',
      label: 'Lock your signing key',
      about: 'The next signature asks your passphrase',
    },
    ...me.tenants
      .filter(tenant => me.tenants.length > 1 && tenant !== me.tenant_id)
      .map(
        (tenant): PersonAction => ({
          kind: 'tenant',
          label: `Sign in to ${tenant}`,
          about: 'Another tenant of this ledger',
          tenant,
        }),
      ),
    { kind: 'sign_out', label: 'Sign out', about: 'Recording goes on without you' },
  ];
  return actions.filter(action => action !== false);
}
