/**
 * Erasing bodies and saying how long they are kept, signed by the person once people are enrolled (docs/spec/erasure.md, "Statement").
 * Rule: of a single event the page signs what it shows; of an app's older ones the collector says which they are.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { useMutation } from '@tanstack/react-query';
import type { OutputOf } from '../../../core/api/operations.ts';
import {
  type ErasureStatement,
  erasedDigest,
  erasureMessage,
  retentionDigest,
  rulesThatHold,
} from '../../../core/proof/erasure.ts';
import { call } from '../../api/client.ts';
import type { Failure } from '../../api/problem.ts';
import { ensureUnlocked, signer } from '../../api/signer.ts';

type Done = OutputOf<'erase'>;
type Signed = { statement: ErasureStatement; signature: string };
type Sign = (parts: Pick<ErasureStatement, 'act' | 'digest' | 'reason'>) => Promise<Signed>;

/** What reads differently once bodies are gone. */
export const AFTER_ERASURE = [
  'retention',
  'previewErasure',
  'event',
  'events',
  'eventProof',
  'trace',
  'traces',
  'overview',
] as const;

/** A change that is signed; undefined where the reader did not unlock the key. */
export const useSigned = <T, I>(act: (input: I) => Promise<T | undefined>) =>
  useMutation<T | undefined, Failure, I>({ mutationFn: act });

/** How to sign; `nobody` while none is enrolled; undefined where the reader did not unlock the key. */
async function signing(why: string): Promise<Sign | 'nobody' | undefined> {
  const { person, ledger_id, tenant_id } = await call('whoAmI', {});
  if (person === undefined) return 'nobody';
  if (!(await ensureUnlocked(why))) return undefined;
  return async parts => {
    const at = new Date().toISOString().replace('Z', '000Z');
    const who = { by: person.id, by_key_id: signer.keyId(), ledger_id, tenant_id };
    const statement = { ...parts, at, ...who };
    return { statement, signature: await signer.sign(erasureMessage(statement)) };
  };
}

const erasing = (sign: Sign, reason: string, { seqs, hashes }: { seqs: number[]; hashes: string[] }) =>
  sign({ act: 'erase', digest: erasedDigest(sha256, seqs, hashes), reason });

export async function eraseEvent(asked: {
  seq: number;
  hash_self: string;
  reason: string;
}): Promise<Done | undefined> {
  const { reason } = asked;
  const seqs = [asked.seq];
  const sign = await signing('To sign the erasure.');
  if (sign === undefined) return undefined;
  if (sign === 'nobody') return call('erase', { input: { seqs, reason } });
  const signed = await erasing(sign, reason, { seqs, hashes: [asked.hash_self] });
  return call('erase', { input: { signed: [{ seqs, ...signed }], reason } });
}

/** All that the app received before; part by part, so that a refusal leaves those before it erased. */
export async function eraseOlder(asked: {
  app_id: string;
  before: string;
  reason: string;
}): Promise<Done | undefined> {
  const { reason, ...meant } = asked;
  const sign = await signing('To sign the erasure.');
  if (sign === undefined) return undefined;
  if (sign === 'nobody') return call('erase', { input: asked });
  const sum: Done = { erased: 0, records: [], blobs: 0 };
  for (let more = true; more; ) {
    const prepared = await call('prepareErasure', { input: meant });
    more = prepared.more;
    if (prepared.parts.length === 0) break;
    const signed = [];
    for (const part of prepared.parts)
      signed.push({ seqs: part.seqs, ...(await erasing(sign, reason, part)) });
    const done = await call('erase', { input: { signed, reason } });
    sum.erased += done.erased;
    sum.records.push(...done.records);
    sum.blobs += done.blobs;
  }
  return sum;
}

/** All rules from now on: days by app. */
export async function setRules(rules: Record<string, number>): Promise<OutputOf<'retention'> | undefined> {
  const days = rulesThatHold(rules);
  const sign = await signing('To sign how long bodies are kept.');
  if (sign === undefined) return undefined;
  if (sign === 'nobody') return call('changeRetention', { input: { days } });
  const signed = await sign({ act: 'retain', digest: retentionDigest(sha256, days), reason: '' });
  return call('changeRetention', { input: { days, ...signed } });
}
