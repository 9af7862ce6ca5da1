/** The overview's figures as sentences, tiles and bars, from GET /api/overview and the status alone. Pure. */
import type { OutputOf } from '../../../core/api/operations.ts';
import type { StatusView } from '../../../core/api/views.ts';
import { countOf, formatCount } from '../../ui/numbers.ts';

export type Overview = OutputOf<'overview'>;

export type NeedsYou = {
  id: 'fault' | 'waiting' | 'failed' | 'policy' | 'disk';
  tone: 'deny' | 'ask' | 'fail';
  title: string;
  text: string;
};

/** What a person should look at now, worst first. Empty when all is calm. */
export function buildNeedsYou(overview: Overview, status: StatusView | undefined): NeedsYou[] {
  const needs: NeedsYou[] = [];
  const fault = status?.ledger?.fault;
  if (fault !== undefined) {
    needs.push({
      id: 'fault',
      tone: 'deny',
      title: `Record #${formatCount(fault.seq)} does not verify`,
      text: 'Something changed the database outside the app. Do not rely on records from there on; keep a copy of the data folder.',
    });
  }
  const waiting = status?.ledger?.waiting_approvals ?? overview.approvals.waiting;
  if (waiting > 0) {
    needs.push({
      id: 'waiting',
      tone: 'ask',
      title: `${countOf(waiting, 'call')} ${waiting === 1 ? 'waits' : 'wait'} for a person`,
      text: 'An agent has stopped and goes on only if someone approves in time.',
    });
  }
  if (status?.policy !== undefined && !status.policy.ready) {
    needs.push({
      id: 'policy',
      tone: 'fail',
      title: 'The gate denies everything',
      text: 'No policy can be evaluated here, so every gated call is refused. Build the policies: npm run prepare',
    });
  } else if (overview.decisions.failed > 0) {
    needs.push({
      id: 'failed',
      tone: 'fail',
      title: `${countOf(overview.decisions.failed, 'decision')} could not be made`,
      text: 'The policy failed on these calls, so they were denied. The reason stands with each.',
    });
  }
  if (status?.data?.disk_low) {
    needs.push({
      id: 'disk',
      tone: 'ask',
      title: 'Little disk space is left',
      text: 'When the disk is full nothing more is recorded. Free some space.',
    });
  }
  return needs;
}

/** The window in one or two sentences. */
export function buildHeadline(overview: Overview, windowLabel: string): string {
  const { allow, deny, approve, failed } = overview.decisions;
  const asked = allow + deny + approve + failed;
  const runs = `${countOf(overview.runs, 'run')} of ${countOf(overview.apps, 'app')}`;
  if (asked === 0) return `${runs} in the last ${windowLabel}. No call was put to the policy.`;
  return `${runs} in the last ${windowLabel}. Of ${countOf(asked, 'gated call')}, ${formatCount(allow)} ran on the policy’s word alone.`;
}

export type Bucket = {
  /** Start of the bucket, RFC 3339 UTC. */
  at: string;
  Allowed: number;
  'Put to people': number;
  Denied: number;
  Failed: number;
};

const HOUR = 3_600_000;

/** Width of a bar in hours: at most about sixty bars. */
export const bucketHours = (days: number): number =>
  days <= 2 ? 1 : days <= 7 ? 6 : days <= 45 ? 24 : 24 * 7;

/** Bars over the whole window, quiet hours included, the last one holding the present. */
export function buildBuckets(rows: Overview['by_hour'], days: number, now: number): Bucket[] {
  const width = bucketHours(days) * HOUR;
  const last = Math.floor(now / width) * width;
  const first = Math.floor((now - days * 24 * HOUR) / width) * width;
  const buckets = new Map<number, Bucket>();
  for (let at = first; at <= last; at += width) {
    buckets.set(at, {
      at: new Date(at).toISOString(),
      Allowed: 0,
      'Put to people': 0,
      Denied: 0,
      Failed: 0,
    });
  }
  for (const row of rows) {
    const bucket = buckets.get(Math.floor(Date.parse(row.hour) / width) * width);
    if (bucket === undefined) continue;
    bucket.Allowed += row.allow;
    bucket['Put to people'] += row.approve;
    bucket.Denied += row.deny;
    bucket.Failed += row.failed;
  }
  return [...buckets.values()];
}

/** Whether anything was decided in the window. */
export const decided = (overview: Overview): boolean =>
  Object.values(overview.decisions).some(count => count > 0);

/** A state of `latest_exceptions` as the page says it: a question that was asked is not said to be open still. */
export const exceptionState = (state: string): string => (state === 'waiting' ? 'asked' : state);

/** Notes on what the figures hold besides checked events. */
export function buildNotes(overview: Overview): string[] {
  const notes: string[] = [];
  if (overview.unverified_events > 0) {
    notes.push(
      `${countOf(overview.unverified_events, 'event')} came without a key: recorded and counted, but nobody vouches for who sent them.`,
    );
  }
  if (overview.unknown_attributes.length > 0) {
    const names = overview.unknown_attributes.slice(0, 3).map(row => row.name);
    const more = overview.unknown_attributes.length - names.length;
    notes.push(
      `OpenTelemetry attributes that have no place of their own are kept with their events: ${names.join(', ')}${
        more > 0 ? ` and ${more} more` : ''
      }.`,
    );
  }
  return notes;
}
