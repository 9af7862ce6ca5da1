import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { getPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Check } from 'typebox/schema';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { PolicyBundle } from '../../collector/policy/bundle.ts';
import {
  createPolicyEngine,
  NO_POLICY,
  type PolicyEngine,
  type PolicyEngineOptions,
  type PolicyEvent,
} from '../../collector/policy/engine.ts';
import { createToolchain, type RegoFile, type Toolchain } from '../../collector/policy/toolchain.ts';
import { type JsonValue, jcs } from '../../core/proof/jcs.ts';
import { bundleOf, call, capabilities, policiesDir, shippedFiles, toolchainDir } from './workshop.ts';

let toolchain: Toolchain;
const open: PolicyEngine[] = [];

beforeAll(async () => {
  toolchain = await createToolchain({ dir: toolchainDir, capabilities, deadlineMs: 60_000 });
});
afterEach(async () => {
  for (const engine of open.splice(0)) await engine.close();
});
afterAll(() => toolchain.close());

const start = async (
  bundle: PolicyEngineOptions['bundle'],
  options: Omit<PolicyEngineOptions, 'bundle'> = {},
): Promise<PolicyEngine> => {
  const engine = await createPolicyEngine({ bundle, ...options });
  open.push(engine);
  return engine;
};
const rego = (text: string): RegoFile[] => [{ path: 'p.rego', text: `package trailmix\n${text}\n` }];
const make = (text: string, version = 1): Promise<PolicyBundle> => bundleOf(toolchain, rego(text), version);

/** Loops over 10^15 combinations without needing memory for it, when asked to. */
const ENDLESS = `
decision := {"result": "allow", "reasons": ["quick"]} if input.action != "loop"
decision := {"result": "allow", "reasons": ["never"]} if {
	input.action == "loop"
	xs := numbers.range(1, 1000)
	count([1 | some a in xs; some b in xs; some c in xs; some d in xs; some e in xs; [a, b, c, d, e] == input.payload]) == 0
}`;

const SLOW_ONCE = ENDLESS.replace('input.action != "loop"', 'input.payload.endless == false').replace(
  'input.action == "loop"',
  'input.payload.endless',
);

/** Ids of this process's threads that have a lower priority than the process. Linux. */
const lowThreads = (): number[] =>
  process.platform !== 'linux'
    ? []
    : readdirSync('/proc/self/task')
        .map(Number)
        .filter(thread => {
          try {
            return getPriority(thread) > getPriority(process.pid);
          } catch {
            return false;
          }
        });

