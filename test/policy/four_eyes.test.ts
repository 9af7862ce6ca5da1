/** Two people for the first policy of an environment, who the second may be, and a proposal that another one overtakes. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { OutputOf } from '../../core/api/operations.ts';
import type { Environment } from '../../core/api/policy_views.ts';
import { startTestCollector, type TestCollector } from '../http/collector.ts';
import { addPerson, enrolFirstAdmin, expectJson, type Person } from '../people/person.ts';
import { codeOf as code, decide, localDoor, refundSet, signedPolicy, sourcesOf } from './authored.ts';

let tm: TestCollector;
let ada: Person;
let ben: Person;
let place: { ledger_id: string; tenant_id: string };
const local = localDoor(() => tm);
const message = 'from the handbook';

beforeAll(async () => {
  tm = await startTestCollector();
  ada = await enrolFirstAdmin(tm, { id: 'ada', roles: ['admin', 'policy_author'] });
  const state = expectJson<OutputOf<'signInState'>>(await tm.ask('/api/sign-in'), 200);
  place = { ledger_id: state.ledger_id!, tenant_id: state.tenants[0]! };
  expectJson(await ada.call('/api/policies/settings', { body: { four_eyes: ['dev'] } }), 200);
});
afterAll(() => tm.stop());

type Set = { hash: string; sources_sha256: string };

async function save(by: Person, limit: number): Promise<Set> {
  const files = refundSet(limit);
  const prepared = expectJson<OutputOf<'preparePolicySet'>>(
    await by.call('/api/policies/sets/prepare', { body: { files } }),
    200,
  );
  const parts = { policy_hash: prepared.policy_hash!, sources_sha256: sourcesOf(files), message };
  const body = { files, message, ...signedPolicy(by, place, { act: 'save', ...parts }) };
  const { hash } = expectJson<OutputOf<'savePolicySet'>>(await by.call('/api/policies/sets', { body }), 201);
  return { hash, sources_sha256: parts.sources_sha256 };
}

const activate = (
  by: Person,
  { hash, sources_sha256 }: Set,
  replaces = '',
  environment: Environment = 'dev',
) =>
  by.call(`/api/policies/environments/${environment}/activate`, {
    body: {
      hash,
      message,
      ...signedPolicy(by, place, {
        act: 'activate',
        environment,
        message,
        policy_hash: hash,
        replaces,
        sources_sha256,
      }),
    },
  });
const done = async (...parts: Parameters<typeof activate>): Promise<OutputOf<'activatePolicySet'>> =>
  expectJson(await activate(...parts), 200);
const dev = async () => {
  const { items } = expectJson<OutputOf<'policyEnvironments'>>(
    await ada.call('/api/policies/environments'),
    200,
  );
  return items.find(({ name }) => name === 'dev')!;
};

test('a single author is told that nobody could sign second; nothing waits', async () => {
  const first = await save(ada, 10);
  expect(code(await activate(ada, first))).toBe('policy_no_second');
  ben = await addPerson(tm, ada, { id: 'ben', roles: ['policy_author'] });
  // The author of a set is no second pair of eyes.
  expect(code(await activate(ben, first))).toBe('policy_no_second');
  expect(await dev()).toEqual({ name: 'dev', four_eyes: true });
});

test('the first policy of an environment waits for the second person', async () => {
  const first = await save(ada, 20);
  expect(await done(ada, first)).toMatchObject({
    state: 'pending',
    environment: { name: 'dev', pending: { hash: first.hash, by: 'ada' } },
  });
  expect((await dev()).active).toBeUndefined();
  const candidate = { body: { hash: first.hash } };
  expect(code(await ada.call('/api/policies/environments/dev/candidate', candidate))).toBe('policy_unknown');
  expect(code(await activate(ada, first))).toBe('policy_own_request');

  const other = await save(ben, 30);
  expect(await done(ben, other)).toMatchObject({ state: 'pending', environment: { pending: { by: 'ben' } } });
  const size = await tm.size();
  const latest = await Promise.all(
    Array.from({ length: 5 }, async (_, n) => expectJson(await local(`/api/events/${size - 1 - n}`), 200)),
  );
  expect(latest).toContainEqual(
    expect.objectContaining({
      event_type: 'policy.withdrawn',
      policy: { hash: first.hash, environment: 'dev', overtaken_by: other.hash },
      by: 'ben',
    }),
  );

  const active = await done(ada, other);
  expect(active).toMatchObject({ state: 'active', environment: { active: { hash: other.hash, by: 'ada' } } });
  const report = expectJson<OutputOf<'verifyLedger'>>(
    await local('/api/ledger/verify', undefined, 'POST'),
    200,
  );
  expect(report.verdicts.integrity).toMatchObject({ result: 'pass', findings: [] });
});

test('who wrote a set is no second pair of eyes for it, once another one could be', async () => {
  const cy = await addPerson(tm, ada, { id: 'cy', roles: ['policy_author'] });
  const { active } = await dev();
  const set = await save(ada, 35);
  expect(await done(ben, set, active!.hash)).toMatchObject({ state: 'pending' });
  expect(code(await activate(ada, set, active!.hash))).toBe('policy_own_request');
  expect(await done(cy, set, active!.hash)).toMatchObject({
    state: 'active',
    environment: { active: { by: 'cy' } },
  });
});

test('the policy that ships still comes with the first API key, and ends what waited', async () => {
  expectJson(await ada.call('/api/policies/settings', { body: { four_eyes: ['staging'] } }), 200);
  const set = await save(ada, 40);
  expect(await done(ada, set, '', 'staging')).toMatchObject({ state: 'pending' });
  const made = expectJson<OutputOf<'createKey'>>(
    await ada.call('/api/keys', { body: { app_id: 'shop', environment: 'staging', scopes: ['decide'] } }),
    201,
  );
  expect((await decide(tm, made.api_key, 20)).decision).toBe('allow');
  const { items } = expectJson<OutputOf<'policyEnvironments'>>(
    await ada.call('/api/policies/environments'),
    200,
  );
  const staging = items.find(({ name }) => name === 'staging')!;
  expect(staging).toMatchObject({ active: { by: 'collector' } });
  expect(staging.pending).toBeUndefined();
});
