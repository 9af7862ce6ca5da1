import { createHash, createHmac } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { approvalCommands } from '../../collector/approvals/commands.ts';
import { listApprovals } from '../../collector/approvals/queue.ts';
import { DEFAULT_REVIEW } from '../../collector/approvals/settings.ts';
import { GRANT_SECONDS } from '../../collector/approvals/use.ts';
import type { DecisionInput, PolicyOutcome } from '../../collector/ports.ts';
import { TrailmixError } from '../../core/api/errors.ts';
import { type Binding, bindingHash } from '../../core/proof/binding.ts';
import { jcs } from '../../core/proof/jcs.ts';
import { type TestLedger, testLedger } from './write_tx.ts';

const sha256 = (data: Uint8Array): Uint8Array => createHash('sha256').update(data).digest();
const APPROVAL_SECONDS = DEFAULT_REVIEW.expires_seconds;
const POLICY = { version: 3, hash: 'c'.repeat(64) };
const outcome = (result: PolicyOutcome['result'], more: Partial<PolicyOutcome> = {}): PolicyOutcome => ({
  result,
  reasons: result === 'allow' ? [] : ['wire > 10000'],
  policy: POLICY,
  evalUs: 42,
  ...more,
});
const ask = (result: PolicyOutcome['result'], more: Partial<DecisionInput> = {}): DecisionInput => ({
  keyId: 'k1',
  appId: 'finance-bot',
  sessionId: 's-1',
  actor: { type: 'agent', id: 'planner' },
  action: 'send_wire',
  risk: 'high',
  payload: { amount: 12000, iban: 'DE00' },
  outcome: outcome(result),
  ...more,
});

let ledger: TestLedger;
beforeEach(() => {
  ledger = testLedger(approvalCommands);
});
afterEach(() => ledger.close());

const refused = (run: () => unknown): string => {
  const before = ledger.records.length;
  const rows = JSON.stringify(ledger.db.prepare('SELECT * FROM approval').all());
  try {
    run();
  } catch (error) {
    if (!(error instanceof TrailmixError)) throw error;
    expect(ledger.records.length).toBe(before);
    expect(JSON.stringify(ledger.db.prepare('SELECT * FROM approval').all())).toBe(rows);
    return error.code;
  }
  throw new Error('was not refused');
};

/** Asks, and answers the decision with what the caller needs to consume it. */
function asked(more: Partial<DecisionInput> = {}) {
  const input = ask('approve', more);
  const decision = ledger.run('decide', input);
  const approval = decision.approval!;
  const salt = Buffer.from(decision.argsSalt, 'hex');
  const consume = {
    id: approval.id,
    keyId: input.keyId,
    appId: input.appId,
    argsDigest: createHmac('sha256', salt).update(jcs(input.payload)).digest('hex'),
    action: input.action,
    sessionId: input.sessionId,
    nonce: approval.nonce,
    activePolicyHash: POLICY.hash,
  };
  return { decision, approval, consume };
}
const answer = (id: string, verdict: 'approve' | 'deny') =>
  ledger.run('answerApproval', {
    id,
    verdict,
    by: 'Mara',
    comment: 'checked the invoice',
    signedIn: 'none',
    source: { via: 'page', auth: 'person' },
  });

describe('decide', () => {
  test('allow is one record with the digest that the salt gives', () => {
    const { decisionId, argsSalt, seq, approval } = ledger.run('decide', ask('allow'));
    expect(approval).toBeUndefined();
    expect(argsSalt).toMatch(/^[0-9a-f]{64}$/);
    expect(ledger.records).toHaveLength(1);
    const record = ledger.records[seq]!;
    expect(record).toMatchObject({
      appId: 'finance-bot',
      eventType: 'decision.recorded',
      eventId: decisionId,
    });
    const kept = record.members.decision as Record<string, unknown>;
    expect(kept.args_salt).toBe(argsSalt);
    expect(kept.args_digest).toBe(
      createHmac('sha256', Buffer.from(argsSalt, 'hex'))
        .update('{"amount":12000,"iban":"DE00"}')
        .digest('hex'),
    );
  });

  test('a failed evaluation is recorded as such', () => {
    const failed = outcome('deny', { failed: { why: 'timeout' } });
    const { seq } = ledger.run('decide', ask('deny', { outcome: failed }));
    expect(ledger.records[seq]!.members.decision).toMatchObject({
      result: 'deny',
      code: 'policy_failed',
      failed: 'timeout',
    });
    expect(ledger.records[seq]!.facts?.decision).toBe('failed');
  });

  test('approve records the whole binding, whose hash anyone can recompute', () => {
    const required = { k: 2, roles: ['treasurer', 'cfo'] };
    const { decision, approval } = asked({ outcome: outcome('approve', { required }) });
    expect(approval.status).toBe('waiting');
    expect(approval.expires_at).toBe('2026-11-22T12:15:00.000000Z');
    const kept = ledger.records[1]!.members.approval as unknown as { binding: Binding; binding_hash: string };
    expect(Object.keys(kept.binding).sort()).toEqual([
      'action',
      'actor_id',
      'app_id',
      'args_digest',
      'decision_id',
      'expires_at',
      'ledger_id',
      'nonce',
      'policy_hash',
      'required',
      'risk',
      'session_id',
      'tenant_id',
      'v',
    ]);
    expect(kept.binding.required).toEqual({ k: 2, roles: ['cfo', 'treasurer'] });
    expect(kept.binding.decision_id).toBe(decision.decisionId);
    expect(kept.binding.nonce).toMatch(/^[0-9a-f]{64}$/);
    expect(bindingHash(sha256, kept.binding)).toBe(kept.binding_hash);
  });
});

