/** README-VERIFY.txt, followed to the letter with stock tools in a fresh folder; and what each command notices. */
import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Uint8ArrayReader, Uint8ArrayWriter, ZipReader } from '@zip.js/zip.js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { exportPack } from '../../collector/evidence/export.ts';
import { trustFiles } from '../../collector/evidence/trust.ts';
import { type RealLedger, realLedger } from '../keys/real_ledger.ts';
import { append, event } from '../ledger/ledger.fixture.ts';
import { newSigner } from './packs.ts';

let root: string;
let real: RealLedger;
let pack: string;
let contents: Map<string, Uint8Array>;
let trust: Record<string, string>;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'readme-'));
  real = await realLedger();
  const { ledger, vault, clock } = real;
  await append(ledger, [
    event({ input: { text: 'hällo' } }),
    event(),
    event({ output: { text: 'y'.repeat(90_000) } }),
  ]);
  pack = join(root, 'pack.zip');
  const request = {
    app_id: 'support-bot',
    time_from: '2026-01-01T00:00:00Z',
    time_to: '2099-01-01T00:00:00Z',
  };
  await exportPack({ ledger, vault, clock, version: '0.0.0-test' }, { request, out: pack, by: 'test' });
  contents = await unzipped(pack);
  trust = await trustFiles(vault, ledger);
}, 60_000);

afterAll(async () => {
  await real?.close();
  rmSync(root, { recursive: true, force: true });
});

/** The pack's files as a reader that is not ours finds them: what `unzip` would write, also where there is none. */
async function unzipped(file: string): Promise<Map<string, Uint8Array>> {
  const reader = new ZipReader(new Uint8ArrayReader(readFileSync(file)));
  const files = new Map<string, Uint8Array>();
  for (const entry of await reader.getEntries()) {
    if (!entry.directory) files.set(entry.filename, await entry.getData(new Uint8ArrayWriter()));
  }
  await reader.close();
  return files;
}

/** Puts the pack's files in a fresh folder and the trust files beside, as the README says. */
function unpacked(): string {
  const folder = mkdtempSync(join(root, 'fresh-'));
  for (const [path, bytes] of contents) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), bytes);
  }
  for (const [name, text] of Object.entries(trust))
    if (name.endsWith('.pem')) writeFileSync(join(folder, name), text);
  return folder;
}

const commandsOf = (folder: string): string[] =>
  readFileSync(join(folder, 'README-VERIFY.txt'), 'utf8')
    .split('\n')
    .filter(line => line.startsWith('    $ '))
    .map(line => line.slice(6));

function run(folder: string, command: string): { ok: boolean; out: string } {
  try {
    return {
      ok: true,
      out: execFileSync('sh', ['-c', `${command} 2>&1`], { cwd: folder, encoding: 'utf8' }),
    };
  } catch (error) {
    return { ok: false, out: String((error as { stdout?: string }).stdout) };
  }
}

test('every command of the README passes with stock tools', () => {
  const folder = unpacked();
  const commands = commandsOf(folder);
  expect(commands.map(command => command.split(' ').slice(0, 2).join(' '))).toEqual([
    'sha256sum -c',
    'find .',
    'openssl cms',
    'openssl pkeyutl',
  ]);
  const results = commands.map(command => run(folder, command));
  for (const [i, { ok, out }] of results.entries()) expect(ok, `${commands[i]}\n${out}`).toBe(true);
  const [sums, listing, cms, checkpoint] = results.map(({ out }) => out);
  expect(
    sums!
      .trim()
      .split('\n')
      .every(line => line.endsWith(': OK')),
  ).toBe(true);
  const log = Object.keys(trust).find(name => name.startsWith('log-'))!;
  expect(listing!.trim().split('\n').sort()).toEqual(
    ['META-INF/checksums.p7s', 'checksums.txt', log, 'org.pem'].sort(),
  );
  expect(cms).toMatch(/Verification successful/i);
  expect(checkpoint).toMatch(/Signature Verified Successfully/);
});

test('each command notices what it is there for', () => {
  const broken = (index: number, change: (folder: string) => void): string => {
    const folder = unpacked();
    change(folder);
    const { ok, out } = run(folder, commandsOf(folder)[index]!);
    return index === 1 ? out : `${ok}`;
  };
  expect(broken(0, folder => appendFileSync(join(folder, 'events.jsonl'), '{}\n'))).toBe('false');
  expect(broken(1, folder => writeFileSync(join(folder, 'note.txt'), 'trust me'))).toContain('note.txt');
  expect(broken(2, folder => appendFileSync(join(folder, 'checksums.txt'), '\n'))).toBe('false');
  expect(broken(3, folder => appendFileSync(join(folder, 'checkpoint.body'), '\n'))).toBe('false');
});

test('another certificate does not verify it', () => {
  const folder = unpacked();
  writeFileSync(join(folder, 'org.pem'), newSigner().certificatePem);
  expect(run(folder, commandsOf(folder)[2]!).ok).toBe(false);
});
