/**
 * Reader for zips that may be hostile. It accepts one layout and nothing else: local entries from byte 0 without gap
 * or overlap, in the order of the central directory, which meets the end record, which ends the file.
 * Rules: stored or deflate; no comment, prefix, encryption, descriptor, directory, link or unknown extra field; local
 * and central headers say the same; names are those of packs, none equal to another but for ASCII case; every bound
 * is checked before anything is read or inflated; sizes and CRC are checked as the bytes pass.
 * Everything refused throws ZipError, a `pack_unreadable` whose `where` is `zip:<fault>`. Format: docs/spec/pack.md.
 */
import { TrailmixError } from '../api/errors.ts';
import { crc32 as ownCrc32 } from './crc32.ts';
import { nameFault } from './manifest.ts';

/** Any file or blob that can be read at any place. `read` answers exactly `length` bytes. */
export interface RandomAccess {
  readonly size: number;
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** Raw deflate (RFC 1951). Must throw when the stream is cut, damaged, or followed by further bytes. */
export type InflateRaw = (source: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;
export type Crc32 = (bytes: Uint8Array, crc?: number) => number;

export type ZipFault =
  | 'end'
  | 'zip64'
  | 'split'
  | 'comment'
  | 'directory'
  | 'layout'
  | 'header'
  | 'flags'
  | 'method'
  | 'extra'
  | 'name'
  | 'twice'
  | 'kind'
  | 'entries'
  | 'size'
  | 'ratio'
  | 'data'
  | 'crc';

export class ZipError extends TrailmixError {
  readonly fault: ZipFault;
  constructor(fault: ZipFault, message: string) {
    super('pack_unreadable', { where: `zip:${fault}`, message: `Not an evidence pack: ${message}` });
    this.fault = fault;
  }
}

export interface ZipLimits {
  readonly entries: number;
  /** Bytes of one entry, and of all, after inflating. */
  readonly entryBytes: number;
  readonly totalBytes: number;
  /** Inflated bytes for each stored byte, beyond a first MiB. */
  readonly ratio: number;
}

export const ZIP_LIMITS: ZipLimits = {
  entries: 100_000,
  entryBytes: 2 ** 40,
  totalBytes: 2 ** 41,
  ratio: 200,
};
const MIB = 2 ** 20;
const CHUNK = 256 * 1024;
const NEEDS_64 = 0xffff_ffff;

export interface ZipEntry {
  readonly path: string;
  readonly bytes: number;
  readonly stored: boolean;
  readonly packedBytes: number;
  readonly crc: number;
  /** Where its data begins. */
  readonly at: number;
}

export interface Zip {
  readonly entries: ReadonlyMap<string, ZipEntry>;
  /** Streams an entry's content; throws ZipError `data`, `size` or `crc` where it is not what the headers say. */
  open(entry: ZipEntry): AsyncGenerator<Uint8Array, void>;
}

class Cursor {
  readonly view: DataView;
  readonly bytes: Uint8Array;
  at = 0;
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  u16(): number {
    this.at += 2;
    return this.view.getUint16(this.at - 2, true);
  }
  u32(): number {
    this.at += 4;
    return this.view.getUint32(this.at - 4, true);
  }
  u64(): number {
    this.at += 8;
    const value = this.view.getBigUint64(this.at - 8, true);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new ZipError('zip64', 'a size beyond 2^53');
    return Number(value);
  }
  take(length: number): Uint8Array {
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }
}

const refuse = (holds: boolean, fault: ZipFault, message: string): void => {
  if (!holds) throw new ZipError(fault, message);
};

/** Opens a zip: reads and checks every header, but no content. */
export async function openZip(
  source: RandomAccess,
  inflateRaw: InflateRaw,
  options: { readonly limits?: Partial<ZipLimits>; readonly crc32?: Crc32 } = {},
): Promise<Zip> {
  const limits = { ...ZIP_LIMITS, ...options.limits };
  const end = await readEnd(source, limits);
  const central = new Cursor(await source.read(end.offset, end.size));
  const entries = new Map<string, ZipEntry>();
  const folded = new Set<string>();
  let position = 0;
  let total = 0;
  for (let i = 0; i < end.count; i++) {
    const header = readCentral(central);
    refuse(header.offset === position, 'layout', `${header.path} does not follow the entry before it`);
    refuse(!folded.has(header.path.toLowerCase()), 'twice', `${header.path} stands twice`);
    folded.add(header.path.toLowerCase());
    refuse(header.bytes <= limits.entryBytes, 'size', `${header.path} is too large`);
    total += header.bytes;
    refuse(total <= limits.totalBytes, 'size', 'the pack is too large');
    refuse(
      header.bytes <= MIB + header.packedBytes * limits.ratio,
      'ratio',
      `${header.path} inflates ${Math.round(header.bytes / Math.max(1, header.packedBytes))} times`,
    );
    const at = await readLocal(source, header, end.offset);
    position = at + header.packedBytes;
    refuse(position <= end.offset, 'layout', `${header.path} reaches beyond its place`);
    const { path, bytes, stored, packedBytes, crc } = header;
    entries.set(path, { path, bytes, stored, packedBytes, crc, at });
  }
  refuse(central.at === end.size, 'directory', 'the directory is longer than its entries');
  refuse(position === end.offset, 'layout', 'something stands between the entries and the directory');
  return {
    entries,
    open: entry => readEntry(source, entry, inflateRaw, options.crc32 ?? ownCrc32),
  };
}

type End = { readonly offset: number; readonly size: number; readonly count: number };

async function readEnd(source: RandomAccess, limits: ZipLimits): Promise<End> {
  refuse(source.size >= 22, 'end', 'the file is too short');
  const endAt = source.size - 22;
  const record = new Cursor(await source.read(endAt, 22));
  refuse(record.u32() === 0x06054b50, 'end', 'it does not end with an end record');
  refuse(record.u16() === 0 && record.u16() === 0, 'split', 'it is split over disks');
  const here = record.u16();
  let count = record.u16();
  refuse(here === count, 'split', 'it is split over disks');
  let size = record.u32();
  let offset = record.u32();
  refuse(record.u16() === 0, 'comment', 'it has a comment');
  let stop = endAt;
  if (count === 0xffff || size === NEEDS_64 || offset === NEEDS_64) {
    refuse(endAt >= 76, 'zip64', 'the zip64 end record is missing');
    const more = new Cursor(await source.read(endAt - 76, 76));
    stop = endAt - 76;
    refuse(more.u32() === 0x06064b50 && more.u64() === 44, 'zip64', 'the zip64 end record is not right');
    more.take(4);
    refuse(more.u32() === 0 && more.u32() === 0, 'split', 'it is split over disks');
    const wide = [more.u64(), more.u64(), more.u64(), more.u64()] as const;
    refuse(wide[0] === wide[1], 'split', 'it is split over disks');
    refuse(
      count === Math.min(wide[1], 0xffff) &&
        size === Math.min(wide[2], NEEDS_64) &&
        offset === Math.min(wide[3], NEEDS_64),
      'zip64',
      'the two end records disagree',
    );
    [, count, size, offset] = wide;
    refuse(
      more.u32() === 0x07064b50 && more.u32() === 0 && more.u64() === stop && more.u32() === 1,
      'zip64',
      'the zip64 locator is not right',
    );
  }
  refuse(offset + size === stop, 'layout', 'the directory does not end where the end record begins');
  refuse(count <= limits.entries, 'entries', `it has more than ${limits.entries} entries`);
  refuse(size <= limits.entries * 1024 && size <= count * 1024, 'directory', 'the directory is too large');
  return { offset, size, count };
}

type Header = {
  readonly path: string;
  readonly name: Uint8Array;
  readonly fixed: Uint8Array;
  readonly stored: boolean;
  readonly crc: number;
  readonly packedBytes: number;
  readonly bytes: number;
  readonly wide: boolean;
  readonly offset: number;
};

function readCentral(central: Cursor): Header {
  refuse(central.at + 46 <= central.bytes.length, 'directory', 'the directory ends early');
  refuse(central.u32() === 0x02014b50, 'directory', 'a directory entry is not one');
  central.take(2);
  // Version needed, flags, method, time, date: byte for byte those of the local header.
  const fixed = central.take(10);
  const flags = fixed[2]! | (fixed[3]! << 8);
  const method = fixed[4]! | (fixed[5]! << 8);
  const crc = central.u32();
  let packedBytes = central.u32();
  let bytes = central.u32();
  const nameLength = central.u16();
  const extraLength = central.u16();
  refuse(central.u16() === 0, 'comment', 'an entry has a comment');
  refuse(central.u16() === 0, 'split', 'it is split over disks');
  refuse(central.u16() <= 1, 'kind', 'unknown internal attributes');
  const attributes = central.u32();
  let offset = central.u32();
  refuse(
    central.at + nameLength + extraLength <= central.bytes.length,
    'directory',
    'the directory ends early',
  );
  const name = central.take(nameLength);
  const path = ascii(name);
  const extra = new Cursor(central.take(extraLength));
  const fault = nameFault(path);
  refuse(fault === undefined, 'name', fault ?? '');
  refuse((flags & ~0x0800) === 0, 'flags', `${path} is encrypted, or has a descriptor or unknown flags`);
  refuse(method === 0 || method === 8, 'method', `${path} uses compression method ${method}`);
  const kind = (attributes >>> 28) & 15;
  refuse((kind === 0 || kind === 8) && (attributes & 0x18) === 0, 'kind', `${path} is not a plain file`);

  const wide = packedBytes === NEEDS_64 || bytes === NEEDS_64;
  const far = offset === NEEDS_64;
  const expected = (wide ? 16 : 0) + (far ? 8 : 0);
  refuse(extraLength === (expected === 0 ? 0 : expected + 4), 'extra', `${path} has extra fields`);
  if (expected > 0) {
    refuse(extra.u16() === 1 && extra.u16() === expected, 'extra', `${path} has extra fields`);
    if (wide) {
      refuse(packedBytes === NEEDS_64 && bytes === NEEDS_64, 'zip64', `${path}: half a zip64 size`);
      bytes = extra.u64();
      packedBytes = extra.u64();
    }
    if (far) {
      offset = extra.u64();
      refuse(offset >= NEEDS_64, 'zip64', `${path}: a zip64 offset that needs none`);
    }
  }
  const stored = method === 0;
  refuse(!stored || packedBytes === bytes, 'size', `${path} is stored with two sizes`);
  return { path, name, fixed, stored, crc, packedBytes, bytes, wide, offset };
}

/** Checks the local header and answers where the data begins. */
async function readLocal(source: RandomAccess, header: Header, limit: number): Promise<number> {
  const length = 30 + header.name.length + (header.wide ? 20 : 0);
  refuse(header.offset + length <= limit, 'layout', `${header.path} reaches beyond its place`);
  const local = new Cursor(await source.read(header.offset, length));
  const same = (a: Uint8Array, b: Uint8Array) => a.every((byte, i) => byte === b[i]);
  const differ = `${header.path}: its two headers disagree`;
  refuse(local.u32() === 0x04034b50, 'header', `${header.path} has no header at its place`);
  refuse(same(local.take(10), header.fixed), 'header', differ);
  refuse(local.u32() === header.crc, 'header', differ);
  refuse(local.u32() === (header.wide ? NEEDS_64 : header.packedBytes), 'header', differ);
  refuse(local.u32() === (header.wide ? NEEDS_64 : header.bytes), 'header', differ);
  refuse(local.u16() === header.name.length, 'header', differ);
  refuse(local.u16() === (header.wide ? 20 : 0), 'extra', `${header.path} has extra fields`);
  refuse(same(local.take(header.name.length), header.name), 'header', differ);
  if (header.wide) {
    refuse(
      local.u16() === 1 &&
        local.u16() === 16 &&
        local.u64() === header.bytes &&
        local.u64() === header.packedBytes,
      'header',
      differ,
    );
  }
  return header.offset + length;
}

function ascii(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte < 0x80 ? String.fromCharCode(byte) : '\u0000';
  return text;
}

async function* readRange(
  source: RandomAccess,
  from: number,
  length: number,
): AsyncGenerator<Uint8Array, void> {
  for (let at = 0; at < length; at += CHUNK) yield await source.read(from + at, Math.min(CHUNK, length - at));
}

async function* readEntry(
  source: RandomAccess,
  entry: ZipEntry,
  inflateRaw: InflateRaw,
  crc32: Crc32,
): AsyncGenerator<Uint8Array, void> {
  const packed = readRange(source, entry.at, entry.packedBytes);
  const chunks = (entry.stored ? packed : inflateRaw(packed))[Symbol.asyncIterator]();
  let bytes = 0;
  let crc = 0;
  try {
    for (;;) {
      let next: IteratorResult<Uint8Array>;
      try {
        next = await chunks.next();
      } catch (error) {
        throw new ZipError('data', `${entry.path} cannot be inflated: ${(error as Error).message}`);
      }
      if (next.done === true) break;
      bytes += next.value.length;
      refuse(bytes <= entry.bytes, 'size', `${entry.path} is longer than its header says`);
      crc = crc32(next.value, crc);
      yield next.value;
    }
  } finally {
    await chunks.return?.();
  }
  refuse(bytes === entry.bytes, 'size', `${entry.path} is shorter than its header says`);
  refuse(crc === entry.crc, 'crc', `${entry.path} is damaged (CRC)`);
}
