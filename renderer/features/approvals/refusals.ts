/** Why an answer is refused, or not possible, in words for who answers: what happened, what to do. Pure. */
import type { FailureCode } from '../../api/problem.ts';

export type Refusal = {
  title: string;
  todo: string;
  /** Opening it again is the way on. */
  again?: true;
};

const words: Partial<Record<FailureCode, Refusal>> = {
  approval_unknown: {
    title: 'This question is not here any more',
    todo: 'Go back to the queue; it may be of another tenant.',
  },
  approval_expired: {
    title: 'The time to answer is over',
    todo: 'The call does not run. The program has to ask again.',
  },
  approval_consumed: {
    title: 'The program has used the approval already',
    todo: 'Nothing more can be answered. What came of the call stands below.',
  },
  approval_closed: {
    title: 'It was already answered, or the program took it back',
    todo: 'Nothing more to do.',
  },
  approval_cancelled: { title: 'The program took its question back', todo: 'Nothing more to do.' },
  approval_own_request: {
    title: 'You asked for this yourself',
    todo: 'Nobody approves what they asked for, not on somebody’s behalf either: another person has to answer.',
  },
  approval_role_missing: {
    title: 'It needs a role that you do not have',
    todo: 'Somebody with one of the roles named has to answer, or delegate theirs to you.',
  },
  approval_answered: {
    title: 'You have approved this already',
    todo: 'One person counts once. You can still refuse it until it is used.',
  },
  review_unknown: {
    title: 'This review has ended',
    todo: 'A review lasts an hour, and ends after three wrong answers. Open it again and look at it again.',
    again: true,
  },
  shown_mismatch: {
    title: 'What this page shows is not what the collector has',
    todo: 'Nothing was signed or recorded. Reload the page and open it again; if it stays, tell an admin: something changes what you see.',
    again: true,
  },
  person_key_unknown: {
    title: 'Your key is not in force any more',
    todo: 'Sign out and in again. If you were reset, use your new passphrase.',
  },
  signature_invalid: {
    title: 'What arrived is not what you signed',
    todo: 'Nothing was recorded. Reload the page and answer again; if it stays, tell an admin: something changes what you send.',
    again: true,
  },
  signature_missing: {
    title: 'An answer has to be signed now',
    todo: 'People are enrolled here: sign in by your name and answer again.',
  },
  review_too_short: {
    title: 'It is too early to approve this',
    todo: 'Read it first: the button says from when. Refusing is possible at any time.',
  },
  challenge_failed: {
    title: 'That is not the value in the arguments',
    todo: 'Look at the arguments again. After three wrong answers the review starts anew.',
  },
  role_missing: {
    title: 'Your roles do not answer approvals',
    todo: 'You can see everything here. An admin gives the role Approver.',
  },
  sign_in_needed: { title: 'Sign in to answer', todo: 'Answers are signed with your own key.' },
};

/** Words for who answers; undefined where the error table's own say it. */
export const refusalOf = (code: string): Refusal | undefined =>
  Object.hasOwn(words, code) ? words[code as FailureCode] : undefined;