describe('the shipped policy', () => {
  test.each([
    ['a refund of 750 asks', call('issue_refund', { amount: 750 }), 'approve', ['refund > 500']],
    ['a refund of 500 is allowed', call('issue_refund', { amount: 500 }), 'allow', []],
    [
      'a refund in words asks',
      call('issue_refund', { amount: '20' }),
      'approve',
      ['refund without a readable amount'],
    ],
    ['a wire of 12,000 asks', call('send_wire', { amount: 12_000 }), 'approve', ['wire > 10,000']],
    ['a wire of 10,000 is allowed', call('send_wire', { amount: 10_000 }), 'allow', []],
    [
      'positional arguments ask',
      call('send_wire', { args: [5, 'x'] }),
      'approve',
      ['wire without a readable amount'],
    ],
    [
      'PII out of the EU is denied',
      call('llm_call', { contains_pii: true }, { region: 'EU' }),
      'deny',
      ['PII cannot exit EU'],
    ],
    ['no PII, from the EU', call('llm_call', { contains_pii: false }, { region: 'EU' }), 'allow', []],
    ['PII from elsewhere', call('llm_call', { contains_pii: true }, { region: 'US' }), 'allow', []],
    ['anything else', call('read_balance', {}), 'allow', []],
  ] as const)('%s', async (_name, input, result, reasons) => {
    const engine = await start(policiesDir);
    const outcome = await engine.decide(input);
    expect(outcome).toMatchObject({ result, reasons, policy: { version: 1, hash: engine.active()?.hash } });
    expect(outcome.failed).toBeUndefined();
    expect(outcome.required).toEqual(result === 'approve' ? { k: 1, roles: [] } : undefined);
  });

  test('deny beats approve, and the reasons of both are given', async () => {
    const files = [
      ...(await shippedFiles()),
      {
        path: 'hold.rego',
        text: 'package trailmix\n\ndeny contains "refunds are on hold" if input.action == "issue_refund"\n',
      },
    ];
    const engine = await start(await bundleOf(toolchain, files));
    expect(await engine.decide(call('issue_refund', { amount: 750 }))).toMatchObject({
      result: 'deny',
      reasons: ['refunds are on hold', 'refund > 500'],
    });
    expect(await engine.decide(call('issue_refund', { amount: 5 }))).toMatchObject({
      result: 'deny',
      reasons: ['refunds are on hold'],
    });
  });

  test('its hash is the one of FORMATS, over what is in the folder', async () => {
    const active = (await start(policiesDir)).active();
    expect(active).not.toBeNull();
    const { hash, entrypoint, capabilities_sha256, wasm_sha256, sources } = active!;
    const files = sources.map(({ path, sha256 }) => ({ path, sha256 }));
    const text = jcs({ v: 1, entrypoint, capabilities_sha256, wasm_sha256, files });
    expect(hash).toBe(createHash('sha256').update(text).digest('hex'));
    expect(capabilities_sha256).toBe(createHash('sha256').update(capabilities).digest('hex'));
    expect(files.map(({ path }) => path)).toEqual([
      'decision.rego',
      'pii.rego',
      'refunds.rego',
      'wires.rego',
    ]);
    for (const { text: source, sha256 } of sources) {
      expect(createHash('sha256').update(source).digest('hex')).toBe(sha256);
    }
  });

  test('decides as the official evaluator does, whatever the amount', async () => {
    const engine = await start(policiesDir);
    const files = await shippedFiles();
    const amounts: JsonValue[] = [0, -1, 500, 500.0000001, 10_000, 10_000.5, 1e21, 1e-7, 9007199254740991];
    amounts.push('750', '', null, true, false, [], [750], {}, { value: 750 });
    for (const action of ['issue_refund', 'send_wire', 'llm_call', 'x']) {
      for (const amount of amounts) {
        const input = call(action, { amount, contains_pii: amount }, { region: 'EU' });
        const official = await toolchain.evaluate(files, { query: 'data.trailmix.decision', input });
        if (!official.ok) throw new Error(JSON.stringify(official.errors));
        const { result, reasons } = await engine.decide(input);
        expect({ input, answer: { result, reasons } }).toEqual({ input, answer: official.result });
      }
    }
  });

  test('what a policy sees is what docs/spec/policy-input.schema.json says', async () => {
    const schema = JSON.parse(
      await readFile(new URL('../../docs/spec/policy-input.schema.json', import.meta.url), 'utf8'),
    );
    const engine = await start(
      await make('decision := {"result": "allow", "reasons": [json.marshal(input)]}'),
    );
    const { reasons } = await engine.decide(call('send_wire', { amount: 1 }, { currency: 'EUR' }));
    const seen = JSON.parse(reasons[0]!);
    expect(seen).toEqual({
      ...call('send_wire', { amount: 1 }, { currency: 'EUR' }),
      policy: { version: 1 },
    });
    expect(Check(schema, seen)).toBe(true);
    expect(Check(schema, { ...seen, tenant: 'default' })).toBe(false);
    expect(Check(schema, { ...seen, actor: { type: 'agent' } })).toBe(false);
  });

  test('the policy sees the version in force, and text of any script', async () => {
    const bundle = await make(
      'decision := {"result": "deny", "reasons": [input.payload.note, $"version {input.policy.version}"]}',
      7,
    );
    const engine = await start(bundle);
    const note = 'Zahlung 支払い 💶 "quoted" \u0000 \u2028';
    expect((await engine.decide(call('x', { note }))).reasons).toEqual([note, 'version 7']);
  });
});

