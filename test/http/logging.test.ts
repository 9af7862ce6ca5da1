/** Logs rotate, and no secret survives in a line, however it got there. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fileLog, logBytes } from '../../collector/logging.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tm-log-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('five files at most, each within its size', async () => {
  const log = fileLog(folder, { fileBytes: 2_000 });
  for (let i = 0; i < 500; i++) log.info({ i }, 'a line of some length, to fill the files');
  log.close();
  const names = (await readdir(folder)).sort();
  expect(names).toEqual([
    'collector.log',
    'collector.log.1',
    'collector.log.2',
    'collector.log.3',
    'collector.log.4',
  ]);
  expect(logBytes(folder)).toBeLessThanOrEqual(5 * 2_000);
  const last = (await readFile(join(folder, 'collector.log'), 'utf8')).trim().split('\n').at(-1)!;
  expect(JSON.parse(last)).toMatchObject({ i: 499 });
});

test('secrets are struck out', async () => {
  const log = fileLog(folder);
  const secrets = {
    key: `tm1.0011223344556677.${'A'.repeat(43)}.${'B'.repeat(43)}`,
    session: `tms1.${'C'.repeat(43)}`,
    url: `http://127.0.0.1:4318/#token=${'D'.repeat(43)}`,
    pem: '-----BEGIN PRIVATE KEY-----\nEEEE\n-----END PRIVATE KEY-----',
  };
  log.info({ headers: { authorization: `Bearer ${secrets.key}` } }, `from ${secrets.url}`);
  log.error({ err: new Error(`no ${secrets.session}`), pem: secrets.pem }, 'failed');
  log.warn(
    { passphrase: 'correct horse', recovery_phrase: 'one two three', nested: { api_key: secrets.key } },
    'x',
  );
  log.close();
  const text = await readFile(join(folder, 'collector.log'), 'utf8');
  for (const secret of [
    'AAAAAAAA',
    'BBBBBBBB',
    'CCCCCCCC',
    'DDDDDDDD',
    'EEEE',
    'correct horse',
    'one two three',
  ]) {
    expect(text).not.toContain(secret);
  }
  for (const line of text.trim().split('\n')) expect(() => JSON.parse(line)).not.toThrow();
});

test('a folder that cannot be written stops nothing', async () => {
  await writeFile(join(folder, 'file'), '');
  const log = fileLog(join(folder, 'file', 'logs'));
  expect(() => log.info('still here')).not.toThrow();
});
