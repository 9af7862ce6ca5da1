/** What a review shows, checks and signs; the comparison with the last one; the report in words and as CSV. */
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { ReviewRow } from '../../core/api/approval_operations.ts';
import { errorTable } from '../../core/api/errors.ts';
import { operations } from '../../core/api/operations.ts';
import type { ApprovalView, PersonView } from '../../core/api/views.ts';
import { reviewCsv } from '../../core/formats/review_csv.ts';
import { bindingHash, makeBinding, shownDigest } from '../../core/proof/binding.ts';
import type { JsonValue } from '../../core/proof/jcs.ts';
import { failureOf } from '../../renderer/api/problem.ts';
import {
  buildMissing,
  progressOf,
  waitingInWords,
  whoCanSign,
} from '../../renderer/features/approvals/approval_view.ts';
import { readApprovalsSearch } from '../../renderer/features/approvals/approvals_search.ts';
import {
  buildArgumentDiff,
  diffInWords,
  diffLines,
} from '../../renderer/features/approvals/argument_diff.ts';
import { refusalOf } from '../../renderer/features/approvals/refusals.ts';
import { flagSentence, type Report, secondsInWords } from '../../renderer/features/approvals/report_view.ts';
import {
  asShown,
  buildStatement,
  capacitiesOf,
  checkShown,
  holdLeft,
  type Opened,
} from '../../renderer/features/approvals/review.ts';

const sha256 = (data: Uint8Array): Uint8Array => createHash('sha256').update(data).digest();

function openedWith(change: (shown: Record<string, unknown>) => void = () => {}, digest?: string): Opened {
  const binding = makeBinding({
    v: 1,
    ledger_id: 'l',
    tenant_id: 'default',
    app_id: 'bot',
    session_id: 's',
    actor_id: 'planner',
    action: 'send_wire',
    risk: 'high',
    args_digest: 'a'.repeat(64),
    policy_hash: 'b'.repeat(64),
    decision_id: 'dec_1',
    required: { k: 2, roles: ['cfo', 'treasurer'] },
    nonce: 'c'.repeat(64),
    expires_at: '2026-11-22T12:15:00.000000Z',
  });
  const shown: Record<string, unknown> = {
    v: 1,
    approval_id: 'apr_1',
    asked_at: '2026-11-22T12:00:00.000000Z',
    app_id: 'bot',
    session_id: 's',
    actor_id: 'planner',
    action: 'send_wire',
    risk: 'high',
    payload: { amount: 12_000 },
    reasons: ['wire > 10,000'],
    policy: { version: 3, hash: 'b'.repeat(64) },
    required: { k: 2, roles: ['cfo', 'treasurer'] },
    binding,
    binding_hash: bindingHash(sha256, binding),
    expires_at: '2026-11-22T12:15:00.000000Z',
  };
  change(shown);
  return {
    review_id: 'rev_1',
    opened_at: '2026-11-22T12:01:00.000000Z',
    now: '2026-11-22T12:01:00.000000Z',
    not_before: '2026-11-22T12:01:15.000000Z',
    min_seconds: 15,
    challenge: { kind: 'retype', prompt: 'Type the amount', path: '/amount' },
    shown,
    shown_digest: digest ?? shownDigest(sha256, shown as JsonValue),
  };
}

describe('what is shown', () => {
  test('is taken when it agrees with its digest, its binding and what was asked for', () => {
    expect(checkShown(sha256, openedWith(), 'apr_1')?.payload).toEqual({ amount: 12_000 });
    expect(checkShown(sha256, openedWith(), 'apr_2')).toBeUndefined();
  });

  test('one byte off is not taken', () => {
    const { shown_digest } = openedWith();
    const altered = openedWith(shown => {
      shown.payload = { amount: 12_001 };
    }, shown_digest);
    expect(checkShown(sha256, altered, 'apr_1')).toBeUndefined();
  });

  test.each(['action', 'app_id', 'actor_id', 'session_id', 'risk', 'expires_at', 'binding_hash'])(
    'another %s than the binding’s is not taken, whatever the digest',
    member => {
      const altered = openedWith(shown => {
        shown[member] = 'other';
      });
      expect(checkShown(sha256, altered, 'apr_1')).toBeUndefined();
    },
  );

  test('fewer people than the binding asks for, a binding with more in it, nothing at all', () => {
    const changes: ((shown: Record<string, unknown>) => void)[] = [
      shown => {
        shown.required = { k: 1, roles: ['cfo', 'treasurer'] };
      },
      shown => {
        (shown.binding as Record<string, unknown>).extra = 1;
      },
      shown => {
        shown.binding = undefined;
      },
    ];
    for (const change of changes) expect(checkShown(sha256, openedWith(change, ''), 'apr_1')).toBeUndefined();
    expect(checkShown(sha256, openedWith(changes[0]), 'apr_1')).toBeUndefined();
    expect(checkShown(sha256, openedWith(changes[1]), 'apr_1')).toBeUndefined();
  });

  test('stands on the page instead of what the list says', () => {
    const view = {
      action: 'look',
      payload: { amount: 1 },
      context: { from: 'list' },
    } as never as ApprovalView;
    const shown = checkShown(sha256, openedWith(), 'apr_1')!;
    expect(asShown(view, shown)).toMatchObject({ action: 'send_wire', payload: { amount: 12_000 } });
    expect(asShown(view, shown)).not.toHaveProperty('context');
  });
});

