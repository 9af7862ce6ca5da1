import { describe, expect, test } from 'vitest';
import {
  type AnswerParts,
  type ApprovalStatement,
  answerMessage,
  approvalMessage,
  argsDigest,
  type Binding,
  bindingHash,
  makeBinding,
  type PolicyIdentity,
  payloadOf,
  policyHash,
  shownDigest,
} from '../../core/proof/binding.ts';
import { fromBase64, fromHex, fromUtf8, hex } from '../../core/proof/bytes.ts';
import type { JsonObject, JsonValue } from '../../core/proof/jcs.ts';
import { hmac, sha256, testKey, vectors } from './host.ts';

type BindingVectors = {
  payloads: { args: JsonValue[]; payload: JsonObject }[];
  args: { args_salt: string; payload: JsonObject; args_digest: string }[];
  policy: { policy: PolicyIdentity; policy_hash: string };
  binding: { binding: Binding; hash: string };
  approval: {
    seed: string;
    shown: JsonObject;
    statement: ApprovalStatement;
    message: string;
    signature: string;
  };
  answer: { mac_key: string; parts: AnswerParts; message: string; mac: string };
};
const vector = vectors<BindingVectors>('binding');

describe('binding vectors', () => {
  test.each(vector.payloads)('payload of $args', ({ args, payload }) => {
    expect(payloadOf(args)).toEqual(payload);
  });

  test.each(vector.args)('args_digest $args_digest', ({ args_salt, payload, args_digest }) => {
    expect(argsDigest(hmac, fromHex(args_salt), payload)).toBe(args_digest);
  });

  test('policy_hash, whatever the order of the files', () => {
    const { policy, policy_hash } = vector.policy;
    expect(policyHash(sha256, policy)).toBe(policy_hash);
    expect(policyHash(sha256, { ...policy, files: policy.files.toReversed() })).toBe(policy_hash);
    expect(policyHash(sha256, { ...policy, files: policy.files.slice(1) })).not.toBe(policy_hash);
  });

  test('binding, with its roles sorted and nothing else in it', () => {
    const { binding, hash } = vector.binding;
    expect(bindingHash(sha256, binding)).toBe(hash);
    const loose = {
      ...binding,
      more: 1,
      required: { k: binding.required.k, roles: binding.required.roles.toReversed() },
    };
    expect(bindingHash(sha256, makeBinding(loose))).toBe(hash);
  });

  test('every member of a binding counts', () => {
    const { binding, hash } = vector.binding;
    for (const member of Object.keys(binding)) {
      expect(bindingHash(sha256, { ...binding, [member]: 'other' })).not.toBe(hash);
    }
  });

  test('what an approver signs', () => {
    const { seed, shown, statement, message, signature } = vector.approval;
    expect(shownDigest(sha256, shown)).toBe(statement.shown_digest);
    expect(statement.binding).toBe(vector.binding.hash);
    expect(fromUtf8(approvalMessage(statement))).toBe(message);
    expect(testKey(fromHex(seed)).sign(approvalMessage(statement))).toEqual(fromBase64(signature));
  });

  test('what an answer’s MAC covers', () => {
    const { mac_key, parts, message, mac } = vector.answer;
    expect(fromUtf8(answerMessage(parts))).toBe(message);
    expect(hex(hmac(fromHex(mac_key), answerMessage(parts)))).toBe(mac);
  });
});
