/**
 * Approvals as the page shows them. Pure: zone-free, the present is an argument.
 * Rule: while nobody is enrolled, what `shownObject` answers is what stands on the page, in full; its digest goes with the
 * answer. From then on it is the collector's own object (review.ts).
 */
import type { ApprovalView, PersonView } from '../../../core/api/views.ts';
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
  /** The first reason that the policy gave, and how many more; empty where it gave none. */
  why: string;
  askedAt: string;
  expiresAt: string;
  state: string;
  urgent: boolean;
  /** "1 of 2" where more than one person has to approve; else empty. */
  progress: string;
};

export function buildQueue(items: readonly ApprovalView[], now: number): QueueRow[] {
  return items.map(item => ({
    id: item.id,
    action: item.action,
    gist: gistOf(item.payload),
    risk: item.risk,
    who: `${item.actor_id} in ${item.app_id}`,
    why:
      item.reasons.length > 1
        ? `${item.reasons[0]} and ${item.reasons.length - 1} more`
        : (item.reasons[0] ?? ''),
    askedAt: item.asked_at,
    expiresAt: item.expires_at,
    state: stateOf(item, now),
    urgent: item.status === 'waiting' && Date.parse(item.expires_at) - now < URGENT_MS,
    progress: progressOf(item),
  }));
}

/** How many of how many people have approved, while it waits for more than one. */
export function progressOf(item: ApprovalView): string {
  const k = item.required?.k ?? 1;
  return k > 1 && item.four_eyes !== false ? `${item.approved_by ?? 0} of ${k}` : '';
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

/** What became of an answered one, in a sentence. */
export function buildFate(item: ApprovalView): string | undefined {
  const names = approversOf(item);
  const who =
    item.status === 'denied' ? denierOf(item) : names.length === 0 ? item.answered_by : listOf(names);
  const by = who === undefined ? '' : ` by ${who}`;
  if (item.status === 'cancelled') return 'The program took its question back. The call does not run.';
  if (item.status === 'denied') return `Refused${by}. The call does not run.`;
  if (item.status === 'expired') return 'Nobody answered in time, or nobody used it. The call does not run.';
  if (item.status === 'approved') return `Approved${by}. The program has not used it yet.`;
  if (item.status !== 'consumed') return undefined;
  const used = `Approved${by}, and used once.`;
  if (item.outcome === 'ok') return `${used} The call ran and reported success.`;
  if (item.outcome === 'error') return `${used} The call ran and reported an error.`;
  return `${used} What came of the call was not reported.`;
}

type Answer = NonNullable<ApprovalView['answers']>[number];
const nameOf = (answer: Answer): string => answer.name ?? answer.by;

/** Names of who approves, each person once, without those who denied afterwards. */
function approversOf(item: ApprovalView): string[] {
  const last = new Map<string, Answer>();
  for (const answer of item.answers ?? []) last.set(answer.by, answer);
  return [...last.values()].filter(answer => answer.verdict === 'approve').map(nameOf);
}

function denierOf(item: ApprovalView): string | undefined {
  const denied = item.answers?.findLast(answer => answer.verdict === 'deny');
  return denied === undefined ? item.answered_by : nameOf(denied);
}

/** "Ada", "Ada and Bob", "Ada, Bob and Cyd". */
export const listOf = (words: readonly string[], last = 'and'): string =>
  words.length < 2 ? (words[0] ?? '') : `${words.slice(0, -1).join(', ')} ${last} ${words.at(-1)}`;

/** What it still waits for, in a sentence; undefined once nothing is missing or it is over. `others`: names of who can sign. */
export function buildMissing(
  item: ApprovalView,
  still: number,
  others: readonly string[],
): string | undefined {
  if (item.status !== 'waiting' || still === 0) return undefined;
  const roles = listOf(item.required?.roles.length ? item.required.roles : ['approver'], 'or');
  const more = (item.approved_by ?? 0) > 0 ? ' more' : '';
  const people = still === 1 ? `one${more} person` : `${still}${more} people`;
  const named =
    others.length === 0
      ? ''
      : others.length <= 5
        ? `: ${listOf(others, 'or')}`
        : `: ${others.slice(0, 4).join(', ')} or ${others.length - 4} others`;
  return `Waits for ${people} with the role ${roles}${named}.`;
}

/** Who can sign besides the reader: active people with one of the roles who have not answered and did not ask. */
export function whoCanSign(
  item: ApprovalView,
  people: readonly PersonView[],
  me: string | undefined,
): PersonView[] {
  const roles = item.required?.roles.length ? item.required.roles : ['approver'];
  const answered = new Set((item.answers ?? []).map(answer => answer.by));
  return people.filter(
    person =>
      person.state === 'active' &&
      person.id !== me &&
      !answered.has(person.id) &&
      person.id !== item.actor_id &&
      !person.aliases.includes(item.actor_id) &&
      person.roles.some(role => roles.includes(role)),
  );
}

/** Nothing of what is asked, and of whom: only how many. */
export const waitingInWords = (count: number): string =>
  count === 1 ? '1 action waits for approval' : `${count.toLocaleString('en')} actions wait for approval`;

/** The neighbour of `id` in the list, staying inside it. Without a choice: the first. */
export function neighbour(ids: readonly string[], id: string | undefined, step: 1 | -1): string | undefined {
  const at = id === undefined ? -1 : ids.indexOf(id);
  if (at < 0) return ids[0];
  return ids[Math.min(ids.length - 1, Math.max(0, at + step))];
}
