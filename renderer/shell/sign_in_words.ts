/** What the sign-in form says above its fields, and how long a lock lasts. Pure. */
import type { Why } from '../api/session.ts';

export function signInWords(why: Why): { title: string; text: string } {
  switch (why) {
    case 'ended':
      return {
        title: 'Your session has ended',
        text: 'After an hour without you, after twelve in any case, or because your roles changed. Sign in, and you are back where you were.',
      };
    case 'key_made':
      return {
        title: 'Sign in',
        text: 'As soon as an admin has signed your key, your passphrase signs you in here. Until then it does not.',
      };
    case 'signed_out':
      return { title: 'You are signed out', text: 'Recording goes on without you.' };
    default:
      return {
        title: 'Sign in',
        text: 'People are enrolled in this ledger. Your passphrase opens your signing key in this page; it is sent nowhere.',
      };
  }
}

/** "27 s", "2 min", rounded up. */
export const waitWords = (seconds: number): string =>
  seconds < 100 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`;
