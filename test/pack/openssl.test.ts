/** README-VERIFY.txt, followed to the letter with stock tools in a fresh folder; and what each command notices. */
import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Uint8ArrayReader, Uint8ArrayWriter, ZipReader } from '@zip.js/zip.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exportPack } from '../../collector/evidence/export.ts';
import { requestFor, stampPack } from '../../collector/evidence/stamping.ts';
import { trustFiles } from '../../collector/evidence/trust.ts';
import { type RealLedger, realLedger } from '../keys/real_ledger.ts';
import { append, event } from '../ledger/ledger.fixture.ts';
import { Authority, TSA } from './authority.ts';
import { newSigner } from './packs.ts';

let root: string;
let real: RealLedger;
let authority: Authority;
let contents: Map<string, Uint8Array>;
let trust: Record<string, string>;
let n = 0;

const request = {
  app_id: 'support-bot',
  time_from: '2026-01-01T00:00:00Z',
  time_to: '2099-01-01T00:00:00Z',
};

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'readme-'));
  real = await realLedger();
  authority = new Authority(mkdtempSync(join(root, 'ca-')), 'Good');
  authority.issue('tsa', 'rsa', TSA);
  await append(real.ledger, [
    event({ input: { text: 'hällo' } }),
    event(),
    event({ output: { text: 'y'.repeat(90_000) } }),
  ]);
}, 60_000);

/** Exports as the vault's identity signs now. */
async function exported(): Promise<string> {
  const { ledger, vault, clock } = real;
  const out = join(root, `pack-${n++}.zip`);
  await exportPack({ ledger, vault, clock, version: '0.0.0-test' }, { request, out, by: 'test' });
  contents = await unzipped(out);
  trust = await trustFiles(vault, ledger);
  return out;
}

/** Stamps pack and signature, and takes the pack's files anew. */
async function stamped(pack: string): Promise<void> {
  for (const what of ['signature', 'pack'] as const) {
    const asked = await requestFor(pack, what);
    const stamp = await stampPack(pack, {
      reply: authority.stamp('tsa', asked),
      request: asked,
      roots: authority.root,
    });
    expect(stamp.over).toBe(what);
  }
  const before = contents;
  contents = await unzipped(pack);
  for (const [path, bytes] of before)
    if (path !== 'META-INF/signature001.p7s')
      expect(Buffer.compare(bytes, contents.get(path)!), path).toBe(0);
  trust['tsa-root.pem'] = authority.root;
}

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

const STEPS = ['sha256sum -c', 'find .', 'openssl cms', 'openssl pkeyutl', 'openssl ts', 'openssl cms'];

/** Runs the commands as they are printed: all where the pack is stamped, else the first four. */
function followed(isStamped: boolean): void {
  const folder = unpacked();
  const commands = commandsOf(folder);
  expect(commands.map(command => command.split(' ').slice(0, 2).join(' '))).toEqual(STEPS);
  const results = commands.slice(0, isStamped ? 6 : 4).map(command => run(folder, command));
  for (const [i, { ok, out }] of results.entries()) expect(ok, `${commands[i]}\n${out}`).toBe(true);
  const [sums, listing, cms, checkpoint, time, cmsThen] = results.map(({ out }) => out);
  expect(
    sums!
      .trim()
      .split('\n')
      .every(line => line.endsWith(': OK')),
  ).toBe(true);
  const log = Object.keys(trust).find(name => name.startsWith('log-'))!;
  const stamps = ['META-INF/checksums.tsr', 'META-INF/tsa-chain.pem', 'tsa-root.pem'];
  const meta = ['ASiCManifest001.xml', 'checksums.p7s', 'signature001.p7s'].map(name => `META-INF/${name}`);
  expect(listing!.trim().split('\n').sort()).toEqual(
    [...meta, 'mimetype', 'checksums.txt', log, 'org.pem', ...(isStamped ? stamps : [])].sort(),
  );
  expect(cms).toMatch(/Verification successful/i);
  expect(checkpoint).toMatch(/Signature Verified Successfully/);
  if (!isStamped) return;
  expect(time).toMatch(/Verification: OK/);
  expect(cmsThen).toMatch(/Verification successful/i);
}

describe('every command of the README passes with stock tools', () => {
  test('a self-made RSA certificate, then stamped', async () => {
    const pack = await exported();
    followed(false);
    expect(commandsOf(unpacked()).length).toBe(6);
    await stamped(pack);
    followed(true);
  }, 30_000);

  test('a self-made ECDSA certificate', async () => {
    await (await real.vault.identity()).makeOwn('p256');
    await exported();
    followed(false);
  });

  test.each(['p384', 'rsa-3072'] as const)(
    'a certificate of an authority, %s, stamped',
    async kind => {
      const identity = await real.vault.identity();
      writeFileSync(
        join(authority.folder, `org-${kind}.csr`),
        await identity.request({ common_name: 'Evidence', organization: 'Example Ltd' }, kind),
      );
      authority.sign(`org-${kind}`);
      await identity.importChain(authority.chain(`org-${kind}`));
      const pack = await exported();
      followed(false);
      await stamped(pack);
      followed(true);
      expect(readFileSync(join(unpacked(), 'README-VERIFY.txt'), 'utf8')).toContain(
        'issued by O=Good, CN=Good Issuing',
      );
    },
    30_000,
  );
});

test('each command notices what it is there for', async () => {
  await stamped(await exported());
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
  expect(broken(4, folder => appendFileSync(join(folder, 'checksums.txt'), '\n'))).toBe('false');
  expect(broken(4, folder => writeFileSync(join(folder, 'tsa-root.pem'), newSigner().certificatePem))).toBe(
    'false',
  );
  expect(broken(5, folder => appendFileSync(join(folder, 'checksums.txt'), '\n'))).toBe('false');
}, 30_000);

test('another certificate does not verify it', async () => {
  await exported();
  const folder = unpacked();
  writeFileSync(join(folder, 'org.pem'), newSigner().certificatePem);
  expect(run(folder, commandsOf(folder)[2]!).ok).toBe(false);
});
