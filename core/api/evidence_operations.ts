/** Operations on who signs packs (certificates) and on who dates them (time-stamps). Format: docs/spec/pack.md. */
import Type from 'typebox';
import { any, Int, Opt, op, page, Str } from './operation.ts';

const Identity = Type.Object({
  kind: Type.Enum(['self-made', 'authority']),
  subject: Str,
  issuer: Str,
  certificate_sha256: Str,
  key: Type.String({ description: 'RSA-3072, ECDSA P-256, ...' }),
  valid_from: Str,
  valid_until: Str,
  expired: Type.Boolean(),
  revocation: Type.Enum(['good', 'revoked', 'unknown']),
  revoked_at: Opt(Str),
  chain: Type.Array(Str, { description: 'subjects, from the issuer to the root' }),
  request: Opt(Type.String({ description: 'PEM of a request that waits for its certificate' })),
});
const KeyKind = Type.Enum(['rsa-3072', 'rsa-4096', 'p256', 'p384']);
const Pem = Type.String({ maxLength: 512 * 1024 });
const Base64 = Type.String({ maxLength: 512 * 1024, pattern: '^[A-Za-z0-9+/]*={0,2}$' });
const Name = Type.String({ minLength: 1, maxLength: 64 });
const closed = { additionalProperties: false };

const Stamped = Type.Object({
  size: Int,
  time: Str,
  authority: Str,
  policy: Str,
  seq: Int,
});
const Authorities = Type.Object({
  urls: Type.Array(Str),
  every_hours: Type.Integer({
    minimum: 0,
    maximum: 8760,
    description: '0: checkpoints are not stamped by schedule',
  }),
  roots: Type.String({ description: 'PEM; goes into `keys trust` as tsa-root.pem' }),
  last: Opt(Stamped),
});

const WitnessList = Type.Object({
  witnesses: Type.Array(
    Type.Object({
      name: Str,
      vkey: Str,
      last: Opt(Type.Object({ size: Int, time: Str, seq: Int })),
    }),
  ),
});

const Retention = Type.Object(
  { days: Type.Record(Str, Type.Integer({ minimum: 0, maximum: 36_500 })) },
  closed,
);

export const evidenceOperations = {
  certificate: op({
    method: 'GET',
    path: '/api/certificate',
    summary: 'The identity that signs packs',
    callers: page,
    errors: [],
    output: Identity,
  }),
  certificateCheck: op({
    method: 'POST',
    path: '/api/certificate/check',
    summary: 'The same, with its revocation state by lists from a file',
    callers: page,
    errors: ['certificate_invalid'],
    input: Type.Object({ crls: Pem }, closed),
    output: Identity,
  }),
  certificateRequest: op({
    method: 'POST',
    path: '/api/certificate/request',
    summary: 'A request (PKCS#10) for a new key, to carry to an authority',
    callers: page,
    errors: ['input_invalid'],
    input: Type.Object(
      {
        key: KeyKind,
        common_name: Name,
        organization: Opt(Name),
        unit: Opt(Name),
        locality: Opt(Name),
        country: Opt(Type.String({ pattern: '^[A-Z]{2}$' })),
      },
      closed,
    ),
    output: Type.Object({ request: Type.String() }),
  }),
  certificateImport: op({
    method: 'POST',
    path: '/api/certificate/import',
    summary: "An authority's answer to the last request (PEM), or key and certificate from PKCS#12",
    callers: page,
    errors: ['certificate_invalid', 'input_invalid'],
    input: Type.Object({ pem: Opt(Pem), pkcs12: Opt(Base64), password: Opt(Str) }, closed),
    output: Identity,
  }),
  certificateSelf: op({
    method: 'POST',
    path: '/api/certificate/self',
    summary: 'A new self-made certificate',
    callers: page,
    errors: ['input_invalid'],
    input: Type.Object({ key: KeyKind, common_name: Opt(Name) }, closed),
    output: Identity,
  }),
  timestampAuthorities: op({
    method: 'GET',
    path: '/api/timestamps/authorities',
    summary: 'The time-stamping authorities that may be asked, and the last checkpoint that was stamped',
    callers: page,
    errors: [],
    output: Authorities,
  }),
  changeTimestampAuthorities: op({
    method: 'POST',
    path: '/api/timestamps/authorities',
    summary: 'Choose the authorities: none is asked unless it is named here',
    callers: page,
    errors: ['input_invalid'],
    input: Type.Object(
      {
        urls: Opt(Type.Array(Type.String({ maxLength: 1024 }), { maxItems: 8 })),
        every_hours: Opt(Type.Integer({ minimum: 0, maximum: 8760 })),
        roots: Opt(Pem),
      },
      closed,
    ),
    output: Authorities,
  }),
  timestampRequest: op({
    method: 'POST',
    path: '/api/timestamps/request',
    summary: 'A request (RFC 3161) over the newest checkpoint, to carry to an authority',
    callers: page,
    errors: [],
    output: Type.Object({ size: Int, request: Base64 }),
  }),
  timestampImport: op({
    method: 'POST',
    path: '/api/timestamps/import',
    summary: "An authority's reply over a checkpoint, held against its request, recorded",
    callers: page,
    errors: ['timestamp_invalid'],
    input: Type.Object({ request: Base64, reply: Base64 }, closed),
    output: Stamped,
  }),
  timestampNow: op({
    method: 'POST',
    path: '/api/timestamps/now',
    summary: 'Asks the configured authorities to stamp the newest checkpoint',
    callers: page,
    errors: ['timestamp_invalid', 'timestamp_unavailable'],
    output: Stamped,
  }),
  timestampAsk: op({
    method: 'POST',
    path: '/api/timestamps/ask',
    summary: 'Sends one request to the configured authorities and answers the first good reply',
    callers: page,
    errors: ['timestamp_invalid', 'timestamp_unavailable'],
    input: Type.Object({ request: Base64 }, closed),
    output: Type.Object({ reply: Base64, url: Str }),
  }),
  verifierScript: op({
    method: 'GET',
    path: '/api/verifier/trailmix-verify.mjs',
    summary: 'The verifier of packs as one file for plain Node',
    callers: ['anyone'],
    errors: ['not_found'],
    phases: any,
    output: Type.Unknown(),
    media: 'text/javascript',
  }),
  verifierPage: op({
    method: 'GET',
    path: '/api/verifier/trailmix-verify.html',
    summary: 'The same as one page that works from disk, without a network',
    callers: ['anyone'],
    errors: ['not_found'],
    phases: any,
    output: Type.Unknown(),
    media: 'text/html',
  }),
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
} as const;