test('from when: whole seconds, rounded up, never below none', () => {
  const at = Date.parse('2026-11-22T12:01:00Z');
  expect([0, 14_001, 15_000, 99_000].map(ms => holdLeft('2026-11-22T12:01:15.000000Z', at + ms))).toEqual([
    15, 1, 0, 0,
  ]);
});

test('the statement says as whom, under which delegation, and what the browser noticed', () => {
  const opened = openedWith();
  const shown = checkShown(sha256, opened, 'apr_1')!;
  const [own, handed] = capacitiesOf(
    {
      answer: true,
      roles: ['cfo'],
      on_behalf_of: [{ person: 'bob', delegation_id: 'dlg_1', roles: ['treasurer'] }],
    },
    () => 'Bob',
    role => role,
  );
  expect(handed?.label).toBe('treasurer, for Bob');
  const given = {
    opened,
    shown,
    verdict: 'approve' as const,
    person: 'cyd',
    keyId: 'k',
    comment: '',
    client: { focused_seconds: 16, scrolled_to_end: true },
    now: Date.parse('2026-11-22T12:01:20.123Z'),
  };
  expect(buildStatement({ ...given, capacity: own! })).toEqual({
    binding: shown.binding_hash,
    verdict: 'approve',
    approver_id: 'cyd',
    role: 'cfo',
    key_id: 'k',
    shown_digest: opened.shown_digest,
    opened_at: opened.opened_at,
    decided_at: '2026-11-22T12:01:20.123000Z',
    review: {
      review_id: 'rev_1',
      challenge: { kind: 'retype' },
      client: { focused_seconds: 16, scrolled_to_end: true },
    },
  });
  expect(buildStatement({ ...given, comment: 'ok', capacity: handed! })).toMatchObject({
    role: 'treasurer',
    review: { comment: 'ok', on_behalf_of: 'bob', delegation_id: 'dlg_1' },
  });
});

test('every refusal that an answer or an opening can get has words with something to do', () => {
  const common = new Set(['input_invalid', 'key_dollar', 'json_depth', 'busy', 'disk_full']);
  for (const name of ['answerApproval', 'openApproval'] as const) {
    for (const code of operations[name].errors.filter(one => !common.has(one))) {
      expect(refusalOf(code)?.todo, code).toMatch(/\w/);
    }
  }
  for (const code of common) expect(errorTable).toHaveProperty(code);
  expect(refusalOf('constructor')).toBeUndefined();
  expect(failureOf(409, { code: 'review_too_short' }, 7).retryAfter).toBe(7);
});

describe('against the last approved one', () => {
  test('changed, new and gone, each with its whole value', () => {
    const rows = buildArgumentDiff(
      { amount: 52_000, iban: 'DE02', cc: 'x' },
      { amount: 48_000, iban: 'DE02', note: 'n' },
    );
    expect(rows.map(({ name, change, was }) => [name, change, was])).toEqual([
      ['amount', 'changed', '48000'],
      ['iban', 'same', undefined],
      ['cc', 'added', undefined],
      ['note', 'removed', undefined],
    ]);
    expect(diffInWords(rows)).toBe('1 changed, 1 new, 1 gone');
    expect(diffInWords(buildArgumentDiff({ a: [1] }, { a: [1] }))).toBe('the same arguments');
  });

  test('1 is not "1"', () => {
    expect(buildArgumentDiff({ n: 1 }, { n: '1' })[0]?.change).toBe('changed');
  });

  test('long values line by line; both texts come back whole', () => {
    const before = ['a', 'b', 'c', 'd'];
    const now = ['a', 'x', 'c', 'd', 'e'];
    const lines = diffLines(before, now);
    expect(lines.filter(line => line.sign !== '+').map(line => line.text)).toEqual(before);
    expect(lines.filter(line => line.sign !== '-').map(line => line.text)).toEqual(now);
    expect(lines.filter(line => line.sign === ' ')).toHaveLength(3);
    const long = Array.from({ length: 1_000 }, (_, i) => `line ${i}`);
    expect(diffLines(long, [...long, 'more'])).toHaveLength(2_001);
  });
});

