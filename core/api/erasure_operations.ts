/** Operations on bodies that go: on command, and by rules. Heads, hashes and proofs stay. Format: docs/spec/ledger.md, "Erasure". */
import Type from 'typebox';
import { Int, Opt, op, page, Str } from './operation.ts';

const closed = { additionalProperties: false };
const Days = Type.Integer({ minimum: 0, maximum: 36_500 });

const Retention = Type.Object({ days: Type.Record(Str, Days) }, closed);

export const erasureOperations = {
  erase: op({
    method: 'POST',
    path: '/api/erase',
    summary: 'Erase bodies of records: heads, hashes and proofs stay. Recorded first, with the reason',
    callers: page,
    errors: ['app_unknown', 'erase_refused', 'input_invalid', 'ts_invalid'],
    input: Type.Object(
      {
        app_id: Opt(Str),
        before: Opt(Type.String({ description: 'all that the app received before this time' })),
        seqs: Opt(Type.Array(Type.Integer({ minimum: 0 }), { minItems: 1, maxItems: 500 })),
        reason: Type.String({ minLength: 1, maxLength: 1024 }),
      },
      closed,
    ),
    output: Type.Object({
      erased: Int,
      records: Type.Array(Int, { description: 'seqs of the erasure records' }),
      blobs: Int,
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
    errors: ['input_invalid'],
    input: Retention,
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
