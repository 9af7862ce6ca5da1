/**
 * Writes test/vectors/packs-policy: packs that show, or do not show as they should, who wrote their policies and put them in force, with
 * packs.json; and test/vectors/policy.json: the records of the same histories, with what is found in each. Keys and times are fixed, so
 * that the same code writes the same: `node test/pack/make-policy-vectors.ts`.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { rootOf } from './forgeries.ts';
import { gatedCall, makePack, partsOf, reseal, trustOf, zipOf } from './packs.ts';
import { beginPolicies, largeSet, largeSets, policyChanges, policyHistories } from './policy_forgeries.ts';
import { foundIn } from './policy_records.ts';
import { publish } from './published.ts';

const packs = await publish('packs-policy', 'trailmix published packs, policies');
const histories: object[] = [];
for (const [i, [about, code, make]] of policyHistories.entries()) {
  const at = beginPolicies();
  const policy = make(at);
  gatedCall(at.ledger, policy, { result: 'allow' });
  const place = { ledger_id: at.ledger.ledgerId, tenant_id: at.ledger.tenantId };
  histories.push({ about, place, records: await foundIn(place, at.ledger.all) });
  const pack = await makePack(at.ledger);
  const trust = { ...trustOf(at.ledger), peopleRoot: rootOf(at.people.admin) };
  await packs.write(`${i + 1}_${code ?? 'good'}`, about, code ?? null, pack, trust);
  if (i > 0) continue;
  const alone = 'the same, and nobody said who the first person is';
  await packs.write('without_root', alone, 'people_untrusted', pack, trustOf(at.ledger));
  for (const [name, what, found, change] of policyChanges) {
    const parts = await partsOf(pack);
    change(parts);
    await packs.write(name, what, found, await zipOf(reseal(parts)), trust);
  }
}
for (const [name, about, code, text] of largeSets) {
  const at = beginPolicies();
  gatedCall(at.ledger, largeSet(at, text), { result: 'allow' });
  const trust = { ...trustOf(at.ledger), peopleRoot: rootOf(at.people.admin) };
  await packs.write(name, about, code, await makePack(at.ledger), trust);
}
await packs.close();
const file = join(packs.folder, '..', 'policy.json');
await writeFile(file, `${JSON.stringify({ histories }, null, 1)}\n`);
console.log(`${histories.length} histories in ${file}`);
