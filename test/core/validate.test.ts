import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import Value from 'typebox/value';
import { describe, expect, test } from 'vitest';
import { EventSchema } from '../../core/event/schema.ts';
import { formatMicros, tsMicros, validTs } from '../../core/event/time.ts';
import { eventTypesDocument, isReservedType, RESERVED_PREFIXES } from '../../core/event/types.ts';
import { ERROR_LIMIT, EVENT_MEMBERS, validateEvent } from '../../core/event/validate.ts';
import type { JsonValue } from '../../core/proof/jcs.ts';
import { publishedFiles } from '../../resources/build/event-schema.ts';
import { vectors } from './host.ts';

type ValidateVectors = {
  accept: { case: string; event: JsonValue; out?: JsonValue }[];
  refuse: { case: string; bug: string; event: JsonValue; errors: { code: string; where: string }[] }[];
};
const vector = vectors<ValidateVectors>('validate');
const options = { appId: 'finance-bot' };

/** Codes of faults that the schema cannot express. */
const BEYOND_SCHEMA = new Set([
  'event_type_reserved',
  'app_mismatch',
  'key_dollar',
  'blob_unknown',
  'json_depth',
]);

describe('validate vectors', () => {
  test.each(vector.accept)('$case', ({ event, out }) => {
    const before = structuredClone(event);
    const result = validateEvent(event, options);
    expect(result).toMatchObject({ ok: true });
    if (result.ok && out !== undefined) expect(result.event).toEqual(out);
    expect(event).toEqual(before);
    expect(Value.Check(EventSchema, event)).toBe(true);
  });

  test.each(vector.refuse)('refuses $case', ({ event, errors }) => {
    const result = validateEvent(event, options);
    expect(result.ok).toBe(false);
    if (!result.ok) {
      expect(result.errors.map(({ code, where }) => ({ code, where }))).toEqual(errors);
      for (const { message } of result.errors) expect(message).not.toBe('');
    }
    const realDate = errors.every(error => error.code === 'ts_invalid');
    const bytes = errors.every(error => error.code === 'field_too_long');
    const beyond = errors.some(error => BEYOND_SCHEMA.has(error.code));
    if (!realDate && !bytes && !beyond) expect(Value.Check(EventSchema, event)).toBe(false);
  });
});

/** An event with members picked from good and bad values: near misses, which random JSON never is. */
const member = fc.constantFrom<unknown>(
  'agent',
  'ok',
  'high',
  'span',
  'finance-bot',
  '2026-11-22T16:27:02Z',
  '2026-11-22T16:27:02.5',
  '',
  'x'.repeat(257),
  0,
  1,
  -1,
  1.5,
  true,
  null,
  [],
  {},
  [1],
  ['a'],
  { name: 'n' },
  { name: 1 },
  [{ name: 'n' }],
  [{ name: 'n', score: 1 }],
  [{ name: 'n', score: 'x' }],
  [{ name: 'n', latency_ms: -1 }],
  [null],
  { decision: 'allow' },
  { decision: 'allow', reasons: [1] },
  { id: 's', n: 1 },
  { id: 's', n: 0 },
  { id: 's', n: 1, x: 1 },
  { $blob: { sha256: 'ab'.repeat(32), bytes: 1, type: 't' } },
);
const base = {
  event_id: 'e',
  session_id: 's',
  ts: '2026-11-22T16:27:02Z',
  actor_type: 'agent',
  app_id: 'finance-bot',
};
const nearMisses = fc
  .dictionary(fc.constantFrom(...EVENT_MEMBERS, 'other'), member, { maxKeys: 3 })
  .map(change => ({ ...base, ...change }));

