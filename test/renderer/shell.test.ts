import { describe, expect, test } from 'vitest';
import type { StatusView } from '../../core/api/views.ts';
import { addressOf } from '../../renderer/api/client.ts';
import { failureOf } from '../../renderer/api/problem.ts';
import { tokenOf } from '../../renderer/api/session.ts';
import { firstSteps } from '../../renderer/features/traces/first_steps.ts';
import { readTraceSearch } from '../../renderer/features/traces/trace_search.ts';
import { readTracesSearch } from '../../renderer/features/traces/traces_search.ts';
import { buildFacets, readSort, writeSort } from '../../renderer/features/traces/traces_view.ts';
import { buildPaletteTargets } from '../../renderer/shell/palette_actions.ts';
import { buildStatusItems } from '../../renderer/shell/status_items.ts';
import { buildJsonLines } from '../../renderer/ui/json_lines.ts';

const ledger = {
  ledger_id: 'a'.repeat(32),
  tenant_id: 'default',
  head_seq: 18_211,
  verified_to: 18_200,
  verified_at: '2026-11-22T16:00:00.000000Z',
  waiting_approvals: 0,
  events_per_second: 2.5,
};
const status = (more: Partial<NonNullable<StatusView['ledger']>> = {}): StatusView => ({
  phase: 'open',
  version: '0.1.0',
  ledger: { ...ledger, ...more },
  custody: { kind: 'key_file', label: 'key file', protects: ['x'], does_not_protect: ['y'] },
  address: { url: 'http://127.0.0.1:4318', host: '127.0.0.1', port: 4318, beyond_loopback: false },
  now: '2026-11-22T16:00:03.000000Z',
});
const items = (view: StatusView | undefined, reachable = true) =>
  buildStatusItems({ status: view, reachable, now: Date.parse('2026-11-22T16:00:03Z'), zone: 'UTC' });
const first = (view: StatusView | undefined, reachable = true) => items(view, reachable)[0]!;
const said = (item: ReturnType<typeof first>) =>
  [item.label, item.figure, item.after].filter(Boolean).join(' ');

describe('the status bar tells the truth', () => {
  test('verified as far as the collector got, and no further', () => {
    expect(said(first(status()))).toBe('Verified to #18,200 of #18,211');
    expect(first(status()).tone).toBe('ok');
    expect(first(status()).lines.join(' ')).toContain('11 newer records wait');
  });
  test('a fault outranks everything and names the record', () => {
    const fault = first(status({ fault: { seq: 17, code: 'hash_wrong', message: 'Changed.' } }));
    expect(fault.tone).toBe('bad');
    expect(said(fault)).toBe('Record #17 does not verify');
  });
  test('before the first pass nothing counts as verified', () => {
    expect(first(status({ verified_to: -1 })).tone).toBe('warn');
    expect(said(first(status({ verified_to: -1 })))).toBe('Not verified yet');
    expect(said(first(status({ verified_to: -1, head_seq: -1 })))).toBe('Ledger is empty');
  });
  test('without an answer it claims nothing', () => {
    expect(items(status(), false)).toHaveLength(1);
    expect(first(status(), false).tone).toBe('bad');
  });
  test('nothing exported is a warning, not a silence; an export is not claimed to be held by anyone', () => {
    expect(items(status()).find(item => item.id === 'exported')?.tone).toBe('warn');
    const exported = { size: 18_011, at: '2026-11-22T15:00:00Z' };
    const item = items(status({ exported })).find(one => one.id === 'exported')!;
    expect(said(item)).toBe('Exported to #18,010');
    expect(item.lines.join(' ')).toContain('does not know whether you gave it away');
  });
  test('a key file that is missing is said, with its place', () => {
    const lost = items({ ...status(), key_missing: { file: '/home/me/ledger.key' } });
    const item = lost.find(one => one.id === 'custody');
    expect([item?.tone, item?.facts[0]?.value]).toEqual(['warn', '/home/me/ledger.key']);
  });
  test('custody says what it does not protect against', () => {
    expect(items(status()).find(item => item.id === 'custody')?.lines).toEqual([
      'Protects against: x',
      'Does not protect against: y',
    ]);
  });
});

