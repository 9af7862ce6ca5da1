/** Operations on the queue of approvals (docs/spec/gate.md, "Answers"). The agent's side is in operations.ts. */
import Type from 'typebox';
import { Int, listOf, Opt, op, Page, page, Str } from './operation.ts';
import { ApprovalView, Risk } from './views.ts';

const ReviewRule = Type.Object(
  {
    min_seconds: Type.Integer({ minimum: 0, maximum: 3600 }),
    challenge: Type.Enum(['confirm', 'retype', 'question']),
  },
  { additionalProperties: false },
);

/** How approvals are reviewed, by risk; `expires_seconds` from asking. */
export const ReviewSettings = Type.Object(
  {
    low: ReviewRule,
    medium: ReviewRule,
    high: ReviewRule,
    critical: ReviewRule,
    critical_people: Type.Integer({ minimum: 1, maximum: 5 }),
    expires_seconds: Type.Integer({ minimum: 60, maximum: 604800 }),
  },
  { additionalProperties: false },
);
export type ReviewSettings = Type.Static<typeof ReviewSettings>;

export const Challenge = Type.Object({
  kind: Type.Enum(['confirm', 'retype', 'question']),
  prompt: Opt(Str),
  /** JSON Pointer into the payload of the value that is asked for. */
  path: Opt(Str),
});
export type Challenge = Type.Static<typeof Challenge>;

const ApprovalStatementInput = Type.Object(
  {
    binding: Str,
    verdict: Type.Enum(['approve', 'deny']),
    approver_id: Str,
    role: Str,
    key_id: Str,
    shown_digest: Str,
    opened_at: Str,
    decided_at: Str,
    review: Type.Record(Type.String(), Type.Unknown()),
  },
  { additionalProperties: false },
);

/** One row of the report on reviews: a person, a rule or an app. Shares are 0 to 1. */
export const ReviewRow = Type.Object({
  key: Str,
  label: Str,
  answers: Int,
  approved: Int,
  denied: Int,
  median_seconds: Type.Number(),
  /** answers given faster than the content can be read (20 characters a second, at least 2 s) */
  too_fast: Int,
  /** answers within 60 s of at least nine others of the same person */
  in_bursts: Int,
  never_denied: Type.Boolean({ description: 'at least 20 answers and no deny' }),
  flags: Type.Array(Type.Enum(['too_fast', 'never_denied', 'bursts'])),
});
export type ReviewRow = Type.Static<typeof ReviewRow>;

