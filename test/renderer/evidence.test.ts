import { describe, expect, test } from 'vitest';
import { Findings } from '../../core/pack/findings.ts';
import { readEvidenceSearch } from '../../renderer/features/evidence/evidence_search.ts';
import { namesOf, sortGiven, trustName } from '../../renderer/features/evidence/given_files.ts';
import {
  buildCounts,
  buildWarnings,
  instantOf,
  progressOf,
  questionOf,
  questions,
  scopeFault,
  spanOf,
  wallOf,
} from '../../renderer/features/evidence/scope.ts';
import { buildConclusion, buildVerdicts } from '../../renderer/features/evidence/verdicts.ts';

const counts = {
  events: 38,
  sessions: 4,
  decisions: { allow: 1, deny: 1, approve: 2, failed: 0 },
  approvals: { approved: 0, denied: 1, expired: 0, waiting: 0, consumed: 1, cancelled: 0 },
  evals: 0,
  blobs: 0,
  unverified: 0,
};

describe('window in the zone of the reader', () => {
  test.each([
    ['2026-11-22T17:29:24Z', 'UTC', '2026-11-22T17:29:24'],
    ['2026-11-22T17:29:24Z', 'Europe/Berlin', '2026-11-22T18:29:24'],
    ['2026-07-01T00:00:00Z', 'America/New_York', '2026-06-30T20:00:00'],
    ['2026-01-01T00:00:00Z', 'Asia/Kathmandu', '2026-01-01T05:45:00'],
    ['2026-03-29T01:30:00Z', 'Europe/Berlin', '2026-03-29T03:30:00'],
    ['2000-01-01T00:00:00Z', 'Pacific/Kiritimati', '2000-01-01T14:00:00'],
  ])('%s in %s, there and back', (utc, zone, wall) => {
    expect(wallOf(utc, zone)).toBe(wall);
    expect(instantOf(wall, zone)).toBe(utc);
  });

  test('in the hour that a clock repeats, the first', () => {
    expect(instantOf('2026-10-25T02:30:00', 'Europe/Berlin')).toBe('2026-10-25T00:30:00Z');
  });

  test('seconds may be left out; what is no time is none', () => {
    expect(instantOf('2026-11-22T17:29', 'UTC')).toBe('2026-11-22T17:29:00Z');
    expect(instantOf('', 'UTC')).toBeUndefined();
    expect(instantOf('2026-13-40T99:00:00', 'UTC')).toBeUndefined();
  });

  test('a window that ends before it begins is refused', () => {
    const span = spanOf(24, Date.parse('2026-11-22T17:29:24Z'));
    expect(span).toEqual({ from: '2026-11-21T17:29:24Z', to: '2026-11-22T17:29:24Z' });
    expect(scopeFault(span)).toBeUndefined();
    expect(scopeFault({ from: span.to, to: span.from })).toBeDefined();
  });
});

test('every question lays something out, and the first is everything', () => {
  expect(questionOf(undefined).include).toHaveLength(4);
  expect(questionOf('nonsense')).toBe(questions[0]);
  expect(questions.every(question => question.include.length > 0)).toBe(true);
});

test('counts in rows, a person’s refusal by its own word', () => {
  const rows = Object.fromEntries(buildCounts(counts).map(row => [row.label, row.value]));
  expect(rows).toEqual({
    Events: '38',
    Runs: '4',
    Decisions: '4: 1 allowed, 1 denied, 2 put to people',
    'Answers of people': '1 approved, 1 refused',
  });
});

test('the reader is warned of what a verifier will say', () => {
  expect(buildWarnings(counts)).toEqual([]);
  expect(buildWarnings({ ...counts, unverified: 2 })[0]).toContain('identity fails');
  expect(buildWarnings({ ...counts, events: 0 })[0]).toContain('No event');
});

test('progress is unknown before its size is', () => {
  const job = { id: '1', app_id: 'a', state: 'running' as const, step: '', done: 0, total: 0 };
  expect(progressOf(job)).toBeUndefined();
  expect(progressOf({ ...job, done: 1, total: 3 })).toBe(33);
});

describe('verdicts in plain words', () => {
  const verdictsOf = (...codes: Parameters<Findings['add']>[0][]) => {
    const findings = new Findings();
    for (const code of codes) findings.add(code, 'here');
    return findings.verdicts();
  };

  test('all four are told, in their order, failing findings first', () => {
    const told = buildVerdicts(verdictsOf('cms_unchecked', 'body_hash_wrong', 'time_not_shown'));
    expect(told.map(verdict => verdict.id)).toEqual(['integrity', 'completeness', 'time', 'identity']);
    expect(told[0]).toMatchObject({ result: 'fail', word: 'Fails' });
    expect(told[0]?.findings.map(finding => finding.code)).toEqual(['body_hash_wrong', 'cms_unchecked']);
    expect(told[2]).toMatchObject({ result: 'not_shown', word: 'Not shown', tone: 'plain' });
  });

  test('one failure is the conclusion, by name', () => {
    expect(buildConclusion(verdictsOf('body_hash_wrong', 'unkeyed_events'), true)).toEqual({
      tone: 'deny',
      text: 'This pack fails: integrity and identity.',
    });
  });

  test('keys that nobody vouches for are never called trusted', () => {
    const verdicts = verdictsOf('cms_unchecked', 'keys_untrusted', 'time_not_shown');
    expect(buildConclusion(verdicts, false).tone).toBe('ask');
    expect(buildConclusion(verdicts, false).text).toContain('forger');
    expect(buildConclusion(verdictsOf('cms_unchecked'), true).tone).toBe('allow');
  });
});

test('the address keeps whole UTC instants only', () => {
  expect(readEvidenceSearch({ tab: 'verify', q: 'policy', app: 'a', from: '2026-11-22T17:29:24Z' })).toEqual({
    tab: 'verify',
    q: 'policy',
    app: 'a',
    from: '2026-11-22T17:29:24Z',
  });
  expect(readEvidenceSearch({ tab: 'x', from: 'yesterday', to: '2026-99-99T00:00:00Z' })).toEqual({});
});

test('files of a trust folder are known by their names, also as browsers number a second download', () => {
  expect(trustName('org (1).pem')).toBe('org.pem');
  expect(trustName('TSA-root.pem')).toBe('tsa-root.pem');
  expect(trustName('trust(2).json')).toBe('trust.json');
  expect(trustName('witness_policy.json')).toBe('witness_policy.json');
  expect(trustName('authority.crl')).toBe('authority.crl.pem');
  expect(trustName('november.zip')).toBeUndefined();
  const file = (name: string) => ({ name });
  const { packs, trust } = sortGiven(
    ['org.pem', 'log-0a1b.pem', 'november.zip', 'trust.json'].map(name => file(name)),
  );
  expect(packs).toEqual([file('november.zip')]);
  expect(namesOf(trust)).toBe('trust.json and org.pem');
  expect(namesOf(sortGiven([file('trust.json')]).trust)).toBe('trust.json');
});
