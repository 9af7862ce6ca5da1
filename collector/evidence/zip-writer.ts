/**
 * Writes packs as plain zips: one layout, fixed dates, no descriptors. Each entry streams through deflate into the
 * file; its header is written again once sizes and CRC are known, so nothing is staged and memory stays flat.
 * The reader's rules (core/pack/zip.ts) are the format. One entry at a time.
 */
import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { crc32, createDeflateRaw } from 'node:zlib';
import { nameFault } from '../../core/pack/manifest.ts';
import type { RandomAccess, ZipEntry } from '../../core/pack/zip.ts';
import type { Faults } from '../ledger/faults.ts';

const WIDE = 0xffff_ffff;
/** 1980-01-01 00:00:00, the first that a zip can say. */
const DATE = 0x0021;
const TIME = 0;
const BUFFER = 256 * 1024;
const COPIED = 1024 * 1024;

export type Written = { path: string; sha256: string; bytes: number };

type Entry = {
  name: Buffer;
  stored: boolean;
  wide: boolean;
  crc: number;
  packed: number;
  bytes: number;
  offset: number;
};

export class ZipWriter {
  readonly #file: FileHandle;
  readonly #signal: AbortSignal | undefined;
  readonly #entries: Entry[] = [];
  readonly #faults: Faults;
  #at = 0;
  #buffer: Uint8Array[] = [];
  #buffered = 0;

  constructor(file: FileHandle, signal?: AbortSignal, faults: Faults = () => {}) {
    this.#file = file;
    this.#signal = signal;
    this.#faults = faults;
  }

