/** Policies under live traffic: hot reload, a candidate in shadow, signatures and four-eyes. Spec: docs/spec/policy.md. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { OutputOf } from '../../core/api/operations.ts';
import { startTestCollector, type TestCollector } from '../http/collector.ts';
import { addPerson, enrolFirstAdmin, expectJson } from '../people/person.ts';
import {
  activateSet,
  codeOf as code,
  decide,
  localDoor,
  refundSet,
  saveSet,
  signedPolicy,
  sourcesOf,
} from './authored.ts';
import { reloadUnderLoad } from './reloads.ts';

let tm: TestCollector;
const local = localDoor(() => tm);

beforeAll(async () => {
  tm = await startTestCollector();
});
afterAll(() => tm.stop());

test('200 reloads under parallel decisions: none fails, none is mixed, and the records show it', {
  timeout: 240_000,
}, async () => {
  const { decisions, ...report } = await reloadUnderLoad(tm, 200);
  expect(report).toMatchObject({ failed: 0, mixed: 0, refused: 0, integrity: 'pass' });
  expect(decisions).toBeGreaterThan(200);
});

test('a candidate in shadow is counted, never enforced, and told as an event', async () => {
  const lax = await saveSet(tm, refundSet(1000));
  const strict = await saveSet(tm, refundSet(100));
  await activateSet(tm, lax.hash);
  const { apiKey } = await tm.key('shop', ['decide']);
  const path = '/api/policies/environments/prod/candidate';
  expectJson(await local(path, { hash: strict.hash }), 200);
  for (const amount of [50, 500, 5000]) {
    const { decision, policy } = await decide(tm, apiKey, amount, 'shadowed');
    expect([decision, policy.hash]).toEqual([amount > 1000 ? 'approve' : 'allow', lax.hash]);
  }
  const seen = expectJson<OutputOf<'shadowDifferences'>>(await local(`${path}/differences`), 200);
  expect(seen).toMatchObject({ hash: strict.hash, compared: 3, differing: 1, dropped: 0, total: 1 });
  expect(seen.items[0]).toMatchObject({ active: 'allow', candidate: 'approve', reasons: ['refund > 100'] });
  expectJson(await local(path, undefined, 'DELETE'), 200);
  const { items } = expectJson<OutputOf<'events'>>(
    await local(`/api/events?q=${encodeURIComponent('type:policy.shadowed')}`),
    200,
  );
  expect(items[0]).toMatchObject({
    shadow: {
      hash: strict.hash,
      against: lax.hash,
      compared: 3,
      differing: 1,
      cells: { 'allow>allow': 1, 'allow>approve': 1, 'approve>approve': 1 },
      ended: true,
    },
  });
  const gone = await local(`${path}/differences`);
  expect([gone.status, code(gone)]).toEqual([404, 'policy_unknown']);
});

test('people sign what they save and activate; four-eyes needs two of them', async () => {
  const other = await startTestCollector();
  try {
    const ada = await enrolFirstAdmin(other, { id: 'ada', roles: ['admin', 'policy_author'] });
    const ben = await addPerson(other, ada, { id: 'ben', roles: ['policy_author'] });
    const cy = await addPerson(other, ada, { id: 'cy', roles: ['approver'] });
    const state = expectJson<OutputOf<'signInState'>>(await other.ask('/api/sign-in'), 200);
    const place = { ledger_id: state.ledger_id!, tenant_id: state.tenants[0]! };
    const files = refundSet(77);
    const message = 'from the handbook';
    const prepared = expectJson<OutputOf<'preparePolicySet'>>(
      await ada.call('/api/policies/sets/prepare', { body: { files } }),
      200,
    );
    const parts = { policy_hash: prepared.policy_hash!, sources_sha256: sourcesOf(files), message };
    const save = (by: typeof ada, signed: object) =>
      by.call('/api/policies/sets', { body: { files, message, ...signed } });

    expect(code(await save(ada, {}))).toBe('signature_missing');
    const saving = { act: 'save' as const, ...parts };
    const wrong = signedPolicy(ada, place, saving, { sources_sha256: 'ab'.repeat(32) });
    expect(code(await save(ada, wrong))).toBe('statement_invalid');
    expect(code(await save(ada, { ...signedPolicy(ada, place, saving), signature: wrong.signature }))).toBe(
      'signature_invalid',
    );
    expect(code(await save(cy, signedPolicy(cy, place, saving)))).toBe('role_missing');
    const saved = expectJson<OutputOf<'savePolicySet'>>(
      await save(ada, signedPolicy(ada, place, saving)),
      201,
    );
    expect(saved).toMatchObject({ by: 'ada', signed_in: 'page' });

    expect(code(await ben.call('/api/policies/settings', { body: { four_eyes: ['prod'] } }))).toBe(
      'role_missing',
    );
    expectJson(await ada.call('/api/policies/settings', { body: { four_eyes: ['prod'] } }), 200);
    const { items } = expectJson<OutputOf<'policyEnvironments'>>(
      await ada.call('/api/policies/environments'),
      200,
    );
    const before = items.find(({ name }) => name === 'prod')!;
    expect(before.four_eyes).toBe(true);
    const activate = (by: typeof ada, environment: 'prod' | 'dev', replaces: string) =>
      by.call(`/api/policies/environments/${environment}/activate`, {
        body: {
          hash: saved.hash,
          message,
          ...signedPolicy(by, place, { act: 'activate', ...parts, environment, replaces }),
        },
      });
    const inForce = before.active!.hash;
    expect(code(await activate(ada, 'prod', ''))).toBe('statement_invalid');
    const first = expectJson<OutputOf<'activatePolicySet'>>(await activate(ada, 'prod', inForce), 200);
    expect(first).toMatchObject({
      state: 'pending',
      environment: { pending: { by: 'ada' }, active: { hash: inForce } },
    });
    expect(code(await activate(ada, 'prod', inForce))).toBe('policy_own_request');
    const second = expectJson<OutputOf<'activatePolicySet'>>(await activate(ben, 'prod', inForce), 200);
    expect(second).toMatchObject({
      state: 'active',
      environment: { active: { hash: saved.hash, by: 'ben' } },
    });
    const event = expectJson<OutputOf<'event'>>(
      await ada.call(`/api/events/${second.environment.active!.seq}`),
      200,
    ) as unknown as { signed: { statement: { by: string } }[] };
    expect(event.signed.map(({ statement }) => statement.by)).toEqual(['ada', 'ben']);
  } finally {
    await other.stop();
  }
});
