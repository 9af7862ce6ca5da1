/** Words and tones of what a policy says, and of reasons why a decision is not made again. Pure. */
import type { PolicyWord, UnfaithfulReason } from '../../../core/api/policy_views.ts';

export const wordsOf: Record<PolicyWord, string> = {
  allow: 'Allowed',
  approve: 'Needs approval',
  deny: 'Denied',
  failed: 'Failed',
};
export const toneOf: Record<PolicyWord, string> = {
  allow: 'tone-allow',
  approve: 'tone-ask',
  deny: 'tone-deny',
  failed: 'tone-fail',
};

export const unfaithfulWords: Record<UnfaithfulReason, string> = {
  erased: 'its content was erased',
  sealed: 'a value of its input is sealed',
  blob_missing: 'its arguments are kept elsewhere, and are not here',
  session_absent: 'this policy reads the session so far, which was not recorded with it',
  now_absent: 'this policy reads the time, which was not recorded with it',
  older_schema: 'its input has an older form',
};
export const unfaithfulWord = (reason: string): string =>
  Object.hasOwn(unfaithfulWords, reason) ? unfaithfulWords[reason as UnfaithfulReason] : reason;

/** The word of a decision that a policy gave, for what evaluates it in the page; undefined for another shape. */
export function wordOfResult(result: unknown): PolicyWord | undefined {
  const word = (result as { result?: unknown } | null | undefined)?.result;
  return word === 'allow' || word === 'deny' || word === 'approve' ? word : undefined;
}

export function reasonsOfResult(result: unknown): string[] {
  const reasons = (result as { reasons?: unknown } | null | undefined)?.reasons;
  return Array.isArray(reasons) ? reasons.map(String) : [];
}