  /**
   * Adds one file. `store`: without deflate. `atMost`: a bound on its bytes where they may reach 4 GiB. Answers its
   * hash and size. Rejects when the signal is aborted.
   */
  async add(
    path: string,
    content: Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
    options: { store?: boolean; atMost?: number } = {},
  ): Promise<Written> {
    const fault = nameFault(path);
    if (fault !== undefined) throw new RangeError(`${path}: ${fault}`);
    const entry: Entry = {
      name: Buffer.from(path, 'ascii'),
      stored: options.store ?? false,
      wide: (options.atMost ?? 0) >= WIDE,
      crc: 0,
      packed: 0,
      bytes: 0,
      offset: this.#at,
    };
    await this.#write(localHeader(entry));
    const hash = createHash('sha256');
    const signal = this.#signal;
    const chunks = content instanceof Uint8Array ? [content] : content;
    const tapped = async function* () {
      for await (const chunk of chunks) {
        signal?.throwIfAborted();
        hash.update(chunk);
        entry.crc = crc32(chunk, entry.crc);
        entry.bytes += chunk.length;
        yield chunk;
      }
    };
    const out = async (source: AsyncIterable<Uint8Array>) => {
      for await (const chunk of source) {
        entry.packed += chunk.length;
        await this.#write(chunk);
      }
    };
    if (entry.stored) await out(tapped());
    else
      await pipeline(
        Readable.from(tapped(), { objectMode: true }),
        createDeflateRaw({ chunkSize: 65_536 }),
        out,
      );
    if (!entry.wide && (entry.bytes >= WIDE || entry.packed >= WIDE)) {
      throw new RangeError(`${path} reached 4 GiB, and its bound did not say so`);
    }
    await this.#flush();
    await writeAll(this.#file, localHeader(entry), entry.offset);
    this.#entries.push(entry);
    return { path, sha256: hash.digest('hex'), bytes: entry.bytes };
  }

  /** Copies an entry of another zip as it is packed. Its content is not looked at. */
  async copy(from: ZipEntry, source: RandomAccess): Promise<void> {
    const entry: Entry = {
      name: Buffer.from(from.path, 'ascii'),
      stored: from.stored,
      wide: from.bytes >= WIDE || from.packedBytes >= WIDE,
      crc: from.crc,
      packed: from.packedBytes,
      bytes: from.bytes,
      offset: this.#at,
    };
    await this.#write(localHeader(entry));
    for (let at = 0; at < from.packedBytes; at += COPIED) {
      this.#signal?.throwIfAborted();
      await this.#write(await source.read(from.at + at, Math.min(COPIED, from.packedBytes - at)));
    }
    this.#entries.push(entry);
  }

  /** Writes the directory. Answers the file's size. */
  async finish(): Promise<number> {
    const offset = this.#at;
    for (const entry of this.#entries) await this.#write(centralHeader(entry));
    const size = this.#at - offset;
    const count = this.#entries.length;
    if (count >= 0xffff || size >= WIDE || offset >= WIDE)
      await this.#write(end64(count, size, offset, this.#at));
    const end = Buffer.alloc(22);
    end.writeUInt32LE(0x06054b50, 0);
    end.writeUInt16LE(Math.min(count, 0xffff), 8);
    end.writeUInt16LE(Math.min(count, 0xffff), 10);
    end.writeUInt32LE(Math.min(size, WIDE), 12);
    end.writeUInt32LE(Math.min(offset, WIDE), 16);
    await this.#write(end);
    await this.#flush();
    return this.#at;
  }

  async #write(chunk: Uint8Array): Promise<void> {
    this.#buffer.push(chunk);
    this.#buffered += chunk.length;
    this.#at += chunk.length;
    if (this.#buffered >= BUFFER) await this.#flush();
  }

  async #flush(): Promise<void> {
    if (this.#buffered === 0) return;
    this.#faults('pack_write');
    const whole = Buffer.concat(this.#buffer);
    const at = this.#at - this.#buffered;
    this.#buffer = [];
    this.#buffered = 0;
    await writeAll(this.#file, whole, at);
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}

/** Version needed, flags, method, time, date, CRC, sizes: the same in both headers. */
function common(entry: Entry, header: Buffer, at: number): void {
  header.writeUInt16LE(entry.wide ? 45 : 20, at);
  header.writeUInt16LE(0, at + 2);
  header.writeUInt16LE(entry.stored ? 0 : 8, at + 4);
  header.writeUInt16LE(TIME, at + 6);
  header.writeUInt16LE(DATE, at + 8);
  header.writeUInt32LE(entry.crc, at + 10);
  header.writeUInt32LE(entry.wide ? WIDE : entry.packed, at + 14);
  header.writeUInt32LE(entry.wide ? WIDE : entry.bytes, at + 18);
  header.writeUInt16LE(entry.name.length, at + 22);
}

function extra(entry: Entry, far: boolean): Buffer {
  const values = [...(entry.wide ? [entry.bytes, entry.packed] : []), ...(far ? [entry.offset] : [])];
  if (values.length === 0) return Buffer.alloc(0);
  const field = Buffer.alloc(4 + 8 * values.length);
  field.writeUInt16LE(1, 0);
  field.writeUInt16LE(8 * values.length, 2);
  for (const [i, value] of values.entries()) field.writeBigUInt64LE(BigInt(value), 4 + 8 * i);
  return field;
}

function localHeader(entry: Entry): Buffer {
  const header = Buffer.alloc(30);
  const field = extra(entry, false);
  header.writeUInt32LE(0x04034b50, 0);
  common(entry, header, 4);
  header.writeUInt16LE(field.length, 28);
  return Buffer.concat([header, entry.name, field]);
}

function centralHeader(entry: Entry): Buffer {
  const header = Buffer.alloc(46);
  const far = entry.offset >= WIDE;
  const field = extra(entry, far);
  header.writeUInt32LE(0x02014b50, 0);
  // Made by: Unix, so that the attributes say a plain file, 0644.
  header.writeUInt16LE(0x031e, 4);
  common(entry, header, 6);
  header.writeUInt16LE(field.length, 30);
  header.writeUInt32LE((0o100644 << 16) >>> 0, 38);
  header.writeUInt32LE(far ? WIDE : entry.offset, 42);
  return Buffer.concat([header, entry.name, field]);
}

function end64(count: number, size: number, offset: number, at: number): Buffer {
  const end = Buffer.alloc(76);
  end.writeUInt32LE(0x06064b50, 0);
  end.writeBigUInt64LE(44n, 4);
  end.writeUInt16LE(0x031e, 12);
  end.writeUInt16LE(45, 14);
  for (const [i, value] of [count, count, size, offset].entries())
    end.writeBigUInt64LE(BigInt(value), 24 + 8 * i);
  end.writeUInt32LE(0x07064b50, 56);
  end.writeBigUInt64LE(BigInt(at), 64);
  end.writeUInt32LE(1, 72);
  return end;
}
