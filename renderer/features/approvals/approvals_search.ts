/** The URL of Approvals: which list, its filters, which one is open. Pure. */
import type { ApprovalView } from '../../../core/api/views.ts';

export type ApprovalList = 'waiting' | 'answered' | 'mine' | 'report';
export type ApprovalsSearch = {
  show?: Exclude<ApprovalList, 'waiting'>;
  id?: string;
  /** words of the action, the asker and the reasons */
  q?: string;
  app?: string;
  action?: string;
  risk?: ApprovalView['risk'];
  /** only what the reader can answer now */
  for?: 'me';
  /** only what ended so */
  outcome?: (typeof outcomes)[number];
  /** only what this person has answered */
  by?: string;
  /** days of the report */
  days?: number;
};

const lists = ['answered', 'mine', 'report'] as const;
export const risks = ['low', 'medium', 'high', 'critical'] as const;
export const outcomes = ['approved', 'denied', 'expired', 'cancelled'] as const;
export const reportDays = [7, 30, 90, 365] as const;

export function readApprovalsSearch(search: Record<string, unknown>): ApprovalsSearch {
  const kept: ApprovalsSearch = {};
  const show = lists.find(known => known === search.show);
  if (show !== undefined) kept.show = show;
  for (const member of ['id', 'q', 'app', 'action', 'by'] as const) {
    const value = search[member];
    if (value !== undefined && value !== '' && typeof value !== 'object') kept[member] = String(value);
  }
  const risk = risks.find(known => known === search.risk);
  if (risk !== undefined) kept.risk = risk;
  const outcome = outcomes.find(known => known === search.outcome);
  if (outcome !== undefined) kept.outcome = outcome;
  if (search.for === 'me') kept.for = 'me';
  const days = reportDays.find(known => known === Number(search.days));
  if (days !== undefined) kept.days = days;
  return kept;
}

/** Whether anything but the list and the choice narrows what is shown. */
export const isFiltered = (search: ApprovalsSearch): boolean =>
  Boolean(
    search.q || search.app || search.action || search.risk || search.for || search.by || search.outcome,
  );
