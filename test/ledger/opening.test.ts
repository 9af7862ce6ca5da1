import { spawnSync } from 'node:child_process';
import { appendFileSync, cpSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { openWritable } from '../../collector/ledger/database.ts';
import { migrationsIn } from '../../collector/ledger/migrate.ts';
import { append, event, openTest, temporaryFolder } from './ledger.fixture.ts';
import { memoryVault } from './vault.fixture.ts';

function filesOf(folder: string): Map<string, Buffer> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile());
  return new Map(
    files.map(entry => [
      join(entry.parentPath, entry.name),
      readFileSync(join(entry.parentPath, entry.name)),
    ]),
  );
}

async function filled(): Promise<string> {
  const { ledger, folder } = await openTest();
  await append(ledger, [event(), event(), event()]);
  await ledger.close();
  return folder;
}

const databaseKey = () => memoryVault().derive('database');

test('a closed ledger opens again and goes on', async () => {
  const folder = await filled();
  const { ledger } = await openTest({ folder });
  const { create: _none, ...rest } = { create: undefined };
  expect((await ledger.read.head()).seq).toBe(3);
  expect((await append(ledger, [event()]))[0]!.seq).toBe(4);
  expect(rest).toEqual({});
});

test('a folder without a ledger is refused unless one may be made', async () => {
  const folder = temporaryFolder();
  const options = { folder, create: undefined } as never;
  await expect(openTest(options)).rejects.toMatchObject({ code: 'ledger_refused' });
  expect(readdirSync(folder)).not.toContain('ledger.db');
});

test('a wrong key is refused and touches nothing, a log left by a crash included', async () => {
  const { ledger, folder } = await openTest();
  await append(ledger, [event()]);
  const copy = temporaryFolder();
  cpSync(folder, copy, { recursive: true });
  rmSync(join(copy, 'lock.json'));
  expect(statSync(join(copy, 'ledger.db-wal')).size).toBeGreaterThan(0);
  const before = filesOf(copy);
  const refused = openTest({
    folder: copy,
    vault: { ...memoryVault(), derive: memoryVault('other').derive },
  });
  await expect(refused).rejects.toMatchObject({ code: 'ledger_refused' });
  const after = filesOf(copy);
  after.delete(join(copy, 'ledger.db-shm'));
  before.delete(join(copy, 'ledger.db-shm'));
  expect([...after.keys()].sort()).toEqual([...before.keys()].sort());
  for (const [file, bytes] of before) expect(after.get(file)!.equals(bytes), file).toBe(true);
  const { ledger: right } = await openTest({ folder: copy });
  expect((await right.read.head()).seq).toBe(1);
});

test("another vault's ledger is refused", async () => {
  const folder = await filled();
  const vault = { ...memoryVault(), ledgerId: 'f'.repeat(32) };
  await expect(openTest({ folder, vault })).rejects.toMatchObject({ code: 'ledger_refused' });
});

test('a newer schema is refused', async () => {
  const folder = await filled();
  const db = openWritable(join(folder, 'ledger.db'), databaseKey(), { cacheKiB: 100, durable: true });
  db.pragma('user_version = 9999');
  db.close();
  await expect(openTest({ folder })).rejects.toMatchObject({ code: 'ledger_newer' });
});

test('an older schema is migrated, with an encrypted copy made before', async () => {
  const folder = await filled();
  const file = join(folder, 'ledger.db');
  const db = openWritable(file, databaseKey(), { cacheKiB: 100, durable: true });
  const later = migrationsIn()
    .filter(({ number }) => number > 10)
    .reverse();
  db.pragma('foreign_keys = OFF');
  for (const { sql } of later) {
    for (const [, kind, name] of sql.matchAll(/^CREATE (TABLE|INDEX) (?:IF NOT EXISTS )?(\w+)/gm)) {
      db.exec(`DROP ${kind} IF EXISTS ${name}`);
    }
    for (const [, table, column] of sql.matchAll(/^ALTER TABLE (\w+) ADD COLUMN (\w+)/gm))
      db.exec(`ALTER TABLE ${table} DROP COLUMN ${column}`);
  }
  db.pragma('user_version = 10');
  db.close();
  const { ledger } = await openTest({ folder });
  expect((await ledger.read.approvals({})).total).toBe(0);
  const [copy] = readdirSync(join(folder, 'backups'));
  expect(copy).toBe('ledger-schema-10-before-20.db');
  expect(
    readFileSync(join(folder, 'backups', copy!))
      .subarray(0, 6)
      .toString(),
  ).not.toBe('SQLite');
});

