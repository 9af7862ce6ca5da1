/**
 * Writes test/vectors/packs: one good pack, packs that someone changed, and packs.json with what a verifier must say.
 * Keys are new each time, so the whole folder is written at once: `node test/pack/make-vectors.ts`.
 */
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JsonObject } from '../../core/proof/jcs.ts';
import { changes, histories } from './changes.ts';
import { MemoryLedger } from './memory-ledger.ts';
import { busyLedger, check, codesOf, makePack, partsOf, reseal, trustOf, zipOf } from './packs.ts';

const folder = join(import.meta.dirname, '../vectors/packs');
await mkdir(folder, { recursive: true });
for (const file of await readdir(folder)) await rm(join(folder, file));

const cases: object[] = [];
async function write(
  name: string,
  about: string,
  code: string | null,
  pack: Buffer,
  ledger: MemoryLedger,
): Promise<void> {
  const file = `${name}.zip`;
  await writeFile(join(folder, file), pack);
  const trust = trustOf(ledger);
  const report = await check(pack, trust);
  const results = Object.fromEntries(
    Object.entries(report.verdicts).map(([verdict, { result }]) => [verdict, result]),
  );
  cases.push({ file, about, code, verdicts: results, codes: codesOf(report), trust });
}

const ledger = busyLedger();
const good = await makePack(ledger);
await write('good', 'untouched', null, good, ledger);
const chosen = new Set<string>();
for (const [about, code, change, manifest] of changes) {
  if (chosen.has(code)) continue;
  chosen.add(code);
  const parts = await partsOf(good);
  change(parts);
  reseal(parts, manifest === undefined ? undefined : m => manifest(m as unknown as JsonObject));
  await write(`changed_${code}`, about, code, await zipOf(parts), ledger);
}
for (const [about, code, make] of histories) {
  const name = `history_${code}`;
  if (chosen.has(name)) continue;
  chosen.add(name);
  const own = new MemoryLedger();
  own.append({ body: { name: 'first' } });
  make(own);
  await write(name, about, code, await makePack(own), own);
}
await writeFile(join(folder, 'packs.json'), `${JSON.stringify({ cases }, null, 1)}\n`);
console.log(`${cases.length} packs in ${folder}`);
