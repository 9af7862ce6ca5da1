/** Inputs cut out of a decision's body, against those made by parsing it. */
import { describe, expect, test } from 'vitest';
import { appText, CUT_ROOM, cutInput } from '../../collector/policy/cut.ts';
import { WORDS } from '../../collector/policy/impact_thread_types.ts';
import { rebuild, recordedWord } from '../../collector/policy/rebuild.ts';
import { utf8 } from '../../core/proof/bytes.ts';
import { type JsonObject, type JsonValue, jcs } from '../../core/proof/jcs.ts';
import { generated } from './generated_inputs.ts';

const lengths = Array.from({ length: 40 }, (_, n) => n);
const NEITHER = { session: false, now: false };

function cut(text: string, app: string, reads = NEITHER): { input: JsonValue; word: string } | undefined {
  const id = appText(app);
  const body = utf8(text);
  // As in a module's memory: what an earlier, larger evaluation left lies behind.
  const memory = new Uint8Array(2 * body.length + id.length + CUT_ROOM + 4096).fill(0x22);
  const at = 16 + body.length + id.length + CUT_ROOM;
  memory.set(body, at);
  const found = { word: 0 };
  const end = cutInput(memory, at, at + body.length, 16, id, reads, found);
  if (end === 0) return undefined;
  expect(end).toBeLessThanOrEqual(at);
  return {
    input: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(memory.subarray(16, end))),
    word: WORDS[found.word]!,
  };
}

const bodyOf = (input: JsonObject, more: JsonObject = {}, decision: JsonObject = {}): string => {
  const { action, actor, payload, session, now, policy: _, ...rest } = input;
  const { app_id: __, ...own } = rest;
  return jcs({
    ...own,
    name: action!,
    input: payload!,
    actor_type: (actor as JsonObject).type!,
    actor_id: (actor as JsonObject).id!,
    event_id: 'dec_1',
    salt: '00'.repeat(16),
    source: { auth: 'self', key: 'k', via: 'api' },
    decision: {
      args_digest: 'ab'.repeat(32),
      eval_us: 40,
      policy: { hash: 'cd'.repeat(32), version: 3, environment: 'staging' },
      reasons: ['one "quoted" \\ reason', 'a, b: {c}'],
      result: 'approve',
      ...(session === undefined ? {} : { session }),
      ...(now === undefined ? {} : { now }),
      ...decision,
    },
    ...more,
  });
};

describe('an input cut out of a body', () => {
  test('is the one that parsing makes, for 2,000 generated calls', () => {
    for (const input of generated(2000)) {
      for (const reads of [NEITHER, { session: true, now: true }]) {
        const body = bodyOf(input);
        const made = rebuild(body, 'shop "é" 支', reads);
        const own = cut(body, 'shop "é" 支', reads);
        expect(own?.input).toEqual('input' in made ? made.input : undefined);
        if (own !== undefined) expect(own.word).toBe(recordedWord(made.body!));
      }
    }
  });

  const call = generated(1)[0]!;
  test.each<[string, JsonObject, JsonObject]>([
    [
      'names like those looked for, deeper',
      { context: { name: 'x', decision: { result: 'deny' }, input: {} } },
      {},
    ],
    ['backslashes before a quote', { input: { a: '\\', b: '\\\\"', 'c"': '"\\"' } }, {}],
    ['empty values', { input: {}, context: {}, session_id: '' }, {}],
    ['lists, numbers and words', { input: { args: [1, -2.5e-7, true, false, null, [], [[{}]]] } }, {}],
    ['characters of all planes', { input: { ключ: '💶 支払い \u2028 \u0000 \u007f' } }, {}],
    ['almost sealed', { input: { $seal: '$sealed.', b: '$$sealed', c: '" $sealed', d: '\\\\$' } }, {}],
    [
      'strings of every length',
      { input: Object.fromEntries(lengths.map(n => [`k${'x'.repeat(n)}`, 'é'.repeat(n)])) },
      {},
    ],
    [
      'a quote at every place',
      { input: { list: lengths.map(n => `${'x'.repeat(n)}"${'y'.repeat(40 - n)}\\`) } },
      {},
    ],
    ['a failed decision', {}, { failed: 'timeout', result: 'deny' }],
    ['names that only begin as those looked for', { input2: 1, names: [], riskier: 'x', decision_: {} }, {}],
  ])('%s', (_name, more, decision) => {
    const body = bodyOf(call, more, decision);
    const made = rebuild(body, 'shop', NEITHER);
    const own = cut(body, 'shop');
    expect(own?.input).toEqual('input' in made ? made.input : undefined);
    expect(own).toBeDefined();
    expect(own!.word).toBe(recordedWord(made.body!));
  });

  test.each<[string, string, typeof NEITHER]>([
    ['arguments in a blob', bodyOf(call, { input: { $blob: { sha256: 'ab', bytes: 1 } } }), NEITHER],
    ['a context in a blob', bodyOf(call, { context: { $blob: { sha256: 'ab', bytes: 1 } } }), NEITHER],
    ['a context that is none', bodyOf(call, { context: null }), NEITHER],
    ['arguments that are no object', bodyOf(call, { input: [1] }), NEITHER],
    ['no word', bodyOf(call, { decision: { policy: { version: 1 } } }), NEITHER],
    ['no policy', bodyOf(call, { decision: { result: 'deny' } }), NEITHER],
    ['version 0', bodyOf(call, {}, { policy: { version: 0 } }), NEITHER],
    [
      'no session',
      bodyOf(call, { decision: { policy: { version: 1 }, result: 'deny' } }),
      { session: true, now: false },
    ],
    [
      'no time',
      bodyOf(call, { decision: { policy: { version: 1 }, result: 'deny' } }),
      { session: false, now: true },
    ],
    ['a sealed value', bodyOf(call, { context: { person: { $sealed: { key: 'k', box: 'b' } } } }), NEITHER],
    ['a value that reads "$sealed"', bodyOf(call, { input: { note: ['$sealed'] } }), NEITHER],
    ['a value that ends as a sealed one begins', bodyOf(call, { input: { note: 'a "$sealed' } }), NEITHER],
    ['a text that is cut off', bodyOf(call).slice(0, -1), NEITHER],
    ['a string without end', bodyOf(call).slice(0, -4), NEITHER],
    ['two objects', `${bodyOf(call)}{}`, NEITHER],
    ['a list', '[1]', NEITHER],
    ['nothing', '', NEITHER],
    ['spaces, which JCS has not', JSON.stringify(JSON.parse(bodyOf(call)), null, 1), NEITHER],
  ])('is not made where it is for others to judge: %s', (_name, body, reads) => {
    expect(cut(body, 'shop', reads)).toBeUndefined();
  });
});
