import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseIJson } from '../../core/event/ijson.ts';
import { validateEvent } from '../../core/event/validate.ts';
import { argsDigest, payloadOf } from '../../core/proof/binding.ts';
import { fromHex } from '../../core/proof/bytes.ts';
import { type JsonObject, type JsonValue, jcs } from '../../core/proof/jcs.ts';
import { SpanRecord } from '../../sdk/typescript/src/span.ts';
import { parseApiKey } from '../../sdk/typescript/src/transport.ts';
import type { Eval, ModelCall } from '../../sdk/typescript/src/types.ts';
import { clip, exactCopy, NotJson, recorded } from '../../sdk/typescript/src/values.ts';
import { vectors } from '../core/host.ts';

const MiB = 1024 * 1024;

describe('what is recorded', () => {
  class Account {
    readonly owner = 'Ada';
    readonly #secret = 'hidden';
    reveal() {
      return this.#secret;
    }
  }
  const circle: { name: string; self?: unknown } = { name: 'circle' };
  circle.self = circle;
  const unreadable = Object.defineProperty({ fine: 1 }, 'bad', {
    enumerable: true,
    get() {
      throw new TypeError('no');
    },
  });

  test.each<[string, unknown, unknown]>([
    ['plain JSON', { a: [1, 'x', null, true, { b: 0.5 }] }, { a: [1, 'x', null, true, { b: 0.5 }] }],
    ['undefined members are left out', { a: undefined, b: 1 }, { b: 1 }],
    ['undefined items become null', [1, undefined], [1, null]],
    ['a big integer', 2n ** 70n, '1180591620717411303424'],
    [
      'numbers that a double cannot hold',
      [Number.NaN, -1 / 0, 1e300, 2 ** 53],
      ['NaN', '-Infinity', '1e+300', '9007199254740992'],
    ],
    ['a circle', circle, { name: 'circle', self: '[circular]' }],
    ['a date', new Date(0), '1970-01-01T00:00:00.000Z'],
    ['a date that is none', new Date(Number.NaN), '[invalid date]'],
    ['an error', new RangeError('too far'), { name: 'RangeError', message: 'too far' }],
    ['a map', new Map([['k', 1]]), [['k', 1]]],
    ['a set', new Set([1, 2]), [1, 2]],
    ['bytes', new Uint8Array(12), '[Uint8Array: 12 bytes]'],
    ['functions and symbols', [function pay() {}, Symbol('s')], ['[function pay]', '[Symbol(s)]']],
    ['a class', new Account(), { owner: 'Ada' }],
    ['toJSON', { at: { toJSON: () => 'noon' } }, { at: 'noon' }],
    ['a getter that throws', unreadable, { fine: 1, bad: '[unreadable: TypeError]' }],
    ['$ keys', { $blob: 1, _$blob: 2 }, { _$blob: 1, __$blob: 2 }],
    ['half a character', { '\ud800': '\udc00x' }, { '\ufffd': '\ufffdx' }],
    ['__proto__ is a member like any other', JSON.parse('{"__proto__": 1}'), JSON.parse('{"__proto__": 1}')],
  ])('%s', (_, value, expected) => {
    expect(recorded(value, MiB)).toEqual(expected);
  });

  test('what is too large is cut and says so', () => {
    expect(recorded('x'.repeat(1000), 300)).toBe(`${'x'.repeat(100)}[cut: 900 more characters]`);
    const list = recorded(
      Array.from({ length: 10_000 }, (_, i) => `item ${i}`),
      1000,
    ) as string[];
    expect(list.length).toBeLessThan(200);
    expect(list.at(-1)).toMatch(/^\[cut: \d+ more items\]$/);
    const text = JSON.stringify(recorded({ a: 'y'.repeat(10_000), b: { c: 1 } }, 2000));
    expect(text.length).toBeLessThan(2000);
  });

  test('a graph that unfolds without end stays within its bound', () => {
    let node: unknown = 'leaf';
    for (let i = 0; i < 50; i++) node = { left: node, right: node };
    expect(JSON.stringify(recorded(node, 64 * 1024)).length).toBeLessThan(256 * 1024);
  });

  test('what the host changes afterwards does not change the record', () => {
    const input = { amount: 1 };
    const span = new SpanRecord(
      's',
      {},
      {},
      { appId: 'a', sessionId: 's', actor: { type: 'agent', id: 'x' }, maxValueBytes: MiB },
    );
    span.recordInput(input);
    input.amount = 2;
    expect(span.end()?.input).toEqual({ amount: 1 });
  });

  test('whatever the host hands over, the event is one that the collector takes', () => {
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withTypedArray: true,
      withNullPrototype: true,
      withObjectString: true,
      withSparseArray: true,
      withUnicodeString: true,
    } as fc.ObjectConstraints);
    fc.assert(
      fc.property(
        fc.record({
          name: anything,
          risk: anything,
          labels: fc.dictionary(fc.string({ unit: 'binary' }), anything),
          type: anything,
        }),
        fc.array(anything, { minLength: 9, maxLength: 9 }),
        (options, values) => {
          const span = new SpanRecord(
            options.name as string,
            options as object,
            {},
            {
              appId: 'finance-bot',
              sessionId: 'ses_1',
              actor: { type: 'agent', id: 'finance-bot' },
              maxValueBytes: 4096,
            },
          );
          const [input, output, plan, evaluation, tool, model, label, score, status] = values;
          span.recordInput(input);
          span.recordOutput(output);
          span.recordPlan(plan);
          span.attachEval(evaluation as Eval);
          span.attachEval({
            name: 'e',
            score: score as number,
            threshold: score as number,
            details: evaluation,
          });
          span.recordTool(tool as { name: string });
          span.recordTool({ name: 't', args: tool, result: model, latency_ms: score as number });
          span.recordModel(model as ModelCall);
          span.recordModel({ name: 'm', params: tool, cost: score as number });
          span.setLabel(label as string, label as string);
          span.setStatus(status as 'ok');
          const text = JSON.stringify({ ...span.end(), stream: { id: 'str_1', n: 1 } });
          const checked = validateEvent(parseIJson(Buffer.from(text)), { appId: 'finance-bot' });
          expect(checked).toMatchObject({ ok: true });
        },
      ),
      { numRuns: 500 },
    );
  });

  test('clip cuts at a whole character', () => {
    expect(clip('ä'.repeat(200), 256)).toBe('ä'.repeat(128));
    expect(clip('😀'.repeat(100), 255)).toBe('😀'.repeat(63));
  });
});

