/**
 * The page's sign-in. A one-time token comes in the URL fragment, is exchanged once, and leaves the address bar;
 * the session token is kept in memory and in this tab's sessionStorage, and sent as a header: no cookies.
 */
import { useSyncExternalStore } from 'react';

export type Session =
  | { state: 'signing_in' }
  | { state: 'signed_in'; token: string }
  | { state: 'signed_out'; why: 'never' | 'ended' | 'link_used' | 'unreachable' };

const KEY = 'trailmix-session';
let current: Session = restored();
const listeners = new Set<() => void>();

function restored(): Session {
  const token = storage()?.getItem(KEY);
  return token ? { state: 'signed_in', token } : { state: 'signed_out', why: 'never' };
}

function storage(): Storage | undefined {
  try {
    return typeof sessionStorage === 'undefined' ? undefined : sessionStorage;
  } catch {
    return undefined;
  }
}

function become(next: Session): void {
  current = next;
  if (next.state === 'signed_in') storage()?.setItem(KEY, next.token);
  if (next.state === 'signed_out' && next.why !== 'unreachable') storage()?.removeItem(KEY);
  for (const listener of listeners) listener();
}

export const session = {
  get: (): Session => current,
  token: (): string | undefined => (current.state === 'signed_in' ? current.token : undefined),
  subscribe(listener: () => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  /** The collector no longer knows the token. A token that was replaced meanwhile is not ended. */
  end(token: string | undefined): void {
    if (current.state === 'signed_in' && current.token === token)
      become({ state: 'signed_out', why: 'ended' });
  },
};

/** The one-time token of a fragment like `#token=...`, if it has one. */
export function tokenOf(fragment: string): string | undefined {
  return /^#token=([^&]+)/.exec(fragment)?.[1];
}

/** Signs in with the fragment's token if there is one, and takes it out of the address bar and the history. */
export async function signInFromAddress(): Promise<void> {
  const token = tokenOf(location.hash);
  if (token === undefined) return;
  history.replaceState(history.state, '', location.pathname + location.search);
  become({ state: 'signing_in' });
  try {
    const answer = await fetch('/api/session', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token: decodeURIComponent(token) }),
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
