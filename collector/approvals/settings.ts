/** How approvals are reviewed and how long they last: kept as the ledger's setting `review`; each change is an event. */
import type Database from 'better-sqlite3';
import type { ReviewSettings } from '../../core/api/approval_operations.ts';
import { statement } from '../ledger/statements.ts';

export const REVIEW_SETTING = 'review';

/** docs/spec/gate.md, "Answers". Seconds from asking until an approval can no longer be given or used: 15 minutes. */
export const DEFAULT_REVIEW: ReviewSettings = {
  low: { min_seconds: 0, challenge: 'confirm' },
  medium: { min_seconds: 5, challenge: 'confirm' },
  high: { min_seconds: 15, challenge: 'retype' },
  critical: { min_seconds: 30, challenge: 'question' },
  critical_people: 2,
  expires_seconds: 15 * 60,
};

/** Parsed texts by connection: every question that asks people needs the settings. */
const parsed = new WeakMap<Database.Database, { text: string; settings: ReviewSettings }>();

export function reviewSettings(db: Database.Database): ReviewSettings {
  const row = statement(db, 'SELECT value FROM setting WHERE name = ?').get(REVIEW_SETTING) as
    | { value: string }
    | undefined;
  if (row === undefined) return DEFAULT_REVIEW;
  const known = parsed.get(db);
  if (known?.text === row.value) return known.settings;
  // Only changeReviewSettings writes it, in the form of the operation table; an older one may lack a member.
  const settings = { ...DEFAULT_REVIEW, ...(JSON.parse(row.value) as Partial<ReviewSettings>) };
  parsed.set(db, { text: row.value, settings });
  return settings;
}
