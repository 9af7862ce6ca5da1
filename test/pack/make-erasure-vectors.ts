/**
 * Writes test/vectors/packs-erasure: packs that show, or do not show as they should, who erased bodies and set the rules behind it, with
 * packs.json. Keys and times are fixed, so that the same code writes the same: `node test/pack/make-erasure-vectors.ts`.
 */
import { beginErasures, erasureHistories } from './erasure_forgeries.ts';
import { rootOf } from './forgeries.ts';
import { makePack, trustOf } from './packs.ts';
import { publish } from './published.ts';

const packs = await publish('packs-erasure', 'trailmix published packs, erasures');
for (const [i, [about, code, make]] of erasureHistories.entries()) {
  const at = beginErasures();
  make(at);
  const pack = await makePack(at.ledger);
  const trust = { ...trustOf(at.ledger), peopleRoot: rootOf(at.admin) };
  await packs.write(`${i + 1}_${code ?? 'good'}`, about, code ?? null, pack, trust);
  if (i > 0) continue;
  const alone = 'the same, and nobody said who the first person is';
  await packs.write('without_root', alone, 'people_untrusted', pack, trustOf(at.ledger));
}
await packs.close();
