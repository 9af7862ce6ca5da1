/** The worked example of docs/spec/gate.md, computed by the code that the collector and the SDK run. */
import { createHash, createHmac } from 'node:crypto';
import { answerMac } from '../../collector/keys/api-keys.ts';
import { argsDigest, type Binding, bindingHash, makeBinding, payloadOf } from '../../core/proof/binding.ts';
import { fromHex, hex, utf8 } from '../../core/proof/bytes.ts';
import { jcs } from '../../core/proof/jcs.ts';

const sha256 = (data: Uint8Array): Uint8Array => createHash('sha256').update(data).digest();
const hmac = (key: Uint8Array, message: Uint8Array): Uint8Array =>
  createHmac('sha256', key).update(message).digest();
/** Stands for 32 random bytes. */
const bytes32 = (name: string): string => hex(sha256(utf8(`example ${name}`)));

export function workedExample(): string {
  const payload = payloadOf([{ iban: 'DE00', amount: 12000 }]);
  const argsSalt = bytes32('args_salt');
  const binding: Binding = makeBinding({
    v: 1,
    ledger_id: bytes32('ledger').slice(0, 32),
    tenant_id: 'default',
    app_id: 'finance-bot',
    session_id: 's-1',
    actor_id: 'planner',
    action: 'send_wire',
    risk: 'high',
    args_digest: argsDigest(hmac, fromHex(argsSalt), payload),
    policy_hash: bytes32('policy'),
    decision_id: 'dec_1',
    required: { k: 1, roles: ['treasurer', 'cfo'] },
    nonce: bytes32('approval nonce'),
    expires_at: '2026-11-22T12:15:00.000000Z',
  });
  const requestBody = jcs({
    action: binding.action,
    args_digest: binding.args_digest,
    nonce: binding.nonce,
    session_id: binding.session_id,
  });
  const responseBody = '{"intent_id":"int_1","grant":{"expires_at":"2026-11-22T12:03:10.000000Z"}}';
  const answer = {
    nonce: bytes32('request nonce'),
    method: 'POST',
    path: '/api/approvals/apr_1/consume',
    request_sha256: hex(sha256(utf8(requestBody))),
    status: 200,
    response_sha256: hex(sha256(utf8(responseBody))),
  };
  const mac = sha256(utf8('example mac'));
  return [
    `JCS(payload)         ${jcs(payload)}`,
    `args_salt            ${argsSalt}`,
    `args_digest          ${binding.args_digest}`,
    `JCS(binding)         ${jcs(binding)}`,
    `SHA-256(binding)     ${bindingHash(sha256, binding)}`,
    '',
    `mac (base64url)      ${Buffer.from(mac).toString('base64url')}`,
    `request nonce        ${answer.nonce}`,
    `request body         ${requestBody}`,
    `its SHA-256          ${answer.request_sha256}`,
    `answer body          ${responseBody}`,
    `its SHA-256          ${answer.response_sha256}`,
    `x-trailmix-mac       ${answerMac(mac, answer)}`,
  ].join('\n');
}
