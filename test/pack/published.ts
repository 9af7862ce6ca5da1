/** One folder of published packs under test/vectors, each with what a verifier must say of it, listed in packs.json. Not a test itself. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Trust } from '../../core/pack/verify.ts';
import { saidOf } from './harness_verifiers.ts';
import { seedKeys } from './memory-ledger.ts';
import { check, NOW, seededSigner, signPacksAs, sinceOf } from './packs.ts';

export type Published = {
  readonly folder: string;
  /** Throws where it is no pack, or `code` is not among what is found. `since`: an older one of these. */
  write(
    name: string,
    about: string,
    code: string | null,
    pack: Uint8Array,
    trust: Trust,
    since?: { file: string; pack: Uint8Array },
  ): Promise<void>;
  /** Writes packs.json. */
  close(): Promise<void>;
};

/** Empties the folder. Keys come from the seed, so that the same code writes the same. */
export async function publish(name: string, seed: string): Promise<Published> {
  const folder = join(import.meta.dirname, '../vectors', name);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder);
  seedKeys(seed);
  signPacksAs(seededSigner(seed));
  const cases: object[] = [];
  return {
    folder,
    async write(name, about, code, pack, trust, since) {
      const said = saidOf(
        await check(pack, trust, since === undefined ? {} : await sinceOf(since.pack), NOW),
      );
      if (said === 'no pack' || (code !== null && !said.codes.includes(code)))
        throw new Error(`${name}: ${code} is not among ${JSON.stringify(said)}`);
      const file = `${name}.zip`;
      await writeFile(join(folder, file), pack);
      const older = since === undefined ? {} : { since: since.file };
      cases.push({ file, about, code, now: NOW, ...said, trust, ...older });
    },
    async close() {
      await writeFile(join(folder, 'packs.json'), `${JSON.stringify({ cases }, null, 1)}\n`);
      console.log(`${cases.length} packs in ${folder}`);
    },
  };
}
