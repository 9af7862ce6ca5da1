/** Bundles that no `opa` wrote, over real HTTP: each is refused by what is wrong with it, and nothing is saved. */
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createToolchain } from '../../collector/policy/toolchain.ts';
import type { OutputOf } from '../../core/api/operations.ts';
import { startTestCollector, type TestCollector } from '../http/collector.ts';
import { addPerson, enrolFirstAdmin, expectJson } from '../people/person.ts';
import { refundSet, signedPolicy } from './authored.ts';
import { type Entry, tarGz } from './tar.ts';
import { capabilities, toolchainDir } from './workshop.ts';

let tm: TestCollector;
let wasm: Uint8Array;
const local = (path: string, body?: unknown) =>
  tm.ask(path, { socket: tm.collector.socket, ...(body === undefined ? {} : { body }) });
const problem = (answer: { json: never }) =>
  answer.json as { code: string; message?: string; detail?: string };

const MANIFEST: Entry = {
  name: '/.manifest',
  content: '{"roots":[""],"wasm":[{"entrypoint":"trailmix/decision","module":"/policy.wasm"}]}',
};
const bundled = (...entries: Entry[]): Buffer =>
  tarGz([
    { name: '/data.json', content: '{}' },
    { name: '/policy.wasm', content: wasm },
    MANIFEST,
    ...entries,
  ]);
const sent = (bytes: Uint8Array, more: object = {}) => ({
  bundle: Buffer.from(bytes).toString('base64'),
  message: 'from outside',
  ...more,
});

beforeAll(async () => {
  tm = await startTestCollector();
  const toolchain = await createToolchain({ dir: toolchainDir, capabilities, deadlineMs: 60_000 });
  const built = await toolchain.build([...refundSet(40)], 'trailmix/decision');
  await toolchain.close();
  if (!built.ok) throw new Error(JSON.stringify(built.errors));
  wasm = built.wasm;
}, 120_000);
afterAll(() => tm.stop());

test('an unsigned one is saved with its own module, as an event that says so, and not put in force without tests', async () => {
  const bytes = bundled({ name: '/refunds.rego', content: 'package trailmix\n' });
  const prepared = expectJson<OutputOf<'preparePolicyBundle'>>(
    await local('/api/policies/bundles/prepare', { bundle: bytes.toString('base64') }),
    200,
  );
  expect(prepared).toMatchObject({ tests: [], counts: { passed: 0, failed: 0 } });
  const { set, bundle } = expectJson<OutputOf<'importPolicyBundle'>>(
    await local('/api/policies/bundles', sent(bytes)),
    201,
  );
  expect(set).toMatchObject({ hash: prepared.policy_hash, message: 'from outside', files: 2 });
  expect(bundle).toEqual(prepared.bundle);
  expect(bundle.signature).toBeUndefined();
  const event = expectJson<OutputOf<'event'>>(await local(`/api/events/${set.seq}`), 200);
  expect(event).toMatchObject({ event_type: 'policy.saved', bundle: { sha256: bundle.sha256 } });
  const refused = await local('/api/policies/environments/prod/activate', { hash: set.hash });
  expect([refused.status, problem(refused).code]).toEqual([409, 'policy_untested']);
});