describe('the copy that is decided on', () => {
  test.each<[string, unknown, string]>([
    ['undefined', [undefined], '/0'],
    ['an undefined member', [{ a: { b: undefined } }], '/0/a/b'],
    ['NaN', [{ a: Number.NaN }], '/0/a'],
    ['a big integer', [1n], '/0'],
    ['an integer beyond 2^53-1', [{ amount: 2 ** 53 }], '/0/amount'],
    ['a date', [{ at: new Date() }], '/0/at'],
    ['a class', [new (class Wire {})()], '/0'],
    ['a function', [() => 1], '/0'],
    ['a hole', [new Array(2)], '/0'],
    ['an array with members', [Object.assign([1], { more: 1 })], '/0'],
    ['a symbol key', [{ [Symbol('s')]: 1 }], '/0'],
    ['a hidden member', [Object.defineProperty({}, 'x', { value: 1 })], '/0/x'],
    ['a $ key', [{ a: { $blob: 1 } }], '/0/a/$blob'],
    ['half a character', [{ a: '\ud800' }], '/0/a'],
    ['half a character in a key', [{ '\ud800': 1 }], '/0/\ud800'],
  ])('%s is refused with its place', (_, args, where) => {
    expect(() => exactCopy(args)).toThrow(expect.objectContaining({ name: 'NotJson', where }) as NotJson);
  });

  test('circles and graphs without end are refused', () => {
    const circle: { self?: unknown } = {};
    circle.self = circle;
    expect(() => exactCopy([circle])).toThrow(NotJson);
    let node: unknown = 1;
    for (let i = 0; i < 40; i++) node = [node, node];
    expect(() => exactCopy([node])).toThrow(/more than 100000 values/);
  });

  test('it has the same JCS text and shares nothing', () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), value => {
        let text: string;
        try {
          text = jcs(value);
        } catch {
          return;
        }
        if (/\$|\d{16}|e\+/.test(text)) return;
        expect(jcs(exactCopy([value]))).toBe(`[${text}]`);
      }),
    );
    const wire = { amount: 1, to: { iban: 'DE00' } };
    const [copy] = exactCopy<JsonValue[] & JsonObject>([wire]) as unknown as [typeof wire];
    wire.to.iban = 'XX00';
    expect(copy).toEqual({ amount: 1, to: { iban: 'DE00' } });
  });

  test('a member is read once: a getter cannot show one value and pay another', () => {
    let reads = 0;
    const sly = Object.defineProperty({}, 'amount', { enumerable: true, get: () => ++reads });
    expect(exactCopy([sly])).toEqual([{ amount: 1 }]);
    expect(reads).toBe(1);
  });

  test('payload and digest are those of the vectors', () => {
    const { payloads, args } = vectors<{
      payloads: { args: JsonValue[]; payload: JsonObject }[];
      args: { args_salt: string; payload: JsonObject; args_digest: string }[];
    }>('binding');
    for (const { args: given, payload } of payloads)
      expect(payloadOf(exactCopy<JsonValue[] & JsonObject>(given))).toEqual(payload);
    const hmac = (key: Uint8Array, message: Uint8Array) => createHmac('sha256', key).update(message).digest();
    for (const { args_salt, payload, args_digest } of args)
      expect(argsDigest(hmac, fromHex(args_salt), exactCopy(payload))).toBe(args_digest);
  });

  test('the worked example of docs/spec/gate.md', () => {
    const spec = readFileSync(new URL('../../docs/spec/gate.md', import.meta.url), 'utf8');
    const line = (name: string): string => new RegExp(`^${name} +(\\S+)$`, 'm').exec(spec)?.[1] ?? '';
    const payload = exactCopy<JsonValue>(JSON.parse(line('JCS\\(payload\\)')));
    const hmac = (key: Uint8Array, message: Uint8Array) => createHmac('sha256', key).update(message).digest();
    expect(argsDigest(hmac, Buffer.from(line('args_salt'), 'hex'), payload)).toBe(line('args_digest'));
    expect(Buffer.from(parseApiKey(`tm1.abcd.auth.${line('mac \\(base64url\\)')}`)!.mac!)).toHaveLength(32);
  });
});
