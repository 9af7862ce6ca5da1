import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RECORD_LIMIT, RecordTooLargeError, replaceLargeValues, surelyFits } from '../../core/proof/blob.ts';
import { fromBase64, fromHex, hex, utf8, utf8Length } from '../../core/proof/bytes.ts';
import { keyId } from '../../core/proof/hash.ts';
import { type JsonObject, type JsonValue, jcs } from '../../core/proof/jcs.ts';
import {
  bodyHash,
  bodyOf,
  eventSignatureMessage,
  type FlatRecord,
  GENESIS,
  HEAD_MEMBERS,
  type Head,
  hashSelf,
  headFault,
  headJcs,
  headOf,
  keyRotationMessage,
  recordOf,
  runId,
} from '../../core/proof/record.ts';
import { sha256, testKey, vectors, verifyEd25519 } from './host.ts';

type RecordVectors = {
  keys: { role: string; seed: string; public: string; key_id: string }[];
  records: { case: string; body_jcs: string; head_jcs: string; signed: string; record: FlatRecord }[];
  run_id: { app_id: string; session_id: string; run_id: string }[];
  refuse: { case: string; bug: string; expect: string; record: Record<string, JsonValue> }[];
};
const vector = vectors<RecordVectors>('record');
const publicKeys = new Map(vector.keys.map(key => [key.key_id, fromHex(key.public)]));

/** What a verifier asks of one record on its own, in the order in which it asks. */
function recordFault(record: Record<string, JsonValue>): string {
  const head = headOf(record);
  const fault = headFault({ ...head });
  if (fault !== undefined) return `head ${fault.slice(0, fault.indexOf(':'))}`;
  if (bodyHash(sha256, jcs(bodyOf(record))) !== head.body_hash) return 'body_hash';
  if (hashSelf(sha256, head) !== record.hash_self) return 'hash_self';
  const key = publicKeys.get(record.key_id as string);
  if (key === undefined) return 'key_id';
  const message = eventSignatureMessage(record.hash_self as string);
  return verifyEd25519(key, message, fromBase64(record.signature as string)) ? 'none' : 'signature';
}

describe('record vectors', () => {
  test.each(vector.records)('$case', ({ record, body_jcs, head_jcs, signed }) => {
    const head = headOf(record);
    expect(jcs(bodyOf(record))).toBe(body_jcs);
    expect(headJcs(head)).toBe(head_jcs);
    expect(hex(eventSignatureMessage(record.hash_self))).toBe(hex(utf8(signed)));
    expect(recordFault(record)).toBe('none');
    const { hash_self, signature, key_id } = record;
    expect(recordOf(head, bodyOf(record), { hash_self, signature, key_id })).toEqual(record);
  });

  test('the records are a chain from genesis, and the rotation carries the new key’s own signature', () => {
    let previous = GENESIS;
    let appSeq = new Map<string, number>();
    for (const [index, { record }] of vector.records.entries()) {
      expect(record.seq).toBe(index);
      expect(record.hash_prev).toBe(previous);
      expect(record.app_seq).toBe((appSeq.get(record.app_id) ?? 0) + 1);
      appSeq = appSeq.set(record.app_id, record.app_seq);
      previous = record.hash_self;
    }
    const rotation = vector.records.find(({ record }) => record.event_type === 'key.rotated')!.record;
    const newKey = rotation.new_key as string;
    const message = keyRotationMessage({
      ledger_id: rotation.ledger_id,
      tenant_id: rotation.tenant_id,
      old_key_id: rotation.key_id,
      new_key: newKey,
    });
    expect(verifyEd25519(fromBase64(newKey), message, fromBase64(rotation.new_key_sig as string))).toBe(true);
    expect(vector.records.at(-1)!.record.key_id).toBe(keyId(sha256, fromBase64(newKey)));
  });

  test.each(vector.keys)('key_id of the $role key', ({ seed, public: text, key_id }) => {
    expect(hex(testKey(fromHex(seed)).publicKey)).toBe(text);
    expect(keyId(sha256, fromHex(text))).toBe(key_id);
  });

  test.each(vector.run_id)('run_id of $session_id', ({ app_id, session_id, run_id }) => {
    expect(runId(sha256, app_id, session_id)).toBe(run_id);
  });

  test.each(vector.refuse)('refuses $case', ({ record, expect: fault }) => {
    expect(recordFault(record)).toBe(fault);
  });
});

const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 });
const hash = fc.stringMatching(/^[0-9a-f]{64}$/);
const heads: fc.Arbitrary<Head> = fc.record({
  v: fc.constant(1 as const),
  ledger_id: fc.stringMatching(/^[0-9a-f]{32}$/),
  tenant_id: fc.stringMatching(/^[a-z0-9-]{1,64}$/),
  seq: fc.maxSafeNat(),
  app_id: name.map(text => `otlp:${text}`),
  app_seq: fc.maxSafeNat().map(n => Math.max(n, 1)),
  event_type: fc.stringMatching(/^[a-z][a-z0-9_.-]{0,63}$/),
  ts: fc.constantFrom('2026-11-22T16:27:02Z', '2026-11-22T16:27:02.123456789Z'),
  received_at: fc.constant('2026-11-22T16:27:02.123456Z'),
  hash_prev: hash,
  body_hash: hash,
});

