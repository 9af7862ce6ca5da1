/**
 * The page's sign-in. By a one-time link, whose token comes in the URL fragment, is exchanged once and leaves the address bar; or
 * by name and passphrase once people are enrolled (person_session.ts). The session token is kept in memory and in this tab's
 * sessionStorage, and sent as a header: no cookies. An invitation's token comes and leaves the same way.
 */
import { useSyncExternalStore } from 'react';

/** `by_name`: the link is good, but people sign in by name here. `key_made`: an invitation was taken, an admin has to sign. */
export type Why = 'never' | 'ended' | 'signed_out' | 'by_name' | 'key_made' | 'link_used' | 'unreachable';

export type Session =
  | { state: 'signing_in' }
  /** `person`: who signed in by name; absent for the opener of a one-time link. */
  | { state: 'signed_in'; token: string; person?: string }
  | {
      state: 'signed_out';
      why: Why;
      /** Who was signed in here before. */
      person?: string;
    };

/** `made`: the key was made with it; an admin has to sign. */
export type Invitation = {
  token: string;
  made?: {
    person_id: string;
    name: string;
    key_id: string;
    invited_by: string;
    enrolled: boolean;
    /** Asks what became of the key. */
    watch: string;
  };
};

const TOKEN = 'trailmix-session';
const PERSON = 'trailmix-person';
const INVITE = 'trailmix-invite';
let current: Session = restored();
let invited: Invitation | undefined = restoredInvitation();
const listeners = new Set<() => void>();

function restored(): Session {
  const token = storage()?.getItem(TOKEN);
  const person = storage()?.getItem(PERSON) ?? undefined;
  const who = person === undefined ? {} : { person };
  return token ? { state: 'signed_in', token, ...who } : { state: 'signed_out', why: 'never' };
}

function restoredInvitation(): Invitation | undefined {
  const text = storage()?.getItem(INVITE);
  return text ? (JSON.parse(text) as Invitation) : undefined;
}

function invite(next: Invitation | undefined): void {
  invited = next;
  keep(INVITE, next === undefined ? undefined : JSON.stringify(next));
  tell();
}

function storage(): Storage | undefined {
  try {
    return typeof sessionStorage === 'undefined' ? undefined : sessionStorage;
  } catch {
    return undefined;
  }
}

function keep(name: string, value: string | undefined): void {
  if (value === undefined) storage()?.removeItem(name);
  else storage()?.setItem(name, value);
}

function become(next: Session): void {
  current = next;
  if (next.state === 'signed_in') {
    keep(TOKEN, next.token);
    keep(PERSON, next.person);
  }
  if (next.state === 'signed_out' && next.why !== 'unreachable') {
    keep(TOKEN, undefined);
    keep(PERSON, undefined);
  }
  tell();
}

function tell(): void {
  for (const listener of listeners) listener();
}

export const session = {
  get: (): Session => current,
  token: (): string | undefined => (current.state === 'signed_in' ? current.token : undefined),
  /** The sign-in name of who is signed in by name. */
  person: (): string | undefined => (current.state === 'signed_in' ? current.person : undefined),
  subscribe(listener: () => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  /** To the sign-in form, with the name of one whose key was made by an invitation. */
  meet(person: string): void {
    become({ state: 'signed_out', why: 'key_made', person });
  },
  /** Into a tenant where nobody is enrolled yet. */
  enter(token: string): void {
    become({ state: 'signed_in', token });
  },
  begin(token: string, person: string): void {
    become({ state: 'signed_in', token, person });
  },
  /** The collector no longer knows the token, or the reader left. A token that was replaced meanwhile is not ended. */
  end(token: string | undefined, why: 'ended' | 'signed_out' | 'by_name' = 'ended'): void {
    if (current.state !== 'signed_in' || current.token !== token) return;
    const { person } = current;
    become({ state: 'signed_out', why, ...(person === undefined ? {} : { person }) });
  },
};

export const invitation = {
  get: (): Invitation | undefined => invited,
  made(made: NonNullable<Invitation['made']>): void {
    if (invited !== undefined) invite({ ...invited, made });
  },
  leave: (): void => invite(undefined),
};

/** The token of a fragment like `#token=...` or `#invite=...`, if it has one. */
export function tokenOf(fragment: string, kind: 'token' | 'invite' = 'token'): string | undefined {
  return new RegExp(`^#${kind}=([^&]+)`).exec(fragment)?.[1];
}

/** Signs in with the fragment's token, or notes its invitation, and takes it out of the address bar and the history. */
export async function signInFromAddress(): Promise<void> {
  const token = tokenOf(location.hash);
  const invited = tokenOf(location.hash, 'invite');
  if (token === undefined && invited === undefined) return;
  history.replaceState(history.state, '', location.pathname + location.search);
  if (invited !== undefined) return invite({ token: decodeURIComponent(invited) });
  become({ state: 'signing_in' });
  try {
    const answer = await fetch('/api/session', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token: decodeURIComponent(token as string) }),
    });
    if (!answer.ok) return become({ state: 'signed_out', why: 'link_used' });
    const { session: held } = (await answer.json()) as { session: string };
    become({ state: 'signed_in', token: held });
  } catch {
    become({ state: 'signed_out', why: 'unreachable' });
  }
}

export function useSession(): Session {
  return useSyncExternalStore(session.subscribe, session.get);
}

export function useInvitation(): Invitation | undefined {
  return useSyncExternalStore(session.subscribe, invitation.get);
}
