/** The page's proof against a small ledger made here with Node's crypto: it passes whole, and each change has its own step. */
import { createHash, generateKeyPairSync, sign, verify } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { base64, hex, utf8 } from '../../core/proof/bytes.ts';
import { checkpointText, originOf } from '../../core/proof/checkpoint.ts';
import { keyId } from '../../core/proof/hash.ts';
import { jcs } from '../../core/proof/jcs.ts';
import { formatVkey, noteKey, signNote } from '../../core/proof/note.ts';
import { bodyHash, eventSignatureMessage, GENESIS, type Head, hashSelf } from '../../core/proof/record.ts';
import { inclusionProof, recordLeaf, rootOf } from '../../core/proof/tree.ts';
import { checkProof, type ProofReply, type ProofStep } from '../../renderer/features/traces/proof_check.ts';

const sha256 = (data: Uint8Array): Uint8Array => createHash('sha256').update(data).digest();
const pair = () => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  return { privateKey, raw: new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }).subarray(-32)) };
};
const verifyEd25519 = (key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean => {
  const der = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), key]);
  return verify(null, message, { key: der, format: 'der', type: 'spki' }, signature);
};
const tools = { sha256, verify: verifyEd25519, now: '2026-11-22T16:00:00Z' };
const ledgerId = 'ab'.repeat(16);
const SIZE = 7;
const AT = 3;
let reply: ProofReply;

beforeAll(async () => {
  const eventKey = pair();
  const noteKeys = pair();
  const records: Record<string, unknown>[] = [];
  let previous = GENESIS;
  for (let seq = 0; seq < SIZE; seq++) {
    const body = {
      event_id: `ev-${seq}`,
      name: `step ${seq}`,
      output: { ok: true, amount: 749.9 },
      salt: 'c2FsdA==',
    };
    const head: Head = {
      v: 1,
      ledger_id: ledgerId,
      tenant_id: 'default',
      seq,
      app_id: 'app',
      app_seq: seq + 1,
      event_type: 'span',
      ts: '2026-11-22T16:00:00Z',
      received_at: '2026-11-22T16:00:00.000001Z',
      hash_prev: previous,
      body_hash: bodyHash(sha256, jcs(body)),
    };
    previous = hashSelf(sha256, head);
    const signature = base64(sign(null, eventSignatureMessage(previous), eventKey.privateKey));
    records.push({ ...body, ...head, hash_self: previous, signature, key_id: keyId(sha256, eventKey.raw) });
  }
  const leaves = records.map(record => recordLeaf(sha256, String(record.hash_self)));
  const root = rootOf(sha256, leaves);
  const origin = originOf(ledgerId, 'default');
  const key = noteKey(sha256, origin, noteKeys.raw);
  const note = await signNote(checkpointText({ origin, size: SIZE, root }), key, message =>
    sign(null, message, noteKeys.privateKey),
  );
  const node = ({ level, index }: { level: number; index: number }) =>
    rootOf(sha256, leaves.slice(index * 2 ** level, Math.min((index + 1) * 2 ** level, SIZE)));
  reply = {
    record: records[AT],
    before: records[AT - 1],
    after: records[AT + 1],
    inclusion: { size: SIZE, index: AT, hashes: inclusionProof(sha256, AT, SIZE, node).map(base64) },
    checkpoint: { size: SIZE, root: hex(root), at: '2026-11-22T16:00:01Z', note },
    vkeys: [formatVkey(key)],
    keys: [{ key_id: keyId(sha256, eventKey.raw), public_key: base64(eventKey.raw) }],
  } as unknown as ProofReply;
});

// biome-ignore lint/suspicious/noExplicitAny: planted faults reach into every corner of the reply
const altered = (change: (reply: any) => void): ProofReply => {
  const copy = structuredClone(reply);
  change(copy);
  return copy;
};
const failing = async (changed: ProofReply, shown: unknown = changed.record): Promise<ProofStep['id'][]> =>
  (await checkProof(changed, shown, tools)).steps.filter(step => step.result === 'fail').map(step => step.id);
const flip = (text: string): string => (text.startsWith('0') ? '1' : '0') + text.slice(1);

test('an untouched record passes every step', async () => {
  const result = await checkProof(reply, reply.record, tools);
  expect(result.steps.map(step => [step.id, step.result])).toEqual(
    ['content', 'head', 'before', 'after', 'signature', 'inclusion', 'checkpoint', 'shown'].map(id => [
      id,
      'pass',
    ]),
  );
  expect(result.intact).toBe(true);
});

test('the newest record has nothing after it, and that is no fault', async () => {
  const result = await checkProof(
    altered(changed => delete changed.after),
    undefined,
    tools,
  );
  expect(result.intact).toBe(true);
  expect(result.steps.find(step => step.id === 'after')?.result).toBe('absent');
});

describe('each change is named by its own step', () => {
  test.each<[string, (changed: never) => void, ProofStep['id'][]]>([
    [
      'one amount',
      (c: ProofReply) => Object.assign(c.record, { output: { ok: true, amount: 749.91 } }),
      ['content'],
    ],
    ['a member added', (c: ProofReply) => Object.assign(c.record, { extra: 1 }), ['content']],
    [
      'the recorded hash',
      (c: ProofReply) => Object.assign(c.record, { hash_self: flip(c.record.hash_self) }),
      ['head'],
    ],
    [
      'the time, with all else as it was',
      (c: ProofReply) => Object.assign(c.record, { ts: '2026-11-22T15:00:00Z' }),
      ['head', 'after', 'signature', 'inclusion'],
    ],
    [
      'the record before',
      (c: ProofReply) => Object.assign(c.before as object, { app_id: 'other' }),
      ['before'],
    ],
    [
      'the link of the record after',
      (c: ProofReply) => Object.assign(c.after as object, { hash_prev: '0'.repeat(64) }),
      ['after'],
    ],
    [
      'the signature',
      (c: ProofReply) =>
        Object.assign(c.record, { signature: (c.after as Record<string, unknown>).signature }),
      ['signature'],
    ],
    [
      'a key nobody knows',
      (c: ProofReply) => Object.assign(c.record, { key_id: 'f'.repeat(64) }),
      ['signature'],
    ],
    [
      'a neighbour hash in the tree',
      (c: ProofReply) => Object.assign(c.inclusion.hashes, { 0: base64(sha256(utf8('x'))) }),
      ['inclusion'],
    ],
    [
      'the place in the tree',
      (c: ProofReply) => Object.assign(c.inclusion, { index: AT + 1 }),
      ['inclusion'],
    ],
    [
      'the root',
      (c: ProofReply) => Object.assign(c.checkpoint, { root: flip(c.checkpoint.root) }),
      ['inclusion', 'checkpoint'],
    ],
    [
      'the signed note',
      (c: ProofReply) => Object.assign(c.checkpoint, { note: c.checkpoint.note.replace('\n7\n', '\n8\n') }),
      ['checkpoint'],
    ],
    [
      'hashes that are not base64',
      (c: ProofReply) => Object.assign(c.inclusion, { hashes: ['?'] }),
      ['inclusion'],
    ],
    ['no record before', (c: ProofReply) => Object.assign(c, { before: undefined }), ['before']],
  ])('%s', async (_, change, steps) => {
    expect(await failing(altered(change as never))).toEqual(steps);
  });

  test('a panel that shows another record than the one checked', async () => {
    expect(await failing(reply, { ...reply.record, name: 'another' })).toEqual(['shown']);
  });
});
