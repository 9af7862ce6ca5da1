/** Zips as their makers would want them to be misread: headers changed in place, and what can be done to a whole pack. */
import { deflateRawSync } from 'node:zlib';
import type { ZipFault } from '../../core/pack/zip.ts';
import { utf8 } from '../../core/proof/bytes.ts';
import { type Parts, zipOf } from './packs.ts';

/** Where the directory begins, and its entries. */
export function places(bytes: Buffer): {
  directory: number;
  central: number[];
  local: number[];
  end: number;
} {
  const end = bytes.length - 22;
  const directory = bytes.readUInt32LE(end + 16);
  const central: number[] = [];
  const local: number[] = [];
  for (let at = directory; at < end; ) {
    central.push(at);
    local.push(bytes.readUInt32LE(at + 42));
    at += 46 + bytes.readUInt16LE(at + 28) + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32);
  }
  return { directory, central, local, end };
}

/** Changes both headers of entry 0, as a maker of hostile zips would. */
export function both(bytes: Buffer, offset: number, change: (view: Buffer, at: number) => void): Buffer {
  const { central, local } = places(bytes);
  change(bytes, local[0]! + offset);
  change(bytes, central[0]! + offset + 2);
  return bytes;
}

export function renamed(bytes: Buffer, name: string): Buffer {
  const { central, local } = places(bytes);
  for (const at of [local[0]! + 30, central[0]! + 46]) bytes.write(name, at, 'latin1');
  return bytes;
}

/** Changes one entry's central header only. */
function central(zip: Buffer, offset: number, value: number): Buffer {
  zip.writeUInt32LE(value, places(zip).central[0]! + offset);
  return zip;
}

/** Puts bytes before entry 1, or before the directory, with every offset made right again. */
function wedged(zip: Buffer, more: Buffer, before: 'entry' | 'directory'): Buffer {
  const { central: headers, local, directory, end } = places(zip);
  const at = before === 'entry' ? local[1]! : directory;
  const grown = Buffer.concat([zip.subarray(0, at), more, zip.subarray(at)]);
  for (const [i, header] of headers.entries()) {
    if (before === 'entry' && i > 0) grown.writeUInt32LE(local[i]! + more.length, header + more.length + 42);
  }
  grown.writeUInt32LE(directory + more.length, end + more.length + 16);
  return grown;
}

/** A second directory and end record after the first: readers that search from the front see another pack. */
function twoDirectories(zip: Buffer, other: Buffer): Buffer {
  return Buffer.concat([other, zip]);
}

/** The local and central headers of an entry of no bytes, by itself. */
function emptyEntry(name: string, at: number): { local: Buffer; header: Buffer } {
  const local = Buffer.alloc(30);
  local.writeUInt32LE(0x04034b50, 0);
  local.writeUInt16LE(20, 4);
  local.writeUInt16LE(name.length, 26);
  const header = Buffer.alloc(46);
  header.writeUInt32LE(0x02014b50, 0);
  header.writeUInt16LE(20, 4);
  header.writeUInt16LE(20, 6);
  header.writeUInt16LE(name.length, 28);
  header.writeUInt32LE(at, 42);
  return {
    local: Buffer.concat([local, Buffer.from(name, 'latin1')]),
    header: Buffer.concat([header, Buffer.from(name, 'latin1')]),
  };
}

/** The same pack with one more entry at its end, of any name. */
export function withEntry(zip: Buffer, name: string): Buffer {
  const { directory, central: headers, end } = places(zip);
  const { local, header } = emptyEntry(name, directory);
  const last = Buffer.from(zip.subarray(end));
  last.writeUInt16LE(headers.length + 1, 8);
  last.writeUInt16LE(headers.length + 1, 10);
  last.writeUInt32LE(end - directory + header.length, 12);
  last.writeUInt32LE(directory + local.length, 16);
  return Buffer.concat([zip.subarray(0, directory), local, zip.subarray(directory, end), header, last]);
}

type Hostile = [
  name: string,
  about: string,
  fault: ZipFault | 'file_damaged',
  make: (zip: Buffer, parts: Parts) => Buffer | Promise<Buffer>,
];

