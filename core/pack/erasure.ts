/**
 * Erasure records: `erasure {seqs, types, apps, reason, days?}`, in older ledgers `erasure {seq}`; and which findings about an approval
 * follow from bodies that are not there. Format: docs/spec/ledger.md, "Erasure"; docs/spec/pack.md, "Hidden bodies".
 */
import type { JsonObject } from '../proof/jcs.ts';
import type { FindingCode } from './findings.ts';

const member = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? (value as JsonObject)[name] : undefined;
const isSeq = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

/** Seqs that the body of an `erasure.` record names. */
export function erasedBy(body: JsonObject): number[] {
  const seqs = member(body.erasure, 'seqs');
  if (Array.isArray(seqs)) return (seqs as unknown[]).filter(isSeq);
  const seq = member(body.erasure, 'seq');
  return isSeq(seq) ? [seq] : [];
}

/** Event types that it says are among them. */
export function erasedTypes(body: JsonObject): string[] {
  const types = member(body.erasure, 'types');
  return Array.isArray(types) ? (types as unknown[]).filter(one => typeof one === 'string') : [];
}

/** What a hidden body of this type can make of an approval that was right. */
const FOLLOWS: { readonly [eventType: string]: readonly FindingCode[] } = {
  'decision.recorded': ['approval_record_missing', 'approval_shown_wrong', 'intent_wrong'],
  'approval.asked': ['approval_record_missing'],
  'approval.opened': ['approval_review_wrong', 'approval_shown_wrong', 'approval_too_early'],
  'approval.answered': ['intent_wrong', 'approval_too_few'],
  'intent.recorded': ['outcome_wrong', 'approval_too_few', 'approval_record_missing'],
};

/** Whether a finding may follow from a hidden body of one of these types. */
export const followsFromHidden = (code: FindingCode, hidden: ReadonlySet<string>): boolean =>
  [...hidden].some(type => FOLLOWS[type]?.includes(code) ?? false);
