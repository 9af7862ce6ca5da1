/**
 * An older pack, as `--since` compares with it: its checkpoint, and its files for where the two histories part.
 * Rules: nothing of it is judged here; a file that cannot be read reads as missing, or ends early.
 */
import { TrailmixError } from '../api/errors.ts';
import { concat } from '../proof/bytes.ts';
import { type Checkpoint, parseCheckpoint } from '../proof/checkpoint.ts';
import { NOTE_LIMIT, parseNote } from '../proof/note.ts';
import type { VerifyHost } from './host.ts';
import { openZip, type RandomAccess, ZipError } from './zip.ts';

/** Files of a pack, whichever way they were opened. */
export type PackReader = {
  readonly paths: Iterable<string>;
  /** Empty where it is not there. */
  stream(path: string): AsyncIterable<Uint8Array>;
  /** Undefined where it is missing, damaged or larger. */
  read(path: string, limit?: number): Promise<Uint8Array | undefined>;
};

/** A checkpoint that someone already holds, and the pack that it is of. */
export type Since = Checkpoint & { readonly note?: Uint8Array; readonly pack?: PackReader };

const WHOLE = 2 ** 20;

/** Throws pack_unreadable; `name` is how the pack is called in it. The pack must stay readable while it is compared. */
export async function checkpointOfPack(
  pack: RandomAccess,
  host: Pick<VerifyHost, 'inflateRaw'>,
  name = 'the older pack',
): Promise<Since> {
  try {
    const zip = await openZip(pack, host.inflateRaw);
    const stream = async function* (path: string): AsyncGenerator<Uint8Array, void> {
      const entry = zip.entries.get(path);
      if (entry !== undefined) yield* zip.open(entry);
    };
    const whole = async (path: string, limit: number): Promise<Uint8Array | undefined> => {
      const entry = zip.entries.get(path);
      if (entry === undefined || entry.bytes > limit) return undefined;
      const parts: Uint8Array[] = [];
      for await (const part of zip.open(entry)) parts.push(part);
      return concat(...parts);
    };
    if (!zip.entries.has('checkpoint.note')) throw new Error('it has no checkpoint.note');
    const note = await whole('checkpoint.note', NOTE_LIMIT);
    if (note === undefined) throw new Error('its checkpoint.note is too large');
    const reader: PackReader = {
      paths: [...zip.entries.keys()],
      stream: path => untilDamaged(stream(path)),
      read: (path, limit = WHOLE) =>
        whole(path, limit).catch((error: unknown) => {
          if (error instanceof ZipError) return undefined;
          throw error;
        }),
    };
    return { ...parseCheckpoint(parseNote(note).text), note, pack: reader };
  } catch (error) {
    if (error instanceof TrailmixError) throw error;
    throw new TrailmixError('pack_unreadable', {
      where: name,
      message: `${name}: ${(error as Error).message}`,
    });
  }
}

async function* untilDamaged(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  try {
    yield* chunks;
  } catch (error) {
    if (!(error instanceof ZipError)) throw error;
  }
}
