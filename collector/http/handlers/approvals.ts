/** Approvals as people meet them, over HTTP (collector/approvals/desk.ts does the work). */
import { TrailmixError } from '../../../core/api/errors.ts';
import type { Principal } from '../../ports.ts';
import type { Handlers } from '../handler.ts';

type Names =
  | 'approvals'
  | 'approvalDetail'
  | 'openApproval'
  | 'answerApproval'
  | 'commentApproval'
  | 'reviewReport'
  | 'reviewSettings'
  | 'changeReviewSettings';

type Person = Extract<Principal, { kind: 'person' | 'local' }>;
const personOf = (principal: Principal): Person => {
  if (principal.kind === 'person' || principal.kind === 'local') return principal;
  throw new TrailmixError('forbidden');
};

export const approvalHandlers: Pick<Handlers, Names> = {
  approvals: async ({ open, principal }, { query }) => open.approvals.list(personOf(principal), query),
  approvalDetail: async ({ open, principal }, { params }) =>
    open.approvals.detail(personOf(principal), params.id),
  openApproval: async ({ open, principal }, { params }) =>
    open.approvals.open(personOf(principal), params.id),
  answerApproval: async ({ open, principal }, { params, input }) =>
    open.approvals.answer(personOf(principal), params.id, input),
  commentApproval: async ({ open, principal }, { params, input }) =>
    open.approvals.comment(personOf(principal), params.id, input.text),
  reviewReport: async ({ open }, { query }) => open.approvals.report(query),
  reviewSettings: async ({ open }) => open.approvals.settings(),
  changeReviewSettings: async ({ open, principal }, { input }) =>
    open.approvals.changeSettings(personOf(principal), input),
};