describe('answer', () => {
  test('an unsigned approve counts, and says that it is unsigned', () => {
    const { approval } = asked();
    const view = answer(approval.id, 'approve');
    expect(view).toMatchObject({
      status: 'approved',
      signed_in: 'none',
      answered_by: 'Mara',
      comment: 'checked the invoice',
    });
    expect(ledger.records[2]).toMatchObject({
      eventType: 'approval.answered',
      source: { via: 'page', auth: 'person' },
      members: { actor_id: 'Mara', approval: { verdict: 'approve', signed_in: 'none' } },
    });
    expect(ledger.touched).toEqual([approval.id, approval.id]);
  });

  test('a deny before use ends an approval; nothing changes after', () => {
    const { approval, consume } = asked();
    answer(approval.id, 'approve');
    expect(answer(approval.id, 'deny').status).toBe('denied');
    expect(refused(() => ledger.run('consumeApproval', consume))).toBe('approval_denied');
    expect(refused(() => answer(approval.id, 'approve'))).toBe('approval_closed');
    expect(refused(() => answer(approval.id, 'deny'))).toBe('approval_closed');
  });

  test('refusals: unknown, twice, after use, too late, a digest that is none', () => {
    expect(refused(() => answer('apr_none', 'approve'))).toBe('approval_unknown');
    const { approval, consume } = asked();
    answer(approval.id, 'approve');
    expect(refused(() => answer(approval.id, 'approve'))).toBe('approval_closed');
    ledger.run('consumeApproval', consume);
    expect(refused(() => answer(approval.id, 'deny'))).toBe('approval_consumed');
    const late = asked().approval;
    ledger.advance(APPROVAL_SECONDS);
    expect(refused(() => answer(late.id, 'approve'))).toBe('approval_expired');
    const form = {
      verdict: 'approve',
      by: 'M',
      signedIn: 'none',
      source: { via: 'page', auth: 'person' },
    } as const;
    expect(
      refused(() => ledger.run('answerApproval', { ...form, id: late.id, shownDigest: 'nonsense' })),
    ).toBe('input_invalid');
  });
});

describe('consume', () => {
  test('once: the same request within the grant gets the same answer, later approval_consumed', () => {
    const { approval, consume: unnamed } = asked();
    const consume = { ...unnamed, useId: 'one attempt' };
    answer(approval.id, 'approve');
    const first = ledger.run('consumeApproval', consume);
    expect(refused(() => ledger.run('consumeApproval', unnamed))).toBe('approval_consumed');
    expect(first.grantExpiresAt).toBe('2026-11-22T12:00:10.000000Z');
    ledger.advance(GRANT_SECONDS - 1);
    expect(ledger.run('consumeApproval', consume)).toEqual(first);
    expect(ledger.records.filter(record => record.eventType === 'intent.recorded')).toHaveLength(1);
    const other = { ...consume, useId: 'another attempt' };
    expect(refused(() => ledger.run('consumeApproval', other))).toBe('approval_consumed');
    ledger.advance(1);
    expect(refused(() => ledger.run('consumeApproval', consume))).toBe('approval_consumed');
  });

  test('the intent cites all that a verifier needs', () => {
    const { approval, consume, decision } = asked();
    answer(approval.id, 'approve');
    const { intentId } = ledger.run('consumeApproval', consume);
    expect(ledger.records[3]).toMatchObject({ eventType: 'intent.recorded', eventId: intentId });
    const bound = ledger.records[1]!.members.approval as { binding_hash: string };
    expect(ledger.records[3]!.members.intent).toEqual({
      approval_id: approval.id,
      decision_id: decision.decisionId,
      binding_hash: bound.binding_hash,
      args_digest: consume.argsDigest,
      nonce: consume.nonce,
      key_id: 'k1',
      policy_hash: POLICY.hash,
      grant_expires_at: '2026-11-22T12:00:10.000000Z',
      four_eyes: false,
    });
  });

  test.each([
    ['another key', { keyId: 'k2' }, 'approval_unknown'],
    ['another app', { appId: 'other' }, 'approval_unknown'],
    ['no such approval', { id: 'apr_none' }, 'approval_unknown'],
    ['other arguments', { argsDigest: 'd'.repeat(64) }, 'binding_mismatch'],
    ['another action', { action: 'send_wires' }, 'binding_mismatch'],
    ['another session', { sessionId: 's-2' }, 'binding_mismatch'],
    ['another nonce', { nonce: 'e'.repeat(64) }, 'binding_mismatch'],
    ['another policy in force', { activePolicyHash: 'f'.repeat(64) }, 'policy_changed'],
  ])('%s is refused and leaves the approval usable', (_, change, code) => {
    const { approval, consume } = asked();
    answer(approval.id, 'approve');
    expect(refused(() => ledger.run('consumeApproval', { ...consume, ...change }))).toBe(code);
    expect(ledger.run('consumeApproval', consume).intentId).toBeTruthy();
  });

  test('waiting, and expired after approval, are refused', () => {
    const { approval, consume } = asked();
    expect(refused(() => ledger.run('consumeApproval', consume))).toBe('approval_not_approved');
    answer(approval.id, 'approve');
    ledger.advance(APPROVAL_SECONDS);
    expect(refused(() => ledger.run('consumeApproval', consume))).toBe('approval_expired');
    ledger.run('expireApprovals', {});
    expect(refused(() => ledger.run('consumeApproval', consume))).toBe('approval_expired');
  });
});

