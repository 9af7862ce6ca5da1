/**
 * Writes test/vectors/packs-erasure: packs that show, or do not show as they should, who erased bodies and set the rules behind it, with
 * packs.json. Keys and times are fixed, so that the same code writes the same: `node test/pack/make-erasure-vectors.ts`.
 */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Trust } from '../../core/pack/verify.ts';
import { beginErasures, erasureHistories } from './erasure_forgeries.ts';
import { rootOf } from './forgeries.ts';
import { saidOf } from './harness_verifiers.ts';
import { seedKeys } from './memory-ledger.ts';
import { check, makePack, NOW, seededSigner, signPacksAs, trustOf } from './packs.ts';

const folder = join(import.meta.dirname, '../vectors/packs-erasure');
await rm(folder, { recursive: true, force: true });
await mkdir(folder);
seedKeys('trailmix published packs, erasures');
signPacksAs(seededSigner('trailmix published packs, erasures'));

const cases: object[] = [];
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
  cases.push({ file: `${name}.zip`, about, code, now: NOW, ...said, trust });
}

for (const [i, [about, code, make]] of erasureHistories.entries()) {
  const at = beginErasures();
  make(at);
  const pack = await makePack(at.ledger);
  const trust = { ...trustOf(at.ledger), peopleRoot: rootOf(at.admin) };
  await write(`${i + 1}_${code ?? 'good'}`, about, code ?? null, pack, trust);
  if (i > 0) continue;
  const alone = 'the same, and nobody said who the first person is';
  await write('without_root', alone, 'people_untrusted', pack, trustOf(at.ledger));
}
await writeFile(join(folder, 'packs.json'), `${JSON.stringify({ cases }, null, 1)}\n`);
console.log(`${cases.length} packs in ${folder}`);
