/** Operations on witnesses: those of this ledger, and being one for another's. Format: docs/spec/tree.md, "Cosignatures". */
import Type from 'typebox';
import { Int, Opt, op, page, Str } from './operation.ts';

const closed = { additionalProperties: false };

const WitnessList = Type.Object({
  witnesses: Type.Array(
    Type.Object({
      name: Str,
      vkey: Str,
      last: Opt(Type.Object({ size: Int, time: Str, seq: Int })),
    }),
  ),
});

const OwnWitness = Type.Object({
  name: Opt(Type.String({ description: 'absent until it is given one' })),
  vkey: Opt(Str),
  logs: Type.Array(Type.Object({ origin: Str, size: Int, time: Str, seq: Int }), {
    description: 'what it signed last of each log, newest first',
  }),
});

export const witnessOperations = {
  witnesses: op({
    method: 'GET',
    path: '/api/witnesses',
    summary: 'The witnesses whose cosignatures are taken, and the furthest checkpoint that each has cosigned',
    callers: page,
    errors: [],
    output: WitnessList,
  }),
  changeWitnesses: op({
    method: 'POST',
    path: '/api/witnesses',
    summary: 'Name the witnesses by their vkeys (C2SP tlog-cosignature)',
    callers: page,
    errors: ['input_invalid'],
    input: Type.Object({ vkeys: Type.Array(Type.String({ maxLength: 4096 }), { maxItems: 16 }) }, closed),
    output: WitnessList,
  }),
  witnessRequest: op({
    method: 'POST',
    path: '/api/witnesses/request',
    summary:
      'What a witness is asked with: a checkpoint and the proof that it continues the last one that it signed',
    callers: page,
    errors: ['at_beyond', 'input_invalid', 'witness_unknown'],
    input: Type.Object(
      {
        witness: Opt(Type.String({ maxLength: 255, description: 'its name; without it the only one' })),
        old: Opt(
          Type.Integer({
            minimum: 0,
            description: 'size that the witness signed last; default: as recorded',
          }),
        ),
        at: Opt(Type.Integer({ minimum: 0, description: 'size of the checkpoint; default: the newest' })),
      },
      closed,
    ),
    output: Type.Object({ size: Int, old: Int, request: Str }),
  }),
  witnessImport: op({
    method: 'POST',
    path: '/api/witnesses/import',
    summary: 'A cosigned checkpoint: lines of witnesses that are named here are checked and recorded',
    callers: page,
    errors: ['witness_invalid', 'witness_unknown'],
    input: Type.Object({ note: Type.String({ maxLength: 65_536 }) }, closed),
    output: Type.Object({
      size: Int,
      cosigned: Type.Array(Type.Object({ name: Str, time: Str, seq: Int })),
    }),
  }),
  ownWitness: op({
    method: 'GET',
    path: '/api/witnesses/own',
    summary: 'This ledger as a witness of others: its name, its key and what it signed last of each log',
    callers: page,
    errors: [],
    output: OwnWitness,
  }),
  nameWitness: op({
    method: 'POST',
    path: '/api/witnesses/own',
    summary: 'Name this ledger as a witness. Its key comes from the vault; another name is another witness',
    callers: page,
    errors: ['input_invalid'],
    input: Type.Object({ name: Type.String({ minLength: 1, maxLength: 200 }) }, closed),
    output: OwnWitness,
  }),
  witnessSign: op({
    method: 'POST',
    path: '/api/witnesses/sign',
    summary:
      "Cosign another log's checkpoint, if it continues what was signed before. Recorded before it is answered",
    callers: page,
    errors: [
      'input_invalid',
      'witness_behind',
      'witness_inconsistent',
      'witness_invalid',
      'witness_smaller',
      'witness_unknown',
    ],
    input: Type.Object(
      {
        request: Type.String({ maxLength: 131_072 }),
        trust: Opt(
          Type.String({
            maxLength: 65_536,
            description: "the log's trust.json, wanted at the first signing",
          }),
        ),
      },
      closed,
    ),
    output: Type.Object({
      note: Type.String({ description: 'what the one who asked imports' }),
      origin: Str,
      size: Int,
      before: Int,
      name: Str,
      seq: Int,
    }),
  }),
} as const;
