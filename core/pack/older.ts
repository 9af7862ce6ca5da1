/** The checkpoint that an older pack was made at, as its note says it: what `--since` compares with. */
import { TrailmixError } from '../api/errors.ts';
import { concat } from '../proof/bytes.ts';
import { type Checkpoint, parseCheckpoint } from '../proof/checkpoint.ts';
import { NOTE_LIMIT, parseNote } from '../proof/note.ts';
import type { VerifyHost } from './host.ts';
import { openZip, type RandomAccess } from './zip.ts';

/** Throws pack_unreadable; `name` is how the pack is called in it. */
export async function checkpointOfPack(
  pack: RandomAccess,
  host: Pick<VerifyHost, 'inflateRaw'>,
  name = 'the older pack',
): Promise<Checkpoint> {
  try {
    const zip = await openZip(pack, host.inflateRaw);
    const entry = zip.entries.get('checkpoint.note');
    if (entry === undefined) throw new Error('it has no checkpoint.note');
    if (entry.bytes > NOTE_LIMIT) throw new Error('its checkpoint.note is too large');
    const parts: Uint8Array[] = [];
    for await (const part of zip.open(entry)) parts.push(part);
    return parseCheckpoint(parseNote(concat(...parts)).text);
  } catch (error) {
    if (error instanceof TrailmixError) throw error;
    throw new TrailmixError('pack_unreadable', {
      where: name,
      message: `${name}: ${(error as Error).message}`,
    });
  }
}
