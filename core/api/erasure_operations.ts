/** Operations on bodies that go: on command, and by rules. Heads, hashes and proofs stay. Format: docs/spec/ledger.md, "Erasure". */
import Type from 'typebox';
import { Int, Opt, op, page, Str } from './operation.ts';

const closed = { additionalProperties: false };
const Days = Type.Integer({ minimum: 0, maximum: 36_500 });

const Rules = Type.Record(Str, Days);
const Retention = Type.Object({ days: Rules }, closed);
const Seqs = Type.Array(Type.Integer({ minimum: 0 }), { minItems: 1, maxItems: 500 });
const Before = Type.String({ description: 'all that the app received before this time' });
const Reason = Type.String({ minLength: 1, maxLength: 1024 });

/** docs/spec/erasure.md, "Statement". Absent while nobody is enrolled. */
const Statement = Type.Object(
  {
    act: Type.Enum(['erase', 'retain']),
    at: Str,
    by: Str,
    by_key_id: Str,
    digest: Type.String({ pattern: '^[0-9a-f]{64}$' }),
    ledger_id: Str,
    reason: Type.String({ maxLength: 1024 }),
    tenant_id: Str,
  },
  closed,
);
const Signature = Type.String({ maxLength: 88, description: 'base64 of 64 bytes' });
const signErrors = [
  'statement_invalid',
  'signature_missing',
  'signature_invalid',
  'person_key_unknown',
] as const;

export const erasureOperations = {
  erase: op({
    method: 'POST',
    path: '/api/erase',
    summary: 'Erase bodies of records: heads, hashes and proofs stay. Recorded first, with the reason',
    callers: page,
    errors: ['app_unknown', 'erase_refused', 'input_invalid', 'ts_invalid', ...signErrors],
    input: Type.Object(
      {
        app_id: Opt(Str),
        before: Opt(Before),
        seqs: Opt(Seqs),
        signed: Opt(
          Type.Array(Type.Object({ seqs: Seqs, statement: Statement, signature: Signature }, closed), {
            minItems: 1,
            maxItems: 20,
            description: 'once somebody is enrolled, in place of the above: parts of prepareErasure',
          }),
        ),
        reason: Reason,
      },
      closed,
    ),
    output: Type.Object({
      erased: Int,
      records: Type.Array(Int, { description: 'seqs of the erasure records' }),
      blobs: Int,
    }),
  }),
  prepareErasure: op({
    method: 'POST',
    path: '/api/erase/prepare',
    summary: 'What erasing would name, in the parts that are recorded and signed one by one; erases nothing',
    callers: page,
    errors: ['app_unknown', 'erase_refused', 'input_invalid', 'ts_invalid'],
    input: Type.Object({ app_id: Opt(Str), before: Opt(Before), seqs: Opt(Seqs) }, closed),
    output: Type.Object({
      parts: Type.Array(Type.Object({ seqs: Type.Array(Int), hashes: Type.Array(Str) }), {
        description: 'at most 20 of at most 500 records; hashes: hash_self of each',
      }),
      more: Type.Boolean({ description: 'the rest is given once these are erased' }),
    }),
  }),
  retention: op({
    method: 'GET',
    path: '/api/retention',
    summary: 'Days that bodies are kept, by app; apps that are not named keep theirs',
    callers: page,
    errors: [],
    output: Retention,
  }),
  changeRetention: op({
    method: 'POST',
    path: '/api/retention',
    summary: 'Set the retention rules: bodies that are older are erased, each batch an event',
    callers: page,
    errors: ['input_invalid', ...signErrors],
    input: Type.Object({ days: Rules, statement: Opt(Statement), signature: Opt(Signature) }, closed),
    output: Retention,
  }),
  previewErasure: op({
    method: 'POST',
    path: '/api/erase/preview',
    summary:
      'How many bodies of an app an erasure would take: those received before a time, or older than days',
    callers: page,
    errors: ['app_unknown', 'input_invalid', 'ts_invalid'],
    input: Type.Object({ app_id: Str, before: Opt(Str), days: Opt(Days) }, closed),
    output: Type.Object({
      bodies: Int,
      held: Type.Integer({
        minimum: 0,
        description: 'older ones that stay while an approval on them is open',
      }),
      oldest: Opt(Str),
      newest: Opt(Str),
    }),
  }),
  runRetention: op({
    method: 'POST',
    path: '/api/retention/run',
    summary: 'Do now what the retention rules ask for',
    callers: page,
    errors: [],
    output: Type.Object({ erased: Int }),
  }),
} as const;
