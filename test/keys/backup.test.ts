import { verify } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { backupStream } from '../../collector/keys/backup.ts';
import { type Restored, restore } from '../../collector/keys/restore.ts';
import { createVault, openVault, type VaultHost } from '../../collector/keys/vault.ts';
import { openReadable } from '../../collector/ledger/database.ts';
import { ed25519PublicKey } from '../../collector/ledger/headfile.ts';
import { RecordReader } from '../../collector/ledger/records.ts';
import { TrailmixError } from '../../core/api/errors.ts';
import { jcs } from '../../core/proof/jcs.ts';
import { backupInto, openOn, type RealLedger, realLedger } from './real_ledger.ts';

const NOTES = 25;
let real: RealLedger;
let root: string;
let file: string;
let host: VaultHost;
beforeAll(async () => {
  real = await realLedger();
  root = mkdtempSync(join(tmpdir(), 'trailmix-restore-'));
  host = { ...real.host, home: join(root, 'home') };
  for (let i = 0; i < NOTES; i++) {
    await real.ledger.write.run('record', {
      appId: '_ledger',
      eventType: 'ledger.note',
      members: { name: `note ${i}`, text: i === 3 ? 'x'.repeat(200_000) : 'before the backup' },
    });
  }
  file = join(root, 'out.backup');
  await backupInto(file, real);
  await real.ledger.write.run('record', {
    appId: '_ledger',
    eventType: 'ledger.note',
    members: { name: 'after the backup' },
  });
});
afterAll(async () => {
  await real.close();
  rmSync(root, { recursive: true, force: true });
});

let count = 0;
const freshFolder = () => join(root, `restored-${++count}`, 'data');
const run = (folder: string, more: Partial<Parameters<typeof restore>[0]> = {}): Promise<Restored> =>
  restore({
    file,
    phrase: real.phrase,
    folder,
    custody: { kind: 'passphrase', passphrase: 'a new passphrase' },
    acceptHead: true,
    host,
    ...more,
  });
const refusal = async (attempt: Promise<unknown>): Promise<TrailmixError> => {
  const error = await attempt.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof TrailmixError) return error;
  throw error instanceof Error ? error : new Error('was not refused');
};
/** Everything below a folder's parent, so that nothing left beside it goes unseen. */
const everything = (folder: string): string[] =>
  existsSync(join(folder, '..'))
    ? readdirSync(join(folder, '..'), { recursive: true }).map(String).sort()
    : [];

describe('a backup', () => {
  test('holds nothing in clear, and leaves no copy behind', () => {
    const bytes = readFileSync(file);
    for (const text of ['note 1', 'SQLite', 'ledger.opened', 'passphrase', 'before the backup']) {
      expect(bytes.includes(Buffer.from(text)), text).toBe(false);
    }
    expect(readdirSync(join(real.folder, 'backups'))).toEqual([]);
  });

  test('streams for a download, and a stream given up leaves nothing', async () => {
    const { ledger, vault, folder, clock } = real;
    const tenants = [{ tenantId: 'default', name: 'default', folder, ledger }];
    const parts = { vault, folder, clock, tenants };
    const { name, stream } = await backupStream(parts);
    expect(name).toMatch(/^trailmix-[0-9a-f]{8}-\d{8}T\d{6}Z\.backup$/);
    for await (const part of stream) {
      expect(Buffer.from(part.subarray(0, 18)).toString()).toBe('trailmix-backup/v1');
      break;
    }
    expect(readdirSync(join(real.folder, 'backups'))).toEqual([]);
  });
});