describe('who else', () => {
  const item = (more: Partial<ApprovalView> = {}) =>
    ({
      status: 'waiting',
      actor_id: 'planner',
      required: { k: 2, roles: ['cfo', 'treasurer'] },
      approved_by: 0,
      four_eyes: true,
      answers: [],
      ...more,
    }) as never as ApprovalView;
  const person = (id: string, more: Partial<PersonView> = {}): PersonView => ({
    id,
    name: id.toUpperCase(),
    roles: ['approver', 'cfo'],
    aliases: [],
    state: 'active',
    ...more,
  });

  test('has to sign, in a sentence', () => {
    expect(buildMissing(item(), 2, [])).toBe('Waits for 2 people with the role cfo or treasurer.');
    expect(buildMissing(item({ approved_by: 1 }), 1, ['Ada', 'Cyd'])).toBe(
      'Waits for one more person with the role cfo or treasurer: Ada or Cyd.',
    );
    expect(buildMissing(item({ status: 'approved' }), 0, [])).toBeUndefined();
    expect(progressOf(item({ approved_by: 1 }))).toBe('1 of 2');
    expect(progressOf(item({ four_eyes: false }))).toBe('');
  });

  test('can sign: with a role, active, not the asker, not who has answered, not oneself', () => {
    const people = [
      person('me'),
      person('ada'),
      person('bot', { aliases: ['planner'] }),
      person('left', { state: 'left' }),
      person('olga', { roles: ['auditor'] }),
      person('bob'),
    ];
    const answers = [{ by: 'bob', verdict: 'approve', at: '', signed_in: 'page' }] as ApprovalView['answers'];
    expect(whoCanSign(item({ answers: answers! }), people, 'me').map(one => one.id)).toEqual(['ada']);
  });

  test('a notice has a number and nothing else', () => {
    expect([waitingInWords(1), waitingInWords(1_200)]).toEqual([
      '1 action waits for approval',
      '1,200 actions wait for approval',
    ]);
  });
});

describe('the report', () => {
  const row: ReviewRow = {
    key: 'bob',
    label: '=HYPERLINK("x"), "Bob"',
    answers: 40,
    approved: 40,
    denied: 0,
    median_seconds: 1.44,
    too_fast: 31,
    in_bursts: 12,
    never_denied: true,
    flags: ['too_fast', 'never_denied', 'bursts'],
  };

  test('flags are sentences with their figures', () => {
    expect(row.flags.map(flag => flagSentence(flag, row))).toEqual([
      '31 answers faster than the content can be read',
      '40 answers and never a refusal',
      '12 answers in bursts of ten or more within a minute',
    ]);
    expect([0.4, 9.96, 125, 120].map(secondsInWords)).toEqual(['0.4 s', '10 s', '2 m 5 s', '2 m']);
  });

  test('as CSV: quoted, and no cell is a formula', () => {
    const report: Report = { from: '', to: '', answers: 40, by_person: [row], by_rule: [], by_app: [] };
    expect(reviewCsv(report).split('\r\n')).toEqual([
      'by,key,label,answers,approved,denied,median_seconds,too_fast,in_bursts,never_denied,flags',
      `person,bob,"'=HYPERLINK(""x""), ""Bob""",40,40,0,1.44,31,12,true,too_fast never_denied bursts`,
      '',
    ]);
  });
});

test('the address holds list and filters, and drops what it does not know', () => {
  const search = {
    show: 'mine',
    q: 'wire',
    risk: 'high',
    for: 'me',
    by: 'bob',
    days: '7',
    action: 'a',
    x: 1,
  };
  expect(readApprovalsSearch(search)).toEqual({
    show: 'mine',
    q: 'wire',
    risk: 'high',
    for: 'me',
    by: 'bob',
    days: 7,
    action: 'a',
  });
  expect(readApprovalsSearch({ risk: 'huge', days: 8, for: 'you', q: {} })).toEqual({});
});
