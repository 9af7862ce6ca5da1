/**
 * Writes test/vectors/packs-restores: packs over one and two restores against an older pack of the first ledger, with packs.json. Keys
 * and times are fixed, so that the same code writes the same: `node test/pack/make-restore-vectors.ts`.
 */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { saidOf } from './harness_verifiers.ts';
import { seedKeys } from './memory-ledger.ts';
import { check, NOW, seededSigner, signPacksAs, sinceOf } from './packs.ts';
import { restoreCases } from './restore_cases.ts';

const folder = join(import.meta.dirname, '../vectors/packs-restores');
await rm(folder, { recursive: true, force: true });
await mkdir(folder);
seedKeys('trailmix published packs, restores');
signPacksAs(seededSigner('trailmix published packs, restores'));

const { older, trust, cases } = await restoreCases();
const since = 'older.zip';
await writeFile(join(folder, since), older);
const said = saidOf(await check(older, trust, {}, NOW));
if (said === 'no pack') throw new Error('the older pack is none');
const about = 'a pack of the ledger that is then restored';
const listed: object[] = [{ file: since, about, code: null, now: NOW, ...said, trust }];
for (const { name, about, code, pack, trust: own } of cases) {
  const found = saidOf(await check(pack, own, await sinceOf(older), NOW));
  if (found === 'no pack' || (code !== null && !found.codes.includes(code)))
    throw new Error(`${name}: ${code} is not among ${JSON.stringify(found)}`);
  await writeFile(join(folder, `${name}.zip`), pack);
  listed.push({ file: `${name}.zip`, about, code, now: NOW, ...found, trust: own, since });
}
await writeFile(join(folder, 'packs.json'), `${JSON.stringify({ cases: listed }, null, 1)}\n`);
console.log(`${listed.length} packs in ${folder}`);
