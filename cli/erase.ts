/** `trailmix erase`: bodies go, heads and proofs stay; on command, or by a rule per app. */
import { createHash } from 'node:crypto';
import { TrailmixError } from '../core/api/errors.ts';
import type { OutputOf } from '../core/api/operations.ts';
import {
  type ErasureStatement,
  erasedDigest,
  erasureMessage,
  retentionDigest,
  rulesThatHold,
} from '../core/proof/erasure.ts';
import { type Actor, acting, signerOf } from './acting.ts';
import { type Command, need, textOf } from './command.ts';
import type { SignedIn } from './person_sign_in.ts';

const DATE = /^\d{4}-\d\d-\d\d$/;

type Done = OutputOf<'erase'>;

const sha256 = (data: Uint8Array): Uint8Array => createHash('sha256').update(data).digest();

function signedBy(
  person: SignedIn,
  parts: Pick<ErasureStatement, 'act' | 'digest' | 'reason'>,
): { statement: ErasureStatement; signature: string } {
  const statement = { ...parts, ...signerOf(person) };
  return { statement, signature: person.sign(erasureMessage(statement)) };
}

/** Signed part by part where somebody signs; the collector says which records are meant. */
async function erase(
  { call, person }: Actor,
  meant: { app_id: string; before: string } | { seqs: number[] },
  reason: string,
): Promise<Done> {
  if (person === undefined) return call('erase', { input: { ...meant, reason } });
  const sum: Done = { erased: 0, records: [], blobs: 0 };
  for (let more = true; more; ) {
    const prepared = await call('prepareErasure', { input: meant });
    more = prepared.more;
    if (prepared.parts.length === 0) break;
    const signed = prepared.parts.map(({ seqs, hashes }) => ({
      seqs,
      ...signedBy(person, { act: 'erase', digest: erasedDigest(sha256, seqs, hashes), reason }),
    }));
    const done = await call('erase', { input: { signed, reason } });
    sum.erased += done.erased;
    sum.records.push(...done.records);
    sum.blobs += done.blobs;
  }
  return sum;
}

async function setRule({ call, person }: Actor, app: string, count: number): Promise<OutputOf<'retention'>> {
  const days = rulesThatHold({ ...(await call('retention')).days, [app]: count });
  if (person === undefined) return call('changeRetention', { input: { days } });
  const signed = signedBy(person, { act: 'retain', digest: retentionDigest(sha256, days), reason: '' });
  return call('changeRetention', { input: { days, ...signed } });
}

export const eraseCommand: Command = {
  summary:
    'Erases the bodies of records for good. Their place in the chain stays proved, and the erasure is recorded.',
  usage:
    '--app APP --before T --reason TEXT | --seq N[,N] --reason TEXT | --app APP --keep-days N  [--as NAME]',
  examples: [
    'trailmix erase --app support-bot --before 2026-05-01 --reason "End of retention"',
    'trailmix erase --seq 4711 --reason "Request of the person concerned, case 17"',
    'trailmix erase --app support-bot --keep-days 180 --as ada',
  ],
  options: {
    app: { type: 'string' },
    before: { type: 'string' },
    seq: { type: 'string' },
    reason: { type: 'string' },
    'keep-days': { type: 'string' },
    as: { type: 'string' },
    'key-file': { type: 'string' },
  },
  help: {
    '--app APP': 'whose records',
    '--before T': 'all that it received before: 2026-05-01 or 2026-05-01T08:30:00Z',
    '--seq N,N': 'these records',
    '--reason TEXT': 'why; recorded for good, so name no personal data',
    '--keep-days N': 'a rule instead: bodies older than N days are erased from now on (0: none are)',
    '--as NAME':
      'sign as this admin, once people are enrolled; TRAILMIX_SIGN_IN or typed. The rule is signed, what it erases is not',
    '--key-file F': "the vault's key file, where it is not in its usual place",
  },
  async run(invocation) {
    const { values, out } = invocation;
    const days = textOf(values, 'keep-days');
    if (days !== undefined) {
      if (!/^\d{1,5}$/.test(days))
        throw new TrailmixError('usage', { where: '--keep-days', message: `${days} is no number of days` });
      const app = need(values, 'app');
      out.json(await acting(invocation, actor => setRule(actor, app, Number(days))));
      out.say(
        days === '0'
          ? `Bodies of ${app} are kept.`
          : `Bodies of ${app} are erased after ${days} days, from now on.`,
      );
      return 0;
    }
    const reason = need(values, 'reason');
    const seqs = textOf(values, 'seq');
    if (seqs !== undefined && !/^\d{1,15}(?:,\d{1,15})*$/.test(seqs))
      throw new TrailmixError('usage', { where: '--seq', message: `${seqs} is no list of seqs` });
    const before = seqs === undefined ? need(values, 'before') : '';
    const meant =
      seqs === undefined
        ? { app_id: need(values, 'app'), before: DATE.test(before) ? `${before}T00:00:00Z` : before }
        : { seqs: seqs.split(',').map(Number) };
    const done = await acting(invocation, actor => erase(actor, meant, reason));
    out.json(done);
    out.say(`Erased the bodies of ${done.erased} records and ${done.blobs} large values.`);
    if (done.records.length > 0) out.say(`  recorded as ${done.records.join(', ')}`);
    out.say('Backups and packs made before still hold them: they are yours to find.');
    return 0;
  },
};