test('a database put back to an older copy is refused', async () => {
  const folder = await filled();
  const old = temporaryFolder();
  cpSync(join(folder, 'ledger.db'), join(old, 'ledger.db'));
  const { ledger } = await openTest({ folder });
  await append(ledger, [event()]);
  await ledger.close();
  cpSync(join(old, 'ledger.db'), join(folder, 'ledger.db'));
  await expect(openTest({ folder })).rejects.toMatchObject({ code: 'ledger_rolled_back' });
  rmSync(join(folder, 'ledger.db'));
  await expect(openTest({ folder })).rejects.toMatchObject({ code: 'ledger_rolled_back' });
});

test('a copy that went on by itself is refused', async () => {
  const folder = await filled();
  const fork = temporaryFolder();
  cpSync(folder, fork, { recursive: true });
  for (const at of [folder, fork]) {
    const { ledger } = await openTest({ folder: at });
    await append(ledger, [event({ session_id: at })]);
    await ledger.close();
  }
  cpSync(join(fork, 'ledger.db'), join(folder, 'ledger.db'));
  await expect(openTest({ folder })).rejects.toMatchObject({ code: 'ledger_rolled_back' });
});

test('a torn last line of the head file is ignored, a forged one too', async () => {
  const folder = await filled();
  const file = join(folder, 'head.log');
  const line = readFileSync(file, 'utf8').trim().split('\n').at(-1)!;
  appendFileSync(
    file,
    `${JSON.stringify({ ...JSON.parse(line), seq: 1000, hash_self: 'a'.repeat(64) })}\n${line.slice(0, 40)}`,
  );
  const { ledger } = await openTest({ folder });
  await append(ledger, [event()]);
  await ledger.close();
  const last = readFileSync(file, 'utf8').trim().split('\n').at(-1)!;
  expect(JSON.parse(last)).toMatchObject({ seq: 4, tenant_id: 'default' });
});

test('a damaged last record is refused at open', async () => {
  const folder = await filled();
  const db = openWritable(join(folder, 'ledger.db'), databaseKey(), { cacheKiB: 100, durable: true });
  db.exec(`UPDATE record SET body = replace(body, 'agent', 'human') WHERE seq = 2`);
  db.close();
  await expect(openTest({ folder })).rejects.toMatchObject({
    code: 'ledger_damaged',
    message: expect.stringContaining('record 2'),
  });
});

test('a second opener is refused and told who holds the folder; a stale lock file blocks nobody', async () => {
  const { folder } = await openTest();
  await expect(openTest({ folder })).rejects.toMatchObject({
    code: 'ledger_in_use',
    message: expect.stringContaining(`process ${process.pid}, since 20`),
  });
  const script = `import { lockFolder } from ${JSON.stringify(new URL('../../collector/ledger/folder.ts', import.meta.url).href)};
    try { lockFolder(${JSON.stringify(folder)}, 0); console.log('got it'); } catch (error) { console.log(error.code, error.message); }`;
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  expect(child.stdout).toContain(`ledger_in_use this data folder is held by process ${process.pid}`);

  const other = temporaryFolder();
  writeFileSync(join(other, 'lock.json'), '{"pid":1,"since":"2020-01-01T00:00:00.000Z"}');
  await openTest({ folder: other });
});

test('nothing that was recorded, searched or uploaded lies on disk in clear', async () => {
  const { ledger, folder } = await openTest();
  const marker = 'MARKERvermilionMARKER';
  const large = `${marker} `.repeat(6000);
  await append(ledger, [
    event({ event_id: marker, session_id: marker, input: { marker } }),
    event({ output: large }),
  ]);
  async function* upload() {
    yield Buffer.from(large);
  }
  await ledger.blobs.put('default', upload(), 1e9, 'k1');
  await ledger.write.run('record', {
    appId: 'support-bot',
    eventType: 'export.made',
    members: { name: marker },
  });
  expect((await ledger.read.search({ q: marker })).total).toBe(2);
  await ledger.backupTo(join(folder, 'copy.db'));
  await new Promise(resolve => setTimeout(resolve, 500));
  const clear = () => {
    for (const [file, bytes] of filesOf(folder)) {
      for (const text of [marker, marker.toLowerCase(), 'CREATE TABLE']) {
        expect(bytes.includes(text), `${text} in ${file}`).toBe(false);
        expect(bytes.includes(Buffer.from(text, 'utf16le')), `${text} as UTF-16 in ${file}`).toBe(false);
      }
    }
  };
  clear();
  await ledger.close();
  clear();
});

test('an online copy is the whole ledger, under the same key', async () => {
  const { ledger, folder } = await openTest();
  await append(ledger, [event(), event()]);
  const target = join(temporaryFolder(), 'copy.db');
  await ledger.backupTo(target);
  const other = temporaryFolder();
  cpSync(target, join(other, 'ledger.db'));
  const { ledger: copy, warnings } = await openTest({ folder: other });
  expect(await copy.read.records(0, 10)).toEqual(await ledger.read.records(0, 10));
  expect(warnings.join()).toContain('head file was missing');
  expect(new Database(join(folder, 'lock'), { readonly: true }).name).toContain('lock');
});
