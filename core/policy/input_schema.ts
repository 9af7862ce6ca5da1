/**
 * What a policy sees as `input`: one JSON Schema for the collector that makes it, for OPA's type checker, which then
 * refuses `input.amuont`, and for readers (docs/spec/policy-input.schema.json is written from here). Additions only:
 * an older policy must go on compiling.
 */

/** Calls that `session.actions` holds. */
export const MAX_SESSION_ACTIONS = 32;
/** Names that `session.counts.by_action` and `session.first_seen_tools` hold. */
export const MAX_SESSION_NAMES = 64;

export type SessionAction = {
  name: string;
  decision: 'allow' | 'deny' | 'approve';
  used?: boolean;
  outcome?: 'ok' | 'error';
  amount?: number;
};

/** `input.session`; the members are described in the schema. */
export type PolicySession = {
  turns: number;
  actions: SessionAction[];
  counts: { asked: number; allow: number; deny: number; approve: number; by_action: Record<string, number> };
  spend: number;
  first_seen_tools: string[];
  complete: boolean;
};

export const policyInputSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: 'urn:trailmix:policy-input:v1',
  title: 'Input of a policy',
  description:
    'What Rego sees as `input` for one gated call. Made by the collector from POST /api/decisions; see docs/policies.md.',
  type: 'object',
  additionalProperties: false,
  required: ['action', 'risk', 'actor', 'payload', 'context', 'session_id', 'app_id', 'policy'],
  properties: {
    action: {
      type: 'string',
      minLength: 1,
      maxLength: 256,
      description: 'What is about to be done, e.g. issue_refund.',
    },
    risk: {
      enum: ['low', 'medium', 'high', 'critical'],
    },
    actor: {
      type: 'object',
      additionalProperties: false,
      required: ['type', 'id'],
      properties: {
        type: {
          enum: ['user', 'agent', 'service'],
        },
        id: {
          type: 'string',
          minLength: 1,
          maxLength: 256,
        },
      },
    },
    payload: {
      type: 'object',
      description: 'The arguments: the one argument if it is a plain object, else {"args": [...]}.',
    },
    context: {
      type: 'object',
      description: 'Metadata of the call site; {} when there is none.',
    },
    session_id: {
      type: 'string',
      minLength: 1,
      maxLength: 256,
    },
    app_id: {
      type: 'string',
      pattern: '^[a-z0-9][a-z0-9._-]{0,63}$',
    },
    now: {
      type: 'string',
      format: 'date-time',
      description:
        "Time of asking by the collector's clock, where it gives one. The only time there is for a policy.",
    },
    policy: {
      type: 'object',
      additionalProperties: false,
      required: ['version'],
      properties: {
        version: {
          type: 'integer',
          minimum: 1,
          description: 'The version in force, which decides this input.',
        },
      },
    },
    session: {
      type: 'object',
      additionalProperties: false,
      description:
        'The session so far, without this call. Kept by the collector from its own records and bounded (docs/policies.md). Absent where it is not known: a budget must then ask.',
      required: ['turns', 'actions', 'counts', 'spend', 'first_seen_tools', 'complete'],
      properties: {
        turns: {
          type: 'integer',
          minimum: 0,
          description: "Events of actor_type user that the session's app has recorded.",
        },
        actions: {
          type: 'array',
          maxItems: MAX_SESSION_ACTIONS,
          description: 'The latest gated calls, oldest first.',
          items: {
            type: 'object',
            additionalProperties: false,
            required: ['name', 'decision'],
            properties: {
              name: {
                type: 'string',
                minLength: 1,
                maxLength: 256,
              },
              decision: {
                enum: ['allow', 'deny', 'approve'],
              },
              used: {
                type: 'boolean',
                description: 'Only with approve: whether the approval was given and used.',
              },
              outcome: {
                enum: ['ok', 'error'],
                description: 'What the agent said came of it; absent while it has not.',
              },
              amount: {
                type: 'number',
                description:
                  'payload[context.amount_field], by default payload.amount, where that is a number.',
              },
            },
          },
        },
        counts: {
          type: 'object',
          additionalProperties: false,
          required: ['asked', 'allow', 'deny', 'approve', 'by_action'],
          description:
            'Of all gated calls of the session, also those that `actions` no longer holds. `asked` counts calls that are being decided at this moment, too.',
          properties: {
            asked: {
              type: 'integer',
              minimum: 0,
            },
            allow: {
              type: 'integer',
              minimum: 0,
            },
            deny: {
              type: 'integer',
              minimum: 0,
            },
            approve: {
              type: 'integer',
              minimum: 0,
            },
            by_action: {
              type: 'object',
              maxProperties: MAX_SESSION_NAMES,
              additionalProperties: {
                type: 'integer',
              },
              description: 'Calls asked for, by name of the action.',
            },
          },
        },
        spend: {
          type: 'number',
          description:
            'Sum of the amounts of calls that could run: allowed, approved and used, or being decided at this moment. Added as numbers, whatever the currency.',
        },
        first_seen_tools: {
          type: 'array',
          maxItems: MAX_SESSION_NAMES,
          items: {
            type: 'string',
          },
          description: 'Names of actions, in the order in which the session first asked for them.',
        },
        complete: {
          type: 'boolean',
          description:
            'False when the collector began to keep this session in its middle, or left out names of actions beyond 64: counts are then too low.',
        },
      },
    },
  },
} as const;
