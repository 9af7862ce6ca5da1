/** Saved sets, environments, activation and hot reload, over real HTTP. Spec: docs/spec/policy.md. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sha256 } from '../../collector/sha256.ts';
import type { OutputOf } from '../../core/api/operations.ts';
import { policyHash } from '../../core/proof/binding.ts';
import { startTestCollector, type TestCollector } from '../http/collector.ts';
import { expectJson } from '../people/person.ts';
import { activateSet, codeOf as code, decide, localDoor, refundSet, saveSet, sourcesOf } from './authored.ts';

let tm: TestCollector;
const local = localDoor(() => tm);

beforeAll(async () => {
  tm = await startTestCollector();
});
afterAll(() => tm.stop());

describe('a set', () => {
  test('is checked, tested, built and named by what it holds; saving twice is one set and one event', async () => {
    const files = refundSet(100);
    const prepared = expectJson<OutputOf<'preparePolicySet'>>(
      await local('/api/policies/sets/prepare', { files }),
      200,
    );
    expect(prepared).toMatchObject({
      ok: true,
      counts: { passed: 2, failed: 0 },
      sources_sha256: sourcesOf(files),
    });
    const saved = await saveSet(tm, files, 'limit 100');
    expect(saved).toMatchObject({
      hash: prepared.policy_hash,
      by: 'Ada',
      message: 'limit 100',
      signed_in: 'none',
      active: [],
    });
    const size = await tm.size();
    expect(await saveSet(tm, files, 'again')).toEqual(saved);
    expect(await tm.size()).toBe(size);
    const one = expectJson<OutputOf<'policySet'>>(await local(`/api/policies/sets/${saved.hash}`), 200);
    expect(one.files.map(({ path }) => path)).toEqual(['refunds.rego', 'refunds_test.rego']);
    const event = expectJson<OutputOf<'event'>>(await local(`/api/events/${saved.seq}`), 200) as unknown as {
      event_type: string;
      policy: Parameters<typeof policyHash>[1];
      files: { path: string; sha256: string }[];
    };
    expect(event.event_type).toBe('policy.saved');
    expect(policyHash(sha256, { ...event.policy, files: event.files })).toBe(saved.hash);
  });

  test('that does not compile is not saved, and says where', async () => {
    const files = [{ path: 'p.rego', text: 'package trailmix\n\ndecision := input.amuont\n' }];
    const prepared = expectJson<OutputOf<'preparePolicySet'>>(
      await local('/api/policies/sets/prepare', { files }),
      200,
    );
    expect(prepared.ok).toBe(false);
    expect(prepared.diagnostics[0]).toMatchObject({ path: 'p.rego', row: 3, severity: 'error' });
    const size = await tm.size();
    const refused = await local('/api/policies/sets', { files, message: '' });
    expect([refused.status, code(refused)]).toEqual([422, 'policy_invalid']);
    expect(await tm.size()).toBe(size);
  });

  test('with a failing test, or without any, can be saved and never activated', async () => {
    const [rule, tests] = refundSet(70);
    const failing = [rule!, { ...tests!, text: tests!.text.replace('refund(70)', 'refund(71)') }];
    for (const files of [failing, [rule!]]) {
      const { hash } = await saveSet(tm, files);
      const refused = await local('/api/policies/environments/prod/activate', { hash });
      expect([refused.status, code(refused)]).toEqual([409, 'policy_untested']);
    }
    const unknown = await local('/api/policies/environments/prod/activate', { hash: 'ab'.repeat(32) });
    expect([unknown.status, code(unknown)]).toEqual([404, 'policy_unknown']);
  });

  test('the toolchain answers with diagnostics, lint and coverage by file', async () => {
    const files = refundSet(5);
    const checked = expectJson<OutputOf<'checkPolicy'>>(
      await local('/api/policies/tool/check', {
        files: [
          {
            path: 'p.rego',
            text: 'package trailmix\n\ndecision := {"result": "deny", "reasons": []} if {\n\tinput.payload.x\n}\n',
          },
        ],
      }),
      200,
    );
    expect(checked.ok).toBe(true);
    expect(checked.diagnostics).toContainEqual(
      expect.objectContaining({ code: 'bare-input', row: 4, col: 2, end_col: 17, severity: 'warning' }),
    );
    const tested = expectJson<OutputOf<'testPolicy'>>(await local('/api/policies/tool/test', { files }), 200);
    expect(tested).toMatchObject({ ok: true, counts: { passed: 2 } });
    expect(tested.coverage.find(({ path }) => path === 'refunds.rego')?.percent).toBe(100);
    const two = await local('/api/policies/tool/check', { files: [files[0], files[0]] });
    expect([two.status, code(two)]).toEqual([422, 'input_invalid']);
  });
});

describe('environments', () => {
  test('a key of staging decides under the set of staging, and the record says so', async () => {
    const { hash } = await saveSet(tm, refundSet(10));
    const made = await local('/api/keys', { app_id: 'shop', environment: 'staging', scopes: ['decide'] });
    const { api_key } = expectJson<{ api_key: string }>(made, 201);
    const prod = await tm.key('shop', ['decide']);
    const shipped = await decide(tm, api_key, 20);
    expect(shipped.decision).toBe('allow');
    const state = await activateSet(tm, hash, 'staging');
    expect(state).toMatchObject({ state: 'active', environment: { name: 'staging', active: { hash } } });
    const asked = await decide(tm, api_key, 20);
    expect([asked.decision, asked.policy.hash]).toEqual(['approve', hash]);
    expect((await decide(tm, prod.apiKey, 20)).decision).toBe('allow');
    const { items } = expectJson<OutputOf<'events'>>(
      await local(`/api/events?event_id=${asked.decision_id}`),
      200,
    );
    expect(items[0]).toMatchObject({ decision: { policy: { hash, environment: 'staging' } } });
    // What was in force at the decision is one question away, by seq and by time.
    const at = expectJson<OutputOf<'policyAt'>>(await local(`/api/policies/at?seq=${items[0]!.seq}`), 200);
    expect(at).toMatchObject({ environment: 'staging', hash, version: asked.policy.version });
    const then = await local(
      `/api/policies/at?environment=staging&time=${encodeURIComponent(items[0]!.received_at)}`,
    );
    expect(expectJson<OutputOf<'policyAt'>>(then, 200).hash).toBe(hash);
    // The verifier holds each decision to the policy of its own environment.
    const report = expectJson<OutputOf<'verifyLedger'>>(
      await local('/api/ledger/verify', undefined, 'POST'),
      200,
    );
    expect(report.verdicts.integrity).toMatchObject({ result: 'pass', findings: [] });
  });

  test('what replaces another one than is in force is refused; a revert is an activation', async () => {
    const { items } = expectJson<OutputOf<'policyEnvironments'>>(
      await local('/api/policies/environments'),
      200,
    );
    const before = items.find(({ name }) => name === 'prod')!.active!;
    const { hash } = await saveSet(tm, refundSet(30));
    const stale = await local('/api/policies/environments/prod/activate', {
      hash,
      replaces: 'ab'.repeat(32),
    });
    expect([stale.status, code(stale)]).toEqual([409, 'policy_stale']);
    await activateSet(tm, hash);
    const back = await activateSet(tm, before.hash);
    expect(back.environment.active).toMatchObject({ hash: before.hash });
    expect(back.environment.active!.version).toBeGreaterThan(before.version);
  });

  test('an approval asked before a change of its policy cannot be used after it', async () => {
    const { apiKey } = await tm.key('shop', ['decide']);
    const first = await saveSet(tm, refundSet(40));
    const second = await saveSet(tm, refundSet(41));
    await activateSet(tm, first.hash);
    const asked = await decide(tm, apiKey, 50);
    expectJson(await local(`/api/approvals/${asked.approval!.id}/answer`, { verdict: 'approve' }), 200);
    await activateSet(tm, second.hash);
    const { createHmac } = await import('node:crypto');
    const used = await tm.ask(`/api/approvals/${asked.approval!.id}/consume`, {
      headers: { authorization: `Bearer ${apiKey}` },
      body: {
        args_digest: createHmac('sha256', Buffer.from(asked.args_salt, 'hex'))
          .update('{"amount":50}')
          .digest('hex'),
        action: 'issue_refund',
        session_id: 'run-1',
        nonce: asked.approval!.nonce,
      },
    });
    expect([used.status, code(used)]).toEqual([409, 'policy_changed']);
  });
});

test('the policy in force survives a restart', async () => {
  const { hash } = await saveSet(tm, refundSet(60));
  await activateSet(tm, hash);
  const { folder } = tm;
  await tm.collector.close();
  const again = await startTestCollector({ folder });
  try {
    const { apiKey } = await again.key('shop', ['decide']);
    const asked = await decide(again, apiKey, 61);
    expect([asked.decision, asked.policy.hash]).toEqual(['approve', hash]);
  } finally {
    await again.stop();
  }
});