describe('what fails denies', () => {
  test.each([
    ['undefined', 'decision := {"result": "allow", "reasons": []} if input.action == "other"', 'empty'],
    ['another word', 'decision := {"result": "maybe", "reasons": []}', 'shape'],
    ['a boolean', 'decision := true', 'shape'],
    ['no reasons', 'decision := {"result": "allow"}', 'shape'],
    ['reasons that are no strings', 'decision := {"result": "deny", "reasons": [1]}', 'shape'],
    ['an unknown member', 'decision := {"result": "allow", "reasons": [], "extra": 1}', 'shape'],
    [
      'rules that are no names',
      'decision := {"result": "deny", "reasons": [], "rules": ["two words"]}',
      'shape',
    ],
    ['rules that are no list', 'decision := {"result": "deny", "reasons": [], "rules": "r"}', 'shape'],
    [
      'nobody needed',
      'decision := {"result": "approve", "reasons": [], "required": {"k": 0, "roles": []}}',
      'shape',
    ],
    [
      'approvers for allow',
      'decision := {"result": "allow", "reasons": [], "required": {"k": 1, "roles": []}}',
      'shape',
    ],
    [
      'two values at once',
      'decision := {"result": "allow", "reasons": [x]} if some x in ["a", "b"]',
      'throw',
    ],
    [
      'more memory than there is',
      'decision := {"result": "allow", "reasons": [concat("", [s | some i in numbers.range(1, 9000000); s := format_int(i, 10)])]}',
      'throw',
    ],
  ] as const)('%s', async (_name, text, why) => {
    const events: PolicyEvent[] = [];
    const engine = await start(await make(text), {
      deadlineMs: 20_000,
      onEvent: event => events.push(event),
    });
    const outcome = await engine.decide(call('x', { secret: 'hunter2' }));
    expect(outcome).toMatchObject({
      result: 'deny',
      failed: { why },
      policy: { hash: engine.active()?.hash },
    });
    expect(outcome.reasons).toHaveLength(1);
    expect(events).toContainEqual(expect.objectContaining({ type: 'failed', why }));
    expect(JSON.stringify(events)).not.toContain('hunter2');
  });

  test('after a throw the next input is decided as if nothing had been', async () => {
    const engine = await start(
      await make('decision := {"result": "allow", "reasons": [x]} if some x in input.payload.xs'),
    );
    for (let i = 0; i < 20; i++) {
      expect(await engine.decide(call('x', { xs: ['a', 'b'] }))).toMatchObject({ failed: { why: 'throw' } });
      expect(await engine.decide(call('x', { xs: ['a'] }))).toMatchObject({
        result: 'allow',
        reasons: ['a'],
      });
    }
  });

  test('an endless evaluation is denied at its deadline while the others go on', async () => {
    const engine = await start(await make(ENDLESS), { deadlineMs: 6000 });
    expect(await engine.decide(call('x', {}))).toMatchObject({ result: 'allow' });
    const began = performance.now();
    const endless = engine.decide(call('loop', {}));
    const asked = Promise.all(Array.from({ length: 200 }, () => engine.decide(call('x', {}))));
    expect(await Promise.race([asked.then(() => 'the others'), endless.then(() => 'the endless')])).toBe(
      'the others',
    );
    const others = await asked;
    expect(await endless).toMatchObject({ result: 'deny', failed: { why: 'timeout' } });
    const endlessTook = performance.now() - began;
    expect(others.every(({ reasons }) => reasons[0] === 'quick')).toBe(true);
    expect(endlessTook).toBeGreaterThanOrEqual(5990);
    expect(await engine.decide(call('x', {}))).toMatchObject({ result: 'allow', reasons: ['quick'] });
  });

  test('an answer that came in time counts, however late this thread reads it', async () => {
    const engine = await start(policiesDir, { deadlineMs: 1000 });
    await engine.decide(call('x', {}));
    for (let i = 0; i < 3; i++) {
      const asked = engine.decide(call('x', {}));
      const until = performance.now() + 1500;
      while (performance.now() < until);
      expect(await asked).toMatchObject({ result: 'allow' });
    }
  });

  test('many endless ones: each is denied, and the engine serves again', async () => {
    const engine = await start(await make(ENDLESS), { deadlineMs: 1000, maxWaitMs: 60_000 });
    const outcomes = await Promise.all(Array.from({ length: 6 }, () => engine.decide(call('loop', {}))));
    expect(outcomes.map(({ failed }) => failed?.why)).toEqual(Array(6).fill('timeout'));
    expect(await engine.decide(call('x', {}))).toMatchObject({ result: 'allow' });
  });

  test('once an input was endless, those of its kind have workers of their own, which outlive them', async () => {
    const engine = await start(await make(ENDLESS), { deadlineMs: 500, maxWaitMs: 60_000 });
    const loop = () => engine.decide(call('loop', {}));
    expect((await loop()).failed).toEqual({ why: 'timeout' });
    const low: number[][] = [];
    for (let i = 0; i < 4; i++) {
      const endless = loop();
      expect(await engine.decide(call('x', {}))).toMatchObject({ reasons: ['quick'] });
      const outcome = await endless;
      expect(outcome).toMatchObject({ result: 'deny', failed: { why: 'timeout' } });
      expect(outcome.evalUs).toBeGreaterThan(450_000);
      low.push(lowThreads());
    }
    // Where the system knows priorities of threads: the same one each time.
    if (process.platform === 'linux') {
      const same = low[0]!.filter(thread => low.every(threads => threads.includes(thread)));
      expect(same).not.toEqual([]);
    }
  });

  test('an endless input is a timeout also where this thread reads late that its worker stopped', async () => {
    const engine = await start(await make(ENDLESS), { deadlineMs: 500 });
    for (let i = 0; i < 2; i++) expect((await engine.decide(call('loop', {}))).failed?.why).toBe('timeout');
    const endless = engine.decide(call('loop', {}));
    const until = performance.now() + 2000;
    while (performance.now() < until);
    expect((await endless).failed?.why).toBe('timeout');
  });

  test('a kind that was slow is answered, and is quick again', async () => {
    const engine = await start(await make(SLOW_ONCE), { deadlineMs: 1000, maxWaitMs: 60_000 });
    const ask = (endless: boolean) => engine.decide(call('read', { endless }));
    expect((await ask(true)).failed).toEqual({ why: 'timeout' });
    for (let i = 0; i < 3; i++) {
      const outcomes = await Promise.all([ask(true), ask(false), ask(false), ask(true), ask(false)]);
      expect(outcomes.map(({ failed, reasons }) => failed?.why ?? reasons[0])).toEqual([
        'timeout',
        'quick',
        'quick',
        'timeout',
        'quick',
      ]);
    }
  });

  test('a full queue, and one that does not move, answer busy', async () => {
    const engine = await start(await make(ENDLESS), { deadlineMs: 400, maxQueue: 5, maxWaitMs: 100 });
    const outcomes = await Promise.all(Array.from({ length: 9 }, () => engine.decide(call('loop', {}))));
    const why = outcomes.map(({ failed }) => failed?.why);
    expect(why.filter(word => word === 'busy').length).toBeGreaterThanOrEqual(3);
    expect(why.every(word => word === 'busy' || word === 'timeout')).toBe(true);
    expect(outcomes.every(({ result }) => result === 'deny')).toBe(true);
  });

  test('no bundle, a damaged bundle and a closed engine', async () => {
    const none = await start(join(policiesDir, 'not-there'));
    expect(none.active()).toBeNull();
    expect(await none.decide(call('x', {}))).toMatchObject({
      result: 'deny',
      failed: { why: 'no_bundle' },
      policy: NO_POLICY,
    });

    const dir = await mkdtemp(join(tmpdir(), 'trailmix-policy-'));
    await cp(policiesDir, dir, { recursive: true });
    await writeFile(join(dir, 'data.json'), '{"limit": 1}');
    const events: PolicyEvent[] = [];
    const damaged = await start(dir, { onEvent: event => events.push(event) });
    expect(events[0]).toMatchObject({ type: 'no_bundle', detail: expect.stringContaining('data.json') });
    expect(await damaged.decide(call('x', {}))).toMatchObject({ failed: { why: 'no_bundle' } });
    await rm(dir, { recursive: true });

    const engine = await start(policiesDir);
    await engine.close();
    expect(await engine.decide(call('x', {}))).toMatchObject({
      result: 'deny',
      failed: { why: 'no_bundle' },
    });
  });

  test('a flood of reasons is bounded, and says so', async () => {
    const engine = await start(
      await make(
        'decision := {"result": "deny", "reasons": array.concat([input.payload.long], [s | some i in numbers.range(1, 99); s := format_int(i, 10)])}',
      ),
    );
    const { reasons, failed } = await engine.decide(call('x', { long: '💶'.repeat(900) }));
    expect(failed).toBeUndefined();
    expect(reasons).toHaveLength(32);
    expect([...reasons[0]!]).toHaveLength(500);
    expect(reasons[0]!.isWellFormed()).toBe(true);
    expect(reasons[31]).toBe('and 69 more reasons');
  });

  test('names of rules are kept, the first 32 of them', async () => {
    const engine = await start(
      await make(
        'decision := {"result": "deny", "reasons": [], "rules": [$"p.r{i}" | some i in numbers.range(1, input.payload.n)]}',
      ),
    );
    expect((await engine.decide(call('x', { n: 2 }))).rules).toEqual(['p.r1', 'p.r2']);
    expect((await engine.decide(call('x', { n: 99 }))).rules).toHaveLength(32);
  });

  test('who must approve can be said by the policy', async () => {
    const engine = await start(
      await make(
        'decision := {"result": "approve", "reasons": [], "required": {"k": 2, "roles": ["treasurer", "cfo", "cfo"]}}',
      ),
    );
    expect((await engine.decide(call('x', {}))).required).toEqual({ k: 2, roles: ['cfo', 'treasurer'] });
  });
});

