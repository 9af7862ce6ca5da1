/**
 * The input that a policy was given, made again from the decision's record (docs/spec/policy.md, "Deciding again"). Rules: what
 * would be a guess is not made: it is named. Runs in any thread; a `$blob` is for the caller to fetch.
 */
import type { PolicyWord, UnfaithfulReason } from '../../core/api/policy_views.ts';
import type { JsonObject, JsonValue } from '../../core/proof/jcs.ts';
import type { Reads } from './session_state.ts';

/** Members of a decision's body that matter here. */
export type DecisionBody = {
  event_id?: string;
  session_id?: string;
  actor_type?: string;
  actor_id?: string;
  name?: string;
  risk?: string;
  input?: JsonValue;
  context?: JsonValue;
  decision?: {
    result?: 'allow' | 'deny' | 'approve';
    failed?: string;
    reasons?: string[];
    rules?: string[];
    policy?: { version?: number; hash?: string };
    session?: JsonValue;
    now?: string;
  };
};

export type BlobRef = { sha256: string; bytes: number };
export type Rebuilt =
  | { input: JsonObject }
  | { missing: UnfaithfulReason }
  /** The value of these members lies in blobs. */
  | { blobs: { input?: BlobRef; context?: BlobRef } };

const isObject = (value: JsonValue | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const blobOf = (value: JsonValue | undefined): BlobRef | undefined =>
  isObject(value) && isObject(value.$blob) ? (value.$blob as unknown as BlobRef) : undefined;

/** Whether a value is sealed, wherever it stands. `text` is the body's, looked at first. */
const sealed = (text: string): boolean => text.includes('"$sealed"');

export const recordedWord = ({ decision }: DecisionBody): PolicyWord | undefined => {
  if (decision?.result === undefined) return undefined;
  return decision.failed === undefined ? decision.result : 'failed';
};

/** `reads`: what the policy to try reads; the rest need not be there. */
export function rebuild(text: string | null, appId: string, reads: Reads): Rebuilt & { body?: DecisionBody } {
  if (text === null) return { missing: 'erased' };
  const body = JSON.parse(text) as DecisionBody;
  if (sealed(text)) return { missing: 'sealed', body };
  return { ...rebuildBody(body, appId, reads), body };
}

export function rebuildBody(body: DecisionBody, appId: string, reads: Reads): Rebuilt {
  const { decision, input, context } = body;
  const input_ = blobOf(input);
  const context_ = blobOf(context);
  if (decision?.result === undefined || decision.policy === undefined || body.name === undefined)
    return { missing: 'older_schema' };
  if (reads.session && decision.session === undefined) return { missing: 'session_absent' };
  if (reads.now && decision.now === undefined) return { missing: 'now_absent' };
  if (input_ !== undefined || context_ !== undefined) {
    return {
      blobs: {
        ...(input_ === undefined ? {} : { input: input_ }),
        ...(context_ === undefined ? {} : { context: context_ }),
      },
    };
  }
  if (!isObject(input) || body.actor_type === undefined || body.session_id === undefined)
    return { missing: 'older_schema' };
  return {
    input: {
      action: body.name,
      risk: body.risk ?? 'low',
      actor: { type: body.actor_type, id: body.actor_id ?? '' },
      payload: input,
      context: context ?? {},
      session_id: body.session_id,
      app_id: appId,
      policy: { version: Math.max(1, decision.policy.version ?? 1) },
      ...(decision.session === undefined ? {} : { session: decision.session }),
      ...(decision.now === undefined ? {} : { now: decision.now }),
    },
  };
}
