/**
 * Decisions as sign, word and colour: never colour alone. One table for list, tree, inspector and approvals.
 */
import type { ApprovalView, DecisionState } from '../../core/api/views.ts';

export type Tone = 'allow' | 'ask' | 'deny' | 'fail' | 'plain';
export type DecisionLook = {
  word: string;
  tone: Tone;
  sign: 'check' | 'cross' | 'clock' | 'hourglass' | 'alert' | 'person';
};

/** `asked` counts calls that people were asked about, whatever they answered. */
const looks: Record<DecisionState | 'asked' | 'cancelled', DecisionLook> = {
  asked: { word: 'Put to people', tone: 'ask', sign: 'person' },
  allowed: { word: 'Allowed', tone: 'allow', sign: 'check' },
  denied: { word: 'Denied', tone: 'deny', sign: 'cross' },
  waiting: { word: 'Needs approval', tone: 'ask', sign: 'clock' },
  approved: { word: 'Approved', tone: 'allow', sign: 'check' },
  consumed: { word: 'Approved and used', tone: 'allow', sign: 'check' },
  refused: { word: 'Refused', tone: 'deny', sign: 'cross' },
  expired: { word: 'Expired', tone: 'plain', sign: 'hourglass' },
  cancelled: { word: 'Taken back', tone: 'plain', sign: 'hourglass' },
  failed: { word: 'Failed', tone: 'fail', sign: 'alert' },
};

/** The look of a state; undefined for '' or a word this version doesn't know. */
export function lookOf(state: string): DecisionLook | undefined {
  return Object.hasOwn(looks, state) ? looks[state as keyof typeof looks] : undefined;
}

/** ApprovalView.status has words of its own: `denied` there is a person's refusal, `cancelled` the agent's change of mind. */
export function stateOfApproval(status: ApprovalView['status']): DecisionState | 'cancelled' {
  return status === 'denied' ? 'refused' : status;
}

/** The recorded decision word as a state, before anyone answered. */
export function stateOfDecision(word: string): DecisionState | undefined {
  if (word === 'allow') return 'allowed';
  if (word === 'deny') return 'denied';
  if (word === 'approve') return 'waiting';
  if (word === 'failed') return 'failed';
  return undefined;
}