describe('addresses and answers', () => {
  test('path members are escaped, absent query members left out', () => {
    expect(addressOf('trace', { params: { id: 'a/b' }, query: { q: 'x y', none: undefined } })).toBe(
      '/api/traces/a%2Fb?q=x+y',
    );
  });
  test('a problem document becomes a failure with its next step', () => {
    const failure = failureOf(429, { code: 'busy', detail: 'full', next: 'Wait.' });
    expect(failure).toMatchObject({ code: 'busy', message: 'full', next: 'Wait.', repeatable: true });
    expect(failureOf(502, '<html>').code).toBe('unreadable');
    expect(failureOf(400, { code: 'toString' }).code).toBe('unreadable');
  });
  test('the one-time token of a fragment', () => {
    expect(tokenOf('#token=abc')).toBe('abc');
    expect(tokenOf('#other')).toBeUndefined();
  });
});

describe('the URL is the state', () => {
  test('of the list', () => {
    expect(readTracesSearch({ q: 42, app: '', risk: 'high', extra: 'x' })).toEqual({ q: '42', risk: 'high' });
    expect(readSort('-duration')).toEqual({ id: 'duration', desc: true });
    expect(writeSort(readSort('-duration'))).toBe('-duration');
    expect(writeSort(readSort(undefined))).toBeUndefined();
  });
  test('of a run; nonsense is dropped', () => {
    expect(readTraceSearch({ seq: '12', tab: 'proof', from: 5, to: 3 })).toEqual({ seq: 12, tab: 'proof' });
    expect(readTraceSearch({ seq: -1, q: '' })).toEqual({});
    expect(readTraceSearch({ from: 0, to: 100 })).toEqual({ from: 0, to: 100 });
  });
  test('a chosen facet without runs can still be taken back', () => {
    const [app] = buildFacets({ app: { a: 2, b: 5 }, risk: {}, decision: {} }, { app: 'gone' });
    expect(app?.rows.map(row => [row.value, row.count, row.chosen])).toEqual([
      ['b', 5, false],
      ['a', 2, false],
      ['gone', 0, true],
    ]);
  });
});

test('what the palette makes of a text', () => {
  expect(buildPaletteTargets('#18,204')[0]).toEqual({ kind: 'seq', seq: 18_204 });
  expect(buildPaletteTargets('dec_01abc').map(target => target.kind)).toEqual(['event_id', 'search']);
  expect(buildPaletteTargets('two words').map(target => target.kind)).toEqual(['search']);
  expect(buildPaletteTargets('  ')).toEqual([]);
});

test('JSON as lines: folding says how much it holds', () => {
  const value = { a: [1, 'x'], 'b/c': null };
  expect(buildJsonLines(value, new Set()).map(line => line.text)).toEqual([
    '{',
    '[',
    '1',
    '"x"',
    ']',
    'null',
    '}',
  ]);
  const folded = buildJsonLines(value, new Set(['/a']));
  expect(folded.map(line => line.id)).toEqual(['', '/a', '/b~1c', '}']);
  expect(folded[1]).toMatchObject({ text: '[…]', folded: true, count: 2 });
});

test('first steps fit the address: nothing to configure at the usual one', () => {
  const usual = firstSteps('http://127.0.0.1:4318', true);
  expect(usual.typescript).not.toContain('endpoint');
  expect(usual.otel).toEqual({
    says: 'Any OpenTelemetry exporter at its default settings already sends to this address, without a key.',
  });
  const other = firstSteps('http://127.0.0.1:5000', false);
  expect(other.typescript).toContain("endpoint: 'http://127.0.0.1:5000'");
  expect(other.otel.setting).toBe('OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:5000');
  expect(other.otel.says).toContain('needs a key');
});
