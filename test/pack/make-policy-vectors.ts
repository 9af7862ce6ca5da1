/**
 * Writes test/vectors/packs-policy: packs that show, or do not show as they should, who wrote their policies and put them in force, with
 * packs.json; and test/vectors/policy.json: the records of the same histories, with what is found in each. Keys and times are fixed, so
 * that the same code writes the same: `node test/pack/make-policy-vectors.ts`.
 */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Trust } from '../../core/pack/verify.ts';
import { rootOf } from './forgeries.ts';
import { saidOf } from './harness_verifiers.ts';
import { seedKeys } from './memory-ledger.ts';
import {
  check,
  gatedCall,
  makePack,
  NOW,
  partsOf,
  reseal,
  seededSigner,
  signPacksAs,
  trustOf,
  zipOf,
} from './packs.ts';
import { beginPolicies, largeSet, largeSets, policyChanges, policyHistories } from './policy_forgeries.ts';
import { foundIn } from './policy_records.ts';

const folder = join(import.meta.dirname, '../vectors/packs-policy');
await rm(folder, { recursive: true, force: true });
await mkdir(folder);
seedKeys('trailmix published packs, policies');
signPacksAs(seededSigner('trailmix published packs, policies'));

const packs: object[] = [];
async function write(
  name: string,
  about: string,
  code: string | null,
  pack: Uint8Array,
  trust: Trust,
): Promise<void> {
  const said = saidOf(await check(pack, trust, {}, NOW));
  if (said === 'no pack' || (code !== null && !said.codes.includes(code)))
    throw new Error(`${name}: ${code} is not among ${JSON.stringify(said)}`);
  await writeFile(join(folder, `${name}.zip`), pack);
  packs.push({ file: `${name}.zip`, about, code, now: NOW, ...said, trust });
}

const histories: object[] = [];
for (const [i, [about, code, make]] of policyHistories.entries()) {
  const at = beginPolicies();
  const policy = make(at);
  gatedCall(at.ledger, policy, { result: 'allow' });
  const place = { ledger_id: at.ledger.ledgerId, tenant_id: at.ledger.tenantId };
  histories.push({ about, place, records: await foundIn(place, at.ledger.all) });
  const pack = await makePack(at.ledger);
  const trust = { ...trustOf(at.ledger), peopleRoot: rootOf(at.people.admin) };
  await write(`${i + 1}_${code ?? 'good'}`, about, code ?? null, pack, trust);
  if (i > 0) continue;
  const alone = 'the same, and nobody said who the first person is';
  await write('without_root', alone, 'people_untrusted', pack, trustOf(at.ledger));
  for (const [name, what, found, change] of policyChanges) {
    const parts = await partsOf(pack);
    change(parts);
    await write(name, what, found, await zipOf(reseal(parts)), trust);
  }
}
for (const [name, about, code, text] of largeSets) {
  const at = beginPolicies();
  gatedCall(at.ledger, largeSet(at, text), { result: 'allow' });
  const trust = { ...trustOf(at.ledger), peopleRoot: rootOf(at.people.admin) };
  await write(name, about, code, await makePack(at.ledger), trust);
}
await writeFile(join(folder, 'packs.json'), `${JSON.stringify({ cases: packs }, null, 1)}\n`);
const file = join(folder, '..', 'policy.json');
await writeFile(file, `${JSON.stringify({ histories }, null, 1)}\n`);
console.log(`${packs.length} packs in ${folder}, ${histories.length} histories in ${file}`);