describe('refused, by what is wrong, with nothing saved', () => {
  test.each<[string, () => Buffer, object, RegExp]>([
    ['no gzip', () => Buffer.from('hello'), {}, /no gzip/],
    ['a bomb', () => gzipSync(Buffer.alloc(40 * 1024 * 1024)), {}, /32 MiB/],
    ['an empty tar', () => gzipSync(Buffer.alloc(1024)), {}, /no Wasm module/],
    ['a tar that is cut off', () => tarGz([{ name: '/x.rego', size: 99_999 }]), {}, /cut off/],
    ['a path upwards', () => bundled({ name: '../x.rego' }), {}, /a file is named/],
    ['a link', () => bundled({ name: '/x.rego', type: '2' }), {}, /of a kind that is not read/],
    ['a file twice', () => bundled({ name: 'data.json' }), {}, /twice/],
    ['a manifest that is null', () => tarGz([{ name: '/.manifest', content: 'null' }]), {}, /no JSON object/],
    [
      'data that is no JSON',
      () =>
        tarGz([
          { name: '/policy.wasm', content: wasm },
          { name: '/data.json', content: '{' },
        ]),
      {},
      /no JSON/,
    ],
    [
      'a name that a set cannot have',
      () => bundled({ name: '/a b.rego', content: 'package a\n' }),
      {},
      /cannot hold a file named/,
    ],
    [
      'text that is too long',
      () => bundled({ name: '/a.rego', content: '#'.repeat(262_145) }),
      {},
      /262145 characters/,
    ],
    [
      'text that is no UTF-8',
      () => bundled({ name: '/a.rego', content: new Uint8Array([0xff]) }),
      {},
      /not UTF-8/,
    ],
    ['a module that is none', () => tarGz([{ name: '/policy.wasm', content: 'wasm' }]), {}, /no Wasm/],
    [
      'a module without the entrypoint',
      () =>
        tarGz([
          { name: '/policy.wasm', content: wasm },
          {
            ...MANIFEST,
            content: MANIFEST.content!.toString().replace('trailmix/decision', 'other/decision'),
          },
        ]),
      {},
      /no Wasm module for trailmix\/decision/,
    ],
    ['a key where nothing is signed', () => bundled(), { key: 'secret' }, /not signed/],
    [
      'signatures that are no JSON',
      () => bundled({ name: '/.signatures.json', content: '[' }),
      { key: 's' },
      /no JSON/,
    ],
    [
      'no key for a signed one',
      () => bundled({ name: '/.signatures.json', content: '{"signatures":["a.b.c"]}' }),
      {},
      /no key was given/,
    ],
    [
      'a token whose head is null',
      () =>
        bundled({
          name: '/.signatures.json',
          content: `{"signatures":["${Buffer.from('null').toString('base64url')}.b.c"]}`,
        }),
      { key: 's' },
      /no JSON object/,
    ],
    [
      'algorithm none',
      () =>
        bundled({
          name: '/.signatures.json',
          content: `{"signatures":["${Buffer.from('{"alg":"none"}').toString('base64url')}.e30."]}`,
        }),
      { key: 's' },
      /algorithm is \\"none/,
    ],
  ])('%s', async (_name, make, more, words) => {
    const size = await tm.size();
    const answer = await local('/api/policies/bundles', sent(make(), more));
    expect(answer.status, answer.text).toBe(422);
    expect(problem(answer).code).toBe('policy_invalid');
    expect(answer.text).toMatch(words);
    expect(await tm.size()).toBe(size);
  });

  test('what is no base64', async () => {
    const answer = await local('/api/policies/bundles', { bundle: '***', message: '' });
    expect([answer.status, problem(answer).code]).toEqual([422, 'input_invalid']);
  });
});

test('once people are enrolled, only an author imports, signed', async () => {
  const other = await startTestCollector();
  try {
    const ada = await enrolFirstAdmin(other, { id: 'ada', roles: ['admin', 'policy_author'] });
    const cy = await addPerson(other, ada, { id: 'cy', roles: ['analyst'] });
    const state = expectJson<OutputOf<'signInState'>>(await other.ask('/api/sign-in'), 200);
    const place = { ledger_id: state.ledger_id!, tenant_id: state.tenants[0]! };
    const body = sent(bundled());
    const { policy_hash, sources_sha256 } = expectJson<OutputOf<'preparePolicyBundle'>>(
      await cy.call('/api/policies/bundles/prepare', { body: { bundle: body.bundle } }),
      200,
    );
    const parts = { act: 'save' as const, policy_hash, sources_sha256, message: body.message };
    const ask = (by: typeof ada, more: object) =>
      by.call('/api/policies/bundles', { body: { ...body, ...more } });
    expect(problem(await ask(ada, {})).code).toBe('signature_missing');
    expect(problem(await ask(cy, signedPolicy(cy, place, parts))).code).toBe('role_missing');
    const wrong = signedPolicy(ada, place, parts, { policy_hash: 'ab'.repeat(32) });
    expect(problem(await ask(ada, wrong)).code).toBe('statement_invalid');
    const { set } = expectJson<OutputOf<'importPolicyBundle'>>(
      await ask(ada, signedPolicy(ada, place, parts)),
      201,
    );
    expect(set).toMatchObject({ hash: policy_hash, by: 'ada', signed_in: 'page' });
  } finally {
    await other.stop();
  }
});
