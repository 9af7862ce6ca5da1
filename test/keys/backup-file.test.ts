import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type BackupFile,
  type BackupHeader,
  ByteReader,
  backupHeader,
  openBackup,
  readBackupHeader,
  sealBackup,
} from '../../collector/keys/backup-file.ts';
import { TrailmixError } from '../../core/api/errors.ts';

const KEY = new Uint8Array(32).fill(5);
const recovery = { salt: 'AAAA', wrapped: 'AAAA' };
const header: BackupHeader = backupHeader(
  { ledger_id: 'ab'.repeat(16), recovery },
  '2026-11-22T12:00:00.000Z',
  randomBytes(32),
);

async function* inParts(bytes: Uint8Array, size = 50_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
async function* filesOf(files: [string, Uint8Array][]): AsyncGenerator<BackupFile> {
  for (const [name, bytes] of files) yield { name, size: bytes.length, bytes: inParts(bytes) };
}
async function seal(files: [string, Uint8Array][]): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of sealBackup(header, KEY, filesOf(files))) parts.push(part);
  return Buffer.concat(parts);
}
async function unseal(bytes: Uint8Array, key = KEY): Promise<[string, Buffer][]> {
  const source = new ByteReader(inParts(bytes, 7001));
  const read = await readBackupHeader(source);
  const files: [string, Buffer][] = [];
  for await (const file of openBackup(source, read, key)) {
    const parts: Uint8Array[] = [];
    for await (const part of file.bytes) parts.push(part);
    files.push([file.name, Buffer.concat(parts)]);
  }
  return files;
}
const refusal = async (run: Promise<unknown>): Promise<string> =>
  run.then(
    () => 'read',
    error => (error instanceof TrailmixError ? error.code : `${error}`),
  );

describe('the backup file', () => {
  test('gives back every file, of any size around the chunk', async () => {
    const MiB = 1024 * 1024;
    const files: [string, Uint8Array][] = [0, 1, MiB - 40, MiB, MiB + 1, 3 * MiB + 17].map((size, i) => [
      `blobs/${i}a/f${i}.bin`,
      randomBytes(size),
    ]);
    const sealed = await seal(files);
    expect(await unseal(sealed)).toEqual(files.map(([name, bytes]) => [name, Buffer.from(bytes)]));
    expect(sealed.includes(Buffer.from('f3.bin'))).toBe(false);
  });

  test('no byte can be changed, added or taken away unseen', async () => {
    const sealed = await seal([
      ['vault.json', Buffer.from('{}')],
      ['ledger.db', randomBytes(5000)],
    ]);
    for (let at = 0; at < sealed.length; at += 61) {
      const changed = Buffer.from(sealed);
      changed[at]! ^= 0x40;
      expect(await refusal(unseal(changed)), `byte ${at}`).toBe('backup_unreadable');
    }
    for (const length of [0, 5, 19, 60, sealed.length - 1, sealed.length - 4000]) {
      expect(await refusal(unseal(sealed.subarray(0, length))), `cut at ${length}`).toBe('backup_unreadable');
    }
    expect(await refusal(unseal(Buffer.concat([sealed, Buffer.alloc(1)])))).toBe('backup_unreadable');
    expect(await refusal(unseal(sealed, new Uint8Array(32)))).toBe('backup_unreadable');
  });

  test('whole chunks cannot be dropped, repeated or exchanged', async () => {
    const size = 1024 * 1024 + 20;
    const sealed = await seal([['ledger.db', randomBytes(3 * 1024 * 1024)]]);
    const start = sealed.indexOf('\n') + 1;
    const first = start + 4 + sealed.readUInt32BE(start);
    const chunk = (i: number) => sealed.subarray(first + i * size, first + (i + 1) * size);
    const head = sealed.subarray(0, first);
    const rest = sealed.subarray(first + 3 * size);
    for (const order of [
      [0, 1],
      [0, 0, 1, 2],
      [1, 0, 2],
    ]) {
      const forged = Buffer.concat([head, ...order.map(chunk), rest]);
      expect(await refusal(unseal(forged)), order.join()).toBe('backup_unreadable');
    }
    expect(await refusal(unseal(Buffer.concat([head, chunk(0), chunk(1), chunk(2)])))).toBe(
      'backup_unreadable',
    );
  });

  test('a file that shrinks or grows while it is copied fails the backup', async () => {
    for (const said of [9, 11]) {
      const grown = async function* () {
        yield { name: 'ledger.db', size: said, bytes: inParts(new Uint8Array(10)) };
      };
      const run = async () => {
        for await (const _part of sealBackup(header, KEY, grown())) {
          // drained
        }
      };
      await expect(run()).rejects.toThrow('changed its size');
    }
  });

  test('any bytes at all are refused, never misread', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async bytes => {
        const whole = Buffer.concat([Buffer.from('trailmix-backup/v1\n'), bytes]);
        expect(await refusal(unseal(bytes))).toBe('backup_unreadable');
        expect(await refusal(unseal(whole))).toBe('backup_unreadable');
      }),
    );
  });
});
