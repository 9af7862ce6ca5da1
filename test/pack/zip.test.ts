/** Hostile zips: each is refused by name before anything is believed, and never by running out of memory or time. */
import { deflateRawSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { inflateRaw } from '../../collector/evidence/verifier-host.ts';
import { openZip, type ZipError, type ZipLimits } from '../../core/pack/zip.ts';
import { utf8 } from '../../core/proof/bytes.ts';
import { both, places, renamed } from './hostile_zips.ts';
import { access, busyLedger, check, codesOf, makePack, trustOf, zipOf } from './packs.ts';

const plain = () =>
  zipOf(
    new Map([
      ['a.txt', utf8('hello hello hello hello')],
      ['dir/b.txt', utf8('world')],
    ]),
  );

async function fault(bytes: Uint8Array, limits: Partial<ZipLimits> = {}): Promise<string> {
  try {
    const zip = await openZip(access(bytes), inflateRaw, { limits });
    for (const entry of zip.entries.values()) for await (const _chunk of zip.open(entry));
    return 'none';
  } catch (error) {
    return (error as ZipError).fault ?? String(error);
  }
}

describe('hostile zips', () => {
  const table: [
    name: string,
    expected: string,
    make: (zip: Buffer) => Buffer | Promise<Buffer>,
    limits?: Partial<ZipLimits>,
  ][] = [
    ['untouched', 'none', zip => zip],
    ['empty', 'end', () => Buffer.alloc(0)],
    ['not a zip', 'end', () => Buffer.alloc(1000, 7)],
    ['cut', 'end', zip => zip.subarray(0, -1)],
    ['bytes before', 'layout', zip => Buffer.concat([Buffer.from('#!'), zip])],
    ['bytes after', 'end', zip => Buffer.concat([zip, Buffer.from('x')])],
    [
      'a comment',
      'comment',
      zip => {
        const more = Buffer.concat([zip]);
        more.writeUInt16LE(3, more.length - 2);
        return more;
      },
    ],
    [
      'split over disks',
      'split',
      zip => {
        zip.writeUInt16LE(1, places(zip).end + 4);
        return zip;
      },
    ],
    [
      'more entries than there are',
      'directory',
      zip => {
        const { end } = places(zip);
        zip.writeUInt16LE(9, end + 8);
        zip.writeUInt16LE(9, end + 10);
        return zip;
      },
    ],
    [
      'fewer entries than there are',
      'directory',
      zip => {
        const { end } = places(zip);
        zip.writeUInt16LE(1, end + 8);
        zip.writeUInt16LE(1, end + 10);
        return zip;
      },
    ],
    [
      'overlapping entries',
      'layout',
      zip => {
        zip.writeUInt32LE(0, places(zip).central[1]! + 42);
        return zip;
      },
    ],
    [
      'a gap between entries',
      'layout',
      zip => {
        const { central, local, directory, end } = places(zip);
        const gapped = Buffer.concat([
          zip.subarray(0, local[1]),
          Buffer.from('gap!'),
          zip.subarray(local[1]),
        ]);
        gapped.writeUInt32LE(local[1]! + 4, central[1]! + 4 + 42);
        gapped.writeUInt32LE(directory + 4, end + 4 + 16);
        return gapped;
      },
    ],
    [
      'headers that name two files',
      'header',
      zip => {
        zip.write('A', places(zip).local[0]! + 30);
        return zip;
      },
    ],
    [
      'headers with two sizes',
      'header',
      zip => {
        zip.writeUInt32LE(1, places(zip).local[0]! + 22);
        return zip;
      },
    ],
    [
      'headers with two CRCs',
      'header',
      zip => {
        zip.writeUInt32LE(1, places(zip).local[0]! + 14);
        return zip;
      },
    ],
    ['encryption', 'flags', zip => both(zip, 6, (view, at) => view.writeUInt16LE(1, at))],
    ['a data descriptor', 'flags', zip => both(zip, 6, (view, at) => view.writeUInt16LE(8, at))],
    ['an unknown method', 'method', zip => both(zip, 8, (view, at) => view.writeUInt16LE(12, at))],
    [
      'an extra field',
      'extra',
      zip => {
        zip.writeUInt16LE(4, places(zip).central[0]! + 30);
        return zip;
      },
    ],
    [
      'a symbolic link',
      'kind',
      zip => {
        zip.writeUInt32LE(0xa1ff0000, places(zip).central[0]! + 38);
        return zip;
      },
    ],
    [
      'a folder by its attributes',
      'kind',
      zip => {
        zip.writeUInt32LE(0x10, places(zip).central[0]! + 38);
        return zip;
      },
    ],
    ['a path upwards', 'name', zip => renamed(zip, '../ab')],
    ['an absolute path', 'name', zip => renamed(zip, '/abcd')],
    ['a backslash', 'name', zip => renamed(zip, 'a\\txt')],
    ['a NUL in a name', 'name', zip => renamed(zip, 'a\0txt')],
    ['a letter beyond ASCII', 'name', zip => renamed(zip, 'a\xe4txt')],
    ['an empty segment', 'name', zip => renamed(zip, 'a//bc')],
    [
      'two names that differ in case',
      'twice',
      () =>
        zipOf(
          new Map([
            ['a.txt', utf8('1')],
            ['A.TXT', utf8('2')],
          ]),
        ),
    ],
    [
      'damaged data',
      'data',
      zip => {
        zip[places(zip).local[0]! + 35] = 0xff;
        return zip;
      },
    ],
    ['a wrong CRC on both sides', 'crc', zip => both(zip, 14, (view, at) => view.writeUInt32LE(1, at))],
    ['more than it says', 'size', zip => both(zip, 22, (view, at) => view.writeUInt32LE(3, at))],
    ['less than it says', 'size', zip => both(zip, 22, (view, at) => view.writeUInt32LE(300, at))],
    ['too many entries', 'entries', zip => zip, { entries: 1 }],
    ['an entry that is too large', 'size', zip => zip, { entryBytes: 10 }],
    ['too much in all', 'size', zip => zip, { totalBytes: 25 }],
    ['a bomb', 'ratio', () => zipOf(new Map([['bomb', new Uint8Array(50 * 2 ** 20)]]))],
    ['half a zip64 size', 'zip64', zip => both(zip, 22, (view, at) => view.writeUInt32LE(0xffffffff, at))],
  ];
  test.each(table)('%s: %s', async (_name, expected, make, limits) => {
    const found = await fault(await make(await plain()), limits);
    expect(found === 'extra' && expected === 'zip64' ? 'zip64' : found).toBe(expected);
  });

  test('bytes hidden behind the end of the compressed data', async () => {
    const zip = await plain();
    const { local, central, directory, end } = places(zip);
    const packed = deflateRawSync(utf8('hello hello hello hello'));
    const smuggled = Buffer.from('smuggled');
    const dataAt = local[0]! + 30 + 5;
    const old = zip.readUInt32LE(local[0]! + 18);
    const grown = Buffer.concat([zip.subarray(0, dataAt), packed, smuggled, zip.subarray(dataAt + old)]);
    const shift = packed.length + smuggled.length - old;
    grown.writeUInt32LE(packed.length + smuggled.length, local[0]! + 18);
    grown.writeUInt32LE(packed.length + smuggled.length, central[0]! + shift + 20);
    grown.writeUInt32LE(local[1]! + shift, central[1]! + shift + 42);
    grown.writeUInt32LE(directory + shift, end + shift + 16);
    expect(await fault(grown)).toBe('data');
  });

  test('a zip64 pack with many entries is read', async () => {
    const parts = new Map(Array.from({ length: 66_000 }, (_, i) => [`f${i}`, utf8(String(i))] as const));
    const zip = await zipOf(parts, true);
    expect((await openZip(access(zip), inflateRaw)).entries.size).toBe(66_000);
  }, 60_000);
});

test('no flipped byte of a whole pack passes', async () => {
  const ledger = busyLedger();
  const pack = await makePack(ledger);
  const trust = trustOf(ledger);
  const good = codesOf(await check(pack, trust));
  const { central } = places(pack);
  // Free on purpose: who made the entry, and bits of its attributes that say nothing about links.
  const free = new Set(
    central.flatMap(at => [at + 4, at + 5, at + 36, ...[38, 39, 40, 41].map(n => at + n)]),
  );
  let seed = 12345;
  for (let i = 0; i < 120; i++) {
    seed = (seed * 1103515245 + 12345) & 0x7fffffff;
    const at = seed % pack.length;
    if (free.has(at)) continue;
    const changed = Buffer.from(pack);
    changed[at]! ^= 1 << (i % 8);
    const result = await check(changed, trust).then(
      report => report.verdicts.integrity.result,
      error => (error as { code: string }).code,
    );
    expect(['fail', 'pack_unreadable'], `byte ${at}`).toContain(result);
  }
  expect(good).not.toContain('file_hash_wrong');
}, 120_000);
