/**
 * JSON Schema of the event as a producer sends it; docs/spec/event.schema.json is generated from it.
 * It says names, types and forms. What a schema cannot say (bytes instead of characters, real dates, reserved types,
 * `$`-keys, the key's own app) is in validate.ts, which is what the collector runs. A test holds the two together.
 */
import Type from 'typebox';

/** Most UTF-8 bytes of an id or name. The schema's maxLength counts characters: necessary, not sufficient. */
export const ID_BYTES = 256;

export const ACTOR_TYPES = ['user', 'agent', 'service'] as const;
export const RISKS = ['low', 'medium', 'high', 'critical'] as const;
export const STATUSES = ['ok', 'error', 'unset'] as const;
export const DECISIONS = ['allow', 'deny', 'approve'] as const;

const id = (description: string) => Type.String({ minLength: 1, maxLength: ID_BYTES, description });
const time = (description: string) =>
  Type.String({
    pattern:
      '^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,9})?Z$',
    description,
  });
const text = () => Type.String();
const Opt = Type.Optional;

/** `{"$blob": ...}`: may stand in place of a whole member, or anywhere within one. */
export const BlobRefSchema = Type.Object(
  {
    $blob: Type.Object(
      {
        sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
        bytes: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
        type: Type.String({ minLength: 1, maxLength: 256 }),
      },
      { additionalProperties: false },
    ),
  },
  { additionalProperties: false, description: 'A payload uploaded before with the same API key.' },
);

/** A member of this kind is the value itself, or a reference to it. */
const orBlob = <Schema extends Type.TSchema>(schema: Schema) => Type.Union([schema, BlobRefSchema]);
/** Anything but null, which is refused at the top of an event. */
const anything = (description: string) => Type.Unsafe<unknown>({ not: { type: 'null' }, description });

export const ToolSchema = Type.Object({
  name: text(),
  args: Opt(Type.Unknown()),
  result: Opt(Type.Unknown()),
  latency_ms: Opt(Type.Number({ minimum: 0 })),
});

export const ModelSchema = Type.Object({
  name: text(),
  version: Opt(text()),
  params: Opt(Type.Unknown()),
  provider: Opt(text()),
  cost: Opt(Type.Number()),
});

export const PolicyEvalSchema = Type.Object({
  policy_id: Opt(text()),
  decision: Type.Enum([...DECISIONS]),
  reasons: Opt(Type.Array(text())),
  approvals: Opt(Type.Array(Type.Unknown())),
});

export const EvalSchema = Type.Object({
  name: text(),
  score: Type.Number(),
  threshold: Opt(Type.Number()),
  details: Opt(Type.Unknown()),
});

export const EventSchema = Type.Object(
  {
    event_id: id('Unique per tenant and app.'),
    parent_id: Opt(id('event_id of the span that this one is part of.')),
    session_id: id('The run that this event is part of.'),
    trace_id: Opt(id('W3C trace id, where there is one.')),
    ts: time('When it began; kept as sent.'),
    ts_end: Opt(time('When it ended; kept as sent.')),
    event_type: Opt(
      Type.String({
        pattern: '^[a-z][a-z0-9_.-]{0,63}$',
        default: 'span',
        description: 'See event-types.json.',
      }),
    ),
    actor_type: Type.Enum([...ACTOR_TYPES]),
    actor_id: Opt(id('Who acted.')),
    app_id: Type.String({ pattern: '^[a-z0-9][a-z0-9._-]{0,63}$', description: "The API key's own app." }),
    name: Opt(id('What a person reads in a list.')),
    risk: Opt(Type.Enum([...RISKS])),
    labels: Opt(
      orBlob(
        Type.Record(Type.String(), Type.Unknown(), { description: 'Whatever has no member of its own.' }),
      ),
    ),
    plan: Opt(anything('What the agent meant to do.')),
    retrieval: Opt(anything('What it looked up.')),
    input: Opt(anything('What went in.')),
    output: Opt(anything('What came out.')),
    tools_invoked: Opt(orBlob(Type.Array(ToolSchema))),
    model: Opt(orBlob(ModelSchema)),
    policy_eval: Opt(orBlob(PolicyEvalSchema)),
    evals: Opt(orBlob(Type.Array(EvalSchema))),
    status: Opt(Type.Enum([...STATUSES])),
    retention_class: Opt(id('Name of the rule by which the body is kept.')),
    stream: Opt(
      Type.Object(
        {
          id: id('Bound to one API key.'),
          n: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
        },
        { additionalProperties: false },
      ),
    ),
    hash_prev: Opt(Type.String({ maxLength: 1024, description: 'Kept as claimed, never trusted.' })),
    hash_self: Opt(Type.String({ maxLength: 1024, description: 'Kept as claimed, never trusted.' })),
    signature: Opt(Type.String({ maxLength: 1024, description: 'Kept as claimed, never trusted.' })),
  },
  {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: 'urn:trailmix:schema:event:1',
    title: 'Audit TrailMix event, as a producer sends it',
    additionalProperties: false,
  },
);

/** An event as a producer sends it. */
export type ProducerEvent = Type.Static<typeof EventSchema>;
