/** Who is signed in, for the rail and the status bar. Pure. */
import type { SessionView } from '../../core/api/views.ts';

/** One or two letters for a mark: "Maria Keller" -> "MK". */
export function initialsOf(name: string): string {
  const words = name.split(/\s+/).filter(word => /^[\p{L}\p{N}]/u.test(word));
  const first = [...(words[0] ?? '')][0] ?? '';
  const last = words.length > 1 ? ([...words.at(-1)!][0] ?? '') : '';
  return (first + last).toLocaleUpperCase('en');
}

/** "Admin +2": the first role and how many more. */
export function rolesShort(words: string): string {
  const roles = words.split(', ').filter(word => word !== '');
  return roles.length > 1 ? `${roles[0]} +${roles.length - 1}` : (roles[0] ?? '');
}

export type FourEyes = { label: string; title: string; lines: string[] };

export function fourEyesOf(me: Pick<SessionView, 'alone' | 'four_eyes'>): FourEyes {
  if (me.alone) {
    return {
      label: 'Answers unsigned',
      title: 'Nobody is enrolled',
      lines: [
        'Whoever opens the one-time link of this computer may answer approvals, unsigned. Records and packs say so.',
        'Make a sign-in of your own under Settings, People: then each answer is signed by your key.',
      ],
    };
  }
  return me.four_eyes
    ? {
        label: 'Four-eyes in force',
        title: 'Four-eyes is in force',
        lines: [
          'At least two approvers are enrolled: nobody approves what they asked for, and a rule that wants two people gets two.',
          'Each answer is signed by a key that only its owner’s passphrase opens.',
        ],
      }
    : {
        label: 'Four-eyes not in force',
        title: 'Four-eyes is not in force',
        lines: [
          'With fewer than two approvers, one signed answer is enough, whoever asked and whatever the rule wants. The record of each answer says so.',
          'From the second approver on it is in force, for what waits as well.',
        ],
      };
}