describe('restoring', () => {
  test('makes a new ledger that cites the old one, signed by the old key', async () => {
    const folder = freshFolder();
    const restored = await run(folder);
    expect(restored.oldLedgerId).toBe(real.vault.ledgerId);
    expect(restored.ledgerId).not.toBe(real.vault.ledgerId);
    expect(readdirSync(join(folder, '..'))).toEqual(['data']);

    const vault = await openVault({ folder, secret: { kind: 'passphrase', passphrase: 'a new passphrase' } });
    const ledger = await openOn(folder, vault, real.clock);
    const [opened, accepted] = await ledger.read.records(0, 1);
    await ledger.close();
    expect(opened).toMatchObject({ seq: 0, event_type: 'ledger.opened', ledger_id: restored.ledgerId });
    expect(accepted).toMatchObject({ seq: 1, event_type: 'restore.accepted' });
    expect(opened!.restored_from).toEqual(restored.from);
    expect(accepted!.restored_from).toEqual(restored.from);

    const before = await real.ledger.read.record(NOTES);
    expect(restored.from.head).toEqual({
      seq: NOTES,
      hash_self: before!.hash_self,
      received_at: before!.received_at,
    });
    expect(restored.from.may_be_lost).toEqual({ after_seq: NOTES, after: before!.received_at });
    expect(restored.from.checkpoint.size).toBe(NOTES + 1);
    expect(restored.from.checkpoint.note).toContain(real.vault.ledgerId);

    const statement = {
      restored_from: restored.from,
      ledger_id: restored.ledgerId,
      event_key: Buffer.from(vault.eventKey.publicKey).toString('base64'),
    };
    const message = Buffer.from(`trailmix/restore/v1\n${jcs(statement)}`);
    expect(opened!.old_key_id).toBe(real.vault.eventKey.keyId);
    const signature = Buffer.from(opened!.old_key_sig as string, 'base64');
    expect(verify(null, message, ed25519PublicKey(real.vault.eventKey.publicKey), signature)).toBe(true);
  });

  test('keeps the old records readable, and the phrase', async () => {
    const folder = freshFolder();
    const restored = await run(folder);
    const vault = await openVault({ folder, secret: { kind: 'recovery_phrase', phrase: real.phrase } });
    expect(vault.ledgerId).toBe(restored.ledgerId);
    expect(vault.eventKey.keyId).not.toBe(real.vault.eventKey.keyId);
    const key = vault.deriveEpoch(real.vault.ledgerId, 'database')!;
    expect(vault.deriveEpoch('0'.repeat(32), 'database')).toBeUndefined();
    const path = join(folder, 'epochs', `${real.vault.ledgerId}.db`);
    const db = openReadable(path, key, 1024);
    const old = new RecordReader(db, { ledgerId: real.vault.ledgerId, tenantId: 'default' });
    expect(old.lastSeq()).toBe(NOTES);
    expect(old.record(5)).toEqual(await real.ledger.read.record(5));
    db.close();
    expect(readdirSync(join(folder, 'epochs', `${real.vault.ledgerId}.blobs`)).length).toBeGreaterThan(0);
    expect(readdirSync(join(folder, 'epochs')).filter(name => /-(wal|shm)$/.test(name))).toEqual([]);
  });

  test('a restored ledger can be backed up and restored again: both epochs stay', async () => {
    const first = freshFolder();
    const one = await run(first);
    const vault = await openVault({
      folder: first,
      secret: { kind: 'recovery_phrase', phrase: real.phrase },
    });
    const ledger = await openOn(first, vault, real.clock);
    const again = join(root, 'again.backup');
    await backupInto(again, { ledger, vault, folder: first, clock: real.clock });
    await ledger.close();
    const second = freshFolder();
    const two = await run(second, { file: again });
    expect(two.oldLedgerId).toBe(one.ledgerId);
    const last = await openVault({
      folder: second,
      secret: { kind: 'recovery_phrase', phrase: real.phrase },
    });
    for (const id of [one.ledgerId, real.vault.ledgerId]) {
      const db = openReadable(join(second, 'epochs', `${id}.db`), last.deriveEpoch(id, 'database')!, 1024);
      expect(new RecordReader(db, { ledgerId: id, tenantId: 'default' }).lastSeq()).toBeGreaterThan(0);
      db.close();
    }
  });

  test('into a key file, made outside the folder it ends up in', async () => {
    const folder = freshFolder();
    const { keyFile, ledgerId } = await run(folder, { custody: { kind: 'key_file' } });
    expect(keyFile).toContain(ledgerId);
    expect((await openVault({ folder, secret: { kind: 'key_file' } })).ledgerId).toBe(ledgerId);
  });
});

describe('a refused restore writes nothing', () => {
  const untouched = async (folder: string, attempt: Promise<unknown>): Promise<TrailmixError> => {
    const before = everything(folder);
    const keysBefore = everything(join(root, 'home', 'x'));
    const error = await refusal(attempt);
    expect(everything(folder)).toEqual(before);
    expect(everything(join(root, 'home', 'x'))).toEqual(keysBefore);
    return error;
  };

  test('without acceptHead, saying what it would accept', async () => {
    const folder = freshFolder();
    const error = await untouched(folder, run(folder, { acceptHead: false }));
    expect(error.code).toBe('restore_refused');
    expect(error.message).toContain(real.vault.ledgerId);
  });

  test('with the phrase of another vault, or none', async () => {
    const other = await createVault({ folder: join(root, 'other'), custody: { kind: 'key_file' }, host });
    const folder = freshFolder();
    for (const phrase of [other.recoveryPhrase.reveal(), 'not a phrase', real.phrase.replace(/ \w+$/, '')]) {
      const error = await untouched(folder, run(folder, { phrase }));
      expect(error.code).toBe('vault_secret_wrong');
      expect(error.message).not.toContain(phrase);
    }
  });

  test('into a folder that is not empty', async () => {
    const folder = freshFolder();
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'notes.txt'), 'mine');
    expect((await untouched(folder, run(folder))).code).toBe('folder_not_empty');
    expect((await untouched(folder, run(join(folder, 'notes.txt')))).code).toBe('folder_not_empty');
  });

  test('with a key file inside the folder, or a weak passphrase', async () => {
    const folder = freshFolder();
    const inside = { kind: 'key_file', file: join(folder, 'k.key') } as const;
    expect((await untouched(folder, run(folder, { custody: inside }))).code).toBe('vault_key_exposed');
    const weak = { kind: 'passphrase', passphrase: 'short' } as const;
    expect((await untouched(folder, run(folder, { custody: weak }))).code).toBe('passphrase_weak');
  });

  test('from a file that is missing, none, cut or changed anywhere', async () => {
    const folder = freshFolder();
    const whole = readFileSync(file);
    const bad = join(root, 'bad.backup');
    const changed = (at: number) => {
      const bytes = Buffer.from(whole);
      bytes[at]! ^= 1;
      return bytes;
    };
    const cases: Buffer[] = [
      Buffer.alloc(0),
      Buffer.from('hello'),
      whole.subarray(0, whole.length - 1),
      whole.subarray(0, whole.length >> 1),
      ...[0, 25, 400, whole.length >> 1, whole.length - 20].map(changed),
    ];
    for (const bytes of cases) {
      writeFileSync(bad, bytes);
      const { code } = await untouched(folder, run(folder, { file: bad }));
      expect(['backup_unreadable', 'vault_secret_wrong']).toContain(code);
    }
    expect((await untouched(folder, run(folder, { file: join(root, 'none') }))).code).toBe(
      'backup_unreadable',
    );
    expect((await untouched(folder, run(folder, { file: root }))).code).toBe('backup_unreadable');
  });
});
