/**
 * Stamps a finished pack: writes what a time-stamping authority answered into META-INF of a new file beside it, which
 * then takes its place in one step. What was signed stays byte for byte. Needs no ledger. Format: docs/spec/pack.md, "Time".
 */

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { TrailmixError } from '../../core/api/errors.ts';
import { ASIC_SIGNATURE } from '../../core/pack/asice.ts';
import { CHECKSUMS } from '../../core/pack/manifest.ts';
import { TSA_CHAIN, TSR } from '../../core/pack/timestamp.ts';
import { COSIGNATURES } from '../../core/pack/witnesses.ts';
import { openZip, type RandomAccess, type Zip } from '../../core/pack/zip.ts';
import { concat, equalBytes, hex } from '../../core/proof/bytes.ts';
import { formatNoteLine, type Note, parseNote } from '../../core/proof/note.ts';
import { syncFolder } from '../keys/durable.ts';
import { sha256 } from '../sha256.ts';
import { signatureValueOf, withTimestamp } from './cms.ts';
import { makeRequest, type Reply, readReply } from './timestamp.ts';
import { inflateRaw, openFile } from './verifier-host.ts';
import { ZipWriter } from './zip-writer.ts';

/** What of a pack is stamped: checksums.txt, or the value of its CAdES signature (which makes it CAdES-BASELINE-T). */
export type Stamped = 'pack' | 'signature';

const WHOLE = 64 * 2 ** 20;

export async function readWhole(zip: Zip, path: string): Promise<Uint8Array> {
  const entry = zip.entries.get(path);
  if (entry === undefined || entry.bytes > WHOLE) {
    throw new TrailmixError('pack_unreadable', { where: path, message: `The pack has no ${path}` });
  }
  const parts: Uint8Array[] = [];
  for await (const part of zip.open(entry)) parts.push(part);
  return concat(...parts);
}

async function digestsOf(zip: Zip): Promise<Record<Stamped, Uint8Array | undefined>> {
  return {
    pack: sha256(await readWhole(zip, CHECKSUMS)),
    signature: zip.entries.has(ASIC_SIGNATURE)
      ? sha256(signatureValueOf(await readWhole(zip, ASIC_SIGNATURE)))
      : undefined,
  };
}

export async function withPack<T>(
  path: string,
  work: (zip: Zip, source: RandomAccess) => Promise<T>,
): Promise<T> {
  const source = await openFile(path);
  try {
    return await work(await openZip(source, inflateRaw), source);
  } finally {
    await source.close();
  }
}

/** A TimeStampReq over what is to be stamped. Throws pack_unreadable, timestamp_invalid. */
export async function requestFor(path: string, what: Stamped): Promise<Uint8Array> {
  const digest = (await withPack(path, digestsOf))[what];
  if (digest === undefined) {
    throw new TrailmixError('timestamp_invalid', {
      where: path,
      message: 'This pack was made before the ASiC container: it has no CAdES signature to stamp',
    });
  }
  return makeRequest(digest);
}

/** What of a pack's file is told beside its contents; the sha256 changes with each stamp, the pack's id does not. */
export async function factsOf(path: string): Promise<{ pack_id: string; sha256: string; bytes: number }> {
  const pack_id = await withPack(path, async zip => hex(sha256(await readWhole(zip, CHECKSUMS))));
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const part of createReadStream(path) as AsyncIterable<Uint8Array>) {
    hash.update(part);
    bytes += part.length;
  }
  return { pack_id, sha256: hash.digest('hex'), bytes };
}

/**
 * Puts a reply into the pack, after holding it against its request and the pack. Which of the two it is over is found by
 * its imprint. `roots`: PEM; with them an authority that none of them leads to is refused. An earlier stamp of the same
 * thing is replaced. Throws pack_unreadable, timestamp_invalid, disk_full.
 */
export async function stampPack(
  path: string,
  { reply, request, roots }: { reply: Uint8Array; request: Uint8Array; roots?: string },
): Promise<Reply & { over: Stamped }> {
  return withPack(path, async (zip, source) => {
    const read = await readReply(reply, request, roots).catch((error: Error) => {
      throw new TrailmixError('timestamp_invalid', { where: path, message: error.message });
    });
    if (read.trusted === false) {
      throw new TrailmixError('timestamp_invalid', {
        where: path,
        message: `The authority is not trusted: ${read.untrusted}`,
      });
    }
    const digests = await digestsOf(zip);
    const over = (['pack', 'signature'] as const).find(
      one => digests[one] !== undefined && equalBytes(digests[one], read.digest),
    );
    if (over === undefined) {
      throw new TrailmixError('timestamp_invalid', {
        where: path,
        message: 'The reply is over another pack',
      });
    }
    const files = new Map<string, Uint8Array>(
      over === 'pack'
        ? [
            [TSR, reply],
            [TSA_CHAIN, Buffer.from(read.chainPem)],
          ]
        : [[ASIC_SIGNATURE, withTimestamp(await readWhole(zip, ASIC_SIGNATURE), read.token)]],
    );
    await rewrite(path, zip, source, files);
    return { ...read, over };
  });
}

/**
 * Puts cosignature lines for the pack's own checkpoint into it, beside those that it has. The lines are not judged here.
 * Throws pack_unreadable, witness_invalid, disk_full.
 */
export async function cosignPack(path: string, cosigned: Uint8Array): Promise<{ lines: number }> {
  return withPack(path, async (zip, source) => {
    const invalid = (message: string) => new TrailmixError('witness_invalid', { where: path, message });
    const own = parseNote(await readWhole(zip, 'checkpoint.note'));
    let given: Note;
    try {
      given = parseNote(cosigned);
    } catch (error) {
      throw invalid(`This is no cosigned checkpoint: ${(error as Error).message}`);
    }
    if (given.text !== own.text) throw invalid("It is over another checkpoint than the pack's");
    const had = zip.entries.has(COSIGNATURES)
      ? parseNote(await readWhole(zip, COSIGNATURES)).lines
      : own.lines;
    const lines = [...new Set([...had, ...given.lines].map(formatNoteLine))];
    const files = new Map([[COSIGNATURES, Buffer.from(`${own.text}\n${lines.join('')}`)]]);
    await rewrite(path, zip, source, files);
    return { lines: lines.length - own.lines.length };
  });
}

/** The pack with these files put in: others are copied as they are packed. Commit point: the rename. */
async function rewrite(
  path: string,
  zip: Zip,
  source: RandomAccess,
  files: ReadonlyMap<string, Uint8Array>,
): Promise<void> {
  const beside = `${path}.stamping-${process.pid}`;
  try {
    const { mode } = await stat(path);
    const file = await open(beside, 'wx', mode & 0o777);
    try {
      const writer = new ZipWriter(file);
      for (const entry of zip.entries.values()) {
        if (!files.has(entry.path)) await writer.copy(entry, source);
      }
      for (const [name, content] of files) await writer.add(name, content);
      await writer.finish();
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(beside, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(beside, { force: true });
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOSPC' || code === 'EDQUOT') {
      throw new TrailmixError('disk_full', {
        where: path,
        message: 'The disk is full: the pack is as it was',
      });
    }
    if (code !== undefined && /^E[A-Z]+$/.test(code)) {
      throw new TrailmixError('usage', { where: path, message: `The pack cannot be replaced (${code})` });
    }
    throw error;
  }
}
