/** The good input that fuzzing changes: made from the published packs, so that it needs no openssl. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { published } from '../pack/harness_verifiers.ts';
import { partsOf } from '../pack/packs.ts';
import type { Seeds } from './targets.ts';

export async function seeds(): Promise<Seeds> {
  const people = await published('packs');
  const { file, trust } = people.cases.find(one => one.file === 'people_good.zip')!;
  const pack = await readFile(join(people.folder, file));
  const sealed = await published('packs-sealed');
  const stamps: Uint8Array[] = [];
  let stamped: Uint8Array | undefined;
  let roots: string | undefined;
  for (const one of sealed.cases) {
    const parts = await partsOf(await readFile(join(sealed.folder, one.file)));
    const stamp = parts.get('META-INF/checksums.tsr');
    if (stamp === undefined) continue;
    stamps.push(stamp);
    stamped ??= parts.get('checksums.txt');
    roots ??= one.trust?.tsaRoots;
  }
  return {
    pack,
    parts: await partsOf(pack),
    trust: { ...trust!, ...(roots === undefined ? {} : { tsaRoots: roots }) },
    stamps,
    stamped: stamped!,
  };
}
