/**
 * An independent check of the approvals in an unpacked evidence pack: plain Node, none of the product's code, written from
 * docs/spec/{gate,people,ledger}.md. Usage: node approvals_check.mjs FOLDER PEOPLE_ROOT_PUBLIC_KEY. Prints one JSON document:
 * {executed, valid, faults}. An action was executed when an outcome says that it ran; it is valid when enough enrolled
 * people signed exactly its binding before its one use.
 */
import { createHash, createHmac, createPublicKey, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const [folder, rootKey] = process.argv.slice(2);
const lines = name =>
  readFileSync(join(folder, name), 'utf8')
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line));

/** RFC 8785 for what these records hold: strings, booleans, finite numbers, arrays, objects. */
const canonical = value => {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const keys = Object.keys(value).sort();
  return `{${keys.map(key => `${JSON.stringify(key)}:${canonical(value[key])}`).join(',')}}`;
};
const sha256 = text => createHash('sha256').update(text).digest('hex');
const spki = Buffer.from('302a300506032b6570032100', 'hex');
const publicKeyOf = base64 =>
  createPublicKey({ key: Buffer.concat([spki, Buffer.from(base64, 'base64')]), format: 'der', type: 'spki' });
const isSigned = (prefix, statement, key, signature) =>
  verify(
    null,
    Buffer.from(prefix + canonical(statement)),
    publicKeyOf(key),
    Buffer.from(signature, 'base64'),
  );

const records = [...lines('events.jsonl'), ...lines('extras.jsonl')].sort((a, b) => a.seq - b.seq);
const faults = [];
const fault = (what, id) => void faults.push(`${id}: ${what}`);

/** Who held which key and roles from which seq on. */
const people = new Map();
const personAt = (id, seq) => people.get(id)?.findLast(stage => stage.seq < seq);
for (const record of records) {
  if (!/^person\.(enrolled|changed|reset|left)$/.test(record.event_type)) continue;
  const { signature, possession, ...statement } = record.person;
  const first = people.size === 0;
  const signer = first ? rootKey : personAt(statement.by, record.seq)?.key;
  const byAdmin = first
    ? statement.public_key === rootKey
    : personAt(statement.by, record.seq)?.roles.includes('admin');
  if (!byAdmin || signer === undefined || !isSigned('trailmix/person/v1\n', statement, signer, signature)) {
    fault('an enrolment that no admin signed', statement.person_id);
    continue;
  }
  if (possession !== undefined) {
    const { ledger_id, person_id, public_key, tenant_id } = statement;
    const held = { ledger_id, person_id, public_key, tenant_id };
    if (!isSigned('trailmix/possession/v1\n', held, public_key, possession))
      fault('no possession', person_id);
  }
  const stages = people.get(statement.person_id) ?? [];
  const active = statement.act !== 'leave';
  stages.push({
    seq: record.seq,
    key: statement.public_key,
    keyId: statement.key_id,
    roles: active ? statement.roles : [],
  });
  people.set(statement.person_id, stages);
}

const of = (type, pick) => records.filter(record => record.event_type === type && pick(record));
let executed = 0;
let valid = 0;
for (const outcome of records.filter(record => record.event_type === 'outcome.recorded')) {
  const { decision_id, intent_id } = outcome.outcome;
  const [decision] = of('decision.recorded', record => record.event_id === decision_id);
  if (decision?.decision.result !== 'approve') continue;
  executed++;
  const before = faults.length;
  const id = decision.decision.approval_id;
  const intents = of('intent.recorded', record => record.intent.approval_id === id);
  const [asked] = of('approval.asked', record => record.approval.id === id);
  if (asked === undefined || intents.length !== 1 || intents[0].event_id !== intent_id) {
    fault('no question, or not exactly one use', decision_id);
    continue;
  }
  const [{ seq: usedAt, intent, received_at: usedTime }] = intents;
  const { binding, binding_hash } = asked.approval;
  const digest = createHmac('sha256', Buffer.from(decision.decision.args_salt, 'hex'))
    .update(canonical(decision.input))
    .digest('hex');
  if (sha256(canonical(binding)) !== binding_hash) fault('binding hash', id);
  if (digest !== binding.args_digest || digest !== intent.args_digest) fault('arguments', id);
  if (binding.action !== decision.name || binding.session_id !== decision.session_id)
    fault('action or session', id);
  if (binding.nonce !== intent.nonce || intent.binding_hash !== binding_hash) fault('use', id);
  if (usedTime >= binding.expires_at) fault('expired', id);
  const approvers = new Set();
  for (const { seq, approval } of of('approval.answered', record => record.approval.id === id)) {
    if (seq > usedAt) continue;
    const { statement, signature } = approval;
    const person = personAt(approval.by, seq);
    const [opened] = of(
      'approval.opened',
      record => record.approval.review_id === statement?.review.review_id,
    );
    const good =
      statement !== undefined &&
      person !== undefined &&
      person.keyId === statement.key_id &&
      person.roles.includes(statement.role) &&
      binding.required.roles.includes(statement.role) &&
      statement.approver_id === approval.by &&
      approval.by !== binding.actor_id &&
      statement.binding === binding_hash &&
      statement.verdict === approval.verdict &&
      opened?.approval.by === approval.by &&
      sha256(canonical(opened.shown)) === statement.shown_digest &&
      isSigned('trailmix/approval/v1\n', statement, person.key, signature);
    if (!good) fault(`an answer of ${approval.by}`, id);
    else if (statement.verdict === 'approve') approvers.add(approval.by);
    else fault('used although somebody refused', id);
  }
  if (approvers.size < binding.required.k) fault(`${approvers.size} of ${binding.required.k} people`, id);
  if (faults.length === before) valid++;
}
console.log(JSON.stringify({ executed, valid, people: people.size, faults }));
