/**
 * A pack that was exported before and comes back to be stamped: written to a file of its own, and read far enough to know that
 * it is a pack of this ledger and tenant. It is not verified here. Nothing stays where it is refused.
 */
import { open, rm } from 'node:fs/promises';
import { TrailmixError } from '../../core/api/errors.ts';
import { PACK_LIMIT } from '../../core/api/evidence_operations.ts';
import type { OutputOf } from '../../core/api/operations.ts';
import { MANIFEST, parseManifest } from '../../core/pack/manifest.ts';
import { factsOf, readWhole, withPack } from './stamping.ts';

export type BroughtPack = {
  app_id: string;
  facts: Pick<OutputOf<'exportEvidence'>, 'pack_id' | 'sha256' | 'bytes' | 'events' | 'checkpoint'>;
};

async function write(stream: AsyncIterable<Uint8Array>, file: string): Promise<void> {
  const handle = await open(file, 'wx', 0o600);
  let size = 0;
  try {
    for await (const part of stream) {
      size += part.length;
      if (size > PACK_LIMIT) throw new TrailmixError('body_too_large');
      await handle.write(part);
    }
  } finally {
    await handle.close();
  }
}

/** Throws pack_unreadable, body_too_large, disk_full. */
export async function takePack(
  stream: AsyncIterable<Uint8Array>,
  file: string,
  { ledgerId, tenantId }: { ledgerId: string; tenantId: string },
): Promise<BroughtPack> {
  try {
    await write(stream, file);
    const manifest = await withPack(file, async zip => parseManifest(await readWhole(zip, MANIFEST)));
    if (manifest.ledger_id !== ledgerId || manifest.tenant_id !== tenantId)
      throw new TrailmixError('pack_unreadable', {
        where: MANIFEST,
        message: 'It is a pack of another ledger: have it stamped there, or with `trailmix timestamp`',
      });
    const { first_app_seq: first, last_app_seq: last } = manifest.scope;
    return {
      app_id: manifest.app_id,
      facts: {
        ...(await factsOf(file)),
        events: Math.max(0, last - first + 1),
        checkpoint: manifest.checkpoint,
      },
    };
  } catch (error) {
    await rm(file, { force: true });
    if (error instanceof TrailmixError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOSPC' || code === 'EDQUOT') throw new TrailmixError('disk_full');
    throw new TrailmixError('pack_unreadable', { message: `It is no evidence pack: ${message}` });
  }
}