describe('outcome', () => {
  const report = (decisionId: string, more: object = {}) =>
    ledger.run('reportOutcome', {
      decisionId,
      keyId: 'k1',
      appId: 'finance-bot',
      outcome: 'ok',
      result: { wire_id: 'w-9' },
      latencyMs: 120,
      ...more,
    });

  test('of an allowed decision: recorded once, repeated the same, another refused', () => {
    const { decisionId } = ledger.run('decide', ask('allow'));
    const first = report(decisionId);
    expect(ledger.records[first.seq]).toMatchObject({
      eventType: 'outcome.recorded',
      members: {
        output: { wire_id: 'w-9' },
        outcome: { decision_id: decisionId, outcome: 'ok', latency_ms: 120 },
      },
    });
    expect(report(decisionId)).toEqual(first);
    expect(refused(() => report(decisionId, { outcome: 'error', error: 'no' }))).toBe('outcome_conflict');
  });

  test('of an approved call: against its intent, and shown with the approval', () => {
    const { decision, approval, consume } = asked();
    answer(approval.id, 'approve');
    expect(refused(() => report(decision.decisionId))).toBe('approval_not_approved');
    const { intentId } = ledger.run('consumeApproval', consume);
    const list = () => listApprovals(ledger.db, 'default', { status: 'all' }).items;
    expect(list()[0]).toMatchObject({ status: 'consumed', outcome: 'unknown' });
    const { seq } = report(decision.decisionId, { outcome: 'error', result: undefined, error: 'bank down' });
    expect(ledger.records[seq]!.members.outcome).toMatchObject({
      intent_id: intentId,
      error: 'bank down',
    });
    expect(list()[0]).toMatchObject({ status: 'consumed', outcome: 'error' });
  });

  test('refusals: unknown, of another key, of a denied call', () => {
    expect(refused(() => report('dec_none'))).toBe('decision_unknown');
    const { decisionId } = ledger.run('decide', ask('deny'));
    expect(refused(() => report(decisionId))).toBe('policy_denied');
    expect(refused(() => report(decisionId, { keyId: 'k2' }))).toBe('decision_unknown');
  });
});

describe('expiry and lists', () => {
  test('waiting and unused approvals expire, each with its record; used and denied ones do not', () => {
    const waiting = asked();
    const unused = asked();
    const used = asked();
    const denied = asked();
    answer(unused.approval.id, 'approve');
    answer(used.approval.id, 'approve');
    answer(denied.approval.id, 'deny');
    ledger.run('consumeApproval', used.consume);
    ledger.advance(APPROVAL_SECONDS - 1);
    expect(ledger.run('expireApprovals', {}).expired).toEqual([]);
    ledger.advance(1);
    const { expired } = ledger.run('expireApprovals', {});
    expect(expired.sort()).toEqual([waiting.approval.id, unused.approval.id].sort());
    expect(ledger.records.filter(record => record.eventType === 'approval.expired')).toHaveLength(2);
    expect(ledger.run('expireApprovals', {}).expired).toEqual([]);
  });

  test('the queue pages without skipping or repeating', () => {
    for (let i = 0; i < 5; i++) asked({ sessionId: `s-${i}` });
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const query = { status: 'waiting', limit: 2, ...(cursor === undefined ? {} : { cursor }) } as const;
      const page = listApprovals(ledger.db, 'default', query);
      expect(page.total).toBe(5);
      seen.push(...page.items.map(item => item.session_id));
      cursor = page.next;
    } while (cursor !== undefined);
    expect(seen).toEqual(['s-0', 's-1', 's-2', 's-3', 's-4']);
    expect(listApprovals(ledger.db, 'default', { status: 'answered' })).toMatchObject({
      items: [],
      total: 0,
    });
  });
});