describe('validate', () => {
  test('agrees with the published schema, but for what a schema cannot say', () => {
    fc.assert(
      fc.property(nearMisses, event => {
        const result = validateEvent(event, options);
        const schema = Value.Check(EventSchema, event);
        if (result.ok) expect(schema).toBe(true);
        else if (!result.errors.every(error => BEYOND_SCHEMA.has(error.code))) expect(schema).toBe(false);
      }),
      { numRuns: 5000 },
    );
  });

  test('never throws, never changes its input, whatever JSON it is given', () => {
    fc.assert(
      fc.property(fc.jsonValue(), value => {
        const text = JSON.stringify(value);
        validateEvent(value, options);
        expect(JSON.stringify(value)).toBe(text);
      }),
    );
  });

  test('lists a bounded number of faults', () => {
    const event = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`x${i}`, i]));
    const result = validateEvent(event, options);
    expect(result.ok ? [] : result.errors).toHaveLength(ERROR_LIMIT);
  });

  test('tells every $blob and where it stands', () => {
    const blob = { sha256: 'ab'.repeat(32), bytes: 1, type: 'image/png' };
    const event = { ...base, input: { $blob: blob }, output: { pages: [1, { $blob: blob }] } };
    expect(validateEvent(event, options)).toMatchObject({
      ok: true,
      blobs: [
        { where: '/input', blob },
        { where: '/output/pages/1', blob },
      ],
    });
  });

  test('the app of an unkeyed OTLP source is taken as it is', () => {
    const event = { ...base, app_id: 'otlp:My Shop' };
    expect(validateEvent(event, { appId: 'otlp:My Shop' }).ok).toBe(true);
  });

  test('depth is bounded even for values that no parser bounded', () => {
    let deep: unknown = 1;
    for (let i = 0; i < 100_000; i++) deep = [deep];
    const result = validateEvent({ ...base, input: deep }, options);
    expect(result.ok ? '' : result.errors[0]?.code).toBe('json_depth');
  });
});

describe('event types', () => {
  test('every reserved prefix is reserved, with whatever follows', () => {
    expect(Object.keys(RESERVED_PREFIXES)).toHaveLength(19);
    for (const prefix of Object.keys(RESERVED_PREFIXES)) {
      expect(isReservedType(`${prefix}x.y`)).toBe(true);
      expect(isReservedType(prefix)).toBe(true);
      expect(isReservedType(`${prefix.slice(0, -1)}s.x`)).toBe(false);
    }
    for (const free of ['span', 'stream.end', 'gap', 'tool.call', '.policy.', 'policy_x']) {
      expect(isReservedType(free)).toBe(false);
    }
    expect(eventTypesDocument()).toMatchObject({ default: 'span' });
  });

  test.each(Object.entries(publishedFiles))('%s is current', (path, text) => {
    expect(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')).toBe(text);
  });
});

describe('times', () => {
  const micros = fc.integer({ min: Date.UTC(1, 0, 1), max: Date.UTC(9999, 11, 31) });

  test('microseconds and back, as Date has it', () => {
    fc.assert(
      fc.property(micros, fc.nat({ max: 999 }), (ms, us) => {
        const iso = new Date(ms).toISOString();
        const text = `${iso.slice(0, -1)}${String(us).padStart(3, '0')}Z`;
        expect(validTs(text)).toBe(true);
        expect(validTs(iso)).toBe(true);
        expect(tsMicros(iso)).toBe(ms * 1000);
        if (Math.abs(ms) < 9e12) {
          expect(tsMicros(text)).toBe(ms * 1000 + us);
          expect(formatMicros(ms * 1000 + us)).toBe(text);
        }
      }),
    );
  });

  test('fractions of any length compare by their value', () => {
    expect(tsMicros('1970-01-01T00:00:00Z')).toBe(0);
    expect(tsMicros('1970-01-01T00:00:00.5Z')).toBe(500_000);
    expect(tsMicros('1970-01-01T00:00:01.000001999Z')).toBe(1_000_001);
    expect(formatMicros(-1)).toBe('1969-12-31T23:59:59.999999Z');
  });

  test('every text is a valid time exactly when Date reads it back the same', () => {
    const digits = fc.tuple(
      fc.integer({ min: 1000, max: 2400 }),
      fc.nat({ max: 14 }),
      fc.nat({ max: 33 }),
      fc.nat({ max: 25 }),
      fc.nat({ max: 61 }),
      fc.nat({ max: 61 }),
    );
    fc.assert(
      fc.property(digits, ([year, month, day, hour, minute, second]) => {
        const two = (n: number) => String(n).padStart(2, '0');
        const text = `${year}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}:${two(second)}`;
        const date = new Date(`${text}.000Z`);
        const real = !Number.isNaN(date.getTime()) && date.toISOString() === `${text}.000Z`;
        expect(validTs(`${text}Z`)).toBe(real);
      }),
      { numRuns: 3000 },
    );
  });
});
