import { describe, expect, test } from 'vitest';
import { buildConversation, excerpt, readableText } from '../../renderer/features/traces/conversation.ts';
import { buildEventSummary } from '../../renderer/features/traces/event_summary.ts';
import { markText } from '../../renderer/features/traces/mark_text.ts';
import { buildNotable } from '../../renderer/features/traces/notable.ts';
import { buildPolicyView } from '../../renderer/features/traces/policy_view.ts';
import { buildDecisionCounts, buildRunSentences } from '../../renderer/features/traces/run_summary.ts';
import { lookOf, stateOfApproval } from '../../renderer/ui/decisions.ts';

const context = { kind: 'other', durationUs: 0, tokens: 0, cost: 0, decision: '' };
const decision = (result: string, more: object = {}) => ({
  event_type: 'decision.recorded',
  name: 'send_wire',
  risk: 'high',
  actor_type: 'agent',
  actor_id: 'finance-agent',
  decision: { result, reasons: ['wire > 10000'], policy: { version: 3, hash: 'ab' }, eval_us: 90, ...more },
});

describe('an event in sentences', () => {
  test('a decision that waits', () => {
    const summary = buildEventSummary(decision('approve'), {
      ...context,
      kind: 'decision',
      decision: 'waiting',
    });
    expect(summary.title).toBe('May send_wire run?');
    expect(summary.sentences).toEqual([
      'The agent finance-agent asked to run send_wire, at high risk.',
      'The policy wanted a person to agree first.',
      'Nobody has answered yet: the call waits.',
    ]);
    expect(summary.reasons).toEqual(['wire > 10000']);
    expect(summary.sentences.join(' ')).not.toMatch(/\bapprove\b/);
  });

  test('a failed evaluation is told as a denial with its cause', () => {
    const summary = buildEventSummary(decision('deny', { failed: 'timeout' }), context);
    expect(summary.sentences).toContain('The policy could not be evaluated, so the call was denied.');
    expect(buildPolicyView(decision('deny', { failed: 'timeout' })).decision).toMatchObject({
      word: 'failed',
      failed: 'timeout',
      version: 3,
    });
  });

  test('an unsigned answer says so', () => {
    const summary = buildEventSummary(
      {
        event_type: 'approval.answered',
        name: 'send_wire',
        approval: { verdict: 'deny', by: 'Ada', signed_in: 'none', comment: 'wrong IBAN' },
      },
      context,
    );
    expect(summary.title).toBe('A person answered');
    expect(summary.sentences[0]).toBe('Ada refused: send_wire may not run.');
    expect(summary.sentences.join(' ')).toContain('not signed');
  });

  test('a model call, with figures and evals, without judging the threshold', () => {
    const summary = buildEventSummary(
      {
        event_type: 'span',
        name: 'chat',
        actor_type: 'agent',
        input: { prompt: 'Draft a reply.' },
        output: { model_output: 'Dear customer' },
        model: { name: 'gpt-4o', provider: 'openai' },
        evals: [{ name: 'toxicity', score: 0.01, threshold: 0.1 }],
        policy_eval: { decision: 'allow' },
        status: 'error',
      },
      { kind: 'llm', durationUs: 1_830_000, tokens: 653, cost: 0.0042, decision: '' },
    );
    expect(summary.sentences).toEqual([
      'The agent asked gpt-4o (openai): “Draft a reply.”',
      'It answered: “Dear customer”',
      'It took 1.8 s, used 653 tokens and cost $0.0042.',
      'It ended in an error.',
      'Eval toxicity: 0.01, threshold 0.1.',
      'The program also claims a policy decision; only decisions recorded by this ledger count.',
    ]);
  });

  test('what nobody vouches for, and samples, carry a caution', () => {
    const record = { event_type: 'span', name: 'x', source: { via: 'otlp', auth: 'none' }, sample: true };
    expect(buildEventSummary(record, context).cautions).toHaveLength(2);
  });

  test('an unknown type of the collector is still told', () => {
    expect(buildEventSummary({ event_type: 'approval.moved' }, context).sentences).toEqual([
      'The ledger recorded “approval.moved”.',
    ]);
  });
});

describe('a run in sentences', () => {
  const run = {
    run_id: 'r',
    app_id: 'finance-bot',
    session_id: 's',
    title: 'Wire',
    first_ts: '',
    last_ts: '',
    duration_us: 161_000_000,
    events: 26,
    first_seq: 0,
    last_seq: 25,
    status: 'ok' as const,
    tokens: 1200,
    cost: 0.31,
    allowed: 4,
    denied: 1,
    asked: 2,
    failed: 0,
    waiting: 1,
    sample: false,
    unverified: false,
  };
  test('says what was asked and what still waits', () => {
    expect(buildRunSentences(run)).toEqual([
      'finance-bot recorded 26 events in this session over 2 m 41 s.',
      'It used 1,200 tokens and cost $0.31.',
      '7 calls asked the policy: it allowed 4, denied 1, wanted a person for 2.',
      '1 call still waits for a person.',
    ]);
  });
  test('counts by weight; those that wait are not counted twice', () => {
    expect(buildDecisionCounts(run).map(part => part.word)).toEqual([
      '1 needs approval',
      '1 denied',
      '1 put to people',
      '4 allowed',
    ]);
  });
});

test('where to look first: what waits, then failures, then refusals', () => {
  const notable = buildNotable({
    seq: [1, 2, 3, 4, 5],
    decision: ['allowed', 'refused', '', 'waiting', 'failed'],
    status: ['', '', 'error', '', ''],
  });
  expect(notable.rows.map(row => row.why)).toEqual(['waiting', 'failed', 'refused', 'error']);
});

describe('conversations', () => {
  test('OpenAI, parts and tool calls', () => {
    expect(
      buildConversation({
        messages: [
          { role: 'user', content: [{ type: 'text', text: 'Hi' }] },
          {
            role: 'assistant',
            content: null,
            tool_calls: [{ function: { name: 'find', arguments: '{"id":1}' } }],
          },
        ],
      }),
    ).toEqual([
      { role: 'user', text: 'Hi', calls: [] },
      { role: 'assistant', text: '', calls: [{ name: 'find', args: { id: 1 } }] },
    ]);
  });
  test('what is not wholly understood stays JSON', () => {
    expect(buildConversation([{ role: 'user', content: [{ type: 'image', data: 'x' }] }])).toBeUndefined();
    expect(buildConversation({ messages: [] })).toBeUndefined();
    expect(buildConversation('hello')).toBeUndefined();
  });
  test('excerpts end at a word', () => {
    expect(excerpt('one two  three', 9)).toBe('one two…');
    expect(readableText({ query: 'refund policy' })).toBe('refund policy');
    expect(readableText({ rows: 3 })).toBeUndefined();
  });
});

test('searched words are marked, terms with a colon are not', () => {
  expect(markText('cancel_reservation', 'cancel app:x')).toEqual([
    { at: 0, text: 'cancel', marked: true },
    { at: 6, text: '_reservation', marked: false },
  ]);
  expect(markText('nothing', '')).toEqual([{ at: 0, text: 'nothing', marked: false }]);
});

test('decisions have a sign and a word; approve is never one of them', () => {
  expect(lookOf('waiting')?.word).toBe('Needs approval');
  expect(lookOf(stateOfApproval('denied'))?.word).toBe('Refused');
  expect(lookOf('denied')?.word).toBe('Denied');
  expect(lookOf('')).toBeUndefined();
  expect(lookOf('constructor')).toBeUndefined();
});
