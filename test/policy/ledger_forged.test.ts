/**
 * `trailmix verify --ledger` over real ledgers whose records on policies a lying collector wrote: rightly hashed, chained and signed by
 * the ledger's own keys, so that only the rules about policies give them away. The histories are those of the published packs.
 */
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { verifyLedger } from '../../collector/evidence/verify-ledger.ts';
import type { Ledger, PreparedEvent } from '../../collector/ports.ts';
import { type JsonObject, jcs } from '../../core/proof/jcs.ts';
import { openTest } from '../ledger/ledger.fixture.ts';
import { memoryVault } from '../ledger/vault.fixture.ts';
import { MemoryLedger } from '../pack/memory-ledger.ts';
import { beginPolicies, policyHistories } from '../pack/policy_forgeries.ts';

/** What the ledger gives a record itself. */
const OWN = [
  'v',
  'ledger_id',
  'tenant_id',
  'seq',
  'app_id',
  'app_seq',
  'event_type',
  'ts',
  'received_at',
  'hash_prev',
  'body_hash',
  'hash_self',
  'key_id',
  'signature',
];

/** When the history begins, by its own statements. */
const BEGAN = Date.UTC(2026, 10, 1);

const eventOf = (record: JsonObject, savedAt: ReadonlyMap<number, number>): PreparedEvent => {
  const body = Object.fromEntries(Object.entries(record).filter(([name]) => !OWN.includes(name)));
  const policy = body.policy as JsonObject | undefined;
  // Which record saved the set is no part of what was signed.
  const saved = savedAt.get(Number(policy?.saved_seq));
  if (policy !== undefined && saved !== undefined) body.policy = { ...policy, saved_seq: saved };
  const bodyJcs = jcs(body as JsonObject);
  const ts = String(record.ts);
  return {
    tenantId: 'default',
    appId: '_ledger',
    eventId: `told-${String(record.seq)}`,
    sessionId: 's1',
    eventType: String(record.event_type),
    ts,
    bodyJcs,
    bodyHash: createHash('sha256').update(bodyJcs).digest('hex'),
    contentJcs: bodyJcs,
    facts: { kind: 'other', startUs: BEGAN * 1000 },
  };
};

/** Appends what is about people and policies, one by one; answers where those about policies stand. */
async function retell(ledger: Ledger, told: readonly JsonObject[]): Promise<string[]> {
  const seqs = new Map<number, number>();
  const places: string[] = [];
  for (const record of told) {
    const type = String(record.event_type);
    if (!/^(person|policy)\.|^ledger\.settings$/.test(type)) continue;
    const [accepted] = await ledger.write.append([eventOf(record, seqs)]);
    seqs.set(Number(record.seq), accepted!.seq);
    if (type.startsWith('policy.')) places.push(`ledger:${accepted!.seq}`);
  }
  return places;
}

/** Histories with figures name records by their seq, which are others here. */
const retold = policyHistories.filter(([about]) => !about.includes('impact') && !about.includes(', tried,'));

test.each(retold)('%s: %s', async (_about, code, make) => {
  const { ledger } = await openTest({ clock: { now: () => BEGAN } });
  const at = beginPolicies(new MemoryLedger(undefined, { ledgerId: ledger.ledgerId }));
  make(at);
  const places = await retell(ledger, at.ledger.all as readonly object[] as readonly JsonObject[]);
  await ledger.write.run('checkpoint', {});
  const { verdicts } = await verifyLedger(ledger, memoryVault());
  const found = Object.values(verdicts)
    .flatMap(({ findings }) => findings)
    .filter(one => one.code !== 'time_not_shown');
  expect([...new Set(found.map(one => one.code))]).toEqual(code === undefined ? [] : [code]);
  for (const { where } of found) expect(places).toContain(where);
});
