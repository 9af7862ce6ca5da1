import { describe, expect, test } from 'vitest';
import type { StatusView } from '../../core/api/views.ts';
import { readOverviewSearch } from '../../renderer/features/overview/overview_search.ts';
import {
  bucketHours,
  buildBuckets,
  buildHeadline,
  buildNeedsYou,
  buildNotes,
  exceptionState,
  type Overview,
} from '../../renderer/features/overview/overview_view.ts';

const overview = (more: Partial<Overview> = {}): Overview => ({
  events: 10,
  runs: 2,
  apps: 1,
  decisions: { allow: 0, deny: 0, approve: 0, failed: 0 },
  approvals: { waiting: 0, approved: 0, denied: 0, expired: 0 },
  by_hour: [],
  by_app: [],
  latest_exceptions: [],
  unverified_events: 0,
  unknown_attributes: [],
  ...more,
});
const status = (ledger: Partial<NonNullable<StatusView['ledger']>>): StatusView => ({
  phase: 'open',
  version: '0',
  address: { url: '', host: '', port: 1, beyond_loopback: false },
  now: '',
  policy: { version: 1, hash: '', ready: true },
  ledger: {
    ledger_id: 'a',
    tenant_id: 'default',
    head_seq: 1,
    verified_to: 1,
    waiting_approvals: 0,
    events_per_second: 0,
    ...ledger,
  },
});

describe('what needs a person now', () => {
  test('nothing when all is calm', () => {
    expect(buildNeedsYou(overview(), status({}))).toEqual([]);
  });

  test('a fault of the ledger comes before everything else', () => {
    const needs = buildNeedsYou(
      overview({ decisions: { allow: 0, deny: 0, approve: 0, failed: 2 } }),
      status({ waiting_approvals: 3, fault: { seq: 1204, code: 'body_hash_wrong', message: '' } }),
    );
    expect(needs.map(need => need.id)).toEqual(['fault', 'waiting', 'failed']);
    expect(needs[0]?.title).toContain('#1,204');
    expect(needs[1]?.title).toBe('3 calls wait for a person');
  });

  test('a gate that denies everything is said once, not as failures beside it', () => {
    const broken = { ...status({}), policy: { version: 0, hash: '', ready: false } };
    const needs = buildNeedsYou(
      overview({ decisions: { allow: 0, deny: 0, approve: 0, failed: 9 } }),
      broken,
    );
    expect(needs.map(need => need.id)).toEqual(['policy']);
  });
});

describe('bars', () => {
  const now = Date.parse('2026-11-22T17:29:00Z');
  const hour = (at: string, allow: number) => ({
    hour: at,
    events: 1,
    allow,
    deny: 0,
    approve: 0,
    failed: 0,
  });

  test.each([1, 7, 30, 365])('%i days: every hour lands in one bar, and the bars reach the present', days => {
    const rows = [hour('2026-11-22T17:00:00.000Z', 2), hour('2026-11-22T08:00:00.000Z', 3)];
    const bars = buildBuckets(rows, days, now);
    expect(bars.reduce((sum, bar) => sum + bar.Allowed, 0)).toBe(5);
    expect(bars.length).toBeLessThanOrEqual(62);
    const last = Date.parse(bars.at(-1)!.at);
    expect(now - last).toBeLessThan(bucketHours(days) * 3_600_000);
  });

  test('quiet hours are there', () => {
    expect(buildBuckets([], 1, now)).toHaveLength(25);
  });
});

test('the headline names runs, apps and what the policy let run', () => {
  expect(buildHeadline(overview(), '7 days')).toBe(
    '2 runs of 1 app in the last 7 days. No call was put to the policy.',
  );
  expect(
    buildHeadline(overview({ decisions: { allow: 1, deny: 1, approve: 5, failed: 0 } }), '7 days'),
  ).toContain('Of 7 gated calls, 1 ran');
});

test('events without a key are said to be so', () => {
  expect(buildNotes(overview({ unverified_events: 4 }))[0]).toContain('4 events came without a key');
  expect(buildNotes(overview())).toEqual([]);
});

test('a question that was asked is not said to be open', () => {
  expect(exceptionState('waiting')).toBe('asked');
  expect(exceptionState('denied')).toBe('denied');
});

test('only offered windows stand in the address', () => {
  expect(readOverviewSearch({ days: '30' })).toEqual({ days: 30 });
  expect(readOverviewSearch({ days: 7 })).toEqual({});
  expect(readOverviewSearch({ days: 9999 })).toEqual({});
});
