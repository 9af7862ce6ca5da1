/**
 * What ties a gated call to its decision, its approvals and its answer: digests of arguments and policies, the
 * approval binding, the bytes that people sign, and the MAC by which a collector proves itself.
 * Format: docs/spec/gate.md; what people sign: docs/spec/ledger.md, "Decisions and approvals". Rules: nothing here reads a clock or makes a nonce.
 */
import { hex, utf8 } from './bytes.ts';
import { type HmacSha256, PREFIX, type Sha256 } from './hash.ts';
import { isPlain, type JsonObject, type JsonValue, jcs } from './jcs.ts';

/** Payload of a call in JavaScript: its one argument if that is a plain object, else `{"args": [...]}`. */
export function payloadOf(args: readonly JsonValue[]): JsonObject {
  const [only] = args;
  if (
    args.length === 1 &&
    typeof only === 'object' &&
    only !== null &&
    !Array.isArray(only) &&
    isPlain(only)
  ) {
    return only as JsonObject;
  }
  return { args };
}

/** Hex HMAC-SHA256(args_salt, JCS(payload)). The salt has 32 bytes and comes with the decision. */
export function argsDigest(hmac: HmacSha256, argsSalt: Uint8Array, payload: JsonValue): string {
  return hex(hmac(argsSalt, utf8(jcs(payload))));
}

/** What a policy version consists of. Paths are those of the sources; each sha256 is hex of the file's bytes. */
export interface PolicyIdentity {
  readonly entrypoint: string;
  readonly capabilities_sha256: string;
  readonly wasm_sha256: string;
  readonly files: readonly { readonly path: string; readonly sha256: string }[];
}

/** Hex SHA-256(JCS({v: 1, entrypoint, capabilities_sha256, wasm_sha256, files sorted by path})). */
export function policyHash(sha256: Sha256, policy: PolicyIdentity): string {
  const { entrypoint, capabilities_sha256, wasm_sha256 } = policy;
  const files = policy.files
    .map(file => ({ path: file.path, sha256: file.sha256 }))
    .sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  return hex(sha256(utf8(jcs({ v: 1, entrypoint, capabilities_sha256, wasm_sha256, files }))));
}

export type Risk = 'low' | 'medium' | 'high' | 'critical';

/** Everything that an approval is for. All members are required; `roles` is sorted, and any one qualifies. */
export interface Binding {
  readonly v: 1;
  readonly ledger_id: string;
  readonly tenant_id: string;
  readonly app_id: string;
  readonly session_id: string;
  readonly actor_id: string;
  readonly action: string;
  readonly risk: Risk;
  readonly args_digest: string;
  readonly policy_hash: string;
  readonly decision_id: string;
  readonly required: { readonly k: number; readonly roles: readonly string[] };
  readonly nonce: string;
  readonly expires_at: string;
}

/** The binding object that is hashed: exactly its members, roles sorted by UTF-16 code unit. */
export function makeBinding(parts: Binding): Binding {
  const { v, ledger_id, tenant_id, app_id, session_id, actor_id, action, risk } = parts;
  const { args_digest, policy_hash, decision_id, nonce, expires_at } = parts;
  const required = { k: parts.required.k, roles: [...parts.required.roles].sort() };
  return {
    v,
    ledger_id,
    tenant_id,
    app_id,
    session_id,
    actor_id,
    action,
    risk,
    args_digest,
    policy_hash,
    decision_id,
    required,
    nonce,
    expires_at,
  };
}

/** Hex SHA-256(JCS(binding)). */
export function bindingHash(sha256: Sha256, binding: Binding): string {
  return hex(sha256(utf8(jcs(binding))));
}

/** Hex SHA-256(JCS(the object that the page rendered)). */
export function shownDigest(sha256: Sha256, shown: JsonValue): string {
  return hex(sha256(utf8(jcs(shown))));
}

/** One person's answer, as signed. `binding` is the binding's hash. */
export interface ApprovalStatement {
  readonly binding: string;
  readonly verdict: 'approve' | 'deny';
  readonly approver_id: string;
  readonly role: string;
  readonly key_id: string;
  readonly shown_digest: string;
  readonly opened_at: string;
  readonly decided_at: string;
  readonly review: JsonValue;
}

/** The bytes that an approver's Ed25519 key signs. */
export function approvalMessage(statement: ApprovalStatement): Uint8Array {
  const { binding, verdict, approver_id, role, key_id, shown_digest, opened_at, decided_at, review } =
    statement;
  return utf8(
    PREFIX.approval +
      jcs({ binding, verdict, approver_id, role, key_id, shown_digest, opened_at, decided_at, review }),
  );
}

/** What an answer's MAC covers. Hashes are lowercase hex SHA-256; `path` has its query, as in the request line. */
export interface AnswerParts {
  readonly nonce: string;
  readonly method: string;
  readonly path: string;
  readonly request_sha256: string;
  readonly status: number;
  /** of the body before content coding */
  readonly response_sha256: string;
}

/** The bytes under the answer MAC (docs/spec/gate.md, "API keys"). The key is the `mac` part of the API key. */
export function answerMessage(parts: AnswerParts): Uint8Array {
  const { nonce, method, path, request_sha256, status, response_sha256 } = parts;
  return utf8(PREFIX.answer + [nonce, method, path, request_sha256, status, response_sha256].join('\n'));
}