describe('activation', () => {
  const named = (name: string) => `decision := {"result": "allow", "reasons": ["${name}"]}`;

  test('under load, every answer is of the bundle that it names', async () => {
    const bundles = [await make(named('one'), 1), await make(named('two'), 2), await make(named('three'), 3)];
    const reasonOf = new Map(bundles.map((bundle, i) => [bundle.hash, ['one', 'two', 'three'][i]]));
    const engine = await start(bundles[0]!);
    const outcomes: Awaited<ReturnType<PolicyEngine['decide']>>[] = [];
    let stop = false;
    const callers = Array.from({ length: 20 }, async () => {
      while (!stop) outcomes.push(await engine.decide(call('x', {})));
    });
    for (const round of [1, 2, 0, 1, 2, 0, 2]) {
      await engine.activate(bundles[round]!);
      const { policy } = await engine.decide(call('x', {}));
      expect(policy).toEqual({ version: round + 1, hash: bundles[round]!.hash });
      expect(engine.active()?.hash).toBe(bundles[round]!.hash);
    }
    stop = true;
    await Promise.all(callers);
    expect(outcomes.length).toBeGreaterThan(100);
    for (const { failed, policy, reasons } of outcomes) {
      expect(failed).toBeUndefined();
      expect(reasons).toEqual([reasonOf.get(policy.hash)]);
    }
    expect(new Set(outcomes.map(({ policy }) => policy.hash)).size).toBe(3);
  });

  test('what cannot be used is refused, and the policy in force stays', async () => {
    const good = await make(named('good'));
    const engine = await start(good);
    const refused = [
      { ...good, wasm: new Uint8Array([0, 97, 115, 109, 9]) },
      await bundleOf(toolchain, rego(`${named('x')}\nother := 1`), 1, 'trailmix/other').then(b => ({
        ...b,
        entrypoint: 'trailmix/decision',
      })),
    ];
    for (const bundle of refused) {
      await expect(engine.activate(bundle)).rejects.toMatchObject({ code: 'policy_invalid' });
    }
    // Built under OPA's own capabilities: it would call sprintf on the JavaScript side, which is not what OPA's is.
    const wider = JSON.stringify({
      ...JSON.parse(capabilities),
      builtins: [
        ...JSON.parse(capabilities).builtins,
        {
          name: 'sprintf',
          decl: {
            type: 'function',
            args: [{ type: 'string' }, { type: 'array', dynamic: { type: 'any' } }],
            result: { type: 'string' },
          },
        },
      ],
    });
    const loose = await createToolchain({ dir: toolchainDir, capabilities: wider });
    const foreign = await bundleOf(
      loose,
      rego('decision := {"result": "allow", "reasons": [sprintf("%v", [input.action])]}'),
    );
    await loose.close();
    await expect(engine.activate(foreign)).rejects.toMatchObject({
      code: 'policy_invalid',
      message: expect.stringContaining('sprintf'),
    });
    expect(await engine.decide(call('x', {}))).toMatchObject({ reasons: ['good'] });
  });

  test('what is held is decided by the bundle that came into force meanwhile, or by the old one', async () => {
    const engine = await start(await make(named('old'), 1), { maxQueue: 3 });
    let more = 0;
    const hold = engine.hold(() => {
      more += 1;
    });
    const asked = [engine.decide(call('x', {})), engine.decide(call('x', {}))];
    expect([hold.count(), more]).toEqual([2, 2]);
    const prepared = await engine.prepare(await make(named('new'), 2));
    prepared.use(2);
    asked.push(engine.decide(call('x', {})));
    expect(await engine.decide(call('x', {}))).toMatchObject({ failed: { why: 'busy' } });
    hold.resume();
    for (const { reasons, policy } of await Promise.all(asked))
      expect([reasons, policy.version]).toEqual([['new'], 2]);
    const again = engine.hold(() => {});
    const one = engine.decide(call('x', {}));
    again.resume();
    again.resume();
    expect(await one).toMatchObject({ reasons: ['new'] });
    engine.hold(() => {});
    const left = engine.decide(call('x', {}));
    await engine.close();
    expect(await left).toMatchObject({ failed: { why: 'no_bundle' } });
  });
});
