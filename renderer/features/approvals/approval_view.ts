/**
 * Approvals as the page shows them. Pure: zone-free, the present is an argument.
 * Rule: what `shownObject` answers is what stands on the page, in full; its digest goes with the answer.
 */
import type { ApprovalView, SpanColumns } from '../../../core/api/views.ts';
import { hex, utf8 } from '../../../core/proof/bytes.ts';
import type { Sha256 } from '../../../core/proof/hash.ts';
import { type JsonObject, type JsonValue, jcs } from '../../../core/proof/jcs.ts';
import { stateOfApproval } from '../../ui/decisions.ts';

/** Seconds before the end at which a countdown becomes urgent. */
const URGENT_MS = 60_000;

export type QueueRow = {
  id: string;
  action: string;
  /** One line of the arguments, for recognising the call; the detail has all of them. */
  gist: string;
  risk: ApprovalView['risk'];
  who: string;
  askedAt: string;
  expiresAt: string;
  state: string;
  urgent: boolean;
};

export function buildQueue(items: readonly ApprovalView[], now: number): QueueRow[] {
  return items.map(item => ({
    id: item.id,
    action: item.action,
    gist: gistOf(item.payload),
    risk: item.risk,
    who: `${item.actor_id} in ${item.app_id}`,
    askedAt: item.asked_at,
    expiresAt: item.expires_at,
    state: stateOf(item, now),
    urgent: item.status === 'waiting' && Date.parse(item.expires_at) - now < URGENT_MS,
  }));
}

/** A waiting one whose time is over reads Expired at once: the collector refuses it from then on. */
export function stateOf(item: ApprovalView, now: number): string {
  if (item.status === 'waiting' && Date.parse(item.expires_at) <= now) return 'expired';
  return stateOfApproval(item.status);
}

export const canAnswer = (item: ApprovalView, now: number): boolean => stateOf(item, now) === 'waiting';

/** "amount 12,000 · iban DE00…": the first members, each cut to a glance. */
export function gistOf(payload: unknown): string {
  if (typeof payload !== 'object' || payload === null) return glance(payload);
  const members = Object.entries(payload);
  const shown = members.slice(0, 3).map(([name, value]) => `${wordsOfName(name)} ${glance(value)}`);
  return members.length > 3 ? `${shown.join(' · ')} · ${members.length - 3} more` : shown.join(' · ');
}

function glance(value: unknown): string {
  if (typeof value === 'string') return value.length > 28 ? `${value.slice(0, 27)}…` : value;
  if (typeof value === 'number') return value.toLocaleString('en', { maximumFractionDigits: 20 });
  if (Array.isArray(value)) return `[${value.length}]`;
  if (typeof value === 'object' && value !== null) return '{…}';
  return String(value);
}

export type Argument = {
  name: string;
  /** Name as words, for reading. */
  label: string;
  /** The whole value as text; `block` where it deserves lines of its own. Never cut. */
  text: string;
  kind: 'text' | 'number' | 'other' | 'json';
  block: boolean;
};

/** Every argument with its whole value. Nested values are shown as JSON. */
export function buildArguments(payload: unknown): Argument[] {
  const members: [string, unknown][] =
    typeof payload === 'object' && payload !== null && !Array.isArray(payload)
      ? Object.entries(payload)
      : [['value', payload]];
  return members.map(([name, value]) => {
    const label = wordsOfName(name);
    if (typeof value === 'string') {
      return { name, label, text: value, kind: 'text', block: value.length > 80 || value.includes('\n') };
    }
    if (typeof value === 'number') return { name, label, text: String(value), kind: 'number', block: false };
    if (typeof value === 'object' && value !== null) {
      return { name, label, text: JSON.stringify(value, null, 2), kind: 'json', block: true };
    }
    return { name, label, text: String(value), kind: 'other', block: false };
  });
}

/** "customer_id" and "customerId" as "customer id". */
export const wordsOfName = (name: string): string =>
  name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replaceAll(/[_-]+/g, ' ')
    .trim()
    .toLowerCase() || name;

/** Exactly what the person saw and answered. */
export function shownObject(item: ApprovalView): JsonObject {
  return {
    id: item.id,
    decision_id: item.decision_id,
    app_id: item.app_id,
    session_id: item.session_id,
    actor_id: item.actor_id,
    action: item.action,
    risk: item.risk,
    payload: item.payload as JsonValue,
    ...(item.context === undefined ? {} : { context: item.context as JsonValue }),
    reasons: item.reasons,
    policy: { version: item.policy.version, hash: item.policy.hash },
    asked_at: item.asked_at,
    expires_at: item.expires_at,
  };
}

/** Hex SHA-256 of JCS of what was shown (FORMATS, Decision and approval). */
export const shownDigest = (sha256: Sha256, item: ApprovalView): string =>
  hex(sha256(utf8(jcs(shownObject(item)))));

export type SessionStep = { seq: number; name: string; kind: string; state: string; startUs: number };

/**
 * The last steps of the session up to the decision, oldest first, and how many came before those. By start, not by
 * number: a span is recorded when it ends, so what led to the question may stand after it in the ledger.
 */
export function buildSessionSoFar(
  spans: SpanColumns,
  decisionSeq: number,
  most = 8,
): { steps: SessionStep[]; earlier: number } {
  const at = spans.seq.indexOf(decisionSeq);
  const asked = at < 0 ? Number.POSITIVE_INFINITY : (spans.start_us[at] ?? 0);
  const rows: SessionStep[] = [];
  for (const [i, seq] of spans.seq.entries()) {
    const startUs = spans.start_us[i] ?? 0;
    const ownQuestion = at >= 0 && spans.parent[i] === at;
    if (seq === decisionSeq || ownQuestion || startUs > asked || (at < 0 && seq > decisionSeq)) continue;
    rows.push({
      seq,
      name: spans.name[i] || spans.event_type[i] || '',
      kind: spans.kind[i] ?? 'other',
      state: spans.decision[i] ?? '',
      startUs,
    });
  }
  rows.sort((a, b) => a.startUs - b.startUs);
  return { steps: rows.slice(-most), earlier: Math.max(0, rows.length - most) };
}

/** What became of an answered one, in a sentence. */
export function buildFate(item: ApprovalView): string | undefined {
  const by = item.answered_by === undefined ? '' : ` by ${item.answered_by}`;
  if (item.status === 'denied') return `Refused${by}. The call does not run.`;
  if (item.status === 'expired') return 'Nobody answered in time, or nobody used it. The call does not run.';
  if (item.status === 'approved') return `Approved${by}. The program has not used it yet.`;
  if (item.status !== 'consumed') return undefined;
  const used = `Approved${by}, and used once.`;
  if (item.outcome === 'ok') return `${used} The call ran and reported success.`;
  if (item.outcome === 'error') return `${used} The call ran and reported an error.`;
  return `${used} What came of the call was not reported.`;
}

/** The neighbour of `id` in the list, staying inside it. Without a choice: the first. */
export function neighbour(ids: readonly string[], id: string | undefined, step: 1 | -1): string | undefined {
  const at = id === undefined ? -1 : ids.indexOf(id);
  if (at < 0) return ids[0];
  return ids[Math.min(ids.length - 1, Math.max(0, at + step))];
}