export const approvalOperations = {
  approvals: op({
    method: 'GET',
    path: '/api/approvals',
    summary: 'The queue, oldest first, or answered ones, newest first',
    callers: page,
    errors: ['input_invalid'],
    query: Type.Object({
      status: Opt(Type.Enum(['waiting', 'answered', 'all'])),
      app: Opt(Str),
      risk: Opt(Risk),
      action: Opt(Str),
      q: Opt(Str),
      /** How it ended; approved ones whether used or not. */
      outcome: Opt(Type.Enum(['approved', 'denied', 'expired', 'cancelled'])),
      /** Only those that this person has answered (a sign-in name), or `me`. */
      by: Opt(Str),
      /** `me`: only those that the signed-in person can answer now. */
      for: Opt(Type.Enum(['me'])),
      ...Page,
    }),
    output: listOf(ApprovalView),
  }),
  approvalDetail: op({
    method: 'GET',
    path: '/api/approvals/:id/detail',
    summary:
      'What an approver needs beside the question: the last one of the same kind, the session so far, who else must sign',
    callers: page,
    errors: ['approval_unknown'],
    params: Type.Object({ id: Str }),
    output: Type.Object({
      approval: ApprovalView,
      /** The newest approval of the same app and action that was given before, to compare with. */
      previous: Opt(
        Type.Object({ id: Str, seq: Int, at: Str, payload: Type.Unknown(), by: Type.Array(Str) }),
      ),
      /** What happened in the session before the question, oldest first, at most 50; `more` says how many are left out. */
      session: Type.Object({
        more: Int,
        items: Type.Array(
          Type.Object({
            seq: Int,
            at: Str,
            kind: Str,
            /** event_type of the record. */
            type: Str,
            name: Str,
            status: Opt(Str),
            decision: Opt(Str),
          }),
        ),
      }),
      comments: Type.Array(Type.Object({ by: Str, at: Str, text: Str, seq: Int })),
      opened: Type.Array(Type.Object({ by: Str, at: Str, seq: Int })),
      /** Whether the signed-in person can answer, and if not, the code that says why. */
      may: Type.Object({
        answer: Type.Boolean(),
        code: Opt(Str),
        roles: Type.Array(Str),
        on_behalf_of: Opt(
          Type.Array(Type.Object({ person: Str, delegation_id: Str, roles: Type.Array(Str) })),
        ),
      }),
      still_needed: Int,
    }),
  }),
  openApproval: op({
    method: 'POST',
    path: '/api/approvals/:id/open',
    summary:
      'Opens an approval for review: what to show, from when it may be approved, the challenge. Recorded',
    callers: ['person'],
    errors: [
      'approval_unknown',
      'approval_expired',
      'approval_closed',
      'approval_consumed',
      'approval_own_request',
      'approval_role_missing',
      'sign_in_needed',
      'busy',
      'disk_full',
    ],
    params: Type.Object({ id: Str }),
    output: Type.Object({
      review_id: Str,
      opened_at: Str,
      now: Str,
      not_before: Str,
      min_seconds: Int,
      challenge: Challenge,
      shown: Type.Record(Type.String(), Type.Unknown()),
      shown_digest: Str,
    }),
  }),
  answerApproval: op({
    method: 'POST',
    path: '/api/approvals/:id/answer',
    summary: 'Give or refuse an approval, signed by the person; unsigned only while nobody is enrolled',
    callers: page,
    errors: [
      'approval_unknown',
      'approval_expired',
      'approval_consumed',
      'approval_closed',
      'approval_own_request',
      'approval_role_missing',
      'approval_answered',
      'review_unknown',
      'shown_mismatch',
      'person_key_unknown',
      'signature_invalid',
      'signature_missing',
      'review_too_short',
      'challenge_failed',
      'sign_in_needed',
      'input_invalid',
      'key_dollar',
      'json_depth',
      'busy',
      'disk_full',
    ],
    params: Type.Object({ id: Str }),
    input: Type.Object(
      {
        verdict: Type.Union([Type.Literal('approve'), Type.Literal('deny')]),
        comment: Opt(Type.String({ maxLength: 2000 })),
        review_id: Opt(Str),
        challenge_answer: Opt(Type.String({ maxLength: 2000 })),
        statement: Opt(ApprovalStatementInput),
        signature: Opt(Type.String({ maxLength: 88, description: 'base64 of 64 bytes' })),
        /** `collector` where the trailmix command unwrapped the key; default page */
        signed_in: Opt(Type.Enum(['page', 'collector'])),
        shown_digest: Opt(Str),
        opened_at: Opt(Str),
      },
      { additionalProperties: false },
    ),
    output: ApprovalView,
  }),
  commentApproval: op({
    method: 'POST',
    path: '/api/approvals/:id/comments',
    summary: 'A remark that answers nothing; recorded',
    callers: ['person'],
    errors: ['approval_unknown', 'input_invalid', 'busy', 'disk_full'],
    params: Type.Object({ id: Str }),
    input: Type.Object(
      { text: Type.String({ minLength: 1, maxLength: 2000 }) },
      { additionalProperties: false },
    ),
    output: Type.Object({ seq: Int, at: Str }),
  }),
  cancelApproval: op({
    method: 'POST',
    path: '/api/approvals/:id/cancel',
    summary: 'The agent no longer wants it',
    callers: ['key:decide'],
    errors: ['approval_unknown', 'approval_consumed', 'input_invalid', 'busy', 'disk_full'],
    params: Type.Object({ id: Str }),
    input: Type.Object({ reason: Opt(Type.String({ maxLength: 2000 })) }, { additionalProperties: false }),
    output: ApprovalView,
  }),
  reviewReport: op({
    method: 'GET',
    path: '/api/approvals/report',
    summary: 'How approvals are reviewed: by person, rule (the reason given) and app, from the records',
    callers: page,
    errors: ['input_invalid'],
    query: Type.Object({ from: Opt(Str), to: Opt(Str) }),
    output: Type.Object({
      from: Str,
      to: Str,
      answers: Int,
      by_person: Type.Array(ReviewRow),
      by_rule: Type.Array(ReviewRow),
      by_app: Type.Array(ReviewRow),
    }),
  }),
  reviewSettings: op({
    method: 'GET',
    path: '/api/settings/review',
    summary: 'Minimum review times and challenges by risk',
    callers: page,
    errors: [],
    output: ReviewSettings,
  }),
  changeReviewSettings: op({
    method: 'POST',
    path: '/api/settings/review',
    summary: 'Changes them; each change is an event',
    callers: page,
    errors: ['input_invalid'],
    input: ReviewSettings,
    output: ReviewSettings,
  }),
} as const;
