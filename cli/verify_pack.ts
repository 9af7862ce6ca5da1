/**
 * Verifying a pack in a file. Needs no ledger, no collector and no network: `trailmix verify` and the single-file verifier
 * (verify_single.ts) are both made of this, a large pack in a thread of its own (verify_thread.ts).
 */
import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileHost, openFile } from '../collector/evidence/verifier-host.ts';
import { sha256 } from '../collector/sha256.ts';
import { TrailmixError } from '../core/api/errors.ts';
import { checkpointOfPack } from '../core/pack/older.ts';
import { isTrustFile, trustFrom } from '../core/pack/trust.ts';
import { type PackReport, type Trust, type VerifyHost, verifyPack } from '../core/pack/verify.ts';

export type ClosableHost = VerifyHost & { close(): Promise<void> };

/** Paths of the folder of `trailmix keys trust`, and of an older pack of the same app. */
export type GivenFiles = { readonly trust?: string; readonly since?: string };

/** The folder of `trailmix keys trust`. Throws usage. */
async function readTrust(folder: string): Promise<Trust> {
  const file = join(folder, 'trust.json');
  try {
    const names = (await readdir(folder)).filter(isTrustFile);
    const files = await Promise.all(
      names.map(async name => [name, await readFile(join(folder, name))] as const),
    );
    return trustFrom(sha256, new Map(files));
  } catch (error) {
    throw new TrailmixError('usage', {
      where: '--trust',
      message: `${file} is not a trust file: ${(error as Error).message}`,
    });
  }
}

/** Verifies a pack in a file. `trust`: the folder of `trailmix keys trust`; `since`: an older pack of the same app. */
export async function verifyPackFile(
  path: string,
  given: GivenFiles = {},
  host: ClosableHost = fileHost(),
): Promise<PackReport> {
  try {
    const trust = given.trust === undefined ? undefined : await readTrust(resolve(given.trust));
    const pack = await openFile(resolve(path));
    let older: Awaited<ReturnType<typeof openFile>> | undefined;
    try {
      older = given.since === undefined ? undefined : await openFile(resolve(given.since));
      const since = older && (await checkpointOfPack(older, host, given.since));
      return await verifyPack(pack, host, {
        ...(trust === undefined ? {} : { trust }),
        ...(since === undefined ? {} : { since }),
      });
    } finally {
      await pack.close();
      await older?.close();
    }
  } finally {
    await host.close();
  }
}
