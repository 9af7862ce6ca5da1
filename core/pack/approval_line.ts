/**
 * What is put together of one approval, and the line of approvals.jsonl that says it. Format: docs/spec/pack.md,
 * "approvals.jsonl". Writer and verifier share it.
 */
import type { JsonObject, JsonValue } from '../proof/jcs.ts';
import type { Answer, Opened } from './answers.ts';
import type { ApprovalCounts } from './host.ts';
import type { People } from './people.ts';

export type Approval = {
  readonly id: string;
  decisionId?: string;
  decision?: { seq: number; record: JsonObject; decision: JsonObject; argsSalt: string };
  asked?: { seq: number; at: string; record: JsonObject; binding: JsonObject; bindingHash: string };
  readonly answers: Answer[];
  /** By review_id. */
  readonly opened: Map<string, Opened>;
  expired?: { seq: number };
  cancelled?: { seq: number };
  readonly intents: { seq: number; at: string; id: string; intent: JsonObject }[];
  outcome?: { seq: number; id: string; outcome: JsonObject };
  inScope: boolean;
};

type Status = keyof ApprovalCounts;

export const asObject = (value: JsonValue | undefined): JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
export const asText = (value: JsonValue | undefined): string => (typeof value === 'string' ? value : '');

export function statusOf({ asked, answers, intents, expired, cancelled }: Approval): Status {
  if (intents.length > 0) return 'consumed';
  if (answers.some(({ approval }) => approval.verdict === 'deny')) return 'denied';
  if (cancelled !== undefined) return 'cancelled';
  if (expired !== undefined) return 'expired';
  const { k } = asObject(asked?.binding.required);
  const people = new Set(answers.map(({ approval }) => approval.by)).size;
  // A record of a version without people, and one made while four-eyes was not in force, counts one answer.
  const enough = answers.some(({ approval }) => approval.four_eyes !== true) || people >= Number(k ?? 1);
  return answers.length > 0 && enough ? 'approved' : 'waiting';
}

/** What came of it: `ran`, `failed`, `never_reported` (used, and nobody said what came), `not_run`. */
const resultOf = ({ intents, outcome }: Approval): string => {
  if (intents.length === 0) return 'not_run';
  const said = outcome?.outcome.outcome;
  return said === 'ok' ? 'ran' : said === 'error' ? 'failed' : 'never_reported';
};

export function lineOf(approval: Approval, people: People): JsonObject {
  const { asked, decision, answers, intents, outcome, expired, cancelled } = approval;
  const [intent] = intents;
  // Lines of unsigned answers stay as they were before people: older packs verify.
  const isSigned = answers.some(({ approval: said }) => said.signature !== undefined);
  const enrolments = answers.flatMap(({ seq, approval: said }) => {
    const person = people.at(asText(said.by), seq);
    return person === undefined
      ? []
      : [{ person_id: asText(said.by), key_id: person.keyId, name: person.name, seq: person.keySince }];
  });
  return {
    approval_id: approval.id,
    decision_id: approval.decisionId ?? '',
    ...(decision === undefined ? {} : { decision_seq: decision.seq }),
    ...(asked === undefined
      ? {}
      : {
          asked_seq: asked.seq,
          asked_at: asked.at,
          binding: asked.binding,
          binding_hash: asked.bindingHash,
        }),
    status: statusOf(approval),
    ...(isSigned ? { result: resultOf(approval) } : {}),
    answers: answers.map(({ seq, at, approval: said }) => {
      const { id: _id, decision_id: _decision, binding_hash: _binding, ...rest } = said;
      return { ...rest, seq, received_at: at };
    }),
    signatures: answers.flatMap(({ seq, approval: said }) =>
      said.signature === undefined
        ? []
        : [
            {
              seq,
              by: said.by ?? '',
              key_id: asObject(said.statement).key_id ?? '',
              role: asObject(said.statement).role ?? '',
              signature: said.signature,
            },
          ],
    ),
    ...(isSigned ? { enrolments: [...new Map(enrolments.map(one => [one.key_id, one])).values()] } : {}),
    ...(expired === undefined ? {} : { expired_seq: expired.seq }),
    ...(cancelled === undefined ? {} : { cancelled_seq: cancelled.seq }),
    ...(intent === undefined
      ? {}
      : { intent: { intent_id: intent.id, seq: intent.seq, ...rest(intent.intent) } }),
    ...(outcome === undefined
      ? {}
      : { outcome: { event_id: outcome.id, seq: outcome.seq, outcome: outcome.outcome.outcome ?? '' } }),
  };
}

/** What the line says of an intent beyond its binding. */
function rest(intent: JsonObject): JsonObject {
  return intent.grant_expires_at === undefined ? {} : { grant_expires_at: intent.grant_expires_at };
}
