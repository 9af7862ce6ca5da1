/** Operations on who signs packs (certificates) and on who dates them (time-stamps). Format: docs/spec/pack.md. */
import Type from 'typebox';
import { any, Int, MiB, Opt, op, page, Str } from './operation.ts';
import { ExportJob } from './views.ts';

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
/** Of a pack that is brought back, in bytes. */
export const PACK_LIMIT = 2048 * MiB;

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
  asked: Type.Array(
    Type.Object({
      url: Str,
      at: Str,
      ok: Type.Boolean(),
      message: Opt(Type.String({ description: 'what went wrong' })),
    }),
    { description: 'what came of each the last time that it was asked, since the collector started' },
  ),
});

const ClockState = Type.Object({
  now: Str,
  source: Type.String({
    description: 'what the operating system says sets its clock; empty where it says nothing',
  }),
  synchronised: Opt(Type.Boolean()),
  offset: Opt(
    Type.Object({
      ms: Type.Number({ description: "a time-stamping authority's clock less this one" }),
      within_ms: Type.Number({ description: 'how exactly that is known' }),
      at: Str,
      by: Str,
    }),
  ),
  jumps: Type.Array(
    Type.Object({
      seq: Int,
      at: Str,
      kind: Type.Enum(['back', 'forward']),
      ms: Opt(Type.Number({ description: 'by how much, where it is known' })),
    }),
    { description: 'the newest, newest first' },
  ),
  jumps_total: Int,
});

/** What of a pack a stamp is over: checksums.txt, or its CAdES signature. */
const Over = Type.Enum(['pack', 'signature']);
const job = Type.Object({ id: Str });

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
  timestampAnchors: op({
    method: 'GET',
    path: '/api/timestamps/anchors',
    summary: 'Checkpoints that an authority stamped, newest first (at most 100)',
    callers: page,
    errors: [],
    output: Type.Object({ items: Type.Array(Stamped), total: Int, size: Int }),
  }),
  clockState: op({
    method: 'GET',
    path: '/api/clock',
    summary: "The collector's clock: what sets it, how far it was off by the last authority asked, its jumps",
    callers: page,
    errors: [],
    output: ClockState,
  }),
  bringPack: op({
    method: 'POST',
    path: '/api/evidence/packs',
    summary: 'Bring back a pack of this ledger that was exported before, to have it stamped',
    callers: page,
    body: 'raw',
    limit: PACK_LIMIT,
    errors: ['body_too_large', 'busy', 'disk_full', 'pack_unreadable'],
    query: Type.Object({ name: Opt(Type.String({ maxLength: 200 })) }),
    output: ExportJob,
  }),
  packTimestampRequest: op({
    method: 'POST',
    path: '/api/evidence/jobs/:id/timestamp/request',
    summary: 'A request (RFC 3161) over a finished pack, to carry to an authority',
    callers: page,
    errors: ['export_unknown', 'timestamp_invalid'],
    params: job,
    input: Type.Object({ over: Over }, closed),
    output: Type.Object({ request: Base64 }),
  }),
  packTimestampImport: op({
    method: 'POST',
    path: '/api/evidence/jobs/:id/timestamp/import',
    summary: "Puts an authority's reply into a finished pack; what was signed stays as it is",
    callers: page,
    errors: ['busy', 'disk_full', 'export_unknown', 'timestamp_invalid'],
    params: job,
    input: Type.Object({ request: Base64, reply: Base64 }, closed),
    output: ExportJob,
  }),
  packTimestampNow: op({
    method: 'POST',
    path: '/api/evidence/jobs/:id/timestamp/now',
    summary: 'Has a finished pack and its signature stamped by the configured authorities',
    callers: page,
    errors: ['busy', 'disk_full', 'export_unknown', 'timestamp_invalid', 'timestamp_unavailable'],
    params: job,
    output: ExportJob,
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
} as const;
