/** What a pack is to answer, and its window of time in the reader's zone. Pure. Source: docs/spec/pack.md, Scope. */
import type { InputOf } from '../../../core/api/operations.ts';
import type { ExportJob, PackCounts } from '../../../core/api/views.ts';
import type { Stamp } from '../../../core/pack/timestamp.ts';
import { countOf, formatCount } from '../../ui/numbers.ts';

export type Include = NonNullable<InputOf<'exportEvidence'>['include']>[number];
export type Question = { id: string; asks: string; holds: string; include: Include[] };

/** Every pack holds every record of the app in the window; `include` chooses what is laid out beside them. */
export const questions: Question[] = [
  {
    id: 'all',
    asks: 'What did this app do, and who allowed it?',
    holds: 'Everything: records, policies with their sources, approvals and evals.',
    include: ['traces', 'policies', 'evals', 'approvals'],
  },
  {
    id: 'policy',
    asks: 'Were the rules followed?',
    holds: 'Records and decisions, with the sources of every policy in force.',
    include: ['traces', 'policies', 'approvals'],
  },
  {
    id: 'approvals',
    asks: 'Who approved what?',
    holds: 'Records, and a table of every question to a person and its answer.',
    include: ['traces', 'approvals'],
  },
  {
    id: 'quality',
    asks: 'How good were the answers?',
    holds: 'Records, and a table of every eval score.',
    include: ['traces', 'evals'],
  },
];

export const questionOf = (id: string | undefined): Question =>
  questions.find(question => question.id === id) ?? questions[0]!;

export const includeWords: Record<Include, string> = {
  traces: 'Runs and their events',
  policies: 'Policy sources',
  evals: 'Eval scores',
  approvals: 'Approvals',
};

export type Span = { from: string; to: string };
const whole = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;

export const spans = [
  { id: 'day', label: 'Last 24 hours', hours: 24 },
  { id: 'week', label: 'Last 7 days', hours: 24 * 7 },
  { id: 'month', label: 'Last 30 days', hours: 24 * 30 },
  { id: 'all', label: 'Everything', hours: undefined },
] as const;

/** A window that ends now; `undefined` hours begin before any record. */
export const spanOf = (hours: number | undefined, now: number): Span => ({
  from: hours === undefined ? '2000-01-01T00:00:00Z' : whole(now - hours * 3_600_000),
  to: whole(now),
});

/** "2026-11-22T16:40:11" in the zone, the form of a datetime-local field. */
export function wallOf(utc: string, zone: string): string {
  const parts = Object.fromEntries(
    new Intl.DateTimeFormat('en-GB', {
      timeZone: zone,
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      hourCycle: 'h23',
    })
      .formatToParts(new Date(utc))
      .map(part => [part.type, part.value]),
  );
  return `${parts.year}-${parts.month}-${parts.day}T${parts.hour}:${parts.minute}:${parts.second}`;
}

/** The instant of a wall time in a zone; undefined for what is no time. In the hour that a clock repeats: the first. */
export function instantOf(wall: string, zone: string): string | undefined {
  const text = wall.length === 16 ? `${wall}:00` : wall;
  const asUtc = Date.parse(`${text}Z`);
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/.test(text) || Number.isNaN(asUtc)) return undefined;
  const offsetAt = (ms: number): number =>
    Date.parse(`${wallOf(whole(ms), zone)}Z`) - Math.floor(ms / 1000) * 1000;
  const guess = asUtc - offsetAt(asUtc - 12 * 3_600_000);
  return whole(wallOf(whole(guess), zone) === text ? guess : asUtc - offsetAt(guess));
}

export const scopeFault = (span: Span): string | undefined =>
  Date.parse(span.from) < Date.parse(span.to) ? undefined : 'The window ends before it begins.';

export type CountRow = { label: string; value: string };

/** The preview in rows; what is zero and says nothing is left out. */
export function buildCounts(counts: PackCounts): CountRow[] {
  const { decisions: d, approvals: a } = counts;
  const all = d.allow + d.deny + d.approve + d.failed;
  const rows: (CountRow | false)[] = [
    { label: 'Events', value: formatCount(counts.events) },
    { label: 'Runs', value: formatCount(counts.sessions) },
    {
      label: 'Decisions',
      value:
        all === 0
          ? 'none'
          : `${formatCount(all)}: ${list([
              [d.allow, 'allowed'],
              [d.deny, 'denied'],
              [d.approve, 'put to people'],
              [d.failed, 'failed'],
            ])}`,
    },
    {
      label: 'Answers of people',
      value:
        list([
          [a.approved + a.consumed, 'approved'],
          [a.denied, 'refused'],
          [a.expired, 'expired'],
          [a.waiting, 'still waiting'],
        ]) || 'none',
    },
    counts.evals > 0 && { label: 'Eval scores', value: formatCount(counts.evals) },
    counts.blobs > 0 && { label: 'Large values', value: formatCount(counts.blobs) },
  ];
  return rows.filter(row => row !== false);
}

const list = (parts: [number, string][]): string =>
  parts
    .filter(([n]) => n > 0)
    .map(([n, word]) => `${formatCount(n)} ${word}`)
    .join(', ');

/** What the reader should know before exporting. */
export function buildWarnings(counts: PackCounts): string[] {
  const warnings: string[] = [];
  if (counts.events === 0) {
    warnings.push('No event in this window. An empty pack still proves that nothing was received in it.');
  }
  if (counts.unverified > 0) {
    warnings.push(
      `${countOf(counts.unverified, 'event')} came without a key. A verifier will say that identity fails for this pack.`,
    );
  }
  if (counts.approvals.waiting > 0) {
    warnings.push(
      'A question is still open: export again once it is answered to have the answer in the pack.',
    );
  }
  return warnings;
}

/** 0 to 100 for a running job; undefined while its size is not known. */
export const progressOf = (job: ExportJob): number | undefined =>
  job.total > 0 ? Math.min(100, Math.floor((job.done / job.total) * 100)) : undefined;

/** What a stamp is over, as the subject of "there by ...". */
export const stampedWords = ({ over, size }: Pick<Stamp, 'over' | 'size'>): string =>
  over === 'pack'
    ? 'The whole pack,'
    : over === 'signature'
      ? 'Its signature,'
      : `The first ${formatCount(size ?? 0)} records of the ledger,`;