describe('record', () => {
  test('headJcs is jcs, for any head, and a head has its members and no others', () => {
    fc.assert(
      fc.property(heads, head => {
        expect(headJcs(head)).toBe(jcs(head));
        expect(headFault({ ...head })).toBe(undefined);
        for (const member of HEAD_MEMBERS) {
          const { [member]: _, ...rest } = head;
          expect(headFault(rest)).toMatch(member);
        }
        expect(headFault({ ...head, more: 1 })).toMatch('more');
      }),
    );
  });

  test('no text in a head can pass for another member: headJcs escapes all of them', () => {
    fc.assert(
      fc.property(heads, fc.constantFrom(...HEAD_MEMBERS), fc.string(), (head, member, text) => {
        fc.pre(typeof head[member] === 'string');
        const odd = { ...head, [member]: `${text}","v":1}` };
        expect(headJcs(odd)).toBe(jcs(odd));
      }),
    );
  });

  test('a record is its head, its body and its seal, in any order of members', () => {
    fc.assert(
      fc.property(heads, fc.dictionary(fc.string(), fc.jsonValue()), (head, free) => {
        const seal = { hash_self: GENESIS, key_id: GENESIS, signature: '' };
        const body = bodyOf(free as JsonObject);
        const record = recordOf(head, body, seal);
        expect(headOf(record)).toEqual(head);
        expect(jcs(bodyOf(record))).toBe(jcs(body));
        expect(Object.getPrototypeOf(record)).toBe(Object.prototype);
      }),
    );
  });
});

type BlobVectors = {
  cases: {
    case: string;
    head: { ledger_id: string; tenant_id: string; app_id: string; event_type: string; ts: string };
    /** `{"$repeat": [text, n]}` in a body stands for the text n times. */
    body: JsonObject;
    replaced: string[];
    body_sha256: string;
    blobs: { sha256: string; bytes: number }[];
  }[];
  refuse: BlobVectors['cases'];
};
const blobVector = vectors<BlobVectors>('blobs');

function expand(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(expand);
  if (typeof value !== 'object' || value === null) return value;
  const { $repeat } = value as { $repeat?: [string, number] };
  if ($repeat !== undefined) return $repeat[0].repeat($repeat[1]);
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, expand(member)]));
}

describe('large values', () => {
  test.each(blobVector.cases)('$case', ({ head, body, replaced, body_sha256, blobs }) => {
    const whole = expand(body) as JsonObject;
    const made = replaceLargeValues(sha256, head, whole, jcs(whole));
    const changed = Object.keys(whole).filter(key => made.body[key] !== whole[key]);
    expect(changed.sort()).toEqual([...replaced].sort());
    expect(bodyHash(sha256, made.bodyJcs)).toBe(body_sha256);
    expect(made.bodyJcs).toBe(jcs(made.body));
    expect(made.blobs.map(blob => ({ sha256: blob.sha256, bytes: blob.bytes.length }))).toEqual(blobs);
    for (const blob of made.blobs) expect(hex(sha256(blob.bytes))).toBe(blob.sha256);
  });

  test.each(blobVector.refuse)('refuses $case', ({ head, body }) => {
    const whole = expand(body) as JsonObject;
    expect(() => replaceLargeValues(sha256, head, whole, jcs(whole))).toThrow(RecordTooLargeError);
  });

  test('what surely fits by its length is never touched, whatever its characters', () => {
    const filling = fc.constantFrom('a', 'é', '\u4e2d', '\u0001', '"', '\ud83d\ude00');
    let sure = 0;
    fc.assert(
      fc.property(filling, fc.integer({ min: 0, max: 70_000 }), heads, (unit, bytes, head) => {
        const times = Math.floor(bytes / (jcs(unit).length - 2));
        const body: JsonObject = { event_id: 'e', session_id: 's', salt: '', input: unit.repeat(times) };
        const text = jcs(body);
        if (!surelyFits(head, text)) return;
        sure++;
        expect(replaceLargeValues(sha256, head, body, text)).toEqual({ body, bodyJcs: text, blobs: [] });
      }),
    );
    expect(sure).toBeGreaterThan(10);
  });

  test('the record fits whatever seq the writer gives, and no value is moved without need', () => {
    const salt = hex(new Uint8Array(16));
    const sized = fc.constantFrom('input', 'output', 'plan', 'labels', 'name');
    const sizes = fc.dictionary(sized, fc.integer({ min: 0, max: 90_000 }), { maxKeys: 5 });
    fc.assert(
      fc.property(sizes, heads, (lengths, head) => {
        const values = Object.entries(lengths).map(([key, n]) => [key, 'é'.repeat(n / 2)]);
        const body: JsonObject = { ...Object.fromEntries(values), event_id: 'e', session_id: 's', salt };
        const made = replaceLargeValues(sha256, head, body, jcs(body));
        const seal = { hash_self: '', key_id: '', signature: '' };
        const clock = '2026-11-22T16:27:02.123456Z';
        const last: Head = { ...head, seq: Number.MAX_SAFE_INTEGER, app_seq: Number.MAX_SAFE_INTEGER };
        const { hash_self, key_id, signature, ...rest } = recordOf(last, { ...made.body, clock }, seal);
        expect(utf8Length(jcs(rest))).toBeLessThanOrEqual(RECORD_LIMIT);
        const kept = Object.keys(body).filter(key => made.body[key] === body[key]);
        const moved = Object.keys(body).filter(key => !kept.includes(key));
        const size = (key: string) => utf8Length(jcs(body[key]));
        for (const big of moved) {
          for (const small of kept)
            if (small in lengths) expect(size(big)).toBeGreaterThanOrEqual(size(small));
        }
      }),
      { numRuns: 40 },
    );
  });
});