/** Done to a good pack. Each is no pack at all for the named fault, but what shows only where an entry is read. */
export const hostileZips: Hostile[] = [
  ['cut', 'the last byte is missing', 'end', zip => zip.subarray(0, -1)],
  [
    'bytes_before',
    'a script before the first entry',
    'layout',
    zip => Buffer.concat([utf8('#!/bin/sh\n'), zip]),
  ],
  ['bytes_after', 'a byte after the end record', 'end', zip => Buffer.concat([zip, utf8('x')])],
  [
    'comment',
    'the archive has a comment',
    'end',
    zip => {
      const more = Buffer.concat([zip, utf8('looks fine')]);
      more.writeUInt16LE(10, zip.length - 2);
      return more;
    },
  ],
  [
    'comment_length',
    'the archive says that it has a comment',
    'comment',
    zip => {
      zip.writeUInt16LE(3, zip.length - 2);
      return zip;
    },
  ],
  [
    'entry_comment',
    'an entry says that it has a comment',
    'comment',
    zip => {
      zip.writeUInt16LE(3, places(zip).central[0]! + 32);
      return zip;
    },
  ],
  [
    'disks',
    'it is split over disks',
    'split',
    zip => {
      zip.writeUInt16LE(1, places(zip).end + 4);
      return zip;
    },
  ],
  ['data_between', 'data between two entries', 'layout', zip => wedged(zip, Buffer.from('hidden'), 'entry')],
  [
    'data_before_directory',
    'data before the directory',
    'layout',
    zip => wedged(zip, Buffer.from('hidden'), 'directory'),
  ],
  [
    'two_directories',
    'another whole zip before it',
    'layout',
    async zip => twoDirectories(zip, await zipOf(new Map([['events.jsonl', utf8('')]]))),
  ],
  [
    'two_directories_after',
    'its own directory and end record twice',
    'layout',
    zip => Buffer.concat([zip, zip.subarray(places(zip).directory)]),
  ],
  [
    'fewer_entries',
    'the end record counts fewer entries than there are',
    'directory',
    zip => {
      const { end, central: headers } = places(zip);
      for (const at of [8, 10]) zip.writeUInt16LE(headers.length - 1, end + at);
      return zip;
    },
  ],
  [
    'overlap',
    'two entries share their bytes',
    'layout',
    zip => {
      zip.writeUInt32LE(0, places(zip).central[1]! + 42);
      return zip;
    },
  ],
  [
    'two_names',
    'the two headers of an entry name two files',
    'header',
    zip => {
      zip.write('M', places(zip).local[0]! + 30);
      return zip;
    },
  ],
  [
    'two_sizes',
    'the two headers of an entry give two sizes',
    'header',
    zip => {
      zip.writeUInt32LE(1, places(zip).local[0]! + 22);
      return zip;
    },
  ],
  [
    'encrypted',
    'an entry says that it is encrypted',
    'flags',
    zip => both(zip, 6, (view, at) => view.writeUInt16LE(1, at)),
  ],
  [
    'descriptor',
    'an entry has a data descriptor',
    'flags',
    zip => both(zip, 6, (view, at) => view.writeUInt16LE(8, at)),
  ],
  [
    'method',
    'an entry is packed by lzma',
    'method',
    zip => both(zip, 8, (view, at) => view.writeUInt16LE(14, at)),
  ],
  ['symlink', 'an entry is a symbolic link', 'kind', zip => central(zip, 38, 0xa1ff0000)],
  ['device', 'an entry is a device', 'kind', zip => central(zip, 38, 0x61ff0000)],
  ['folder', 'an entry is a folder by its attributes', 'kind', zip => central(zip, 38, 0x10)],
  ['path_up', 'a path upwards', 'name', zip => withEntry(zip, '../../etc/cron.d/x')],
  ['path_absolute', 'an absolute path', 'name', zip => withEntry(zip, '/etc/passwd')],
  ['path_dot', 'a path with a dot segment', 'name', zip => withEntry(zip, 'blobs/./x')],
  ['path_backslash', 'a path with backslashes', 'name', zip => withEntry(zip, 'blobs\\..\\x')],
  ['path_drive', 'a path with a drive', 'name', zip => withEntry(zip, 'C:x')],
  ['path_nul', 'a NUL in a name', 'name', zip => withEntry(zip, 'events.jsonl\0.txt')],
  ['path_folder', 'an entry that is a folder by its name', 'name', zip => withEntry(zip, 'blobs/')],
  ['path_beyond_ascii', 'a letter beyond ASCII', 'name', zip => withEntry(zip, 'ev\xe9nts.jsonl')],
  ['duplicate', 'events.jsonl stands twice', 'twice', zip => withEntry(zip, 'events.jsonl')],
  ['case_collision', 'EVENTS.jsonl beside events.jsonl', 'twice', zip => withEntry(zip, 'EVENTS.jsonl')],
  [
    'bomb',
    'an entry that inflates a thousand times',
    'ratio',
    (_zip, parts) => zipOf(new Map([...parts, ['note.txt', new Uint8Array(4 * 2 ** 20)]])),
  ],
  [
    'bomb_declared_small',
    'an entry that inflates to more than it says',
    'file_damaged',
    zip => {
      const { local, central: headers, directory, end } = places(zip);
      // The last entry grows to a stream of 1 MiB, and still says its old size.
      const packed = deflateRawSync(new Uint8Array(2 ** 20));
      const at = local.at(-1)!;
      const header = headers.at(-1)!;
      const dataAt = at + 30 + zip.readUInt16LE(at + 26);
      const shift = packed.length - (directory - dataAt);
      const grown = Buffer.concat([zip.subarray(0, dataAt), packed, zip.subarray(directory)]);
      for (const [place, offset] of [
        [at, 18],
        [header + shift, 20],
      ] as const) {
        grown.writeUInt32LE(packed.length, place + offset);
        grown.writeUInt16LE(8, place + offset - 10);
      }
      grown.writeUInt32LE(directory + shift, end + shift + 16);
      return grown;
    },
  ],
  [
    'zip64_lie',
    'counts that point to a zip64 record which is not there',
    'zip64',
    zip => {
      const { end } = places(zip);
      zip.writeUInt32LE(0xffffffff, end + 16);
      return zip;
    },
  ],
];
